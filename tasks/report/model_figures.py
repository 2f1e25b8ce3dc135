"""Figures of models: how each does on the forgotten and on the retained data.

Every function takes numbers and returns a figure. A model has the same colour in all of them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.report.drawing import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE_GREY,
    PINK,
    RED,
    SKY,
    YELLOW,
    legend_below,
    new_figure,
    new_panels,
)
from unlearn_core.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODELS: dict[str, dict[str, str]] = {
    "original": {"color": GREY, "hatch": "", "linestyle": "--"},
    "unlearned": {"color": BLUE, "hatch": "", "linestyle": "-"},
    "retrained": {"color": ORANGE, "hatch": "///", "linestyle": "-."},
}
"""Each model's style, wherever it is drawn."""


@dataclass(frozen=True)
class TradeOff:
    """The accuracy that one method left on both sides: ``[seeds]`` each, in [0, 1]."""

    forget_accuracy: ArrayLike
    retain_accuracy: ArrayLike


def draw_class_accuracy(
    accuracies: Mapping[str, Sequence[float]], classes: Sequence[str], *, forgotten: Collection[int] = ()
) -> "Figure":
    """Draw the accuracy of each class, one bar per model.

    Args:
        accuracies: Per model (keys of ``MODELS``), ``[classes]`` in [0, 1].
        classes: The classes' names.
        forgotten: Indices of the forgotten classes, which are marked.

    Returns:
        The figure.
    """
    figure, axes = new_figure(
        "How often each model is right, class by class", width=max(4.5, 1.4 + 0.55 * len(classes)), height=3.1
    )
    centres, width = np.arange(len(classes)), 0.8 / len(accuracies)
    for index in forgotten:
        label = "forgotten class" if index == min(forgotten) else None
        axes.axvspan(index - 0.5, index + 0.5, color=YELLOW, alpha=0.35, linewidth=0, label=label)
    for position, (model, values) in enumerate(accuracies.items()):
        look = MODELS[model]
        offset = (position - (len(accuracies) - 1) / 2) * width
        heights = 100 * np.asarray(values)
        axes.bar(
            centres + offset,
            heights,
            width,
            label=model,
            color=look["color"],
            hatch=look["hatch"],
            edgecolor="white",
        )
        # A class at 0 % has no bar: without a number it would look like one that was not measured.
        for x in np.flatnonzero(heights < 1):
            axes.text(
                x + offset, 1, f"{heights[x]:.0f}", ha="center", va="bottom", fontsize=7, color=look["color"]
            )
    axes.set(ylabel="accuracy [%]", xlabel="class", ylim=(0, 102), xlim=(-0.5, len(classes) - 0.5))
    axes.set_xticks(centres, classes, **_slanted(classes))
    legend_below(figure, axes)
    return figure


def draw_confidences(forget: Mapping[str, ArrayLike], unseen: Mapping[str, ArrayLike]) -> "Figure":
    """Draw each model's confidence on forgotten samples and on samples that it never saw.

    Args:
        forget: Per model (keys of ``MODELS``), ``[samples]``: the true class's probability.
        unseen: The same for unseen samples of the same classes.

    Returns:
        The figure, with a panel per model.
    """
    figure, panels = new_panels(
        "Each model's confidence on forgotten and on never-seen samples",
        columns=len(forget),
        width=1.0 + 2.1 * len(forget),
        height=2.5,
    )
    bins = np.linspace(0, 1, 21).tolist()
    for axes, model in zip(panels, forget, strict=True):
        axes.hist(
            unseen[model], bins, weights=_percent(unseen[model]), color=SKY, alpha=0.75, label="never seen"
        )
        axes.hist(
            forget[model],
            bins,
            weights=_percent(forget[model]),
            histtype="step",
            color=RED,
            linewidth=1.6,
            label="forgotten",
        )
        axes.set_title(model, fontsize=9)
        axes.set(xlim=(0, 1), xticks=(0, 0.5, 1))
    panels[0].set_ylabel("samples [%]")
    panels[len(panels) // 2].set_xlabel("probability of the true class")
    legend_below(figure, panels[0])
    return figure


def draw_roc(scores: Mapping[str, tuple[NDArray[Any], NDArray[Any]]]) -> "Figure":
    """Draw how well an attacker tells forgotten samples from unseen ones.

    Args:
        scores: Per model (keys of ``MODELS``), the attack's scores of forgotten and of unseen samples.
            The HIGHER a score, the MORE LIKELY A MEMBER.

    Returns:
        The figure.
    """
    from unlearn_core.roc import auc, roc_curve

    figure, axes = new_figure("Can forgotten samples be told from never-seen ones?", width=4.2, height=4.1)
    axes.plot([0, 100], [0, 100], color=BLACK, linestyle=":", linewidth=1, label="chance (AUC 0.50)")
    for model, (forgotten, unseen) in scores.items():
        curve, look = roc_curve(forgotten, unseen), MODELS[model]
        axes.plot(
            100 * curve.false_positive_rate,
            100 * curve.true_positive_rate,
            color=look["color"],
            linestyle=look["linestyle"],
            linewidth=1.8,
            label=f"{model} (AUC {auc(forgotten, unseen):.2f})",
        )
    axes.set(
        xlabel="never-seen samples taken for training data [%]",
        ylabel="forgotten samples taken for training data [%]",
        xlim=(0, 100),
        ylim=(0, 101),
        aspect="equal",
    )
    axes.legend(loc="lower right", fontsize=8)
    return figure


def draw_trade_off(methods: Mapping[str, TradeOff], *, reference: str = "retrained") -> "Figure":
    """Draw each method's accuracy on both sides; the target is the retrained model, not a corner.

    Args:
        methods: Per method, its accuracies over the seeds.
        reference: The key of the retrained model; the guide lines go through it.

    Returns:
        The figure: means, with bars from the lowest to the highest seed.

    Raises:
        UsageError: If the reference is not among the methods.
    """
    if reference not in methods:
        raise UsageError(
            f"the target {reference!r} is not among {', '.join(methods)}; add it, or name another one"
        )
    target = methods[reference]
    figure, axes = new_figure(
        "What each method forgot and what it kept" + _seeds(target), width=6.2, height=3.7
    )
    looks = _looks(name for name in methods if name not in {reference, "original"})
    looks[reference] = {"color": ORANGE, "marker": "*", "markersize": 15}
    looks["original"] = {"color": GREY, "marker": "o", "markersize": 7}
    guide = {"color": ORANGE, "linestyle": "-.", "linewidth": 1, "zorder": 0}
    axes.axvline(_mean_and_range(target.forget_accuracy)[0], **guide)
    axes.axhline(_mean_and_range(target.retain_accuracy)[0], **guide)
    for name, method in methods.items():
        x, x_bars = _mean_and_range(method.forget_accuracy)
        y, y_bars = _mean_and_range(method.retain_accuracy)
        label = f"{name} (target)" if name == reference else name
        axes.errorbar(
            x, y, xerr=x_bars, yerr=y_bars, linestyle="none", elinewidth=1, label=label, **looks[name]
        )
    axes.set(xlabel="accuracy on what was forgotten [%]", ylabel="accuracy on what was kept [%]")
    axes.margins(0.08)
    axes.grid(visible=True, color=PALE_GREY, linewidth=0.6)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8, frameon=False)
    return figure


def _percent(values: ArrayLike) -> Any:
    """Return weights that turn a histogram's bars into percentages of its samples."""
    count = len(np.asarray(values))
    return np.full(count, 100 / max(count, 1))


def _mean_and_range(values: ArrayLike) -> tuple[float, Any]:
    """Return the mean in percent, and the distances from it to the lowest and the highest value."""
    percent = 100 * np.atleast_1d(np.asarray(values, dtype=float))
    mean = float(percent.mean())
    return mean, [[mean - percent.min()], [percent.max() - mean]]


def _seeds(method: TradeOff) -> str:
    """Describe the bars, if there are any."""
    count = np.size(method.forget_accuracy)
    return "" if count == 1 else f"\n(mean, lowest and highest of {count} runs)"


def _slanted(names: Sequence[str]) -> dict[str, Any]:
    """Return the text style that makes long names end at their tick."""
    return {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if max(map(len, names)) > 5 else {}


def _looks(names: Any) -> dict[str, dict[str, Any]]:
    """Give each name its own marker and colour; the markers alone distinguish them too."""
    colors = (BLUE, RED, GREEN, PINK, SKY, BLACK)
    markers = "sD^vP<>XphHd8"
    return {
        name: {"color": colors[i % len(colors)], "marker": markers[i % len(markers)], "markersize": 7}
        for i, name in enumerate(names)
    }
