"""The parts of a certificate agree, or every contradiction is named."""

import copy
import json
from typing import Any

import pytest

from unlearn_core.audit.acceptance import accept
from unlearn_core.audit.certificate import check
from unlearn_core.audit.evidence import SHADOWS
from unlearn_core.audit.policy import judge
from unlearn_core.errors import ConfigurationError, EvidenceError
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.certificate import (
    Attempt,
    DataDigests,
    DeletionCertificate,
    Judgement,
    Statement,
    ValidationSummary,
)
from unlearn_core.records.drift import DriftSummary
from unlearn_core.records.evaluation import Cost, Evaluation, Measurement
from unlearn_core.records.policy import Band, DriftBudget, Finding, Ladder, Policy, Verdict
from unlearn_core.records.provenance import Extension, Provenance
from unlearn_core.records.request import DeletionRequest, GroupSummary, group_id
from unlearn_core.records.result import Coverage, ParameterCoverage, UnlearningRecord
from unlearn_core.records.scope import ClassScope, SampleScope, Scope, SubjectScope

SEVEN = ClassScope(classes=("seven",))
PSEUDONYM = "hmac-sha256:" + "5a" * 32
ACCURACY = "accuracy.mean.audit.forget"
DRIFT = DriftSummary(
    origin="sha256:" + "0" * 64,
    requests=3,
    weight_distance=0.1,
    layer_weight_distance=0.2,
    retained_energy=1.0,
    staleness=None,
    accuracy=0.9,
    accuracy_at_origin=0.9,
)
LADDER = ("svd_class_projection", "unsir", "pgu")


def digest(name: str) -> str:
    return sha256(name.encode())


def evaluation(model: str, forget: float) -> Evaluation:
    values = {
        ACCURACY: forget,
        "accuracy.mean.audit.retain": 0.9812,
        "accuracy.mean.test.retain": 0.9734,
        "loss.mean.audit.retain": 0.0731,
        "population_mia.auc.forget": 0.4 + forget / 5,
    }
    measurements = (
        Measurement(name=name, value=value, low=value - 0.02, high=value + 0.02, samples=120)
        for name, value in values.items()
    )
    return Evaluation(model=digest(model), seed=7, measurements=tuple(measurements))


def judgement() -> Judgement:
    unlearned, reference = evaluation("unlearned", 0.01), evaluation("reference", 0.0)
    findings = tuple(
        Finding(
            measurement=entry.name,
            value=entry.value,
            lowest=ref.value - 0.05,
            highest=ref.value + 0.05,
            outcome="inside",
        )
        for entry, ref in zip(unlearned.measurements, reference.measurements, strict=True)
    )
    verdict = Verdict(
        verdict="passes",
        level="E1",
        decided_by=(ACCURACY, "population_mia.auc.forget"),
        reason="All 5 measurements are inside their bands; the original fails 2 of them.",
        findings=findings,
        policy=digest("policy"),
    )
    return Judgement(
        verdict=verdict,
        original=evaluation("parent", 0.99),
        unlearned=unlearned,
        references=(reference,),
    )


def statement(scope: Scope = SEVEN) -> Statement:
    """A statement as the pipeline makes it; the golden certificate was made of this one."""
    coverage = Coverage(
        parameters=(
            ParameterCoverage(parameter="stem.weight", treatment="projected", elements=432, share=0.75),
            ParameterCoverage(parameter="head.bias", treatment="frozen", elements=144, share=0.25),
        )
    )
    method = {"name": "pgu", "learning_rate": 0.01, "epochs": 3, "layers": ["stem", "head"], "repair": None}
    certificate = DeletionCertificate.of(
        request=DeletionRequest(id="erase-2025-03", scope=scope),
        data=DataDigests(
            before=digest("before"),
            retained=digest("retained"),
            splits={name: digest(name) for name in ("train", "tuning", "audit", "test")},
        ),
        result=UnlearningRecord(
            method=method, seed=3, parent=digest("parent"), weights=digest("unlearned"), coverage=coverage
        ),
        judgement=judgement(),
        attempts=(
            Attempt(method="svd_class_projection", verdict="under_forgotten"),
            Attempt(method="unsir", verdict="failed"),
            Attempt(method="pgu", verdict="passes"),
        ),
        validation=ValidationSummary(expectations=14, all_succeeded=True),
        cost=Cost(seconds=41.25, peak_memory_mib=412.5, samples_seen=18240),
        provenance=Provenance(
            commit="0123456789abcdef0123456789abcdef01234567",
            dirty=False,
            constraints=digest("constraints"),
            versions={"python": "3.11.7", "lethe-unlearning": "0.1.0", "torch": "2.11.0"},
            platform="Linux x86_64",
            device="cpu",
            threads=1,
            seeds={"unlearn": 3, "evaluate": 7},
            started="2025-03-01T09:00:00Z",
            finished="2025-03-01T09:04:10Z",
        ),
        lock=digest("lock"),
        moments=digest("moments"),
        ledger=digest("ledger"),
    )
    return Statement.of(certificate, name="model.safetensors")


def policy(**settings: Any) -> Policy:
    """Bands around the reference, such that the statement's findings follow."""
    entries = judgement().unlearned.measurements
    bands = tuple(
        Band(
            measurement=entry.name,
            below=0.05,
            above=0.05,
            below_means="over_forgotten",
            above_means="under_forgotten",
        )
        for entry in entries
    )
    ladder = Ladder(classes=LADDER, samples=LADDER)
    return Policy(ladder=ladder, classes=bands, samples=bands, **settings)


def with_policy() -> Statement:
    """The statement as the gate itself makes it, with the policy in it."""
    told = judgement()
    verdict = judge(policy(), "classes", told.unlearned, original=told.original, references=told.references)
    certificate = statement().predicate.model_copy(
        update={"judgement": told.model_copy(update={"verdict": verdict, "policy": policy()})}
    )
    return Statement.of(certificate, name="model.safetensors")


GAP = "probe.gap"


Tried = tuple[tuple[str, str, str], ...]


def two_claims(gap: float, *, accepted: str = "pgu", tried: Tried = ()) -> Statement:
    """The statement of a model that behaves, with what a probe of its features gives."""
    told = judgement()
    inside = Band(
        measurement=GAP,
        claim="removed",
        below=1.0,
        above=0.06,
        below_means="over_forgotten",
        above_means="under_forgotten",
    )
    rungs = tuple(name for name, _, _ in tried) or (accepted,)
    asked = policy().model_copy(
        update={"classes": (*policy().classes, inside), "ladder": Ladder(classes=rungs, samples=rungs)}
    )

    def probed(one: Evaluation, value: float) -> Evaluation:
        return one.model_copy(
            update={"measurements": (*one.measurements, Measurement(name=GAP, value=value))}
        )

    unlearned, original = probed(told.unlearned, gap), probed(told.original, 0.2)
    references = tuple(probed(one, 0.0) for one in told.references)
    verdict = judge(asked, "classes", unlearned, original=original, references=references)
    assert verdict.removed is not None
    own = Attempt(method=accepted, verdict="passes", removed=verdict.removed.verdict)
    attempts = [
        own
        if name == accepted
        else Attempt.parse(canonical_json({"method": name, "verdict": said, "removed": left}))
        for name, said, left in (tried or ((accepted, "", ""),))
    ]
    made = statement().predicate
    certificate = made.model_copy(
        update={
            "method": {**made.method, "name": accepted},
            "attempts": tuple(attempts),
            "note": None if verdict.is_shown else accept(asked, verdict, is_retrain=accepted == "retrain")[1],
            "judgement": Judgement(
                verdict=verdict, original=original, unlearned=unlearned, references=references, policy=asked
            ),
        }
    )
    return Statement.of(certificate, name="model.safetensors")


def changed(path: str, value: Any, original: Statement | None = None) -> Statement:
    """The statement with one value replaced; the path's numbers are indices."""
    tree = copy.deepcopy(json.loads((original or statement()).canonical()))
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = tree
    for part in parents:
        place = place[part]
    place[last] = value
    return Statement.parse(canonical_json(tree))


def reference(number: int) -> dict[str, Any]:
    return evaluation(f"reference-{number}", 0.0).model_dump(mode="json")


OTHERS = ("one of the others", "another")
REQUEST = DeletionRequest(id="erase-2025-03", scope=SEVEN)


def grouped(*others: str) -> Statement:
    """The statement of a request that was served with others, which nobody learns of."""
    members = tuple(sorted([REQUEST.summary.digest, *map(digest, others)]))
    group = GroupSummary(id=group_id(members), scope=digest("union"), members=members)
    return changed("predicate.group", group.model_dump(mode="json"))


def test_the_pipelines_statement_agrees_with_itself():
    check(statement())


def test_a_statement_of_a_request_of_its_own_has_the_bytes_that_it_always_had():
    expected = "sha256:d049be36d262dfbce9293ed450d1b91ed32001c689e4330f9f8e0b3cdfc1b53a"
    assert sha256(statement().canonical()) == expected


def test_a_statement_of_a_request_that_was_served_with_others_agrees_with_itself():
    check(grouped(*OTHERS))


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("request.id", "erase-2025-04", "group: request erase-2025-04 (sha256:"),
        ("request.kind", "subjects", "is not among its members"),
        ("request.scope", digest("another scope"), "is not among its members"),
        ("group.id", "group-0123456789ab", "group: its id is group-0123456789ab; its members make it"),
        ("group.members.0", digest("a stranger"), "its members make it"),
        ("group.members", [digest("x"), digest("y")], "is not among its members"),
        ("group.members", [REQUEST.summary.digest] * 2, "are not in order, each once"),
        ("group.members", sorted([REQUEST.summary.digest, digest("x")], reverse=True), "in order, each once"),
    ],
)
def test_a_group_that_contradicts_itself_is_named(path: str, value: Any, problem: str):
    with pytest.raises(EvidenceError) as caught:
        check(changed(f"predicate.{path}", value, grouped(*OTHERS)))
    assert problem in str(caught.value)


def test_a_group_of_one_is_none():
    with pytest.raises(ConfigurationError, match="at least 2"):
        changed("predicate.group.members", [REQUEST.summary.digest], grouped(*OTHERS))


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("subject.0.digest.sha256", "0" * 64, "subject: the statement is about"),
        ("predicate.note", f"it was {PSEUDONYM}", "pseudonym"),
        ("predicate.models.parent", digest("unlearned"), "nothing was unlearned"),
        ("predicate.data.retained", digest("before"), "nothing was deleted"),
        ("predicate.method", {"epochs": 3}, "no name"),
        ("predicate.judgement.original.model", digest("x"), "judgement.original is of"),
        ("predicate.judgement.unlearned.model", digest("x"), "judgement.unlearned is of"),
        ("predicate.judgement.references.0.model", digest("unlearned"), "its own reference"),
        ("predicate.judgement.references.0.model", digest("parent"), "its own reference"),
        ("predicate.judgement.references", [reference(1), reference(1)], "is listed twice"),
        ("predicate.judgement.original.measurements.1.name", ACCURACY, "measured twice"),
        ("predicate.judgement.verdict.findings", [], "nothing was judged"),
        ("predicate.judgement.verdict.findings.0.value", 0.02, "but 0.01 was measured"),
        ("predicate.judgement.verdict.findings.0.value", None, "but 0.01 was measured"),
        ("predicate.judgement.verdict.findings.0.measurement", "x.y", "but None was measured"),
        ("predicate.judgement.verdict.findings.0.outcome", "over_forgotten", "are all inside"),
        ("predicate.judgement.verdict.findings.0.outcome", "not_measured", "are all inside"),
        ("predicate.judgement.verdict.findings.0.highest", 0.005, "lies outside its bounds"),
        ("predicate.judgement.verdict.findings.0.lowest", 0.5, "lies outside its bounds"),
        ("predicate.judgement.verdict.decided_by", ["a.b"], "no finding is about a.b"),
        ("predicate.judgement.verdict.decided_by", [], "nothing tells the unlearned model from the original"),
        ("predicate.judgement.verdict.decided_by", ["accuracy.mean.audit.retain"], "does not fail the gate"),
        ("predicate.judgement.original.measurements.0.value", 0.0, "does not fail the gate"),
        ("predicate.judgement.original.measurements", [], "original is None, which does not fail the gate"),
        ("predicate.judgement.verdict.verdict", "under_forgotten", "only an accepted model"),
        ("predicate.judgement.verdict.verdict", "over_forgotten", "only an accepted model"),
        ("predicate.judgement.verdict.verdict", "inconclusive", "no note"),
        ("predicate.judgement.verdict.level", "E0", "1 references and 0 shadow pairs give E1"),
        ("predicate.judgement.verdict.level", "E2", "E2 is stated; 1 references"),
        ("predicate.judgement.verdict.level", "E3", "E3 is stated; 1 references"),
        ("predicate.judgement.references", [], "0 references and 0 shadow pairs give E0"),
        ("predicate.attempts.2.method", "salun", "the last is salun (passes), certified is pgu (passes)"),
        ("predicate.attempts.2.verdict", "inconclusive", "certified is pgu (passes)"),
        ("predicate.attempts.0.verdict", "passes", "svd_class_projection passed, but a later one was taken"),
        ("predicate.validation.all_succeeded", False, "did not meet every expectation"),
        ("predicate.validation.expectations", 0, "none was asked"),
        ("predicate.coverage.trained", 0.5, "add up to 1.5"),
        ("predicate.provenance.commit", None, "called clean"),
        ("predicate.provenance.started", "2025-03-01T09:04:11Z", "before the start"),
        ("predicate.provenance.finished", "2025-02-30T09:04:11Z", "not on the calendar"),
    ],
)
def test_a_contradiction_is_named(path: str, value: Any, problem: str):
    with pytest.raises(EvidenceError) as caught:
        check(changed(path, value))
    assert problem in str(caught.value)


def test_every_contradiction_is_listed():
    wrong = changed("predicate.models.unlearned", digest("another"))
    with pytest.raises(EvidenceError) as caught:
        check(wrong)
    assert "subject:" in str(caught.value)
    assert "judgement.unlearned is of" in str(caught.value)


def test_an_inconclusive_verdict_needs_a_note_and_nothing_else():
    tree = json.loads(statement().canonical())
    tree["predicate"]["judgement"]["verdict"] |= {"verdict": "inconclusive", "decided_by": []}
    tree["predicate"]["attempts"][-1]["verdict"] = "inconclusive"
    tree["predicate"]["note"] = "Nothing that could be forgotten was measurable."
    check(Statement.parse(canonical_json(tree)))


@pytest.mark.parametrize(("level", "count"), [("E0", 0), ("E1", 1), ("E1", 4), ("E2", 5), ("E2", 64)])
def test_a_level_of_evidence_stands_on_enough_references(level: str, count: int):
    tree = json.loads(statement().canonical())
    tree["predicate"]["judgement"]["references"] = [reference(number) for number in range(count)]
    tree["predicate"]["judgement"]["verdict"]["level"] = level
    check(Statement.parse(canonical_json(tree)))


@pytest.mark.parametrize(
    "scope",
    [
        ClassScope(classes=("ada-lovelace",)),
        SampleScope(samples=(PSEUDONYM,)),
        SubjectScope(subjects=(PSEUDONYM,)),
    ],
)
def test_a_certificate_names_nobody(scope: Scope):
    stated = statement(scope)
    check(stated)
    assert b"ada-lovelace" not in stated.canonical()
    assert PSEUDONYM.removeprefix("hmac-sha256:").encode() not in stated.canonical()
    assert stated.predicate.request.scope == scope.digest


def test_a_statement_reads_back_as_it_was_written():
    assert Statement.parse(statement().canonical()) == statement()
    assert statement().canonical().startswith(b'{"_type":"https://in-toto.io/Statement/v1","predicate":{')


def test_a_statement_with_its_policy_agrees_with_itself():
    check(with_policy())


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("policy.classes.0.above", 0.06, "policy: its digest is"),
        ("policy.alpha", 0.01, "policy: its digest is"),
        ("verdict.policy", digest("another"), "policy: its digest is"),
        ("verdict.findings.0.highest", 0.06, "verdict: findings is"),
        ("verdict.decided_by", [ACCURACY], "verdict: decided_by is"),
        ("verdict.reason", "It is fine.", "verdict: reason is 'It is fine.'; policy and measurements give"),
        ("original.measurements.0.value", 0.01, "verdict: reason is"),
        ("references.0.measurements.0.value", 0.02, "verdict: findings is"),
    ],
)
def test_the_verdict_is_what_the_policy_makes_of_the_numbers(path: str, value: Any, problem: str):
    with pytest.raises(EvidenceError) as caught:
        check(changed(f"predicate.judgement.{path}", value, with_policy()))
    assert problem in str(caught.value)


def test_the_last_digits_of_a_bound_may_be_another_librarys():
    bound = with_policy().predicate.judgement.verdict.findings[0].highest
    path = "predicate.judgement.verdict.findings.0.highest"
    check(changed(path, bound + 1e-12, with_policy()))
    with pytest.raises(EvidenceError, match="verdict: findings is"):
        check(changed(path, bound + 1e-6, with_policy()))


def test_a_verdict_that_the_policy_does_not_accept_is_refused():
    told = judgement()
    same = told.model_copy(update={"original": told.unlearned.model_copy(update={"model": digest("parent")})})
    for when, refused in (("retrain", True), ("accept_with_note", False)):
        stated = policy(when_inconclusive=when)
        verdict = judge(stated, "classes", same.unlearned, original=same.original, references=same.references)
        attempts = (Attempt(method="pgu", verdict="inconclusive"),)
        certificate = statement().predicate.model_copy(
            update={
                "judgement": same.model_copy(update={"verdict": verdict, "policy": stated}),
                "attempts": attempts,
                "note": "Nothing that could be forgotten was measurable.",
            }
        )
        stating = Statement.of(certificate, name="model.safetensors")
        if refused:
            with pytest.raises(EvidenceError, match="the policy does not accept it"):
                check(stating)
        else:
            check(stating)


METRIC = Extension(kind="metric", name="margin", package="others", version="1.0", code=digest("their code"))
METHOD = METRIC.model_copy(update={"kind": "method", "name": "pgu"})


def extended() -> Statement:
    """The statement where method and metric are not Lethe's own."""
    told = judgement()
    measured = told.unlearned.model_copy(update={"extensions": (METRIC,)})
    stated = policy(metrics={"margin": {}})
    verdict = judge(stated, "classes", measured, original=told.original, references=told.references)
    changes = {"unlearned": measured, "policy": stated, "verdict": verdict}
    certificate = statement().predicate.model_copy(
        update={"judgement": told.model_copy(update=changes), "extensions": (METHOD, METRIC)}
    )
    return Statement.of(certificate, name="model.safetensors")


def test_a_statement_with_extensions_agrees_with_itself():
    check(extended())


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("extensions.0.name", "svd", "method svd of others 1.0 is named, the method is pgu"),
        ("extensions.1.version", "1.1", "the metrics are not those that measured"),
        ("extensions", [METHOD.model_dump(mode="json")], "the policy asks for the metrics ['margin']"),
        ("judgement.unlearned.extensions", [], "the metrics are not those that measured"),
    ],
)
def test_extensions_are_those_that_were_used(path: str, value: Any, problem: str):
    with pytest.raises(EvidenceError) as caught:
        check(changed(f"predicate.{path}", value, extended()))
    assert problem in str(caught.value)


PASSED, REMAINS = ("passes", "passes"), ("passes", "under_forgotten")


def test_a_model_that_shows_both_claims_is_certified_without_a_note():
    stated = two_claims(0.01, tried=(("svd", *REMAINS), ("pgu", "", "")))
    check(stated)
    assert stated.predicate.note is None
    assert stated.predicate.judgement.verdict.in_words == "behaves and removed"


def test_a_model_that_only_behaves_is_certified_with_a_note_that_says_so():
    stated = two_claims(0.2)
    check(stated)
    assert stated.predicate.judgement.verdict.in_words == "behaves, not removed"
    assert "probe.gap is 0.2, outside [-1, 0.06]" in str(stated.predicate.note)


def test_the_first_model_that_behaves_is_certified_if_later_ones_show_no_more():
    check(two_claims(0.2, tried=(("svd", "under_forgotten", "passes"), ("pgu", "", ""), ("unsir", *REMAINS))))


def test_a_retrained_model_is_certified_whatever_else_behaves():
    check(two_claims(0.2, accepted="retrain", tried=(("svd", *REMAINS), ("retrain", "", ""))))


@pytest.mark.parametrize(
    ("gap", "tried", "problem"),
    [
        (0.2, (("svd", *REMAINS), ("pgu", "", "")), "svd passed, but a later one was taken"),
        (0.2, (("svd", *PASSED), ("pgu", "", "")), "svd passed, but a later one was taken"),
        (0.2, (("pgu", "", ""), ("svd", *PASSED)), "svd passed, but an earlier one was taken"),
        (0.01, (("svd", *PASSED), ("pgu", "", "")), "svd passed, but a later one was taken"),
        (0.01, (("pgu", "", ""), ("svd", *REMAINS)), "the last is svd (passes), certified is pgu"),
    ],
)
def test_another_model_that_should_have_been_taken_is_named(gap: float, tried: Any, problem: str):
    with pytest.raises(EvidenceError) as caught:
        check(two_claims(gap, tried=tried))
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("note", None, "not shown to be removed, and no note says why"),
        ("judgement.verdict.removed.verdict", "passes", "verdict: removed is"),
        ("judgement.verdict.removed.reason", "It is gone.", "verdict: removed is"),
        ("judgement.verdict.findings.5.outcome", "inside", "called inside, but lies outside its bounds"),
        ("judgement.verdict.findings.5.claim", "behaves", "are all inside"),
        ("attempts.0.removed", "passes", "attempts: the last is pgu (passes), certified is pgu"),
        ("judgement.policy.when_not_removed", "retrain", "policy: its digest is"),
    ],
)
def test_a_claim_that_was_not_shown_cannot_be_made(path: str, value: Any, problem: str):
    with pytest.raises(EvidenceError) as caught:
        check(changed(f"predicate.{path}", value, two_claims(0.2)))
    assert problem in str(caught.value)


def test_a_policy_that_asks_for_both_claims_does_not_accept_one():
    stated = two_claims(0.2)
    told = stated.predicate.judgement
    asked = told.policy.model_copy(update={"when_not_removed": "retrain"}) if told.policy else None
    verdict = told.verdict.model_copy(update={"policy": asked.digest if asked else ""})
    update = {"judgement": told.model_copy(update={"policy": asked, "verdict": verdict})}
    certificate = stated.predicate.model_copy(update=update)
    with pytest.raises(EvidenceError, match="The policy accepts only a model that shows both"):
        check(Statement.of(certificate, name="model.safetensors"))


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("judgement.references", [], "asks for 1 retrained models, 0 are"),
        ("coverage.unsupported", 0.2, "coverage: 0.2 of the model was out of reach, the policy allows 0.05"),
        ("method.name", "magic", "method: magic is neither one of Lethe's own"),
        ("attempts.0.method", "magic", "attempts: magic is not on the policy's ladder"),
        ("attempts.0.method", "pgu", "is not the order of the policy's ladder"),
        ("approval", digest("approved"), "the policy does not ask for a person's"),
    ],
)
def test_what_a_policy_asks_for_beside_its_bands_is_asked_again(path: str, value: Any, problem: str):
    with pytest.raises(EvidenceError) as refused:
        check(changed(f"predicate.{path}", value, with_policy()))
    assert problem in str(refused.value)


def test_one_retrained_model_under_several_names_is_one():
    several = [reference(number) for number in range(5)]
    with pytest.raises(EvidenceError, match="one model is listed twice"):
        check(changed("predicate.judgement.references", several, with_policy()))


def test_an_attack_that_the_policy_did_not_ask_for_raises_no_level():
    attacked = [*json.loads(with_policy().canonical())["predicate"]["judgement"]["unlearned"]["measurements"]]
    attacked.append({"name": SHADOWS, "value": 64.0, "low": None, "high": None, "samples": None})
    with pytest.raises(EvidenceError, match="asks for 0 pairs of shadow models, 64 attacked"):
        check(changed("predicate.judgement.unlearned.measurements", attacked, with_policy()))


@pytest.mark.parametrize(
    ("drift", "problem"),
    [(None, "no drift is in the certificate"), (DRIFT, "deletions 3, allowed 2")],
    ids=["not measured", "overdrawn"],
)
def test_the_drift_budget_is_asked_again(drift: DriftSummary | None, problem: str):
    asked = policy(drift=DriftBudget(max_requests=2))
    told = with_policy().predicate
    verdict = told.judgement.verdict.model_copy(update={"policy": asked.digest})
    judged = told.judgement.model_copy(update={"policy": asked, "verdict": verdict})
    certificate = told.model_copy(update={"judgement": judged, "drift": drift})
    with pytest.raises(EvidenceError) as refused:
        check(Statement.of(certificate, name="model.safetensors"))
    assert problem in str(refused.value)


@pytest.mark.parametrize("name", ["accuracy.train.forget", "mia.loss_auc"])
def test_a_measurement_that_missed_its_band_cannot_be_called_silent(name: str):
    silent = [{"name": name, "reason": "one class is left"}]
    path = "predicate.judgement.unlearned.unmeasured"
    with pytest.raises(EvidenceError, match=rf"{name} is said to be silent, and of such a request it never"):
        check(changed(path, silent))
    check(changed(path, [{"name": "accuracy.test.retain", "reason": "one class is left"}]))
    check(changed(path, [{"name": "loss.audit.forget", "reason": "no sample", "lacking": True}]))


def test_what_samples_measure_is_silent_only_where_what_is_retained_is():
    path, of_samples = (
        "predicate.judgement.unlearned.unmeasured",
        statement(SampleScope(samples=(PSEUDONYM,))),
    )
    forget = {"name": "loss.train.forget", "reason": "one class is left"}
    with pytest.raises(EvidenceError, match=r"loss\.train\.forget is said to be silent"):
        check(changed(path, [forget], of_samples))
    check(changed(path, [forget, forget | {"name": "loss.train.retain"}], of_samples))
