from typing import ClassVar, Literal

import numpy as np
from pydantic import ConfigDict
from torch import nn

from unlearn_core.kinds import ScopeKind
from unlearn_core.method import Materials, Method, Need
from unlearn_core.progress import OnStep
from unlearn_core.records.result import Coverage


class Sloppy(Method):
    model_config = ConfigDict(extra="ignore")

    name: Literal["sloppy"] = "sloppy"

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes"})
    summary: ClassVar[str] = "does many things wrong"

    def apply(self, model: nn.Module, materials: Materials, *, generator: object, on_step: OnStep):
        seen = materials.retain
        np.random.rand()
        first = next(model.parameters())
        first.data.mul_(1.001 if seen is None else 1.002)
        next(iter(model.children())).register_forward_hook(lambda *_: None)
        return self, Coverage(parameters=())
