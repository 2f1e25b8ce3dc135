"""A deletion that was run again, compared with what its certificate says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unlearn_core.audit.attempts import accepted_rung, attempts_of
from unlearn_core.records.base import Sha256, canonical_json, sha256
from unlearn_core.records.certificate import Attempt, DeletionCertificate
from unlearn_core.records.data import DatasetCard
from unlearn_core.records.deletion import DeletionRecord, SplitRecord
from unlearn_core.records.replay import Compared


@dataclass(frozen=True)
class Replayed:
    """What a deletion read and made when it was run again.

    Attributes:
        data: The data set's card.
        split: The split.
        parent: Digest of the model that it started from.
        moments: Digest of the second moments; None if the certificate names none.
        deletion: The ladder; None if no method was accepted.
        unlearned: Digest of the accepted model; None if there is none.
    """

    data: DatasetCard
    split: SplitRecord
    parent: Sha256
    moments: Sha256 | None
    deletion: DeletionRecord | None
    unlearned: Sha256 | None


def compare_replay(certified: DeletionCertificate, replayed: Replayed) -> tuple[Compared, ...]:
    """Return everything that a replay must reproduce, expected and found: first inputs, then results."""
    return (*_inputs(certified, replayed), *_results(certified, replayed))


def _inputs(certified: DeletionCertificate, replayed: Replayed) -> tuple[Compared, ...]:
    data, split = replayed.data, replayed.split
    splits = {entry.split: entry.rows_digest for entry in data.splits}
    rows: list[tuple[str, Sha256, Sha256 | None]] = [
        ("scope", (certified.group or certified.request).scope, split.scope),
        ("data before", certified.data.before, data.rows_digest),
        ("data splits", _digest_of(certified.data.splits), _digest_of(splits)),
        ("data retained", certified.data.retained, split.retained),
        ("parent", certified.models.parent, replayed.parent),
    ]
    if certified.moments is not None:
        rows.append(("second moments", certified.moments, replayed.moments))
    return tuple(Compared(what=what, expected=expected, came=came) for what, expected, came in rows)


def _results(certified: DeletionCertificate, replayed: Replayed) -> tuple[Compared, ...]:
    verdict = certified.judgement.verdict
    expected = {
        "attempts": _tell(certified.attempts),
        "method": _method(certified.method, certified.seed),
        "verdict": f"{verdict.in_words}, {verdict.level}",
        "unlearned model": certified.models.unlearned,
    }
    came: dict[str, str] = {}
    if replayed.deletion is not None and replayed.unlearned is not None:
        rung = accepted_rung(replayed.deletion)
        came = {
            "attempts": _tell(attempts_of(replayed.deletion)),
            "method": _method(rung.unlearning.method, rung.unlearning.seed),
            "verdict": f"{rung.verdict.in_words}, {rung.verdict.level}",
            "unlearned model": replayed.unlearned,
        }
    return tuple(Compared(what=what, expected=one, came=came.get(what)) for what, one in expected.items())


def _tell(attempts: tuple[Attempt, ...]) -> str:
    return ", ".join(f"{one.method} {one.in_words}" for one in attempts)


def _method(method: Mapping[str, Any], seed: int) -> str:
    """Return a method with all its settings as one line."""
    return f"{method['name']}, seed {seed}, settings {_digest_of(method)}"


def _digest_of(value: object) -> Sha256:
    return sha256(canonical_json(value))
