"""Linear layers taken in blocks of inputs: what a net with a very wide one takes, and what the blocks cost.

``python -m benchmarks.wide_layers`` writes ``results/wide_layers.json``: vgg11_bn at 224 x 224 under ``svd``
and ``pgu``, each in a process of its own, whose memory is measured; and a net on digits whose widest layer is
taken whole and in blocks, which says what is lost. With a method's name it prints that one row.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import vgg11_bn

from benchmarks.nets import images
from benchmarks.timing import ROOT, provenance, relative_error
from unlearn_core import layer
from unlearn_core.data import Samples, concatenate
from unlearn_core.method import Materials, Method, Need
from unlearn_core.methods.pgu import Pgu
from unlearn_core.methods.svd import Svd
from unlearn_core.moments import collect
from unlearn_core.unlearning import unlearn

RESULT = Path(__file__).resolve().parent / "results" / "wide_layers.json"
SAMPLES = 64
SHORT: dict[str, Method] = {
    "svd": Svd(alpha_r=100, alpha_f=3, retain_samples=SAMPLES, forget_samples=SAMPLES, batch_size=16),
    "pgu": Pgu(lr_start=0.03, stop_after=2, batch_size=16),
}
"""With the search left out: it costs forward passes, and no memory of its own."""
WHOLE: dict[str, Method] = {
    "svd": Svd(alpha_r=100, alpha_f=3),
    "pgu": Pgu(lr_start=0.03, stop_after=20, batch_size=16),
}
"""Without a search, so that blocks are all that differs; of a strength at which the class goes."""

FORGOTTEN, WIDTH, BLOCKS = 3, 2048, (1, 2, 4, 8, 32)

Row = dict[str, Any]


def vgg(name: str) -> Row:
    """Unlearn half of some images with a fresh vgg11_bn, and return seconds, bytes and coverage."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = vgg11_bn(num_classes=10).eval()
    with torch.no_grad():
        net.train()(images(16, (3, 224, 224)).inputs)
    forget, retain = (images(SAMPLES, (3, 224, 224), seed=seed) for seed in (1, 2))
    before, started = _peak(), time.perf_counter()
    method, materials = SHORT[name], _materials(net.eval(), forget, retain, SHORT[name].needs)
    done = unlearn(method, net, materials, seed=0)
    return {
        "model": "vgg11_bn",
        "method": name,
        "seconds": time.perf_counter() - started,
        "peak_bytes": _peak(),
        "interpreter_and_model_bytes": before,
        "projected_share": done.coverage.share("projected"),
        "unsupported_share": done.coverage.share("unsupported"),
        "blocks": [one.reason for one in done.coverage.parameters if "blocks" in one.reason],
    }


def digits() -> Iterator[Row]:
    """Yield for each method and number of blocks how far a net's wide layer and its answers move."""
    net, (train, test) = _net_on_digits()
    parts = [
        (part.subset(part.labels == FORGOTTEN), part.subset(part.labels != FORGOTTEN))
        for part in (train, test)
    ]
    (forget, retain), (forget_test, retain_test) = parts
    for name, method in WHOLE.items():
        exact = None
        for blocks in BLOCKS:
            with _taken_in(blocks):
                model = unlearn(method, net, _materials(net, forget, retain, method.needs), seed=0).model
            moved = _wide(model) - _wide(net)
            exact = moved if exact is None else exact
            yield {
                "model": f"a net on digits, {WIDTH:,} inputs",
                "method": name,
                "blocks": blocks,
                "relative_error": relative_error(moved, exact),
                "forget_test_accuracy": _accuracy(model, forget_test),
                "retain_test_accuracy": _accuracy(model, retain_test),
                "forget_test_accuracy_before": _accuracy(net, forget_test),
                "retain_test_accuracy_before": _accuracy(net, retain_test),
            }


def main() -> None:
    """Measure everything, and write it."""
    document: Row = {**provenance("cpu", "python -m benchmarks.wide_layers"), "memory": [], "digits": []}
    for name in SHORT:
        command = [sys.executable, "-m", "benchmarks.wide_layers", name]
        printed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
        print(printed, end="", flush=True)
        document["memory"].append(json.loads(printed))
    for row in digits():
        print(json.dumps(row), flush=True)
        document["digits"].append(row)
    RESULT.write_text(json.dumps(document, indent=1) + "\n")


def _materials(net: nn.Module, forget: Samples, retain: Samples, needs: frozenset[Need]) -> Materials:
    moments = None
    if Need.MOMENTS in needs:
        moments = collect(net, concatenate(forget, retain), batch_size=16, on_demand=True)
    return Materials("classes", (FORGOTTEN,), forget=forget, retain=retain, moments=moments)


def _net_on_digits() -> tuple[nn.Module, tuple[Samples, Samples]]:
    """Train a convolution, a wide layer and a head on digits; return the net, training and test samples."""
    torch.manual_seed(0)
    pixels, digits_shown = load_digits(return_X_y=True)
    inputs = torch.tensor(pixels / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    labels, order = torch.tensor(digits_shown), torch.randperm(len(inputs))
    train, test = (Samples(inputs[part], labels[part]) for part in (order[:1200], order[1200:]))
    net = nn.Sequential(
        nn.Conv2d(1, WIDTH // 64, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(WIDTH, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        for batch in train.batches(32, generator=generator):
            optimizer.zero_grad()
            F.cross_entropy(net(batch.inputs), batch.labels).backward()
            optimizer.step()
    return net.eval(), (train, test)


@contextmanager
def _taken_in(blocks: int) -> Iterator[None]:
    """Let the wide layer be taken in so many blocks."""
    usual = layer.WIDEST, layer.WIDE_BLOCK
    if blocks > 1:
        layer.WIDEST, layer.WIDE_BLOCK = WIDTH - 1, WIDTH // blocks
    try:
        yield
    finally:
        layer.WIDEST, layer.WIDE_BLOCK = usual


def _wide(net: nn.Module) -> Tensor:
    return net.get_parameter("3.weight").detach().clone()


def _accuracy(net: nn.Module, samples: Samples) -> float:
    with torch.no_grad():
        return float((net(samples.inputs).argmax(1) == samples.labels).double().mean())


def _peak() -> int:
    """Return the most memory that this process has held, in bytes."""
    (line,) = re.findall(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(line) * 1024


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(vgg(sys.argv[1])))
    else:
        main()
