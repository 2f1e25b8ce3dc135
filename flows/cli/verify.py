"""``lethe verify``: certificates, and whether a certified deletion gives the same model again."""

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import Output
from unlearn_core.errors import ConfigurationError, EvidenceError, UsageError

if TYPE_CHECKING:
    from unlearn_core.records.replay import Compared, Replay


def command(
    certificate: Annotated[
        Path | None, typer.Argument(help="A certificate; by default all of the checkout.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Also check that this is the certified model.")] = None,
    *,
    key: Annotated[Path | None, typer.Option(help="Trust only this public key.")] = None,
    request: Annotated[str | None, typer.Option(help="The request that it must be about.")] = None,
    policy: Annotated[
        str | None, typer.Option(help="The policy that was agreed on: a file or its digest.")
    ] = None,
    replay: Annotated[bool, typer.Option("--replay", help="Run the certified deletion again.")] = False,
    from_data: Annotated[
        bool, typer.Option("--from-data", help="With --replay: retrain the parent, too.")
    ] = False,
    trust_code: Annotated[
        bool,
        typer.Option(
            "--trust-code",
            help="With --replay: run the code of a project whose deletion another machine certified.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Verify certificates: bytes, signature, content and model.

    With a certificate this is `lethe-verify`; without one it is the Prefect flow over all certificates of the
    checkout: it compares them with the models in the checkout and in the registry, and the files in MLflow's
    artifact store with the registry. It says what it could not compare. Exit status: 0 verified, 2 something
    could not be compared, 6 something is false, 7 a certificate carries no policy to judge it by again.

    With `--replay` the deletion is run again from git's history and DVC's remote, and must give the same
    model; exit status 8 says that a purge erased what it began from, on which day. If another machine
    certified it, the command says what code that would run, and stops without `--trust-code`.
    """
    named = [("--model", model), ("--key", key), ("--request", request), ("--policy", policy)]
    _refuse_unasked(
        [option for option, value in named if value is not None], certificate, replay=replay or from_data
    )
    if replay or from_data:
        sys.exit(
            _replay(certificate, model=model, key=key, from_data=from_data, trust_code=trust_code, json=json)
        )
    if certificate is not None:
        from flows.cli.lethe_verify import main as verify_main

        given = [str(part) for option, value in named if value is not None for part in (option, value)]
        sys.exit(verify_main([str(certificate), *given, *(["--json"] if json else [])]))
    from flows.cli.lethe_verify import NOT_JUDGED_AGAIN
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.progress import signs_of_life
    from tasks.lifecycle.refusals import has_evidence

    checkout = Checkout.find(Path.cwd())
    if not has_evidence(checkout):
        Output(json).give([], lambda: "no certificates here yet")
        return
    with signs_of_life("verify"):
        from flows.verify import NOT_COMPARED, UNJUDGED, verify

        checked = verify(checkout)
    told = "\n".join(map(_told, checked))
    Output(json).give(checked, lambda: told or "no certificates here yet")
    results = {entry["result"] for entry in checked}
    if UNJUDGED in results:
        sys.exit(NOT_JUDGED_AGAIN)
    if NOT_COMPARED in results:
        sys.exit(UsageError.exit_code)


def _refuse_unasked(given: list[str], certificate: Path | None, *, replay: bool) -> None:
    """Refuse options that would not be looked at.

    Raises:
        UsageError: If there are any.
    """
    unasked = [one for one in given if one in {"--request", "--policy"}] if replay else given
    if unasked and (replay or certificate is None):
        why = "a replay compares models alone" if replay else "these are asked of one certificate; name it"
        raise UsageError(f"{', '.join(unasked)}: {why}")


def _told(entry: dict[str, str]) -> str:
    """Return what was compared for one certificate or model, and what was not."""
    lines = [f"{entry['result']:<16} {entry['request']}"]
    lines += [f"{'':<16} compared: {entry['compared']}"] if entry["compared"] else []
    lines += [f"{'':<16} not compared: {entry['not_compared']}"] if entry["not_compared"] else []
    return "\n".join(lines)


def _replay(
    certificate: Path | None,
    *,
    model: Path | None,
    key: Path | None,
    from_data: bool,
    trust_code: bool,
    json: bool,
) -> int:
    """Verify a certificate, run its deletion again, and print the result beside what was expected."""
    if certificate is None:
        raise ConfigurationError("--replay needs a certificate; name that of the deletion to replay")
    from tasks.checkout.checkout import Checkout
    from tasks.evidence.dating import certified_approval, require_later, require_received
    from tasks.evidence.verification import verify_bytes, verify_files
    from tasks.keys.signing import read_certificate
    from tasks.requests.ledger.finding import find_ledger
    from unlearn_core.records.base import sha256

    raw = read_certificate(certificate)
    certified, signer = verify_bytes(raw, key=key)
    if model is not None:
        verify_files(certificate, model=model, key=key)
    checkout = Checkout.find(Path.cwd())
    require_later(checkout, certified)
    if (ledger := find_ledger(checkout.root)) is not None:
        require_received(ledger, certified, certified_approval(checkout, certified))
    from flows.replay import replay

    done = replay(checkout, certified, sha256(raw), signer=signer, from_data=from_data, trust_code=trust_code)
    Output(json).give(as_json(done), lambda: tell_replay(done))
    return 0 if done.equal else EvidenceError.exit_code


def as_json(done: "Replay") -> dict[str, object]:
    """Return a replay as a JSON value, each comparison with its ``equal``."""
    compared = [{**one.model_dump(mode="json"), "equal": one.equal} for one in done.compared]
    return {**done.model_dump(mode="json"), "compared": compared, "equal": done.equal}


def tell_replay(done: "Replay") -> str:
    """Return what the user should know about a replay."""
    table = [_row(one) for one in done.compared]
    warned = [f"warning: {one}" for one in done.differences]
    if done.differences:
        warned.append("On another machine, or with other versions, floating-point results may differ.")
    answer = "the same model again" if done.equal else "NOT the same: the differences are above"
    return "\n".join([f"request {done.request}, commit {done.commit}", *table, *warned, answer])


def _row(one: "Compared") -> str:
    """Return one comparison, with both sides where they differ."""
    if one.equal:
        return f"  equal      {one.what:<16} {one.expected}"
    came = "nothing: no method was accepted" if one.came is None else one.came
    sides = f"expected {one.expected}\ngot      {came}"
    return f"  DIFFERENT  {one.what:<16} {textwrap.indent(sides, ' ' * 30).strip()}"
