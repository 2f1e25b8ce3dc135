"""Canaries: can the planted and forgotten records be told from those held out by chance?"""

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from unlearn_core import roc
from unlearn_core.errors import UsageError
from unlearn_core.kinds import ScopeKind
from unlearn_core.metric import Metric, Subject
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words


class Canary(Metric):
    """Rank the losses of planted canaries among those of held-out ones, which chance alone set apart.

    Both were drawn and mislabelled alike; one half was trained on and then forgotten (``train.forget``), the
    other never seen (``canary.retain``). For a model that never saw either, every way of dealing the halves
    is equally likely: the AUC of any attack is 0.5 in expectation by randomisation alone, and no retrained
    model is needed (Carlini et al., arXiv 1802.08232, plant and rank; Steinke et al., arXiv 2305.08846,
    audit a single training run by what chance included).

    ``canary.auc``: AUC of the raw loss, a lower loss meaning planted. ``canary.p_value``: of the two-sided
    Mann–Whitney test, exact for up to eight canaries without ties and asymptotic otherwise.
    ``canary.exposure``, in bits: the mean over planted canaries of ``log2(n + 1) − log2(rank)``, each one's
    rank among the ``n`` held-out ones and itself, from the lowest loss. This is Carlini et al.'s exposure
    with the held-out canaries as the space of candidates; it is at most ``log2(n + 1)``.

    Traps: chance alone moves the AUC of ``n`` planted and ``n`` held-out canaries by about ``0.41 / √n`` (one
    standard deviation), so few show little. A model that was pushed away from the planted ones is below 0.5
    and gives them away as much as one above. It shows what a method did to mislabelled records in this one
    model, and nothing about another request.
    """

    name: Literal["canary"] = "canary"
    summary: ClassVar[str] = "planted, forgotten canaries against those that were held out by chance"
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"samples"})
    neutral: ClassVar[str] = "AUC 0.5 without any reference; exposure about 1.4; a p-value is uniform"
    above: ClassVar[str] = "AUC, exposure: under-forgotten"
    below: ClassVar[str] = "AUC, exposure: over-forgotten; p-value: told apart, either way"
    words: ClassVar[Mapping[str, Words]] = {
        "canary.auc": Words(
            label="Canaries told apart",
            explanation="The chance that an attacker ranks a record that was planted above one that might "
            "have been: 0.5 is guessing.",
        ),
        "canary.p_value": Words(
            label="Canaries, by chance",
            explanation="How often chance alone would set planted and held-out records so far apart.",
        ),
        "canary.exposure": Words(
            label="Exposure of the canaries",
            explanation="In bits: how far up the planted records rank among those that might have been "
            "planted.",
        ),
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:  # noqa: ARG002
        """Measure one model.

        Args:
            subject: The model's outputs; the reference is not used.
            seed: Not used: nothing here is random.

        Returns:
            The measurements; none where no planted canaries were forgotten.

        Raises:
            UsageError: If there is no view at all, or one of the two is empty.
        """
        if not subject.views:
            raise UsageError("there is no view to look for canaries in; observe the model on at least one")
        if subject.scope == "classes" or ("canary", "retain") not in subject.views:
            return ()
        planted = subject.view("train", "forget").losses()
        held_out = subject.view("canary", "retain").losses()
        count = min(len(planted), len(held_out))
        auc = roc.auc_estimate(roc.auc(-planted, -held_out), len(planted), len(held_out))
        p_value = float(mannwhitneyu(planted, held_out, alternative="two-sided").pvalue)
        return (
            auc.named("canary.auc"),
            Measurement(name="canary.p_value", value=p_value, samples=count),
            Measurement(name="canary.exposure", value=exposure(planted, held_out), samples=count),
        )


def exposure(planted: NDArray[np.float64], held_out: NDArray[np.float64]) -> float:
    """Return the mean exposure of planted canaries (Carlini et al., arXiv 1802.08232).

    Args:
        planted: ``[planted]`` losses.
        held_out: ``[held_out]`` losses; ties take the mean of their ranks.

    Returns:
        Bits, from 0 to ``log2(held_out + 1)``.
    """
    ordered = np.sort(held_out)
    ranks = 1 + (np.searchsorted(ordered, planted, "left") + np.searchsorted(ordered, planted, "right")) / 2
    return float(np.mean(np.log2(len(held_out) + 1) - np.log2(ranks)))
