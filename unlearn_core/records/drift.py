"""How far a model has come from the last one that was trained in full, over all deletions since."""

from typing import Literal, Self

from pydantic import Field

from unlearn_core.records.base import Record, Sha256


class LayerDrift(Record):
    """One layer, against the same layer of the model that was trained in full.

    With weights W0 then and W now, and C the second moment of the layer's inputs then, over the data that
    is retained now: ``weight_distance`` is ``|W - W0| / |W0|``, and ``retained_energy`` is
    ``1 - |(W - W0) C^(1/2)|² / |W0 C^(1/2)|²``: the share of the layer's output energy on the retained data
    that the change of the weight leaves in place. It is negative if the change outputs more energy than the
    weight did. ``staleness`` is the relative distance of the second moments that were carried by subtraction
    from those at the new weights. All norms are Frobenius norms; biases are not part of a layer here.
    """

    layer: str
    weight_distance: float = Field(ge=0)
    retained_energy: float = Field(le=1)
    staleness: float = Field(ge=0)


class DriftSummary(Record):
    """Drift in one number each.

    ``origin`` is the last model that was trained in full, ``requests`` how many deletions have been served
    on it since, this one included; a model that is trained in full is its own origin. ``weight_distance``
    is over all parameters together. Of the layers' values the worst are given: the largest
    ``layer_weight_distance`` and ``staleness``, the smallest ``retained_energy``. ``staleness`` is None for a
    model that is trained in full: its second moments are taken afresh. ``accuracy`` is that on the retained
    part of the audit split, and ``accuracy_at_origin`` the origin's on the same samples; None where that says
    nothing: one class is left, or no sample. If a purge has erased the origin, the parent is named and
    measured from in its place, and requests are counted on.
    """

    origin: Sha256
    requests: int = Field(ge=0)
    weight_distance: float = Field(ge=0)
    layer_weight_distance: float = Field(ge=0)
    retained_energy: float = Field(le=1)
    staleness: float | None = Field(ge=0)
    accuracy: float | None = Field(ge=0, le=1)
    accuracy_at_origin: float | None = Field(ge=0, le=1)

    @classmethod
    def of(cls, drift: "Drift") -> Self:
        """Summarise a drift record."""
        return cls(**{name: getattr(drift, name) for name in cls.model_fields})


class Drift(DriftSummary):
    """The drift of one candidate, layer by layer, in the order in which the layers are called."""

    schema_version: Literal["lethe.drift/1"] = "lethe.drift/1"
    layers: tuple[LayerDrift, ...]
