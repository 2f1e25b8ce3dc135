"""``lethe verify --replay``: a certificate, and whether its deletion comes to the same model again."""

import json as json_
import textwrap
from pathlib import Path

from flows.verify_cli import verify_bytes, verify_files
from unlearn_core.errors import ConfigurationError, EvidenceError
from unlearn_core.records.base import sha256
from unlearn_core.records.replay import Compared, Replay


def replay_certificate(
    certificate: Path | None, *, model: Path | None, key: Path | None, from_data: bool, json: bool
) -> int:
    """Verify a certificate, run its deletion again, and print what came beside what was expected.

    Args:
        certificate: Its file.
        model: A model's file that should be the certified one; compared before anything is run.
        key: The only public key to believe; the trust folder's keys by default.
        from_data: Train the model before the deletion anew, too.
        json: Print one JSON document.

    Returns:
        The exit code: 0 if all is the same, 6 if not.

    Raises:
        ConfigurationError: If no certificate is named.
    """
    if certificate is None:
        raise ConfigurationError("a replay is of one deletion: name its certificate")
    from tasks.environment import require_checkout
    from tasks.signing import read_certificate

    raw = read_certificate(certificate)
    certified, _signer = verify_bytes(raw, key=key)
    if model is not None:
        verify_files(certificate, model=model, key=key)
    root = require_checkout(Path.cwd())
    from flows.replay import replay

    done = replay(root, certified, sha256(raw), from_data=from_data)
    print(json_.dumps(as_json(done), indent=2) if json else tell_replay(done))
    return 0 if done.equal else EvidenceError.exit_code


def as_json(done: Replay) -> dict[str, object]:
    """Return a replay as a JSON value, with the answers beside the facts."""
    compared = [{**one.model_dump(mode="json"), "equal": one.equal} for one in done.compared]
    return {**done.model_dump(mode="json"), "compared": compared, "equal": done.equal}


def tell_replay(done: Replay) -> str:
    """Return what a person should know of a replay."""
    table = [_row(one) for one in done.compared]
    warned = [f"warning: {one}" for one in done.differences]
    if done.differences:
        warned.append("On another machine, or with other versions, floats may come out differently.")
    answer = "the same model came again" if done.equal else "NOT the same: see above what differs"
    return "\n".join([f"request {done.request}, commit {done.commit}", *table, *warned, answer])


def _row(one: Compared) -> str:
    """Return one comparison, with both sides where they differ."""
    if one.equal:
        return f"  equal      {one.what:<16} {one.expected}"
    came = "nothing: no method was accepted" if one.came is None else one.came
    sides = f"expected {one.expected}\ncame     {came}"
    return f"  DIFFERENT  {one.what:<16} {textwrap.indent(sides, ' ' * 30).strip()}"
