"""States of a training, kept beside the model that came of it, for methods that go back to one."""

from collections.abc import Sequence
from pathlib import Path

from tasks.checkout.files import file_digest, read_record, write_record
from tasks.computing.tensors import read_one_by_one, save_tensors
from unlearn_core.errors import PipelineError
from unlearn_core.on_demand import OnDemand
from unlearn_core.records.artifact import KeptState, StatesCard
from unlearn_core.rewinding import TrainingState

TENSORS, CARD = "states.safetensors", "states.json"


def save_states(folder: Path, states: Sequence[TrainingState]) -> None:
    """Write states and their card into a checkpoint's folder; without any, nothing."""
    if not states:
        return
    tensors = {
        f"{i}.{name}": tensor for i, state in enumerate(states) for name, tensor in state.tensors.items()
    }
    save_tensors(folder / TENSORS, tensors)
    kept = tuple(KeptState(step=state.step, steps=state.steps) for state in states)
    write_record(folder / CARD, StatesCard(tensors=file_digest(folder / TENSORS), states=kept))


def read_states(folder: Path) -> tuple[TrainingState, ...] | None:
    """Return the states that were kept beside a model; their tensors are read when they are asked for.

    Args:
        folder: The checkpoint's folder.

    Returns:
        The states, in order; None if none were kept.

    Raises:
        PipelineError: If they are not those that their card names.
    """
    if not (folder / CARD).is_file():
        return None
    card = read_record(folder / CARD, StatesCard)
    if not (folder / TENSORS).is_file() or file_digest(folder / TENSORS) != card.tensors:
        raise PipelineError(f"{folder / TENSORS} is not the file that its card names; run `dvc checkout`")
    tensors = read_one_by_one(folder / TENSORS)
    return tuple(
        TrainingState(one.step, one.steps, _of(tensors, f"{index}.")) for index, one in enumerate(card.states)
    )


def _of(tensors: OnDemand, prefix: str) -> OnDemand:
    """Return the tensors whose names begin with a prefix, without it."""
    names = [name.removeprefix(prefix) for name in tensors if name.startswith(prefix)]
    return OnDemand(names, lambda name: tensors[prefix + name])
