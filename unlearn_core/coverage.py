"""A coverage report and what really moved, element by element."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from unlearn_core.records.result import Coverage, ParameterCoverage


def with_moved_buffers(coverage: Coverage, *, before: nn.Module, after: nn.Module) -> Coverage:
    """Name the buffers that moved, and call no layer frozen if one of its own did.

    A method knows what it does to weights; whether a forward pass moved a running mean is seen from outside.

    Args:
        coverage: What the method says of the parameters.
        before: The model that it started from.
        after: The same net as the method left it.

    Returns:
        The coverage with its ``buffers``.
    """
    earlier = dict(before.named_buffers())
    moved = [name for name, buffer in after.named_buffers() if _differ(earlier.get(name), buffer)]
    owners = {_owner(name) for name in moved}
    entries = tuple(
        _with_moved_layer(one) if one.treatment == "frozen" and _owner(one.parameter) in owners else one
        for one in coverage.parameters
    )
    return Coverage(parameters=entries, buffers=tuple(moved))


def untruths(coverage: Coverage, *, before: nn.Module, after: nn.Module) -> Iterator[str]:
    """Compare a coverage with what really moved.

    Args:
        coverage: What is said, of parameters that both models have.
        before: The model that a method started from.
        after: The same net as the method left it.

    Yields:
        A sentence for every parameter of which more elements moved than may have, and for every buffer that
        moved and is not named.
    """
    for one in coverage.parameters:
        changed = before.get_parameter(one.parameter) != after.get_parameter(one.parameter)
        if (moved := int(changed.sum())) <= one.movable:
            continue
        said = f"{one.frozen} elements of {one.parameter} frozen" if one.frozen else ""
        said = said or f"{one.parameter} {one.treatment}"
        yield f"the coverage calls {said}, and {moved} of its {one.elements} elements have changed"
    for name in with_moved_buffers(coverage, before=before, after=after).buffers:
        if name not in coverage.buffers:
            yield f"the coverage does not name the buffer {name}, and it has changed"


def _with_moved_layer(entry: ParameterCoverage) -> ParameterCoverage:
    """Count a frozen parameter's elements as such, and say that its layer is not."""
    reason = f"{entry.reason}; the layer's buffers moved" if entry.reason else "the layer's buffers moved"
    changes = {"treatment": "trained", "frozen": entry.elements, "reason": reason}
    return ParameterCoverage(**{**dict(entry), **changes})


def _differ(before: Tensor | None, after: Tensor) -> bool:
    """Whether a buffer is new, or of another type, or holds other values."""
    return before is None or before.dtype != after.dtype or not torch.equal(before, after)


def _owner(name: str) -> str:
    """Return the name of the module that holds a parameter or a buffer."""
    return name.rpartition(".")[0]
