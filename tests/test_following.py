"""What it means to follow a page: every command must succeed, and print what the page says."""

import pytest
from following import Step, beginner, follow, is_printed, steps_of


@pytest.mark.parametrize(
    ("shown", "printed", "told"),
    [
        ("a …\n", "a b\n", True),
        ("a\n…\nb\n", "a\nb\n", True),
        ("a\n…\nb\n", "a\nx\ny\nb\n", True),
        ("a\n", "a\nb\n", False),
        ("…\nb\n", "a\nb\nc\n", False),
        ("0 of 51 in 1.5 s\n", "0 of 51 in 2.25 s\n", True),
        ("0 of 51\n", "1 of 51\n", False),
    ],
)
def test_an_elision_stands_for_what_it_says_and_for_no_more(shown, printed, told):
    assert is_printed(shown, printed) == told


def test_a_step_is_a_file_or_commands_with_what_they_print():
    page = "Save `a.py`:\n\n```python\n1\n```\n\n```sh\npython a.py\n```\n\nIt says:\n\n```text\n…\n```\n"
    assert steps_of(page) == (Step("1\n", file="a.py"), Step("python a.py\n", printed="…\n"))


def test_files_are_written_where_the_shell_is_and_it_stays_one_shell(tmp_path):
    (tmp_path / "empty").mkdir()
    steps = (
        Step("mkdir below\ncd below\n"),
        Step("hello\n", file="a.yaml"),
        Step("cat a.yaml\ncat no || echo $?\n"),
    )
    _, _, printed = follow(steps, tmp_path / "empty", beginner(tmp_path))
    assert is_printed("hello\ncat: no: …\n1\n", printed)
    assert (tmp_path / "empty/below/a.yaml").read_text() == "hello\n"


def test_a_command_that_fails_ends_it(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(AssertionError, match="before"):
        follow((Step("echo before\nfalse\ntouch after\n"),), tmp_path / "empty", beginner(tmp_path))
    assert not (tmp_path / "empty/after").exists()
