"""``lethe-verify``: check a certificate, and the model that it is about, offline.

It loads no torch, uses no network and trusts only the key given with ``--key``, or else the keys in the
user's trust folder; keys inside a certificate are never trusted.
"""

import argparse
import json
import sys
from pathlib import Path

from flows.cli.output import say
from tasks.checkout.texts import one_line
from tasks.evidence.verification import Summary, verify_files
from unlearn_core.audit.evidence import LEVELS
from unlearn_core.errors import LetheError

EPILOG = "Exit status: 0 verified, 2 could not be checked (a file or key is missing), 6 false."


def main(arguments: list[str] | None = None) -> int:
    """Run ``lethe-verify``.

    Args:
        arguments: The command line; the process's own by default.

    Returns:
        The exit status: 0 verified, 2 not checked, 6 false.
    """
    given = _parser().parse_args(arguments)
    try:
        summary = verify_files(given.certificate, model=given.model, key=given.key)
    except LetheError as error:
        say(f"lethe-verify: {one_line(str(given.certificate))}: {error}", file=sys.stderr)
        if given.json:
            print(json.dumps({"verified": False, "exit_code": error.exit_code, "reason": str(error)}))
        return error.exit_code
    say(json.dumps({"verified": True, **summary}) if given.json else _text(summary))
    return 0


def _text(summary: Summary) -> str:
    """Write the summary for a person."""
    checked = "this file" if summary["model_checked"] else "no file compared; give one with --model"
    code = f"commit {summary['commit'] or 'none'}" + (
        ", with uncommitted changes" if summary["dirty"] else ""
    )
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
        "code": code,
        "note": summary["note"],
    }
    # No value may contain a line break: a note must not be able to forge a verdict on the next line.
    texts = {name: one_line(str(value)) for name, value in lines.items() if value is not None}
    return "\n".join(["verified", *(f"  {name:<10} {text}" for name, text in texts.items())])


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="lethe-verify",
        description="Verify a deletion certificate offline, and the model that it is about.",
        epilog=EPILOG,
    )
    parser.add_argument("certificate", type=Path, metavar="CERT", help="the certificate (*.dsse.json)")
    parser.add_argument("--model", type=Path, metavar="FILE", help="the model's file, to compare its digest")
    parser.add_argument("--key", type=Path, metavar="PUB", help="the only public key (PEM) to trust")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


if __name__ == "__main__":
    sys.exit(main())
