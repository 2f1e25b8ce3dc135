"""The documentation runs, and says of the code only what is so."""

import re
import tomllib
from pathlib import Path

import pytest
import torch
from typer.core import TyperGroup
from typer.main import get_command

from flows.cli.app import app
from unlearn_core.methods import CATALOGUE
from unlearn_core.models import build_seeded
from unlearn_core.records.artifact import Architecture

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_the_library_example_of_the_readme_runs():
    (example,) = [
        block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "unlearn(" in block
    ]
    digits = Architecture(name="small_resnet", classes=tuple("0123456789"), input_shape=(1, 8, 8))
    draw = torch.Generator().manual_seed(0)
    namespace = {
        "model": build_seeded(digits, 0).eval(),
        "forget_images": torch.rand(8, 1, 8, 8, generator=draw),
        "forget_labels": torch.full((8,), 3),
        "retain_images": torch.rand(36, 1, 8, 8, generator=draw),
        "retain_labels": torch.tensor([0, 1, 2, 4, 5, 6, 7, 8, 9] * 4),
    }
    exec(example, namespace)
    assert namespace["result"].coverage.share("projected") > 0.9


def test_the_readme_names_every_command():
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    commands = group.commands
    assert {name for name in commands if f"lethe {name}" not in README} == set()


def test_the_readme_names_every_method():
    names = {kind.model_fields["name"].default for kind in CATALOGUE}
    assert {name for name in names if name.lower() not in README.lower()} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page):
    targets = re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_make_target_of_the_pages_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z-]+)`", page.read_text())}
    assert named <= targets


def test_the_page_on_extending_shows_the_package_that_the_tests_run():
    page = (ROOT / "docs" / "extending.md").read_text()
    package = ROOT / "tests" / "plugin"
    shown = re.findall(r"```python\n(\"\"\".*?)\n```", page, re.DOTALL)
    assert shown == [
        (package / "lethe_example" / f"{name}.py").read_text().rstrip()
        for name in ("second_guess", "margin", "arrays")
    ]
    (printed,) = (tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL))
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    for group, entries in printed["project"]["entry-points"].items():
        assert entries.items() <= project["entry-points"][group].items()


def test_every_test_that_the_threat_model_names_is_there_to_be_run():
    page = (ROOT / "docs/threat-model.md").read_text()
    named = set(re.findall(r"`([^` ]+\.py)`", page))
    assert {name for name in named if not (ROOT / name).is_file()} == set()
    assert named <= set(re.findall(r"tests/[a-z_/]+\.py", page)), "make test-attacks finds them so"
