"""``params.yaml``: YAML 1.2, strict, and edited without losing a comment."""

import shutil

import pytest
from world import ROOT

from tasks.checkout.params import SECTIONS, read_params, read_values, read_yaml, set_values, write_params
from unlearn_core.errors import ConfigurationError, SetupError
from unlearn_core.records.artifact import Recipe


@pytest.fixture
def root(tmp_path):
    """A folder with the project's own settings."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return tmp_path


@pytest.fixture
def change(root):
    """Replace one line of the settings."""

    def replace(old, new):
        path = root / "params.yaml"
        assert path.read_text().count(old) == 1, old
        path.write_text(path.read_text().replace(old, new))

    return replace


def test_every_section_is_read(root):
    assert tuple(read_values(root)) == SECTIONS


def test_a_folder_without_settings_is_named(tmp_path):
    with pytest.raises(SetupError, match=f"{tmp_path}/params.yaml does not exist"):
        read_values(tmp_path)


def test_a_misspelt_section_is_named(root, change):
    change("registry:\n", "registri:\n")
    with pytest.raises(ConfigurationError, match=r"unknown sections \['registri'\].*missing.*\['registry'\]"):
        read_values(root)


@pytest.mark.parametrize("text", ["", "[]", "demo", "{"])
def test_what_is_not_a_mapping_is_refused(root, text):
    (root / "params.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"params\.yaml"):
        read_values(root)


@pytest.mark.parametrize("line", [b"1: x\nother: y\n", b"# \xff\n"])
def test_a_section_that_is_no_text_is_refused(root, line):
    with (root / "params.yaml").open("ab") as stream:
        stream.write(line)
    with pytest.raises(ConfigurationError, match=r"params\.yaml"):
        read_values(root)


def test_a_section_given_twice_is_refused(root):
    with (root / "params.yaml").open("a") as stream:
        stream.write("registry:\n  model: other\n")
    with pytest.raises(ConfigurationError, match="registry"):
        read_values(root)


def test_a_misspelt_setting_is_named_with_its_section(root, change):
    change("  threads: 1", "  thread: 1")
    with pytest.raises(ConfigurationError, match=r"section 'run'.*\n  thread: Extra inputs"):
        read_params(root)


def test_every_problem_of_a_section_is_listed(root, change):
    change("  threads: 1", "  thread: 1\n  sead: 2")
    with pytest.raises(ConfigurationError) as caught:
        read_params(root)
    assert "thread:" in str(caught.value)
    assert "sead:" in str(caught.value)


@pytest.mark.parametrize(
    ("written", "value"),
    [("1e-3", 1e-3), ("1E-3", 1e-3), ("2.5e+2", 250.0), (".5", 0.5), ("5.", 5.0), ("0.01", 0.01), ("1", 1.0)],
)
def test_numbers_are_yaml_1_2(root, change, written, value):
    change("learning_rate: 0.01", f"learning_rate: {written}")
    assert read_params(root).parent.recipe.learning_rate == value


@pytest.mark.parametrize(
    "written", ["'0.01'", "'1e-3'", "yes", ".nan", ".inf", "null", "[0.01]", "2026-01-01"]
)
def test_what_is_no_finite_number_is_refused(root, change, written):
    change("learning_rate: 0.01", f"learning_rate: {written}")
    with pytest.raises(ConfigurationError, match=r"section 'parent'.*\n.*learning_rate"):
        read_params(root)


def test_a_changed_section_is_read_back(root):
    retained = {"source": "retained", "rows_digest": "sha256:" + "0" * 64}
    write_params(root, {"dataset": retained})
    assert read_values(root)["dataset"] == retained
    assert read_params(root).dataset.source == "retained"


def test_all_other_lines_and_comments_stay(root):
    before = (root / "params.yaml").read_text()
    write_params(root, {"request": "another"})
    assert (root / "params.yaml").read_text() == before.replace("request: demo", "request: another")


def test_writing_what_is_there_changes_no_byte(root):
    before = (root / "params.yaml").read_bytes()
    write_params(root, {"request": "demo", "run": read_values(root)["run"]})
    assert (root / "params.yaml").read_bytes() == before


@pytest.mark.parametrize("name", ["17", "2026-11-20", "1e3", "no", "null", "0x10", "1_000"])
def test_an_id_that_looks_like_something_else_stays_text(root, name):
    write_params(root, {"request": name})
    assert read_values(root)["request"] == name


def test_comments_between_sections_stay_where_they_are(root):
    text = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(text + "\n# The end.\n")
    write_params(root, {"registry": {"model": "other"}, "run": {"seed": 1, "threads": 1}})
    after = (root / "params.yaml").read_text()
    assert after.endswith("registry:\n  model: other\n\n# The end.\n")
    assert "\nrun:\n  seed: 1\n  threads: 1\n\ndataset:\n" in after


def test_sections_on_one_line_are_refused_and_stay(root):
    written = "{" + ", ".join(f"{section}: {{}}" for section in SECTIONS) + "}"
    (root / "params.yaml").write_text(written)
    with pytest.raises(ConfigurationError, match="on separate lines"):
        write_params(root, {"request": "demo"})
    assert (root / "params.yaml").read_text() == written


def test_single_values_are_set_and_every_other_byte_stays(root):
    path = root / "params.yaml"
    before = path.read_text()
    set_values(root, {("run", "threads"): 7, ("policy", "classes", 1, "highest"): 0.5})
    after = path.read_text()
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert len(changed) == 2
    assert "threads: 7" in changed[0]
    assert "highest: 0.5" in changed[1]
    assert len(after.splitlines()) == len(before.splitlines())


@pytest.mark.parametrize("text", ["{source: digits}", "\n  source: digits # ours\n  seed: 0"])
def test_a_value_that_is_not_there_yet_comes_second_and_tears_no_comment_off(root, text):
    path = root / "params.yaml"
    before = path.read_text()
    start, end = before.index("dataset:"), before.index("\nparent:")
    path.write_text(f"{before[:start]}dataset: {text}\n\n# A comment.{before[end:]}")
    set_values(root, {("dataset", "canaries"): 7})
    after = path.read_text()
    assert list(read_values(root)["dataset"].items())[:2] == [("source", "digits"), ("canaries", 7)]
    assert "\n\n# A comment.\nparent:" in after
    assert ("# ours" in after) == ("# ours" in text)


@pytest.mark.parametrize("text", ["epochs: 3\noptimizer: sgd", '{"epochs": 3, "optimizer": "sgd"}'])
def test_a_record_is_read_from_yaml_or_json(tmp_path, text):
    (tmp_path / "recipe.yaml").write_text(text)
    assert read_yaml(tmp_path / "recipe.yaml", Recipe) == Recipe(epochs=3, optimizer="sgd")


@pytest.mark.parametrize(
    ("text", "said"),
    [("epochs: [", "is not YAML"), ("epoch: 3", "epoch: Extra inputs"), ("", "should be an object")],
)
def test_a_file_that_is_no_such_record_is_refused_by_its_name(tmp_path, text, said):
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=rf"(?s)recipe\.yaml.*{said}"):
        read_yaml(tmp_path / "recipe.yaml", Recipe)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SetupError, match=r"recipe\.yaml is not a file"):
        read_yaml(tmp_path / "recipe.yaml", Recipe)


@pytest.mark.parametrize("name", ["../evidence/r-1", "/etc/passwd", "a/b", "..", "R", "a\nb", ""])
def test_a_request_that_is_a_path_is_refused(root, name):
    """It names files: a project from elsewhere must not choose which."""
    write_params(root, {"request": name})
    with pytest.raises(ConfigurationError, match="section 'request'"):
        read_params(root)
