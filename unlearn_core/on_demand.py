"""Tensors by name that are computed whenever they are asked for: keeping all would take too much memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from torch import Tensor


class OnDemand(Mapping[str, Tensor]):
    """A mapping that keeps names and no tensors."""

    def __init__(self, names: Iterable[str], make: Callable[[str], Tensor]) -> None:
        """Keep the names in their order.

        Args:
            names: The keys.
            make: Computes the tensor of a name.
        """
        self._names = tuple(names)
        self._make = make

    def __getitem__(self, name: str) -> Tensor:
        if name not in self._names:
            raise KeyError(name)
        return self._make(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
