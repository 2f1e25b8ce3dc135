"""``lethe-verify``: check a certificate, the model that it is about and a person's receipt, offline.

It loads no torch, uses no network and trusts only the key given with ``--key``, or else the keys in the
user's trust folder; keys inside a certificate are never trusted.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from pydantic import JsonValue

from flows.cli.output import say
from tasks.checkout.plain_yaml import load_yaml
from tasks.evidence.verification import Summary, verify_files
from tasks.lifecycle.initialising import shipped_policy
from unlearn_core.audit.evidence import LEVELS
from unlearn_core.audit.strictness import weaker
from unlearn_core.errors import LetheError, SetupError
from unlearn_core.kinds import RequestKind, scope_kind
from unlearn_core.names import one_line
from unlearn_core.records.base import Sha256
from unlearn_core.records.policy import Policy

NOT_JUDGED_AGAIN = 7
"""The exit status for a certificate that is signed, but does not carry what its verdict follows from."""

EPILOG = (
    "Exit status: 0 verified, 2 could not be checked (a file or key is missing), 6 false, "
    f"{NOT_JUDGED_AGAIN} signed, but not judged again: the first certificates carry no policy."
)


def main(arguments: list[str] | None = None) -> int:
    """Run ``lethe-verify``.

    Args:
        arguments: The command line; the process's own by default.

    Returns:
        The exit status: 0 verified, 2 not checked, 6 false, 7 not judged again.
    """
    given = _parser().parse_args(arguments)
    try:
        agreed = None if given.policy is None else _digest_of(given.policy)
        summary = verify_files(
            given.certificate,
            model=given.model,
            key=given.key,
            request=given.request,
            policy=agreed,
            receipt=given.receipt,
        )
        weaknesses = _weaknesses(summary)
    except LetheError as error:
        # Later lines are indented: none can be taken for one that this command begins.
        reason = str(error).replace("\n", "\n  ")
        say(f"lethe-verify: {one_line(str(given.certificate))}: {reason}", file=sys.stderr)
        if given.json:
            print(json.dumps({"verified": False, "exit_code": error.exit_code, "reason": str(error)}))
        return error.exit_code
    code = 0 if summary["judged_again"] else NOT_JUDGED_AGAIN
    if given.json:
        told = {"verified": code == 0, "exit_code": code, **summary, "weaker_than_shipped": weaknesses}
        print(json.dumps(told))
    else:
        say(_text(summary, weaknesses))
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


def _text(summary: Summary, weaknesses: list[JsonValue]) -> str:
    """Write the summary for a person."""
    head = "verified" if summary["judged_again"] else "signed, but not judged again"
    lines = [
        f"{head}: {summary['shown']}",
        *_about(summary),
        *_table(("was trained on before, and is not after", "image"), _receipt(summary)),
        *_table(("right about", "original", "unlearned", "retrained"), _accuracies(summary)),
        *_table(("measurement", "claim", "value", "allowed", "original", "outcome"), _findings(summary)),
        *_listed("asked again of earlier requests", summary["asked_again"]),
        *_listed("asks for less than the policy that Lethe ships", weaknesses),
        *_listed("could not be asked", summary["not_asked"]),
    ]
    # No value may contain a line break: a note must not be able to forge a verdict on the next line.
    return "\n".join(map(one_line, lines))


def _about(summary: Summary) -> Iterator[str]:
    """Write who signed what, a line each."""
    checked = "this file" if summary["model_checked"] else "no file compared; give one with --model"
    changes = ", with uncommitted changes" if summary["dirty"] else ""
    level = str(summary["evidence_level"])
    lines = {
        "signed by": summary["signed_by"],
        "request": f"{summary['request']}, which names {summary['scope']}",
        "group": summary["group"],
        "method": summary["method"],
        "not ours": summary["extensions"],
        "behaves": summary["verdict"],
        "removed": str(summary["removed"]).replace("_", " "),
        "evidence": f"{level}, {LEVELS[level]}",
        "model": f"{summary['model']} ({checked})",
        "parent": summary["parent"],
        "run": f"{summary['started']} to {summary['finished']}",
        "code": f"commit {summary['commit'] or 'none'}{changes}",
        "policy": summary["policy"],
        "runs": summary["earlier_runs"] and f"before this one: {summary['earlier_runs']}",
        "note": summary["note"],
    }
    yield from (f"  {name:<10} {value}" for name, value in lines.items() if value is not None)


def _accuracies(summary: Summary) -> Iterator[tuple[str, ...]]:
    """Yield how often each model is right, a row per measurement."""
    for row in _rows(summary["accuracies"]):
        retrained = [one for one in row["retrained"] if one is not None]
        span = dict.fromkeys((_percent(min(retrained)), _percent(max(retrained)))) if retrained else ("none",)
        yield row["measurement"], _percent(row["original"]), _percent(row["unlearned"]), " to ".join(span)


def _findings(summary: Summary) -> Iterator[tuple[str, ...]]:
    """Yield what was judged: the band, the model's value and the original's."""
    for row in _rows(summary["findings"]):
        allowed = f"{_bound(row['lowest'], '-∞')} to {_bound(row['highest'], '∞')}"
        value, original = _bound(row["value"], "none"), _bound(row["original"], "none")
        yield row["measurement"], row["claim"], value, allowed, original, row["outcome"].replace("_", " ")


def _receipt(summary: Summary) -> Iterator[tuple[str, ...]]:
    """Yield the rows that a receipt shows to have been in, and to be out."""
    for row in _rows(summary["receipt"] or []):
        yield row["sample"], row["image"]


def _rows(value: JsonValue) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", value)


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"


def _bound(value: float | None, absent: str) -> str:
    return absent if value is None else f"{value:.4g}"


def _table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    """Align rows under their heads, after an empty line; without rows there is nothing."""
    lines = [heads, *rows]
    if len(lines) > 1:
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        yield ""
        yield from (
            ("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))).rstrip()
            for line in lines
        )


def _listed(title: str, entries: JsonValue) -> Iterator[str]:
    """Write a list under its title, after an empty line; an empty list is left out."""
    if entries:
        yield from ("", f"  {title}:", *(f"    {entry}" for entry in cast("list[str]", entries)))


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="lethe-verify",
        description="Verify a deletion certificate offline, its model and a person's receipt.",
        epilog=EPILOG,
    )
    parser.add_argument("certificate", type=Path, metavar="CERT", help="the certificate (*.dsse.json)")
    parser.add_argument("--model", type=Path, metavar="FILE", help="the model's file, to compare its digest")
    parser.add_argument("--key", type=Path, metavar="PUB", help="the only public key (PEM) to trust")
    parser.add_argument("--request", metavar="ID", help="the request that it must be about")
    parser.add_argument(
        "--policy", metavar="FILE|DIGEST", help="the policy that was agreed on, as params.yaml or as digest"
    )
    parser.add_argument(
        "--receipt", type=Path, metavar="FILE", help="a person's receipt, to check against the certificate"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


if __name__ == "__main__":
    sys.exit(main())
