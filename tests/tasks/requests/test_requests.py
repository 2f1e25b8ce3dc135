"""Requests at rest: checked before anything is written, and never a raw id."""

import unicodedata

import pytest
from world import content, files_of, make_checkout

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_record
from tasks.checkout.params import read_values
from tasks.keys.signing import load_pseudonym_key, pseudonymise
from tasks.requests.request_file import (
    check_request,
    is_known,
    make_request,
    make_scope,
    preview_manifest,
    read_request,
    submit_request,
    typed_request,
)
from tasks.requests.typed import told_as_typed
from unlearn_core.audit.grouping import make_group
from unlearn_core.errors import ConfigurationError, MisfitError, PipelineError, RequestError, SetupError
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope


@pytest.fixture
def checkout(tmp_path):
    return Checkout(make_checkout(tmp_path / "project"))


def scope(classes=(), samples=(), subjects=()):
    return make_scope(classes=classes, samples=samples, subjects=subjects)


def request(request_id="r-17", **named):
    return DeletionRequest(id=request_id, scope=scope(**named))


def test_names_of_classes_stay_and_are_put_in_order_once():
    assert scope(classes=("5", "3", "5")) == ClassScope(classes=("3", "5"))


@pytest.mark.parametrize("kind", ["classes", "samples", "subjects"])
def test_a_name_means_the_same_in_either_unicode_form(kind):
    none = {"classes": (), "samples": (), "subjects": ()}
    scopes = [
        make_scope(**{**none, kind: (unicodedata.normalize(form, "Zo\u00eb"),)}) for form in ("NFC", "NFD")
    ]
    assert scopes[0] == scopes[1]


@pytest.mark.parametrize("kind", ["sample", "subject"])
def test_ids_become_pseudonyms_in_order_once(kind):
    found = getattr(scope(**{f"{kind}s": ("b", "a", "b")}), f"{kind}s")
    key = load_pseudonym_key()
    assert found == tuple(sorted(pseudonymise(key, kind, one) for one in "ab"))


def test_a_scope_names_something():
    with pytest.raises(RequestError, match="this one names nothing"):
        scope()


def test_a_scope_may_name_several_kinds_and_ids_become_pseudonyms_of_their_kind():
    found = scope(classes=("3",), samples=("one",), subjects=("one",))
    key = load_pseudonym_key()
    assert found.kind == "mixed"
    assert found.samples == (pseudonymise(key, "sample", "one"),)
    assert found.subjects == (pseudonymise(key, "subject", "one"),)


def refusal(**error):
    """Return what a person who typed names is told of a misfit."""
    typed = {"samples": ("digit-0012",), "subjects": ()}
    name = pseudonymise(load_pseudonym_key(), "sample", "digit-0012")
    with pytest.raises(RequestError) as caught, told_as_typed(**typed):
        raise MisfitError(f"unknown sample: {name}; check the ids", names=(name,), **error)
    return str(caught.value)


def test_a_person_is_told_what_may_have_been_meant_and_which_copies_there_are():
    said = refusal(known=("digit-0001", "digit-9012"), copies=("a b", "c"))
    assert said.startswith("unknown sample: digit-0012; did you mean digit-9012? check the ids")
    assert said.endswith("Give the same command with --sample 'a b' --sample c")


def test_a_log_that_is_kept_gets_no_id(monkeypatch):
    monkeypatch.setenv("LETHE_LOG", "json")
    said = refusal(known=("digit-0013",), copies=("someone",))
    assert "digit-" not in said
    assert "someone" not in said


def test_what_an_earlier_request_forgot_is_told_with_that_request(checkout):
    asked = make_request("r-1", scope(samples=("digit-9999",)), model="digits")
    write_record(checkout.request("r-1"), asked)
    with pytest.raises(RequestError, match="unknown sample") as caught:
        check_request(checkout, make_request("r-2", asked.scope, model="digits"))
    assert "Forgotten already" not in str(caught.value)
    checkout.released("r-1").parent.mkdir(parents=True)
    checkout.released("r-1").write_text("{}")
    with pytest.raises(RequestError, match=r"Forgotten already: hmac-sha256:\w+ by request r-1"):
        check_request(checkout, make_request("r-2", asked.scope, model="digits"))


@pytest.mark.parametrize("kind", ["classes", "samples", "subjects"])
@pytest.mark.parametrize("name", ["", " ", "\udcff"])
def test_a_name_that_is_no_text_is_refused(kind, name):
    with pytest.raises(RequestError, match="expected non-empty UTF-8 text"):
        scope(**{kind: ("3", name)})


def test_a_request_is_written_and_named_in_the_settings(checkout):
    made = request(classes=("5",))
    submit_request(checkout, made)
    assert read_request(checkout, "r-17") == made
    assert read_values(checkout.root)["request"] == "r-17"


def test_a_request_that_is_typed_names_its_model(checkout):
    typed = typed_request(checkout, "r-17", classes=("5",), samples=(), subjects=())
    assert typed == DeletionRequest(id="r-17", model="digits", scope=scope(classes=("5",)))


def test_a_file_from_before_requests_named_their_model_stays_as_it_is(checkout):
    old = request(classes=("5",))
    submit_request(checkout, old)
    assert typed_request(checkout, "r-17", classes=("5",), samples=(), subjects=()) == old
    assert is_known(checkout, make_request("r-17", scope(classes=("5",)), model="digits"))
    with pytest.raises(RequestError, match="is taken by a request with another scope"):
        check_request(checkout, make_request("r-17", scope(classes=("4",)), model="digits"))


def test_checking_says_what_the_request_means(checkout):
    manifest = preview_manifest(checkout)
    trained_on = str(manifest.sample_ids[manifest.splits == "train"][0])
    selection = check_request(checkout, request(samples=(trained_on,)))
    assert manifest.sample_ids[selection.forget].tolist() == [trained_on]


def test_submitting_twice_changes_nothing(checkout):
    submit_request(checkout, request(classes=("5",)))
    before = files_of(checkout.root)
    submit_request(checkout, request(classes=("5",)))
    assert files_of(checkout.root) == before


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"classes": ("eleven",)}, "unknown class; the data set has"),
        ({"samples": ("digit-9999",)}, "unknown sample"),
        ({"subjects": ("nobody",)}, "unknown subject"),
        ({"classes": tuple("0123456789")}, "nothing would be left"),
        ({"request_id": "demo", "classes": ("5",)}, "the id 'demo' is taken"),
    ],
)
def test_a_request_that_is_refused_changes_no_byte(checkout, named, said):
    before = files_of(checkout.root)
    with pytest.raises(RequestError, match=said):
        submit_request(checkout, request(**named))
    assert files_of(checkout.root) == before


def test_a_group_and_each_of_its_members_are_written_and_the_group_is_named(checkout):
    group = make_group([request("r-5", classes=("5",)), request("r-6", classes=("6", "5"))])
    submit_request(checkout, group)
    assert read_request(checkout, group.id) == group
    assert [read_request(checkout, one.id) for one in group.singles] == list(group.singles)
    assert read_values(checkout.root)["request"] == group.id


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({"request_id": "demo", "classes": ("5",)}, ("6",), "the id 'demo' is taken"),
        ({"classes": ("eleven",)}, ("6",), "unknown class; the data set has"),
        ({"classes": tuple("01234")}, tuple("56789"), "nothing would be left"),
    ],
)
def test_a_group_with_a_request_that_is_refused_changes_no_byte(checkout, first, second, said):
    before = files_of(checkout.root)
    with pytest.raises(RequestError, match=said):
        submit_request(checkout, make_group([request(**first), request("r-18", classes=second)]))
    assert files_of(checkout.root) == before


def test_a_group_with_a_member_that_forgets_nothing_changes_no_byte(checkout):
    manifest = preview_manifest(checkout)
    trained, held = (str(manifest.sample_ids[manifest.splits == split][0]) for split in ("train", "test"))
    group = make_group([request("r-1", samples=(trained,)), request("r-2", samples=(held,))])
    before = files_of(checkout.root)
    with pytest.raises(RequestError, match=r"^r-2: the scope matches no training row; leave it out"):
        submit_request(checkout, group)
    assert files_of(checkout.root) == before


def test_wrong_settings_are_found_before_a_request_is_written(checkout):
    path = checkout.root / "params.yaml"
    path.write_text(path.read_text().replace("  canaries: 0", "  canaris: 0"))
    before = files_of(checkout.root)
    with pytest.raises(ConfigurationError, match="canaris"):
        submit_request(checkout, request(classes=("5",)))
    assert files_of(checkout.root) == before


def test_a_request_for_data_that_are_not_here_changes_no_byte(checkout):
    checkout = checkout.changed({"dataset": {"source": "retained", "rows_digest": content("unknown")}})
    before = files_of(checkout.root)
    with pytest.raises(PipelineError, match="holds no data set"):
        submit_request(checkout, request(classes=("5",)))
    assert files_of(checkout.root) == before


def test_no_raw_id_is_written(checkout):
    submit_request(checkout, request(samples=tuple(preview_manifest(checkout).sample_ids[:20].tolist())))
    assert b"digit-" not in checkout.request("r-17").read_bytes()


def test_previewing_writes_nothing(checkout):
    before = files_of(checkout.root)
    preview_manifest(checkout)
    assert files_of(checkout.root) == before


def test_a_request_that_is_not_there_is_named(checkout):
    with pytest.raises(SetupError, match="there is no request 'r-17'"):
        read_request(checkout, "r-17")


def test_a_file_that_holds_another_request_is_refused(checkout):
    checkout.request("r-17").write_bytes(checkout.request("demo").read_bytes())
    with pytest.raises(RequestError, match="holds the request 'demo'"):
        read_request(checkout, "r-17")


def test_a_request_is_known_by_all_of_it(checkout):
    submit_request(checkout, request(classes=("5",)))
    assert is_known(checkout, request(classes=("5",)))
    assert not is_known(checkout, request(classes=("6",)))
    assert not is_known(checkout, request("r-18", classes=("5",)))
