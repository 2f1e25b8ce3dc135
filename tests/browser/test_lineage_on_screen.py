"""Where one picture lies, as a terminal shows it. ``LETHE_SCREENSHOTS=docs/images`` writes it anew."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from door import screenshot
from rich.console import Console
from rich.text import Text
from world import NOISE

pytestmark = [*NOISE, pytest.mark.browser]

COMMAND = "lethe lineage --sample digit-0003"
WIDTH = 118
PAGE = (
    "<html><body style='margin:12px;display:inline-block;background:white'>"
    "<pre style='font:13px/1.35 monospace;color:#222'>{code}</pre></body></html>"
)


def on_a_terminal(project):
    """Return what the command writes to a terminal, colours included, without its progress."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [
            "script",
            "--quiet",
            "--return",
            "--command",
            f"stty cols {WIDTH}; {COMMAND} 2> {os.devnull}",
            os.devnull,
        ],
        cwd=project,
        env={**os.environ, "PATH": path, "TERM": "xterm-256color", "COLUMNS": str(WIDTH)},
        capture_output=True,
        check=True,
    )
    return Text.from_ansi(done.stdout.decode().replace("\r\n", "\n").removesuffix("\x1b[0m"))


def test_a_terminal_shows_where_one_picture_lies(report, browser, tmp_path):
    shown = on_a_terminal(report.parents[2])
    for words in ("sample digit-0003: 1 row(s)", "data sets that held it", "DVC's cache", "not searched"):
        assert words in shown.plain
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble((f"$ {COMMAND}\n", "bold"), shown))
    page = browser.new_page(viewport={"width": 1000, "height": 400})
    page.set_content(console.export_html(inline_styles=True, code_format=PAGE))
    folder = Path(os.environ.get("LETHE_SCREENSHOTS", tmp_path))
    box = page.locator("body").bounding_box()
    page.set_viewport_size({"width": round(box["width"]) + 30, "height": round(box["height"]) + 30})
    assert screenshot(page, folder / "lineage.png").stat().st_size < 250_000
    page.close()
