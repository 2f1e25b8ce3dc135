"""A deletion request: an id that is safe everywhere, and a scope that names no person."""

import pytest
from world import pseudonym

from unlearn_core.errors import ConfigurationError
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope, MixedScope, SampleScope, SubjectScope, classes_in, join

CLASSES = {"kind": "classes", "classes": ["3"]}


def parse(request_id="r-17", **scope):
    return DeletionRequest.parse(canonical_json({"id": request_id, "scope": scope or CLASSES}))


@pytest.mark.parametrize("name", ["demo", "r-17", "2026-11-20", "a.b_c-d", "0", "a" * 63])
def test_an_id_is_lower_case_letters_digits_dots_dashes_and_underscores(name):
    assert parse(name).id == name


@pytest.mark.parametrize(
    "name", ["", "A", "a b", "../a", "a/b", ".a", "-a", "a" * 64, "ä", "a\n", "a\0", "person@example.org"]
)
def test_an_id_that_could_be_a_path_an_option_or_an_address_is_refused(name):
    with pytest.raises(ConfigurationError, match="id: "):
        parse(name)


@pytest.mark.parametrize(
    ("scope", "kind"),
    [
        (CLASSES, ClassScope),
        ({"kind": "samples", "samples": [pseudonym("s")]}, SampleScope),
        ({"kind": "subjects", "subjects": [pseudonym("p")]}, SubjectScope),
        ({"kind": "mixed", "classes": ["3"], "subjects": [pseudonym("p")]}, MixedScope),
    ],
)
def test_a_scope_is_told_by_its_kind(scope, kind):
    assert isinstance(parse(**scope).scope, kind)


@pytest.mark.parametrize(
    "scope",
    [
        {"kind": "samples", "samples": ["digit-0001"]},
        {"kind": "subjects", "subjects": ["jane"]},
        {"kind": "subjects", "subjects": ["sha256:" + "0" * 64]},
        {"kind": "classes", "classes": []},
        {"kind": "samples", "samples": []},
        {"kind": "subjects", "subjects": []},
        {"kind": "classes", "subjects": [pseudonym("p")]},
        {"kind": "classes", "classes": ["3"], "samples": [pseudonym("s")]},
        {"kind": "mixed", "classes": ["3"]},
        {"kind": "mixed", "samples": ["digit-0001"], "subjects": [pseudonym("p")]},
        {"kind": "everything"},
    ],
)
def test_a_scope_with_a_raw_id_nothing_or_two_kinds_is_refused(scope):
    with pytest.raises(ConfigurationError, match="scope"):
        parse(**scope)


def test_two_requests_for_the_same_thing_share_their_scopes_digest_and_nothing_more():
    first, second = parse("a"), parse("b")
    assert first.scope_digest == second.scope_digest
    assert first.digest != second.digest


def test_a_request_of_an_unknown_version_is_refused():
    raw = canonical_json({"id": "a", "scope": CLASSES, "schema_version": "lethe.request/2"})
    with pytest.raises(ConfigurationError, match="schema_version"):
        DeletionRequest.parse(raw)


@pytest.mark.parametrize(
    "scope",
    [
        {"kind": "classes", "classes": ["3", "3"]},
        {"kind": "samples", "samples": [pseudonym("s"), pseudonym("s")]},
        {"kind": "subjects", "subjects": [pseudonym("p"), pseudonym("p")]},
        {"kind": "mixed", "classes": ["3", "3"], "subjects": [pseudonym("p")]},
    ],
)
def test_a_name_given_twice_is_refused(scope):
    with pytest.raises(ConfigurationError, match="given twice"):
        parse(**scope)


PERSON = {"kind": "subjects", "subjects": [pseudonym("p")]}


def named(request_id, model, scope=None):
    return DeletionRequest.parse(canonical_json({"id": request_id, "model": model, "scope": scope or PERSON}))


def test_what_is_published_of_a_scope_does_not_link_a_persons_requests():
    requests = [named("r-1", "faces"), named("r-2", "faces"), named("r-1", "voices")]
    first = DeletionRequest.parse(canonical_json({"id": "r-1", "scope": PERSON}))
    published = [one.summary.scope for one in (*requests, first)]
    assert len(set(published)) == 4
    # Whoever has the digest of the scope alone, from a first certificate, can compute none of the others.
    body = {"id": "r-1", "model": "faces", "scope": first.scope_digest}
    assert sha256(canonical_json(body)) not in published


def test_the_issuer_can_compute_it_again():
    request = named("r-1", "faces")
    body = {"id": "r-1", "model": "faces", "scope": PERSON}
    assert DeletionRequest.parse(request.canonical()).scope_digest == sha256(canonical_json(body))


def test_a_request_from_before_requests_named_their_model_asks_the_same():
    first = DeletionRequest.parse(canonical_json({"id": "r-1", "scope": PERSON}))
    assert first.asks_the_same(named("r-1", "faces"))
    assert named("r-1", "faces").asks_the_same(first)
    assert not named("r-1", "faces").asks_the_same(named("r-1", "voices"))
    assert not first.asks_the_same(named("r-2", "faces"))
    assert not first.asks_the_same(named("r-1", "faces", CLASSES))


def test_scopes_of_one_kind_join_to_that_kind_and_of_several_to_a_mixed_one():
    classes, people = ClassScope(classes=("3",)), SubjectScope(subjects=(pseudonym("p"),))
    assert join([classes, ClassScope(classes=("1", "3"))]) == ClassScope(classes=("1", "3"))
    mixed = join([people, classes])
    assert mixed == MixedScope(classes=("3",), subjects=people.subjects)
    assert join([mixed, classes]) == mixed
    assert (mixed.names, classes_in(mixed)) == (("3", *people.subjects), ("3",))
    assert mixed.model_dump(mode="json").keys() == {"kind", "classes", "subjects"}
