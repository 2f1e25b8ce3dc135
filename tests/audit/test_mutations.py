"""Thousands of changed certificates: none is believed without a signature, and with one only what is free.

An issuer's signature vouches for what nobody can recompute: times, versions, costs, digests of things that
are not at hand, and measurements that no band asks for. Everything else contradicts the rest as soon as it is
changed, and is refused although a trusted key signed it. Run more of them with ``MUTATIONS=5000``.
"""

import copy
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tasks.keys.folder import public_pem
from tasks.keys.signing import key_id, read_public_key, verify_judged, verify_payload, verify_signature
from unlearn_core.audit.envelope import (
    MAX_BYTES,
    decode_envelope,
    encode,
    is_judged,
    pae,
    read_judged,
    read_statement,
)
from unlearn_core.errors import EvidenceError
from unlearn_core.records.base import canonical_json
from unlearn_core.records.certificate import Statement
from unlearn_core.records.judged import JudgedStatement

GOLDEN = Path(__file__).parents[1] / "golden"
COUNT = int(os.environ.get("MUTATIONS", "300"))
SLOWEST_S, LARGEST_MIB = 2.0, 256

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ISSUERS = [read_public_key(GOLDEN / f"{name}.pub") for name in ("certificates-2026-11", "certificate-judged")]
TRUSTED = {key_id(key): key for key in (KEY.public_key(), *ISSUERS)}

NAMES = ("certificate-digits", "certificate-subject", "certificate-group", "certificate-judged")
RAW = {name: (GOLDEN / f"{name}.dsse.json").read_bytes() for name in NAMES}
PAYLOADS = {name: decode_envelope(raw).payload for name, raw in RAW.items()}
TREES = {name: json.loads(payload) for name, payload in PAYLOADS.items()}

Path_ = tuple[str | int, ...]
GONE = object()
VALUES: tuple[Any, ...] = (
    GONE, None, True, 0, 1, -1, 0.5, 1e308, 2**63, "", "x", "passes", "E3", "retrain", "\x1b[2J", "\ud7ff",
    "sha256:" + "0" * 64, "hmac-sha256:" + "0" * 64, [], {}, [{}],
)  # fmt: skip

FREE = (
    "subject.name", "predicate.cost", "predicate.coverage.full", "predicate.data", "predicate.drift",
    "predicate.judgement.verdict.reason", "predicate.ledger", "predicate.lock", "predicate.method",
    "predicate.moments", "predicate.note", "predicate.provenance", "predicate.seed",
    "predicate.validation.expectations", "predicate.net", "predicate.handed_in",
)  # fmt: skip
"""What a certificate can say without contradicting itself; its issuer alone vouches for it."""


def places(value: Any, path: Path_ = ()) -> list[Path_]:
    """Return every place in a JSON value, the whole value's own left out."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, one in inside for place in ((*path, key), *places(one, (*path, key)))]


PLACES = {name: places(tree) for name, tree in TREES.items()}


def at(tree: Any, path: Path_) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def is_free(tree: Any, path: Path_) -> bool:
    """Tell whether only the issuer can know what stands in a place: no band is about it."""
    dotted = ".".join(part for part in path if isinstance(part, str))
    if dotted.startswith(FREE):
        return True
    if "measurements" not in path:
        return False
    if path[-1] == "measurements":
        return False
    place = path.index("measurements")
    name = at(tree, path[: place + 2])["name"]
    policy = tree["predicate"]["judgement"]["policy"]
    judged = {band["measurement"] for kind in ("classes", "samples", "canaries") for band in policy[kind]}
    if "original" in path and path[-1] == "value":
        return True  # as long as what decided still lies outside of its band
    return name not in judged or path[-1] in ("low", "high", "samples")


def changed(generator: random.Random, name: str) -> tuple[Any, Path_]:
    """Change one place of a golden certificate."""
    tree = json.loads(PAYLOADS[name])
    while True:
        path = generator.choice(PLACES[name])
        value = generator.choice(VALUES)
        parent = at(tree, path[:-1])
        if value is GONE:
            del parent[path[-1]]
            return tree, path
        if parent[path[-1]] != value or type(parent[path[-1]]) is not type(value):
            parent[path[-1]] = value
            return tree, path


def signed(payload: bytes) -> bytes:
    return encode(payload, KEY.sign(pae(payload)), key_id(KEY.public_key()))


def believed(raw: bytes) -> bool:
    """Verify within the time that is allowed; a refusal is an ``EvidenceError`` and nothing else."""
    # The processor's time: what a busy machine makes a process wait for says nothing about the verifier.
    started = time.process_time()
    try:
        payload, _ = verify_payload(raw, TRUSTED)
        certified = (
            verify_judged(payload) if is_judged(payload) else verify_signature(raw, TRUSTED)[0].predicate
        )
    except EvidenceError:
        return False
    finally:
        assert time.process_time() - started < SLOWEST_S
    # Without its policy a certificate is signed, and ``lethe-verify`` does not call it verified.
    return certified.judgement.policy is not None


def read(payload: bytes) -> Statement | JudgedStatement:
    return read_judged(payload) if is_judged(payload) else read_statement(payload)


@pytest.mark.parametrize("name", NAMES)
def test_no_change_is_believed_without_a_signature_over_it(name: str):
    generator = random.Random(name)
    for _ in range(COUNT):
        _, signature, keyid = decode_envelope(RAW[name])
        tree, path = changed(generator, name)
        assert not believed(encode(canonical_json(tree), signature, keyid)), path
        place = generator.randrange(len(RAW[name]))
        cut = RAW[name][:place] + generator.randbytes(generator.randrange(3)) + RAW[name][place + 1 :]
        assert cut == RAW[name] or not believed(cut), place


@pytest.mark.parametrize("name", NAMES)
def test_with_a_trusted_signature_only_what_is_free_may_change(name: str):
    generator = random.Random(f"signed {name}")
    assert believed(signed(PAYLOADS[name]))
    unchanged = read(PAYLOADS[name])
    for _ in range(COUNT):
        tree, path = changed(generator, name)
        payload = canonical_json(tree)
        if believed(signed(payload)) and read(payload) != unchanged:
            assert is_free(TREES[name], path), (path, at(TREES[name], path))


LARGE = MAX_BYTES // 2
HOSTILE = {
    "deep": b"[" * LARGE + b"]" * LARGE,
    "long number": b'{"a":' + b"9" * LARGE + b"}",
    "not UTF-8": b'{"a":"\xff"}',
    "twice the same key": b'{"a":1,"a":2}',
    "a lone surrogate": b'{"a":"\\ud800"}',
    "infinite": b'{"a":1e999}',
    "not a number": b'{"a":NaN}',
    "many keys": canonical_json({f"{index:06}": index for index in range(100_000)}),
}


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_payload_is_refused_although_it_is_signed(payload: bytes):
    with pytest.raises(EvidenceError):
        verify_signature(signed(payload[: MAX_BYTES // 2]), TRUSTED)


def with_many_measurements() -> bytes:
    """Return a payload of almost the greatest length, with tens of thousands of numbers in it."""
    tree = copy.deepcopy(TREES["certificate-digits"])
    judgement = tree["predicate"]["judgement"]
    one = {"name": "", "value": 0.0, "low": None, "high": None, "samples": None}
    judgement["unlearned"]["measurements"] += [one | {"name": f"m.{index}"} for index in range(25_000)]
    judgement["verdict"]["findings"] = [
        judgement["verdict"]["findings"][0] | {"measurement": f"m.{index}"} for index in range(8_000)
    ]
    return canonical_json(tree)


def test_tens_of_thousands_of_measurements_take_no_longer():
    assert not believed(signed(with_many_measurements()))


VERIFYING = """
import sys
from pathlib import Path
from flows.cli.lethe_verify import main
key, *certificates = sys.argv[1:]
codes = {main([certificate, "--key", key]) for certificate in certificates}
assert codes <= {0, 6} and "torch" not in sys.modules, codes
(peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
Path(key).with_name("peak").write_text(peak.split()[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of memory in /proc")
def test_the_verifier_stays_small_whatever_it_is_given(tmp_path: Path):
    payloads = {**HOSTILE, "many measurements": with_many_measurements()}
    files = [tmp_path / f"{index}.dsse.json" for index in range(len(payloads))]
    for file, payload in zip(files, payloads.values(), strict=True):
        file.write_bytes(signed(payload[: MAX_BYTES // 2]))
    key = tmp_path / "issuer.pub"
    key.write_bytes(public_pem(KEY.public_key()))
    # In a process of its own: the peak is the whole verifier's, with Python and its libraries.
    subprocess.run([sys.executable, "-c", VERIFYING, key, *files], check=True, capture_output=True)
    assert int((tmp_path / "peak").read_text()) / 1024 < LARGEST_MIB
