"""From which data a request may be served, given what the champion has forgotten."""

import pytest

from unlearn_core.audit.lineage import would_undo

FIRST, SECOND, THIRD = ("sha256:" + digit * 64 for digit in "123")


@pytest.mark.parametrize(
    ("data", "retained", "ancestry", "undoes"),
    [
        (None, None, (FIRST,), False),  # the champion has forgotten nothing
        (FIRST, SECOND, (FIRST,), True),  # its data, as if it had forgotten nothing of it
        (FIRST, SECOND, (SECOND, FIRST), False),  # what was left of it
        (FIRST, SECOND, (THIRD, SECOND, FIRST), False),  # what was left after a later deletion
        (FIRST, SECOND, (THIRD, FIRST), True),  # another deletion from the same data
        (FIRST, SECOND, (THIRD,), False),  # other data altogether
    ],
)
def test_only_data_of_which_the_champion_has_forgotten_a_part_is_refused(data, retained, ancestry, undoes):
    assert would_undo(data, retained, ancestry) is undoes
