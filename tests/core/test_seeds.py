"""A seed for every purpose."""

from hypothesis import given
from hypothesis import strategies as st

from unlearn_core.seeds import derive_seed

SEEDS = st.integers(0, 2**31 - 1)


@given(SEEDS, st.text())
def test_a_seed_fits_every_generator(base, purpose):
    assert 0 <= derive_seed(base, purpose) < 2**31


def test_a_seed_never_changes_between_versions():
    assert derive_seed(0, "parent") == 250882804


def test_bases_and_purposes_do_not_meet():
    seeds = {derive_seed(base, f"method/{number}") for base in range(100) for number in range(20)}
    assert len(seeds) == 2000
