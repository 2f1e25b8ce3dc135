"""Population membership inference: can the forgotten samples be told from unseen ones of the same classes?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from unlearn_core import intervals, roc
from unlearn_core.errors import NoSampleError
from unlearn_core.metric import NOTHING_UNSEEN, Metric, Outputs, Subject
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words


class Membership(Metric):
    """Three attacks on membership, each to be compared with the same attack on a retrained model.

    Members are the forgotten training samples. Unseen are held-out audit samples of the same classes, drawn
    in the members' class proportions: in class scope from the view ``audit.forget``, in sample scope from
    ``audit.retain``. Members of a class without an unseen sample are left out, and counted as
    ``mia.left_out``. The classifiers weigh both kinds alike, whatever their numbers.

    ``mia.loss_auc``: AUC of the raw loss, a lower loss meaning a member. ``mia.logistic_auc`` and
    ``mia.softmax_auc``: a logistic model on the standardised loss, or on the ``top`` largest probabilities
    in descending order; the mean of the AUCs of held-out folds, since scores pooled over folds are biased.
    ``mia.balanced_accuracy``: of the logistic model on the loss, on held-out folds.
    ``mia.loss_tpr_at_1pct_fpr``: only with at least 1,000 unseen samples. The fitted attacks need two
    samples of each kind per fold and are not measured with fewer. ``samples`` is the smaller of both kinds.

    Traps: the retrained model's AUC need not be 0.5; an attack on a population finds few of the samples that
    a model remembers individually, so its failure says little.
    """

    name: Literal["membership"] = "membership"
    folds: int = Field(default=5, ge=2)
    repeats: int = Field(default=4, ge=1)
    top: int = Field(default=10, ge=2)
    summary: ClassVar[str] = "membership attacks on the loss and the softmax, against unseen data"
    neutral: ClassVar[str] = "the same attack on a retrained model, about 0.5"
    above: ClassVar[str] = "under-forgotten"
    below: ClassVar[str] = "over-forgotten: told apart the other way round"
    words: ClassVar[Mapping[str, Words]] = {
        "mia.loss_auc": Words(
            label="Attack using surprise",
            explanation="How well somebody who sees only the model’s surprise tells forgotten samples from "
            "never-seen ones: 0.50 is guessing, 1.00 is always right.",
        ),
        "mia.logistic_auc": Words(
            label="Learned attack using surprise",
            explanation="The same by an attacker who learns where to draw the line: 0.50 is guessing.",
        ),
        "mia.softmax_auc": Words(
            label="Learned attack using probabilities",
            explanation="The same by an attacker who sees the model’s largest probabilities: 0.50 is "
            "guessing.",
        ),
        "mia.balanced_accuracy": Words(
            label="Attacker’s accuracy",
            explanation="How often such an attacker is right about a sample: 50\u202f% is guessing.",
            unit="fraction",
        ),
        "mia.loss_tpr_at_1pct_fpr": Words(
            label="Caught at 1\u202f% false alarms",
            explanation="How many forgotten samples an attacker finds who may be wrong about one in a "
            "hundred others.",
            unit="fraction",
        ),
        "mia.left_out": Words(
            label="Left out of the attacks",
            explanation="How many forgotten samples are of a class of which there is nothing never-seen to "
            "compare them with.",
            unit="count",
        ),
        "mia": Words(
            label="Membership attack",
            explanation="How well an attacker tells forgotten samples from never-seen ones.",
            title="Attacks: was this sample trained on?",
        ),
    }
    headings: ClassVar[Mapping[str, str]] = {
        "mia.loss_auc": "membership attack, AUC",
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:
        """Measure one model.

        Args:
            subject: The model's outputs; the reference is not used.
            seed: For the draw of unseen samples and for the folds.

        Returns:
            The measurements.

        Raises:
            NoSampleError: If no unseen sample has a forgotten sample's class. A view that is empty raises
                ``UsageError``.
        """
        members, others = _opponents(subject, top=self.top, seed=seed)
        found = _raw_loss(members, others)
        if min(len(members.losses), len(others.losses)) >= 2 * self.folds:
            found += self._fitted(members, others, seed)
        return (*found, *_left_out(subject, members))

    def _fitted(self, members: "_Signals", others: "_Signals", seed: int) -> list[Measurement]:
        """Run the attacks that fit a logistic model."""
        folding = {"folds": self.folds, "repeats": self.repeats, "seed": seed}
        on_loss = attack(members.losses[:, None], others.losses[:, None], **folding)
        on_softmax = attack(members.softmax, others.softmax, **folding)
        return [
            on_loss.auc.named("mia.logistic_auc"),
            on_softmax.auc.named("mia.softmax_auc"),
            on_loss.balanced_accuracy.named("mia.balanced_accuracy"),
        ]


@dataclass(frozen=True)
class Attack:
    """What a cross-validated attack achieved on samples that it was not fitted on."""

    auc: intervals.Estimate
    balanced_accuracy: intervals.Estimate


def attack(
    members: NDArray[np.float64], others: NDArray[np.float64], *, folds: int, repeats: int, seed: int
) -> Attack:
    """Cross-validate a logistic model that tells members from others.

    Scores of different folds come from different models and are never pooled: the AUC is the mean of
    the folds' AUCs. Its interval counts every sample once, however often the folds are repeated.

    Args:
        members: ``[members, signals]``.
        others: ``[others, signals]``.
        folds: How many folds, each holding some of both kinds.
        repeats: How often to repeat the folding; averages out its noise.
        seed: For the folding.

    Returns:
        The mean AUC and the balanced accuracy.
    """
    signals = np.concatenate([members, others])
    is_member = np.arange(len(signals)) < len(members)
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    aucs: list[float] = []
    called_right = np.zeros(len(signals))
    splitter = RepeatedStratifiedKFold(n_splits=folds, n_repeats=repeats, random_state=seed)
    for seen, held_out in splitter.split(signals, is_member):
        scores = model.fit(signals[seen], is_member[seen]).decision_function(signals[held_out])
        truth = is_member[held_out]
        aucs.append(roc.auc(scores[truth], scores[~truth]))
        called_right[held_out] += (scores >= 0) == truth
    members_right, others_right = (
        called_right[is_member].sum() / repeats,
        called_right[~is_member].sum() / repeats,
    )
    return Attack(
        auc=roc.auc_estimate(float(np.mean(aucs)), len(members), len(others)),
        balanced_accuracy=roc.balanced_accuracy(members_right, len(members), others_right, len(others)),
    )


@dataclass(frozen=True)
class _Signals:
    """What an attacker reads of each sample: ``[samples]`` losses and ``[samples, top]`` probabilities."""

    losses: NDArray[np.float64]
    softmax: NDArray[np.float64]


def loss_scores(subject: Subject, *, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the scores of the attack by the raw loss, on the samples that ``Membership`` uses.

    Args:
        subject: The model's outputs.
        seed: The seed of ``Membership``.

    Returns:
        The scores of members and of unseen samples; the HIGHER, the MORE LIKELY A MEMBER. None of either if
        there is nothing unseen to compare with.
    """
    try:
        members, others = _opponents(subject, top=2, seed=seed)
    except NoSampleError:
        return np.empty(0), np.empty(0)
    return -members.losses, -others.losses


def _raw_loss(members: _Signals, others: _Signals) -> list[Measurement]:
    """Attack by the loss itself: lower means member, hence the sign."""
    scores, unseen = -members.losses, -others.losses
    found = [roc.auc_estimate(roc.auc(scores, unseen), len(scores), len(unseen)).named("mia.loss_auc")]
    if len(unseen) >= roc.NEGATIVES_FOR_LOW_FPR:
        rate = roc.tpr_at_fpr(roc.roc_curve(scores, unseen), 0.01)
        hits = intervals.proportion(rate * len(scores), len(scores))
        found.append(hits.named("mia.loss_tpr_at_1pct_fpr"))
    return found


def _opponents(subject: Subject, *, top: int, seed: int) -> tuple[_Signals, _Signals]:
    """Return the signals of the members, and of unseen samples in the members' class proportions."""
    forgotten = subject.view("train", "forget")
    pool = subject.unseen()
    member_rows, other_rows = _ordered(forgotten), _ordered(pool)
    labels, pool_labels = forgotten.labels.numpy()[member_rows], pool.labels.numpy()[other_rows]
    member_rows = member_rows[np.isin(labels, pool_labels)]
    if len(member_rows) == 0:
        raise NoSampleError(NOTHING_UNSEEN)
    drawn = matched(labels[np.isin(labels, pool_labels)], pool_labels, rng=np.random.default_rng(seed))
    return _signals(forgotten, member_rows, top), _signals(pool, other_rows[drawn], top)


def matched(
    labels: NDArray[np.int64], pool: NDArray[np.int64], *, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw as many of a pool as its rarest class allows, in the class proportions of ``labels``.

    Args:
        labels: ``[samples]``, whose proportions are wanted; every class occurs in the pool.
        pool: ``[pool]``, the labels to draw from.
        rng: Where the draw's randomness comes from.

    Returns:
        Positions in the pool, at least one for every class.
    """
    classes, wanted = np.unique(labels, return_counts=True)
    rows = [rng.permutation(np.flatnonzero(pool == label)) for label in classes]
    scale = min(len(there) / count for there, count in zip(rows, wanted, strict=True))
    return np.concatenate(
        [there[: max(1, round(scale * count))] for there, count in zip(rows, wanted, strict=True)]
    )


def _left_out(subject: Subject, members: _Signals) -> Iterator[Measurement]:
    """Yield how many forgotten samples are not among the members, if any."""
    forgotten = len(subject.view("train", "forget"))
    if left_out := forgotten - len(members.losses):
        yield Measurement(name="mia.left_out", value=float(left_out), samples=forgotten)


def _ordered(outputs: Outputs) -> NDArray[np.int64]:
    """Return the rows in an order that their contents decide, so that the input order does not matter."""
    return np.lexsort((*outputs.probabilities().T, outputs.losses(), outputs.labels.numpy()))


def _signals(outputs: Outputs, rows: NDArray[np.int64], top: int) -> _Signals:
    """Return what an attacker reads of some rows."""
    softmax = np.sort(outputs.probabilities()[rows], axis=1)[:, ::-1]
    return _Signals(outputs.losses()[rows], softmax[:, :top])
