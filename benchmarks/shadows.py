"""Attacks with shadow models on digits: 16 pairs, and 40 planted canaries to be forgotten.

``python -m benchmarks.shadows`` trains the pairs, attacks the original, five retrained models and what three
methods made, and writes ``results/shadows_digits.json``. What is finished stays in ``--work``.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import digits
from benchmarks.surroundings import stand_alone
from benchmarks.timing import provenance
from flows.stages.dataset import make_dataset
from flows.stages.moments import make_moments
from flows.stages.parent import make_parent
from flows.stages.split import split_data
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_atomically
from tasks.checkout.params import read_values, write_params
from tasks.computing.configured import configured_methods
from tasks.computing.unlearning import attempt
from tasks.measuring.evaluation import assess
from tasks.references.gathering import gather_references
from unlearn_core.canaries import CANARY_SUBJECT
from unlearn_core.records.evaluation import Evaluation

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
PAIRS, REFERENCES, CANARIES = 16, 5, 40
METHODS = ("pgu", "scrub", "retrain")
SHOWN = ("ulira", "epsilon", "klom", "canary")
"""The metrics of an evaluation that are kept in a row, besides the accuracy on the forgotten samples."""

Row = dict[str, Any]


def set_up(checkout: Checkout) -> None:
    """Make the data set, its canaries, the parent and the request; what exists is not made again."""
    if (checkout.split / "split.json").is_file():
        return
    checkout.root.mkdir(parents=True, exist_ok=True)
    digits.prepare(checkout, {"scope": "subjects", "target": CANARY_SUBJECT, "seed": 0, "canaries": CANARIES})
    policy = read_values(checkout.root)["policy"]
    write_params(checkout.root, {"policy": {**policy, "references": REFERENCES, "shadows": PAIRS}})
    for stage in (make_dataset, make_parent, make_moments, split_data):
        stage(checkout)


def attacked(checkout: Checkout) -> Iterator[Row]:
    """Attack every model.

    Yields:
        One row per model.
    """
    run, policy = checkout.params.run, checkout.params.policy
    references = gather_references(checkout, run, policy)
    yield _row("original", assess(checkout, checkout.parent, run, references=references))
    for number, folder in enumerate(references.retrained, 1):
        yield _row(f"retrained {number}", assess(checkout, folder, run, references=references))
    for method in configured_methods(checkout):
        if method.name in METHODS:
            tried = attempt(checkout, method, run, max_unsupported_share=policy.max_unsupported_share)
            measured = assess(checkout, tried.checkpoint, run, references=references, method=method)
            yield _row(method.name, measured)


def _row(model: str, measured: Evaluation) -> Row:
    shown = [
        entry
        for entry in measured.measurements
        if entry.name.split(".")[0] in SHOWN or entry.name == "accuracy.train.forget"
    ]
    return {
        "model": model,
        "measured": {entry.name: entry.model_dump(mode="json", exclude={"name"}) for entry in shown},
    }


def main() -> None:
    """Run what is missing, write the results and print the attack."""
    stand_alone()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("~/.cache/lethe/shadows").expanduser(),
        help="where everything is kept",
    )
    checkout = Checkout(parser.parse_args().work)
    document = provenance("cpu", "make bench-evidence")
    set_up(checkout)
    rows = list(attacked(checkout))
    document |= {"pairs": PAIRS, "canaries": CANARIES, "rows": rows}
    write_atomically(RESULTS / "shadows_digits.json", (json.dumps(document, indent=1) + "\n").encode())
    for row in rows:
        auc = row["measured"]["ulira.auc"]
        print(f"{row['model']:12} ulira.auc {auc['value']:.3f} [{auc['low']:.3f}, {auc['high']:.3f}]")


if __name__ == "__main__":
    main()
