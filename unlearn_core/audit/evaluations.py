"""Whether the numbers that a verdict rests on can be right, and are of the models that it is about."""

from collections import Counter
from collections.abc import Iterator

from unlearn_core.audit.plausibility import distance_problems, is_possible
from unlearn_core.kinds import RequestKind
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import Judgement
from unlearn_core.records.evaluation import Evaluation


def evaluation_problems(
    judgement: Judgement, parent: Sha256, unlearned: Sha256, kind: RequestKind
) -> Iterator[str]:
    """Find what contradicts itself in the numbers that a verdict rests on.

    Args:
        judgement: The numbers.
        parent: The model before.
        unlearned: The model that was judged.
        kind: What the request names.

    Yields:
        A sentence per problem.
    """
    if judgement.original.model != parent:
        yield f"judgement.original is of {judgement.original.model}, not of the parent {parent}"
    if judgement.unlearned.model != unlearned:
        yield f"judgement.unlearned is of {judgement.unlearned.model}, not of {unlearned}"
    references = [reference.model for reference in judgement.references]
    if {parent, unlearned} & set(references):
        yield "judgement.references: a model cannot be its own reference"
    if len(set(references)) < len(references):
        yield "judgement.references: the same model is listed twice"
    evaluations = (judgement.original, judgement.unlearned, *judgement.references)
    if len(seeds := {evaluation.seed for evaluation in evaluations}) > 1:
        yield f"judgement: the models were measured with the seeds {sorted(seeds)}, and not with one"
    for evaluation in evaluations:
        counts = Counter(measurement.name for measurement in evaluation.measurements)
        yield from (f"{name} was measured twice on {evaluation.model}" for name, n in counts.items() if n > 1)
        yield from (
            f"{entry.name} is {entry.value} on {evaluation.model}, in [{entry.low}, {entry.high}]"
            for entry in evaluation.measurements
            if not is_possible(entry)
        )
    yield from distance_problems(judgement)
    yield from _unmeasured(judgement.unlearned, of_classes=kind == "classes")


def _unmeasured(unlearned: Evaluation, *, of_classes: bool) -> Iterator[str]:
    """What is called silent can be: a single class is retained, so what is retained of it is silent first.

    Otherwise every measurement that misses its band could be called silent, and the rest would pass. What is
    lacking does not pass either.
    """
    for entry in unlearned.unmeasured:
        quantity, side = entry.name.rsplit(".", 2)[0], entry.name.rpartition(".")[2]
        # Rows of classes that were forgotten are of none that is left; other rows may be.
        may_be = not of_classes and unlearned.silence(f"{quantity}.train.retain") is not None
        if not (entry.lacking or side == "retain" or (side == "forget" and may_be)):
            yield f"judgement: {entry.name} is said to be silent, and of such a request it never is"
