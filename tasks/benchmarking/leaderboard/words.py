"""The wording of a leaderboard: a gap comes with its interval, or says that a single case has none."""

from collections.abc import Sequence

from tasks.report.measurements import meaning_of
from tasks.report.numbers import NONE, Style, decimal, interval, percent, points
from unlearn_core.metrics import CATALOGUE
from unlearn_core.ranking import QUANTITIES
from unlearn_core.records.benchmark import ForgetKind, ForgetSet, Leaderboard, MethodSummary
from unlearn_core.records.evaluation import Measurement

ALONE = "one case, no interval"

KINDS: dict[ForgetKind, str] = {
    "class": "Forgetting a class",
    "random": "Forgetting random samples",
    "subject": "Forgetting a person",
}

HEADINGS = {name: heading for kind in CATALOGUE for name, heading in kind.headings.items()}
"""The heading of each gap; the documentation of metrics says more on each."""

_OUTCOMES = {
    "passes": "passes",
    "under_forgotten": "under-forgotten",
    "over_forgotten": "over-forgotten",
    "inconclusive": "inconclusive",
    "failed": "failed",
}


def signed(value: float) -> str:
    """Write a difference with its sign and two decimals: +0.04."""
    return f"+{decimal(value)}" if round(value, 2) > 0 else decimal(value)


def unsigned_points(value: float) -> str:
    """Write a distance in points: 4.0 points."""
    return points(value).lstrip("+")


def gap_style(name: str) -> Style:
    """Return how to write a gap in a measurement: that of two fractions in points."""
    return points if meaning_of(name).style is percent else signed


def with_interval(entry: Measurement | None, style: Style) -> tuple[str, str]:
    """Write a mean over cases.

    Args:
        entry: The mean, or None if nothing was measured.
        style: How its number is written.

    Returns:
        The number, and its interval or that one case has none; never the first without the second.
    """
    if entry is None:
        return NONE, ""
    return style(entry.value), interval(entry, style) or ALONE


def columns_of(standings: Sequence[MethodSummary]) -> list[str]:
    """Return the gaps that any of some standings has, in order."""
    return [name for name in QUANTITIES if any(one.gap(name) for one in standings)]


def outcomes_of(one: MethodSummary) -> str:
    """Write the verdicts: 2 behaves, 1 failed; 1 removed as well."""
    told = ", ".join(
        f"{one.outcomes[name]} {words}" for name, words in _OUTCOMES.items() if name in one.outcomes
    )  # pyright: ignore[reportArgumentType]
    return told if one.removed is None else f"{told}; {one.removed} removed as well"


def settings_of(one: MethodSummary) -> tuple[str, str]:
    """Write where a method's settings are from, and the first digits of their digest."""
    if (origin := one.origin) is None:
        return NONE, ""
    trials = "" if origin.trials is None else f", {origin.trials} trials"
    return f"{origin.source}{trials}", origin.settings.removeprefix("sha256:")[:8]


def by_kind(board: Leaderboard) -> dict[ForgetKind, list[MethodSummary]]:
    """Return the standings of each kind of forget set, in order."""
    kinds: dict[ForgetKind, list[MethodSummary]] = {}
    for one in board.standings:
        kinds.setdefault(one.kind, []).append(one)
    return kinds


def sets_of(board: Leaderboard, kind: ForgetKind) -> list[ForgetSet]:
    """Return the forget sets of a kind."""
    return [one for one in board.forget if one.kind == kind]


def failures_of(board: Leaderboard) -> list[tuple[str, str, str]]:
    """Return the method, the case and the reason of every failure."""
    return [
        (row.method, f"{row.forget.name}, seed {row.seed}", row.why)
        for row in board.rows
        if row.outcome == "failed"
    ]


def in_words(board: Leaderboard) -> str:
    """Describe what the methods were compared on."""
    sets = ", ".join(dict.fromkeys(one.name for one in board.forget))
    seeds = f"{board.seeds} seed{'s' if board.seeds > 1 else ''}"
    return f"{board.architecture} on {board.dataset}, {seeds}, forgetting: {sets}"


READING = (
    "Every gap is the method’s value minus that of a model retrained without the data, for the same forget "
    "set and seed: 0 is the target, and both above and below are wrong.",
    "In brackets: the 95\u202f% interval of the mean over cases (Student’s t). A single case has none. It "
    "holds for cases like these, on this one parent; cases of one forget set depend on one another.",
    "The average gap is the mean distance in forget, retain and test accuracy and the SVC attack. It orders "
    "the methods and hides signs, so read the gaps. “original” is the model that forgot nothing; “retrain” "
    "is retrained with another seed, so its gap is due to chance alone.",
    "Cost is the method’s time as a share of retraining, second moments included where it needs them; the "
    "search for settings in params.yaml is not.",
    "Settings are the method’s defaults, which are its paper’s if it has one; a preset for the architecture; "
    "given in params.yaml; or tuned by a search of so many trials. Beside that stands their digest.",
)
"""How to read a leaderboard, in every form."""
