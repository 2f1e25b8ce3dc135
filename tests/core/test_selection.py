"""From a scope to rows: nothing in two places, nothing lost, and every misfit named."""

import unicodedata
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import content, manifest, pseudonym

from unlearn_core.errors import MisfitError, RequestError
from unlearn_core.records.data import FORGOTTEN_SPLIT
from unlearn_core.records.scope import ClassScope, SampleScope, SubjectScope, join
from unlearn_core.selection import require_classes, retained_rows, select

ROWS = manifest("aabbccab", "rrrrrrtt", subjects="xyxyxy--")


def rows(mask):
    return np.flatnonzero(mask).tolist()


def of_classes(*names):
    return ClassScope(classes=names)


def of_samples(*ids):
    return SampleScope(samples=tuple(pseudonym(one) for one in ids))


def of_subjects(*ids):
    return SubjectScope(subjects=tuple(pseudonym(one) for one in ids))


@st.composite
def requests(draw):
    """Any manifest of distinct images, and any scope that matches something in it."""
    size = draw(st.integers(2, 24))
    letters = [
        "".join(draw(st.lists(st.sampled_from(alphabet), min_size=size, max_size=size)))
        for alphabet in ("abc", "rruat", "xyz-")
    ]
    found = manifest(letters[0], letters[1], subjects=letters[2])
    kind = draw(st.sampled_from(["classes", "samples", "subjects"]))
    if kind == "classes":
        return found, of_classes(*draw(st.sets(st.sampled_from("abc"), min_size=1)))
    if kind == "samples":
        return found, of_samples(*draw(st.sets(st.sampled_from(found.sample_ids.tolist()), min_size=1)))
    people = sorted(set(letters[2]) - {"-"}) or ["nobody"]
    return found, of_subjects(*draw(st.sets(st.sampled_from(people), min_size=1)))


def named_rows(scope, found):
    """Say row by row what a scope names, in training or not."""
    for row in range(len(found)):
        if isinstance(scope, ClassScope):
            named = found.classes[found.labels[row]] in scope.classes
        elif isinstance(scope, SampleScope):
            named = pseudonym(found.sample_ids[row]) in scope.samples
        else:
            subject = found.subject_ids[row]
            named = bool(subject) and pseudonym(subject) in scope.subjects
        yield bool(named)


def naive(scope, found):
    """Say row by row what is forgotten."""
    named = zip(named_rows(scope, found), found.splits == "train", strict=True)
    return [bool(one and train) for one, train in named]


def selected(request):
    found, scope = request
    try:
        return found, scope, select(scope, found, pseudonym)
    except RequestError:
        return found, scope, None


@given(requests())
def test_forgotten_and_retained_rows_are_the_training_rows_and_share_none(request):
    found, _, selection = selected(request)
    if selection:
        assert not (selection.forget & selection.retain).any()
        assert ((selection.forget | selection.retain) == (found.splits == "train")).all()


@given(requests())
def test_what_is_forgotten_equals_a_naive_loop(request):
    found, scope, selection = selected(request)
    if selection:
        assert selection.forget.tolist() == naive(scope, found)


@given(requests())
def test_all_is_kept_but_forgotten_rows_and_held_out_rows_of_vanished_classes(request):
    found, scope, selection = selected(request)
    if selection:
        left = set(found.labels[selection.retain])
        named = list(named_rows(scope, found))
        for row in range(len(found)):
            held_out = found.splits[row] != "train"
            vanished = held_out and found.labels[row] not in left
            somebodys = held_out and named[row] and not isinstance(scope, ClassScope)
            assert selection.keep[row] == (not selection.forget[row] and not vanished and not somebodys)


@given(requests())
def test_a_refusal_has_a_reason_in_the_rows(request):
    found, scope, selection = selected(request)
    if selection is None:
        forgotten = naive(scope, found)
        train = (found.splits == "train").tolist()
        unknown = isinstance(scope, SubjectScope) and pseudonym("nobody") in scope.subjects
        assert unknown or not any(forgotten) or forgotten == train


def test_classes_are_told_by_index_in_ascending_order():
    assert select(of_classes("c", "a"), ROWS, pseudonym).classes == (0, 2)


def test_samples_and_subjects_forget_no_class():
    assert select(of_samples("row-000"), ROWS, pseudonym).classes == ()
    assert select(of_subjects("x"), ROWS, pseudonym).classes == ()


def test_held_out_rows_of_a_forgotten_class_leave_the_retained_data():
    assert rows(select(of_classes("a"), ROWS, pseudonym).keep) == [2, 3, 4, 5, 7]


def test_audit_and_test_rows_of_a_forgotten_class_are_kept_apart():
    found = manifest("aabbaaa", "rrrraut")
    selection = select(of_classes("a"), found, pseudonym)
    assert rows(selection.asked) == [4, 6]
    kept = retained_rows(found, selection)
    assert kept.sample_ids.tolist() == ["row-002", "row-003", "row-004", "row-006"]
    assert kept.splits.tolist() == ["train", "train", FORGOTTEN_SPLIT, FORGOTTEN_SPLIT]


def test_nothing_of_a_person_or_a_sample_is_kept_apart():
    found = manifest("aab", "rra", subjects="xyx")
    assert not select(of_subjects("x"), found, pseudonym).asked.any()
    assert not select(of_samples("row-000"), ROWS, pseudonym).asked.any()


def test_what_is_kept_apart_outlives_later_requests():
    found = manifest("bbccaa", "rrrraa")
    apart = replace(found, splits=np.array([*found.splits[:4], FORGOTTEN_SPLIT, FORGOTTEN_SPLIT]))
    for scope in (of_classes("b"), of_samples("row-000")):
        assert {4, 5} <= set(rows(select(scope, apart, pseudonym).keep))


def test_a_person_leaves_what_is_kept_apart_too():
    found = manifest("bbcca", "rrrra", subjects="xyyyx")
    apart = replace(found, splits=np.array([*found.splits[:4], FORGOTTEN_SPLIT]))
    assert rows(select(of_subjects("x"), apart, pseudonym).keep) == [1, 2, 3]


def test_a_copy_of_a_forgotten_image_is_not_kept_apart():
    found = manifest("aabbccab", "rrrrrrtt", contents=[0, 1, 2, 3, 4, 5, 0, 7])
    assert not select(of_classes("a"), found, pseudonym).asked.any()
    apart = replace(found, splits=np.array([*found.splits[:6], FORGOTTEN_SPLIT, "test"]))
    assert 6 not in rows(select(of_samples("row-000"), apart, pseudonym).keep)


def test_held_out_rows_of_a_forgotten_person_leave_the_retained_data():
    found = manifest("aab", "rra", subjects="xyx")
    assert rows(select(of_subjects("x"), found, pseudonym).keep) == [1]


def test_held_out_rows_of_a_class_stay_while_one_of_its_training_rows_does():
    assert rows(select(of_samples("row-000"), ROWS, pseudonym).keep) == [1, 2, 3, 4, 5, 6, 7]


def test_a_subject_is_every_training_row_of_that_person():
    assert rows(select(of_subjects("x"), ROWS, pseudonym).forget) == [0, 2, 4]


@pytest.mark.parametrize(
    ("scope", "named"),
    [
        (of_classes("a", "d"), "unknown class: d"),
        (of_samples("row-000", "row-999"), f"unknown sample: {pseudonym('row-999')}"),
        (of_subjects("x", "zoe"), f"unknown subject: {pseudonym('zoe')}"),
        (of_subjects(""), f"unknown subject: {pseudonym('')}"),
    ],
)
def test_what_is_unknown_is_named(scope, named):
    with pytest.raises(RequestError, match=named):
        select(scope, ROWS, pseudonym)


def test_an_unknown_class_is_answered_with_those_there_are():
    with pytest.raises(RequestError, match="the data set has a, b, c"):
        select(of_classes("d"), ROWS, pseudonym)


def test_a_scope_that_matches_no_training_row_is_refused():
    with pytest.raises(RequestError, match="no training row"):
        select(of_samples("row-006"), ROWS, pseudonym)


def test_a_scope_that_leaves_nothing_is_refused():
    with pytest.raises(RequestError, match="nothing would be left"):
        select(of_classes("a", "b", "c"), ROWS, pseudonym)


@pytest.mark.parametrize(("copy", "where"), [(1, "train"), (6, "held-out")])
def test_an_exact_duplicate_left_behind_is_named(copy, where):
    contents = list(range(8))
    contents[copy] = 0
    found = manifest("aabbccab", "rrrrrrtt", contents=contents)
    with pytest.raises(RequestError, match=f"1 exact duplicate.*{content(0)}"):
        select(of_samples("row-000"), found, pseudonym)


def test_duplicates_that_are_forgotten_together_are_no_obstacle():
    found = manifest("aabbccab", "rrrrrrtt", contents=[0, 0, 2, 3, 4, 5, 6, 7])
    assert rows(select(of_samples("row-000", "row-001"), found, pseudonym).forget) == [0, 1]


def test_a_copy_in_held_out_data_that_goes_too_is_no_obstacle():
    found = manifest("aabbccab", "rrrrrrtt", contents=[0, 1, 2, 3, 4, 5, 0, 7])
    assert rows(select(of_classes("a"), found, pseudonym).keep) == [2, 3, 4, 5, 7]


def test_at_most_five_duplicates_are_listed():
    found = manifest("a" * 15, "r" * 8 + "t" * 7, contents=[*range(7), 99, *range(7)])
    with pytest.raises(RequestError, match=r"7 exact duplicate.* …;") as caught:
        select(of_samples(*(f"row-{row:03d}" for row in range(7))), found, pseudonym)
    assert str(caught.value).count("sha256:") == 5


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_are_compared_in_one_form(form):
    """Data sets and requests of before may hold either."""
    composed, stored = "Zo\u00eb", unicodedata.normalize(form, "Zo\u00eb")
    found = replace(
        ROWS,
        classes=(stored, "b", "c"),
        sample_ids=np.array([f"{stored}{row}" for row in range(len(ROWS))]),
        subject_ids=np.where(ROWS.subject_ids == "x", stored, ROWS.subject_ids),
    )
    for named in {composed, stored}:
        assert select(of_classes(named), found, pseudonym).classes == (0,)
        assert rows(select(of_samples(f"{named}3"), found, pseudonym).forget) == [3]
        assert rows(select(of_subjects(named), found, pseudonym).forget) == [0, 2, 4]


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        (of_samples("row-006"), r"the 1 row\(s\) that it names are held out \(test\)"),
        (of_classes("b"), "it was forgotten earlier"),
    ],
)
def test_who_names_no_training_row_is_told_where_the_rows_are(scope, told):
    kept = replace(ROWS, splits=np.where(ROWS.labels == 1, FORGOTTEN_SPLIT, ROWS.splits))
    with pytest.raises(MisfitError, match=told) as caught:
        select(scope, kept, pseudonym)
    assert caught.value.names == scope.names


def test_copies_and_known_ids_go_with_a_refusal_and_not_into_its_message():
    found = manifest("aabbccab", "rrrrrrtt", contents=[0, 0, 2, 3, 4, 5, 0, 7])
    with pytest.raises(MisfitError) as caught:
        select(of_samples("row-000"), found, pseudonym)
    assert caught.value.copies == ("row-001", "row-006")
    assert "row-" not in str(caught.value)
    with pytest.raises(MisfitError) as caught:
        select(of_subjects("zoe"), ROWS, pseudonym)
    assert caught.value.known == ("x", "y")


def test_a_mixed_scope_forgets_what_each_of_its_parts_names():
    scope = join([of_classes("a"), of_samples("row-002"), of_subjects("y")])
    found = select(scope, ROWS, pseudonym)
    assert rows(found.forget) == [0, 1, 2, 3, 5]
    assert rows(found.keep) == [4]
    assert found.classes == ()
    # Of a class held-out rows are kept to ask later models for it, of a person never.
    assert rows(found.asked) == [6]
    owned = replace(ROWS, subject_ids=np.where(np.arange(len(ROWS)) == 6, "y", ROWS.subject_ids))
    assert rows(select(scope, owned, pseudonym).asked) == []


def test_a_mixed_scope_with_an_unknown_name_is_refused():
    with pytest.raises(RequestError, match="unknown subject"):
        select(join([of_classes("a"), of_subjects("zoe")]), ROWS, pseudonym)


def test_an_unknown_class_is_told_the_nearest_with_what_cannot_be_seen_in_it():
    with pytest.raises(RequestError, match=r"did you mean 'cat\\xa0'\? the data set"):
        require_classes(("catt",), ("cat\u00a0", "dog"))
