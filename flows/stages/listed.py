"""Whether ``reports/code`` lists the code of other packages that is installed: DVC does not look at that."""

import json

from tasks.checkout.checkout import Checkout
from tasks.extensions.listing import extension_digests, is_extension
from unlearn_core.errors import PipelineError
from unlearn_core.records.base import Sha256


def differs_from_list(checkout: Checkout) -> list[str]:
    """Return what is installed and not listed so, or the other way round.

    Args:
        checkout: The checkout.

    Returns:
        The extensions that ``params.yaml`` asks for and those that it asked for when the list was written, as
        far as they or their code differ.
    """
    there = _flat(extension_digests(checkout.params))
    files = sorted(checkout.code.glob("*.json"))
    listed = _flat({path.stem: json.loads(path.read_bytes()) for path in files})
    return sorted({key[1] for key, _ in there.items() ^ listed.items()})


def require_listed(checkout: Checkout) -> None:
    """Refuse to run a stage with other code than ``reports/code`` names, which would then be pinned with it.

    Args:
        checkout: The checkout.

    Raises:
        PipelineError: If it does; the message names the extensions.
    """
    if different := differs_from_list(checkout):
        raise PipelineError(
            f"reports/code was written before this was installed as it is: {', '.join(different)}; run "
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
