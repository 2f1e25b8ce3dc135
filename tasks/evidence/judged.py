"""The certificate of a model that was handed in: gathered from where it was judged, and signed."""

import secrets
from pathlib import Path
from typing import Any

from tasks.checkout.checkout import CERTIFICATE, Checkout
from tasks.checkout.files import read_record, write_atomically, write_record
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.materials import read_split
from tasks.data.datasets import read_card
from tasks.evidence.certification import data_digests, ledger_head, provenance_of, validation_summary
from tasks.extensions.code import package_digest
from tasks.keys.signing import sign_statement
from unlearn_core.factories import is_factory, module_of
from unlearn_core.records.artifact import CheckpointCard
from unlearn_core.records.base import Sha256, UtcTime
from unlearn_core.records.calibration import CalibratedRequest
from unlearn_core.records.certificate import Judgement
from unlearn_core.records.earlier import AskedAgain
from unlearn_core.records.judged import (
    HandedIn,
    JudgedCertificate,
    JudgedModels,
    JudgedStatement,
    Net,
)
from unlearn_core.records.request import DeletionRequest

HANDED_IN = "handed-in.json"
"""Who handed the model in: it is kept here alone, and the certificate carries its digest."""


def certify_judged(
    checkout: Checkout,
    place: Checkout,
    request: DeletionRequest,
    judgement: Judgement,
    *,
    candidate: Sha256,
    card: CheckpointCard,
    earlier: tuple[AskedAgain, ...],
    started: UtcTime,
    by: str | None,
) -> tuple[JudgedCertificate, Path]:
    """Write and sign the certificate of a model that was judged and not made.

    Args:
        checkout: The checkout that keeps it.
        place: Where the model was judged.
        request: What it should have forgotten.
        judgement: The verdict and the numbers.
        candidate: The digest of the file that was handed in.
        card: The card of its weights, as they were loaded.
        earlier: The earlier requests, asked again of it.
        started: When the judgement began.
        by: Who handed it in; None if that is not said.

    Returns:
        The certificate, and its file.
    """
    data, split, folder = read_card(place.dataset), read_split(place), checkout.judged(request.id, candidate)
    certificate = JudgedCertificate(
        schema_version="lethe.judged/1",
        kind="judged, not made",
        request=request.summary,
        data=data_digests(data, split),
        models=JudgedModels(
            original=read_checkpoint_card(place.parent).weights, candidate=candidate, measured=card.weights
        ),
        net=_net_of(card.architecture.name),
        **_UNKNOWN,
        handed_in=_keep_name(folder / HANDED_IN, by),
        judgement=judgement,
        earlier=earlier,
        validation=validation_summary(place),
        ledger=ledger_head(checkout, request.singles),
        provenance=provenance_of(checkout, judgement.unlearned, started),
        extensions=tuple(filter(None, (data.extension, *judgement.unlearned.extensions))),
        calibrated_request=None if judgement.calibration is None else _calibrated_request(place),
    )
    path = folder / CERTIFICATE
    write_atomically(path, sign_statement(JudgedStatement.of(certificate)))
    return certificate, path


_UNKNOWN: dict[str, Any] = dict.fromkeys(("method", "cost", "coverage", "held_out"), "not known")


def _calibrated_request(place: Checkout) -> CalibratedRequest:
    """Return what decides whether a calibration holds for the request, beside its kind."""
    parent = read_checkpoint_card(place.parent)
    return CalibratedRequest(
        model=parent.trained or parent.weights,
        deletions=parent.deletions,
        rows=len(read_split(place).forget_rows),
    )


def _net_of(name: str) -> Net:
    """Return the net's name, and the digest of its code if it is somebody's own."""
    return Net(name=name, code=package_digest(module_of(name)) if is_factory(name) else None)


def _keep_name(path: Path, by: str | None) -> Sha256 | None:
    """Keep who handed a model in, once, and return the digest that the certificate carries."""
    if by is None:
        path.unlink(missing_ok=True)
        return None
    if not path.is_file() or read_record(path, HandedIn).by != by:
        write_record(path, HandedIn(by=by, salt=secrets.token_hex(32)))
    return read_record(path, HandedIn).digest
