"""The confidence attack as SalUn defines it."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from unlearn_core import intervals
from unlearn_core.metric import Metric, Subject
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words
from unlearn_core.support_vectors import salun_efficacy


class SvcSalun(Metric):
    """MIA-efficacy of SalUn (Fan et al., arXiv 2310.12508, after Jia et al., arXiv 2304.04934).

    An RBF support-vector classifier (C = 3) learns from the true class's probability to tell retained
    training samples, its members, from retained *test* samples, and is asked about the forgotten training
    samples. It is fitted on at most ``at_most`` samples of each kind, equally many, drawn with the seed.

    Measures ``svc_salun.non_members.train.forget``, the share of them that it does not call members, in
    [0, 1], **the higher, the more is forgotten**; ``svc_salun.non_members.unseen``, the same of audit samples
    of their classes, which is chance for this attack; and ``svc_salun.difference``, unseen minus forgotten: 0
    for a model that never saw the samples, above 0 where they still look like members.

    Traps: another attack goes by the same name, see ``svc_efficacy``; in class scope a share near 1 says that
    the class is suppressed, of seen and unseen samples alike, and nothing of membership, so read the
    difference; a well-generalising model gives the classifier nothing to learn from, and every number is then
    noise.
    """

    name: Literal["svc_salun"] = "svc_salun"
    at_most: int = Field(default=1000, ge=2)
    summary: ClassVar[str] = "SalUn's confidence attack: forgotten samples that are not called members"
    neutral: ClassVar[str] = "the retrained model's; a difference of 0"
    above: ClassVar[str] = "share: over-forgotten; difference: under-forgotten"
    below: ClassVar[str] = "share: under-forgotten; difference: over-forgotten"
    words: ClassVar[Mapping[str, Words]] = {
        "svc_salun": Words(
            label="Confidence attack (SalUn)",
            explanation="How many samples an attacker who reads the model’s confidence does not take for "
            "training data.",
            unit="fraction",
        ),
        "svc_salun.difference": Words(
            label="Confidence attack (SalUn), difference",
            explanation="0 where forgotten samples look just like never-seen ones.",
            unit="difference",
        ),
    }
    headings: ClassVar[Mapping[str, str]] = {
        "svc_salun.non_members.train.forget": "membership attack, SVC",
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:
        """Measure one model.

        Args:
            subject: The model's outputs; the reference is not used.
            seed: For the draw of the samples to fit on.

        Returns:
            The measurements. A view that is empty or absent, or audit data without the forgotten samples'
            classes, raises ``UsageError``.
        """
        forgotten, unseen = salun_efficacy(subject, at_most=self.at_most, seed=seed)
        return (
            forgotten.named("svc_salun.non_members.train.forget"),
            unseen.named("svc_salun.non_members.unseen"),
            intervals.difference(unseen, forgotten).named("svc_salun.difference"),
        )
