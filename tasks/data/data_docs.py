"""Great Expectations' report pages, made to open from disk without a network."""

import re
from pathlib import Path
from typing import Any

from tasks.checkout.variables import set_variable

# The page loads style sheets and scripts from five content networks: opening evidence would tell third
# parties about it, and without them the page is bare. So they are removed, and this replaces them.
_STYLE = """
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h5 { font-size: 1.05rem; margin: 1.2rem 0 .3rem; } h6, .h6 { font-size: 1rem; font-weight: 600; margin: 0; }
table { border-collapse: collapse; width: 100%; margin: .3rem 0 .8rem; }
td, th { border: 1px solid #d0d0d0; padding: .3rem .6rem; text-align: left; }
.badge { background: #eee; border-radius: 4px; padding: 0 .4rem; }
.fa-check-circle::before { content: "\\2713  holds"; color: #00664b; font-style: normal; }
.fa-times::before { content: "\\2717  fails"; color: #a33c00; font-style: normal; font-weight: 600; }
.collapse, .sticky { display: none; }
</style>
</head>"""

_UNWANTED = (
    r"<script\b.*?</script>",
    r"<link\b[^>]*>",
    r"<nav\b.*?</nav>",
    r"<footer\b.*?</footer>",
    r"<img\b[^>]*>",
    r"<p class=\"m-0\">\s*<a data-toggle.*?</p>",
)


def write_data_docs(result: Any, path: Path) -> None:
    """Write the page of one validation result.

    Args:
        result: What ``ValidationDefinition.run`` returned.
        path: The HTML file to write; its folder is created.
    """
    set_variable("GX_ANALYTICS_ENABLED", "false")
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    page = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(self_contained(page), encoding="utf-8")


def self_contained(page: str) -> str:
    """Remove from a report page whatever loads from the network or links to pages not beside it.

    Args:
        page: HTML from Great Expectations.

    Returns:
        HTML without scripts, and without links outside itself.
    """
    for pattern in _UNWANTED:
        page = re.sub(pattern, "", page, flags=re.DOTALL)
    page = re.sub(r'<a href="[^#"][^"]*"\s*>(.*?)</a>', r"\1", page, flags=re.DOTALL)
    page = re.sub(r"url\(['\"]?https?:[^)]*\)", "none", page)
    return page.replace("</head>", _STYLE, 1)
