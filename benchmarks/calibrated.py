"""Requests judged by a calibration, on digits: each by bands that its own training was left out of.

``python -m benchmarks.calibrated`` calibrates every kind in the folder ``--work``, and writes
``results/calibrated_digits.json``: per kind how many retrained models, originals and adversaries the bands
pass, and a row per judged request. What is measured there is not measured again.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from benchmarks import digits
from benchmarks.surroundings import stand_alone
from benchmarks.timing import provenance
from flows.stages.dataset import make_dataset
from flows.stages.moments import make_moments
from flows.stages.parent import make_parent
from tasks.calibration.judging import MeasuredKind, is_inside
from tasks.calibration.measuring import (
    adversaries_of,
    attacked_of,
    measure_adversaries,
    measure_missing,
)
from tasks.calibration.planning import CalibrationAsked, PlannedTraining, plan_calibration
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record, write_atomically
from unlearn_core.intervals import proportion
from unlearn_core.kinds import CalibrationKind
from unlearn_core.records.calibration import PseudoRequest
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.policy import Verdict

RESULTS = Path(__file__).resolve().parent / "results"
COUNT, COVERAGE, AT_ONCE = 20, 0.9, 2
Row = dict[str, Any]


def prepare(checkout: Checkout) -> None:
    """Train the model that is calibrated, unless it is there."""
    if not checkout.parent.is_dir():
        checkout.root.mkdir(parents=True, exist_ok=True)
        digits.prepare(checkout, {"scope": "classes", "target": "8", "canaries": 0, "seed": 0})
        for stage in (make_dataset, make_parent, make_moments):
            stage(checkout)


def judged(
    checkout: Checkout, kind: CalibrationKind, planned: tuple[PlannedTraining, ...], asked: CalibrationAsked
) -> Iterator[Row]:
    """Yield a row per model that was judged."""
    pseudo = [one for training in planned for one in training.pseudo]
    measured = [read_record(one.kept, PseudoRequest) for one in pseudo]
    bands = MeasuredKind(measured, checkout.params.policy, COVERAGE)
    attacked = list(attacked_of(planned, asked.adversaries))
    for number, (one, found) in enumerate(zip(pseudo, measured, strict=True), 1):
        models = {"retrained": found.retrained, "original": found.original}
        if one in attacked:
            kept = {name: path for path, (name, _) in adversaries_of(one).items() if path.is_file()}
            models |= {name: read_record(path, Evaluation) for name, path in kept.items()}
        for model, evaluation in models.items():
            about = {"kind": kind, "request": number, "training": found.fold, "rows": found.rows}
            yield {**about, "model": model, **_told(bands.judged(found, evaluation))}


def _told(verdict: Verdict) -> Row:
    return {
        "inside": is_inside(verdict),
        "verdict": verdict.verdict,
        "removed": verdict.removal,
        "outside": [one.measurement for one in verdict.findings if one.outcome != "inside"],
    }


def summarise(rows: list[Row]) -> Row:
    """Return how many models of each role the bands pass, with the interval of 95 %; None without any."""
    roles = {"retrained": [], "original": [], "adversary": []}
    for row in rows:
        roles[row["model"] if row["model"] in roles else "adversary"].append(row["inside"])
    found: Row = {"pseudo_requests": len(roles["retrained"])}
    for role, inside in roles.items():
        share = proportion(sum(inside), len(inside)) if inside else None
        found |= {f"{role}_n": len(inside), f"{role}_pass_rate": share and share.value}
        found[f"{role}_pass_interval"] = share and [share.low, share.high]
    return found


def main() -> None:
    """Measure what is missing, judge it, write the results and print the rates."""
    stand_alone()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    work = Path("~/.cache/lethe/calibrated").expanduser()
    parser.add_argument("--work", type=Path, default=work, help="where everything is kept")
    parser.add_argument("--adversaries", type=int, default=1, help="requests of each kind to attack")
    kinds = get_args(CalibrationKind)
    parser.add_argument("--kind", action="append", choices=kinds, help="repeatable; all by default")
    given = parser.parse_args()
    checkout = Checkout(given.work)
    prepare(checkout)
    document = {**provenance("cpu", "make bench-calibrated"), "dataset": "digits", "coverage": COVERAGE}
    document["kinds"], rows = [], list[Row]()
    for kind in given.kind or kinds:
        asked = CalibrationAsked((kind,), COUNT, COVERAGE, given.adversaries)
        planned = plan_calibration(checkout, asked)
        measure_missing(checkout, planned, at_once=AT_ONCE)
        measure_adversaries(checkout, tuple(attacked_of(planned, asked.adversaries)))
        own = list(judged(checkout, kind, planned, asked))
        document["kinds"].append({"kind": kind, "trainings": len(planned), **summarise(own)})
        rows += own
    document["rows"] = rows
    write_atomically(RESULTS / "calibrated_digits.json", (json.dumps(document, indent=1) + "\n").encode())
    print(json.dumps(document["kinds"], indent=1))


if __name__ == "__main__":
    main()
