"""The page "From nothing to a certificate for your own model", followed word for word from an empty folder.

One line is not taken as it stands: where the page installs a clone with pip, the wheel that is built here is
installed, and sees the libraries of this environment. Each of these must turn red: a command that fails, or
prints something else than the page says; a file that the page has in another place.
"""

import re
import sys
from dataclasses import replace
from pathlib import Path

import built_wheel
import pytest
from following import Followed, beginner, follow, is_printed, steps_of
from world import ROOT

from tasks.checkout.git import run_git
from tasks.evidence.verification import verify_files

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "from-nothing.md").read_text()
STEPS = steps_of(PAGE)
PIP = re.compile(r"^pip install .*$", re.MULTILINE)


@pytest.fixture(scope="module")
def followed(wheel, tmp_path_factory):
    somewhere = tmp_path_factory.mktemp("somebody")
    empty, home = somewhere / "empty", somewhere / "home"
    empty.mkdir()
    home.mkdir()
    # The tests have a folder `tasks` beside them, which would be taken for the package.
    program = f'PYTHONPATH="{ROOT}" "{sys.executable}" "{built_wheel.__file__}"'
    install = f'{program} "{wheel}" "$VIRTUAL_ENV"'
    steps = tuple(replace(step, text=PIP.sub(install, step.text)) for step in STEPS)
    return Followed(empty / "first-deletion" / "project", home, follow(steps, empty, beginner(home)))


def test_it_is_one_line_that_is_replaced_and_no_command_can_fail_unseen():
    commands = [step.text for step in STEPS if step.file is None]
    assert sum(len(PIP.findall(text)) for text in commands) == 1
    assert [text for text in commands if "&&" in text] == []


@pytest.mark.parametrize("number", [n for n, step in enumerate(STEPS) if step.printed is not None])
def test_what_the_page_says_is_printed_is_printed(followed, number):
    shown, printed = STEPS[number].printed, followed.printed[number]
    assert is_printed(shown, printed), f"the page says\n{shown}\nand this is printed\n{printed}"


def test_every_certificate_verifies_with_the_public_key_alone(followed):
    key = followed.home / ".config" / "lethe" / "signing.pub"
    certificates = sorted(followed.folder.glob("evidence/*/certificate.dsse.json"))
    model = followed.folder / "models" / "unlearned" / "model.safetensors"
    first, second = (verify_files(path, model=None, key=key) for path in certificates)
    assert (first["verdict"], first["scope"]) == ("passes", "classes")
    assert verify_files(certificates[1], model=model, key=key) == {**second, "model_checked": True}


def test_every_file_that_the_page_lists_is_there(followed):
    listed = re.findall(r"^\| `([\w./-]+)` \|", PAGE, re.MULTILINE)
    assert len(listed) == 9
    assert [name for name in listed if not (followed.folder / name).exists()] == []


def test_git_has_neither_images_nor_weights_nor_people(followed):
    listed = run_git(followed.folder, "ls-files").splitlines()
    assert [name for name in listed if Path(name).suffix in {".png", ".safetensors", ".parquet"}] == []
    assert "person-07" not in run_git(followed.folder, "log", "--patch")
