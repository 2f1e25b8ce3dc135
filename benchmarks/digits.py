"""Quality and cost of every method on digits: classes 1, 3 and 8, canaries and a subject, by seeds.

``make bench`` runs it in the pipeline's own stages and writes ``results/quality_digits.json`` and a figure.
Finished cases are kept in ``.lethe/bench`` by the digest of ``params.yaml``; after a change of code, ask for
``--fresh`` ones.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.summary import print_summary, summarise, trade_offs
from benchmarks.surroundings import stand_alone
from benchmarks.timing import provenance
from flows.compare import compare
from flows.stages.dataset import make_dataset
from flows.stages.moments import make_moments
from flows.stages.parent import make_parent
from flows.stages.split import split_data
from flows.stages.unlearn import climb_ladder
from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import file_digest, write_atomically, write_record
from tasks.checkout.params import read_values, write_params
from tasks.computing.execution import measured
from tasks.report.drawing import save_figure
from tasks.report.model_figures import draw_trade_off
from tasks.requests.request_file import make_scope
from unlearn_core.method import Need
from unlearn_core.methods import CATALOGUE
from unlearn_core.records.request import DeletionRequest

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
CANARIES = 40

Case = dict[str, Any]
Row = dict[str, Any]


def cases(seeds: int) -> Iterator[Case]:
    """Yield what is forgotten: three classes, then planted canaries, then an ordinary subject."""
    for seed in range(seeds):
        for label in ("1", "3", "8"):
            yield {"scope": "classes", "target": label, "seed": seed, "canaries": 0}
        yield {"scope": "subjects", "target": "subject-canary", "seed": seed, "canaries": CANARIES}
        yield {"scope": "subjects", "target": "subject-0007", "seed": seed, "canaries": 0}


def run_case(case: Case) -> list[Row]:
    """Serve one request in its own folder and compare all methods on it.

    Args:
        case: What is forgotten, and with which seed.

    Returns:
        One row per model.
    """
    with tempfile.TemporaryDirectory() as folder:
        checkout = Checkout(Path(folder))
        prepare(checkout, case)
        make_dataset(checkout)
        make_parent(checkout)
        with measured() as statistics:
            make_moments(checkout)
        split_data(checkout)
        record = climb_ladder(checkout)
        compared = compare(checkout)
        _add_statistics(compared["methods"], statistics.read().seconds)
        accepted = record.accepted
        assert accepted is not None
        models = {"original": compared["original"], "retrained": compared["retrained"], **compared["methods"]}
        shared = {
            "dataset": "digits",
            "model": "small_resnet",
            **case,
            "original_retain_test_accuracy": compared["original"]["retain_test_accuracy"],
            "retrained_retain_test_accuracy": compared["retrained"]["retain_test_accuracy"],
            "retrained_mia_auc": compared["retrained"]["mia_auc"],
            "retrain_seconds": compared["retrained"]["seconds"],
            "ladder_accepted": accepted.unlearning.name,
            "ladder_reason": accepted.why,
        }
        return [{**shared, "method": name, **row} for name, row in models.items()]


def _add_statistics(rows: dict[str, Row], seconds: float) -> None:
    """Add the time of the second moments of all training data to the methods that need them."""
    for method in CATALOGUE:
        row = rows.get(method.model_fields["name"].default)
        if row is not None and Need.MOMENTS in method.needs and row.get("seconds") is not None:
            row["seconds"] += seconds


def prepare(checkout: Checkout, case: Case) -> None:
    """Write the parameters and the request of a case into an empty folder."""
    shutil.copy(ROOT / "params.yaml", checkout.root)
    params = read_values(checkout.root)
    run, dataset = {**params["run"], "seed": case["seed"]}, {"source": "digits", "seed": case["seed"]}
    write_params(
        checkout.root, {"request": "bench", "run": run, "dataset": {**dataset, "canaries": case["canaries"]}}
    )
    named = {"classes": (), "samples": (), "subjects": (), case["scope"]: (case["target"],)}
    write_record(checkout.request("bench"), DeletionRequest(id="bench", scope=make_scope(**named)))


def main() -> None:
    """Run what is missing, write the results and print their summary."""
    stand_alone()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds (default 3)")
    parser.add_argument("--fresh", action="store_true", help="run finished cases again")
    given = parser.parse_args()
    document = provenance("cpu", "make bench")
    kept = ROOT / ".lethe" / "bench" / short(file_digest(ROOT / "params.yaml"))
    if given.fresh:
        shutil.rmtree(kept, ignore_errors=True)
    rows: list[Row] = []
    planned = list(cases(given.seeds))
    for number, case in enumerate(planned, start=1):
        path = kept / f"{case['scope']}-{case['target']}-{case['seed']}.json"
        print(f"[{number}/{len(planned)}] {path.stem}", file=sys.stderr)
        if not path.is_file():
            write_atomically(path, json.dumps(run_case(case)).encode())
        rows += json.loads(path.read_text())
    document |= {"summary": summarise(rows), "rows": rows}
    write_atomically(RESULTS / "quality_digits.json", (json.dumps(document, indent=1) + "\n").encode())
    save_figure(draw_trade_off(trade_offs(rows)), RESULTS / "quality_digits.svg")
    print_summary(summarise(rows))


if __name__ == "__main__":
    main()
