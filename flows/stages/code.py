"""Stage ``code``: writes down what the others run, so that each is due when a file of its own changes."""

from flows.stages.process import run_stage
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import file_digest, replaced_folder
from tasks.checkout.imports import files_run_by
from tasks.extensions.listing import extension_digests
from unlearn_core.errors import SetupError
from unlearn_core.records.base import canonical_json

OTHERS = ("dataset", "parent", "moments", "split", "unlearn", "certify")


def list_code(checkout: Checkout) -> None:
    """Write ``reports/code``: for each other stage its files in the checkout, with their digests.

    Of what ``params.yaml`` asks other packages for, the digest of the whole package stands beside the files.

    Args:
        checkout: The checkout.

    Raises:
        SetupError: If the checkout is of another version of Lethe than the one that runs.
    """
    others = extension_digests(checkout.params)
    with replaced_folder(checkout.code) as folder:
        for stage in OTHERS:
            files = files_run_by(f"flows.stages.{stage}")
            if missing := [path for path in files if not (checkout.root / path).is_file()]:
                raise SetupError(
                    f"{missing[0]} is not in this checkout: it is of another version of Lethe than the one "
                    "that runs. Bring both to one version"
                )
            digests = {path.as_posix(): file_digest(checkout.root / path) for path in files}
            (folder / f"{stage}.json").write_bytes(canonical_json({**digests, **others.get(stage, {})}))


if __name__ == "__main__":
    run_stage(list_code)
