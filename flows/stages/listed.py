"""Whether ``reports/code`` matches the installed code of other packages, which DVC does not check."""

import json

from tasks.checkout.checkout import Checkout
from tasks.extensions.listing import extension_digests, is_extension
from unlearn_core.errors import PipelineError
from unlearn_core.records.base import Sha256


def differs_from_list(checkout: Checkout) -> list[str]:
    """Return the extensions whose installed code differs from the list, or that only one of the two has.

    Compares the extensions that ``params.yaml`` names now with those that it named when the list was written.
    """
    there = _flat(extension_digests(checkout.params))
    files = sorted(checkout.code.glob("*.json"))
    listed = _flat({path.stem: json.loads(path.read_bytes()) for path in files})
    return sorted({key[1] for key, _ in there.items() ^ listed.items()})


def require_listed(checkout: Checkout) -> None:
    """Refuse to run a stage with code that ``reports/code`` does not list: the wrong list would be pinned.

    Raises:
        PipelineError: If the code differs; the message names the extensions.
    """
    if different := differs_from_list(checkout):
        raise PipelineError(
            f"reports/code does not match what is installed of {', '.join(different)}; run "
            "`lethe train`, or `dvc repro --force --single-item code`, and then the same again"
        )


def _flat(stages: dict[str, dict[str, Sha256]]) -> dict[tuple[str, str], Sha256]:
    """Return the digests of extensions by stage and name."""
    return {
        (stage, name): digest
        for stage, digests in stages.items()
        for name, digest in digests.items()
        if is_extension(name)
    }
