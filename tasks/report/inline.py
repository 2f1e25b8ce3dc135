"""Figures embedded in a page: SVG whose colours follow the page and whose text stays text."""

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from tasks.report import drawing
from unlearn_core.names import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {
    drawing.BLACK: "ink",
    "#ffffff": "paper",
    drawing.GREY: "original",
    drawing.BLUE: "unlearned",
    drawing.ORANGE: "retrained",
    drawing.SKY: "unseen",
    drawing.RED: "forgotten",
    drawing.YELLOW: "marked",
    drawing.PALE_GREY: "rule",
}
"""The name of each drawing colour in the page's style sheet, which gives it one value per theme."""


@dataclass(frozen=True)
class Drawing:
    """A figure on the page: the name of its place, its title, a description in words, and its SVG."""

    name: str
    title: str
    description: str
    svg: Markup


def inline(figure: "Figure", *, name: str, title: str, description: str) -> Drawing:
    """Embed a figure in a page; equal figures give equal text.

    Args:
        figure: The figure.
        name: Unique on the page: ids in the drawing start with it.
        title: What it shows.
        description: What can be seen in it, for those who cannot see it.

    Returns:
        The drawing.
    """
    import matplotlib

    stream = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(stream, format="svg", transparent=True, metadata=nothing)
    drawn = stream.getvalue()
    start = drawn.index(">", drawn.index("<svg")) + 1
    width, height = (72 * size for size in figure.get_size_inches())
    label = escape(printable(f"{title}. {description}"))
    head = f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{label}">'
    return Drawing(name, title, description, Markup(head + _themed(drawn[start:], name)))


def _themed(svg: str, name: str) -> str:
    """Leave colours and fonts to the page, and make ids unique among figures."""
    for value, variable in _COLOURS.items():
        svg = re.sub(f"{value}(?![0-9a-f])", f"var(--{variable})", svg, flags=re.IGNORECASE)
    svg = re.sub(r"<!--.*?-->\s*|<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;\"]+;?", "", svg)
    return re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{name}-", svg).strip()
