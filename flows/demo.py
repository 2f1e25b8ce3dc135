"""``lethe demo``: one deletion from end to end, compared with the ladder's other methods."""

import time
from typing import Any

from tasks.checkout.checkout import Checkout
from tasks.evidence.verification import verify_files
from tasks.keys.signing import home, init_keys
from tasks.lifecycle.refusals import require_ready
from tasks.requests.request_file import read_request
from unlearn_core.errors import SetupError

REQUEST = "demo"
CONTRAST = "finetune"
"""Compared with the ladder: a method that keeps everything and forgets nothing; the gate must notice."""


def run_demo(checkout: Checkout) -> dict[str, Any]:
    """Make missing keys, serve the demo's request, verify it, and compare the ladder's methods.

    Args:
        checkout: The checkout; the caller holds its lock.

    Returns:
        The rows of the table and where the evidence is, as JSON values.

    Raises:
        SetupError: If ``params.yaml`` names a data set other than the digits.
    """
    started = time.perf_counter()
    if checkout.params.dataset.source != "digits":
        raise SetupError("params.yaml names other data; the demo needs `dataset: {source: digits}`")
    request = read_request(checkout, REQUEST)
    init_keys(home())
    require_ready()
    from flows.compare import compare
    from flows.delete import delete

    (released,) = delete(checkout, request)
    certificate = checkout.root / released.certificate
    verify_files(certificate, model=checkout.unlearned / "model.safetensors")
    ladder = checkout.params.policy.ladder
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
