"""More than one retrained model, and shadow models: what they add to a deletion and to its certificate."""

import json
from typing import NamedTuple

import pytest
from sequence import of_class, serve
from tiny import prepared_tiny
from world import FORGOTTEN, NOISE, SMALL, lethe

from flows.stages.pipeline import DELETION
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.checkout.params import read_values, write_params
from tasks.computing.unlearning import attempt
from tasks.evidence.verification import verify_files
from tasks.keys.signing import read_certificate
from tasks.references.retrained import references_of
from tasks.report.page import write_report
from unlearn_core.audit.envelope import decode_envelope, read_statement
from unlearn_core.errors import EvidenceError
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.deletion import DeletionRecord

pytestmark = [*NOISE, pytest.mark.long]

REQUEST = "r-1"
MODELS, PAIRS = 5, 5
WIDE = {**FORGOTTEN, "below": 1.0, "above": 0.5}
"""A band that nets of a few epochs can be judged by: below chance on what they never saw."""


class Served(NamedTuple):
    """A deletion with several retrained models, and what it left."""

    checkout: Checkout
    record: DeletionRecord
    certificate: DeletionCertificate


@pytest.fixture(scope="module")
def served(own_folders, tmp_path_factory):
    policy = {**SMALL["policy"], "references": MODELS, "shadows": PAIRS, "classes": [WIDE]}
    checkout = Checkout(prepared_tiny(tmp_path_factory.mktemp("levels") / "project", policy=policy))
    serve(checkout.root, REQUEST, of_class("b"))
    statement = read_statement(decode_envelope(read_certificate(checkout.certificate(REQUEST))).payload)
    return Served(checkout, read_record(checkout.deletion, DeletionRecord), statement.predicate)


def test_the_models_that_the_policy_asks_for_are_built_and_none_twice(served):
    found = references_of(served.checkout, served.checkout.params.run)
    assert (len(found.retrained), len(found.pairs)) == (MODELS, PAIRS)
    assert len({entry.model for entry in served.record.references}) == MODELS


def test_five_retrained_models_make_the_second_level_of_evidence(served):
    assert served.certificate.judgement.verdict.level == "E2"
    assert served.record.references == served.certificate.judgement.references


def test_distances_are_shown_beside_the_floor(served):
    rung = served.record.accepted.evaluation
    apart, floor = (rung.value(f"js.{name}train.retain") for name in ("", "floor."))
    assert apart >= 0
    assert floor > 0
    assert all(entry.value("js.train.retain") > 0 for entry in served.record.references)


def test_shadows_attack_every_model_and_a_retrained_one_without_its_own_pair(served):
    counts = [entry.value("ulira.shadows") for entry in served.record.references]
    assert counts == [PAIRS - 1] * MODELS
    unlearned = served.record.accepted.evaluation
    assert (served.record.original.value("ulira.shadows"), unlearned.value("ulira.shadows")) == (PAIRS, PAIRS)
    assert unlearned.value("klom.retrained_models") == unlearned.value("epsilon.retrained_models") > 0
    assert served.record.original.value("ulira.auc") > 0.9


def test_shadows_were_made_to_unlearn_as_the_target_was(served, tmp_path, monkeypatch):
    """The unlearned shadows are kept: the stage repeats none of them, and gives the same record."""
    calls = []

    def counted(place, *arguments, **named):
        calls.append(place.root)
        return attempt(place, *arguments, **named)

    monkeypatch.setattr("tasks.references.shadows.attempt", counted)
    DELETION["unlearn"](served.checkout)
    assert calls == []
    assert read_record(served.checkout.deletion, DeletionRecord) == served.record


def test_the_certificate_carries_the_policy_and_is_verified_by_asking_the_gate_again(served):
    assert served.certificate.judgement.policy.references == MODELS
    verified = verify_files(served.checkout.certificate(REQUEST))
    assert verified["evidence_level"] == "E2"


def test_a_policy_that_was_changed_after_the_run_certifies_nothing(served):
    checkout = served.checkout
    before, policy = checkout.certificate(REQUEST).read_bytes(), read_values(checkout.root)["policy"]
    write_params(checkout.root, {"policy": {**policy, "alpha": 0.2}})
    try:
        with pytest.raises(EvidenceError, match="the verdict was reached under"):
            DELETION["certify"](Checkout(checkout.root))
    finally:
        write_params(checkout.root, {"policy": policy})
    assert checkout.certificate(REQUEST).read_bytes() == before


def test_the_page_tells_how_many_models_there_were(served):
    page = write_report(served.checkout, REQUEST).read_text()
    assert "5 models to compare with" in page


def test_the_command_line_says_which_level_is_possible(served, prefect_server):
    code, out, _ = lethe(served.checkout.root, "reference", "--json")
    assert code == 0
    assert json.loads(out)["holdings"]["level"] == "E2"
