"""Measuring work on this machine."""

import torch

from tasks.computing.execution import measured


def test_the_peak_of_a_block_does_not_count_what_was_freed_before_it():
    with measured() as large:
        held = torch.ones(2**26)  # 256 MiB
    del held
    with measured() as small:
        pass
    assert large.peak_memory_mib > small.peak_memory_mib + 200
