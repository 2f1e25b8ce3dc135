"""Where the row of a run is kept: under a digest of everything that the row depends on."""

from pathlib import Path
from typing import Any

import numpy
import sklearn

from tasks.benchmarking import cases, runs, scratch
from tasks.benchmarking.cases import BenchmarkCase
from tasks.benchmarking.scratch import benchmark_home
from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import code_digest, method_digest
from tasks.checkout.params import read_values
from tasks.computing import materials, observing, unlearning
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.extensions.discovery import extension_of
from tasks.measuring import evaluation
from tasks.measuring.metrics import metrics_asked
from unlearn_core.method import Method
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.reference import Training

_SECTIONS = ("run", "policy", "moments")
"""What rows depend on in ``params.yaml``, besides a method's settings."""


class Keeper:
    """Names the file of each run's row; reads the checkout once."""

    def __init__(self, checkout: Checkout) -> None:
        """Read what all rows depend on."""
        params = read_values(checkout.root)
        self._rows = benchmark_home(checkout) / "rows"
        self._shared: dict[str, Any] = {
            "params": {name: params[name] for name in _SECTIONS},
            "parent": read_checkpoint_card(checkout.parent).weights,
            "hands": code_digest(evaluation, materials, observing, unlearning, cases, runs, scratch),
            "libraries": [numpy.__version__, sklearn.__version__],
            **_others(checkout),
        }

    def path(self, case: BenchmarkCase, reference: Training, method: Method | None) -> Path:
        """Return where a finished row is kept.

        Args:
            case: What is forgotten, and with which seed.
            reference: The retrained model; its digest covers the data, torch and the device.
            method: The method with its settings; None means the original.

        Returns:
            The file.
        """
        ingredients = {
            **self._shared,
            "case": [case.forget.model_dump(mode="json"), case.seed, case.split.digest],
            "reference": reference.digest,
            "method": None if method is None else method.model_dump(mode="json"),
            "core": method_digest(method),
        }
        return self._rows / f"{short(sha256(canonical_json(ingredients)))}.json"


def _others(checkout: Checkout) -> dict[str, Any]:
    """Return the code of other packages' metrics, if the policy asks for any."""
    named = [extension_of("metric", type(metric)) for metric in metrics_asked(checkout.params.policy)]
    codes = [one.code for one in named if one is not None]
    return {"metrics": codes} if codes else {}
