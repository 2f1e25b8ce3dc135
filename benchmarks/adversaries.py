"""Does the evaluation tell bad unlearning from good? The adversaries among honest methods, on CIFAR-10.

``python -m benchmarks.adversaries --images FOLDER --weights FILE`` works in the folder of
``benchmarks.cifar10``: the original, retrained models, honest methods and the adversaries are measured
by every metric against the first retrained model, with a second for the floors, and judged by the bands of
``adversaries.yaml``. It writes ``results/adversaries_cifar10.json``.
"""

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import cifar10
from benchmarks.surroundings import stand_alone
from benchmarks.timing import provenance
from tasks.benchmarking.adversaries import exposed_attempt
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import copy_folder, write_atomically
from tasks.checkout.params import read_params, read_yaml
from tasks.computing.checkpoints import is_whole, read_checkpoint_card
from tasks.computing.configured import configured_method
from tasks.computing.materials import read_split
from tasks.computing.unlearning import attempt
from tasks.measuring.evaluation import assess
from tasks.references.retrained import References, describe_training, find_or_train
from unlearn_core.adversaries.suite import SUITE, adversaries_for
from unlearn_core.audit.policy import judge
from unlearn_core.method import Method
from unlearn_core.records.base import Record
from unlearn_core.records.evaluation import Evaluation, Measurement
from unlearn_core.records.params import RunParams
from unlearn_core.records.policy import Band, Policy

COMMITTED = cifar10.RESULTS / "adversaries_cifar10.json"
SETTINGS = Path(__file__).with_suffix(".yaml")
RETRAINED = ("retrained", "retrained again")

Row = dict[str, Any]


class Settings(Record):
    """The settings in ``adversaries.yaml``; see there."""

    targets: dict[str, int]
    honest: tuple[str, ...]
    bands: tuple[Band, ...]

    def methods(self, checkout: Checkout) -> dict[str, Method]:
        """Return the honest methods as they are configured, then the adversaries."""
        return {name: configured_method(checkout, name) for name in self.honest} | adversaries_for("classes")

    def policy(self) -> Policy:
        """Return the project's own policy with these bands for classes."""
        return Policy(**{**dict(read_params(cifar10.ROOT).policy), "classes": self.bands})


def measure(checkout: Checkout, target: str, settings: Settings) -> list[Row]:
    """Measure every model of one class, which the checkout's request names.

    Args:
        checkout: The benchmark's folder, with the request resolved.
        target: The class.
        settings: The benchmark's settings.

    Returns:
        One row per model, each with everything that was measured.
    """
    run = checkout.params.run
    retrained = [_retrained(checkout, run, index) for index in range(settings.targets[target])]
    models = {"original": checkout.parent, **dict(zip(RETRAINED, retrained, strict=False))}
    for name, method in settings.methods(checkout).items():
        models[name] = _unlearned(checkout, name, method, run, target)
    rows: list[Row] = []
    for name, folder in models.items():
        print(f"  {name}", file=sys.stderr)
        # The reference has no distance from itself.
        others = retrained[:1] if folder == retrained[0] else retrained
        found = assess(checkout, folder, run, references=References(tuple(others), ()))
        measured = {entry.name: entry.value for entry in found.measurements}
        rows.append({"target": target, "model": name, "weights": found.model, "measured": measured})
    return rows


def _retrained(checkout: Checkout, run: RunParams, index: int) -> Path:
    parent = read_checkpoint_card(checkout.parent)
    assert parent.recipe is not None
    retained = read_split(checkout).retained
    return find_or_train(
        checkout, describe_training(parent, parent.recipe, run, data_digest=retained, index=index)
    )


def _unlearned(checkout: Checkout, name: str, method: Method, run: RunParams, target: str) -> Path:
    """Return the folder of a method's model, made now or earlier with the same settings."""
    kept = checkout.lethe / "adversaries" / f"{target}-{name}-{method.digest[-8:]}"
    if not is_whole(kept):
        print(f"  unlearn with {name}", file=sys.stderr)
        make = exposed_attempt if name in SUITE else attempt
        copy_folder(make(checkout, method, run, max_unsupported_share=0.05).checkpoint, kept)
    return kept


def judged(rows: list[Row], policy: Policy) -> list[Row]:
    """Judge measured rows of one class by the gate.

    Args:
        rows: One per model, the original and the retrained one among them.
        policy: The gate's policy.

    Returns:
        The rows with the verdict, the reason, and what lies outside its band.
    """
    found = {row["model"]: _evaluation(row) for row in rows}
    original, references = found["original"], [found["retrained"]]
    verdicts = {
        name: judge(policy, "classes", entry, original=original, references=references)
        for name, entry in found.items()
    }
    return [
        {
            **row,
            "verdict": verdicts[row["model"]].verdict,
            "reason": verdicts[row["model"]].reason,
            "outside": {
                finding.measurement: finding.outcome
                for finding in verdicts[row["model"]].findings
                if finding.outcome != "inside"
            },
        }
        for row in rows
    ]


def _evaluation(row: Row) -> Evaluation:
    entries = tuple(Measurement(name=name, value=value) for name, value in row["measured"].items())
    return Evaluation(model=row["weights"], seed=0, measurements=entries)


def main() -> None:
    """Measure what is asked for, judge it and write the results."""
    stand_alone()
    given = cifar10.arguments(__doc__).parse_args()
    settings, theirs = read_yaml(SETTINGS, Settings), read_yaml(cifar10.SETTINGS, cifar10.Settings)
    checkout, document = Checkout(given.work), provenance("cpu", "make bench-metrics")
    cifar10.set_up(checkout, theirs, given.images, given.weights)
    document["rows"] = []
    for target in settings.targets:
        print(target, file=sys.stderr)
        checkout = cifar10.resolve(checkout, {"scope": "classes", "target": target, "seed": 0}, theirs)
        document["rows"] += judged(measure(checkout, target, settings), settings.policy())
    write_atomically(COMMITTED, (json.dumps(document, indent=1) + "\n").encode())
    for row in document["rows"]:
        print(f"{row['target']}, {row['model']}: {row['verdict']}. {row['reason']}")


if __name__ == "__main__":
    main()
