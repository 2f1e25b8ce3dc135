"""A checkpoint's tensors, read without unpickling, and loaded into the net that they were trained in."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from tasks.checkout.log import tell
from tasks.lifecycle.claims import require_weights
from unlearn_core.errors import ConfigurationError, LetheError
from unlearn_core.models import build
from unlearn_core.records.artifact import Architecture
from unlearn_core.wrapping import Located, locate, some_of

_COUNTER = "num_batches_tracked"


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a checkpoint's tensors.

    Args:
        path: A safetensors file.

    Returns:
        The tensors by name; anything else is refused, as by ``require_weights``.
    """
    require_weights(path)
    return load_file(path)


def fit_weights(
    architecture: Architecture,
    tensors: Mapping[str, Tensor],
    *,
    part: str | None = None,
    exact: bool = False,
) -> nn.Module:
    """Build a net and load a checkpoint's weights into it, in the net's precision.

    What wrappers and trainers have put around the names is taken off. Batch counters may be missing, and
    all but one of the names of a tensor that the net uses in several places.

    Args:
        architecture: The net.
        tensors: The checkpoint.
        part: The name under which the net lies in it, if it lies in several places.
        exact: Refuse weights in another precision than the net's.

    Returns:
        The model, in eval mode.

    Raises:
        ConfigurationError: If the net cannot be built, or the weights do not fit it; the message has two
            lines.
    """
    model = build_net(architecture)
    wanted = model.state_dict()
    twins = _twins(model)
    counters = {name for name in wanted if name.rpartition(".")[2] == _COUNTER}
    located = locate(wanted, tensors, optional={*counters, *twins}, place=part)
    found = {name: tensors[there] for name, there in located.names.items()}
    for name, others in twins.items():
        if name not in found and (other := next((one for one in others if one in found), None)):
            found[name] = found[other]
    found |= {name: wanted[name] for name in counters - {*found}}
    problems = list(_misfits(wanted, found, located, twins))
    if other := [name for name, one in found.items() if one.dtype != wanted[name].dtype] if exact else []:
        had, has = (str(of[other[0]].dtype).removeprefix("torch.") for of in (found, wanted))
        problems.append(f"{some_of(other)} {_is(other)} {had}, the net has {has}")
    if problems:
        raise ConfigurationError(
            f"the weights do not fit {architecture.name}: {'; '.join(problems)}\n{_advice(architecture)}"
        )
    if located.beside:
        tell(
            f"  {len(located.beside)} other tensor(s) of the weights are left out: {some_of(located.beside)}"
        )
    model.load_state_dict(found)
    return model.eval()


def build_net(architecture: Architecture) -> nn.Module:
    """Build a net, and turn any error in the user's code into one message."""
    try:
        model = build(architecture)
    except LetheError:
        raise
    except Exception as error:
        raise ConfigurationError(f"{architecture.name} cannot be built: {error!r}") from error
    if not isinstance(model, nn.Module):
        raise ConfigurationError(
            f"{architecture.name} returned {type(model).__name__}, expected a torch module"
        )
    return model


def _advice(architecture: Architecture) -> str:
    return (
        "name the net that they were trained in, with as many classes as the data has "
        f"({len(architecture.classes)})"
    )


def _twins(model: nn.Module) -> dict[str, list[str]]:
    """Return the other names of each tensor that the net uses in several places."""
    names: defaultdict[int, list[str]] = defaultdict(list)
    for named in (model.named_parameters, model.named_buffers):
        for name, tensor in named(remove_duplicate=False):
            names[id(tensor)].append(name)
    shared = (group for group in names.values() if len(group) > 1)
    return {name: [one for one in group if one != name] for group in shared for name in group}


def _misfits(
    wanted: Mapping[str, Tensor],
    found: Mapping[str, Tensor],
    located: Located,
    twins: Mapping[str, list[str]],
) -> Iterator[str]:
    """Yield how a checkpoint's tensors differ from a net's, each kind with its first names."""
    if missing := [name for name in wanted if name not in found]:
        yield f"{some_of(missing)} {_is(missing)} missing"
    if located.unknown:
        yield f"{some_of(located.unknown)} {_is(located.unknown)} not in the net"
    shapes = [
        f"{name} is {list(tensor.shape)}, the net has {list(wanted[name].shape)}"
        for name, tensor in found.items()
        if tensor.shape != wanted[name].shape
    ]
    if shapes:
        yield some_of(shapes)
    if whole := [name for name, one in found.items() if _is_quantised(one, wanted[name])]:
        yield f"{some_of(whole)} {_is(whole)} of whole numbers (quantised), the net has fractions"
    if odd := [name for name, tensor in found.items() if not torch.isfinite(tensor.float()).all()]:
        yield f"{some_of(odd)} {_is(odd)} not finite"
    if apart := [
        name
        for name, others in twins.items()
        if any({name, other} <= {*found} and not torch.equal(found[name], found[other]) for other in others)
    ]:
        yield f"{some_of(apart)} are one tensor in the net, and differ in the weights"


def _is_quantised(tensor: Tensor, wanted: Tensor) -> bool:
    return wanted.is_floating_point() and not tensor.is_floating_point()


def _is(names: list[str] | tuple[str, ...]) -> str:
    return "is" if len(names) == 1 else "are"
