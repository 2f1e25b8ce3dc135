"""One deletion told twice: by ``dvc repro`` and by Prefect, and how the second telling goes on."""

import json
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from world import NOTHING, PACKAGES, ROOT, lethe, run

from tasks.checkout.checkout import Checkout
from tasks.checkout.params import read_params, read_values, write_params
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.lifecycle.releases import continue_from_champion, read_release
from unlearn_core.methods.svd import Svd
from unlearn_core.records.artifact import CheckpointCard
from unlearn_core.records.deletion import Released

PERSON = "subject-0003"


@dataclass(frozen=True)
class Reproduced:
    """A checkout after ``dvc repro``."""

    root: Path
    repro: CompletedProcess[str]
    lock: bytes


@dataclass(frozen=True)
class Story:
    """A checkout in which Prefect served requests, and what was seen on the way.

    Attributes:
        root: The checkout, as it is in the end.
        first: What ``lethe delete demo`` released.
        road: The functions of Lethe's own from that command to the method, in the order of their calls.
        lock: The lock after that.
        status: What ``dvc status`` said then.
        repro: What ``dvc repro`` said then.
        again: What a second ``lethe delete demo`` released.
        versions: How many versions were registered after that.
        second: What a request for one person released, from the first one's model.
        repro_of_second: What ``dvc repro`` said then, and ``locks_of_second`` the lock before and after DVC
            made the second model anew.
        parent_of_second: The card of ``models/parent`` after that.
        undoing: Exit code, output and error of a request that would start from before the second one, and
            ``named_after_undoing`` the request that ``params.yaml`` names after it.
        refused: Exit code, output and error of a request whose gate nothing can pass.
        lock_before_refusal: The lock's stages before it, and ``lock_after_refusal`` after it.
    """

    root: Path
    first: Released
    road: tuple[str, ...]
    lock: bytes
    status: CompletedProcess[str]
    repro: CompletedProcess[str]
    again: Released
    versions: int
    second: Released
    repro_of_second: CompletedProcess[str]
    locks_of_second: tuple[bytes, bytes]
    parent_of_second: CheckpointCard
    undoing: tuple[int, str, str]
    named_after_undoing: str
    refused: tuple[int, str, str]
    lock_before_refusal: dict[str, Any]
    lock_after_refusal: dict[str, Any]


def reproduce(root: Path) -> Reproduced:
    """Run ``dvc repro`` in a fresh clone."""
    done = run(root, "dvc", "repro")
    assert done.returncode == 0, done.stdout + done.stderr
    return Reproduced(root, done, (root / "dvc.lock").read_bytes())


def tell(root: Path) -> Story:
    """Serve requests by Prefect in a fresh clone; its server must be running."""
    checkout = Checkout(root)
    with seen_road() as road:
        first = deleted(root, "demo")
    lock = (root / "dvc.lock").read_bytes()
    status, repro = run(root, "dvc", "status"), run(root, "dvc", "repro")
    again = deleted(root, "demo")
    versions = len(registered(root))
    continue_from_champion(checkout)
    second = deleted(root, "r-2", "--subject", PERSON, folder="requests")
    lock_of_second, repro_of_second = (root / "dvc.lock").read_bytes(), run(root, "dvc", "repro")
    run(root, "dvc", "repro", "--force", "--single-item", "unlearn")
    lock_by_the_other = (root / "dvc.lock").read_bytes()
    parent_of_second = read_checkpoint_card(checkout.parent)
    undoing = lethe(root, "delete", "r-3", "--class", "5")
    named_after = read_params(root).request
    before = stages_of(root)
    policy = read_values(root)["policy"]
    settings = {"policy": {**policy, "classes": [NOTHING], "reference": "none"}}
    write_params(root, {**settings, "registry": {"model": "elsewhere"}})
    refused = lethe(root, "delete", "r-3", "--class", "5")
    return Story(
        root=root,
        first=first,
        road=tuple(road),
        lock=lock,
        status=status,
        repro=repro,
        again=again,
        versions=versions,
        second=second,
        repro_of_second=repro_of_second,
        locks_of_second=(lock_of_second, lock_by_the_other),
        parent_of_second=parent_of_second,
        undoing=undoing,
        named_after_undoing=named_after,
        refused=refused,
        lock_before_refusal=before,
        lock_after_refusal=stages_of(root),
    )


@contextmanager
def seen_road():
    """Note which of Lethe's functions lead to a method's ``apply``, from the command on."""
    road, apply = [], Svd.apply

    def noted(*arguments, **named):
        frames = [(Path(frame.filename), frame.name) for frame in traceback.extract_stack()]
        ours = [f"{path.stem}.{name}" for path, name in frames if in_packages(path)]
        road[:] = [*ours[ours.index("delete.command") :], "Method.apply"]
        return apply(*arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Svd, "apply", noted)
        yield road


def in_packages(path):
    return any(path.is_relative_to(ROOT / package) for package in PACKAGES)


def deleted(root, *arguments, folder="."):
    """Run ``lethe delete`` in a folder of the checkout and return what it printed as a record."""
    code, out, err = lethe(root / folder, "delete", *arguments, "--json")
    assert code == 0, out + err
    released = Released.parse(out)
    assert released == read_release(Checkout(root), arguments[0])
    return released


def registered(root):
    from tasks.tracking.runs import tracking_of

    return tracking_of(Checkout(root)).client.search_model_versions("name = 'digits'")


def stages_of(root):
    from ruamel.yaml import YAML

    return json.loads(json.dumps(YAML(typ="safe", pure=True).load((root / "dvc.lock").read_text())["stages"]))
