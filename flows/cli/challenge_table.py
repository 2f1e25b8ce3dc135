"""What ``lethe benchmark --adversaries`` prints."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flows.cli.output import Output, console, number, table_cell
from unlearn_core.errors import UsageError

if TYPE_CHECKING:
    from unlearn_core.records.challenge import ChallengeReport, ChallengeRow

PASSED = 7
"""The exit code if an adversary passed."""
_SHOWN = 4
"""How much of what exposes a model the table shows; ``--json`` has all."""


def refuse_forget_sets(*given: object) -> None:
    """Refuse the options of a comparison of methods beside ``--adversaries``.

    Raises:
        UsageError: If any is given.
    """
    if any(given):
        raise UsageError(
            "--adversaries tests the gate on the request of params.yaml; leave out the options for forget "
            "sets and methods, and --output and --dry-run"
        )


def give_challenge(output: Output, variants: int) -> int:
    """Run the adversaries in the checkout, print what the gate said, and return the exit code."""
    from tasks.checkout.checkout import Checkout
    from tasks.lifecycle.refusals import require_named

    with Checkout.open(Path.cwd()) as checkout:
        require_named(checkout)
        from flows.challenge import challenge_gate

        report = challenge_gate(checkout, variants=variants)
    output.give(report.model_dump(mode="json"), lambda: tell_challenge(report))
    return PASSED if report.passed else 0


def tell_challenge(report: "ChallengeReport") -> str:
    """Print the table, and return a sentence on who passed."""
    from rich.table import Table

    table = Table(
        title=f"Request {report.request}, evidence {report.level}. Accuracies in percent",
        title_justify="left",
    )
    table.add_column("model", no_wrap=True)
    for name in ("retained", "forgotten", "unseen"):
        table.add_column(name, justify="right", no_wrap=True)
    for claim in _claims(report):
        table.add_column(claim)
    table.add_column("what exposes it")
    groups: dict[str, list[ChallengeRow]] = {}
    for row in (*report.models, *report.adversaries):
        groups.setdefault(row.model, []).append(row)
    for name, rows in groups.items():
        table.add_row(*map(table_cell, _cells(name, rows, _claims(report))))
    console().print(table)
    return _sentence(report)


def _claims(report: "ChallengeReport") -> list[str]:
    """Return the claims that were judged, in order."""
    rows = (*report.models, *report.adversaries)
    return list(dict.fromkeys(claim.claim for row in rows for claim in row.claims))


def _cells(name: str, rows: Sequence["ChallengeRow"], claims: list[str]) -> list[str]:
    made = [row for row in rows if row.failed is None]
    means = (_mean([getattr(row, name) for row in made]) for name in ("retained", "forgotten", "unseen"))
    reasons = dict.fromkeys(row.failed for row in rows if row.failed is not None)
    title = name if len(rows) == 1 else f"{name} × {len(rows)}"
    verdicts = [_verdicts(made, claim) for claim in claims]
    return [title, *means, *verdicts, "; ".join([*_exposing(made), *(f"not made: {why}" for why in reasons)])]


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return number(100 * sum(known) / len(known) if known else None, 1)


def _verdicts(rows: Sequence["ChallengeRow"], claim: str) -> str:
    """Return the verdicts on a claim; of several models, each with how many have it."""
    found = Counter(one.verdict.replace("_", "-") for row in rows for one in row.claims if one.claim == claim)
    return ", ".join(name if len(rows) == 1 else f"{count} {name}" for name, count in found.most_common())


def _exposing(rows: Sequence["ChallengeRow"]) -> list[str]:
    """Return in plain words what lies outside its band; of several models, in how many, if not in all."""
    from tasks.report.measurements import meaning_of

    found = Counter(name for row in rows for name in row.exposed_by).most_common()
    told = [meaning_of(name).label + (f" ({count})" if count < len(rows) else "") for name, count in found]
    return [*told[:_SHOWN], *([f"and {len(told) - _SHOWN} more"] if len(told) > _SHOWN else [])]


def _sentence(report: "ChallengeReport") -> str:
    """Say which adversaries passed."""
    if not (passed := Counter(row.model for row in report.passed)):
        return f"None of {len(report.adversaries)} adversaries passes the gate."
    named = ", ".join(f"{name} ({count} of {report.variants})" for name, count in passed.items())
    return (
        f"ALARM: the gate takes for forgotten what only pretends to be: {named}. Gate more measurements in "
        "params.yaml, or compare with more retrained models."
    )
