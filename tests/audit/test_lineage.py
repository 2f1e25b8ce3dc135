"""From which data a request may be served, given what the champion has forgotten."""

import pytest

from unlearn_core.audit.lineage import sources_of, would_undo

FIRST, SECOND, THIRD, OTHER = ("sha256:" + digit * 64 for digit in "1234")


@pytest.mark.parametrize(
    ("sources", "retained", "ancestry", "undoes"),
    [
        ((FIRST,), SECOND, (FIRST,), True),  # its data, as if it had forgotten nothing of it
        ((FIRST,), SECOND, (SECOND, FIRST), False),  # what was left of it
        ((FIRST,), SECOND, (THIRD, SECOND, FIRST), False),  # what was left after a later deletion
        ((FIRST,), SECOND, (THIRD, FIRST), True),  # another deletion from the same data
        ((FIRST,), SECOND, (THIRD,), False),  # other data altogether
        ((SECOND, FIRST), THIRD, (FIRST,), True),  # the data of before two deletions
        ((SECOND, FIRST), THIRD, (OTHER, FIRST), True),  # another deletion from those
    ],
)
def test_only_data_of_which_a_model_has_forgotten_a_part_is_refused(sources, retained, ancestry, undoes):
    assert would_undo(sources, retained, ancestry) is undoes


def test_the_sources_of_data_are_found_through_every_deletion():
    deletions = [(SECOND, THIRD), (FIRST, SECOND), (OTHER, FIRST)]
    assert sources_of(THIRD, deletions) == {THIRD, SECOND, FIRST, OTHER}
    assert sources_of(FIRST, [(FIRST, SECOND)]) == {FIRST}
    assert sources_of(FIRST, [(SECOND, FIRST), (FIRST, SECOND)]) == {FIRST, SECOND}  # a chain that was forged
