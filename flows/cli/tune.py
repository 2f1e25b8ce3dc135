"""``lethe tune``: the search for a method's hyper-parameters."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import Json, MethodName
from flows.cli.output import Output, console, number, table_cell

if TYPE_CHECKING:
    from unlearn_core.records.tuning import TuningRecord


def command(
    method: MethodName,
    trials: Annotated[int, typer.Option(min=1, help="How many trials to make in all.")] = 20,
    timeout_s: Annotated[
        float | None, typer.Option("--timeout-s", min=0, help="Begin no trial after this many seconds.")
    ] = None,
    json: Json = False,
) -> None:
    """Find a method's hyper-parameters for the request that `params.yaml` names.

    Candidates are judged on the tuning split; audit and test images are not even decoded. Values that did
    better than the present settings are written into `params.yaml`. An interrupted search resumes where it
    stopped; more `--trials` extend it. The cost of the search is added to the reported cost of the method.
    """
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.params import require_configured
    from tasks.checkout.progress import signs_of_life
    from tasks.lifecycle.refusals import require_named

    with Checkout.open(Path.cwd()) as checkout, signs_of_life(f"tune {method}"):
        require_configured(checkout.params, [method])
        require_named(checkout)
        from flows.tune import tune

        record = tune(checkout, method, trials=trials, timeout_s=timeout_s)
    Output(json).give(record.model_dump(mode="json"), lambda: tell_tuning(record))


def tell_tuning(record: "TuningRecord", *, rows: int = 10) -> str:
    """Print the best trials of a search, and return what was chosen and what it cost."""
    from rich.table import Table

    names = list(record.space)
    table = Table()
    for name in ("score", *names, "seconds", "state"):
        table.add_column(name, justify="left" if name == "state" else "right")
    ranked = sorted(record.trials, key=lambda one: (one.score is None, -(one.score or 0)))
    for one in ranked[:rows]:
        values = (table_cell(str(one.values[name])) for name in names)
        table.add_row(number(one.score, 4), *values, number(one.cost.seconds, 1), one.state)
    console().print(table)
    chosen = ", ".join(f"{name} {value}" for name, value in record.chosen.items())
    return (
        f"scored by    {record.scored_by}\n"
        f"untuned      {number(record.untuned, 4)}\n"
        f"written      {chosen or 'nothing: no trial did better'}\n"
        f"took         {record.cost.seconds:.0f} s in {len(record.trials)} trials, "
        f"{record.cost.samples_seen} samples seen"
    )
