"""How the run of a deletion ends in MLflow: with a name and tags to search by, and a description.

Name, tags and description of a run are set in one call: on a server each call costs time.
"""

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import git_commit
from tasks.checkout.tags import Tag, certificate_tags
from tasks.checkout.texts import in_markdown
from tasks.computing.materials import read_split
from tasks.report.explaining import Page, explain, explanations_of, version_note
from tasks.report.gathering import gather_facts
from tasks.report.headline import STATE_MARKS
from tasks.report.outputs import run_name
from tasks.report.page import write_report
from tasks.tracking.attempts import log_metrics
from tasks.tracking.runs import Run, end_run, log_documents, set_tags
from unlearn_core.records.deletion import Outcome, Released
from unlearn_core.records.policy import NOT_JUDGED
from unlearn_core.records.request import RequestId


def describe_version(checkout: Checkout, run: Run, outcome: Outcome, *requests: RequestId) -> str:
    """Return the description of the version that a deletion produced, for the registry's page.

    Args:
        checkout: The checkout.
        run: The deletion's run.
        outcome: The result of the deletion.
        requests: The ids of the requests that it serves.

    Returns:
        Markdown.
    """
    return version_note(outcome, [gather_facts(checkout, one) for one in requests], page_of(run))


def close_released(checkout: Checkout, run: Run, *released: Released) -> None:
    """Describe the run of an accepted deletion, and end it; a repeat changes nothing.

    Args:
        checkout: The checkout.
        run: The run.
        released: The release; for requests served together, one for each.
    """
    first, told = released[0], [gather_facts(checkout, one.outcome.request) for one in released]
    tags = {
        Tag.RUN_NAME: run_name(told[0].deletion),
        Tag.NOTE: explain(*told, page=page_of(run)),
        Tag.VERDICT: first.outcome.verdict,
        Tag.REMOVED: first.outcome.removed or NOT_JUDGED,
        Tag.SHOWN: first.outcome.in_words,
        Tag.METHOD: first.outcome.method,
        Tag.LEVEL: first.outcome.level,
        Tag.REGISTERED_VERSION: str(first.registered_version),
        Tag.COMMIT: git_commit(checkout.root) or "none",
        **certificate_tags({one.outcome.request: one.certificate_digest for one in released}),
    }
    set_tags(run, tags)
    if (spent := told[0].time) is not None:
        start = run.tracking.client.get_run(run.id).info.start_time
        seconds = ((f"time.{part}", value, 0) for part, value in spent.parts.items())
        log_metrics(run, seconds, timestamp=start)
    end_run(run, "FINISHED")


def explain_refusal(checkout: Checkout, run: Run, *requests: RequestId) -> None:
    """Add the reports to the run of a deletion without an accepted model, and describe it in plain words.

    Args:
        checkout: The checkout.
        run: The run, which has ended.
        requests: The ids of the requests that were to be served.
    """
    told = [gather_facts(checkout, one) for one in requests]
    for facts in told:
        log_documents(run, write_report(checkout, facts.request), artifact_path=explanations_of(facts))
    set_tags(run, {Tag.NOTE: explain(*told, page=page_of(run))})


def close_unapproved(checkout: Checkout, run: Run, why: str) -> None:
    """End the run of a deletion whose model nobody approved, and say so.

    Args:
        checkout: The checkout.
        run: The run.
        why: The reason; it names no person but the one who refused, as the record does.
    """
    request_id = read_split(checkout).request
    set_tags(
        run,
        {
            Tag.RUN_NAME: f"{STATE_MARKS['bad']} not approved · {request_id}",
            Tag.NOTE: f"**Not approved.** {in_markdown(why)}",
        },
    )
    end_run(run, "FAILED")


def page_of(run: Run) -> Page:
    """Return a run's address on MLflow's pages."""
    return Page(run.tracking.experiment_id, run.id)
