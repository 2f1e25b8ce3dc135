"""Where the row of a run lies: under a digest of everything that the row depends on."""

from pathlib import Path
from typing import Any

import numpy
import sklearn

from tasks.benchmarking import cases, runs, scratch
from tasks.benchmarking.cases import Case
from tasks.benchmarking.scratch import home
from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import code_digest, core_digest, module_of
from tasks.checkout.params import read_values
from tasks.computing import materials, observing, unlearning
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.measuring import evaluation
from unlearn_core.method import Method
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.reference import Training

SECTIONS = ("run", "policy", "moments")
"""Of ``params.yaml``, what rows depend on besides a method's own settings."""


class Keeper:
    """Names the file of each run's row; reads the checkout once."""

    def __init__(self, checkout: Checkout) -> None:
        """Read what all rows depend on.

        Args:
            checkout: The checkout.
        """
        params = read_values(checkout.root)
        self._rows = home(checkout) / "rows"
        self._shared: dict[str, Any] = {
            "params": {name: params[name] for name in SECTIONS},
            "parent": read_checkpoint_card(checkout.parent).weights,
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
        ingredients = {
            **self._shared,
            "case": [case.forget.model_dump(mode="json"), case.seed, case.split.digest],
            "reference": reference.digest,
            "method": None if method is None else method.model_dump(mode="json"),
            "core": core_digest("" if method is None else module_of(method)),
        }
        return self._rows / f"{short(sha256(canonical_json(ingredients)))}.json"
