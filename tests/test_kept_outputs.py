"""What is promised of kept outputs: held by the committed measurements."""

import json
from pathlib import Path

RESULTS = Path(__file__).resolve().parent.parent / "benchmarks" / "results"
ROWS = json.loads((RESULTS / "kept_outputs.json").read_text())["rows"]


def test_an_epoch_on_kept_outputs_is_twice_as_fast_and_comes_to_the_same_weights():
    assert len(ROWS) == 2
    for row in ROWS:
        assert row["speedup"] >= 2
        assert row["largest_difference"] <= 1e-5
