"""What is suggested to somebody who misspelt a name."""

from difflib import SequenceMatcher

from unlearn_core.spelling import did_you_mean


def test_the_nearest_of_many_long_names_is_found_by_comparing_few(monkeypatch):
    known = [f"train/class-{i % 10}/IMG_{i * 7919 % 10**6:06d}_holiday_{'ab' * 20}.png" for i in range(5_000)]
    compared = []
    ratio = SequenceMatcher.ratio
    monkeypatch.setattr(SequenceMatcher, "ratio", lambda self: compared.append(1) or ratio(self))
    assert did_you_mean(known[7].replace("holiday", "hollyday"), known) == f"did you mean {known[7]}? "
    assert len(compared) <= 2 * 500
    assert did_you_mean("x" * 2_000, ["x" * 1_999]) == ""


def test_a_name_with_what_cannot_be_seen_is_suggested_in_quotes():
    assert did_you_mean("cat", ["cat "]) == "did you mean 'cat '? "
    assert did_you_mean("big cat", ["big\u00a0cat"]) == r"did you mean 'big\xa0cat'? "
