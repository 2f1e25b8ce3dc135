"""The page ``docs/benchmarks.md``, read off the committed results.

``python tests/benchmarks_page.py`` writes it (``make docs``); a test holds it there.
"""

import json
from pathlib import Path
from typing import Any

from benchmarks.summary import summarise

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

*Written from `benchmarks/results` by `make docs`.*

Speed is measured as a ratio: both sides run alternately in one process, so that a busy machine slows
both. Quality is measured on test data that no search has seen, and compared with the original model and with
one retrained without the forgotten data: the retrained model is the target, not 0 %.

| command | measures | writes |
| --- | --- | --- |
| `make bench` | methods on digits, kernels, memory | `quality_digits`, `kernels_cpu`, `kernels_memory`, \
`kept_outputs`, `wide_layers` |
| `make bench-evidence` | how often the gate is right, shadow attacks | `calibration`, `shadows_digits` |
| `make bench-cifar10 IMAGES=folder WEIGHTS=file` | methods on CIFAR-10 | `quality_cifar10`, \
`answers_cifar10` |
| `python -m benchmarks.answers` | what a changed policy says of those models, without training | – |
| `make bench-metrics IMAGES=folder WEIGHTS=file` | evaluation: \
[what it detects](adversaries-cifar10.md), its cost | `adversaries_cifar10`, `metric_costs` |
| `make bench-services` | [the cost of the services](operations.md#what-the-services-cost) | `overhead` |
| `make bench-startup` | how long a command takes to start, and to refuse | `startup` |
| `make bench-tombstones IMAGES=folder` | \
[pictures that come back](tombstones.md#how-well-it-works) | `tombstones` |
| `make bench-ledger` | [the ledger with many requests](requests.md#many-requests-and-models) | `ledger` |
| `make bench-purge` | [a purge and its proof](purging.md#the-proof) | `purging` |
| `make bench-cluster` | [what a Ray cluster adds to many trainings](scaling.md) | `cluster` |
| `make bench-gpu` | kernels on an accelerator; without one, a dry run | `kernels_cuda` |
"""
DATA = {"digits": "Digits, small_resnet", "cifar10": "CIFAR-10, resnet18 at 32 × 32"}

Row = dict[str, Any]


def benchmarks_page() -> str:
    """Return the page."""
    parts = [HEAD]
    for name, title in DATA.items():
        if (path := RESULTS / f"quality_{name}.json").is_file():
            parts.append(_quality(title, path.with_suffix(".svg"), json.loads(path.read_text())))
    for path in sorted(RESULTS.glob("kernels_c*.json")):
        parts.append(_kernels(json.loads(path.read_text())))
    parts.append(_memory(json.loads((RESULTS / "kernels_memory.json").read_text())))
    parts.append(_kept_outputs(json.loads((RESULTS / "kept_outputs.json").read_text())))
    parts.append(_wide_layers(json.loads((RESULTS / "wide_layers.json").read_text())))
    parts.append(_metric_costs(json.loads((RESULTS / "metric_costs.json").read_text())))
    parts.append(_startup(json.loads((RESULTS / "startup.json").read_text())))
    parts.append(_ledger(json.loads((RESULTS / "ledger.json").read_text())))
    parts.append(_purging(json.loads((RESULTS / "purging.json").read_text())))
    if (measured := RESULTS / "cluster.json").is_file():
        parts.append(_cluster(json.loads(measured.read_text())))
    return "\n".join(parts)


def _quality(title: str, figure: Path, document: Row) -> str:
    rows = [
        table_row(
            summary["kind"],
            f"`{summary['method']}`",
            summary["requests"],
            *(_spread(summary[name], 2) for name in ("forget_test_accuracy", "forget_train_accuracy")),
            _spread(summary["retain_test_accuracy"], 2),
            _spread(summary["mia_auc"], 3),
            _spread(summary["seconds"], 1),
            _ratio(summary["share_of_retraining"]),
            *(_of(summary, name) for name in ("passes", "removed")),
            *(_spread(summary[name], 2) for name in ("probe_gap", "relearn_ratio")),
        )
        for summary in summarise(document["rows"])
    ]
    accuracies = ("forget, test", "forget, train", "retain, test")
    head = ("request", "model", "n", *accuracies, "MIA AUC", "seconds", "of retraining")
    return "\n".join(
        [
            f"## {title}",
            "",
            "Means over requests and seeds with their 95 % intervals (Student's t); accuracies in per cent. "
            "*Seconds* include statistics and search; *of retraining*: as a share of retraining's time; "
            "*behaves*, *removed*: of how many models the gate found that claim, the second only of those "
            "with the first. *Chosen on* are the classes that settings were chosen on.",
            "",
            f"![Forget and retain accuracy of each method](../{figure.relative_to(ROOT)})",
            "",
            table_row(*head, "behaves", "removed", "probe gap", "relearn ratio"),
            table_row(*["---"] * 13),
            *rows,
            "",
            origin(document),
        ]
    )


def _kernels(document: Row) -> str:
    rows = [
        table_row(
            row["kernel"],
            f"`{row['model']}`" + (f", {row['layer']}" if "layer" in row else ""),
            row.get("samples") or row.get("batch_size") or row.get("pairs") or "–",
            row["threads"],
            f"{row['seconds']:.3g}",
            f"{row['textbook_seconds']:.3g}",
            f"**{row['speedup']:.1f}**",
            f"{row['relative_error']:.0e}",
        )
        for row in document["rows"]
    ]
    floors = [
        table_row(
            f"`{row['model']}`",
            *(f"{row[name] / 1e6:.1f}" for name in ("forward_flops", "moment_flops", "textbook_flops")),
            *(f"{row[name] / 2**20:.1f}" for name in ("weight_bytes", "moment_bytes")),
        )
        for row in document["floors"]
    ]
    return "\n".join(
        [
            f"## Kernels on {document['machine']}",
            "",
            "Textbook: float64 `unfold` and full products; dense projectors; an eigendecomposition of all "
            "coordinates for each second moment. *Size*: samples, batch size or pairs of alphas.",
            "",
            table_row("kernel", "net", "size", "threads", "seconds", "textbook", "ratio", "relative error"),
            table_row(*["---"] * 8),
            *rows,
            "",
            _layouts(document["layouts"]),
            "",
            "The minimum work for one sample; this machine multiplies float32 matrices at "
            f"{document['gemm_flops_per_second'] / 1e9:.0f} GFLOP/s:",
            "",
            table_row("net", "forward, MFLOP", "C, MFLOP", "C unfolded, MFLOP", "weights, MiB", "C, MiB"),
            table_row(*["---"] * 6),
            *floors,
            "",
            origin(document),
        ]
    )


LAYOUTS = {
    "as_it_is": "as it is",
    "bfloat16": "bfloat16",
    "compiled": "`torch.compile`",
    "channels_last": "channels last",
}


def _layouts(layouts: list[Row]) -> str:
    told = [f"{LAYOUTS[name]} {seconds:.2f}" for checkout in layouts for name, seconds in checkout.items()]
    return f"A training pass of resnet18 over 128 images, in seconds: {', '.join(told)}."


def _memory(document: Row) -> str:
    rows = [
        table_row(
            f"`{row['model']}`",
            f"{row['samples']:,}",
            *(
                f"{row[name] / 2**20:.0f}"
                for name in ("peak_bytes", "interpreter_and_model_bytes", "moments_bytes")
            ),
            f"{(row['peak_bytes'] - row['interpreter_and_model_bytes'] - row['moments_bytes']) / 2**20:.0f}",
            f"{row['seconds'] / row['samples'] * 1e3:.2f}",
        )
        for row in document["rows"]
    ]
    return "\n".join(
        [
            "## Memory of a pass of second moments",
            "",
            "A stream of samples, each in memory only while it is used, in a separate process; MiB, and "
            "milliseconds per sample.",
            "",
            table_row("net", "samples", "peak", "interpreter and model", "C", "rest", "ms a sample"),
            table_row(*["---"] * 7),
            *rows,
            "",
            origin(document),
        ]
    )


def _kept_outputs(document: Row) -> str:
    rows = [
        table_row(
            row["model"],
            row["layers"],
            f"`{row['boundary']}`",
            f"{row['epoch_seconds']:.2f}",
            f"{row['whole_net_epoch_seconds']:.2f}",
            f"{row['speedup']:.1f}",
            f"{row['seconds_to_keep']:.2f}",
            f"{row['bytes_per_sample'] / 1024:.1f}",
        )
        for row in document["rows"]
    ]
    return "\n".join(
        [
            "## A fresh top on kept outputs",
            "",
            "An epoch of `fresh_top` over 1,024 images of 32 × 32 on one thread: the frozen layers' outputs "
            "are kept, compared with running the whole net. The weights after it are the same.",
            "",
            table_row(
                "net", "layers", "cut after", "kept, s", "whole net, s", "faster", "once, s", "KiB a sample"
            ),
            table_row(*["---"] * 8),
            *rows,
            "",
            origin(document),
        ]
    )


def _wide_layers(document: Row) -> str:
    memory = [
        table_row(
            f"`{row['method']}`",
            f"{row['peak_bytes'] / 2**30:.1f}",
            f"{row['interpreter_and_model_bytes'] / 2**30:.1f}",
            f"{100 * row['projected_share']:.1f} %",
            f"{row['seconds']:.0f}",
        )
        for row in document["memory"]
    ]
    digits = [
        table_row(
            f"`{row['method']}`",
            row["blocks"],
            f"{100 * row['relative_error']:.0f} %",
            *(
                f"{100 * row[f'{part}_test_accuracy']:.1f} ({100 * row[f'{part}_test_accuracy_before']:.1f})"
                for part in ("forget", "retain")
            ),
        )
        for row in document["digits"]
    ]
    return "\n".join(
        [
            "## Wide layers in blocks",
            "",
            "A linear layer of more than 16,384 inputs is taken in blocks of inputs "
            "([decision 3](decisions/0003-projection-kernels.md)). vgg11_bn at 224 × 224, whose first "
            "classifier layer has 25,088, on 128 random images and without a search; GiB, each method in a "
            "process of its own:",
            "",
            table_row("method", "peak", "interpreter and model", "projected", "seconds"),
            table_row(*["---"] * 5),
            *memory,
            "",
            "What the blocks cost, on a net for digits with a layer of 2,048 inputs: how far the layer moves "
            "otherwise than when it is taken whole, as a share of that move, and accuracies in per cent on "
            "test images of the forgotten class and of the others (before: in brackets). For `pgu` the moves "
            "differ much, since blocks protect more and leave other directions free.",
            "",
            table_row("method", "blocks", "difference", "forgotten", "retained"),
            table_row(*["---"] * 5),
            *digits,
            "",
            origin(document),
        ]
    )


OBSERVATIONS = {
    "views": "the model's outputs for every view",
    "reference": "the retrained model's outputs for them",
    "original": "the original model's outputs for them",
    "untrained": "an untrained net's outputs for the forgotten data",
    "relearning": "relearning of the forgotten data by both models",
    "depths": "what both models compute below the last layer",
    "new_head": "relearning by both models with a new head",
    "weights": "distances of the weights",
}
"""What is observed before any metric is measured."""


def _metric_costs(document: Row) -> str:
    both = [document["data"][name] for name in DATA]
    rows = [
        table_row(
            OBSERVATIONS.get(parts[0]["name"], f"`{parts[0]['name']}`"),
            *(cell for part in parts for cell in (f"{part['seconds']:.2f}", f"{100 * part['share']:.1f} %")),
        )
        for parts in zip(*(one["parts"] for one in both), strict=True)
    ]
    wholes = [
        f"{one['whole']:.1f} s on {title.split(',')[0]} ({one['threads']} thread)"
        for one, title in zip(both, DATA.values(), strict=True)
    ]
    return "\n".join(
        [
            "## What an evaluation costs",
            "",
            "One unlearned model, all metrics, compared with an existing retrained model, and with no "
            f"observations cached. The whole takes {' and '.join(wholes)}. Its parts in seconds: "
            "first observations, which are cached between evaluations, then metrics. `ulira`, "
            "`epsilon`, `klom`, `canary` and `interclass_confusion` lack what they need here.",
            "",
            table_row("part", *(cell for title in DATA.values() for cell in (title, "share"))),
            table_row(*["---"] * (1 + 2 * len(DATA))),
            *rows,
            "",
            origin(document),
        ]
    )


def _startup(document: Row) -> str:
    helps = [row["first_output"] for row in document["rows"] if row["kind"] == "help"]
    rows = [
        table_row(
            f"`{row['command']}`",
            row["kind"],
            f"{row['first_output']:.2f}",
            "–" if row["seconds"] is None else f"{row['seconds']:.2f}",
            row["modules"] or "–",
            ", ".join(f"`{name}`" for name in row["heavy"]) or ("–" if row["modules"] else ""),
        )
        for row in document["rows"]
        if row["kind"] != "help"
    ]
    return "\n".join(
        [
            "## How long a command takes to start",
            "",
            "Each in a process of its own, in seconds: until its first output, and until its end; then the "
            "modules that were loaded, and the heavy ones among them. What would work for long was ended "
            f"after its first output. The help of all {len(helps)} commands takes {min(helps):.2f} to "
            f"{max(helps):.2f} s. {document['note']}".strip(),
            "",
            table_row("command", "", "first output", "end", "modules", "heavy"),
            table_row(*["---"] * 6),
            *rows,
            "",
            origin(document),
        ]
    )


def _of(summary: Row, name: str) -> str:
    judged = summary["judged"].get(name, 0)
    return f"{summary[name]} of {judged}" if judged else "–"


DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def _ledger(document: Row) -> str:
    sizes = sorted({row["requests"] for row in document["rows"]})
    found = {(row["database"], row["requests"], row["operation"]): row for row in document["rows"]}
    rows = [
        table_row(
            operation,
            DATABASES[database],
            *(
                f"{row['p50_ms']:,.0f} / {row['p99_ms']:,.0f}"
                for row in (found[database, size, operation] for size in sizes)
            ),
        )
        for operation in dict.fromkeys(row["operation"] for row in document["rows"])
        for database in DATABASES
    ]
    models = {row["requests"]: row["models"] for row in document["rows"]}
    heads = [f"{size:,} requests, {models[size]:,} models" for size in sizes]
    return "\n".join(
        [
            "## The ledger with many requests",
            "",
            "Milliseconds: median / 99th percentile. Half of the requests are served, most others wait. A "
            f"page has {document['page']} requests; to verify recomputes everything, once or a few times. "
            f"{document['note']}".strip(),
            "",
            table_row("operation", "database", *heads),
            table_row(*["---"] * (2 + len(sizes))),
            *rows,
            "",
            origin(document),
        ]
    )


RUNNERS = {"local": "processes of one machine", "ray": "Ray cluster"}


def _cluster(document: Row) -> str:
    rows = [
        table_row(
            RUNNERS[row["runner"]],
            f"{row['work_s']:.0f} s",
            f"{row['shortest_training_s']:.0f} s",
            f"{row['seconds']:.0f} s",
            f"{row['overhead']:.1%}",
        )
        for row in document["rows"]
    ]
    same = "The models have the same bits." if document["same_bits"] else "The models differ."
    return "\n".join(
        [
            "## Many trainings on a cluster",
            "",
            f"{document['models']} trainings, {document['nodes']} at a time; a node has one core. Overhead "
            "is all that the places were held for beyond the trainings: joining the cluster, starting "
            f"processes, passing messages, waiting for the last one. {same}",
            "",
            table_row("runner", "trainings together", "shortest", "took", "overhead"),
            table_row(*["---"] * 5),
            *rows,
            "",
            origin(document),
        ]
    )


def _purging(document: Row) -> str:
    works = [
        table_row(f"`lethe {row['work']}`", f"{row['processor_s']:.1f}", f"{row['seconds']:.1f}")
        for row in document["rows"]
    ]
    grown = [
        table_row(
            f"search of {row['objects']:,} pictures, a file each",
            f"{row['processor_s']:.1f}",
            f"{row['seconds']:.1f}",
        )
        for row in document["growth"]
    ]
    return "\n".join(
        [
            "## A purge and its proof",
            "",
            "Of one person's ten images, in the demonstration's project; the search is the proof's.",
            "",
            table_row("work", "seconds of the processor", "seconds by the clock"),
            table_row(*["---"] * 3),
            *works,
            *grown,
            "",
            origin(document),
        ]
    )


def _spread(spread: Row | None, digits: int) -> str:
    if spread is None:
        return "–"
    if spread.get("low", spread["mean"]) == spread.get("high", spread["mean"]):
        return f"{spread['mean']:.{digits}f}"
    mean, low, high = (f"{spread[name]:.{digits}f}" for name in ("mean", "low", "high"))
    return f"{mean} [{low}, {high}]"


def _ratio(spread: Row | None) -> str:
    """Write a share as 1/50, or as it is where it is not small."""
    if spread is None:
        return "–"
    return f"1/{1 / spread['mean']:.0f}" if spread["mean"] < 0.4 else f"{spread['mean']:.1f}"


def origin(document: Row) -> str:
    where = f"{document['machine']}, commit {document['commit'][:10]}"
    return f"*{document['date']}, {where}: `{document['command']}`*\n"


def table_row(*cells: Any) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    """Write the page."""
    PAGE.write_text(benchmarks_page())


if __name__ == "__main__":
    main()
