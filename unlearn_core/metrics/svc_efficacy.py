"""The confidence attack as class-unlearning papers define it."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from unlearn_core import intervals
from unlearn_core.kinds import ScopeKind
from unlearn_core.metric import Metric, Subject
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words
from unlearn_core.support_vectors import ConfidenceAttack


class SvcEfficacy(Metric):
    """Confidence attack of Kodge et al. (arXiv 2312.00761): is the class treated like a retained one?

    An RBF support-vector classifier (C = 3) learns from the true class's probability to tell retained
    training samples from *forgotten* training samples, and is asked about held-out samples of the forgotten
    class. It is fitted on at most ``at_most`` samples of each kind, equally many, drawn with the seed.

    Measures ``svc_efficacy.forgotten.test.forget``, the share of them that it calls forgotten, in [0, 1],
    **the higher, the more the class is suppressed**: 1 for a model that never saw the class;
    ``svc_efficacy.forgotten.test.retain``, the same of retained classes, which is chance for this attack; and
    ``svc_efficacy.difference``, the first minus the second: 0 where the model treats the class like any
    other, 1 where it is gone.

    Traps: another attack goes by the same name, see ``svc_salun``; it measures the suppression of a class and
    not membership, so a model whose head alone was edited passes; there is nothing to measure in sample
    scope.
    """

    name: Literal["svc_efficacy"] = "svc_efficacy"
    at_most: int = Field(default=1000, ge=2)
    summary: ClassVar[str] = (
        "Kodge's confidence attack: held-out samples of the class that are called forgotten"
    )
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes"})
    neutral: ClassVar[str] = "the retrained model's, near 1"
    above: ClassVar[str] = "over-forgotten"
    below: ClassVar[str] = "under-forgotten"
    words: ClassVar[Mapping[str, Words]] = {
        "svc_efficacy": Words(
            label="Confidence attack (Kodge)",
            explanation="How many samples an attacker who reads the model’s confidence takes for forgotten.",
            unit="fraction",
        ),
        "svc_efficacy.difference": Words(
            label="Confidence attack (Kodge), difference",
            explanation="0 where the model treats the forgotten class like any other.",
            unit="difference",
        ),
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:
        """Measure one model.

        Args:
            subject: The model's outputs; the reference is not used.
            seed: For the draw of the samples to fit on.

        Returns:
            The measurements; none in sample scope, or where the test part has no sample of the class. Any
            other view that is absent, or one that is empty, raises ``UsageError``.
        """
        retained, forgotten = subject.view("train", "retain"), subject.view("train", "forget")
        if subject.scope == "samples" or ("test", "forget") not in subject.views:
            return ()
        attack = ConfidenceAttack(retained, forgotten, at_most=self.at_most, seed=seed)
        judged = attack.share_called_others(subject.view("test", "forget"))
        control = attack.share_called_others(subject.view("test", "retain"))
        return (
            judged.named("svc_efficacy.forgotten.test.forget"),
            control.named("svc_efficacy.forgotten.test.retain"),
            intervals.difference(judged, control).named("svc_efficacy.difference"),
        )
