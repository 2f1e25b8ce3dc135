"""A few steps stand for a training: they cost what its steps cost, however large these are."""

import torch
from world import blobs

from tasks.references import trials
from unlearn_core.models import build_seeded
from unlearn_core.records.artifact import Architecture, Recipe

NET = Architecture(name="small_resnet", classes=("a", "b", "c"), input_shape=(1, 8, 8))
STEEP = Recipe(optimizer="sgd", learning_rate=50.0, schedule="one_cycle", epochs=10, batch_size=8)


def test_the_steps_leave_the_weights_where_a_training_begins(monkeypatch):
    made = []

    def build(*given):
        made.append(build_seeded(*given))
        return made[-1]

    monkeypatch.setattr(trials, "build_seeded", build)
    ticks = iter((0.0, 12.0))
    assert trials.seconds_per_step(blobs(64), NET, STEEP, steps=6, clock=lambda: next(ticks)) == 2.0
    before, after = build_seeded(NET, 0).state_dict(), made[0].state_dict()
    for name in ("stem.weight", "head.weight"):
        assert torch.allclose(after[name], before[name], rtol=0, atol=1.0), name
