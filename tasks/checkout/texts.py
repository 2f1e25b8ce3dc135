"""Text from outside in Markdown; for terminals, pages and figures see ``unlearn_core.names``.

The markup of HTML, rich and matplotlib is turned off where each is called.
"""

import html
import re

from unlearn_core.names import one_line


def in_markdown(text: str) -> str:
    """Return text as text for Markdown, also in a table's cell: no markup, no HTML, one line."""
    plain = html.escape(" ".join(one_line(text).split()), quote=False)
    return re.sub(r"([\\|`*_\[\]#~$])", r"\\\1", plain)
