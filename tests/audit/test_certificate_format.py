"""The documentation's own verifier, run as it is printed."""

import re
import subprocess
import sys
from pathlib import Path

from unlearn_core.audit.envelope import _ENVELOPE

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
DOCUMENT = (ROOT / "docs" / "certificate-format.md").read_text()


def run_printed_verifier(certificate: Path, model: Path) -> subprocess.CompletedProcess[str]:
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    command = [sys.executable, "-c", code, certificate, GOLDEN / "certificate-v1.pub", model]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_printed_verifier_accepts_the_golden_certificate(tmp_path: Path):
    # The certified "model" of the golden certificate is this one word.
    (tmp_path / "model").write_text("unlearned")
    done = run_printed_verifier(GOLDEN / "certificate-v1.dsse.json", tmp_path / "model")
    assert done.stdout.startswith("verified "), done.stderr


def test_the_printed_verifier_notices_a_change_and_another_model(tmp_path: Path):
    raw = (GOLDEN / "certificate-v1.dsse.json").read_bytes()
    (tmp_path / "changed").write_bytes(raw.replace(b'"payload":"e', b'"payload":"f'))
    (tmp_path / "model").write_text("unlearned")
    (tmp_path / "other").write_text("another")
    assert run_printed_verifier(tmp_path / "changed", tmp_path / "model").returncode != 0
    assert run_printed_verifier(GOLDEN / "certificate-v1.dsse.json", tmp_path / "other").returncode != 0


def test_the_printed_grammar_is_the_verifiers_own():
    assert _ENVELOPE.pattern.decode() in DOCUMENT
