"""requirements.lock: what a production installs, each file by its digest, in the constraints' versions."""

import re
import tomllib

import pytest
from world import ROOT

LOCK = (ROOT / "requirements.lock").read_text()
ENTRIES = re.split(r"\n(?! )", LOCK.rstrip())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# The images are for one machine: Ray is installed by the constraints alone.
EXTRAS = sorted(set(PROJECT["optional-dependencies"]) - {"dev", "ray"})


def plain(name):
    """Return a package's name as indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def versions():
    """Return the locked version of each package, and the condition under which it is installed, if any."""
    heads = [
        re.match(r"([\w.-]+)==(\S+)(?: ; (.*?))? \\\\?$", one.splitlines()[0])
        for one in ENTRIES
        if one[0] != "#"
    ]
    return {plain(found[1]): (found[2], found[3]) for found in heads if found}


def test_every_entry_is_one_version_with_digests_and_nothing_else():
    entries = [one for one in ENTRIES if not one.startswith("#")]
    assert len(versions()) == len(entries) > 200
    shape = re.compile(r"\S+==\S+(?: ; [^\\]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+")
    assert [one for one in entries if not shape.fullmatch(one)] == []


def test_it_names_no_address():
    assert re.findall(r"://|--\w*index\w*|--find-links|--trusted-host", LOCK) == []


def test_its_versions_are_those_of_the_constraints():
    lines = (line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    pinned = {plain(name): version for name, version in lines}
    other = {name: found for name, found in versions().items() if pinned.get(name) != found[0]}
    # `pip freeze` leaves setuptools out.
    unconditional = {name for name, (_, condition) in other.items() if condition is None} - {"setuptools"}
    assert unconditional == set(), "run `make lock`"


def test_what_the_package_asks_for_is_in_it():
    asked = [
        *PROJECT["dependencies"],
        *(one for extra in EXTRAS for one in PROJECT["optional-dependencies"][extra]),
    ]
    names = {plain(re.match(r"[\w.-]+", one)[0]) for one in asked}
    assert names - versions().keys() == set(), "run `make lock`"


@pytest.mark.parametrize(
    "word", ["--universal", "--generate-hashes", "--no-emit-index-url", "--constraint constraints.txt"]
)
def test_the_target_asks_for_all_of_this(word):
    rule = re.search(r"^lock:.*?\n\n", (ROOT / "Makefile").read_text(), re.MULTILINE | re.DOTALL)[0]
    assert word in rule
    assert re.findall(r"--extra (\S+)", rule) == EXTRAS
