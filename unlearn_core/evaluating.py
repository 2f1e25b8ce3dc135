"""Run a model over the data once, and every metric over its outputs."""

from collections import Counter
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from unlearn_core.batching import Batches
from unlearn_core.errors import ModelError, NoSampleError, UsageError
from unlearn_core.metric import Metric, Outputs, Subject
from unlearn_core.modes import mode
from unlearn_core.ranks import gathered, own_part
from unlearn_core.records.base import Sha256
from unlearn_core.records.evaluation import Evaluation, Measurement, SampledView, Unmeasured
from unlearn_core.records.provenance import Extension
from unlearn_core.tracing import last_linear


def observe(model: nn.Module, samples: Batches, *, batch_size: int) -> Outputs:
    """Run a model over samples in eval mode, without gradients, and leave it as it was.

    Several ranks show it a part of the batches each, and all get all outputs, with the bits that one gets.

    Args:
        model: Ends in a linear layer; on the samples' device.
        samples: What to show it, in this order.
        batch_size: Samples per forward pass.

    Returns:
        Logits, labels and features on the CPU. Features are the input of the linear layer that ran
        last, flattened to ``[samples, d]``.

    Raises:
        UsageError: If there are no samples, or no linear layer ran.
        ModelError: If a logit is not finite.
    """
    if len(samples) == 0:
        raise UsageError("there are no samples to observe; leave an empty view out")
    logits: list[Tensor] = []
    features: list[Tensor] = []
    labels: list[Tensor] = []
    with mode(model, "eval"), torch.no_grad(), last_linear(model) as ran:
        for batch in own_part(samples, batch_size).batches(batch_size):
            ran.clear()
            logits.append(model(batch.inputs).float().cpu())
            if not ran:
                raise UsageError(
                    "no linear layer ran; features are the input of the last one, so one is needed"
                )
            features.append(ran[0].input.flatten(1).float().cpu())
            labels.append(batch.labels.cpu())
    parts = (gathered(torch.cat(part), len(samples), batch_size) for part in (logits, features, labels))
    return _finite(Outputs(*parts))


def evaluate(
    metrics: Iterable[Metric],
    subject: Subject,
    *,
    model_digest: Sha256,
    seed: int,
    extensions: tuple[Extension, ...] = (),
    sampled: tuple[SampledView, ...] = (),
) -> Evaluation:
    """Measure one model by several metrics. The same seed gives the same numbers.

    Args:
        metrics: What to measure.
        subject: The outputs of the model and the reference.
        model_digest: The digest of the model's weights.
        seed: Given to every metric; the global generator is seeded with it and then restored.
        extensions: The metrics among them that are not Lethe's own.
        sampled: The views of which only some samples were shown.

    Returns:
        Every measurement, in the metrics' order, and those that could say nothing, or had no held-out sample
        to be taken on.

    Raises:
        UsageError: If a view that a metric needs is empty, one of training samples is absent, or two
            measurements share a name.
    """
    asked = tuple(metrics)
    measurements: list[Measurement] = []
    unmeasured: list[Unmeasured] = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for metric in asked:
            try:
                measurements += metric.measure(subject, seed=seed)
            except NoSampleError as missing:
                unmeasured += _without_samples(metric, str(missing))
            else:
                unmeasured += metric.unmeasured(subject)
    counts = Counter(entry.name for entry in measurements)
    if twice := sorted(name for name, count in counts.items() if count > 1):
        raise UsageError(f"measured more than once: {', '.join(twice)}; pass each metric once")
    return Evaluation(
        model=model_digest,
        seed=seed,
        measurements=tuple(measurements),
        unmeasured=tuple(unmeasured),
        extensions=extensions,
        sampled=sampled,
    )


def _without_samples(metric: Metric, reason: str) -> Iterator[Unmeasured]:
    """Yield all that a metric measures as not measured, for want of samples."""
    for name in sorted({name.partition(".")[0] for name in metric.words} or {metric.name}):
        yield Unmeasured(name=name, reason=reason, lacking=True)


def _finite(outputs: Outputs) -> Outputs:
    """Refuse outputs that no metric could read."""
    broken = int((~torch.isfinite(outputs.logits).all(1)).sum())
    if broken:
        raise ModelError(
            f"the logits of {broken} of {len(outputs)} samples are not finite; the model is unusable"
        )
    return outputs
