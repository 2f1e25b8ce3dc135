"""The command ``lethe evidence``, and what it prints."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from flows.cli.options import Json, RequestArgument
from flows.cli.output import Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.checkout.checkout import Checkout
    from tasks.evidence.anchoring import Anchor
    from unlearn_core.records.evidence import Stored

_T = TypeVar("_T")

app = typer.Typer(
    help="Time stamps and witnesses of evidence, and its copy in S3, stored and read back. LETHE_S3_BUCKET "
    "names the bucket, LETHE_TSA_URL the time stamp authority.",
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


@app.command(name="stamp")
def stamp_evidence(request_id: RequestArgument, *, json: Json = False) -> None:
    """Have a request's certificate, and other signed statements beside it, stamped by an authority.

    LETHE_TSA_URL is the authority's address (RFC 3161), and LETHE_TSA_CA the file of the certificates that it
    is believed by. Only the file's digest is sent. The stamp goes beside the certificate, `certificate.tsr`,
    and into the bucket if one is configured; `lethe-verify` says when, and according to whom. `lethe delete`
    does this by itself if an authority is configured, and goes on if it does not answer.
    """
    from tasks.evidence.uploading import push_if_stored

    stamped = _in_checkout(_stamp, request_id)
    _in_checkout(push_if_stored, request_id)
    told = (f"stamped      {name}: {one.time}, according to {one.authority}" for name, one in stamped.items())
    value = {name: one._asdict() for name, one in stamped.items()}
    Output(json).give(value, lambda: "\n".join(told))


def _stamp(checkout: "Checkout", request_id: str) -> "dict[str, Anchor]":
    """Have every statement beside a request's certificate stamped, and the certificate itself."""
    from tasks.evidence.attestation import statements_beside
    from tasks.evidence.stamping import stamp_file

    return {path.name: stamp_file(path) for path in statements_beside(checkout.certificate(request_id))}


@app.command(name="countersign")
def countersign_certificate(
    certificate: Annotated[Path, typer.Argument(metavar="CERT", help="The certificate (`*.dsse.json`).")],
    *,
    json: Json = False,
) -> None:
    """Sign a certificate as a witness, with this machine's key, after verifying it.

    For another person than the issuer, on another machine, who trusts the issuer's key (`lethe keys trust`).
    The signature goes into a file of its own beside the certificate, which the issuer adds to the evidence,
    and `lethe evidence push` to the bucket. `lethe-verify` counts the witnesses whose keys it knows.
    """
    from tasks.evidence.witnessing import countersign

    place, witness = countersign(certificate)
    told = f"witnessed    {certificate}\nby           {witness}\nkept         {place}"
    Output(json).give({"file": str(place), "witness": witness}, lambda: told)


def _in_checkout(do: "Callable[[Checkout, str], _T]", request_id: str) -> "_T":
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
