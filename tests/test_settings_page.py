"""The page of settings, and every place that names a variable, say of the settings what is so."""

import json
import re
import subprocess

import pytest
from ruamel.yaml import YAML
from settings_page import PAGE, settings_page
from world import ROOT

from tasks.checkout.settings import ELSEWHERE, GROUPS

FILES = {name for group in GROUPS.values() for name in group.secret_files()}
READ = {name for group in GROUPS.values() for name in group.variables()}
NAME = re.compile(r"\bLETHE_[A-Z0-9]+(?:_[A-Z0-9]+)*\b(?!_)")
COMPOSE = YAML(typ="safe", pure=True).load((ROOT / "infra/compose.yaml").read_text())


def test_the_page_of_settings_is_current():
    assert PAGE.read_text() == settings_page(), "run: make docs"


def test_every_variable_says_what_it_holds_and_what_it_is_for():
    fields = [field for group in GROUPS.values() for field in group.variables().values()]
    assert [
        field for field in fields if not field.description or not field.json_schema_extra["expected"]
    ] == []


def test_no_two_groups_have_a_variable_in_common():
    assert len(READ) == sum(len(group.variables()) for group in GROUPS.values())


@pytest.fixture(scope="module")
def named():
    """Each variable's name that stands anywhere in the repository, with one of the files."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    texts = {
        name: (ROOT / name).read_bytes() for name in listed.stdout.split("\0") if (ROOT / name).is_file()
    }
    return {
        found: name for name, text in texts.items() for found in NAME.findall(text.decode(errors="replace"))
    }


def test_every_variable_that_the_repository_names_is_known(named):
    assert {name: file for name, file in named.items() if name not in READ | FILES | ELSEWHERE.keys()} == {}


def test_every_variable_that_is_known_is_named_somewhere(named):
    assert ELSEWHERE.keys() - named.keys() == set()


@pytest.mark.parametrize(
    "name", [name for name, one in COMPOSE["services"].items() if one["image"].startswith("lethe:")]
)
def test_what_compose_sets_for_lethe_is_read(name):
    given = COMPOSE["services"][name].get("environment", {})
    assert {one for one in given if one.startswith("LETHE_")} <= READ


def test_what_the_image_and_kubernetes_set_is_read():
    template = json.dumps(json.loads((ROOT / "infra/kubernetes/base-job-template.json").read_text()))
    found = NAME.findall((ROOT / "infra/Dockerfile").read_text() + template)
    assert {"LETHE_HOME", "LETHE_SIGNING_KEY"} <= set(found) <= READ
