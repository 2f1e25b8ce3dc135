"""The verb ``judge_candidate``: the gate on a model that somebody else made.

It is measured and judged by the functions that ``delete`` runs on its own candidates, so the same model gets
the same findings. Nothing is registered, promoted or told to MLflow.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flows.stages.climbing import measure_and_judge
from flows.stages.pipeline import PREPARATION, run_due
from flows.stages.split import split_untracked
from flows.stages.steps import PLAIN
from flows.stages.unlearn import prepare_ladder
from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import now
from tasks.checkout.files import file_digest
from tasks.checkout.progress import announced
from tasks.checkout.settings import CodeSettings
from tasks.checkout.variables import restored, set_variable
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.observing import observed_views
from tasks.computing.own_nets import allow_net
from tasks.evidence.judged import certify_judged
from tasks.lifecycle.candidates import Handed, load_candidate, net_of, refuse_broken, take_in
from tasks.lifecycle.judging import judging_place
from tasks.references.gathering import gather_references
from tasks.references.retrained import References
from tasks.report.judged import write_judged_report
from tasks.requests.runs import recorded_judgement
from unlearn_core.errors import ConfigurationError
from unlearn_core.records.artifact import CheckpointCard
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import Judgement
from unlearn_core.records.judged import JudgedCertificate
from unlearn_core.records.params import RunParams
from unlearn_core.records.policy import Policy
from unlearn_core.records.request import DeletionRequest

_STAGES = ("code", "dataset", "parent")
"""What a judgement needs of the preparation; second moments are for methods."""


@dataclass(frozen=True)
class CertifiedJudgement:
    """What came of a judgement: the certificate, its file, and the report beside it."""

    certificate: JudgedCertificate
    path: Path
    report: Path


def judge_candidate(
    checkout: Checkout, request: DeletionRequest, handed: Handed, *, by: str | None = None
) -> CertifiedJudgement:
    """Judge a model that was handed in for a request, and certify the verdict, whatever it is.

    Args:
        checkout: The checkout; the caller holds its lock. Its parent is the model before.
        request: What the model should have forgotten.
        handed: The model.
        by: Who handed it in: it is kept in the checkout, and the certificate carries a digest of it.

    Returns:
        The certificate.

    Raises:
        ConfigurationError: If it does not fit its net, cannot answer, or is one of the models that it would
            be compared with; no certificate is written.
    """
    started = now()
    for name in _STAGES:
        run_due(checkout, name, PREPARATION[name])
    with judging_place(checkout, request) as place, _allowed(checkout, handed):
        with announced("candidate"):
            parent, folder = read_checkpoint_card(place.parent), place.attempt("candidate")
            net = net_of(handed, parent)
            allow_net(net.name, checkout.root)
            copy, digest = take_in(handed, net, place.root)
            card = load_candidate(copy, handed, net, parent, folder)
            _refuse_known(card, "the model before", parent.weights)
        with announced("split"):
            split_untracked(place)
        with announced("look"):
            refuse_broken(lambda: observed_views(place, folder, place.params.run))
        with announced("compare"):
            baseline = prepare_ladder(place, replace(PLAIN, gather=_gather_retrained))
            others = (one.model for one in baseline.retrained)
            _refuse_known(card, "one of the retrained models that it would be compared with", *others)
        with announced("judge"):
            evaluation, verdict, earlier = measure_and_judge(baseline, folder, PLAIN, method=None)
        certificate, path = certify_judged(
            checkout,
            place,
            request,
            Judgement(
                verdict=verdict,
                original=baseline.original,
                unlearned=evaluation,
                references=baseline.retrained,
                policy=baseline.policy,
                calibration=baseline.calibration,
                not_calibrated=baseline.not_calibrated,
            ),
            candidate=digest,
            card=card,
            earlier=earlier,
            started=started,
            by=by,
        )
        recorded_judgement(
            checkout, request, file_digest(path), f"{certificate.ending}: {certificate.in_words}"
        )
        return CertifiedJudgement(certificate, path, write_judged_report(certificate, place, path))


def _gather_retrained(checkout: Checkout, run: RunParams, policy: Policy) -> References:
    """Gather retrained models, and no shadow pairs: nobody knows the method to unlearn those with."""
    return gather_references(checkout, run, Policy(**{**dict(policy), "shadows": 0}))


@contextmanager
def _allowed(checkout: Checkout, handed: Handed) -> Iterator[None]:
    """Allow the code of a net that the operator has named, until the block ends."""
    named = handed.architecture
    if named is not None:
        allow_net(named, checkout.root, named)
    with restored("LETHE_FACTORIES"):
        if named is not None:
            set_variable("LETHE_FACTORIES", f"{CodeSettings.read().factories},{named}".strip(","))
        yield


def _refuse_known(card: CheckpointCard, what: str, *known: Sha256) -> None:
    if card.weights in known:
        raise ConfigurationError(
            f"the candidate is {what}, number for number ({card.weights}); hand in the unlearned model"
        )
