"""The one shape of what is written down: canonical, strict, and wrong in words."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from unlearn_core.errors import ConfigurationError
from unlearn_core.records.base import Pseudonym, Record, Sha256, UtcTime, canonical_json, sha256

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


class Inner(Record):
    rate: float = 0.5


class Outer(Record):
    name: str
    count: int = 1
    inner: Inner = Inner()
    values: tuple[int, ...] = ()


class Digests(Record):
    digest_of_file: Sha256 | None = None
    person: Pseudonym | None = None
    at: UtcTime | None = None


@given(JSON.filter(lambda value: "\\ud" not in json.dumps(value)))
def test_canonical_json_reads_back_as_what_was_written(value):
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(st.text("abc", min_size=1), st.integers(), max_size=6), st.randoms())
def test_the_order_of_keys_does_not_matter(value, random):
    shuffled = list(value.items())
    random.shuffle(shuffled)
    assert canonical_json(dict(shuffled)) == canonical_json(value)


def test_canonical_json_has_no_white_space_and_is_utf_8():
    assert canonical_json({"ß": [1, 2.0, None], "a": True}) == '{"a":true,"ß":[1,2.0,null]}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_cannot_be_written(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json([value])
    with pytest.raises(ValidationError):
        Inner(rate=value)


def test_a_digest_is_the_sha_256_of_the_canonical_json_and_says_so():
    record = Outer(name="a")
    assert record.canonical() == b'{"count":1,"inner":{"rate":0.5},"name":"a","values":[]}'
    assert record.digest == "sha256:" + hashlib.sha256(record.canonical()).hexdigest()


@pytest.mark.parametrize(
    "other",
    [Outer(name="b"), Outer(name="a", count=2), Outer(name="a", inner=Inner(rate=0.25))],
)
def test_any_other_value_has_another_digest(other):
    assert other.digest != Outer(name="a").digest


def test_a_record_reads_back_equal():
    record = Outer(name="a", values=(1, 2))
    assert Outer.parse(record.canonical()) == record
    assert Outer.parse(record.canonical().decode()).digest == record.digest


def test_a_record_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Outer(name="a").name = "b"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ('{"name":"a","nmae":1}', r"nmae: Extra inputs are not permitted \(got 1\)"),
        ('{"name":"a","inner":{"rat":1}}', r"inner\.rat: Extra inputs"),
        ("{}", "name: Field required"),
        ('{"name":1}', r"name: .*valid string \(got 1\)"),
        ('{"name":"a","count":"1"}', r"count: .*valid integer \(got '1'\)"),
        ('{"name":"a","count":1.0}', "count: .*valid integer"),
        ('{"name":"a","count":true}', "count: .*valid integer"),
        ('{"name":"a","inner":{"rate":"1e-3"}}', r"inner\.rate: .*valid number \(got '1e-3'\)"),
        ('{"name":"a","inner":{"rate":NaN}}', r"inner\.rate: .*finite number"),
        ('{"name":"a","inner":{"rate":Infinity}}', r"inner\.rate: .*finite number"),
        ('{"name":"a","values":[1,"2"]}', r"values\.1: .*valid integer"),
        ("[1]", "Outer: "),
        ("not json", "Outer: Invalid JSON"),
        ("", "Outer: Invalid JSON"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(raw, said):
    with pytest.raises(ConfigurationError, match=said):
        Outer.parse(raw)


@pytest.mark.parametrize("value", [1.0, "1", True])
def test_a_record_is_as_strict_in_python(value):
    with pytest.raises(ValidationError, match="valid integer"):
        Outer(name="a", count=value)


def test_every_problem_is_listed_on_a_line_of_its_own():
    with pytest.raises(ConfigurationError) as caught:
        Outer.parse('{"count":"x","inner":{"rate":"y"},"nmae":1}')
    said = str(caught.value).splitlines()
    assert said[0] == "Outer is not valid:"
    assert sorted(line.split(":")[0].strip() for line in said[1:]) == ["count", "inner.rate", "name", "nmae"]


def test_a_huge_value_is_not_repeated_whole():
    with pytest.raises(ConfigurationError) as caught:
        Outer.parse(canonical_json({"name": ["x" * 10_000]}))
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("algorithm", ["sha256:", "hmac-sha256:"])
@pytest.mark.parametrize("spoil", [str.upper, lambda text: text[:-1], lambda text: text + "0", lambda _: ""])
def test_digests_and_pseudonyms_are_taken_in_one_spelling_only(algorithm, spoil):
    field = "digest_of_file" if algorithm == "sha256:" else "person"
    good = algorithm + "a" * 64
    assert Digests.parse(canonical_json({field: good}))
    with pytest.raises(ConfigurationError):
        Digests.parse(canonical_json({field: spoil(good)}))


@pytest.mark.parametrize("spoilt", ["\n", "x"])
def test_nothing_may_follow_a_digest(spoilt):
    with pytest.raises(ConfigurationError):
        Digests.parse(canonical_json({"digest_of_file": sha256(b"") + spoilt}))


@pytest.mark.parametrize("time", ["2026-11-20T10:00:00", "2026-11-20 10:00:00Z", "2026-11-20T10:00:00.5Z"])
def test_times_are_utc_to_the_second(time):
    assert Digests(at="2026-11-20T10:00:00Z")
    with pytest.raises(ValidationError):
        Digests(at=time)


@pytest.mark.parametrize("key", ["x\nverified: behaves", "x\r\x1b[2J", "x\u2028\u202e"])
def test_no_key_of_a_foreign_file_writes_a_line_of_its_own(key):
    with pytest.raises(ConfigurationError) as refused:
        Outer.parse(json.dumps({"name": "a", key: 1}))
    head, line = str(refused.value).split("\n")
    assert head == "Outer is not valid:"
    assert line.startswith("  x")
    assert line.isprintable()
