"""A deletion in Markdown, for MLflow's and Prefect's pages: the verdict first, and no names.

The wording is the report's, so that all three agree. What was asked for is given by kind and count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.checkout.checkout import CERTIFICATE
from tasks.checkout.texts import in_markdown
from tasks.report.headline import Headline, forgotten_thing, headline, last_rung
from tasks.report.notes import note
from tasks.report.numbers import count, counted
from tasks.report.outputs import HEADLINES, drift_in_words, earlier_in_words, run_name, tried_table
from tasks.report.tables import evaluations, measured_row
from unlearn_core.records.deletion import DeletionRecord, Outcome
from unlearn_core.records.report import ReportFacts

LONGEST = 8000
"""How many characters of a description MLflow keeps."""

_COLUMNS = {"original": "original", "unlearned": "released", "retrained": "retrained without it"}


@dataclass(frozen=True)
class Page:
    """The address of a run on MLflow's pages.

    Attributes:
        experiment: MLflow's id of the experiment.
        run: MLflow's id of the run.
    """

    experiment: str
    run: str

    def artifact(self, path: str) -> str:
        """Return a link to an artifact of the run that works on any server."""
        return f"#/experiments/{self.experiment}/runs/{self.run}/artifacts/{path}"


def verdict_on(facts: ReportFacts) -> Headline:
    """State the verdict in one sentence, without the names of classes."""
    return headline(facts, _asked(facts))


def explain(*told: ReportFacts, page: Page | None = None) -> str:
    """Describe a deletion in Markdown.

    Args:
        told: The facts; for requests served together, those of each.
        page: The run on MLflow's pages, to link to.

    Returns:
        Markdown, no longer than MLflow keeps.
    """
    facts = told[0]
    verdict, record = verdict_on(facts), facts.deletion
    last = last_rung(record)
    parts = [
        f"**{verdict.label}.** {in_markdown(verdict.sentence)}",
        _links(told, page) if page else _places(facts),
        _request(told),
        _measurements(record),
        f"### Methods tried\n\n{tried_table(record, facts.words)}",
        "" if record.drift is None else drift_in_words(record.drift),
        "" if last is None or not last.earlier else earlier_in_words(last.earlier),
        "" if facts.released is None else _check(told, facts.released.outcome.level),
    ]
    return shortened("\n\n".join(part for part in parts if part))


def explanations_of(facts: ReportFacts) -> str:
    """Return the folder of a request's evidence among the artifacts of its run."""
    return "evidence" if facts.group is None else f"evidence/{facts.request}"


def shortened(markdown: str) -> str:
    """Cut a text that is longer than MLflow keeps at the end of a line, and say so."""
    if len(markdown) <= LONGEST:
        return markdown
    end = "\n\n… The rest is in the report."
    return markdown[: markdown.rindex("\n", 0, LONGEST - len(end))] + end


def version_note(outcome: Outcome, told: Sequence[ReportFacts], page: Page) -> str:
    """Describe what a registered version forgot, and where its evidence is.

    Args:
        outcome: The result of the deletion.
        told: The facts of each request.
        page: The deletion's run on MLflow's pages.

    Returns:
        Markdown; its first words fit into the list of versions.
    """
    links = (_evidence(one, page, signed=True) for one in told)
    return note(
        "version",
        request=outcome.request,
        what=_asked(told[0]),
        method=in_markdown(outcome.method),
        verdict=outcome.in_words,
        level=outcome.level,
        links="\n\n".join(links),
        weights=outcome.model,
    )


def _asked(facts: ReportFacts) -> str:
    """Describe what was to be forgotten by kind and count."""
    if facts.kind == "subjects":
        return f"the data of {counted(facts.named, 'person', 'people')}"
    if facts.kind == "mixed":
        return forgotten_thing(facts)
    one, many = {"classes": ("class", "classes"), "samples": ("sample", "samples")}[facts.kind]
    if facts.named == 1:
        return f"the {one} that was named"
    return f"the {count(facts.named)} {many} that were named"


def _counted(facts: ReportFacts) -> str:
    """Count what was asked for."""
    one, many = {
        "classes": ("class", "classes"),
        "samples": ("single sample", "single samples"),
        "subjects": ("person’s data", "people’s data"),
        "mixed": ("name", "names of classes, samples and people"),
    }[facts.kind]
    return counted(facts.named, one, many)


def _request(told: Sequence[ReportFacts]) -> str:
    facts, ids = told[0], ", ".join(f"`{one.request}`" for one in told)
    return (
        f"**{'Request' if len(told) == 1 else 'Requests'} {ids}** asked to forget {_counted(facts)}: "
        f"{count(facts.forgotten_rows)} of {count(facts.rows)} training images of `{facts.dataset}`."
    )


def _links(told: Sequence[ReportFacts], page: Page) -> str:
    lines = [_evidence(one, page, signed=one.released is not None) for one in told]
    links = [f"[Checks of the data]({page.artifact('data_docs')})"]
    if (released := told[0].released) is not None:
        model, version = released.registered_model, released.registered_version
        links.append(f"[model {model}, version {version}](#/models/{model}/versions/{version})")
    if len(lines) == 1:
        return " · ".join([*lines, *links])
    return "\n".join([*(f"- {line}" for line in lines), f"- {' · '.join(links)}"])


def _evidence(facts: ReportFacts, page: Page, *, signed: bool) -> str:
    """Return links to the report and to the certificate of a request."""
    folder = explanations_of(facts)
    links = [f"[Report for people]({page.artifact(f'{folder}/report.html')})"]
    links += [f"[signed certificate]({page.artifact(f'{folder}/{CERTIFICATE}')})"] if signed else []
    return ("" if facts.group is None else f"`{facts.request}`: ") + " · ".join(links)


def _places(facts: ReportFacts) -> str:
    """Describe where the evidence is, for a page that cannot know MLflow's address."""
    run = f"The report is in MLflow, on the run `{run_name(facts.deletion)}`, under `evidence`"
    if (released := facts.released) is None:
        return f"{run}."
    version = f"`{released.registered_model}`, version {released.registered_version}"
    return f"{run}, with the signed certificate. The released model is registered there as {version}."


def _measurements(record: DeletionRecord) -> str:
    """Return the headline measurements, a column per model."""
    models = evaluations(record)
    titles = _COLUMNS if record.accepted else {**_COLUMNS, "unlearned": "last one tried"}
    lines = [
        f"| measurement | {' | '.join(titles[model] for model in models)} | name |",
        f"|:---|{'---:|' * len(models)}:---|",
    ]
    for name in HEADLINES:
        if any(evaluation.get(name) or evaluation.missing(name) for evaluation in models.values()):
            row = measured_row(models, name)
            lines.append(
                f"| {in_markdown(row.label)} | {' | '.join(cell.value for cell in row.cells)} | `{name}` |"
            )
    told = (
        "### Measurements\n\nA model has forgotten well if it measures like one that was retrained "
        "without the data, neither more nor less."
    )
    return "\n".join([told, "", *lines])


def _check(told: Sequence[ReportFacts], level: str) -> str:
    """Describe how to check the certificates, with their digests."""
    released = [one.released for one in told if one.released is not None]
    digests = ", ".join(f"`{one.certificate_digest}` ({one.outcome.request})" for one in released)
    return note("check", digests=digests, level=level)
