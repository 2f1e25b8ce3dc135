"""``lethe-verify``: check a certificate, and the model that it is about, with nothing else at hand.

It loads no torch, asks no network and believes only the key given with ``--key``, or else the keys in
the user's trust folder; whatever a certificate brings along is not among them.
"""

import argparse
import json
import sys
from pathlib import Path

from tasks.files import file_digest
from tasks.signing import key_id, public_keys_in, read_certificate, read_public_key, trust_folder, verify
from unlearn_core.audit.evidence import LEVELS
from unlearn_core.errors import EvidenceError, LetheError, SetupError
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import DeletionCertificate

Summary = dict[str, str | bool | None]

EPILOG = "Exit status: 0 verified, 2 it could not be checked (a file or key is missing), 6 it is false."


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
        print(f"lethe-verify: {given.certificate}: {_printable(str(error))}", file=sys.stderr)
        if given.json:
            print(json.dumps({"verified": False, "exit_code": error.exit_code, "reason": str(error)}))
        return error.exit_code
    print(json.dumps({"verified": True, **summary}) if given.json else _text(summary))
    return 0


def verify_files(certificate: Path, *, model: Path | None = None, key: Path | None = None) -> Summary:
    """Verify a certificate file and, if there is one, the model's file.

    Args:
        certificate: The certificate.
        model: The model that it should be about.
        key: The public key that should have signed it; the trust folder's keys by default.

    Returns:
        Who signed what, in short.

    Raises:
        EvidenceError: If the certificate or the model is not what it should be.
    """
    certified, signer = verify_bytes(read_certificate(certificate), key=key)
    if model is not None and (found := _digest(model)) != certified.models.unlearned:
        raise EvidenceError(
            f"the model {model} is {found}, the certificate is about {certified.models.unlearned}; "
            "take the model that was issued with it"
        )
    return _summary(certified, signer=signer, model_checked=model is not None)


def verify_bytes(raw: bytes, *, key: Path | None = None) -> tuple[DeletionCertificate, Sha256]:
    """Verify a certificate.

    Args:
        raw: The certificate file's content.
        key: The public key that should have signed it; the trust folder's keys by default.

    Returns:
        What is certified, and the id of the key that signed it.

    Raises:
        SetupError: If no key is trusted.
    """
    if key is not None:
        public = read_public_key(key)
        trusted = {key_id(public): public}
    elif not (trusted := public_keys_in(trust_folder())):
        raise SetupError(f"no key is trusted; give the issuer's with --key, or put it in {trust_folder()}")
    statement, signer = verify(raw, trusted)
    return statement.predicate, signer


def _digest(model: Path) -> Sha256:
    """Return the digest of the model's file.

    Raises:
        SetupError: If it cannot be read.
    """
    try:
        return file_digest(model)
    except OSError as error:
        raise SetupError(f"cannot read the model {model}: {error.strerror}") from error


def _summary(certified: DeletionCertificate, *, signer: Sha256, model_checked: bool) -> Summary:
    """Pick what a reader asks first."""
    verdict, provenance, group = certified.judgement.verdict, certified.provenance, certified.group
    return {
        "signed_by": signer,
        "request": certified.request.id,
        "group": None if group is None else f"{group.id} of {len(group.members)} requests",
        "scope": certified.request.kind,
        "method": str(certified.method["name"]),
        "verdict": verdict.verdict,
        "evidence_level": verdict.level,
        "model": certified.models.unlearned,
        "model_checked": model_checked,
        "parent": certified.models.parent,
        "started": provenance.started,
        "finished": provenance.finished,
        "commit": provenance.commit,
        "dirty": provenance.dirty,
        "note": certified.note,
    }


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
        "verdict": summary["verdict"],
        "evidence": f"{level}, {LEVELS[level]}",
        "model": f"{summary['model']} ({checked})",
        "parent": summary["parent"],
        "run": f"{summary['started']} to {summary['finished']}",
        "code": code,
        "note": summary["note"],
    }
    # A value cannot end its own line: a note must not be able to write a verdict below itself.
    texts = {
        name: _printable(str(value).replace("\n", " ")) for name, value in lines.items() if value is not None
    }
    return "\n".join(["verified", *(f"  {name:<10} {text}" for name, text in texts.items())])


def _printable(text: str) -> str:
    """Spell out control characters, and what the terminal has no letters for: no text can steer it."""
    shown = "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)
    encoding = sys.stdout.encoding or "utf-8"
    return shown.encode(encoding, "backslashreplace").decode(encoding)


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="lethe-verify",
        description="Verify a deletion certificate offline, and the model that it is about.",
        epilog=EPILOG,
    )
    parser.add_argument("certificate", type=Path, metavar="CERT", help="the certificate (*.dsse.json)")
    parser.add_argument("--model", type=Path, metavar="FILE", help="the model's file, to compare its digest")
    parser.add_argument("--key", type=Path, metavar="PUB", help="the only public key (PEM) to believe")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


if __name__ == "__main__":
    sys.exit(main())
