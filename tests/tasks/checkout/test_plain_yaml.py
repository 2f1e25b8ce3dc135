"""YAML from others: plain values, or one line that says what is wrong; never a loop, nor much memory."""

import time

import pytest

from tasks.checkout.params import read_yaml
from tasks.checkout.plain_yaml import load_yaml, parse_yaml
from unlearn_core.errors import ConfigurationError, SetupError
from unlearn_core.records.adoption import Claims

LIST, MAPPING = "a0: &a0 [1, 2, 3]\n", "a0: &a0 {x: 1}\n"
LEVELS = range(1, 12)


def aliases(level):
    return ", ".join([f"*a{level - 1}"] * 9)


EXPLODING = {
    "lists": LIST + "".join(f"a{level}: &a{level} [{aliases(level)}]\n" for level in LEVELS),
    "merged mappings": MAPPING
    + "".join(f"a{level}: &a{level} {{<<: [{aliases(level)}]}}\n" for level in LEVELS),
}
DEEP = "nested too deeply, or an alias stands for itself"
WRONG = {
    "&a [*a]": DEEP,
    "a: &a {b: *a}": DEEP,
    "a: &a {<<: *a}": DEEP,
    "[" * 20_000: DEEP,
    "{a: " * 3_000: DEEP,
    "{[1]: 2}": "the key in line 1 is neither text nor a number",
    "a: 1\n2020-01-01: 2": "the key in line 2 is neither text nor a number",
    "!!python/object:os.system x": "could not determine a constructor",
    "accuracy: " + "9" * 6_000: "Exceeds the limit",
    "accuracy: 2020-99-99": "month must be in",
    "a: 1\na: 1": "found duplicate key",
    "--- a\n--- b": "another document",
    "*nowhere": "undefined alias",
    "a: \0": "unacceptable character",
}


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_told_on_one_line_and_at_once(text):
    start = time.process_time()
    with pytest.raises(ConfigurationError, match=WRONG[text]) as caught:
        parse_yaml(text)
    assert "\n" not in str(caught.value)
    assert time.process_time() - start < 2


@pytest.mark.parametrize("kind", EXPLODING)
def test_aliases_that_stand_for_too_much_are_counted_and_not_made(kind):
    with pytest.raises(ConfigurationError, match=r"aliases stand for \d{12} values"):
        parse_yaml(EXPLODING[kind])


def test_an_alias_may_be_used_in_settings():
    assert parse_yaml("mean: &half [0.5]\nstd: *half") == {"mean": [0.5], "std": [0.5]}
    assert parse_yaml("a: &a {x: 1}\nb: {<<: *a, y: 2}")["b"] == {"x": 1, "y": 2}


def test_a_card_of_any_such_kind_is_refused_by_its_name(tmp_path):
    for text in WRONG:
        (tmp_path / "net.yaml").write_text(text)
        with pytest.raises(ConfigurationError, match=r"net\.yaml is not YAML"):
            read_yaml(tmp_path / "net.yaml", Claims)


def test_a_large_file_is_not_read(tmp_path):
    with (tmp_path / "net.yaml").open("wb") as stream:
        stream.truncate(2**40)
    with pytest.raises(ConfigurationError, match="has more than 512 KiB; expected settings"):
        load_yaml(tmp_path / "net.yaml")


def test_a_file_that_is_not_text_or_cannot_be_read_is_told(tmp_path):
    (tmp_path / "net.yaml").write_bytes("é".encode("latin-1"))
    with pytest.raises(ConfigurationError, match="is not text in UTF-8"):
        load_yaml(tmp_path / "net.yaml")
    with pytest.raises(SetupError, match="cannot be read"):
        load_yaml(tmp_path)
