"""What frozen layers give, run once and kept, so that an epoch costs only what the trained layers cost.

A net is cut at a *boundary*: a frozen module after which everything that the trained layers need can be
computed from that module's output alone. Kept outputs are then handed to the net in place of images.
No architecture is known here: where a net can be cut is found by trying, and checked.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from unlearn_core.modes import mode
from unlearn_core.tracing import attached, first_outputs
from unlearn_core.training import train_mode

MOST_CANDIDATES = 16
"""How many modules are tried as a boundary, the last one first."""
TOLERANCE = 1e-4
"""How far outputs may be apart, as a share of the largest: products of other sizes round differently."""


@dataclass(frozen=True)
class Boundary:
    """Where a net can be cut.

    Attributes:
        before: Names of the modules that need not run any more, in the order of their calls.
        outputs: What each gave for the batch that was tried; of the last one the output is kept.
        inputs: The batch that was tried.
    """

    before: tuple[str, ...]
    outputs: tuple[Any, ...]
    inputs: Tensor

    @property
    def name(self) -> str:
        """The module whose outputs are kept."""
        return self.before[-1]

    @property
    def kept(self) -> Any:
        """What would be kept of the batch that was tried."""
        return self.outputs[-1]


def find_boundary(model: nn.Module, inputs: Tensor) -> Boundary | None:
    """Find the last module at which a net can be cut, by trying.

    A module is a candidate if it ran once and ended before the first trained layer began. It is taken if the
    net gives the same from its output alone as from the inputs, everything before it replaced by zeros.

    The trial is made to notice what would be wrong later. Trained weights are random, so a connection that
    skips the cut shows even at a layer that starts with zeros; they are other ones than when outputs were
    kept, so none may matter before the cut. Modes are those of training, and rows are others in another
    order, so before the cut there is no dropout, no statistic of a batch and nothing remembered.

    Args:
        model: The net; trained are the parameters that have gradients. All of it is put back as it was.
        inputs: ``[samples, ...]``; a handful.

    Returns:
        The boundary; None if there is none, or if all layers are trained.
    """
    with mode(model, "eval"), torch.no_grad(), torch.random.fork_rng():
        train_mode(model)
        with _random_weights(model, seed=0):
            calls = _calls_before_training(model, inputs)
        with _random_weights(model, seed=1):
            for last in range(len(calls), max(0, len(calls) - MOST_CANDIDATES), -1):
                names, outputs = zip(*calls[:last], strict=True)
                found = Boundary(names, outputs, inputs)
                if _holds(model, found):
                    return found
    return None


def outputs_at(model: nn.Module, boundary: Boundary, batches: Iterable[Tensor]) -> Tensor | None:
    """Run a net up to a boundary, and return what comes out there, if it stands for all of the inputs.

    What holds for the batch that was tried need not hold for others, e.g. where values of the inputs decide
    what the net does; so every batch is checked as the first one was.

    Args:
        model: The net, evaluated in eval mode.
        boundary: Where to keep.
        batches: The inputs, ``[samples, ...]`` each.

    Returns:
        ``[samples, ...]`` of all batches, on their device; None if the net does something else with them.
    """
    kept: list[Tensor] = []
    with mode(model, "eval"), torch.no_grad(), _random_weights(model, seed=2):
        for inputs in batches:
            expected, output = _run(model, boundary.name, inputs)
            with cut_at(model, boundary):
                if not _alike(model(output), expected):
                    return None
            kept.append(output)
    return torch.cat(kept)


def bytes_per_sample(boundary: Boundary) -> int:
    """Return how many bytes a sample's kept output takes."""
    return boundary.kept[0].numel() * boundary.kept.element_size()


class Cut(nn.Module):
    """A net that takes kept outputs of a boundary; outside of its forward pass the net is whole."""

    def __init__(self, net: nn.Module, boundary: Boundary) -> None:
        """Cut a net.

        Args:
            net: The net; its parameters are this module's too.
            boundary: Where it is cut.
        """
        super().__init__()
        self.net = net
        self._boundary = boundary

    def forward(self, kept: Tensor) -> Tensor:
        """Return what the net gives for the inputs whose outputs were kept."""
        with cut_at(self.net, self._boundary):
            return self.net(kept)


@contextmanager
def cut_at(model: nn.Module, boundary: Boundary) -> Iterator[None]:
    """Let a net take kept outputs of a boundary in place of its inputs; afterwards it is as before.

    Args:
        model: The net.
        boundary: Where it is cut.

    Yields:
        Nothing; meanwhile ``model(kept)`` is what ``model(inputs)`` was.
    """
    given: list[Tensor] = []

    def take(_model: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        given[:] = [arguments[0]]
        return (_zeros(boundary.inputs, len(arguments[0])),)

    hook = model.register_forward_pre_hook(take)
    modules = [model.get_submodule(name) for name in boundary.before]
    own = [vars(module).get("forward") for module in modules]
    try:
        for module, output in zip(modules[:-1], boundary.outputs, strict=False):
            module.forward = _giving(output, given)
        modules[-1].forward = lambda *_arguments, **_named: given[0]
        yield
    finally:
        hook.remove()
        for module, forward in zip(modules, own, strict=True):
            vars(module).pop("forward", None)
            if forward is not None:
                module.forward = forward


def _holds(model: nn.Module, boundary: Boundary) -> bool:
    """Tell whether a net gives the same from kept outputs as from inputs: other rows, in another order."""
    count = len(boundary.inputs)
    rows = torch.arange(count - 1, device=boundary.inputs.device).flip(0)
    if not isinstance(boundary.kept, Tensor) or boundary.kept.shape[:1] != (count,):
        return False
    try:
        torch.manual_seed(1)
        expected = model(boundary.inputs[rows])
        model(boundary.inputs)  # what the net remembers of these rows must not be what it is asked for
        torch.manual_seed(1)
        with cut_at(model, boundary):
            return _alike(model(boundary.kept[rows]), expected)
    except Exception:  # somebody's net may do anything when it is given zeros
        return False


def _trained(model: nn.Module) -> list[nn.Module]:
    """Return the modules with trained parameters of their own."""
    return [
        module
        for module in model.modules()
        if any(parameter.requires_grad for parameter in module.parameters(recurse=False))
    ]


@contextmanager
def _random_weights(model: nn.Module, *, seed: int) -> Iterator[None]:
    """Give every trained parameter random values; afterwards it has its own again, and so have buffers."""
    generator = torch.Generator().manual_seed(seed)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    saved = [(tensor, tensor.detach().clone()) for tensor in (*trained, *model.buffers())]
    try:
        for parameter in trained:
            inputs = parameter[0].numel() if parameter.ndim > 1 else 1
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / inputs**0.5)
        yield
    finally:
        for tensor, values in saved:
            tensor.copy_(values)


def _calls_before_training(model: nn.Module, inputs: Tensor) -> list[tuple[str, Any]]:
    """Return which modules ended before a trained one began, with their outputs, in that order.

    Of modules inside one another only the outermost is returned, and none that ran more than once.
    """
    ended: list[tuple[str, Any]] = []
    began: list[bool] = []

    def end(name: str) -> Callable[..., None]:
        return lambda _module, _arguments, output: None if began else ended.append((name, output))

    hooks = [module.register_forward_pre_hook(lambda *_: began.append(True)) for module in _trained(model)]
    hooks += [module.register_forward_hook(end(name)) for name, module in model.named_modules() if name]
    with attached(hooks):
        model(inputs)
    names = [name for name, _ in ended]
    return [
        (name, output)
        for name, output in ended
        if names.count(name) == 1 and not any(name.startswith(f"{other}.") for other in names)
    ]


def _run(model: nn.Module, name: str, inputs: Tensor) -> tuple[Any, Tensor]:
    """Run a net, and return its output and that of a module."""
    with first_outputs(model, [name]) as seen:
        return model(inputs), seen[name]


def _alike(found: Any, expected: Any) -> bool:
    """Tell whether outputs are the same, but for the last digits; where all are zeros nothing is known."""
    if not isinstance(found, Tensor) or found.shape != expected.shape:
        return False
    largest, apart = (float(tensor.abs().amax()) for tensor in (expected, found - expected))
    return 0 < largest < torch.inf and apart <= TOLERANCE * largest


def _giving(output: Any, given: list[Tensor]) -> Callable[..., Any]:
    """Return a forward pass that gives zeros of the same shapes as an output, for the current samples."""
    return lambda *_arguments, **_named: tree_map_only(
        Tensor, lambda tensor: _zeros(tensor, len(given[0])), output
    )


def _zeros(like: Tensor, count: int) -> Tensor:
    """Return zeros for so many samples, which take no memory."""
    return like.new_zeros(()).expand(count, *like.shape[1:])
