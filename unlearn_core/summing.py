"""The sums of products that one pass of second moments adds up, by layer and form."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from unlearn_core.errors import MomentsError
from unlearn_core.grams import Gram, full_precision
from unlearn_core.layer import Layer
from unlearn_core.on_demand import OnDemand
from unlearn_core.ranks import agree, total


class Sums:
    """What has been summed so far, by layer and form.

    A forward pass that ran out of memory is repeated in parts. Layers that it had reached have counted its
    samples: each call of a layer knows how many samples it has seen, and counts none of them twice.
    """

    def __init__(self) -> None:
        self.sums: dict[tuple[Layer, Hashable], Tensor] = {}
        self.positions: dict[str, int] = {}
        self._seen: dict[tuple[Layer, int], int] = {}

    def begin(self, start: int, stop: int) -> None:
        """Begin a forward pass of the samples from ``start`` up to ``stop``."""
        self._start, self._stop = start, stop
        self._calls: Counter[Layer] = Counter()

    def hook(self, layer: Layer) -> Callable[..., None]:
        """Return what adds up a layer's calls, before each of them."""

        def see(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            call = (layer, self._calls[layer])
            self._calls[layer] += 1
            if self._start < self._seen.get(call, 0):
                return
            with full_precision(layer.weight.device):
                self.include(layer, layer.gram(*args, **kwargs))
            self._seen[call] = self._stop

        return see

    def include(self, layer: Layer, gram: Gram) -> None:
        """Add the sums of one call."""
        if (place := (layer, gram.form)) in self.sums:
            self.sums[place] += gram.sums
        else:
            self.sums[place] = gram.sums
        self.positions[layer.name] = self.positions.get(layer.name, 0) + gram.positions

    def add_up(self) -> None:
        """Add the sums of all ranks, one layer after another.

        Raises:
            MomentsError: If a layer was called by some ranks and not by others, or in another order.
        """
        if not self._agree():  # a small batch may be summed in another form than a large one
            self._lay_out()
            if not self._agree():
                raise MomentsError("the ranks called layers differently; take the moments in one process")
        self.sums = {place: total([sums])[0] for place, sums in self.sums.items()}
        (counts,) = total([torch.tensor(list(self.positions.values()))])
        self.positions = dict(zip(self.positions, counts.tolist(), strict=True))

    def _agree(self) -> bool:
        forms = [(layer.name, form, sums.shape) for (layer, form), sums in self.sums.items()]
        return agree(repr(forms))

    def _lay_out(self) -> None:
        """Replace the sums of every layer by its second moment, a form that every layer has."""
        moments: dict[Layer, Tensor] = {}
        for (layer, form), sums in self.sums.items():
            moment = layer.moment(form, sums)
            moments[layer] = moment if layer not in moments else moments[layer] + moment
        self.sums = {(layer, len(moment)): moment for layer, moment in moments.items()}

    def moments(self) -> dict[str, Tensor]:
        """Return the second moments by layer name; the sums are consumed."""
        moments: dict[str, Tensor] = {}
        for layer, form in list(self.sums):
            moment = layer.moment(form, self.sums.pop((layer, form)).cpu())
            moments[layer.name] = moment if layer.name not in moments else moments[layer.name] + moment
        return moments

    def on_demand(self) -> Mapping[str, Tensor]:
        """Return the second moments by layer name; the sums are kept."""
        parts: dict[str, list[tuple[Layer, Hashable]]] = {}
        for layer, form in self.sums:
            parts.setdefault(layer.name, []).append((layer, form))

        def make(name: str) -> Tensor:
            first, *others = (layer.moment(form, self.sums[layer, form].cpu()) for layer, form in parts[name])
            return sum(others, first)

        return OnDemand(parts, make)
