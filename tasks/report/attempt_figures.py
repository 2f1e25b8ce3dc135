"""Figures of one attempt: which parts of the model the method reached, and how it went step by step."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tasks.report.drawing import BLUE, GREY, PALE_GREY, RED, SKY, legend_below, new_figure, new_panels
from tasks.report.vocabulary import curve_words
from unlearn_core.names import printable
from unlearn_core.records.result import Coverage, Curve, Treatment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TREATMENT_STYLES: dict[Treatment, tuple[str, str, str]] = {
    "projected": (BLUE, "", "edited inside a subspace"),
    "trained": (SKY, "..", "trained freely"),
    "frozen": (GREY, "//", "frozen by policy"),
    "unsupported": (RED, "xx", "out of the method's reach"),
}


def draw_coverage(coverage: Coverage, *, rows: int = 40) -> "Figure":
    """Draw each layer's share of the model, and how the method treats it.

    Args:
        coverage: How much of a model a method reached.
        rows: The most rows to draw; a deeper model is drawn by block instead of by layer.

    Returns:
        The figure.
    """
    layers = shares_by_layer(coverage, rows)
    figure, axes = new_figure(
        "What the method did with each part of the model", width=6.2, height=1.6 + 0.22 * len(layers)
    )
    names, left = list(layers), np.zeros(len(layers))
    for treatment, (color, hatch, meaning) in TREATMENT_STYLES.items():
        shares = np.array([100 * layers[name].get(treatment, 0.0) for name in names])
        label = f"{treatment} – {meaning}: {100 * coverage.share(treatment):.1f} %"
        axes.barh(
            [printable(name) for name in names],
            shares,
            left=left,
            color=color,
            hatch=hatch,
            edgecolor="white",
            linewidth=0,
            label=label,
        )
        left += shares
    axes.invert_yaxis()
    axes.set(xlabel="share of the model's parameters [%]", ylabel="layer, from input to output")
    legend_below(figure, axes, columns=1)
    return figure


def draw_curves(curves: Sequence[Curve]) -> "Figure":
    """Draw at least one series over the steps of a method, in stacked panels since their units differ."""
    figure, panels = new_panels(
        "The method's progress, step by step", rows=len(curves), width=5.0, height=0.9 + 1.3 * len(curves)
    )
    for axes, curve in zip(panels, curves, strict=True):
        marker = "o" if len(curve.values) < 30 else None
        axes.plot(curve.values, color=BLUE, linewidth=1.5, marker=marker, markersize=3)
        axes.set_ylabel(curve_words(curve.name)[0].lower().replace(", ", "\n"))
        axes.grid(visible=True, color=PALE_GREY, linewidth=0.6)
    panels[-1].set_xlabel("step")
    return figure


def shares_by_layer(coverage: Coverage, rows: int) -> dict[str, dict[Treatment, float]]:
    """Add up the shares of each layer by treatment; of each block, if there are too many layers.

    Args:
        coverage: How much of a model a method reached.
        rows: The most layers, or blocks, to distinguish.

    Returns:
        By layer name, the share of the whole model that got each treatment.
    """
    depth = max(entry.parameter.count(".") for entry in coverage.parameters)
    while True:
        layers: dict[str, dict[Treatment, float]] = {}
        for entry in coverage.parameters:
            *path, own = entry.parameter.split(".")
            shares = layers.setdefault(".".join(path[: max(depth, 1)]) or own, {})
            for treatment in TREATMENT_STYLES:
                if share := entry.share_of(treatment):
                    shares[treatment] = shares.get(treatment, 0.0) + share
        if len(layers) <= rows or depth <= 1:
            return layers
        depth -= 1
