"""How fast the ledger is with many requests and models: a thousand, ten thousand and a hundred thousand.

``python -m benchmarks.ledger`` fills a SQLite file and a database of a PostgreSQL server, which it starts as
the tests do, with requests on a hundredth as many models: half are served, some failed or were taken back,
the others wait. Then it does what commands and workers do, many times over. It writes
``results/ledger.json``: for each operation the median and the 99th percentile of its time. Every transaction
is one of the ledger's own; a server is asked for a password, over loopback.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import URL, insert, text

from benchmarks.surroundings import stand_alone
from benchmarks.timing import provenance
from tasks.checkout.environment import now
from tasks.checkout.files import write_atomically
from tasks.requests.ledger.changing import Draft
from tasks.requests.ledger.database import open_engine
from tasks.requests.ledger.ledger import Ledger
from tasks.requests.ledger.schema import bring_up_to_date
from tasks.requests.ledger.tables import EventRow, RequestRow, row_of_event, row_of_submission
from unlearn_core.audit.deadlines import later
from unlearn_core.audit.ledger import make_submission, next_event
from unlearn_core.audit.queueing import in_groups
from unlearn_core.kinds import TO_SERVE
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import SampleScope

RESULTS = Path(__file__).resolve().parent / "results" / "ledger.json"
Row = dict[str, Any]
START = now()
SIZES = (1_000, 10_000, 100_000)
PER_MODEL = 100
PAGE = 100
REPEATS = 300


def history(size: int) -> tuple[list[Row], list[Row]]:
    """Return the rows of requests that arrived over four weeks, half of which were served, and of events."""
    requests, events, head = list[Row](), list[Row](), None
    for n in range(size):
        asked = draft(n, size)
        received = asked.received or now()
        submission = make_submission(asked.request, model=asked.model, basis="gdpr", received=received)
        state, attempts = None, 0
        for action in ("submit", *_actions(n)):
            head = next_event(head, submission, state, action, time=START, actor="w", reason="benchmark")
            state, attempts = head.after, attempts + (action == "claim")
            events.append(columns_of(row_of_event(head)))
        row = row_of_submission(submission)
        row.state, row.attempts = str(state), attempts
        requests.append(columns_of(row))
    return requests, events


def columns_of(row: RequestRow | EventRow) -> Row:
    """Return a row as a mapping."""
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}


def fill(ledger: Ledger, requests: list[Row], events: list[Row]) -> None:
    """Insert the rows, and let a server look at them, which it does by itself some time later."""
    with ledger.engine.execution_options(writes=True).begin() as connection:
        for table, rows in ((RequestRow.__table__, requests), (EventRow.__table__, events)):
            connection.execute(insert(table), rows)
    if ledger.engine.dialect.name == "postgresql":
        with ledger.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))


def draft(n: int, size: int, prefix: str = "r") -> Draft:
    """Return a request for one sample of one of the models."""
    name = f"model-{n % max(1, size // PER_MODEL)}"
    scope = SampleScope(samples=(f"hmac-sha256:{n:064x}",))
    # Four weeks of arrivals, not in the order of their due days.
    received = later(START, -60 - 3600 * 24 * 27 * ((n * 7919) % size) / size)
    request = DeletionRequest(id=f"{prefix}-{n}", model=name, scope=scope)
    return Draft(request, name, received=received)


def _actions(n: int) -> tuple[Any, ...]:
    """Return what becomes of a request: of twenty, ten are served, one fails, one is taken back."""
    if n % 20 < 10:
        return ("claim", "complete")
    return {10: ("claim", "fail"), 11: ("cancel",)}.get(n % 20, ())


def operations(ledger: Ledger, size: int) -> Iterator[tuple[str, list[float]]]:
    """Yield the name of each operation, and the seconds that each repetition took."""
    repeats, fresh = range(min(REPEATS, size // 10)), count()

    def timed(name: str, run: Callable[[], Any], times: int = len(repeats)) -> tuple[str, list[float]]:
        return name, [seconds(run) for _ in range(times)]

    def page(place: int) -> None:
        shown = ledger.entries(limit=PAGE, after=place)
        ledger.completions([entry.id for entry in shown])
        ledger.count()

    yield timed(
        "enter a request",
        lambda: ledger.submit([draft(next(fresh), size, "new")], actor="benchmark"),
    )
    claims, ends = list[float](), list[float]()
    for _ in repeats:
        taken = list[Any]()
        claims.append(seconds(lambda taken=taken: taken.extend(ledger.claim("w"))))
        (entry,) = taken
        ledger.heartbeat(entry.id, "w")
        ends.append(seconds(partial(ledger.complete, entry.id, "w", reason="benchmark")))
    yield "claim one", claims
    yield "complete one", ends
    groups = list[float]()
    for _ in range(min(30, size // 100)):
        taken = list[Any]()
        groups.append(seconds(lambda taken=taken: taken.extend(ledger.claim("w", in_groups(most=50)))))
        for entry in taken:
            ledger.complete(entry.id, "w")
    yield "claim up to 50 of one model", groups
    yield timed("first page of the list", partial(page, 0))
    yield timed("last page of the list", partial(page, size - PAGE), 50)
    yield timed("what waits for one model", lambda: ledger.entries(model="model-1", state=TO_SERVE))
    yield timed("does anything wait", lambda: ledger.entries(state=TO_SERVE, limit=1))
    yield timed("history of one", lambda: ledger.history("r-1"))
    yield timed("verify all", ledger.verify, 1 if size > SIZES[0] else 5)


def seconds(run: Callable[[], Any]) -> float:
    """Return how long a call took."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def measure(url: URL, size: int, rows: tuple[list[Row], list[Row]]) -> Iterator[Row]:
    """Fill an empty database, and yield a row for each operation on it."""
    engine = open_engine(url, keep=True)
    bring_up_to_date(engine)
    ledger = Ledger(engine)
    filled = seconds(lambda: fill(ledger, *rows))
    print(f"{engine.dialect.name}, {size}: filled in {filled:.0f} s", flush=True)
    for name, times in operations(ledger, size):
        low, high = np.quantile(times, (0.5, 0.99)) * 1000
        print(f"  {name}: {low:.1f} ms, p99 {high:.1f} ms", flush=True)
        yield {
            "database": engine.dialect.name,
            "requests": size,
            "models": max(1, size // PER_MODEL),
            "events": len(rows[1]),
            "operation": name,
            "times": len(times),
            "p50_ms": round(float(low), 2),
            "p99_ms": round(float(high), 2),
        }
    engine.dispose()


@contextmanager
def databases() -> Iterator[Callable[[], list[URL]]]:
    """Yield what makes an empty database of each kind."""
    sys.path.append(str(RESULTS.parent.parent.parent / "tests"))
    from postgresql import find_programs, make_database, serve

    if (programs := find_programs()) is None:
        sys.exit("no PostgreSQL server here; on Debian: apt-get install postgresql")
    with tempfile.TemporaryDirectory() as folder, serve(programs) as server:
        names = count()
        yield lambda: [
            URL.create("sqlite+pysqlite", database=f"{folder}/{next(names)}.db"),
            make_database(server),
        ]


def main(sizes: tuple[int, ...], note: str) -> None:
    """Measure both databases at each size, and write the result with a remark on how it was run."""
    stand_alone()
    rows = list[Row]()
    with databases() as fresh:
        for size in sizes:
            made = history(size)
            rows += [row for url in fresh() for row in measure(url, size, made)]
    result = {**provenance("cpu", "make bench-ledger"), "note": note, "page": PAGE, "rows": rows}
    write_atomically(RESULTS, (json.dumps(result, indent=1) + "\n").encode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument("--note", default="", help="kept with the result")
    asked = parser.parse_args()
    main(tuple(asked.sizes), asked.note)
