"""A group stands for its members and for nothing else; a single request is written as it always was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import pseudonym

from unlearn_core.audit.grouping import make_group
from unlearn_core.errors import ConfigurationError, RequestError
from unlearn_core.records.base import canonical_json
from unlearn_core.records.request import DeletionRequest, Member, group_id, union
from unlearn_core.records.scope import ClassScope, SampleScope, SubjectScope

NAMES = st.lists(st.sampled_from("0123456789"), min_size=1, unique=True).map(tuple)
SCOPES = {
    "classes": lambda *names: ClassScope(classes=names),
    "samples": lambda *names: SampleScope(samples=tuple(map(pseudonym, names))),
    "subjects": lambda *names: SubjectScope(subjects=tuple(map(pseudonym, names))),
}


def single(request_id, *names, kind="classes"):
    return DeletionRequest(id=request_id, scope=SCOPES[kind](*names))


def grouped(*requests):
    """Make a group by hand, in the order given."""
    return DeletionRequest(
        id=group_id(one.summary.digest for one in requests),
        scope=union(one.scope for one in requests),
        members=tuple(Member(id=one.id, scope=one.scope) for one in requests),
    )


def altered(**changes):
    """Read a group from JSON in which something was changed."""
    tree = json.loads(grouped(single("r-1", "3"), single("r-2", "5", "3")).canonical())
    return DeletionRequest.parse(canonical_json({**tree, **changes}))


def test_a_single_request_has_the_bytes_that_it_always_had():
    assert single("r-17", "3").canonical() == (
        b'{"id":"r-17","schema_version":"lethe.request/1","scope":{"classes":["3"],"kind":"classes"}}'
    )


def test_a_single_request_stands_for_itself():
    assert single("r-17", "3").singles == (single("r-17", "3"),)
    assert single("r-17", "3").group is None


@given(st.dictionaries(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,9}", fullmatch=True), NAMES, min_size=2))
def test_a_group_reads_back_and_names_what_its_members_name(wanted):
    found = grouped(*(single(one, *wanted[one]) for one in sorted(wanted)))
    assert DeletionRequest.parse(found.canonical()) == found
    assert found.scope.classes == tuple(sorted({name for names in wanted.values() for name in names}))
    assert {one.id: one.scope.classes for one in found.singles} == wanted


@pytest.mark.parametrize("kind", SCOPES)
def test_a_union_has_each_name_once_and_in_order(kind):
    expected = sorted(SCOPES[kind]("a", "b", "c").names)
    assert list(union([SCOPES[kind]("c", "b"), SCOPES[kind]("b", "a")]).names) == expected


def test_a_union_of_two_kinds_is_refused():
    with pytest.raises(ValueError, match="one kind of them"):
        union([SCOPES["classes"]("3"), SCOPES["samples"]("s")])


def test_a_groups_id_follows_from_its_members_and_not_from_their_order():
    first, second = single("r-1", "3").summary.digest, single("r-2", "5").summary.digest
    assert group_id([first, second]) == group_id([second, first])
    assert group_id([first, second]) != group_id([first, single("r-2", "6").summary.digest])
    assert group_id([first, second]) != group_id([first, single("r-3", "5").summary.digest])


def test_a_summary_tells_of_members_only_to_whom_knows_them():
    requests = single("r-1", "p", kind="subjects"), single("r-2", "q", kind="subjects")
    told = grouped(*requests).group
    assert set(told.members) == {one.summary.digest for one in requests}
    assert not any(name in told.canonical() for name in (b"r-1", b"r-2", b"hmac"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scope": {"kind": "classes", "classes": ["3"]}}, "the union of its members' scopes"),
        ({"scope": {"kind": "classes", "classes": ["3", "5", "7"]}}, "the union of its members' scopes"),
        ({"scope": {"kind": "classes", "classes": ["5", "3"]}}, "the union of its members' scopes"),
        ({"scope": {"kind": "subjects", "subjects": [pseudonym("p")]}}, "the union of its members' scopes"),
        ({"id": "group-0123456789ab"}, "it follows from its members"),
        ({"id": "r-3"}, "it follows from its members"),
        ({"members": []}, "at least 2"),
        ({"members": None}, "members"),
        ({"members": [{"id": "r-1", "scope": {"kind": "classes", "classes": ["3", "5"]}}]}, "at least 2"),
    ],
)
def test_a_group_that_is_not_its_members_is_refused(changes, said):
    with pytest.raises(ConfigurationError, match=said):
        altered(**changes)


@pytest.mark.parametrize("ids", [("r-2", "r-1"), ("r-1", "r-1")])
def test_members_stand_in_order_each_once(ids):
    with pytest.raises(ValueError, match="in the order of their ids, each once"):
        grouped(*(single(one, "3") for one in ids))


def test_members_are_of_one_kind():
    mixed = [{"id": "r-1", "scope": {"kind": "classes", "classes": ["3"]}}]
    mixed += [{"id": "r-2", "scope": {"kind": "subjects", "subjects": [pseudonym("p")]}}]
    with pytest.raises(ConfigurationError, match="one kind of them"):
        altered(members=mixed)


def of_model(request_id, model, *names):
    return DeletionRequest(id=request_id, model=model, scope=SCOPES["subjects"](*names))


def test_groups_of_the_same_persons_are_not_linked_either():
    made = [
        make_group([of_model("r-1", model, "p"), of_model(other, model, "q")])
        for model, other in (("faces", "r-2"), ("voices", "r-2"), ("faces", "r-3"))
    ]
    told = [group for one in made if (group := one.group) is not None]
    assert len({one.scope for one in told}) == len({one.id for one in told}) == 3
    assert not set(told[0].members) & set(told[1].members)
    for one in made:
        assert DeletionRequest.parse(one.canonical()) == one
        assert [single.summary.digest in one.group.members for single in one.singles] == [True, True]


def test_a_group_is_for_one_model():
    with pytest.raises(RequestError, match="for one model; these name faces and voices: group by model"):
        make_group([of_model("r-1", "faces", "p"), of_model("r-2", "voices", "p")])
    mixed = make_group([of_model("r-1", "faces", "p"), of_model("r-2", None, "p")])
    assert (mixed.model, [one.model for one in mixed.singles]) == ("faces", ["faces", None])
    with pytest.raises(ConfigurationError, match="the model of a group must be the one"):
        DeletionRequest.parse(canonical_json({**json.loads(mixed.canonical()), "model": "voices"}))
