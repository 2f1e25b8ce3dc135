"""What a bucket keeps of an object: each version that was ever written."""

from dataclasses import dataclass

UNVERSIONED = "null"
"""The id of an object's only version where the bucket keeps none."""


@dataclass(frozen=True)
class ObjectVersion:
    """One version of an object; where a bucket keeps none, its only one.

    Attributes:
        key: Its key, as ``ObjectStore.read`` takes it.
        version: The version's id.
        size: Its bytes.
    """

    key: str
    version: str
    size: int
