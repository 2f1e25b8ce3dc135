"""The page ``docs/settings.md``, read off the groups of settings.

``python tests/settings_page.py`` writes it (``make docs``); a test holds it there.
"""

from pathlib import Path
from typing import Any

from tasks.checkout.settings import ELSEWHERE, GROUPS, Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
HEAD = """# Settings

*Written from the code by `make docs`; edit `tasks/checkout/settings.py` instead.*

Only `params.yaml` configures what is computed. Environment variables say where things are and who acts; no
model depends on them. They are read when needed. An invalid value is refused with the name of its variable,
and possible secrets are never printed. A secret may be in a file that `NAME_FILE` names, in place of `NAME`:
`{files}`. A variable that starts with `LETHE_` and is not listed here is named
in a warning.
"""


def settings_page() -> str:
    """Return the page."""
    sections = [line for title, group in GROUPS.items() for line in _section(title, group)]
    others = [_row(f"`{name}`", purpose) for name, purpose in ELSEWHERE.items()]
    table = [_row("variable", "read by"), _row("---", "---"), *others]
    files = "`, `".join(name for group in GROUPS.values() for name in group.secret_files())
    return "\n".join(
        [HEAD.replace("{files}", files), *sections, "## Not read by the program", "", *table, ""]
    )


def _section(title: str, group: type[Settings]) -> list[str]:
    rows = [
        _row(
            f"`{name}`",
            _code(field.json_schema_extra["expected"]),
            _default(field.default),
            field.description,
        )
        for name, field in group.variables().items()
    ]
    head = [_row("variable", "value", "default", "purpose"), _row(*["---"] * 4)]
    return [f"## {title}", "", *head, *rows, ""]


def _default(value: Any) -> str:
    return f"`{value}`" if isinstance(value, int | float) else str(value or "–")


def _code(text: str) -> str:
    return text.replace("|", "\\|")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Write the page."""
    PAGE.write_text(settings_page())


if __name__ == "__main__":
    main()
