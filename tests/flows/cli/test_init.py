"""``lethe init`` as a person types it: what it says, and what the next command finds."""

import json

import pytest
from world import files_of, lethe, run

from tasks.checkout.software import installed


def test_it_says_what_it_made_and_what_to_do_next(tmp_path):
    code, out, err = lethe(tmp_path, "init", "p")
    assert (code, err) == (0, "")
    assert out.startswith("made         .gitignore, .dvcignore, .dvc/config")
    assert "\nenter it     cd p\nwatch it     lethe demo\n" in out
    assert "kept" not in out


def test_without_a_folder_it_is_the_one_at_hand(tmp_path):
    (tmp_path / "README.md").write_text("ours")
    code, out, _ = lethe(tmp_path, "init")
    assert code == 0
    assert "kept         README.md: existed, with other content" in out
    assert "cd " not in out
    assert (tmp_path / "lethe.json").is_file()


def test_a_second_time_it_changes_nothing_and_says_so(tmp_path):
    lethe(tmp_path, "init", "p")
    before = files_of(tmp_path)
    assert lethe(tmp_path, "init", "p")[:2] == (0, "p is already a project; nothing was changed\n")
    assert files_of(tmp_path) == before


def test_a_program_reads_what_was_made(tmp_path):
    told = json.loads(lethe(tmp_path, "init", "p", "--json")[1])
    assert (told["project"], told["existed"], told["kept"], told["extended"]) == ("p", False, [], [])
    assert set(told["made"]) >= {"params.yaml", "dvc.yaml", "lethe.json", "README.md"}
    assert json.loads(lethe(tmp_path, "init", "p", "--json")[1])["existed"]


def test_what_is_refused_is_one_message_and_an_exit_code(tmp_path):
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    code, out, err = lethe(tmp_path, "init")
    assert (code, out) == (2, "")
    assert err.startswith(f"lethe: {tmp_path} has its own dvc.yaml")


def test_the_next_command_works_in_it_and_below_it(tmp_path):
    lethe(tmp_path, "init", "p")
    for folder in (tmp_path / "p", tmp_path / "p" / "requests"):
        assert lethe(folder, "request", "list")[0] == 0
    assert f"now          {installed()}" in lethe(tmp_path / "p", "upgrade")[1]


@pytest.mark.long
@pytest.mark.parametrize("hiding", [False, True], ids=["alone", "beside modules of the user's own"])
def test_dvc_starts_the_installed_stages(tmp_path, hiding):
    lethe(tmp_path, "init", "p")
    root = tmp_path / "p"
    if hiding:
        (root / "flows").mkdir()
        for name in ("tasks.py", "flows/__init__.py", "unlearn_core.py"):
            (root / name).write_text("raise ImportError('not Lethe')\n")
    done = run(root, "dvc", "repro", "dataset")
    assert done.returncode == 0, done.stderr
    listed = json.loads((root / "reports/code/dataset.json").read_text())
    assert "flows/stages/dataset.py" in listed
    assert "up to date" in run(root, "dvc", "status", "code", "dataset").stdout


def test_outside_of_a_project_a_stage_is_refused(tmp_path):
    code, out, err = lethe(tmp_path, "stage", "split")
    assert (code, out) == (2, "")
    assert "run `lethe init`" in err
    assert list(tmp_path.iterdir()) == []


def test_a_stage_that_is_none_is_refused_by_name(tmp_path):
    code, _, err = lethe(tmp_path, "stage", "forget")
    assert code == 2
    assert "no stage 'forget'; the stages are code, dataset, parent, moments, split, unlearn, certify" in err
