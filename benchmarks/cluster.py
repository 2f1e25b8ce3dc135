"""What a Ray cluster adds to many trainings: two nodes with a core each, beside two processes here.

``python -m benchmarks.cluster`` trains the same models by both runners, one after the other in one run, and
writes ``results/cluster.json``. The work is the time that the trainings themselves take, measured where they
run; all else that the two places were held for is overhead: to join the cluster, to start processes, to pass
messages, to wait for the last one. The models must have the same bits.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.surroundings import stand_alone
from benchmarks.timing import provenance
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_atomically
from tasks.checkout.variables import restored, set_variable
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.costs import read_cost
from tasks.references.building import build_missing, refuse_failed
from tasks.references.plan import plan_references
from unlearn_core.records.artifact import Recipe

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results" / "cluster.json"
sys.path += [str(ROOT / "tests"), str(ROOT / "tests" / "cluster")]

AT_ONCE = 2


def measure(folder: Path, runner: str, *, models: int, epochs: int) -> tuple[dict[str, Any], list[str]]:
    """Train models by a runner.

    Args:
        folder: Made; the project.
        runner: As ``LETHE_RUNNER`` says.
        models: How many.
        epochs: How long each is trained.

    Returns:
        What it took, and the digests of the weights.
    """
    from retraining import BRIEF, RUN, prepared

    checkout = prepared(folder, recipe=Recipe(**{**dict(BRIEF), "epochs": epochs}))
    plan = plan_references(checkout, RUN, count=models, shadows=0)
    with restored("LETHE_RUNNER"):
        set_variable("LETHE_RUNNER", runner)
        started = time.perf_counter()
        done = build_missing(checkout, plan, at_once=AT_ONCE)
        seconds = time.perf_counter() - started
    refuse_failed(plan, done)
    each = [_seconds(checkout, name) for name in plan.missing]
    row = {
        "runner": runner,
        "seconds": seconds,
        "shortest_training_s": min(each),
        "work_s": sum(each),
        "overhead": AT_ONCE * seconds / sum(each) - 1,
    }
    return row, [str(one.result) for one in done]


def _seconds(checkout: Checkout, name: str) -> float:
    cost = read_cost(checkout, read_checkpoint_card(checkout.reference(name)).weights)
    assert cost is not None
    return cost.seconds


def main() -> None:
    """Measure both, and write the result."""
    stand_alone()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=8, help="how many each runner trains")
    parser.add_argument("--epochs", type=int, default=30, help="how long each is trained")
    given = parser.parse_args()
    from cluster_nodes import Nodes

    with tempfile.TemporaryDirectory() as place:
        nodes = Nodes(Path(place) / "nodes.log", count=AT_ONCE)
        try:
            set_variable("RAY_ADDRESS", nodes.address)
            measured = [
                measure(Path(place) / runner, runner, models=given.models, epochs=given.epochs)
                for runner in ("local", "ray")
            ]
        finally:
            nodes.close()
    rows = [row for row, _ in measured]
    document = {
        **provenance("cpu", "make bench-cluster"),
        "models": given.models,
        "nodes": AT_ONCE,
        "same_bits": measured[0][1] == measured[1][1],
        "rows": rows,
    }
    write_atomically(RESULTS, (json.dumps(document, indent=1) + "\n").encode())
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
