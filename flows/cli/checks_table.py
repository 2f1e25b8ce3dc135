"""What ``lethe check-method`` and ``lethe check-metric`` share: making checks and printing the results."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from flows.cli.output import Output, console, table_cell
from unlearn_core.errors import ConfigurationError, UnlearningError
from unlearn_core.progress import Step

if TYPE_CHECKING:
    from unlearn_core.conformance import Checked

FAILED = UnlearningError.exit_code
_MARKS = {"kept": "[green]✓[/green]", "broken": "[red]✗[/red]", "not made": "[yellow]?[/yellow]", "": ""}


def find_typed(kind: Literal["method", "metric"], typed: str) -> Any:
    """Return the class that somebody typed: a package's, or ``module:Class``, which may be in this folder."""
    from tasks.checkout.environment import nearest_project, working_folder
    from tasks.checkout.own_modules import importable
    from tasks.extensions.discovery import asked
    from unlearn_core.own_names import OWN_METHODS, OWN_METRICS

    if ":" in typed:
        here = working_folder()
        importable(nearest_project(here) or here, typed)
    else:  # refused before the catalogues load torch
        asked(kind, [typed], own=OWN_METHODS if kind == "method" else OWN_METRICS)
    from tasks.extensions.catalogues import find_class

    return find_class(kind, typed)


def give_checks(output: Output, target: str, checks: "Iterator[Checked]", total: int) -> int:
    """Make checks, print the result of each, and return the exit code.

    Args:
        output: Where to print.
        target: What is checked.
        checks: Makes the next check each time it is advanced.
        total: How many there are, at most.

    Returns:
        0 if no check failed.
    """
    from tasks.checkout.progress import progress

    with progress(f"check {target}") as on_step:
        made = []
        for one in checks:
            made.append(one)
            on_step(Step("checks", len(made), total))
    broken = [one for one in made if one.reasons]
    output.give(_as_json(target, made), lambda: _tell(target, made))
    return FAILED if broken else 0


def read_settings(text: str | None) -> dict[str, Any]:
    """Read hyper-parameters that were typed as JSON."""
    try:
        given = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"--settings is not JSON ({error}); give e.g. '{{\"alpha\": 0.5}}'"
        ) from error
    if not isinstance(given, dict):
        raise ConfigurationError(f"--settings is {text}; expected an object, e.g. '{{\"alpha\": 0.5}}'")
    return given


def _as_json(target: str, made: "Iterable[Checked]") -> dict[str, Any]:
    checks = [
        {"check": one.check, "where": one.where, "result": _result(one), "reasons": list(one.reasons)}
        for one in made
    ]
    return {
        "target": target,
        "conforms": all(one["result"] == "kept" for one in checks),
        "checks": checks,
    }


def _result(one: "Checked") -> str:
    if not one.made:
        return "not made"
    return "broken" if one.reasons else "kept"


def _tell(target: str, made: "list[Checked]") -> str:
    """Print a table of the checks, one column per scope, and return the reasons of those that failed."""
    from rich.table import Table

    columns = list(dict.fromkeys(one.where for one in made))
    results = {(one.check, one.where): _result(one) for one in made}
    table = Table()
    for name in (f"{table_cell(target)} …", *(table_cell(where) or "at all" for where in columns)):
        table.add_column(name)
    for check in dict.fromkeys(one.check for one in made):
        table.add_row(table_cell(check), *(_MARKS[results.get((check, where), "")] for where in columns))
    console().print(table)
    reasons = [(one, reason) for one in made for reason in one.reasons]
    if not reasons:
        return f"{target} passes all {len(made)} checks"
    lines = [f"✗ {one.check}{f' ({one.where})' if one.where else ''}: {reason}" for one, reason in reasons]
    skipped = sum(not one.made for one in made)
    lines += [f"? {skipped} checks were not made: an earlier one failed"] if skipped else []
    return "\n".join([f"{target} fails:", *lines])
