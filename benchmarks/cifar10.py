"""Quality and cost of every method on CIFAR-10: a given resnet18, ten classes, and 500 random samples.

``python -m benchmarks.cifar10 --images FOLDER --weights FILE`` takes the images as ``train/CLASS`` and
``test/CLASS``, runs the pipeline's own stages in ``--work``, and writes ``results/quality_cifar10.json`` and
a figure, and what the models said into ``results/answers_cifar10``, so that a changed gate needs no training
(``benchmarks.answers``). Retraining takes half an hour per target and core. Whatever is finished stays in
``--work`` and is not repeated; after a change of code, ask for ``--fresh`` rows. Rows of targets that are not
asked for stay in the results, each with its date and commit.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import JsonValue

from benchmarks.answers import KEPT, Measured, keep
from benchmarks.summary import print_summary, summarise, trade_offs
from benchmarks.surroundings import stand_alone
from benchmarks.timing import provenance
from flows.compare import COMPARING, row_of
from flows.stages.climbing import Baseline, judge_model, try_method
from flows.stages.dataset import make_dataset
from flows.stages.moments import make_moments
from flows.stages.parent import make_parent
from flows.stages.split import split_data
from flows.stages.unlearn import prepare_ladder
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record, write_atomically, write_record
from tasks.checkout.params import read_values, read_yaml, write_params
from tasks.computing.checkpoints import save_checkpoint
from tasks.computing.configured import configured_methods
from tasks.computing.execution import measured
from tasks.computing.materials import read_split
from tasks.computing.observing import observed_views
from tasks.computing.unlearning import Attempted, attempt
from tasks.data.datasets import read_card, read_manifest
from tasks.data.pool import Pool
from tasks.lifecycle.fitting import fit_weights, read_weights
from tasks.lifecycle.trained_elsewhere import adopted_card, measure_accuracy, refuse_false_claim
from tasks.references.trials import retraining_seconds
from tasks.report.drawing import save_figure
from tasks.report.model_figures import draw_trade_off
from tasks.requests.request_file import make_scope
from unlearn_core.errors import UnlearningError
from unlearn_core.method import Method, Need
from unlearn_core.methods import CATALOGUE
from unlearn_core.methods.retrain import Retrain
from unlearn_core.records.artifact import Architecture, Recipe
from unlearn_core.records.base import Record
from unlearn_core.records.evaluation import Cost, Evaluation
from unlearn_core.records.request import DeletionRequest

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
SETTINGS = Path(__file__).with_suffix(".yaml")
REQUEST = "bench"
METHODS = tuple(method.model_fields["name"].default for method in CATALOGUE if method is not Retrain)
"""They are compared with retraining."""

Row = dict[str, Any]


class Settings(Record):
    """The settings in ``cifar10.yaml``; see there."""

    model: str
    dataset: dict[str, JsonValue]
    recipe: Recipe
    accuracy: float
    classes: tuple[str, ...]
    chosen_on: tuple[str, ...]
    samples: int


def set_up(checkout: Checkout, settings: Settings, images: Path, weights: Path) -> None:
    """Import the images, adopt the checkpoint and collect its moments; what exists is not made again.

    Args:
        checkout: A folder that the benchmark keeps.
        settings: The benchmark's settings.
        images: The image folder.
        weights: The checkpoint, a safetensors file.
    """
    checkout.root.mkdir(parents=True, exist_ok=True)
    if not (checkout.root / "params.yaml").is_file():
        shutil.copy(ROOT / "params.yaml", checkout.root)
        source = {**settings.dataset, "path": str(images.resolve())}
        write_params(checkout.root, {"request": REQUEST, "dataset": source})
    write_params(checkout.root, {name: read_values(ROOT)[name] for name in ("methods", "policy")})
    if not (checkout.dataset / "card.json").is_file():
        make_dataset(checkout)
    if not checkout.parent.is_dir():
        _adopt(checkout, settings, weights)
    if not _statistics(checkout).is_file():
        with measured() as meter, processor_time() as spent:
            make_moments(checkout)
        cost = {**meter.read().model_dump(mode="json"), "processor_seconds": spent[0]}
        write_atomically(_statistics(checkout), json.dumps(cost).encode())


def _statistics(checkout: Checkout) -> Path:
    """Return where it is kept what the second moments cost."""
    return checkout.lethe / "bench" / "moments.json"


@contextmanager
def processor_time() -> Iterator[list[float]]:
    """Count the processor's seconds of a block, which other processes do not change; filled in at its end."""
    spent = [0.0]
    started = time.process_time()
    try:
        yield spent
    finally:
        spent[0] = time.process_time() - started


def _adopt(checkout: Checkout, settings: Settings, weights: Path) -> None:
    """Check the checkpoint and make it the parent."""
    data = read_card(checkout.dataset)
    net = Architecture(name=settings.model, classes=data.classes, input_shape=data.input_shape)
    model = fit_weights(net, read_weights(weights))
    threads = checkout.params.run.threads
    found = measure_accuracy(model, Pool(checkout, torch.device("cpu")), threads=threads)
    refuse_false_claim(found, settings.accuracy, len(data.classes))
    card = adopted_card(net, data, settings.recipe)
    card = save_checkpoint(checkout.lethe / "bench" / "adopted", model.cpu(), card)
    shutil.copytree(checkout.lethe / "bench" / "adopted", checkout.generation("models", card.weights))
    make_parent(checkout.changed({"parent": {"source": "adopted", "weights": card.weights}}))


def cases(settings: Settings, seeds: int) -> Iterator[Row]:
    """Yield what is forgotten: each class, then samples drawn at random."""
    for seed in range(seeds):
        for name in settings.classes:
            chosen_on = name in settings.chosen_on
            yield {"scope": "classes", "target": name, "seed": seed, "chosen_on": chosen_on}
        yield {"scope": "samples", "target": f"random-{settings.samples}", "seed": seed}


def resolve(checkout: Checkout, case: Row, settings: Settings) -> Checkout:
    """Write a case's request and seed, and split the data; return the resulting checkout."""
    run = {**read_values(checkout.root)["run"], "seed": case["seed"]}
    checkout = checkout.changed({"run": run})
    named: dict[str, tuple[str, ...]] = {"classes": (), "samples": (), "subjects": ()}
    named[case["scope"]] = (
        (case["target"],)
        if case["scope"] == "classes"
        else draw_samples(checkout, settings.samples, case["seed"])
    )
    write_record(checkout.request(REQUEST), DeletionRequest(id=REQUEST, scope=make_scope(**named)))
    split_data(checkout)
    return checkout


def draw_samples(checkout: Checkout, count: int, seed: int) -> tuple[str, ...]:
    """Draw the ids of training samples."""
    manifest = read_manifest(checkout.dataset)
    train = np.sort(manifest.sample_ids[manifest.splits == "train"])
    rows = np.sort(np.random.default_rng(seed).choice(len(train), count, replace=False))
    return tuple(train[rows].tolist())


def run_method(bench: Baseline, method: Method) -> Row:
    """Run a method between two estimates of what retraining takes, and measure the result.

    Seconds are the processor's, of one thread: the machine may be busy with other things.
    """
    checkout, spent = bench.checkout, [0.0]

    def timed(*given: Any, **named: Any) -> Attempted:
        with processor_time() as seconds:
            tried = attempt(*given, **named)
        spent[0] = seconds[0]
        return tried

    before = retraining_seconds(checkout, clock=time.process_time)
    try:
        rung = try_method(bench, method, replace(COMPARING, attempt=timed))
    except UnlearningError as error:
        return {"verdict": "failed", "why": str(error), "retrain_seconds": before}
    after = retraining_seconds(checkout, clock=time.process_time)
    cost = read_record(checkout.cost(rung.unlearning.weights), Cost)
    needs_moments = Need.MOMENTS in method.needs
    statistics = json.loads(_statistics(checkout).read_text()) if needs_moments else {}
    return {
        **row_of(bench, rung.evaluation, verdict=rung.verdict),
        "why": rung.why,
        "evaluation": rung.evaluation.model_dump(mode="json"),
        "hyper_parameters": rung.unlearning.method,
        "seconds": spent[0] + statistics.get("processor_seconds", 0.0),
        "statistics_seconds": statistics.get("processor_seconds", 0.0),
        "peak_mib": max(cost.peak_memory_mib, statistics.get("peak_memory_mib", 0.0)),
        "retrain_seconds": (before + after) / 2,
    }


def run_case(
    checkout: Checkout, case: Row, methods: tuple[str, ...], kept: Path, answers: Path = KEPT
) -> list[Row]:
    """Run what is missing of one case.

    Args:
        checkout: The benchmark's folder, with the case resolved.
        case: What is forgotten.
        methods: Names of the methods; those that do not support the scope are left out.
        kept: Where finished rows are.
        answers: Where it is written what the models said.

    Returns:
        One row per model.
    """
    bench = prepare_ladder(checkout, COMPARING)
    assert bench.retrained
    original = row_of(bench, bench.original, verdict=judge_model(bench, bench.original))
    retrained = row_of(bench, bench.retrained[0])
    found = {"original": original, "retrained": retrained}
    unlearned: dict[str, Evaluation] = {}
    for method in configured_methods(checkout):
        if method.name not in methods or read_split(checkout).method_scope not in method.scopes:
            continue
        path = kept / f"{case['scope']}-{case['target']}-{case['seed']}-{method.name}.json"
        if not path.is_file():
            print(f"  {method.name}", file=sys.stderr)
            write_atomically(path, json.dumps(run_method(bench, method)).encode())
        found[method.name] = json.loads(path.read_text())
        if evaluation := found[method.name].pop("evaluation", None):
            unlearned[method.name] = Evaluation.model_validate_json(json.dumps(evaluation))
    chosen = bench.references.chosen
    assert chosen
    measured = Measured(
        target=case["target"],
        scope=case["scope"],
        original=bench.original,
        retrained=bench.retrained,
        unlearned=unlearned,
    )
    keep(answers / case["target"], measured, observed_views(checkout, chosen, bench.run))
    shared = {
        "dataset": "cifar10",
        "model": "resnet18",
        **case,
        "original_retain_test_accuracy": original["retain_test_accuracy"],
        "retrained_retain_test_accuracy": retrained["retain_test_accuracy"],
        "retrained_mia_auc": retrained["mia_auc"],
    }
    if case["scope"] == "samples":  # they have no test images: what counts is how well they are recognised
        for row in found.values():
            row["forget_test_accuracy"] = row.get("forget_train_accuracy")
    return [{**shared, "method": name, **row} for name, row in found.items()]


def main() -> None:
    """Run what is missing, write the results and print their summary."""
    stand_alone()
    given = _arguments()
    document = provenance("cpu", "make bench-cifar10")
    settings = read_yaml(SETTINGS, Settings)
    checkout = Checkout(given.work)
    if given.fresh:
        shutil.rmtree(checkout.lethe / "bench" / "rows", ignore_errors=True)
    set_up(checkout, settings, given.images, given.weights)
    rows: list[Row] = []
    for case in cases(settings, given.seeds):
        if given.targets and case["target"] not in given.targets:
            continue
        print(f"{case['scope']} {case['target']}, seed {case['seed']}", file=sys.stderr)
        checkout = resolve(checkout, case, settings)
        rows += run_case(checkout, case, tuple(given.methods), checkout.lethe / "bench" / "rows")
    rows = [{**row, "measured": document["date"], "commit": document["commit"]} for row in rows]
    rows = with_earlier(rows, RESULTS / "quality_cifar10.json")
    document |= {"summary": summarise(rows), "rows": rows}
    write_atomically(RESULTS / "quality_cifar10.json", (json.dumps(document, indent=1) + "\n").encode())
    save_figure(draw_trade_off(trade_offs(rows)), RESULTS / "quality_cifar10.svg")
    print_summary(summarise(rows))


def with_earlier(rows: list[Row], results: Path) -> list[Row]:
    """Return rows, and those that are already among the results and were not measured now."""
    if not results.is_file():
        return rows
    before, now = json.loads(results.read_text()), {_place(row) for row in rows}
    origin = {"measured": before["date"], "commit": before["commit"]}
    return [*rows, *({**origin, **row} for row in before["rows"] if _place(row) not in now)]


def _place(row: Row) -> tuple[str, str, int, str]:
    return row["scope"], row["target"], row["seed"], row["method"]


def _arguments() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds (default 1)")
    parser.add_argument("--targets", nargs="*", help="only these, such as cat or random-500")
    parser.add_argument("--methods", nargs="*", default=METHODS, help=f"default: {' '.join(METHODS)}")
    parser.add_argument("--fresh", action="store_true", help="measure finished rows again; trainings stay")
    return parser.parse_args()


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser that asks for what ``set_up`` needs."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=Path, required=True, help="folder with train/CLASS and test/CLASS")
    parser.add_argument("--weights", type=Path, required=True, help="the checkpoint, a safetensors file")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("~/.cache/lethe/cifar10").expanduser(),
        help="where everything is kept",
    )
    return parser


if __name__ == "__main__":
    main()
