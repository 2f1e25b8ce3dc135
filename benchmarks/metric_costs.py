"""What an evaluation costs: the seconds of each observation and of each metric, for one model.

``python -m benchmarks.metric_costs --images FOLDER --weights FILE`` evaluates what SVD makes of a digits
model and of CIFAR-10's, each with an existing retrained model, and writes ``results/metric_costs.json``.
Observations are kept from one evaluation to the next, so each one here starts without any; images are already
decoded, as they are once the parent is trained.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import cifar10, digits
from benchmarks.surroundings import stand_alone
from benchmarks.timing import provenance, timed
from flows.stages.dataset import make_dataset
from flows.stages.moments import make_moments
from flows.stages.parent import make_parent
from flows.stages.split import split_data
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_atomically
from tasks.checkout.params import read_yaml
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.configured import configured_method
from tasks.computing.execution import computing
from tasks.computing.materials import read_split
from tasks.computing.observing import (
    observed_depths,
    observed_untrained,
    observed_views,
    observed_weights,
)
from tasks.computing.teaching import observed_relearning, observed_with_new_head
from tasks.computing.unlearning import attempt
from tasks.measuring.evaluation import assess
from tasks.references.gathering import gather_references
from unlearn_core.metric import Subject
from unlearn_core.metrics import DEFAULT
from unlearn_core.records.params import RunParams

RESULTS = Path(__file__).resolve().parent / "results" / "metric_costs.json"
DIGITS = {"scope": "classes", "target": "3", "seed": 0, "canaries": 0}
CIFAR10 = {"scope": "classes", "target": "bird", "seed": 0}

Row = dict[str, Any]


def costs(checkout: Checkout) -> Row:
    """Time the evaluation of one unlearned model of a checkout, whole and then part by part.

    Args:
        checkout: The checkout, with parent, second moments and request.

    Returns:
        ``whole``, the seconds of the evaluation as the pipeline makes it; ``seconds``, those of its parts
        together; and ``parts``, each with its seconds and its share of these.
    """
    run = checkout.params.run
    references = gather_references(checkout, run, checkout.params.policy)
    assert references.chosen is not None
    method = configured_method(checkout, "svd")
    candidate = attempt(checkout, method, run, max_unsupported_share=0.05).checkpoint
    with nothing_kept(checkout) as cold:
        whole, _ = timed(partial(assess, cold, candidate, run, references=references))
    with nothing_kept(checkout) as cold:
        seconds = _parts(cold, candidate, references.chosen, run)
    total = sum(seconds.values())
    return {
        "model": read_checkpoint_card(candidate).architecture.name,
        "threads": run.threads,
        "whole": whole,
        "seconds": total,
        "parts": [{"name": name, "seconds": part, "share": part / total} for name, part in seconds.items()],
    }


@contextmanager
def nothing_kept(checkout: Checkout) -> Iterator[Checkout]:
    """Yield a checkout with the same data, models and request, in which nothing has been observed yet."""
    with tempfile.TemporaryDirectory() as folder:
        cold = Checkout(Path(folder))
        cold.lethe.mkdir()
        for name in ("params.yaml", "data", "models", ".lethe/pixels"):
            (cold.root / name).symlink_to((checkout.root / name).resolve())
        yield cold


def _parts(checkout: Checkout, candidate: Path, reference: Path, run: RunParams) -> dict[str, float]:
    """Do what ``tasks.measuring.evaluation.assess`` does, and time it."""
    seconds: dict[str, float] = {}

    def clocked(name: str, work: Callable[[], Any]) -> Any:
        seconds[name], result = timed(work)
        return result

    relearnt = partial(observed_relearning, checkout, candidate, run, reference=reference)
    with_new_head = partial(observed_with_new_head, checkout, candidate, run, reference=reference)
    weighed = partial(observed_weights, candidate, run, reference=reference, second=None)
    subject = Subject(
        classes=len(read_checkpoint_card(candidate).architecture.classes),
        forget_classes=read_split(checkout).classes,
        views=clocked("views", partial(observed_views, checkout, candidate, run)),
        reference=clocked("reference", partial(observed_views, checkout, reference, run)),
        original=clocked("original", partial(observed_views, checkout, checkout.parent, run)),
        untrained=clocked("untrained", partial(observed_untrained, checkout, run)),
        relearning=clocked("relearning", relearnt),
        depths=clocked("depths", partial(observed_depths, checkout, candidate, run, reference=reference)),
        new_head=clocked("new_head", with_new_head),
        weights=clocked("weights", weighed),
    )
    with computing(run.threads):
        for metric in DEFAULT:
            clocked(metric.name, partial(metric.measure, subject, seed=0))
    return seconds


def on_digits(folder: Path) -> Checkout:
    """Make a checkout of digits in an empty folder, ready to unlearn."""
    checkout = Checkout(folder)
    digits.prepare(checkout, DIGITS)
    for stage in (make_dataset, make_parent, make_moments, split_data):
        stage(checkout)
    return checkout


def on_cifar10(work: Path, images: Path, weights: Path) -> Checkout:
    """Prepare the folder of the benchmark on CIFAR-10, with its models."""
    checkout, settings = Checkout(work), read_yaml(cifar10.SETTINGS, cifar10.Settings)
    cifar10.set_up(checkout, settings, images, weights)
    return cifar10.resolve(checkout, CIFAR10, settings)


def main() -> None:
    """Measure, print and write."""
    stand_alone()
    given = cifar10.arguments(__doc__).parse_args()
    document = provenance("cpu", "make bench-metrics") | {"data": {}}
    with tempfile.TemporaryDirectory() as folder:
        document["data"]["digits"] = costs(on_digits(Path(folder)))
    checkout = on_cifar10(given.work, given.images, given.weights)
    document["data"]["cifar10"] = costs(checkout)
    write_atomically(RESULTS, (json.dumps(document, indent=1) + "\n").encode())
    for name, found in document["data"].items():
        print(f"{name}: {found['whole']:.1f} s, threads: {found['threads']}", file=sys.stderr)


if __name__ == "__main__":
    main()
