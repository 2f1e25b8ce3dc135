"""The command ``lethe reference``, and what it prints."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import AtOnce, EstimateOnly, Json, Unasked
from flows.cli.output import Output

if TYPE_CHECKING:
    from unlearn_core.records.reference import BuildEstimate, ReferenceReport

ASK_ABOVE_S = 300
"""Above this estimate a person at a terminal is asked first."""


def command(
    *,
    count: Annotated[
        int | None,
        typer.Option(min=1, max=256, help="How many retrained models; `policy.references` by default."),
    ] = None,
    shadows: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=256,
            help="Pairs of models with and without the data; `policy.shadows` by default.",
        ),
    ] = None,
    at_once: AtOnce = None,
    dry_run: EstimateOnly = False,
    yes: Unasked = False,
    json: Json = False,
) -> None:
    """Retrain models without the forgotten data, to judge the request that `params.yaml` names.

    First estimates the cost, from a few real steps, and says what exists already: models are cached, keyed by
    everything that they depend on. `--shadows` adds models trained on all the data, before anything is
    unlearned. As many train at once as cores and memory allow. After a kill, the same command resumes;
    finished models stay.
    """
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.progress import signs_of_life
    from tasks.lifecycle.refusals import require_named

    agree = partial(agrees_to_train, dry_run=dry_run, yes=yes)
    with Checkout.open(Path.cwd()) as checkout, signs_of_life("reference"):
        require_named(checkout)
        from flows.reference import make_references

        report = make_references(checkout, count=count, shadows=shadows, agree=agree, at_most=at_once)
    Output(json).give(report.model_dump(mode="json"), lambda: _tell_report(report))


def agrees_to_train(estimate: "BuildEstimate", *, dry_run: bool, yes: bool) -> bool:
    """Show the estimate; if it is long, ask at a terminal whether to go on."""
    from tasks.checkout.log import tell
    from tasks.checkout.progress import waiting

    tell(tell_estimate(estimate))
    if dry_run or yes or not sys.stdin.isatty() or estimate.seconds < ASK_ABOVE_S:
        return not dry_run
    with waiting():
        return typer.confirm("train them?", err=True)


def tell_estimate(estimate: "BuildEstimate") -> str:
    """Return what the user should know before anything is trained."""
    there = f"{estimate.finished} of {estimate.models} models are finished"
    if not estimate.missing:
        return f"{there}; nothing to train"
    return (
        f"{there}, {estimate.missing} to train, {estimate.at_once} at a time\n"
        f"  time    about {time_in_words(estimate.seconds)}, {time_in_words(estimate.seconds_each)} each\n"
        f"  memory  {estimate.memory_mib:.0f} MiB of {estimate.memory_available_mib:.0f} MiB available\n"
        f"  disk    {estimate.disk_mib:.0f} MiB of {estimate.disk_free_mib:.0f} MiB free, with DVC's copies"
    )


def _tell_report(report: "ReferenceReport") -> str:
    """Return what was built, compared with the estimate, and what evidence it allows."""
    from unlearn_core.audit.evidence import LEVELS

    there, took = report.holdings, report.took
    lines = [
        f"request      {report.request}",
        f"available    {there.retrained} retrained models, {there.pairs} shadow pairs",
        f"evidence     level {there.level} is possible with these: {LEVELS[there.level]}",
    ]
    if took is None:
        return "\n".join([*lines, "trained      nothing"])
    estimate = report.estimate
    rows = {
        "time": (time_in_words(took.seconds), time_in_words(estimate.seconds)),
        "memory": (f"{took.memory_mib:.0f} MiB", f"{estimate.memory_mib:.0f} MiB"),
        "disk": (f"{took.disk_mib:.0f} MiB", f"{estimate.disk_mib:.0f} MiB"),
    }
    lines.append(f"trained      {len(took.built)} models, {estimate.at_once} at a time")
    lines += [f"{name:<12} {taken}; the estimate was {expected}" for name, (taken, expected) in rows.items()]
    keep = f"git add models/references && git commit -m 'References for {report.request}'"
    return "\n".join([*lines, f"\nkeep them    {keep}"])


def time_in_words(seconds: float) -> str:
    """Format a time in one or two units, e.g. ``2 h 5 min``."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes, hours = divmod(round(seconds / 60), 60)[::-1]
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
