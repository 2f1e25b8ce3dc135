"""What a new head fitted on retained features alone brings back of a forgotten class."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from unlearn_core import intervals
from unlearn_core.kinds import ScopeKind
from unlearn_core.metric import Metric, Observation, Subject
from unlearn_core.observations import Outputs
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words

Matrix = NDArray[np.float64]


class Recovery(Metric):
    """Map the model's features to the original's logits on retained images, and see what the map brings back.

    The map is a ridge regression from the last features of the retained training images to the original's
    logits for them, whose mean over classes is taken out: the logit of the forgotten class too, which says
    of every retained image how much it looks like that class. No forgotten image takes part. Then the map
    is applied to held-out images of the forgotten classes, ``audit.forget`` and ``test.forget`` together.
    Where the features still carry the class, what retained images say of it is enough to find it again;
    where they do not, the map has nothing to go by.

    The nearest published idea is model stitching (Bansal, Nakkiran & Barak, NeurIPS 2021, arXiv
    2106.07682): a layer trained between the lower half of one net and the upper half of another, on all
    data and on labels. Here the upper half is the original's head, the layer and that head are one linear
    map, fitted to logits in closed form, and on retained data alone.

    Features are standardised, and ``ridge`` is the penalty in units of one feature's sum of squares, so
    that it means the same for any number of images. Measures ``recovery.accuracy``, how often the map names
    the right class, and with a reference ``recovery.gap``: minus the same of the retrained model.

    Traps: whoever has the original needs no recovery; this measures what is left inside, not what an attacker
    without it can do. A retrained model's features bring a class back too if they tell it from the others.
    """

    name: Literal["recovery"] = "recovery"
    ridge: float = Field(default=1e-2, gt=0)
    summary: ClassVar[str] = (
        "what a head fitted to retained data and the original's logits brings back, against the retrained's"
    )
    needs: ClassVar[frozenset[Observation]] = frozenset({"views", "original"})
    uses: ClassVar[frozenset[Observation]] = frozenset({"reference"})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes"})
    neutral: ClassVar[str] = "a gap of 0"
    above: ClassVar[str] = "under-forgotten: the features still carry the class"
    below: ClassVar[str] = "over-forgotten"
    words: ClassVar[Mapping[str, Words]] = {
        "recovery.accuracy": Words(
            label="Brought back without any example",
            explanation="How often a new last layer that was shown no forgotten image names the forgotten "
            "class: what the inner representation still carries of it.",
            unit="fraction",
            title="What comes back by itself",
        ),
        "recovery.gap": Words(
            label="Brought back, beyond the retrained model’s",
            explanation="The same, minus what the retrained model’s representation brings back.",
            unit="difference",
        ),
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:  # noqa: ARG002
        """Measure one model.

        Args:
            subject: The outputs of the model, the original and the reference.
            seed: Not used: nothing here is random.

        Returns:
            The measurements; none in sample scope, or without the original.

        Raises:
            UsageError: If a view is empty or absent, or the models did not see the same samples.
        """
        if subject.original is None or not subject.forget_classes:
            return ()
        accuracy = self._brought_back(subject)
        found = [accuracy.named("recovery.accuracy")]
        if (retrained := subject.retrained()) is not None:
            gap = intervals.difference(accuracy, self._brought_back(retrained))
            found.append(gap.named("recovery.gap"))
        return tuple(found)

    def _brought_back(self, subject: Subject) -> intervals.Estimate:
        """Fit the map on one model's features, and judge it."""
        original, model = subject.before_and_after("train", "retain")
        judged = subject.held_out()
        logits = original.logits.double().numpy()
        said = _mapped(
            _features(model), logits - logits.mean(1, keepdims=True), _features(judged), self.ridge
        )
        right = said.argmax(1) == judged.labels.numpy()
        return intervals.proportion(float(right.sum()), len(judged))


def _features(outputs: Outputs) -> Matrix:
    return outputs.features.numpy().astype(np.float64)


def _mapped(features: Matrix, targets: Matrix, others: Matrix, ridge: float) -> Matrix:
    """Fit a ridge regression to some rows and return what it predicts for others."""
    middle, scale, level = features.mean(0), features.std(0), targets.mean(0)
    scale[scale == 0] = 1
    rows = (features - middle) / scale
    gram = rows.T @ rows + ridge * len(rows) * np.eye(rows.shape[1])
    weights = np.linalg.solve(gram, rows.T @ (targets - level))
    return (others - middle) / scale @ weights + level
