"""What a bucket keeps of an object: each version that was ever written."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ObjectVersion:
    """One version of an object; where a bucket keeps none, its only one.

    Attributes:
        key: Its key, as ``ObjectStore.read`` takes it.
        version: The version's id; ``null`` where the bucket keeps none.
        size: Its bytes.
        is_latest: Whether it is what ``read`` returns.
    """

    key: str
    version: str
    size: int
    is_latest: bool
