"""Speed and exactness of the projection methods' kernels, compared with their textbook forms and the floor.

``python -m benchmarks.kernels --device DEVICE`` writes ``results/kernels_DEVICE.json``, ``cpu`` by default.
Both forms run in turns, so that whatever else the machine does slows both; medians are kept. ``--dry-run``
takes seconds and writes nothing.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks import textbook
from benchmarks.floors import floors_of
from benchmarks.nets import images, net_of
from benchmarks.timing import gemm_rate, in_turns, provenance, relative_error, timed
from unlearn_core.data import Samples
from unlearn_core.guarding import Guarded, guard
from unlearn_core.layers import linear_layers
from unlearn_core.methods.pgu import Pgu, take_step
from unlearn_core.methods.svd import Edit
from unlearn_core.moments import collect
from unlearn_core.subspaces import eigenbasis

RESULTS = Path(__file__).resolve().parent / "results"
ALPHAS = [(r, f) for f in (1.0, 3.0, 10.0, 30.0, 100.0) for r in (1000.0, 300.0, 100.0, 30.0, 10.0)]

Row = dict[str, Any]


def moments_row(model: str, samples: int, *, device: str, repeats: int) -> Row:
    """Measure the second moments of all layers, forward pass included."""
    net, data = _set_up(model, samples, device)
    floors = floors_of(net, data.subset(torch.tensor([0])))
    seconds, their_seconds, found, expected = in_turns(
        lambda: collect(net, data).layers, lambda: textbook.moments(net, data, batch_size=256), repeats
    )
    flops = samples * (floors["forward_flops"] + floors["moment_flops"])
    return {
        **_row("moments", model, device, seconds, their_seconds),
        "relative_error": max(relative_error(found[name][0], moment) for name, moment in expected.items()),
        "samples": samples,
        "floor_seconds": flops / gemm_rate(device),
    }


def pgu_row(model: str, batch_size: int, *, device: str, repeats: int, batches: int = 2) -> Row:
    """Measure an epoch of descent outside the retained space, forward and backward passes included."""
    net, retain = _set_up(model, 512, device)
    forget = images(batches * batch_size, retain.inputs.shape[1:], device=device, seed=1)
    method, moments = Pgu(), collect(net, retain)
    guarded = guard(net, moments, method._shares(list(moments.layers)))
    dense = {one.layer.name: _dense(one) for one in guarded}
    original = [one.layer.weight.detach().clone() for one in guarded]

    def from_start(descend: Callable[[], None]) -> None:
        with torch.no_grad():
            for one, weight in zip(guarded, original, strict=True):
                one.layer.weight.copy_(weight)
        descend()

    def ours() -> None:
        for batch in forget.batches(batch_size):
            take_step(net, guarded, batch, method, learning_rate=0.001)

    def theirs() -> None:
        textbook.pgu_epoch(net, dense, forget.batches(batch_size), learning_rate=0.001)

    seconds, their_seconds, _, _ = in_turns(lambda: from_start(ours), lambda: from_start(theirs), repeats)
    passes, _, _, _ = in_turns(lambda: _passes(net, guarded, forget, batch_size), lambda: None, repeats)
    return {
        **_row("pgu_epoch", model, device, seconds, their_seconds),
        "relative_error": max(
            _projection_error(one, dense[one.layer.name]) for one in guarded if not one.fixed
        ),
        "batch_size": batch_size,
        "forward_and_backward_seconds": passes,
        "projection_flops": batches * sum(map(_projection_flops, guarded)),
        "dense_projection_flops": batches
        * sum(2 * one.layer.weight.numel() * len(dense[one.layer.name]) for one in guarded),
    }


def svd_row(model: str, *, device: str, repeats: int) -> Row:
    """Measure the projected weights of every layer for all pairs of alphas, without judging them."""
    net, retain = _set_up(model, 512, device)
    of_retain = collect(net, retain).layers
    of_forget = collect(net, images(512, retain.inputs.shape[1:], device=device, seed=1)).layers
    layers = linear_layers(net)

    def ours() -> list[Tensor]:
        edits = [
            Edit(layer, partial(of_retain.__getitem__, layer.name), of_forget[layer.name]) for layer in layers
        ]
        return [[edit.weight(*pair) for pair in ALPHAS][-1].flatten() for edit in edits]

    def theirs() -> list[Tensor]:
        found: list[Tensor] = []
        for layer in layers:
            given = (of_retain[layer.name][0].to(device), of_forget[layer.name][0].to(device))
            weight = layer.weight.detach().flatten(1).double()
            found.append(textbook.class_projections(weight, *given, ALPHAS)[-1].flatten())
        return found

    seconds, their_seconds, found, expected = in_turns(ours, theirs, repeats)
    return {
        **_row("svd_search", model, device, seconds, their_seconds),
        "relative_error": relative_error(torch.cat(found), torch.cat(expected)),
        "pairs": len(ALPHAS),
    }


def eigenbasis_row(model: str, layer: str, *, device: str, repeats: int) -> Row:
    """Measure one layer's decomposition, compared with that of all its coordinates."""
    net, data = _set_up(model, 512, device)
    moment = collect(net, data).layers[layer][0].to(device)
    seconds, their_seconds, basis, whole = in_turns(
        lambda: eigenbasis(moment), lambda: torch.linalg.eigh(moment), repeats
    )
    return {
        **_row("eigenbasis", model, device, seconds, their_seconds),
        "relative_error": relative_error(basis.values, whole[0].flip(0)[: len(basis.values)]),
        "layer": layer,
        "d_in": len(moment),
        "live": len(basis.values),
    }


def rows(device: str, *, dry_run: bool) -> Iterator[Row]:
    """Yield the rows."""
    if dry_run:
        yield moments_row("small_resnet", 32, device=device, repeats=1)
        yield pgu_row("small_resnet", 8, device=device, repeats=1)
        yield svd_row("small_resnet", device=device, repeats=1)
        yield eigenbasis_row("small_resnet", "stem", device=device, repeats=1)
        return
    yield moments_row("resnet18", 512, device=device, repeats=3)
    for batch_size in (128, 32):
        yield pgu_row("resnet18", batch_size, device=device, repeats=3)
    yield svd_row("small_resnet:64", device=device, repeats=3)
    for samples in (100, 1000):
        yield moments_row("small_resnet:16", samples, device=device, repeats=3)
    for width in (32, 64):
        yield moments_row(f"small_resnet:{width}", 100, device=device, repeats=3)
    if device == "cpu":
        torch.set_num_threads(2)
        yield moments_row("resnet18", 512, device=device, repeats=3)
        torch.set_num_threads(1)
    yield pgu_row("mlp:2048", 128, device=device, repeats=3)
    for layer in ("layer3.1.conv2", "layer4.1.conv2"):
        yield eigenbasis_row("resnet18", layer, device=device, repeats=1)


def layouts(device: str) -> Row:
    """Return the seconds of a training pass of resnet18 at 128 images, by layout, type and compilation."""
    net, data = _set_up("resnet18", 128, device)

    def seconds(net: Callable[[Tensor], Tensor], inputs: Tensor, *, short: bool = False) -> float:
        def run() -> None:
            with torch.autocast(device, torch.bfloat16, enabled=short):
                loss = F.cross_entropy(net(inputs), data.labels)
            loss.backward()

        run()
        return min(timed(run)[0] for _ in range(5))

    found = {"as_it_is": seconds(net, data.inputs), "bfloat16": seconds(net, data.inputs, short=True)}
    try:
        found["compiled"] = seconds(torch.compile(net), data.inputs)
    except Exception as error:  # what is missing differs from machine to machine
        print(f"torch.compile: {type(error).__name__}", file=sys.stderr)
    net = net.to(memory_format=torch.channels_last)
    inputs = data.inputs.contiguous(memory_format=torch.channels_last)
    return found | {"channels_last": seconds(net, inputs)}


def _set_up(model: str, samples: int, device: str) -> tuple[nn.Module, Samples]:
    net, shape = net_of(model)
    return net.to(device), images(samples, shape, device=device)


def _row(kernel: str, model: str, device: str, seconds: float, textbook_seconds: float) -> Row:
    return {
        "kernel": kernel,
        "model": model,
        "device": device,
        "seconds": seconds,
        "textbook_seconds": textbook_seconds,
        "speedup": textbook_seconds / seconds,
        "threads": torch.get_num_threads(),
    }


def _dense(one: Guarded) -> Tensor:
    """Return the projector onto what is protected."""
    identity = torch.eye(one.layer.weight[0].numel(), device=one.layer.weight.device)
    return identity - one.protections[0].remove_(identity.clone())


def _projection_error(one: Guarded, dense: Tensor) -> float:
    """Return the error of projecting the weight, taken as a gradient, against the dense projector."""
    weight = one.layer.weight.detach()
    view = weight.flatten(1).double()
    return relative_error(one.outside(weight.clone()).flatten(1), view - view @ dense.double())


def _projection_flops(one: Guarded) -> float:
    (d_live, rank), d_out = one.protections[0].factor.shape, one.layer.weight.shape[0]
    return 0.0 if one.fixed else 4.0 * d_out * d_live * rank


def _passes(net: nn.Module, guarded: list[Guarded], samples: Samples, batch_size: int) -> None:
    """Take the forward and backward passes of an epoch, and nothing else."""
    weights = [one.layer.weight for one in guarded]
    for batch in samples.batches(batch_size):
        torch.autograd.grad(F.cross_entropy(net(batch.inputs), batch.labels), weights)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dry-run", action="store_true", help="tiny sizes, nothing written")
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device: a dry run on the CPU", file=sys.stderr)
        given.device, given.dry_run = "cpu", True
    if given.device == "cpu":
        torch.set_num_threads(1)
    document: Row = {
        **provenance(given.device, f"python -m benchmarks.kernels --device {given.device}"),
        "gemm_flops_per_second": gemm_rate(given.device),
        "rows": [],
    }
    names = ("small_resnet",) if given.dry_run else ("small_resnet", "resnet18", "mlp:2048")
    document["floors"] = [{"model": name, **floors_of(*_set_up(name, 1, given.device))} for name in names]
    print(json.dumps(document["floors"]), flush=True)

    def keep(part: str, entry: Row) -> None:
        """Print what was measured, and write all that was measured so far."""
        print(json.dumps(entry), flush=True)
        document.setdefault(part, []).append(entry)
        if not given.dry_run:
            path = RESULTS / f"kernels_{given.device}.json"
            path.write_text(json.dumps(document, indent=1) + "\n")

    for row in rows(given.device, dry_run=given.dry_run):
        keep("rows", row)
    if not given.dry_run:
        keep("layouts", layouts(given.device))


if __name__ == "__main__":
    main()
