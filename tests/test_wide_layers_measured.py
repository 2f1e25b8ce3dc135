"""What is promised of wide layers in blocks: held by the committed measurements."""

import json
from pathlib import Path

RESULTS = Path(__file__).resolve().parent.parent / "benchmarks" / "results"
COMMITTED = json.loads((RESULTS / "wide_layers.json").read_text())


def test_vgg_at_its_own_size_is_within_reach_and_within_twelve_gibibytes():
    assert {row["method"] for row in COMMITTED["memory"]} == {"svd", "pgu"}
    for row in COMMITTED["memory"]:
        assert row["projected_share"] >= 0.95
        assert row["peak_bytes"] <= 12 * 2**30
        assert "7 blocks of up to 3,584 inputs" in row["blocks"][0]


def test_blocks_cost_no_accuracy_on_what_is_kept():
    for row in COMMITTED["digits"]:
        assert row["retain_test_accuracy"] >= row["retain_test_accuracy_before"] - 0.02
