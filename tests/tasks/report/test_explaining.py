"""A deletion in Markdown: the verdict first, nothing by name, and links that stay on the server."""

import re

import pytest
from told import CLASSES, content, drifted, facts_of, record_of, rung

from tasks.report.explaining import LONGEST, Page, explain, version_note
from unlearn_core.records.request import GroupSummary

PAGE = Page(experiment="4", run="f00d")
PASSED = facts_of(record_of(rung("finetune", verdict="under_forgotten", accepted=False), rung()))
REFUSED = facts_of(record_of(rung("finetune", verdict="under_forgotten", accepted=False)))


def links(markdown):
    return re.findall(r"\]\(([^)]*)\)", markdown)


def together(count):
    """Return the facts of requests that were served by one run."""
    members = tuple(content(number) for number in range(count))
    group = GroupSummary(id="g-1", scope=content("scope"), members=members)
    return [
        PASSED.model_copy(update={"request": f"r-{number}", "named": count, "group": group})
        for number in range(count)
    ]


def test_the_verdict_comes_first_and_says_which_claim_was_shown_and_which_was_not():
    first = explain(PASSED, page=PAGE).splitlines()[0]
    assert first.startswith("**Behaves.** By every agreed test")
    assert first.endswith("Whether anything of it is left inside was not judged.")


def test_a_failure_comes_first_and_says_that_nothing_was_released():
    told = explain(REFUSED, page=PAGE)
    assert told.splitlines()[0].startswith("**Under-forgotten.**")
    assert "Nothing was released, and the model in use stays as it was." in told
    assert "last one tried" in told
    assert "lethe-verify" not in told


@pytest.mark.parametrize("facts", [PASSED, REFUSED])
def test_no_class_is_named(facts):
    told = explain(facts, page=PAGE) + explain(facts)
    assert [name for name in CLASSES if re.search(rf"\b{name}\b", told)] == []


@pytest.mark.parametrize(
    ("kind", "named", "words"),
    [
        ("classes", 1, "asked to forget 1 class: 400 of 1\u202f200 training images"),
        ("samples", 12, "asked to forget 12 single samples: "),
        ("subjects", 1, "asked to forget 1 person’s data: "),
        ("subjects", 3, "the data of 3 people"),
    ],
)
def test_what_was_asked_for_is_told_by_kind_and_count(kind, named, words):
    assert words in explain(PASSED.model_copy(update={"kind": kind, "named": named}))


def test_the_links_lead_to_report_certificate_and_version_on_the_server_itself():
    artifacts = "#/experiments/4/runs/f00d/artifacts"
    assert links(explain(PASSED, page=PAGE)) == [
        f"{artifacts}/evidence/report.html",
        f"{artifacts}/evidence/certificate.dsse.json",
        f"{artifacts}/data_docs",
        "#/models/pets/versions/7",
    ]


def test_a_failure_links_to_no_certificate():
    assert all("certificate" not in link for link in links(explain(REFUSED, page=PAGE)))


def test_without_mlflows_pages_the_words_say_where_to_look():
    told = explain(PASSED)
    assert links(told) == []
    assert "on the run `✓ behaves · r-17 · svd`, under `evidence`" in told


def test_models_stand_beside_one_another_in_plain_words_and_under_their_own_names():
    told = explain(PASSED)
    assert "| measurement | original | released | retrained without it | name |" in told
    (line,) = (line for line in told.splitlines() if line.endswith("| `accuracy.test.forget` |"))
    assert line.startswith("| Right answers, the forgotten data (test samples) | ")


def test_the_certificates_digest_and_how_to_check_it_are_told():
    told = explain(PASSED)
    assert "lethe-verify certificate.dsse.json --key issuer.pub" in told
    assert PASSED.released.certificate_digest in told


def test_drift_is_told_where_it_was_measured():
    assert content("origin") in explain(facts_of(record_of(rung(drift=drifted(2)))))
    assert "drifted" not in explain(PASSED)


def test_requests_that_were_served_together_have_a_line_each():
    told = explain(*together(2), page=PAGE)
    assert "**Requests `r-0`, `r-1`** asked to forget 2 classes" in told
    assert "artifacts/evidence/r-1/certificate.dsse.json" in told
    assert "- `r-0`: [Report for people]" in told


def test_a_text_that_is_longer_than_mlflow_keeps_ends_with_a_whole_line():
    told = explain(*together(60), page=PAGE)
    assert len(told) <= LONGEST
    assert told.endswith("\n\n… The rest is in the report.")


def test_a_version_says_in_its_first_words_what_it_forgot_and_links_to_the_evidence():
    told = version_note(PASSED.released.outcome, [PASSED], PAGE)
    assert told.startswith("r-17: behaves, by svd.")
    assert len(links(told)) == 2
    assert PASSED.released.outcome.model in told
