"""An epoch of ``fresh_top`` on kept outputs, compared with running the whole net in every epoch.

``python -m benchmarks.kept_outputs`` writes ``results/kept_outputs.json``. Both forms train the same fresh
layers on the same images in turns, without augmentation; medians are kept.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torchvision.models import VisionTransformer

from benchmarks.nets import images, net_of
from benchmarks.timing import in_turns, provenance, timed
from unlearn_core.activations import Cut, bytes_per_sample, find_boundary, outputs_at
from unlearn_core.data import Samples
from unlearn_core.freezing import freeze_all_but, last_layers
from unlearn_core.records.artifact import Recipe
from unlearn_core.training import fit

RESULT = Path(__file__).resolve().parent / "results" / "kept_outputs.json"
RECIPE = Recipe(optimizer="sgd", learning_rate=0.01, schedule="constant", epochs=1, batch_size=128)
LAYERS = 3

Row = dict[str, Any]


def vision_transformer() -> nn.Module:
    """Return a small vision transformer for images of 32 x 32."""
    torch.manual_seed(0)
    return VisionTransformer(32, 4, 6, 4, 128, 256, num_classes=10).eval()


def measure(name: str, net: nn.Module, *, samples: int, repeats: int) -> Row:
    """Measure an epoch of one net.

    Args:
        name: What the net is called.
        net: It takes ``[samples, 3, 32, 32]``.
        samples: How many images an epoch has.
        repeats: How often each form runs.

    Returns:
        The row.
    """
    data = images(samples, (3, 32, 32))
    freeze_all_but(net, last_layers(net, LAYERS))
    boundary = find_boundary(net, data.inputs[:4])
    assert boundary is not None
    once, outputs = timed(lambda: outputs_at(net, boundary, data.inputs.split(RECIPE.batch_size)))
    assert outputs is not None
    kept, start = Samples(outputs, data.labels), {n: t.clone() for n, t in net.state_dict().items()}

    def epoch(train: Callable[[], None]) -> torch.Tensor:
        net.load_state_dict(start)
        train()
        return torch.cat([p.detach().flatten() for p in net.parameters() if p.requires_grad])

    def on_kept() -> None:
        fit(Cut(net, boundary), kept, RECIPE, generator=torch.Generator().manual_seed(0))

    def on_images() -> None:
        fit(net, data, RECIPE, generator=torch.Generator().manual_seed(0))

    seconds, whole_seconds, found, expected = in_turns(
        lambda: epoch(on_kept), lambda: epoch(on_images), repeats
    )
    return {
        "model": name,
        "layers": LAYERS,
        "boundary": boundary.name,
        "samples": samples,
        "epoch_seconds": seconds,
        "whole_net_epoch_seconds": whole_seconds,
        "speedup": whole_seconds / seconds,
        "seconds_to_keep": once,
        "bytes_per_sample": bytes_per_sample(boundary),
        "largest_difference": float((found - expected).abs().max()),
    }


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="take seconds and write nothing")
    given = parser.parse_args()
    samples, repeats = (64, 1) if given.dry_run else (1024, 5)
    torch.set_num_threads(1)
    nets = {"resnet18": net_of("resnet18")[0], "vision transformer, 6 blocks": vision_transformer()}
    rows = [measure(name, net, samples=samples, repeats=repeats) for name, net in nets.items()]
    print(json.dumps(rows, indent=1))
    if not given.dry_run:
        document = {**provenance("cpu", "python -m benchmarks.kept_outputs"), "threads": 1, "rows": rows}
        RESULT.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
