"""``lethe-verify``: check a certificate, when it was signed, its model, a receipt, or an inventory, offline.

It loads no torch, uses no network and trusts only the key given with ``--key``, or else the keys in the
user's trust folder; keys inside a certificate are never trusted.
"""

import argparse
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, cast

from pydantic import JsonValue

from flows.cli.output import say
from flows.cli.verified_text import attested_lines, summary_text
from tasks.checkout.plain_yaml import load_yaml
from tasks.evidence.attestation import Attestors
from tasks.evidence.inventories import inventory_in_words, inventory_lines, verify_inventory_file
from tasks.evidence.telling import Summary
from tasks.evidence.verification import verify_files
from tasks.keys.signing import read_certificate
from tasks.lifecycle.initialising import shipped_policy
from unlearn_core.audit.countersigning import take_apart
from unlearn_core.audit.envelope import decode_envelope
from unlearn_core.audit.inventories import is_inventory
from unlearn_core.audit.strictness import weaker
from unlearn_core.errors import EvidenceError, GateError, LetheError, SetupError, UsageError
from unlearn_core.kinds import RequestKind, scope_kind
from unlearn_core.names import one_line
from unlearn_core.records.base import Sha256
from unlearn_core.records.policy import Policy

NOT_JUDGED_AGAIN = 7
"""The exit status for a certificate that is signed, but does not carry what its verdict follows from."""

NOT_ALL_SHOWN = 8
"""The exit status for what is verified, and does not show all that it could."""

ENDINGS = {"passes": 0, "fails": GateError.exit_code, "inconclusive": NOT_ALL_SHOWN}
"""The exit status for what came of a judgement, of ``lethe judge`` too."""

EPILOG = (
    "Exit status: 0 verified, 2 could not be checked (a file or key is missing), 6 false, "
    f"{NOT_JUDGED_AGAIN} signed, but not judged again: the first certificates carry no policy. Of a model "
    f"that was judged and not made: 0 verified, and it passes, {ENDINGS['fails']} verified, and it fails, "
    f"{NOT_ALL_SHOWN} verified, and neither could be shown. Of an inventory: 0 verified, and nothing "
    f"is left, {NOT_ALL_SHOWN} verified, and not everything is erased."
)


def main(arguments: list[str] | None = None) -> int:
    """Run ``lethe-verify``.

    Args:
        arguments: The command line; the process's own by default.

    Returns:
        The exit status: 0 verified, 2 not checked, 6 false, 7 not judged again; of a model that was judged
        and did not pass 5 or 8; of an inventory that is not complete 8.
    """
    given = _parser().parse_args(arguments)
    if arguments is None:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever reads the output may stop, as ``head`` does
    try:
        attestors = Attestors(given.stamp, given.tsa_ca, tuple(given.witness), given.threshold)
        if _is_of_absence(given.certificate):
            return _tell_inventory(given, attestors)
        agreed = None if given.policy is None else _digest_of(given.policy)
        summary = verify_files(
            given.certificate,
            model=given.model,
            key=given.key,
            request=given.request,
            policy=agreed,
            receipt=given.receipt,
            attestors=attestors,
            kind=given.kind,
        )
        weaknesses = _weaknesses(summary)
    except LetheError as error:
        # Later lines are indented: none can be taken for one that this command begins.
        reason = str(error).replace("\n", "\n  ")
        say(f"lethe-verify: {one_line(str(given.certificate))}: {reason}", file=sys.stderr)
        if given.json:
            print(json.dumps({"verified": False, "exit_code": error.exit_code, "reason": str(error)}))
        return error.exit_code
    verified = bool(summary["judged_again"])
    code = ENDINGS[str(summary["ending"])] if verified else NOT_JUDGED_AGAIN
    if given.json:
        told = {"verified": verified, "exit_code": code, **summary, "weaker_than_shipped": weaknesses}
        print(json.dumps(told))
    else:
        say(summary_text(summary, weaknesses))
    return code


def _is_of_absence(path: Path) -> bool:
    """Tell whether a file says that it is an inventory of absence."""
    raw, _ = take_apart(read_certificate(path))
    with suppress(EvidenceError):
        return is_inventory(decode_envelope(raw).payload)
    return False


def _tell_inventory(given: argparse.Namespace, attestors: Attestors) -> int:
    """Verify an inventory of absence, and say what it shows.

    Returns:
        The exit status: 0 if nothing is left, else 8; anything else is an error.

    Raises:
        UsageError: If options were given that only a certificate can be compared with.
        EvidenceError: If the inventory is false, or of another request or kind than was asked for.
    """
    asked = {"--model": given.model, "--policy": given.policy, "--receipt": given.receipt}
    if wrong := [option for option, value in asked.items() if value is not None]:
        raise UsageError(
            f"{', '.join(wrong)}: an inventory says nothing of models, policies or receipts; verify the "
            "certificate instead"
        )
    if given.kind is not None:
        raise EvidenceError(
            f"this is an inventory of absence, expected a certificate of the kind {given.kind}"
        )
    inventory, signer, told = verify_inventory_file(
        given.certificate, key=given.key, request=given.request, attestors=attestors
    )
    code = 0 if inventory.complete else NOT_ALL_SHOWN
    if given.json:
        signed = {"verified": True, "exit_code": code, "signed_by": signer, **told}
        print(json.dumps({**signed, **inventory.model_dump(mode="json")}))
    else:
        lines = [f"verified: {inventory_in_words(inventory)}", f"  signed by  {signer}"]
        lines += attested_lines(told)
        lines += [f"  {line}" for line in inventory_lines(inventory)]
        say("\n".join(map(one_line, lines)))
    return code


def _digest_of(policy: str) -> Sha256:
    """Return the digest of the policy that was agreed on.

    Args:
        policy: The digest itself, or a file: ``params.yaml``, its section ``policy``, or a policy as JSON.

    Raises:
        SetupError: If there is no such file.
        ConfigurationError: If it holds no policy.
    """
    if policy.startswith("sha256:"):
        return policy
    # Path.is_file raises if a name is too long for one.
    if not os.path.isfile(policy):
        raise SetupError(f"{policy} is neither a digest (sha256:…) nor a file")
    values = load_yaml(Path(policy))
    section = values.get("policy", values) if isinstance(values, dict) else values
    return Policy.parse(json.dumps(section, default=str)).digest


def _weaknesses(summary: Summary) -> list[JsonValue]:
    """Say where the certificate's policy asks for less than the one that this Lethe ships."""
    if (asked := summary["asked"]) is None:
        return []
    scope = scope_kind(cast("RequestKind", summary["scope"]))
    return [*weaker(Policy.parse(json.dumps(asked)), shipped_policy(), scope)]


class _Parser(argparse.ArgumentParser):
    """Repeats what was typed to a person at a terminal alone: a log is kept, and it may be a name."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command line, and exit."""
        is_known = message.startswith("the following arguments are required")
        super().error(message if is_known or sys.stderr.isatty() else "these arguments are not expected")


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = _Parser(
        prog="lethe-verify",
        description="Verify offline the certificate of a deletion, or of a model that was only judged, its "
        "model and a person's receipt; or an inventory of absence, with --key, --request, --stamp, --tsa-ca, "
        "--witness and --threshold.",
        epilog=EPILOG,
    )
    parser.add_argument(
        "certificate", type=Path, metavar="CERT", help="the certificate or inventory (*.dsse.json)"
    )
    parser.add_argument("--model", type=Path, metavar="FILE", help="the model's file, to compare its digest")
    parser.add_argument("--key", type=Path, metavar="PUB", help="the only public key (PEM) to trust")
    parser.add_argument("--request", metavar="ID", help="the request that it must be about")
    parser.add_argument(
        "--policy", metavar="FILE|DIGEST", help="the policy that was agreed on, as params.yaml or as digest"
    )
    parser.add_argument(
        "--receipt", type=Path, metavar="FILE", help="a person's receipt, to check against the certificate"
    )
    parser.add_argument(
        "--stamp", type=Path, metavar="FILE", help="its time stamp; by default CERT's .tsr beside it, if any"
    )
    parser.add_argument(
        "--tsa-ca", type=Path, metavar="PEM", help="the time stamp authorities to believe ($LETHE_TSA_CA)"
    )
    parser.add_argument(
        "--witness", type=Path, metavar="PUB", action="append", default=[],
        help="the public key of a witness who must have signed too; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--threshold",
        type=int,
        metavar="N",
        help="how many known witnesses must have signed, at least 1; all of --witness",
    )
    parser.add_argument(
        "--kind",
        choices=("made", "judged"),
        help="what it must be about: a deletion that Lethe made, or a model that it only judged; "
        "an inventory is neither",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


if __name__ == "__main__":
    sys.exit(main())
