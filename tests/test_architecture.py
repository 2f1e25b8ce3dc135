"""The architecture, checked and not remembered."""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from world import PACKAGES, ROOT

from flows.stages.code import OTHERS
from flows.stages.pipeline import DELETION, PREPARATION
from tasks.checkout.params import SECTIONS, read_params
from unlearn_core.methods import CATALOGUE, parse_methods
from unlearn_core.metrics import DEFAULT
from unlearn_core.records.params import DatasetParams, MomentsParams, ParentParams, RegistryParams, RunParams
from unlearn_core.records.policy import Policy
from unlearn_core.records.request import DeletionRequest

SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
CORE = [path for path in SOURCES if path.is_relative_to(ROOT / "unlearn_core")]
LONGEST_FILE, LONGEST_FUNCTION = 260, 70
# What stands for more than one file could say; it may shrink, and nothing may join it.
LONG_FILES = {"unlearn_core/methods/pgu.py": 290}

STAGES = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())["stages"]


def name_of(path):
    return str(path.relative_to(ROOT))


def by_name(paths):
    return {"argvalues": paths, "ids": [name_of(path) for path in paths]}


def test_imports_go_one_way():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", **by_name(SOURCES))
def test_a_file_is_one_thing(path):
    assert len(path.read_text().splitlines()) <= LONG_FILES.get(name_of(path), LONGEST_FILE)


@pytest.mark.parametrize("path", **by_name(SOURCES))
def test_a_function_fits_on_a_screen(path):
    functions = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))
    long = {f.name: f.end_lineno - f.lineno for f in functions if f.end_lineno - f.lineno > LONGEST_FUNCTION}
    assert long == {}


def uses(path):
    """Yield every dotted name that a file reads or calls."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield f"{node.func.id}()"
        elif isinstance(node, ast.Attribute):
            yield ast.unparse(node)
        elif isinstance(node, ast.Import):
            yield from (f"import {alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"from {node.module} import {alias.name}" for alias in node.names)


OUTSIDE = {
    "open()", "input()", "print()", "eval()", "exec()",
    "os.environ", "os.getenv", "sys.argv", "sys.stdin",
    "datetime.now", "datetime.datetime.now", "datetime.utcnow", "datetime.today",
    "time.time", "time.perf_counter", "time.monotonic",
    "torch.load", "torch.save", "torch.set_grad_enabled",
    "import os", "import sys", "import time", "import random", "import pathlib",
    "import socket", "import subprocess", "import urllib", "import requests", "import pickle",
    "from pathlib import Path", "from os import environ",
}  # fmt: skip


@pytest.mark.parametrize("path", **by_name(CORE))
def test_the_core_touches_no_file_clock_environment_or_network(path):
    assert OUTSIDE & set(uses(path)) == set()


ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.putenv", "os.unsetenv"}
READERS = {*(f"from os import {name.partition('.')[2]}" for name in ENVIRONMENT)}
# Libraries' own settings are read and set here as well, so there is no other exception.
TOUCHES_THE_ENVIRONMENT = {"tasks/checkout/variables.py"}
# Reads the environment through pydantic, into types.
READS_SETTINGS = {"tasks/checkout/setting.py", "tasks/checkout/settings.py"}
PROGRAMS = [*SOURCES, *(path for folder in ("benchmarks", "infra") for path in (ROOT / folder).rglob("*.py"))]


def test_one_module_touches_the_environment_and_one_reads_settings():
    used = {name_of(path): set(uses(path)) for path in PROGRAMS}
    assert {name for name, all_ in used.items() if (ENVIRONMENT | READERS) & all_} == TOUCHES_THE_ENVIRONMENT
    settings = {name for name, all_ in used.items() if any("pydantic_settings" in one for one in all_)}
    assert settings == READS_SETTINGS


WAITS = {
    "tasks/checkout/patience.py": "for a service that is away",
    "flows/worker/deployments.py": "for its request's turn: nothing has failed",
    "tasks/running/pool.py": "until a node that no longer answers is known to be lost",
}


def test_one_module_tries_again():
    found = {name_of(path) for path in PROGRAMS if {"time.sleep", "from time import sleep"} & set(uses(path))}
    assert found == WAITS.keys()


TAGS = "tasks/checkout/tags.py"
# The schema of a record has a version, and the type of a certificate is its name for ever.
NO_TAG = re.compile(r"lethe\.[a-z-]+/\d+|tag:lethe\.example,2025:.*")
LOOKS_LIKE_A_TAG = re.compile(
    r"\blethe\.(?!json\b)[a-z_]|^mlflow\.[a-z]+[A-Z.]|^(model|request|verdict|method):$"
)


def words(path):
    """Yield every string of a program, and every part of one that is put together, but for docstrings."""
    tree = ast.parse(path.read_text())
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def test_one_module_names_tags():
    found = [
        (name_of(path), word)
        for path in PROGRAMS
        for word in words(path)
        if LOOKS_LIKE_A_TAG.search(word) and not NO_TAG.fullmatch(word)
    ]
    assert {word for name, word in found if name == TAGS} >= {"lethe.verdict", "mlflow.runName"}
    assert [one for one in found if one[0] != TAGS] == []


ENTRY_POINTS = {"lethe.methods", "lethe.metrics", "lethe.sources"}
"""Groups in which other packages offer what they have; written like tags, and none."""


def test_every_tag_that_the_documentation_names_is_one():
    names = {word for word in words(ROOT / TAGS) if word.startswith("lethe.")}
    pages = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    found = set(re.findall(r"\b(lethe\.[a-z_.]+[a-z])\b(?![/-])", pages))
    named = found - {"lethe.example", "lethe.json", *ENTRY_POINTS}
    assert {"lethe.shown", "lethe.request.submitted"} <= named <= names


def test_every_pin_is_a_name_and_a_version():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin)] == []


def test_dvc_runs_the_stages_that_the_flow_runs_in_its_order():
    assert list(STAGES) == [*PREPARATION, *DELETION]


def test_every_stage_but_the_first_depends_on_the_list_of_its_code():
    first, *others = STAGES
    assert (first, tuple(others)) == ("code", OTHERS)
    assert STAGES[first]["deps"] == sorted(PACKAGES)
    assert [STAGES[name]["deps"][0] for name in OTHERS] == [f"reports/code/{name}.json" for name in OTHERS]


@pytest.mark.parametrize("name", OTHERS)
def test_a_stage_depends_on_what_a_stage_before_it_makes(name):
    before = list(STAGES)[: list(STAGES).index(name)]
    outs = {out for other in before for out in STAGES[other]["outs"]}
    inputs = [path for path in STAGES[name]["deps"][1:] if "${" not in path]
    assert [path for path in inputs if path not in outs] == []


NO_MEMBER = {"__init__", "composition"}
"""Files of a catalogue's folder that its members are made with."""


@pytest.mark.parametrize(
    ("folder", "listed"), [("methods", CATALOGUE), ("metrics", [type(metric) for metric in DEFAULT])]
)
def test_every_file_of_a_catalogue_is_listed_in_it(folder, listed):
    files = {path.stem for path in (ROOT / "unlearn_core" / folder).rglob("*.py")} - NO_MEMBER
    modules = {kind.__module__.rsplit(".", 1)[1] for kind in listed}
    assert modules == files


KINDS = {
    "run": RunParams,
    "dataset": DatasetParams,
    "parent": ParentParams,
    "moments": MomentsParams,
    "policy": Policy,
    "methods": dict,
    "registry": RegistryParams,
    "request": str,
}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_projects_own_settings_are_valid(section):
    assert getattr(read_params(ROOT), section)


def test_every_method_is_configured_and_every_rung_is_a_method():
    configured = [method.name for method in parse_methods(read_params(ROOT).methods)]
    ladder = read_params(ROOT).policy.ladder
    assert set(configured) == {kind.model_fields["name"].default for kind in CATALOGUE}
    assert {*ladder.classes, *ladder.samples} <= set(configured)


def test_the_projects_own_request_is_there():
    name = read_params(ROOT).request
    assert DeletionRequest.parse((ROOT / "requests" / f"{name}.json").read_bytes()).id == name


VERBS = {
    "adopt",
    "approve",
    "audit",
    "benchmark",
    "calibrate",
    "challenge",
    "compare",
    "delete",
    "demo",
    "judge",
    "lineage",
    "prove",
    "purge",
    "reference",
    "replay",
    "report",
    "status",
    "submit",
    "train",
    "tune",
    "upgrade",
    "verify",
}


@pytest.mark.parametrize(("package", "modules"), [("tasks", set()), ("flows", VERBS)])
def test_no_module_stands_outside_the_rooms_but_the_verbs(package, modules):
    found = {path.stem for path in (ROOT / package).glob("*.py")}
    assert found == {"__init__", *modules}


ROOMS = sorted(path.parent for path in (ROOT / "tasks").glob("*/__init__.py"))
COMPOSITIONS = ROOT / "unlearn_core" / "methods" / "compositions"


@pytest.mark.parametrize("room", [*ROOMS, COMPOSITIONS])
def test_the_tour_of_a_room_says_what_it_may_use_and_names_its_files(room):
    tour = ast.get_docstring(ast.parse((room / "__init__.py").read_text())) or ""
    parts = {path.stem for path in room.iterdir() if path.suffix == ".py"} - {"__init__"}
    assert [part for part in sorted(parts) if f"``{part}``" not in tour] == []
    assert "ay use" in tour or "Uses the core alone" in tour


def test_no_two_test_files_share_a_name():
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py") if not packaged(path))
    assert [name for name, count in names.items() if count > 1] == []


def packaged(path):
    return (path.parent / "__init__.py").is_file()


def public_names(path):
    """Return the public names that a file defines."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def test_a_public_name_stands_for_one_thing():
    homes = Counter(
        name
        for path in SOURCES
        for name in set(public_names(path))
        if not name.startswith("_") and "migrations" not in path.parts
    )
    several = {name for name, count in homes.items() if count > 1}
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \|", glossary.partition("## Names used in several files")[2], re.M)
    assert several == set(listed)
    assert len(listed) < 15


def test_what_the_architecture_says_of_where_to_look_is_there():
    text = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| .*\?.* \|$", text.partition("## Where to look")[2], re.M)
    assert len(rows) == 12
    for row in rows:
        named = [part for part in re.findall(r"`([^`]+)`", row) if not re.search("[A-Z]{4}", part)]
        paths = [ROOT / part for part in named if re.search(r"\w/\w", part)]
        assert [path for path in paths if not path.exists()] == []
        code = "".join(path.read_text() for path in paths if path.is_file())
        functions = [part for part in named if re.fullmatch("[a-z_]+", part) and part != "delete"]
        assert [name for name in functions if f"def {name}(" not in code] == []
