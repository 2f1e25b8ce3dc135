"""``lethe demo``: one deletion from end to end, and the ladder's other methods beside it."""

import time
from pathlib import Path
from typing import Any

from flows.compare import compare
from flows.serve import serve_request
from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import require_checkout, sole_use
from tasks.checkout.params import read_section
from tasks.evidence.verification import verify_files
from tasks.keys.signing import home, init_keys
from unlearn_core.errors import SetupError
from unlearn_core.records.params import DatasetParams, DigitsSource
from unlearn_core.records.policy import Policy

REQUEST = "demo"
CONTRAST = "finetune"
"""Compared beside the ladder: a method that keeps everything and forgets nothing, which the gate must see."""


def run_demo(root: Path) -> dict[str, Any]:
    """Make keys where there are none, serve the demonstration's request, verify it, compare the ladder.

    Args:
        root: The checkout.

    Returns:
        The rows of the table and where the evidence is, as JSON values.

    Raises:
        SetupError: If ``params.yaml`` names another data set than the digits.
    """
    started = time.perf_counter()
    checkout = Checkout(require_checkout(root))
    if not isinstance(read_section(checkout.root, "dataset", DatasetParams), DigitsSource):
        raise SetupError("params.yaml names other data; the demo needs `dataset: {source: digits}`")
    init_keys(home())
    (released,) = serve_request(checkout.root, REQUEST)
    certificate = checkout.root / released.certificate
    verify_files(certificate, model=checkout.unlearned / "model.safetensors")
    with sole_use(checkout.root):
        ladder = read_section(checkout.root, "policy", Policy).ladder
        compared = compare(checkout, only={*ladder.classes, CONTRAST})
    return {
        **compared,
        "request": REQUEST,
        "accepted": released.outcome.method,
        "model": released.outcome.model,
        "registered_model": released.registered_model,
        "registered_version": released.registered_version,
        "certificate": released.certificate,
        "wall_seconds": time.perf_counter() - started,
    }
