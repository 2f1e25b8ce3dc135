"""The report: one page that says what is so, escapes what it is handed, and has no holes.

Each of these must turn red: a template without autoescape; a time or a random id in the bytes; a table that
needs a retrained model; a page that asks another computer for something.
"""

import html
import re

import pytest
from told import FAILED, LEFT_OUT, PICTURES, certificate_of, drifted, facts_of, measured, record_of, rung

from tasks.report.explaining import explain
from tasks.report.gallery import drawn_gallery
from tasks.report.headline import headline
from tasks.report.measurements import meaning_of
from tasks.report.page import render
from tasks.report.tables import gate_rows
from unlearn_core.records.deletion import LeftOut
from unlearn_core.records.earlier import AskedAgain, EarlierRequest, Knowledge
from unlearn_core.records.evaluation import Measurement, Unmeasured
from unlearn_core.records.history import EarlierRun, RequestHistory
from unlearn_core.records.policy import Finding


def text_of(page):
    """Return what a reader sees of a page, with plain spaces."""
    visible = re.sub(r"<(style|svg)\b.*?</\1>", "", page.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", visible)).split())


def told(facts):
    return text_of(render(facts))


@pytest.fixture(scope="module")
def accepted():
    return record_of(rung(drift=drifted(2)), failed=FAILED, left_out=LEFT_OUT)


@pytest.fixture(scope="module")
def page(accepted):
    return render(facts_of(accepted, pictures=PICTURES))


VERDICTS = {
    "good": (
        rung(),
        "every agreed test, the released model behaves as if it had never seen the class “dog”.",
    ),
    "good, removed": (rung(removed="passes"), "and nothing of it was found inside."),
    "good, not judged inside": (rung(), "Whether anything of it is left inside was not judged."),
    "unsure, left inside": (rung(removed="under_forgotten"), "not all of it was removed: traces are left"),
    "unsure, about the inside": (
        rung(removed="inconclusive"),
        "cannot tell whether any of it is left inside",
    ),
    "good, retrained": (
        rung("retrain", verdict="inconclusive"),
        "was trained anew without the class “dog”: it never saw any of it. The tests see no difference",
    ),
    "unsure, fixed limits": (
        rung(level="E0"),
        "Nothing was retrained to compare it with, so it is not shown",
    ),
    "unsure": (
        rung(verdict="inconclusive", accepted=False),
        "The tests cannot tell whether the model forgot",
    ),
    "bad, under": (rung(verdict="under_forgotten", accepted=False), "still shows that it has seen"),
    "bad, over": (rung(verdict="over_forgotten", accepted=False), "it reveals what was removed"),
    "bad, drifted": (rung(accepted=False, drift=drifted(9)), "Deletions have changed the model too far"),
}


@pytest.mark.parametrize(
    ("state", "last", "words"), [(s, *v) for s, v in VERDICTS.items()], ids=list(VERDICTS)
)
def test_the_first_sentence_is_the_verdict(state, last, words):
    said = headline(facts_of(record_of(last)))
    assert said.state == state.split(",")[0]
    assert words in said.sentence
    assert ("Nothing was released" in said.sentence) == (not last.accepted)


def test_a_deletion_that_no_method_could_carry_out_says_so():
    said = headline(facts_of(record_of(failed=FAILED)))
    assert (said.state, said.label) == ("bad", "Not done")


@pytest.mark.parametrize("last", [last for last, _ in VERDICTS.values()], ids=list(VERDICTS))
def test_the_verdict_is_the_heading_of_the_page(last):
    facts = facts_of(record_of(last))
    assert f"<h1>{html.escape(headline(facts).sentence)}</h1>" in render(facts).decode()


def test_the_same_facts_are_the_same_bytes(accepted, page):
    drawn_gallery.cache_clear()
    assert render(facts_of(accepted, pictures=PICTURES)) == page


def test_requests_that_were_served_together_have_their_figures_drawn_once(accepted):
    drawn_gallery.cache_clear()
    several = {"named": 2, "pictures": PICTURES}
    pages = [render(facts_of(accepted, request=name, **several)) for name in ("e-1", "e-2")]
    assert (drawn_gallery.cache_info().misses, drawn_gallery.cache_info().hits) == (1, 1)
    assert pages[0].count(b"<svg") == 12
    assert pages[0] != pages[1] == pages[0].replace(b"e-1", b"e-2")


def test_another_fact_that_a_figure_shows_is_drawn(accepted):
    facts = facts_of(accepted)
    renamed = render(facts.model_copy(update={"classes": ("cat", "wolf", "fox")}))
    assert b"wolf" in re.search(rb"<svg.*</svg>", renamed, re.DOTALL)[0]
    assert b"wolf" not in render(facts)


def test_the_page_asks_nothing_of_another_computer(page):
    assert re.findall(rb"https?://|@import|\bsrc=|url\((?!#)", page) == []


def test_every_id_is_there_once_and_every_reference_leads_somewhere(page):
    ids = re.findall(r'\bid="([^"]+)"', page.decode())
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', page.decode())) <= set(ids)


def test_every_figure_says_in_words_what_it_shows(page):
    figures = re.findall(r'<svg viewBox="[^"]+" role="img" aria-label="([^"]+)">', page.decode())
    assert len(figures) == page.count(b"<svg") == 12
    assert all(len(words) > 30 for words in figures)


def test_names_are_text_and_never_markup():
    hostile = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', r"$\frac{1}{$")
    bad = rung("<b>svd</b>", why="<iframe>", drift=drifted(1))
    facts = facts_of(record_of(bad), classes=hostile, dataset="</style><script>", pictures=PICTURES)
    page = render(facts)
    assert re.findall(rb"<(?:script|img|iframe|b)\b", page) == []
    assert all(name in text_of(page) for name in (*hostile, "</style><script>", "<b>svd</b>", "<iframe>"))


def test_the_timeline_names_every_method_and_its_reason(accepted):
    words = told(facts_of(accepted))
    for expected in (
        "“pgu” produced no model",
        "it stopped",
        "“svd”: accepted",
        "1 method was not tried “unsir”",
        "it cannot",
    ):
        assert expected in words


def test_numbers_stand_with_their_intervals(page):
    assert "90.0 % [85.0, 95.0]" in text_of(page)
    assert "0.55 [0.40, 0.70]" in text_of(page)


def test_an_unknown_measurement_is_shown_under_its_own_name(page):
    assert "Mystery of life" in text_of(page)
    assert "mystery.of_life" in text_of(page)


def test_a_forgotten_class_is_marked_in_words(page):
    assert "dog (forgotten)" in text_of(page)


def test_the_certificate_can_be_verified_from_the_page(accepted, page):
    released = facts_of(accepted).released
    assert f"lethe-verify {released.certificate} --model models/unlearned/model.safetensors" in text_of(page)
    assert released.certificate_digest in text_of(page)


def test_without_a_retrained_model_the_page_says_what_stands_in_for_it():
    words = told(facts_of(record_of(rung(level="E0"), reference=False)))
    assert "fixed limits replace the comparison" in words
    assert "evidence level E0" in words
    assert "There is none for this deletion" in words


def test_where_something_is_not_known_a_sentence_says_so():
    bare = record_of(rung())
    words = told(facts_of(bare, costs={}, released=None, certificate=None, signer=None))
    for expected in (
        "confidence was not kept",
        "curve was not kept",
        "costs are not known here",
        "no certificate in this copy",
        "relearns the forgotten data was not measured",
        "How far the model has moved was not measured",
    ):
        assert expected in words


def test_a_deletion_without_any_model_has_a_page():
    words = told(facts_of(record_of(failed=FAILED)))
    assert "There was no model to judge" in words
    assert "evidence/r-17/failure.json" in words


def test_a_release_with_a_note_shows_it():
    assert "Please note. mind the gap" in told(
        facts_of(record_of(rung("retrain", verdict="inconclusive", why="mind the gap")))
    )


def test_samples_and_persons_are_counted_and_not_named():
    facts = facts_of(record_of(rung()), kind="subjects", named=2, forgotten_classes=(), forgotten_rows=31)
    assert "forget the data of 2 people: 31 images of the 1 200" in told(facts)
    single = facts_of(record_of(rung()), kind="samples", named=1, forgotten_classes=(), forgotten_rows=1)
    assert "forget 1 single sample: 1 image" in told(single)


def relearned(steps, *, censored=0):
    """Return a deletion whose model knows the data again after so many steps; the retrained one needs 50."""
    last = rung()
    mine, theirs = (Measurement(name="relearn.steps", value=float(value)) for value in (steps, 50))
    limit = Measurement(name="relearn.censored", value=float(censored))
    record = record_of(last.model_copy(update={"evaluation": measured("svd", 0.1, mine)}))
    return record.model_copy(update={"references": (measured("retrained", 0.05, theirs, limit),)})


def test_relearning_is_told_where_it_was_measured():
    words = told(facts_of(relearned(50), pictures=PICTURES))
    assert "unlearned 0.0 % at first, 100.0 % after 10 steps" in words
    assert "Steps to learn it again" in words
    assert "was not measured for this deletion" not in words
    assert "Something is left inside" not in words


def test_a_model_that_learns_again_too_fast_is_called_so_among_the_limits():
    words = told(facts_of(relearned(4)))
    assert "relearns the forgotten data after 4 steps, while the retrained model needs 50 steps" in words


def test_where_the_retrained_model_never_learnt_it_again_its_steps_are_a_bound():
    words = told(facts_of(relearned(4, censored=1)))
    assert "after 4 steps, while the retrained model needs more than 50 steps" in words


def test_a_model_of_many_classes_has_its_table_and_no_unreadable_figure():
    classes = tuple(f"class {index}" for index in range(100))
    page = render(facts_of(record_of(rung()), classes=classes))
    assert b'id="figure-classes"' not in page
    assert "too many of them to draw" in text_of(page)
    assert "class 99" in text_of(page)


def test_classes_of_any_name_are_drawn():
    facts = facts_of(record_of(rung()), classes=("$", "a" * 90, "%"), pictures=PICTURES)
    assert b'id="figure-confusion-unlearned"' in render(facts)


def test_what_can_say_nothing_is_called_not_measured_with_the_reason():
    silent = (Unmeasured(name="accuracy.test.retain", reason="one class is left"),)

    def quiet(evaluation):
        others = tuple(one for one in evaluation.measurements if one.name != "accuracy.test.retain")
        return evaluation.model_copy(update={"measurements": others, "unmeasured": silent})

    tried = rung()
    record = record_of(tried.model_copy(update={"evaluation": quiet(tried.evaluation)}))
    record = record.model_copy(
        update={"original": quiet(record.original), "references": tuple(map(quiet, record.references))}
    )
    page, markdown = told(facts_of(record)), explain(facts_of(record))
    assert "Not measured: one class is left." in page
    assert "| not measured | not measured | not measured | `accuracy.test.retain` |" in markdown


def test_a_relapse_is_told_in_the_headline_and_among_the_attempts():
    known = Knowledge(rows=9, accuracy=0.71, confidence=0.6)
    back = AskedAgain(request="c-3", outcome="relapsed", parent=known, candidate=known)
    tried = rung(accepted=False, why="what was forgotten earlier is back").model_copy(
        update={"earlier": (back,)}
    )
    page = told(facts_of(record_of(tried)))
    assert headline(facts_of(record_of(tried))).label == "Relapsed"
    assert "Method “svd”: relapsed" in page
    assert "1 request was served on this model before. 1 could be asked again" in page
    assert "c-3: relapsed: accuracy 0.71" in page


POLICY, OTHER = certificate_of(record_of(rung())).judgement.verdict.policy, measured("other", 0.5).digest
REFUSED = EarlierRun(began="2026-11-20T10:00:00Z", result="refused", policy=POLICY)
FIXED = {
    "before this run began.": None,
    "fixed in the policy when the request was received. No earlier run": (POLICY, ()),
    "a policy that was changed after the request was received. No earlier run": (OTHER, ()),
    "received. There was 1 earlier run of the request: 1 refused by the gate.": (POLICY, (REFUSED,)),
    "There were 2 earlier runs of the request: 2 refused": (None, (REFUSED, REFUSED)),
}


@pytest.mark.parametrize("words", FIXED)
def test_the_decision_tells_when_its_ranges_were_fixed_and_what_was_tried_before(accepted, words):
    known = FIXED[words]
    history = known and RequestHistory(source="ledger", policy_at_receipt=known[0], runs=known[1])
    certificate = certificate_of(accepted).model_copy(update={"history": history})
    assert words in told(facts_of(accepted, certificate=certificate))


def recognising(name, share):
    """Return what was measured on a model that is right about so many test images of the class “cat”."""
    found = measured(name, 0.05)
    others = (one for one in found.measurements if one.name != "accuracy.test.class.0")
    cat = Measurement(name="accuracy.test.class.0", value=share)
    return found.model_copy(update={"measurements": (cat, *others)})


def fallen(value):
    """Return a deletion after which “cat” is recognised so often, and in 92 % by the retrained model."""
    record = record_of(rung().model_copy(update={"evaluation": recognising("svd", value)}))
    return record.model_copy(update={"references": (recognising("retrained", 0.92),)})


@pytest.mark.parametrize(("value", "said"), [(0.84, True), (0.90, False)])
def test_a_class_that_was_kept_and_fell_is_told_on_top(value, said):
    words = told(facts_of(fallen(value)))
    sentence = (
        "which was to be kept, is recognised in 84.0\u202f% of the test images; by the retrained model in"
    )
    assert (sentence.replace("\u202f", " ") in words) == said


def test_the_note_names_measurements_in_plain_words():
    why = "Not judged, for too few samples: accuracy.test.forget (9)."
    words = told(facts_of(record_of(rung("retrain", verdict="inconclusive", why=why))))
    assert "too few samples: “Right answers, the forgotten data (test samples)” (9)." in words


@pytest.mark.parametrize(
    ("name", "label"),
    [
        (
            "svc_salun.non_members.train.forget",
            ", not taken for training data, the forgotten data (training samples)",
        ),
        ("accuracy.test.retain", "the kept data (test samples)"),
    ],
)
def test_what_a_measurement_was_taken_on_is_told_in_words(name, label):
    assert meaning_of(name).label.endswith(label)


def test_a_range_does_not_begin_below_what_a_quantity_can_be():
    told_of = {"claim": "behaves", "value": 0.4, "lowest": -0.3, "highest": 0.9, "outcome": "inside"}
    entropy, gap = (Finding(measurement=name, **told_of) for name in ("confidence.entropy.x", "probe.gap"))
    last = rung()
    verdict = last.verdict.model_copy(update={"findings": (entropy, gap)})
    rows = gate_rows(record_of(last.model_copy(update={"verdict": verdict})), "behaves")
    assert [row.cells[1].value.startswith(("at most", "up to", "\u2264")) for row in rows] == [True, False]


def test_a_class_that_was_forgotten_earlier_says_so_in_table_and_figure():
    earlier = (EarlierRequest(request="c-3", kind="classes", classes=(0,)),)
    page = render(facts_of(record_of(rung()), earlier=earlier))
    assert "cat (forgotten earlier, c-3)" in text_of(page)
    assert "dog (forgotten)" in text_of(page)
    assert "cat (forgotten earlier)" in page.decode()


def test_many_methods_that_were_never_tried_are_one_line_of_the_timeline():
    left = tuple(LeftOut(method=f"method_{index}", why="not on the ladder") for index in range(19))
    page = render(facts_of(record_of(rung(), left_out=left)))
    assert "19 methods were not tried As recorded not on the ladder: “method_0”, “method_1”," in text_of(page)
    visible = re.sub(r"<details\b.*?</details>", "", page.decode(), flags=re.DOTALL)
    assert "method_0" not in visible


def test_the_note_leaves_what_the_original_fails_to_the_decision():
    why = "All 2 measurements are inside; the original fails accuracy.test.forget, mia.loss_auc. Accepted."
    words = told(facts_of(record_of(rung("retrain", verdict="inconclusive", why=why))))
    assert "Please note. All 2 measurements are inside. Accepted." in words


def test_what_is_on_record_names_measurements_in_plain_words():
    words = told(facts_of(record_of(rung(why="accuracy.test.forget is 0.1"))))
    assert "“Right answers, the forgotten data (test samples)” is 0.1" in words
    assert "accuracy.test.forget is" not in words


def test_the_figure_of_relearning_marks_the_step_that_the_text_names():
    words = told(facts_of(relearned(5), pictures=PICTURES))
    assert "counts as knowing it again: unlearned after 5 steps; retrained after 50 steps." in words
    assert "“relearn.retrained" not in words


def test_a_claim_says_how_many_ranges_are_met_and_which_are_not():
    last = rung(accepted=False)
    assert "The measurements are in their ranges, all 1." in told(facts_of(record_of(last)))
    missed = last.verdict.findings[0].model_copy(update={"outcome": "under_forgotten"})
    verdict = last.verdict.model_copy(update={"findings": (missed,)})
    words = told(facts_of(record_of(last.model_copy(update={"verdict": verdict}))))
    assert "0 of 1 ranges are met. Not met: Right answers, the forgotten data (test samples)." in words


def test_all_but_the_verdict_the_steps_and_the_limits_is_folded_until_it_is_asked_for(page):
    folded = re.findall(r'<summary><h2 id="([a-z]+)-title">', page.decode())
    assert folded == ["how", "attack", "confusion", "inside", "network", "cost", "all", "words"]
    assert page.count(b"<details open") == 0
