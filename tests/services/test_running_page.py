"""infra/README.md: every command, file and variable that it names is there; ten minutes read it."""

import re

from compose import FILE, load
from typer.core import TyperGroup
from typer.main import get_command
from world import ROOT

from flows.cli.app import app

PAGE = (ROOT / "infra/README.md").read_text()
MAKEFILE = (ROOT / "infra/Makefile").read_text()
SERVICES = load()["services"]


def calls(service):
    """Return what the page lets a service run, as words."""
    found = re.findall(rf"infra/compose\.yaml (?:run|exec) (?:--\S+ (?:git )?)*{service} ([^`\n]*)", PAGE)
    return [words.split() for words in found]


def test_every_target_is_in_the_makefile():
    named = set(re.findall(r"make (?:-s )?-C infra ([a-z]+)", PAGE))
    assert named >= {"init", "secrets", "pins", "unpinned", "job", "up", "down", "logs"}
    assert named >= {"backup", "restore", "upgrade", "help"}
    assert named == set(re.findall(r"^([a-z]+):.*##", MAKEFILE, re.MULTILINE))


def test_every_command_of_lethe_is_one():
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    asked = [words for words in calls("lethe") if words[0] != "clone"]
    assert len(asked) == 4
    for first, second, *_ in asked:
        found = group.commands[first]
        assert isinstance(found, TyperGroup)
        assert second in found.commands


def test_every_service_is_told_of_and_every_port():
    told = set(re.findall(r"`([a-z0-9-]+)`", PAGE))
    assert set(SERVICES) <= told
    ports = {
        mapping.rsplit(":", 1)[0] for service in SERVICES.values() for mapping in service.get("ports", ())
    }
    assert set(re.findall(r"127\.0\.0\.1:\d+", PAGE)) == ports


def test_every_volume_with_personal_data_is_told_of():
    told = PAGE.split("## Where personal data is")[1].split("##")[0]
    holding = set(load()["volumes"]) - {"postgres", "state", "s3-versions", "s3-users"}
    assert {name for name in holding if f"`{name}`" not in told} == set()


def test_every_variable_is_one_that_compose_reads():
    named = {
        name for name in re.findall(r"`([A-Z][A-Z0-9_]{4,})`", PAGE) if not name.startswith("PREFECT_SERVER")
    }
    keys = {"LETHE_SIGNING_KEY", "LETHE_PSEUDONYM_KEY"}
    assert named - keys == set(re.findall(r"\$\{(\w+):", FILE.read_text())) - {"LETHE_VERSION"}


def test_every_file_that_is_named_is_there():
    links = re.findall(r"\]\(([^)#:]+)\)", PAGE)
    paths = re.findall(r"infra/[a-z-]+(?:/[a-z-]+)*\.[a-z]+", PAGE)
    assert len(paths) > 5
    assert [one for one in links if not (ROOT / "infra" / one).exists()] == []
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_it_is_read_in_ten_minutes():
    assert len(PAGE.split()) < 2000
