"""The command ``lethe evidence``, and what it prints."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from flows.cli.options import Json, RequestArgument
from flows.cli.output import Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.checkout.checkout import Checkout
    from unlearn_core.records.evidence import Stored

app = typer.Typer(
    help="Evidence in S3: store what is missing, read it back. LETHE_S3_BUCKET names the bucket.",
    no_args_is_help=True,
)


@app.command()
def push(request_id: RequestArgument, *, json: Json = False) -> None:
    """Store the parts of a served request's evidence that are not in the bucket yet.

    Certificate, report, Data Docs, coverage, policy and the record of the deletion go to
    `s3://LETHE_S3_BUCKET/LETHE_S3_PREFIX/MODEL/REQUEST/CERTIFICATE/`, each with its SHA-256, and a manifest
    last. Every object is read back. Existing objects are not sent again, and never overwritten. Data, models,
    requests and pseudonyms never go there. `lethe delete` does this automatically if a bucket is configured;
    use this command for requests that were served earlier, and after a failure.

    LETHE_S3_ENDPOINT names a store other than AWS's, and LETHE_S3_RETAIN_DAYS is how long each object is
    locked. Credentials are boto3's: AWS_ACCESS_KEY_ID and the like, a profile, or the machine's role.
    """
    from tasks.evidence.uploading import push_evidence

    _print(_in_checkout(push_evidence, request_id), json=json)


@app.command(name="verify")
def verify_in_store(request_id: RequestArgument, *, json: Json = False) -> None:
    """Read a request's evidence back from the bucket, and compare all of it.

    Every object must have the size and the SHA-256 in the manifest, the manifest must match the files in
    `evidence/REQUEST`, and the certificate must be signed by a trusted key and agree with both. Exit code 6
    means that something is missing or altered; each such file is named.
    """
    from tasks.evidence.uploading import verify_evidence

    _print(_in_checkout(verify_evidence, request_id), json=json)


def _in_checkout(do: "Callable[[Checkout, str], Stored]", request_id: str) -> "Stored":
    """Do something with a request's evidence while nobody else writes to it."""
    from tasks.checkout.checkout import Checkout

    with Checkout.open(Path.cwd()) as checkout:
        return do(checkout, request_id)


def _print(stored: "Stored", *, json: bool) -> None:
    Output(json).give(stored.model_dump(mode="json"), lambda: tell_stored(stored))


def tell_stored(stored: "Stored") -> str:
    """Return what the user should know about evidence in the store."""
    found = f"{stored.files} files, each as it was written"
    done = (
        f"signed by    {stored.signed_by}" if stored.signed_by else f"sent         {len(stored.sent)} files"
    )
    return (
        f"evidence     {stored.location}\n"
        f"contains     {found}\n"
        f"{done}\n"
        f"locked       {stored.locked_until or 'no: anybody who may write to the bucket may delete it'}"
    )
