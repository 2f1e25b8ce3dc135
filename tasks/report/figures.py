"""The figures of the page, sized for a phone: narrow, with text large enough to read."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tasks.report.attempt_figures import TREATMENT_STYLES, shares_by_layer
from tasks.report.drawing import BLACK, BLUE, PALE_GREY, RED, SKY, YELLOW, legend_below, new_figure
from tasks.report.model_figures import MODELS
from unlearn_core.intervals import proportion
from unlearn_core.names import one_line
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.report import BINS, Picture
from unlearn_core.records.result import Coverage

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 4.2
MARKERS = {"original": "o", "unlearned": "s", "retrained": "D"}
_LONGEST, _MOST_LAYERS = 16, 40


def draw_classes(
    accuracies: Mapping[str, Sequence[float | None]], classes: Sequence[str], remarks: Sequence[str]
) -> "Figure":
    """Draw the accuracy of each class as a group of bars, one per model, in stacked groups.

    Args:
        accuracies: Per model, ``[classes]`` in [0, 1]; None if a class has no test sample.
        classes: The classes' names.
        remarks: ``[classes]``; what became of a class, empty for one that was kept.

    Returns:
        The figure.
    """
    figure, axes = _panel(0.9 + 0.15 * (len(accuracies) + 0.9) * len(classes))
    height = 0.8 / len(accuracies)
    for row in (row for row, remark in enumerate(remarks) if remark):
        axes.axhspan(row - 0.5, row + 0.5, color=YELLOW, alpha=0.35, linewidth=0)
    for place, (model, values) in enumerate(accuracies.items()):
        rows = np.arange(len(classes)) + (place - (len(accuracies) - 1) / 2) * height
        bars = 100 * np.array([0.0 if value is None else value for value in values])
        axes.barh(rows, bars, height, label=model, **_bar(model))
        for row, value in zip(rows, values, strict=True):
            # A class at 0 % has no bar: without a number it would look like one that was not measured.
            if value is not None and value < 0.03:
                axes.text(100 * value + 1, row, f"{100 * value:.0f} %", va="center", fontsize=8, color=BLACK)
    names = [
        f"{shown(name)} ({remark.split(',')[0]})" if remark else shown(name)
        for name, remark in zip(classes, remarks, strict=True)
    ]
    axes.set_yticks(range(len(classes)), names)
    axes.set(xlabel="right answers on test images [%]", xlim=(0, 101), ylim=(len(classes) - 0.5, -0.5))
    legend_below(figure, axes, fontsize=9)
    return figure


def draw_histogram(picture: Picture) -> "Figure":
    """Draw one model's confidence on forgotten and on never-seen samples."""
    figure, axes = _panel(2.7, width=3.4)
    edges = np.linspace(0, 100, BINS + 1)
    unseen, forgotten = (
        100 * np.array(counts) / max(sum(counts), 1) for counts in (picture.unseen, picture.forgotten)
    )
    axes.stairs(unseen, edges, fill=True, color=SKY, alpha=0.75, label="never seen")
    axes.stairs(forgotten, edges, color=RED, linewidth=2, label="forgotten", baseline=0)
    axes.set(xlabel="probability of the right class [%]", ylabel="samples [%]", xlim=(-1, 101), ylim=(0, 104))
    legend_below(figure, axes, fontsize=9)
    return figure


def draw_attack(pictures: Mapping[str, Picture], aucs: Mapping[str, str]) -> "Figure":
    """Draw what an attacker gains from each model, with pointwise 95 % intervals.

    Args:
        pictures: Per model.
        aucs: Per model, the area under its curve as shown in the legend.

    Returns:
        The figure.
    """
    figure, axes = _panel(5.0)
    axes.plot((0, 100), (0, 100), color=BLACK, linewidth=1, linestyle=":", label="guessing")
    for model, picture in pictures.items():
        rates, hits = np.linspace(0, 100, len(picture.attack)), np.array(picture.attack)
        bounds = [proportion(hit * picture.members, picture.members) for hit in hits]
        low, high = (100 * np.array([getattr(bound, side) for bound in bounds]) for side in ("low", "high"))
        look: dict[str, Any] = {name: MODELS[model][name] for name in ("color", "linestyle")}
        axes.fill_between(rates, low, high, color=look["color"], alpha=0.14, linewidth=0)
        axes.plot(rates, 100 * hits, linewidth=2, label=f"{model} {aucs.get(model, '')}", **look)
    axes.set(
        xlabel="false alarms: never-seen samples suspected [%]",
        ylabel="hits: forgotten samples suspected [%]",
        xlim=(0, 100),
        ylim=(0, 101),
        aspect="equal",
    )
    legend_below(figure, axes, columns=1, fontsize=9)
    return figure


def draw_confusion(picture: Picture, classes: Sequence[str], color: str) -> "Figure":
    """Draw one model's confusion matrix on the test samples; a row adds up to 100 %."""
    counts = np.array(picture.confusion, dtype=float)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    size = len(classes)
    figure, axes = _panel(3.9, width=3.9)
    for row, column in zip(*np.nonzero(shares), strict=True):
        share = shares[row, column]
        cell = {"facecolor": color, "alpha": 0.12 + 0.6 * share, "linewidth": 0}
        axes.fill_between((column - 0.5, column + 0.5), row - 0.5, row + 0.5, **cell)
        if size <= 12 and share >= 0.005:
            text = f"{100 * share:.0f}"
            axes.text(column, row, text, ha="center", va="center", fontsize=8, color=BLACK)
    names = [shown(name, 8) for name in classes]
    axes.set_xticks(range(size), names, rotation=0 if max(map(len, names)) < 4 else 90)
    axes.set_yticks(range(size), names)
    axes.set(xlabel="the model says", ylabel="the image shows", aspect="equal")
    axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5))
    axes.tick_params(labelsize=9 if size <= 12 else 6)
    return figure


def draw_interval_rows(
    rows: Mapping[str, Measurement], *, label: str, limits: tuple[float, float]
) -> "Figure":
    """Draw one measurement of several models as points with their intervals, in percent."""
    figure, axes = _panel(0.7 + 0.36 * len(rows))
    for row, (model, entry) in enumerate(rows.items()):
        if entry.low is not None and entry.high is not None:
            axes.plot((100 * entry.low, 100 * entry.high), (row, row), color=BLACK, linewidth=1.4)
        color = MODELS.get(model, {"color": BLACK})["color"]
        axes.plot(100 * entry.value, row, MARKERS.get(model, "o"), color=color, markersize=9)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set(xlabel=label, xlim=limits, ylim=(len(rows) - 0.4, -0.6))
    axes.grid(visible=True, axis="x", color=PALE_GREY, linewidth=0.8)
    return figure


def draw_layers(coverage: Coverage) -> "Figure":
    """Draw each layer's share of the model, and how the method treated it."""
    layers = shares_by_layer(coverage, _MOST_LAYERS)
    figure, axes = _panel(1.5 + 0.24 * len(layers))
    left = np.zeros(len(layers))
    for treatment, (color, hatch, _) in TREATMENT_STYLES.items():
        shares = np.array([100 * parts.get(treatment, 0.0) for parts in layers.values()])
        label = f"{treatment} {100 * coverage.share(treatment):.1f} %"
        look = {"color": color, "hatch": hatch, "edgecolor": "white", "linewidth": 0}
        axes.barh(range(len(layers)), shares, left=left, label=label, **look)
        left += shares
    axes.set_yticks(range(len(layers)), [shown(name, 20) for name in layers])
    axes.set(xlabel="share of the whole model [%]", ylim=(len(layers) - 0.4, -0.6))
    legend_below(figure, axes, columns=2, fontsize=9)
    return figure


def draw_costs(seconds: Mapping[str, float]) -> "Figure":
    """Draw how long each model took to make; all but the retrained one are drawn as unlearned."""
    figure, axes = _panel(0.7 + 0.36 * len(seconds))
    for row, (name, value) in enumerate(seconds.items()):
        axes.barh(row, value, 0.6, **_bar(name if name == "retrained" else "unlearned"))
        axes.text(value, row, f"  {value:.1f} s", va="center", fontsize=9, color=BLACK)
    axes.set_yticks(range(len(seconds)), list(seconds))
    axes.set(
        xlabel="seconds of work", xlim=(0, 1.18 * max(seconds.values())), ylim=(len(seconds) - 0.4, -0.6)
    )
    return figure


def draw_relearning(pictures: Mapping[str, Picture], arrived: Mapping[str, int]) -> "Figure":
    """Draw how fast each model relearns the forgotten data, and ring the step at which it knows it again."""
    figure, axes = _panel(3.0)
    for model, picture in pictures.items():
        look: dict[str, Any] = {name: MODELS[model][name] for name in ("color", "linestyle")}
        known = 100 * np.array(picture.relearn_accuracy)
        axes.plot(picture.relearn_steps, known, marker=MARKERS[model], markersize=5, label=model, **look)
        if (steps := arrived.get(model)) in picture.relearn_steps:
            height = known[picture.relearn_steps.index(steps)]
            axes.plot(steps, height, "o", markersize=13, fillstyle="none", color=look["color"], zorder=3)
    axes.set(xlabel="steps of training on the forgotten data", ylabel="accuracy [%]", ylim=(-3, 103))
    axes.grid(visible=True, color=PALE_GREY, linewidth=0.8)
    legend_below(figure, axes, fontsize=9)
    return figure


def draw_series(values: Sequence[float], *, label: str) -> "Figure":
    """Draw what a method recorded over its steps."""
    figure, axes = _panel(2.8)
    axes.plot(values, color=BLUE, marker="o" if len(values) < 30 else None, markersize=4)
    axes.set(xlabel="step", ylabel=label)
    axes.grid(visible=True, color=PALE_GREY, linewidth=0.8)
    return figure


def shown(name: str, longest: int = _LONGEST) -> str:
    """Return a name as a figure shows it: on one line, cut to the available room."""
    line = one_line(name)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _panel(height: float, *, width: float = WIDTH) -> "tuple[Figure, Axes]":
    """Return an empty figure whose title is on the page, with text large enough for a phone."""
    figure, axes = new_figure("", width=width, height=height)
    axes.tick_params(labelsize=9)
    axes.xaxis.label.set_fontsize(10)
    axes.yaxis.label.set_fontsize(10)
    return figure, axes


def _bar(model: str) -> dict[str, Any]:
    look = MODELS[model]
    return {"color": look["color"], "hatch": look["hatch"], "edgecolor": "white", "linewidth": 0.5}
