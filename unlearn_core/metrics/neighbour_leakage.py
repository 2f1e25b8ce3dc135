"""What the forgotten class's neighbours give away."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from unlearn_core.differences import total_variation
from unlearn_core.errors import UsageError
from unlearn_core.floors import distances
from unlearn_core.kinds import ScopeKind
from unlearn_core.metric import Metric, Observation, Subject
from unlearn_core.observations import Outputs
from unlearn_core.records.evaluation import Measurement, Unmeasured
from unlearn_core.records.words import Words


class NeighbourLeakage(Metric):
    """On inputs of the forgotten classes: how the rest of the probability is spread over the *other* classes.

    A retrained model calls a forgotten image by the name of what it resembles. A model whose forgotten logit
    was pushed down spreads the rest in another way, and the attack MIA-NN (Ebrahimpour-Boroojeny et al.,
    arXiv 2506.20893) reads that off the probabilities of the neighbouring classes. This metric measures what
    such an attack can exploit: the mean total-variation distance between the model's and the retrained
    model's distributions over the classes that were not forgotten, each scaled to sum to one.

    Measures ``neighbour_leakage.{part}.forget`` of every forget view, from 0 to 1, with Student's t
    intervals; with a second retrained model also ``neighbour_leakage.floor.{part}.forget``. With the model
    before unlearning it also measures ``neighbour_leakage.original.{part}.forget``, the same distance from
    that model: one that merely hides a class says of the other classes what it always said, and lies at 0
    where a retrained model does not.

    Traps: most class methods fail it; without the floor it means nothing; with only one class left the
    distributions cannot differ, and every distance is 0.
    """

    name: Literal["neighbour_leakage"] = "neighbour_leakage"
    summary: ClassVar[str] = "distance from the retrained model over the other classes, on forgotten inputs"
    uses: ClassVar[frozenset[Observation]] = frozenset({"reference", "floor", "original"})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes"})
    neutral: ClassVar[str] = "the floor"
    above: ClassVar[str] = "under- or over-forgotten: it shows what was removed"
    below: ClassVar[str] = "nothing: closer than two retrained models are"
    words: ClassVar[Mapping[str, Words]] = {
        "neighbour_leakage": Words(
            label="What the other classes give away",
            explanation="How differently from the retrained model the remaining probability is spread: 0 "
            "is alike, 1 is not.",
        ),
        "neighbour_leakage.original": Words(
            label="Distance from the original, over the other classes",
            explanation="0 is just what the original said, as if the class were merely hidden; a retrained "
            "model lies above.",
        ),
    }
    headings: ClassVar[Mapping[str, str]] = {
        "neighbour_leakage.train.forget": "neighbour leakage",
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:  # noqa: ARG002
        """Measure one model.

        Args:
            subject: The model's outputs, and the reference's on the same samples in the same order.
            seed: Not used: nothing here is random.

        Returns:
            The measurements; none in sample scope, or with neither a reference nor the original.

        Raises:
            UsageError: If there is no forget view, one is empty, or the reference did not see its samples.
        """
        views = [view for view in subject.shared_views() if view[1] == "forget"]
        if not views:
            raise UsageError("there is no forget view; observe the model on train.forget at least")
        kept = np.setdiff1d(np.arange(subject.classes), subject.forget_classes)
        if subject.scope == "samples" or not len(kept):
            return ()
        distance = partial(_over, kept)
        found = distances(subject, "neighbour_leakage", distance, highest=1.0, views=views)
        if subject.original is None:
            return found
        before = replace(subject, reference=subject.original, floor=None)
        return (*found, *distances(before, "neighbour_leakage.original", distance, highest=1.0, views=views))

    def unmeasured(self, subject: Subject) -> tuple[Unmeasured, ...]:
        """Return the distances on views that do not exist; see ``Metric.unmeasured``."""
        absent = subject.lacking("neighbour_leakage", "neighbour_leakage.original")
        return tuple(one for one in absent if one.name.endswith(".forget"))


def _over(kept: NDArray[np.int64], mine: Outputs, theirs: Outputs) -> NDArray[np.float64]:
    """Return the distances over some classes alone; from logits, so that none of them vanishes."""
    ours, others = (softmax(said.logits.double().numpy()[:, kept], axis=1) for said in (mine, theirs))
    return total_variation(ours, others)
