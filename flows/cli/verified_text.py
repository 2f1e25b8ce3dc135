"""What ``lethe-verify`` prints of a certificate."""

from collections.abc import Iterator
from typing import Any, cast

from pydantic import JsonValue

from tasks.evidence.telling import Summary
from unlearn_core.audit.evidence import LEVELS
from unlearn_core.names import one_line


def summary_text(summary: Summary, weaknesses: list[JsonValue]) -> str:
    """Write what was verified of a certificate for a person.

    Args:
        summary: What ``verify_files`` returned.
        weaknesses: Where its policy asks for less than the one that Lethe ships.

    Returns:
        Lines; none of them can be forged by a value.
    """
    head = "verified" if summary["judged_again"] else "signed, but not judged again"
    lines = [
        f"{head}: {summary['shown']}",
        *_about(summary),
        *_table(("was trained on before, and is not after", "image"), _receipt(summary)),
        *_table(("right about", "original", "unlearned", "retrained"), _accuracies(summary)),
        *_table(("measurement", "claim", "value", "allowed", "original", "outcome"), _findings(summary)),
        *_listed("asked again of earlier requests", summary["asked_again"]),
        *_listed("asks for less than the policy that Lethe ships", weaknesses),
        *_listed("could not be asked", summary["not_asked"]),
    ]
    # No value may contain a line break: a note must not be able to forge a verdict on the next line.
    return "\n".join(map(one_line, lines))


def _about(summary: Summary) -> Iterator[str]:
    """Write who signed what, a line each."""
    checked = "this file" if summary["model_checked"] else "no file compared; give one with --model"
    changes = ", with uncommitted changes" if summary["dirty"] else ""
    level = str(summary["evidence_level"])
    lines = {
        "signed by": summary["signed_by"],
        "request": f"{summary['request']}, which names {summary['scope']}",
        "group": summary["group"],
        "method": summary["method"],
        "not ours": summary["extensions"],
        "behaves": summary["verdict"],
        "removed": str(summary["removed"]).replace("_", " "),
        "evidence": f"{level}, {LEVELS[level]}",
        "calibrated": summary["calibration"],
        "model": f"{summary['model']} ({checked})",
        "parent": summary["parent"],
        "run": f"{summary['started']} to {summary['finished']}",
        "when": _anchored(summary),
        "witnessed": _witnesses(summary),
        "code": f"commit {summary['commit'] or 'none'}{changes}",
        "policy": summary["policy"],
        "runs": summary["earlier_runs"] and f"before this one: {summary['earlier_runs']}",
        "note": summary["note"],
    }
    yield from (f"  {name:<10} {value}" for name, value in lines.items() if value is not None)


def attested_lines(told: Summary) -> list[str]:
    """Write what others say of a signed statement: when it existed, and who else signed it."""
    return [f"  {'when':<10} {_anchored(told)}", f"  {'witnessed':<10} {_witnesses(told)}"]


def _anchored(summary: Summary) -> str:
    """Write when it existed, according to whom."""
    if (anchor := cast("dict[str, str] | None", summary["anchored"])) is None:
        return f"not anchored: {summary['not_anchored']}"
    return f"{anchor['time']} at the latest, according to {anchor['authority']}"


def _witnesses(summary: Summary) -> str:
    """Write who else signed it, and how many had to."""
    by, others = cast("list[str]", summary["witnessed_by"]), summary["witnesses_unknown"]
    if not (summary["witnesses_known"] or others):
        return "nobody: no witness's key is known here"
    told = f"{len(by)} of the {summary['witnesses_known']} known, {summary['witnesses_needed']} needed"
    unknown = f"; {others} more that nobody here knows" if others else ""
    return f"{told}{': ' if by else ''}{', '.join(by)}{unknown}"


def _accuracies(summary: Summary) -> Iterator[tuple[str, ...]]:
    """Yield how often each model is right, a row per measurement."""
    for row in _rows(summary["accuracies"]):
        retrained = [one for one in row["retrained"] if one is not None]
        span = dict.fromkeys((_percent(min(retrained)), _percent(max(retrained)))) if retrained else ("none",)
        yield row["measurement"], _percent(row["original"]), _percent(row["unlearned"]), " to ".join(span)


def _findings(summary: Summary) -> Iterator[tuple[str, ...]]:
    """Yield what was judged: the band, the model's value and the original's."""
    for row in _rows(summary["findings"]):
        allowed = f"{_bound(row['lowest'], '-∞')} to {_bound(row['highest'], '∞')}"
        value, original = _bound(row["value"], "none"), _bound(row["original"], "none")
        yield row["measurement"], row["claim"], value, allowed, original, row["outcome"].replace("_", " ")


def _receipt(summary: Summary) -> Iterator[tuple[str, ...]]:
    """Yield the rows that a receipt shows to have been in, and to be out."""
    for row in _rows(summary["receipt"] or []):
        yield row["sample"], row["image"]


def _rows(value: JsonValue) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", value)


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"


def _bound(value: float | None, absent: str) -> str:
    return absent if value is None else f"{value:.4g}"


def _table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    """Align rows under their heads, after an empty line; without rows there is nothing."""
    lines = [heads, *rows]
    if len(lines) > 1:
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        yield ""
        yield from (
            ("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))).rstrip()
            for line in lines
        )


def _listed(title: str, entries: JsonValue) -> Iterator[str]:
    """Write a list under its title, after an empty line; an empty list is left out."""
    if entries:
        yield from ("", f"  {title}:", *(f"    {entry}" for entry in cast("list[str]", entries)))
