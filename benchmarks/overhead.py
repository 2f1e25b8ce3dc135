"""What a deletion costs on the real services besides training, unlearning and evaluating.

``python -m benchmarks.overhead`` starts PostgreSQL, Prefect, MLflow and an S3 endpoint on loopback as the
tests do, deploys, starts a worker, and serves three requests on digits, submitted one after another. For the
last two it records where the time went, from the submission until the ledger says completed:
``results/overhead.json``. The first is left out: it trains the model.
"""

import json
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.timing import provenance
from tasks.checkout.files import write_atomically
from tasks.checkout.tags import flow_tag

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results" / "overhead.json"
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "services")]

COMPUTING = ("moments", "train models", "measure", "unlearn")
"""Prefixes of the names of tasks that are the work itself."""
LIBRARIES = (
    "import unlearn_core.evaluating, unlearn_core.methods, unlearn_core.metrics, unlearn_core.unlearning"
)
"""What a program loads if it does the work and nothing else."""


def measure() -> list[dict[str, Any]]:
    """Serve requests on the real services, and return where the time of each but the first went."""
    from company import Company, wait_until
    from stack import SHORTER, Stack

    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder), SHORTER)
        try:
            stack.open()
            stack.deploy()
            company = Company(stack, Path(folder) / "desk")
            company.desk.mkdir()
            company.add_model("digits")
            loading = load()
            with stack.worker("one"):
                rows = []
                for request, label in (("r-1", "1"), ("r-2", "2"), ("r-3", "3")):
                    company.submit(request, label)
                    submitted = time.time()
                    company.completed(request)
                    ended = time.time()
                    wait_until("its run has ended", lambda: not company.runs(state="RUNNING"))
                    rows.append(describe(company, request, submitted, ended, loading=loading))
                return rows[1:]
        finally:
            stack.close()


def load() -> float:
    """Return the seconds that a new process takes to load only the libraries of the work."""
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", LIBRARIES], check=True, cwd=ROOT)
        taken.append(time.perf_counter() - began)
    return min(taken)


def describe(company: Any, request: str, submitted: float, ended: float, *, loading: float) -> dict[str, Any]:
    """Return the parts of a request's time, in seconds, in their order; they add up to the whole."""
    runs = sorted(_runs(company, request), key=lambda run: run["start_time"])
    tasks = [one for run in runs for one in _tasks(company, run["id"])]
    tasks.sort(key=lambda one: one["start_time"])
    outer, inner = _seconds(runs[0]["start_time"]), _seconds(tasks[0]["start_time"])
    parts = [
        ("loading torch and scikit-learn", loading),
        ("event, trigger, and the rest of the process's start", outer - submitted - loading),
        ("claim, clone, data and the start from the champion", inner - outer),
    ]
    reached, work = inner, loading
    for one in tasks:
        start, end = _seconds(one["start_time"]), _seconds(one["end_time"])
        parts.append(("between tasks", max(0.0, start - reached)))
        parts.append((one["name"].replace(request, "the request"), end - max(start, reached)))
        work += end - max(start, reached) if one["name"].startswith(COMPUTING) else 0.0
        reached = max(reached, end)
    parts.append(("publish, and the ledger says completed", ended - reached))
    summed: dict[str, float] = {}
    for name, seconds in parts:
        summed[name] = summed.get(name, 0.0) + seconds
    whole = ended - submitted
    return {"request": request, "seconds": whole, "work": work, "overhead": whole - work, "parts": summed}


def _runs(company: Any, request: str) -> list[dict[str, Any]]:
    """Return the flow runs of a request: the deployment's, and those inside it."""
    wanted = {"flow_runs": {"tags": {"all_": [flow_tag("request", request)]}}}
    with company.prefect as api:
        return api.post("/flow_runs/filter", json=wanted).json()


def _tasks(company: Any, run: str) -> list[dict[str, Any]]:
    """Return the tasks of a flow run, except those that stand for a flow inside it."""
    with company.prefect as api:
        found = api.post("/task_runs/filter", json={"flow_runs": {"id": {"any_": [run]}}}).json()
    return [one for one in found if not one["state"]["state_details"]["child_flow_run_id"]]


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def main() -> None:
    """Measure, print the breakdown, and write it down."""
    rows = measure()
    document = {**provenance("cpu", "make bench-services"), "rows": rows}
    write_atomically(RESULTS, (json.dumps(document, indent=1) + "\n").encode())
    for row in rows:
        print(f"{row['request']}: {row['seconds']:.1f} s, of which {row['overhead']:.1f} s besides the work")
        for name, seconds in row["parts"].items():
            print(f"  {seconds:6.2f}  {name}")


if __name__ == "__main__":
    main()
