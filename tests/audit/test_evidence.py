"""Levels of evidence: from what counts each begins, and that more never allows less."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearn_core.audit.evidence import LEVELS, level

COUNTS = st.integers(0, 200)


@pytest.mark.parametrize(
    ("references", "shadows", "expected"),
    [
        (0, 0, "E0"),
        (1, 0, "E1"),
        (4, 4, "E1"),
        (5, 0, "E2"),
        (63, 63, "E2"),
        (500, 0, "E2"),
        (500, 63, "E2"),
        (5, 64, "E3"),
        (4, 64, "E1"),
        (64, 64, "E3"),
    ],
)
def test_a_level_begins_where_it_is_promised(references, shadows, expected):
    assert level(references, shadows) == expected


def test_without_a_retrained_model_no_number_of_shadows_is_evidence():
    assert level(0, 1000) == "E0"


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_more_models_never_allow_less(references, shadows, more_references, more_shadows):
    richer = level(references + more_references, shadows + more_shadows)
    assert list(LEVELS).index(richer) >= list(LEVELS).index(level(references, shadows))
