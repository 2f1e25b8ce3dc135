"""The command ``lethe calibrate``, and what it prints."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from flows.cli.options import AtOnce, EstimateOnly, Json, Unasked
from flows.cli.output import Output
from flows.cli.reference import agrees_to_train, time_in_words
from unlearn_core.errors import ConfigurationError
from unlearn_core.kinds import CalibrationKind
from unlearn_core.spelling import did_you_mean

if TYPE_CHECKING:
    from unlearn_core.records.calibration import CalibratedKind, CalibrationReport


def command(
    *,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="classes, subjects or samples; repeatable. Classes by default."),
    ] = None,
    count: Annotated[int, typer.Option(min=2, max=1000, help="How many pseudo-requests of each kind.")] = 20,
    coverage: Annotated[
        float, typer.Option(min=0.5, max=0.99, help="Which share of retrained models the bands are to hold.")
    ] = 0.9,
    adversaries: Annotated[
        int, typer.Option(min=0, help="On how many pseudo-requests of each kind adversaries are let loose.")
    ] = 1,
    at_once: AtOnce = None,
    dry_run: EstimateOnly = False,
    yes: Unasked = False,
    json: Json = False,
) -> None:
    """Retrain once per model, so that requests can be judged without retraining for each.

    Draws pseudo-requests as real ones come, retrains without them, and learns how far a retrained model is
    from what the original predicts. The models are thrown away. The bands are kept as a record, with how many
    retrained models, originals and adversaries they pass, and `params.yaml` names it from then on
    (`policy.reference: calibrated`). After a kill, the same command resumes. Measuring comes on top of the
    estimate.
    """
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.progress import signs_of_life

    kinds = _kinds(kind or ["classes"])
    agree = partial(agrees_to_train, dry_run=dry_run, yes=yes)
    with Checkout.open(Path.cwd()) as checkout, signs_of_life("calibrate"):
        from flows.calibrate import calibrate
        from tasks.calibration.planning import CalibrationAsked

        asked = CalibrationAsked(kinds, count, coverage, adversaries)
        report = calibrate(checkout, asked, agree=agree, at_most=at_once)
    Output(json).give(report.model_dump(mode="json"), lambda: _tell_report(report))


def _kinds(typed: list[str]) -> tuple[CalibrationKind, ...]:
    """Return the kinds that were typed, each once, or refuse what is none."""
    known = get_args(CalibrationKind)
    if unknown := [name for name in typed if name not in known]:
        raise ConfigurationError(
            f"{unknown[0]!r} is no kind of request; {did_you_mean(unknown[0], known)}expected "
            f"{', '.join(known)}"
        )
    return tuple(name for name in known if name in typed)


def _tell_report(report: "CalibrationReport") -> str:
    """Return what the bands pass and tell apart, what it took, and how to keep it."""
    if (made := report.made) is None:
        return "calibrated   nothing"
    keep = f"git add params.yaml models/references && git commit -m 'Calibration {made.digest[-8:]}'"
    return "\n".join(
        [
            f"calibration  {made.digest}",
            *(line for one in made.kinds for line in _about(one)),
            f"trained      {made.cost.trainings} models in {time_in_words(made.cost.seconds)}; none is kept",
            "params.yaml  policy.reference: calibrated",
            f"\nkeep it      {keep}",
        ]
    )


def _about(found: "CalibratedKind") -> list[str]:
    """Return a kind's bands as lines."""
    from unlearn_core.audit.calibrated import guaranteed

    promised = f"coverage {found.coverage:g}, at least {guaranteed(found.coverage, found.folds):.2g}"
    rows = f"{found.smallest} to {found.largest} rows"
    lines = [f"{found.kind:<12} {len(found.folds)} pseudo-requests of {rows}; {promised}"]
    if (power := found.power) is not None:
        low, high = power.retrained_interval
        counts = {name: getattr(power, name) for name in ("retrained", "originals", "adversaries")}
        lines += [f"  {name:<12} {one.inside} of {one.judged} inside" for name, one in counts.items()]
        lines[1] += f" (95 % interval of the share: {low:.2f} to {high:.2f})"
        if not power.has_power:
            lines.append("  no power     the originals are inside, too: such requests stay inconclusive")
    return lines
