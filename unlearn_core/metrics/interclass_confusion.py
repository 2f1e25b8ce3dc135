"""Interclass confusion: what is left of a confusion that mislabelled samples taught."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator

from unlearn_core import intervals
from unlearn_core.kinds import ScopeKind
from unlearn_core.metric import Metric, Observation, Subject
from unlearn_core.observations import Outputs, Part, Side
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words


def _two(pair: tuple[int, int]) -> tuple[int, int]:
    if pair[0] == pair[1]:
        raise ValueError(f"class {pair[0]} is named twice; confusion is between two classes")
    return pair


class InterclassConfusion(Metric):
    """How often two classes are called by each other's name after mislabelled samples were forgotten.

    The test of Goel et al., "Towards Adversarial Evaluations for Inexact Machine Unlearning" (arXiv
    2201.06640): a subset of two classes is mislabelled as each other, a model is trained on it, and the
    subset is to be unlearned. ``pair`` names the two classes; by default they are those of the forgotten
    samples, and where these are not exactly two, nothing is measured.

    Measures ``interclass_confusion.{part}.retain`` of the audit and test parts, whose labels are right: the
    share of their samples of the two classes that are called by the other's name, in [0, 1]; and
    ``interclass_confusion.recalled.train.forget``, the share of the forgotten samples that are called by the
    *recorded*, wrong name. With a reference also each one's signed ``interclass_confusion.gap…`` to the
    retrained model's.

    Traps: it means something only if the forgotten samples were mislabelled; two classes that look alike are
    confused by the retrained model too, so read the gap.
    """

    name: Literal["interclass_confusion"] = "interclass_confusion"
    pair: Annotated[tuple[int, int], AfterValidator(_two)] | None = None
    summary: ClassVar[str] = "confusion left between two classes whose mislabelled samples were forgotten"
    uses: ClassVar[frozenset[Observation]] = frozenset({"reference"})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"samples"})
    neutral: ClassVar[str] = "the retrained model's; a gap of 0"
    above: ClassVar[str] = "under-forgotten"
    below: ClassVar[str] = "over-forgotten"
    words: ClassVar[Mapping[str, Words]] = {
        "interclass_confusion": Words(
            label="Confusion of two classes",
            explanation="How often two classes are called by each other’s name.",
            unit="fraction",
        ),
        "interclass_confusion.gap": Words(
            label="Confusion of two classes, beyond the retrained model’s",
            explanation="0 is just as often as the retrained model.",
            unit="difference",
        ),
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:  # noqa: ARG002
        """Measure one model.

        Args:
            subject: The model's outputs, and the reference's.
            seed: Not used: nothing here is random.

        Returns:
            The measurements; none in class scope or without two classes. A view that is empty or absent
            raises ``UsageError``.
        """
        labels = np.unique(subject.view("train", "forget").labels.numpy())
        pair = self.pair if self.pair is not None else tuple(labels.tolist())
        if subject.scope == "classes" or len(pair) != 2:
            return ()
        mine = dict(_shares(subject, pair))
        found = [share.named(f"interclass_confusion.{name}") for name, share in mine.items()]
        if (retrained := subject.retrained()) is not None:
            theirs = dict(_shares(retrained, pair))
            gaps = {name: intervals.difference(mine[name], theirs[name]) for name in mine}
            found += [gap.named(f"interclass_confusion.gap.{name}") for name, gap in gaps.items()]
        return tuple(found)


def _shares(subject: Subject, pair: tuple[int, ...]) -> Iterator[tuple[str, intervals.Estimate]]:
    """Yield every share that can be counted: a part without a sample of the two classes has none."""
    views: tuple[tuple[Part, Side], ...] = (("audit", "retain"), ("test", "retain"))
    for part, side in views:
        if (found := _confused(subject.view(part, side), pair)) is not None:
            yield f"{part}.{side}", found
    recalled = subject.view("train", "forget").correct()
    yield "recalled.train.forget", intervals.proportion(float(recalled.sum()), len(recalled))


def _confused(said: Outputs, pair: tuple[int, ...]) -> intervals.Estimate | None:
    """Return the share of two classes' samples that are called by the other one's name."""
    labels, called = said.labels.numpy(), said.logits.argmax(1).numpy()
    of_pair = np.isin(labels, pair)
    if not of_pair.any():
        return None
    other = np.where(labels == pair[0], pair[1], pair[0])
    return intervals.proportion(float((called == other)[of_pair].sum()), int(of_pair.sum()))
