"""What each rank does in the tests of several ranks; a test calls ``results`` for the same in one process.

``torchrun ... unlearning_on_ranks.py FOLDER`` writes each rank's results; with ``dies`` the last rank is
killed while it trains, with ``strays`` it trains with another seed, with ``drops`` the net has dropout.
"""

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, distributed, nn

from unlearn_core.audit.policy import judge
from unlearn_core.conformance.toy import CLASSES, FORGOTTEN, blobs
from unlearn_core.data import Samples
from unlearn_core.evaluating import evaluate, observe
from unlearn_core.method import Materials, Method, Origin, Tuning
from unlearn_core.methods.compositions.svd_repair import SvdRepair
from unlearn_core.methods.finetune import Finetune
from unlearn_core.methods.pgu import Pgu
from unlearn_core.methods.repair import Repair
from unlearn_core.methods.retrain import Retrain
from unlearn_core.methods.svd import Svd
from unlearn_core.methods.unsir import Unsir
from unlearn_core.metric import Subject
from unlearn_core.metrics import DEFAULT
from unlearn_core.models import build_seeded
from unlearn_core.moments import collect
from unlearn_core.observations import View
from unlearn_core.progress import Step, ignore_step
from unlearn_core.ranks import own_rank, world_size
from unlearn_core.records.artifact import Architecture, Recipe
from unlearn_core.records.base import Record
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.policy import Band, Ladder, Policy
from unlearn_core.training import fit
from unlearn_core.unlearning import unlearn
from unlearn_core.viewing import Altered

ARCHITECTURE = Architecture(name="small_resnet", classes=tuple("abcd"), input_shape=(1, 6, 6))
RECIPE = Recipe(optimizer="sgd", learning_rate=0.05, epochs=2, batch_size=33)
# Batches that two ranks cannot halve; PGU's last has a single sample.
METHODS: dict[str, Method] = {
    "pgu": Pgu(batch_size=33, epoch_samples=100, attempts=2, epochs=6),
    "svd": Svd(batch_size=64),
    "unsir": Unsir(noise_steps=10, retain_per_class=67, rates=((0.001, 0.0005), (0.005, 0.002))),
    "finetune": Finetune(recipe=RECIPE),
    "svd_repair": SvdRepair(repair=Repair(most_epochs=1, margin=0.0, recipe=RECIPE)),
    "retrain": Retrain(recipe=RECIPE),
}
BANDS = tuple(
    Band(measurement=name, below=0.1, above=0.1, below_means="over_forgotten", above_means="under_forgotten")
    for name in ("accuracy.train.forget", "accuracy.test.retain")
)
POLICY = Policy(ladder=Ladder(classes=("pgu",), samples=("finetune",)), classes=BANDS, samples=BANDS)


def parent() -> nn.Module:
    """Return the trained net; every process trains it by itself, to the same bits."""
    net = build_seeded(ARCHITECTURE, 0)
    fit(net, blobs(100, 1), Recipe(epochs=3), generator=torch.Generator().manual_seed(0))
    return net


def materials(model: nn.Module) -> Materials:
    """Return what the methods may need to forget a class."""
    train, held_out = blobs(100, 1), blobs(80, 2)
    sides = [
        samples.of_classes((FORGOTTEN,), exclude=kept)
        for kept in (False, True)
        for samples in (train, held_out)
    ]
    return Materials(
        scope="classes",
        classes=(FORGOTTEN,),
        forget=sides[0],
        retain=sides[2],
        moments=collect(model, train, batch_size=64),
        tuning=Tuning(sides[1], sides[3]),
        origin=Origin(lambda: build_seeded(ARCHITECTURE, 1), RECIPE),
    )


def evaluation(model: nn.Module, at_hand: Materials) -> Evaluation:
    """Measure a model on a few views, with every metric that has what it needs."""
    unseen = blobs(90, 3)
    views: dict[View, Samples | Altered] = {
        ("train", "forget"): at_hand.forget,
        ("train", "retain"): at_hand.retain,
        **{(part, "forget"): unseen.of_classes((FORGOTTEN,)) for part in ("audit", "test")},
        **{(part, "retain"): unseen.of_classes((FORGOTTEN,), exclude=True) for part in ("audit", "test")},
        ("altered", "retain"): Altered(unseen, 0),
    }
    outputs = {view: observe(model, samples, batch_size=37) for view, samples in views.items()}
    subject = Subject(CLASSES, (FORGOTTEN,), outputs, untrained=outputs["train", "forget"])
    return evaluate(DEFAULT, subject, model_digest="sha256:" + "0" * 64, seed=0)


def results() -> dict[str, Tensor]:
    """Return moments, unlearned weights, measurements and verdicts, by name; records as their bytes."""
    torch.manual_seed(0)
    model = parent()
    at_hand = materials(model)
    found = {f"moments.{name}": moment for name, moment in at_hand.moments.layers.items()}
    found["positions"] = torch.tensor(list(at_hand.moments.positions.values()))
    original = evaluation(model, at_hand)
    found["evaluation"] = as_bytes(original)
    for name, method in METHODS.items():
        done = unlearn(method, model, at_hand, seed=0)
        found |= {f"weights.{name}.{key}": tensor for key, tensor in done.model.state_dict().items()}
        found[f"method.{name}"] = as_bytes(done.method)
        measured = evaluation(done.model, at_hand)
        verdict = judge(POLICY, "classes", measured, original=original, references=(original,))
        found[f"verdict.{name}"] = torch.tensor([*verdict.verdict.encode()])
    found["drawn"] = torch.get_rng_state()
    return found


def as_bytes(record: Record) -> Tensor:
    return torch.tensor([*record.canonical()], dtype=torch.uint8)


def die(_step: Step) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(folder: str, fault: str = "") -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", timeout=timedelta(seconds=60))
    last = own_rank() == world_size() - 1
    if not fault:
        save_file(results(), Path(folder) / f"{own_rank()}.safetensors")
    else:
        model = nn.Sequential(nn.Dropout(0.5 if fault == "drops" else 0.0), parent())
        at_hand = materials(model)
        unlearn(
            METHODS["finetune"],
            model,
            at_hand,
            seed=int(fault == "strays" and last),
            on_step=die if fault == "dies" and last else ignore_step,
        )
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
