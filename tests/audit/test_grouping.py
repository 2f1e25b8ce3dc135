"""Which requests one run can serve together."""

import itertools

import pytest
from world import pseudonym

from unlearn_core.audit.grouping import make_group, make_one
from unlearn_core.errors import RequestError
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope, SubjectScope


def single(request_id, *classes):
    return DeletionRequest(id=request_id, scope=ClassScope(classes=classes))


THREE = single("r-1", "3"), single("r-2", "5", "3"), single("r-10", "8")
PERSON = DeletionRequest(id="r-4", scope=SubjectScope(subjects=(pseudonym("p"),)))


def test_a_group_names_what_its_members_name():
    found = make_group(THREE)
    assert found.scope == ClassScope(classes=("3", "5", "8"))
    assert {*found.singles} == {*THREE}


def test_the_same_requests_make_the_same_group_in_any_order():
    assert len({make_group(order) for order in itertools.permutations(THREE)}) == 1
    assert make_group(THREE[:2]).id != make_group(THREE[1:]).id


def test_one_request_is_served_as_it_is():
    assert make_one(THREE[:1]) == THREE[0]
    assert make_one(THREE) == make_group(THREE)


@pytest.mark.parametrize(
    ("requests", "said"),
    [
        ((), "got 0"),
        (THREE[:1], "got 1"),
        ((*THREE, THREE[0]), "r-1 came twice"),
        ((THREE[0], single("r-1", "4")), "r-1 came twice"),
        ((THREE[0], PERSON), "these name classes and subjects"),
        ((make_group(THREE), single("r-5", "6")), "is a group already"),
    ],
)
def test_what_cannot_be_a_group_is_refused(requests, said):
    with pytest.raises(RequestError, match=said):
        make_group(requests)
