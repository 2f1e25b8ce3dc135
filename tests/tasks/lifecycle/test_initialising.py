"""A folder becomes a project, and nothing in it is lost.

Each of these must turn red: a template that is not the repository's own; a file that is written over; a
project that git would not keep, or DVC not find.
"""

import subprocess

import pytest
from world import PACKAGES, ROOT, commit, files_of

from tasks.checkout.environment import find_checkout
from tasks.checkout.files import read_record
from tasks.checkout.git import ask_git, run_git
from tasks.checkout.params import read_params
from tasks.checkout.plain_yaml import load_yaml
from tasks.checkout.software import PINNED, installed
from tasks.lifecycle.initialising import FILES, IGNORING, TEMPLATE, init_project
from tasks.storage.versioning import opened
from unlearn_core.errors import SetupError
from unlearn_core.records.project import Software

ALL = {*IGNORING, *FILES, PINNED}


def template(name):
    return (TEMPLATE / name).read_bytes()


@pytest.mark.parametrize("path", sorted({*FILES} - {"README.md", "dvc.yaml"}))
def test_the_template_is_the_repositorys_own(path):
    assert template(FILES[path]) == (ROOT / path).read_bytes()


def test_the_pipeline_is_the_repositorys_but_for_what_its_code_is_known_by():
    own = (ROOT / "dvc.yaml").read_text()
    assert own.count(code := f"deps: [{', '.join(PACKAGES)}]") == 1
    assert template("dvc.yaml").decode() == own.replace(code, f"deps: [{PINNED}]")


@pytest.mark.parametrize("path", sorted(IGNORING))
def test_what_a_project_ignores_the_repository_ignores_too(path):
    assert (ROOT / path).read_bytes().startswith(template(IGNORING[path]))


def test_the_template_is_no_pipeline_of_the_repository():
    ignored = (ROOT / ".dvcignore").read_text().splitlines()
    assert f"/{TEMPLATE.relative_to(ROOT).as_posix()}/" in ignored


def test_the_page_of_a_new_project_has_ten_lines():
    assert len(template("README.md").decode().splitlines()) == 10


def test_all_that_a_template_holds_is_written():
    held = {path.relative_to(TEMPLATE).as_posix() for path in TEMPLATE.rglob("*") if path.is_file()}
    assert held == {*IGNORING.values(), *FILES.values()}


@pytest.fixture
def project(tmp_path):
    init_project(tmp_path / "a" / "project")
    return tmp_path / "a" / "project"


def test_a_folder_that_is_not_there_becomes_a_project(project):
    there = {path for path in files_of(project) if "/.git/" not in path}
    assert there == {str(project / name) for name in ALL}
    assert find_checkout(project / "requests") == project.resolve()
    assert read_record(project / PINNED, Software) == installed()
    assert read_params(project).request == "demo"
    with opened(project) as repo:
        assert next(stage.addressing for stage in repo.index.stages) == "code"
        assert not repo.config["core"]["analytics"]


def test_git_keeps_all_of_it_and_nothing_of_its_work(project):
    (project / "data/dataset").mkdir(parents=True)
    (project / "data/dataset/0.parquet").write_bytes(b"rows")
    commit(project, "Start")
    assert set(run_git(project, "ls-files").splitlines()) == ALL


def test_a_project_is_left_as_it_is(project):
    (project / "params.yaml").write_text("changed")
    before = files_of(project)
    assert init_project(project).existed
    assert files_of(project) == before


def test_the_repository_itself_is_a_project_already():
    assert init_project(ROOT).existed


def test_what_was_cut_short_is_completed(project):
    whole = files_of(project)
    for name in ("README.md", "params.yaml", PINNED):
        (project / name).unlink()
    done = init_project(project)
    assert (done.made, done.extended, done.kept) == (("params.yaml", "README.md", PINNED), (), ())
    assert files_of(project) == whole


def test_files_that_are_there_stay_and_ignore_files_get_lines_more(tmp_path):
    run_git(tmp_path, "init", "--quiet")
    (tmp_path / "README.md").write_text("ours\n")
    (tmp_path / "requests").mkdir()
    (tmp_path / "requests/demo.json").write_text("{}")
    (tmp_path / ".gitignore").write_text("*.log")
    (tmp_path / ".dvcignore").write_bytes(template("dvcignore"))
    done = init_project(tmp_path)
    assert (done.kept, done.extended) == (("requests/demo.json", "README.md"), (".gitignore",))
    assert set(done.made) == ALL - {"requests/demo.json", "README.md", ".gitignore", ".dvcignore"}
    assert (tmp_path / "README.md").read_text() == "ours\n"
    assert (tmp_path / "requests/demo.json").read_text() == "{}"
    assert (tmp_path / ".gitignore").read_bytes() == b"*.log\n" + template("gitignore")


@pytest.mark.parametrize("name", ["params.yaml", "dvc.yaml"])
def test_settings_or_a_pipeline_of_another_kind_are_refused_and_no_byte_is_changed(tmp_path, name):
    (tmp_path / name).write_text("stages: {}\n")
    with pytest.raises(SetupError, match=f"its own {name}.*nothing was changed.*in a separate folder"):
        init_project(tmp_path)
    assert files_of(tmp_path) == {str(tmp_path / name): b"stages: {}\n"}


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    for path in ("file", "file/below"):
        with pytest.raises(SetupError, match="file is not a folder"):
            init_project(tmp_path / path)


def test_a_project_in_a_project_is_refused(project):
    before = files_of(project)
    for name in ("requests", "new/er"):
        with pytest.raises(SetupError, match=f"is already in the project {project}"):
            init_project(project / name)
    assert files_of(project) == before
    assert not (project / "new").exists()


@pytest.mark.parametrize(
    ("line", "said"), [("*.json", "lethe.json"), ("data/", "data/generations/0.dvc"), (".dvc", ".dvc/config")]
)
def test_what_git_would_not_keep_is_named_before_anything_is_made(tmp_path, line, said):
    run_git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text(f"{line}\n")
    with pytest.raises(SetupError, match=f"git ignores .*{said}.*check-ignore"):
        init_project(tmp_path)
    assert not (tmp_path / "params.yaml").exists()
    (tmp_path / ".gitignore").write_text("")
    assert PINNED in init_project(tmp_path).made


def test_below_the_top_of_a_repository_it_is_a_project_of_its_own(tmp_path):
    run_git(tmp_path, "init", "--quiet")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("")
    (tmp_path / "dvc.yaml").write_text("stages: {ours: {cmd: 'true'}}\n")
    (tmp_path / "tasks.py").write_text("")
    root = tmp_path / "models" / "digits"
    init_project(root)
    commit(tmp_path, "Start")
    assert not (root / ".git").exists()
    assert find_checkout(root / "mlruns") == root.resolve()
    assert find_checkout(tmp_path) is None
    assert ask_git(root, "status", "--porcelain") == ""
    with opened(root) as repo:
        assert repo.root_dir == str(root.resolve())
        assert {stage.name for stage in repo.index.stages} == set(load_yaml(root / "dvc.yaml")["stages"])
    done = subprocess.run(
        ["git", "check-ignore", "data/dataset/0"], cwd=root, check=False, capture_output=True
    )
    assert done.returncode == 0
