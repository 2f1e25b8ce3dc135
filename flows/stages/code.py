"""Stage ``code``: list what the other stages run, so that each is due when one of its own files changes."""

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import file_digest, replaced_folder
from tasks.checkout.imports import files_run_by, own_root
from tasks.extensions.listing import extension_digests
from unlearn_core.records.base import canonical_json
from unlearn_core.records.params import Params

OTHERS = ("dataset", "parent", "moments", "split", "unlearn", "certify")


def list_code(checkout: Checkout) -> None:
    """Write ``reports/code``: for each other stage, the files of the running Lethe with their digests.

    For extensions that ``params.yaml`` uses, the digest of the whole package is listed beside the files.
    """
    with replaced_folder(checkout.code) as folder:
        for name, content in code_lists(checkout.params).items():
            (folder / f"{name}.json").write_bytes(content)


def code_lists(params: Params) -> dict[str, bytes]:
    """Return what ``list_code`` writes for each stage with these parameters."""
    others = extension_digests(params)
    return {stage: canonical_json({**_digests(stage), **others.get(stage, {})}) for stage in OTHERS}


def _digests(stage: str) -> dict[str, str]:
    files = files_run_by(f"flows.stages.{stage}")
    return {path.as_posix(): file_digest(own_root() / path) for path in files}
