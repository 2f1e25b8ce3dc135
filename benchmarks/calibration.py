"""Calibration of the gate on digits: how often it passes retrained models, and models that forgot nothing.

``python -m benchmarks.calibration`` deals, trains and evaluates with its own seeds, disjoint from those that
the bands in ``params.yaml`` were sized on (``--sizing`` runs these), and writes ``results/calibration.json``.
For each seed there are two requests: a class, and 40 planted canaries. Each has five retrained models to
compare with, three more that should pass, and three that were never unlearned, which should not. Evaluations
stay in ``--work``; judging them again under other bands takes no time.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import digits
from benchmarks.surroundings import stand_alone
from benchmarks.timing import provenance
from flows.stages.dataset import make_dataset
from flows.stages.parent import make_parent
from flows.stages.split import split_data
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record, write_atomically, write_record
from tasks.checkout.params import read_params
from tasks.measuring.evaluation import assess
from tasks.references.building import build_missing, refuse_failed
from tasks.references.plan import plan_references
from tasks.references.retrained import References, references_of
from unlearn_core.audit.policy import judge
from unlearn_core.canaries import CANARY_SUBJECT
from unlearn_core.intervals import proportion
from unlearn_core.kinds import ScopeKind
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.policy import Policy, Verdict

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
SIZING, SEEDS = range(2), range(100, 107)
"""Base seeds of the models that the bands were sized on, and of those that the study judges."""

REFERENCES, CANDIDATES, ORIGINALS, CANARIES = 5, 3, 2, 40
"""For each request: retrained models to compare with and to judge, and originals besides the parent."""

KINDS: tuple[ScopeKind, ...] = ("classes", "samples")
Row = dict[str, Any]


def measure(checkout: Checkout, kind: ScopeKind, seed: int) -> None:
    """Train and evaluate all models of one request; what is finished is not repeated.

    Args:
        checkout: Its own folder.
        kind: A class, or canaries.
        seed: The seed of the data's splits and of every training.
    """
    judged_models = CANDIDATES + 1 + ORIGINALS
    if len(list((checkout.root / "evaluations").glob("*.json"))) == REFERENCES + judged_models:
        return
    if not checkout.parent.is_dir():
        _prepare(checkout, kind, seed)
    run = checkout.params.run
    plan = plan_references(checkout, run, count=REFERENCES + CANDIDATES, shadows=ORIGINALS)
    refuse_failed(plan, build_missing(checkout, plan, at_once=2))
    found = references_of(checkout, run)
    references = References(found.retrained[:REFERENCES], ())
    models = {
        "reference": references.retrained,
        "retrained": found.retrained[REFERENCES:],
        "original": (checkout.parent, *(pair.before for pair in found.pairs)),
    }
    for role, folders in models.items():
        for number, folder in enumerate(folders):
            path = checkout.root / "evaluations" / f"{role}-{number}.json"
            if not path.is_file():
                write_record(path, assess(checkout, folder, run, references=references))


def _prepare(checkout: Checkout, kind: ScopeKind, seed: int) -> None:
    checkout.root.mkdir(parents=True, exist_ok=True)
    forgotten = {
        "classes": {"scope": "classes", "target": str(seed % 10), "canaries": 0},
        "samples": {"scope": "subjects", "target": CANARY_SUBJECT, "canaries": CANARIES},
    }
    digits.prepare(checkout, {**forgotten[kind], "seed": seed})
    for stage in (make_dataset, split_data, make_parent):
        stage(checkout)


def judged(checkout: Checkout, kind: ScopeKind, policy: Policy) -> Iterator[tuple[str, Verdict]]:
    """Judge what was evaluated of one request.

    Yields:
        Each model's role, ``retrained`` or ``original``, and the verdict on it.
    """
    references, retrained, originals = (
        _evaluations(checkout, role) for role in ("reference", "retrained", "original")
    )
    for role, candidates in (("retrained", retrained), ("original", originals)):
        for candidate in candidates:
            yield role, judge(policy, kind, candidate, original=originals[0], references=references)


def _evaluations(checkout: Checkout, role: str) -> list[Evaluation]:
    folder = checkout.root / "evaluations"
    return [read_record(path, Evaluation) for path in sorted(folder.glob(f"{role}-*.json"))]


def summarise(rows: Sequence[Row]) -> Row:
    """Return rates over all requests, with Clopper–Pearson intervals, and each kind's own."""
    summary: Row = {}
    for kind in ("all", *KINDS):
        own = [row for row in rows if kind in ("all", row["kind"])]
        rates = dict(_rates(own))
        summary |= rates if kind == "all" else {kind: rates}
    return summary


def _rates(rows: Sequence[Row]) -> Iterator[tuple[str, Any]]:
    for role in ("retrained", "original"):
        verdicts = [row["verdict"] for row in rows if row["role"] == role]
        passed = proportion(verdicts.count("passes"), len(verdicts))
        yield f"{role}_n", len(verdicts)
        yield f"{role}_pass_rate", passed.value
        yield f"{role}_pass_interval", [passed.low, passed.high]
        yield f"{role}_verdicts", {name: verdicts.count(name) for name in sorted(set(verdicts))}
        if claimed := [row["removed"] for row in rows if row["role"] == role and row["removed"]]:
            shown = proportion(claimed.count("passes"), len(claimed))
            yield f"{role}_removed_rate", shown.value
            yield f"{role}_removed_interval", [shown.low, shown.high]
            yield f"{role}_removed_verdicts", {name: claimed.count(name) for name in sorted(set(claimed))}


def study(work: Path, seeds: Iterable[int]) -> list[Row]:
    """Measure what has not been measured, and judge all of it under the policy of ``params.yaml``.

    Returns:
        One row per model that was judged.
    """
    policy = read_params(ROOT).policy
    rows: list[Row] = []
    for kind in KINDS:
        for seed in seeds:
            checkout = Checkout(work / f"{kind}-{seed}")
            print(f"{kind}, seed {seed}", file=sys.stderr)
            measure(checkout, kind, seed)
            rows += [
                {
                    "kind": kind,
                    "seed": seed,
                    "role": role,
                    "verdict": verdict.verdict,
                    "removed": verdict.removed and verdict.removed.verdict,
                    "decided_by": verdict.decided_by,
                }
                for role, verdict in judged(checkout, kind, policy)
            ]
    return rows


def main() -> None:
    """Run what is missing, write the results and print the rates."""
    stand_alone()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("~/.cache/lethe/calibration").expanduser(),
        help="where everything is kept",
    )
    parser.add_argument("--sizing", action="store_true", help="the seeds of the bands; nothing is written")
    given = parser.parse_args()
    rows = study(given.work, SIZING if given.sizing else SEEDS)
    summary = summarise(rows)
    if not given.sizing:
        policy = read_params(ROOT).policy.digest
        document = {**provenance("cpu", "make bench-evidence"), **summary, "policy": policy, "rows": rows}
        write_atomically(RESULTS / "calibration.json", (json.dumps(document, indent=1) + "\n").encode())
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
