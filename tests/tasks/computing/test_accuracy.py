"""How often a model is right, compared with the obvious loop."""

import torch
from pictures import CLASSES

from tasks.computing.accuracy import ask
from unlearn_core.data import Samples
from unlearn_core.models import build_seeded
from unlearn_core.records.artifact import Architecture

NET = Architecture(name="small_resnet", classes=CLASSES, input_shape=(1, 8, 8))


def test_the_accuracy_is_that_of_the_obvious_loop_also_class_by_class():
    inputs = torch.randn(300, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(300) % 3
    model = build_seeded(NET, 0).eval()
    with torch.no_grad():
        right = [int(model(one[None]).argmax()) == label for one, label in zip(inputs, labels, strict=True)]
    parts = [Samples(inputs[:290], labels[:290]), Samples(inputs[290:], labels[290:])]
    answers = ask(model, parts, threads=1)
    assert answers.right.tolist() == right
    assert answers.accuracy().value == sum(right) / 300
    assert answers.of_class(1).accuracy().value == sum(right[1::3]) / 100
    assert not model.training
