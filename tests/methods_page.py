"""The page ``docs/methods.md``, read off the catalogue.

``python tests/methods_page.py`` writes it (``make docs``); a test holds it there.
"""

import json
import re
from pathlib import Path
from typing import Any

from flows.cli.methods import describe_methods
from unlearn_core.methods import parse_method

PAGE = Path(__file__).resolve().parent.parent / "docs" / "methods.md"
HEAD = """# Methods

*Written from the code by `make docs`; edit the docstrings instead.*

A method gets only what it needs. Every default listed here can be changed in
`params.yaml`; `lethe tune` searches for better values on held-out data. Settings that measured better than
the defaults for an architecture are in `unlearn_core/presets.py`, and are used for what `params.yaml`
does not set.
"""


def methods_page() -> str:
    """Return the page."""
    methods, _ = describe_methods()
    rows = [
        _row("method", "what it does", "needs", "may use", "touches", "forgets"),
        _row(*["---"] * 6),
    ]
    for method in methods:
        name, summary, touches = method["name"], method["summary"], method["touches"]
        lists = (", ".join(method[key]) or "–" for key in ("needs", "uses"))
        rows.append(_row(f"[`{name}`](#{name})", summary, *lists, touches, ", ".join(method["scopes"])))
    return "\n".join([HEAD, *rows, "", *map(_section, methods)])


def _section(method: dict[str, Any]) -> str:
    text, _, attributes = method["description"].partition("\nAttributes:\n")
    defaults = parse_method({"name": method["name"]}).model_dump(mode="json")
    said = _attributes(attributes)
    rows = [_row(f"`{name}`", _shown(defaults[name]), said[name]) for name in method["settings"]]
    table = [_row("setting", "default", ""), _row(*["---"] * 3), *rows] if rows else []
    return "\n".join([f"## {method['name']}", "", _markdown(text.strip()), "", *table, "", *_space(method)])


def _attributes(text: str) -> dict[str, str]:
    """Return what the docstring says of each attribute, on one line."""
    entries = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", text, re.MULTILINE)
    return {name: _markdown(" ".join(said.split())) for name, said in entries}


def _shown(value: Any) -> str:
    if isinstance(value, dict) and value:
        return ", ".join(f"{key} {one}" for key, one in value.items())
    return f"`{json.dumps(value)}`"


def _space(method: dict[str, Any]) -> list[str]:
    """Say what ``lethe tune`` tries."""
    tried = [
        f"`{name}` " + (f"from {one['low']:g} to {one['high']:g}" if "low" in one else f"in {_choice(one)}")
        for name, one in method["space"].items()
    ]
    return [f"`lethe tune` tries {', '.join(tried)}.", ""] if tried else []


def _choice(dimension: dict[str, Any]) -> str:
    return ", ".join(map(str, dimension["options"][:-1])) + f" and {dimension['options'][-1]}"


def _markdown(text: str) -> str:
    return text.replace("``", "`").replace("|", "\\|")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Write the page."""
    PAGE.write_text(methods_page())


if __name__ == "__main__":
    main()
