"""Where the row of a run lies: under a digest of everything that the row depends on."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy
import sklearn

from tasks import evaluation, materials, observing, unlearning
from tasks.benchmarking import cases, runs, scratch
from tasks.benchmarking.cases import Case
from tasks.benchmarking.scratch import home
from tasks.checkpoints import read_checkpoint_card
from tasks.files import code_digest
from tasks.layout import Layout, short
from tasks.params import read_params
from unlearn_core import data
from unlearn_core.method import Method
from unlearn_core.records.base import Sha256, canonical_json, sha256
from unlearn_core.records.reference import Training

SECTIONS = ("run", "policy", "moments")
"""Of ``params.yaml``, what rows depend on besides a method's own settings."""


class Keeper:
    """Names the file of each run's row; reads the checkout once."""

    def __init__(self, layout: Layout) -> None:
        """Read what all rows depend on.

        Args:
            layout: The checkout.
        """
        params = read_params(layout.root)
        self._rows = home(layout) / "rows"
        self._shared: dict[str, Any] = {
            "params": {name: params[name] for name in SECTIONS},
            "parent": read_checkpoint_card(layout.parent).weights,
            "hands": code_digest(evaluation, materials, observing, unlearning, cases, runs, scratch),
            "libraries": [numpy.__version__, sklearn.__version__],
        }

    def path(self, case: Case, reference: Training, method: Method | None) -> Path:
        """Return where a row is once it is finished.

        Args:
            case: What is forgotten, and with which seed.
            reference: The retrained model; its digest covers the data, torch and the device.
            method: With its settings; None stands for the original.

        Returns:
            The file.
        """
        own = "" if method is None else type(method).__module__.rsplit(".", 1)[-1]
        ingredients = {
            **self._shared,
            "case": [case.forget.model_dump(mode="json"), case.seed, case.split.digest],
            "reference": reference.digest,
            "method": None if method is None else method.model_dump(mode="json"),
            "core": _core_digest(own),
        }
        return self._rows / f"{short(sha256(canonical_json(ingredients)))}.json"


@cache
def _core_digest(method: str) -> Sha256:
    """Return the digest of the core's code without all methods but one: a new one changes no other's rows."""
    core = Path(str(data.__file__)).parent
    files = (
        path for path in sorted(core.rglob("*.py")) if path.parent.name != "methods" or path.stem == method
    )
    return sha256(b"\0".join(path.read_bytes() for path in files))
