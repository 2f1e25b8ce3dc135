"""The search for many byte strings at once, against one search after another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearn_core.byte_strings import VARIED, WINDOW, ByteStrings

# Few different bytes, so that strings overlap, repeat and nearly match.
FEW = st.lists(st.sampled_from(b"abcdefgh/1"), max_size=300).map(bytes)


@given(content=FEW, cuts=st.lists(st.tuples(st.integers(0, 300), st.integers(1, 40)), max_size=12), other=FEW)
def test_it_finds_what_one_search_after_another_finds(content, cuts, other):
    wanted = [content[start : start + length] for start, length in cuts] + [other[:12], other[5:30]]
    strings = ByteStrings(wanted)
    expected = {
        index for index, one in enumerate(wanted) if one in content and index not in strings.unsearchable
    }
    assert strings.found_in(content) == expected


@given(one=FEW)
def test_only_what_is_short_or_uniform_is_not_looked_for(one):
    windows = [one[start : start + WINDOW] for start in range(len(one) - WINDOW + 1)]
    can = any(len(set(window)) >= VARIED for window in windows)
    assert ByteStrings([one]).unsearchable == (() if can else (0,))


@pytest.mark.parametrize("start", [0, 1, 7, 2**20 - 4, 2**20, 2**21 + 3])
def test_it_finds_what_lies_across_the_blocks_in_which_it_reads(start):
    sought = bytes(range(40, 90))
    content = bytes(start) + sought + bytes(100)
    assert ByteStrings([sought]).found_in(content) == {0}
    assert ByteStrings([sought]).found_in(content[:-120]) == set()


def test_a_name_is_not_found_in_a_longer_one_unless_values_follow_on_one_another():
    names = ByteStrings([b"train/cat/1"], words={0})
    assert names.found_in(b"train/cat/10") == set()
    assert names.found_in(b"train/cat/10") != names.found_in(b"train/cat/10 train/cat/1")
    assert names.found_in(b"/images/train/cat/1.") == {0}
    assert names.found_in(b"train/cat/10", apart=False) == {0}


def test_signed_bytes_are_bytes():
    content = memoryview(bytes(range(100, 160))).cast("b")
    assert ByteStrings([bytes(range(120, 140))]).found_in(content) == {0}


@pytest.mark.parametrize("escape", [rb"\n", rb"\t", rb"\u00eb", rb"\xeb", b"%20", b"%2F", b"\xff", b" "])
def test_a_name_beside_an_escape_stands_alone(escape):
    names = ByteStrings([b"train/cat/1"], words={0})
    assert names.found_in(b"a" + escape + b"train/cat/1" + escape) == {0}
    assert names.found_in(b"a" + escape + b"train/cat/10") == set()
    assert names.found_in(escape + b"ntrain/cat/1") == set()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_name_in_utf_16_is_found_as_a_whole_word(encoding):
    names = ByteStrings(["cat/1".encode(encoding)], words={0})
    assert names.found_in("a cat/1.".encode(encoding)) == {0}
    assert names.found_in("a cat/10".encode(encoding)) == names.found_in("acat/1".encode(encoding)) == set()
