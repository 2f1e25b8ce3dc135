"""The page "Six commands: a person's photographs", followed word for word with Lethe from a wheel.

Each of these must turn red: a command that fails, or prints something else than the page says; the name of a
person in what is made.
"""

import pytest
from following import Followed, beginner, follow, is_printed, steps_of
from world import ROOT

from tasks.evidence.verification import verify_files

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "photographs.md").read_text()
STEPS = steps_of(PAGE)
PERSON = "Zoë Müller"


@pytest.fixture(scope="module")
def followed(environment, tmp_path_factory):
    somewhere = tmp_path_factory.mktemp("a family")
    folder, home = somewhere / "pictures", somewhere / "home"
    folder.mkdir()
    home.mkdir()
    variables = {**beginner(home), "PATH": environment.variables["PATH"]}
    return Followed(folder, home, follow(STEPS, folder, variables))


def test_there_are_six_commands_and_none_can_fail_unseen():
    first, second = (part for part in PAGE.split("\n## ")[1:])
    for part in (first, second):
        commands = [step.text for step in steps_of(part) if step.file is None]
        typed = [line for text in commands for line in text.splitlines()]
        asked = [line for line in typed if line.startswith("lethe ")]
        assert len(asked) + ("keys init" not in part) == 6
        assert not [line for line in typed if "&&" in line or "|" in line]


@pytest.mark.parametrize("number", [n for n, step in enumerate(STEPS) if step.printed is not None])
def test_what_the_page_says_is_printed_is_printed(followed, number):
    shown, printed = STEPS[number].printed, followed.printed[number]
    assert is_printed(shown, printed), f"the page says\n{shown}\nand this is printed\n{printed}"


@pytest.mark.parametrize("project", ["album", "scenes"])
def test_each_ends_in_a_certificate_that_verifies_and_a_report(followed, project):
    folder, key = followed.folder / project, followed.home / ".config" / "lethe" / "signing.pub"
    model = folder / "models" / "unlearned" / "model.safetensors"
    found = verify_files(folder / "evidence/r-1/certificate.dsse.json", model=model, key=key)
    assert (found["scope"], found["model_checked"]) == ("subjects", True)
    assert "<html" in (folder / "evidence/r-1/report.html").read_text()


@pytest.mark.parametrize("project", ["album", "scenes"])
def test_the_persons_name_is_only_in_the_data(followed, project):
    folder = followed.folder / project
    held = [path for path in folder.rglob("*") if path.is_file() and PERSON.encode() in path.read_bytes()]
    assert {path.relative_to(folder).parts[0] for path in held} <= {"data", ".dvc"}
    assert [path for path in held if path.suffix not in {".parquet", ""}] == []
