"""What ``lethe check-method`` and ``lethe check-metric`` have in common: checks made one by one, and told."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from flows.cli.output import Output, console
from unlearn_core.errors import ConfigurationError, UnlearningError
from unlearn_core.progress import Step

if TYPE_CHECKING:
    from unlearn_core.conformance import Checked

FAILED = UnlearningError.exit_code
_MARKS = {"kept": "[green]✓[/green]", "broken": "[red]✗[/red]", "not made": "[yellow]?[/yellow]", "": ""}


def give_checks(output: Output, target: str, checks: "Iterator[Checked]", total: int) -> int:
    """Make checks, print what came of each, and return the exit code.

    Args:
        output: Where to.
        target: What is checked.
        checks: Makes the next check when it is asked for it.
        total: How many there are, at most.

    Returns:
        0 if nothing was found.
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
            f"--settings is not JSON ({error}); give for example '{{\"alpha\": 0.5}}'"
        ) from error
    if not isinstance(given, dict):
        raise ConfigurationError(f"--settings is {text}; expected names with values, as '{{\"alpha\": 0.5}}'")
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
    """Print a table of the checks, a column per scope, and return every reason against what was checked."""
    from rich.table import Table

    columns = list(dict.fromkeys(one.where for one in made))
    results = {(one.check, one.where): _result(one) for one in made}
    table = Table()
    for name in (f"{target} …", *(where or "at all" for where in columns)):
        table.add_column(name)
    for check in dict.fromkeys(one.check for one in made):
        table.add_row(check, *(_MARKS[results.get((check, where), "")] for where in columns))
    console().print(table)
    reasons = [(one, reason) for one in made for reason in one.reasons]
    if not reasons:
        return f"{target} keeps to all {len(made)} checks"
    lines = [f"✗ {one.check}{f' ({one.where})' if one.where else ''}: {reason}" for one, reason in reasons]
    skipped = sum(not one.made for one in made)
    lines += [f"? {skipped} checks were not made: what comes before them failed"] if skipped else []
    return "\n".join([f"{target} fails:", *lines])
