"""The page on tombstones says what was measured, with the code's own limits."""

import json
from pathlib import Path

from benchmarks.tombstones import CHANGES, RESULT
from unlearn_core.fingerprints import LEAST_SIDE, NEAR_BITS

MEASURED = json.loads(RESULT.read_text())
PAGE = (Path(__file__).parents[1] / "docs" / "tombstones.md").read_text()


def test_the_measurement_is_of_these_limits_and_large_enough():
    assert (MEASURED["near_bits"], MEASURED["least_side"]) == (NEAR_BITS, LEAST_SIDE)
    assert MEASURED["photographs"]["incoming"] == 10_000
    assert set(MEASURED["photographs"]["missed_share"]) == set(CHANGES)


def test_the_page_states_the_misses_and_false_alarms():
    found, digits = MEASURED["photographs"], MEASURED["digits_if_they_had_a_perceptual_hash"]
    for change, missed in found["missed_share"].items():
        assert f"| {change} | {100 * missed[str(NEAR_BITS)]:.2f} %" in PAGE
    assert f"{found['false_alarms'][str(NEAR_BITS)]:.0f} of 10,000" in PAGE
    assert f"{digits['false_alarms'][str(NEAR_BITS)]:.0f} of {digits['incoming']} other digits" in PAGE
    assert f"{100 * digits['missed_share']['JPEG, quality 60'][str(NEAR_BITS)]:.2f} % of those saved" in PAGE
    assert found["same_pixels_among_incoming"] == 0


def test_what_has_to_be_found_is_found():
    found = MEASURED["photographs"]
    assert found["refused_as_the_same"]["saved again as PNG"] == found["forgotten"]
    for change in ("JPEG, quality 60", "scaled by 0.9"):
        assert found["missed_share"][change][str(NEAR_BITS)] < 0.001
