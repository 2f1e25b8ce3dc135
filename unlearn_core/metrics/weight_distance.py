"""How far the weights are from the retrained model's."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from unlearn_core.metric import Metric, Observation, Subject
from unlearn_core.observations import WeightDistances
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words


class WeightDistance(Metric):
    """Relative distance of the parameters from the retrained model's, ``|W − W'| / |W'|``.

    Whole as in DeltaGrad (Wu et al., arXiv 2006.14755), by layer as with UNSIR (Tarun et al., arXiv
    2111.08947). Measures ``weight_distance.whole`` and ``weight_distance.layer.{name}`` of every layer with a
    matrix or a kernel; with a second retrained model also ``weight_distance.floor.…``, the same between the
    two retrained ones. No sample is used, and nothing is estimated: there are no intervals.

    Traps: two retrained models are *far* apart, since nets that compute the same may differ in the order of
    their units: without the floor it means nothing, and every method that starts from the original has a
    distance below the floor. It is a description and not a test of forgetting.
    """

    name: Literal["weight_distance"] = "weight_distance"
    summary: ClassVar[str] = "relative distance of the weights from the retrained model's, whole and by layer"
    needs: ClassVar[frozenset[Observation]] = frozenset({"weights"})
    neutral: ClassVar[str] = "the floor"
    above: ClassVar[str] = "moved further than a new seed would"
    below: ClassVar[str] = "nothing: usual for a model that started from the original"
    words: ClassVar[Mapping[str, Words]] = {
        "weight_distance": Words(
            label="Distance of the parameters",
            explanation="How far the model’s numbers are from the retrained model’s, relative to their size. "
            "Two retrained models are far apart as well, so this describes and does not test.",
            unit="fraction",
        ),
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:  # noqa: ARG002
        """Measure one model.

        Args:
            subject: The observed distances.
            seed: Not used: nothing here is random.

        Returns:
            The measurements; none where no distances were observed.
        """
        if subject.weights is None:
            return ()
        found = [*_named("weight_distance", subject.weights)]
        if subject.weights.floor is not None:
            found += _named("weight_distance.floor", subject.weights.floor)
        return tuple(found)


def _named(name: str, distances: WeightDistances) -> Iterator[Measurement]:
    yield Measurement(name=f"{name}.whole", value=distances.whole)
    spelt = Counter(layer.lower() for layer in distances.layers)
    for layer, distance in distances.layers.items():
        # Names are in lower case, except those that would then coincide.
        shown = layer.lower() if spelt[layer.lower()] == 1 else layer
        yield Measurement(name=f"{name}.layer.{shown}", value=distance)
