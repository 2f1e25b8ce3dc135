"""The confidence attack of papers on unlearning: a support-vector classifier on one number per sample.

RBF kernel, C = 3 and γ = 1, on the true class's probability, as in the code of SalUn (arXiv 2310.12508) and
of those that follow it. Its cost grows with the square of the samples it is fitted on, so both kinds are
sampled down to the same stated number, and neither outweighs the other.
"""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.svm import SVC

from unlearn_core import intervals
from unlearn_core.errors import NoSampleError
from unlearn_core.metric import NOTHING_UNSEEN, Subject
from unlearn_core.observations import Outputs


class ConfidenceAttack:
    """A classifier fitted to tell two kinds of samples apart by their confidences."""

    def __init__(self, members: Outputs, others: Outputs, *, at_most: int, seed: int) -> None:
        """Fit the classifier.

        Args:
            members: The model's outputs on the first kind, which the classifier calls members.
            others: Its outputs on the second kind.
            at_most: The most samples of each kind to draw; equally many of both.
            seed: For the draw.
        """
        self._fitted_on = min(len(members), len(others), at_most)
        rng = np.random.default_rng(seed)
        shown = [self._drawn(said.confidences()[:, None], rng) for said in (members, others)]
        is_member = np.repeat([True, False], self._fitted_on)
        # Without its own state it moves numpy's global generator, on which nothing here depends.
        classifier = SVC(C=3, kernel="rbf", gamma="auto", random_state=0)
        self._classifier = classifier.fit(np.concatenate(shown), is_member)

    def share_called_others(self, judged: Outputs) -> intervals.Estimate:
        """Return the share of samples that the classifier does not call members.

        Args:
            judged: The model's outputs on them; at least one sample.

        Returns:
            The share, in [0, 1].
        """
        others = ~self._classifier.predict(judged.confidences()[:, None])
        share = intervals.proportion(float(others.sum()), len(judged))
        return replace(share, samples=min(len(judged), self._fitted_on))

    def _drawn(self, confidences: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        # Sorted first, so that the draw does not depend on the order of the samples.
        return rng.permutation(np.sort(confidences, axis=0))[: self._fitted_on]


def salun_efficacy(
    subject: Subject, *, at_most: int, seed: int
) -> tuple[intervals.Estimate, intervals.Estimate]:
    """Run SalUn's attack: fitted on retained training data and test data, applied to the forgotten data.

    Args:
        subject: The model's outputs.
        at_most: The most samples of each kind to fit on.
        seed: For the draw.

    Returns:
        The share of forgotten training samples that are not called members ("MIA-efficacy"), and the same of
        audit samples of their classes, which no model has seen.

    Raises:
        NoSampleError: If no audit sample has the class of a forgotten one, or a view of held-out samples is
            absent. A view that is empty raises ``UsageError``.
    """
    retained, test = subject.view("train", "retain"), subject.view("test", "retain")
    forgotten, pool = subject.view("train", "forget"), subject.unseen()
    rows = torch.isin(pool.labels, forgotten.labels)
    if not rows.any():
        raise NoSampleError(NOTHING_UNSEEN)
    unseen = Outputs(pool.logits[rows], pool.features[rows], pool.labels[rows])
    attack = ConfidenceAttack(retained, test, at_most=at_most, seed=seed)
    return attack.share_called_others(forgotten), attack.share_called_others(unseen)
