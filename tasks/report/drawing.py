"""Matplotlib: an empty figure in the house style, and a drawn one saved to a file.

Nothing here touches the global state of pyplot. The palette is safe for colour-blind readers (Okabe and Ito,
"Color Universal Design", 2008); still, colour is never the only difference.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unlearn_core.names import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PINK, GREY = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#8C8C8C",
)
PALE_GREY = "#E5E5E5"


def new_figure(title: str, *, width: float, height: float) -> "tuple[Figure, Axes]":
    """Return a figure with one panel.

    Args:
        title: The question that the figure answers.
        width: In inches.
        height: In inches.

    Returns:
        The figure and its panel.
    """
    figure, panels = new_panels(title, width=width, height=height)
    return figure, panels[0]


def new_panels(
    title: str, *, width: float, height: float, rows: int = 1, columns: int = 1
) -> "tuple[Figure, Sequence[Axes]]":
    """Return a figure whose panels share the x axis, and within a row the y axis too.

    Args:
        title: The question that the figure answers.
        width: In inches.
        height: In inches.
        rows: Number of rows of panels.
        columns: Number of panels in a row.

    Returns:
        The figure and its panels, row by row.
    """
    figure = _literal_figure()(figsize=(width, height), layout="constrained")
    figure.suptitle(title, fontsize=10)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=columns > 1).ravel()
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        axes.xaxis.label.set_fontsize(9)
        axes.yaxis.label.set_fontsize(9)
    return figure, list(panels)


@cache
def _literal_figure() -> "type[Figure]":
    """Return the class of figures in which a name is text: never a formula, nor a control character."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    class LiteralFigure(Figure):
        # Whatever saves a figure draws it, so no text can go past this.
        def draw(self, renderer: Any) -> None:
            for axes in self.axes:
                _print_ticks(axes.xaxis)
                _print_ticks(axes.yaxis)
            for text in self.findobj(Text):
                text.set_text(printable(text.get_text()))
                text.set_parse_math(False)
            # Some text is made only while the rest is drawn.
            with matplotlib.rc_context({"text.parse_math": False}):
                super().draw(renderer)

    return LiteralFigure


def _print_ticks(axis: "Axis") -> None:
    """Make the names at ticks printable; an axis writes them anew each time that it is drawn."""
    names = [label.get_text() for label in axis.get_ticklabels()]
    if (plain := [printable(name) for name in names]) != names:
        axis.set_ticks(axis.get_ticklocs(), plain)


def legend_below(figure: "Figure", axes: "Axes", *, columns: int | None = None, fontsize: float = 8) -> None:
    """Put a panel's legend below the whole figure, in one line or in columns."""
    handles, labels = axes.get_legend_handles_labels()
    columns = columns or len(labels)
    place = {"loc": "outside lower center", "ncols": columns}
    figure.legend(handles, labels, fontsize=fontsize, frameon=False, **place)


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a figure to a file, in the format of its suffix; equal figures give equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Otherwise matplotlib writes its version into PNG, and the time into SVG.
    metadata = {".png": {"Software": None}, ".svg": {"Date": None}}.get(path.suffix)
    figure.savefig(path, dpi=150, metadata=metadata)
