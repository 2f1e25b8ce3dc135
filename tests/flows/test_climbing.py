"""Which model a climb takes where two claims are judged: the first with both, or the first that behaves."""

import pytest
from told import COVERAGE, drifted, record_of
from world import NOISE, content

from flows.stages.climbing import Baseline, Climb, try_method
from flows.stages.steps import Steps
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_record
from tasks.computing.unlearning import Attempted
from tasks.references.retrained import NOTHING
from unlearn_core.audit.attempts import attempts_of
from unlearn_core.audit.earlier import Earlier
from unlearn_core.errors import UnlearningError
from unlearn_core.methods import parse_methods
from unlearn_core.records.deletion import SplitRecord
from unlearn_core.records.earlier import EarlierRequest, Knowledge
from unlearn_core.records.evaluation import Cost, Evaluation, Measurement
from unlearn_core.records.params import RunParams
from unlearn_core.records.policy import Band, DriftBudget, Ladder, Policy
from unlearn_core.records.result import UnlearningRecord

pytestmark = NOISE

LADDER = ("svd", "pgu", "unsir", "retrain")
FORGOTTEN, GAP = "accuracy.audit.forget", "probe.gap"
BOTH, BEHAVES, NEITHER = (0.0, 0.0), (0.0, 0.2), (0.9, 0.2)
"""What the gate is told of a model: how often it names the class, and what a probe finds."""


def evaluation(name, found):
    values = zip((FORGOTTEN, GAP), found, strict=True)
    return Evaluation(
        model=content(name), seed=0, measurements=tuple(Measurement(name=n, value=v) for n, v in values)
    )


def policy(**settings):
    bands = [
        Band(
            measurement=name,
            claim=claim,
            below=1.0,
            above=0.05,
            below_means="over_forgotten",
            above_means="under_forgotten",
        )
        for name, claim in ((FORGOTTEN, "behaves"), (GAP, "removed"))
    ]
    ladder = Ladder(classes=LADDER, samples=LADDER)
    return Policy(ladder=ladder, classes=tuple(bands), samples=(bands[0],), **settings)


def known(share):
    return Knowledge(rows=9, accuracy=share, confidence=share)


EARLIER = Earlier(
    requests=(
        EarlierRequest(request="c-1", kind="classes", classes=(1,)),
        EarlierRequest(request="p-1", kind="subjects"),
    ),
    parent={"c-1": known(0.0)},
    retrained=({"c-1": known(0.05)},),
)


@pytest.fixture
def climb(tmp_path):
    """Climb a ladder whose methods make models of which the gate is told this, or fail."""

    def run(made, *, drifts=None, knows=None, **settings):
        checkout = Checkout(tmp_path)
        split = SplitRecord(
            request="r-1",
            scope_kind="classes",
            scope=content("scope"),
            data=content("data"),
            retained=content("retained"),
            classes=(3,),
            forget_rows=(1,),
            forgotten=("hmac-sha256:" + "0" * 64,),
        )
        write_record(checkout.split / "split.json", split)

        def attempt(_checkout, method, _run, *, max_unsupported_share, aim):
            assert max_unsupported_share
            assert aim is None
            if method.name not in made:
                raise UnlearningError("it could not be done")
            record = UnlearningRecord(
                method={"name": method.name},
                seed=0,
                parent=content("parent"),
                weights=content(method.name),
                coverage=COVERAGE,
            )
            cost = Cost(seconds=1.0, peak_memory_mib=1.0, samples_seen=1)
            return Attempted(record, cost, tmp_path / method.name)

        steps = Steps(
            attempt=attempt,
            assess=lambda _checkout, folder, _run, **_others: evaluation(folder.name, made[folder.name]),
            drift=lambda _checkout, folder, _run: drifted(99 if folder.name in (drifts or ()) else 1),
            earlier=lambda _checkout, folder, _run: {"c-1": known((knows or {}).get(folder.name, 0.0))},
            log_rung=lambda *_: None,
        )
        baseline = Baseline(
            checkout,
            RunParams(),
            policy(drift=DriftBudget(max_requests=9), **settings),
            NOTHING,
            evaluation("parent", NEITHER),
            (evaluation("reference", BOTH),),
            EARLIER if knows else Earlier(),
        )
        climbed = Climb(baseline, steps)
        for method in climbed.due(parse_methods({name: {} for name in LADDER})):
            with climbed.trying(method):
                climbed.add(try_method(baseline, method, steps))
        climbed.settle()
        return climbed

    return run


def taken(climbed):
    return [rung.unlearning.name for rung in climbed.rungs if rung.accepted]


def test_the_first_model_that_shows_both_claims_ends_the_climb(climb):
    climbed = climb({"svd": BEHAVES, "pgu": BOTH, "unsir": BOTH})
    assert (taken(climbed), climbed.tried) == (["pgu"], ("svd", "pgu"))


def test_without_one_the_first_that_behaves_is_taken_and_nothing_is_retrained(climb):
    climbed = climb({"svd": NEITHER, "pgu": BEHAVES, "unsir": BEHAVES, "retrain": BOTH})
    assert (taken(climbed), climbed.tried) == (["pgu"], ("svd", "pgu", "unsir"))
    assert [rung.has_drifted for rung in climbed.rungs] == [False, False, False]
    assert climbed.rungs[1].drift is not None


def test_a_policy_may_ask_for_a_retrained_model_instead(climb):
    climbed = climb({"svd": BEHAVES, "unsir": BEHAVES, "retrain": BOTH}, when_not_removed="retrain")
    assert taken(climbed) == ["retrain"]
    assert [entry.method for entry in climbed.failed] == ["pgu"]


def test_a_retrained_model_is_taken_with_whatever_a_probe_finds_in_it(climb):
    assert taken(climb({"svd": NEITHER, "pgu": NEITHER, "unsir": NEITHER, "retrain": BEHAVES})) == ["retrain"]


def test_a_model_that_has_drifted_too_far_is_not_set_aside(climb):
    climbed = climb({"svd": BEHAVES, "pgu": BOTH, "retrain": BOTH}, drifts=["svd"])
    assert taken(climbed) == ["retrain"]
    assert [entry.method for entry in climbed.left_out] == ["pgu", "unsir"]


def test_what_was_set_aside_is_taken_if_a_later_model_has_drifted_too_far(climb):
    climbed = climb({"svd": BEHAVES, "pgu": BOTH, "retrain": BOTH}, drifts=["pgu"])
    assert taken(climbed) == ["svd"]


def test_a_model_that_brings_back_what_was_forgotten_earlier_is_refused(climb):
    climbed = climb({"svd": BOTH, "pgu": BOTH}, knows={"svd": 0.71, "pgu": 0.1})
    assert taken(climbed) == ["pgu"]
    first, second = climbed.rungs
    assert "request c-1 has relapsed: accuracy 0.71" in first.why
    assert [(one.request, one.outcome) for one in first.earlier] == [
        ("c-1", "relapsed"),
        ("p-1", "not_asked"),
    ]
    assert [one.outcome for one in second.earlier] == ["still_forgotten", "not_asked"]
    assert (first.ending, first.drift) == ("relapsed", None)


def test_a_relapse_is_told_of_among_the_attempts(climb):
    climbed = climb({"svd": NEITHER, "pgu": BOTH, "unsir": BOTH}, knows={"svd": 0.9, "pgu": 0.9})
    record = record_of(*climbed.rungs).model_copy(update={"tried": climbed.tried})
    ends = [attempt.verdict for attempt in attempts_of(record)]
    assert ends == ["under_forgotten", "relapsed", "passes"]


def test_a_retrained_model_is_asked_again_too(climb):
    climbed = climb({"svd": BOTH, "retrain": BOTH}, knows={"svd": 0.71})
    assert taken(climbed) == ["retrain"]
    assert climbed.rungs[-1].earlier[0].candidate == known(0.0)


def test_how_much_may_come_back_is_the_policys(climb):
    assert taken(climb({"svd": BOTH}, knows={"svd": 0.71}, relapse=0.7)) == ["svd"]
