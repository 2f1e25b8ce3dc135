"""The command ``lethe benchmark``, and what it prints."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.challenge_table import give_challenge, refuse_forget_sets
from flows.cli.options import Json, Unasked
from flows.cli.output import Output
from flows.cli.reference import ASK_ABOVE_S, time_in_words

if TYPE_CHECKING:
    from unlearn_core.records.benchmark import BenchmarkReport, Forecast


def command(
    *,
    methods: Annotated[
        list[str] | None, typer.Option("--method", help="Compare this method. Repeatable; all by default.")
    ] = None,
    classes: Annotated[
        list[str] | None, typer.Option("--class", help="Forget this class, alone. Repeatable.")
    ] = None,
    random: Annotated[
        list[int] | None,
        typer.Option(
            "--random",
            min=1,
            help="Forget this many training samples, drawn separately for each seed. Repeatable.",
        ),
    ] = None,
    subjects: Annotated[
        list[str] | None, typer.Option("--subject", help="Forget this person, alone. Repeatable.")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=256, help="How many seeds, each with its own retrained model.")
    ] = 3,
    output: Annotated[
        Path | None,
        typer.Option(help="The folder to write to; `.lethe/benchmark/leaderboards/DATASET` by default."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what it would take; run nothing.")
    ] = False,
    yes: Unasked = False,
    adversaries: Annotated[
        bool,
        typer.Option(
            "--adversaries", help="Test the gate with models that only pretend to have forgotten, instead."
        ),
    ] = False,
    variants: Annotated[
        int, typer.Option(min=1, max=256, help="How many seeds of each adversary; with `--adversaries`.")
    ] = 1,
    json: Json = False,
) -> None:
    """Compare methods on this checkout's parent and data: methods × forget sets × seeds, on a leaderboard.

    Every result is the gap to a model retrained for the same forget set and seed, with a 95 % interval over
    cases. Without `--class`, `--random` or `--subject`, each class is forgotten alone (ten of them, if there
    are more). Your request, `params.yaml`, `dvc.lock`, `models/` and `reports/` stay as they are. Finished
    runs are cached, keyed by everything that they depend on: after a kill, the same command resumes, and more
    `--seeds` or methods add to it. Writes Markdown, CSV, JSON and HTML, and a run in MLflow.

    For example `lethe benchmark --method svd --method pgu --class 3 --random 20 --seeds 5`.

    With `--adversaries`, models that only pretend to have forgotten are made for the current request, and
    judged by the policy as it stands, beside the original and the retrained models. If one passes, the exit
    code is 7. Here too, what was made before is not made again.
    """
    if adversaries:
        refuse_forget_sets(methods, classes, random, subjects, output, dry_run)
        sys.exit(give_challenge(Output(json), variants))
    from tasks.benchmarking.cases import Asked, require_comparable
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.progress import signs_of_life

    asked = Asked(tuple(classes or ()), tuple(random or ()), tuple(subjects or ()))
    agree = partial(agrees_to_run, dry_run=dry_run, yes=yes)
    with Checkout.open(Path.cwd()) as checkout, signs_of_life("benchmark"):
        require_comparable(checkout, asked, methods or ())
        from flows.benchmark import benchmark

        report = benchmark(checkout, asked, methods=methods or (), seeds=seeds, output=output, agree=agree)
    Output(json).give(report.model_dump(mode="json"), lambda: _tell_report(report))


def agrees_to_run(foreseen: "Forecast", *, dry_run: bool, yes: bool) -> bool:
    """Show the forecast; if it is long, ask at a terminal whether to go on."""
    from tasks.checkout.log import tell
    from tasks.checkout.progress import waiting

    tell(tell_forecast(foreseen))
    if dry_run or yes or not sys.stdin.isatty() or foreseen.seconds < ASK_ABOVE_S:
        return not dry_run
    with waiting():
        return typer.confirm("run them?", err=True)


def tell_forecast(foreseen: "Forecast") -> str:
    """Return what the user should know before anything is run."""
    lines = [
        f"{foreseen.cases} cases",
        f"  retrained models  {foreseen.references_there} of {foreseen.references} exist",
        f"  runs of methods   {foreseen.runs_there} of {foreseen.runs} exist",
    ]
    if not foreseen.missing:
        return "\n".join([*lines, "  nothing to run"])
    return "\n".join([*lines, f"  time              at most about {time_in_words(foreseen.seconds)}"])


def _tell_report(report: "BenchmarkReport") -> str:
    """Return a short leaderboard, and where to find all of it."""
    from tasks.benchmarking.leaderboard.text import tell_board

    if report.leaderboard is None:
        return "nothing was run"
    pages = [f"written      {page}" for page in report.pages]
    return "\n".join([tell_board(report.leaderboard), "", *pages, "view it      lethe ui"])
