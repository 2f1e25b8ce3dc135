"""Which pseudo-requests a calibration needs, by which trainings they are served, and which were measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from tasks.benchmarking.cases import NO_KEY, NO_PARENT, BenchmarkCase, split_of
from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import code_digest
from tasks.computing import materials, observing, teaching
from tasks.computing.checkpoints import is_whole, read_checkpoint_card
from tasks.data.datasets import read_card, read_manifest
from tasks.keys.signing import pseudonymise
from tasks.measuring import evaluation
from tasks.references.retrained import describe_training, recipe_of
from unlearn_core.audit.calibrated import least_units
from unlearn_core.calibrating import LEAST_POINTS
from unlearn_core.errors import SetupError, UsageError
from unlearn_core.kinds import CalibrationKind
from unlearn_core.pseudo_requests import DrawnTraining, draw_trainings
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.benchmark import ForgetKind, ForgetSet
from unlearn_core.records.params import RunParams
from unlearn_core.records.policy import Policy
from unlearn_core.records.reference import Training
from unlearn_core.records.scope import ClassScope, SampleScope, Scope, SubjectScope
from unlearn_core.seeds import derive_seed
from unlearn_core.selection import Manifest, Pseudonymise, select

_NAMES: dict[CalibrationKind, ForgetKind] = {"classes": "class", "samples": "random", "subjects": "subject"}


LEAST_TRAININGS = 3
"""The fewest trainings of a kind."""


@dataclass(frozen=True)
class CalibrationAsked:
    """What is to be calibrated.

    Attributes:
        kinds: The kinds of requests.
        count: How many pseudo-requests of each.
        coverage: What the bands are to cover.
        adversaries: On how many pseudo-requests of each kind adversaries are let loose.
    """

    kinds: tuple[CalibrationKind, ...]
    count: int
    coverage: float
    adversaries: int


@dataclass(frozen=True)
class Pseudo:
    """One pseudo-request: its case, and the file of its measurements."""

    case: BenchmarkCase
    kept: Path


@dataclass(frozen=True)
class PlannedTraining:
    """One training, and the pseudo-requests that it serves.

    Attributes:
        drawn: What it leaves out.
        case: All of that together.
        training: What the model's bits depend on.
        pseudo: The pseudo-requests.
    """

    drawn: DrawnTraining
    case: BenchmarkCase
    training: Training
    pseudo: tuple[Pseudo, ...]

    @property
    def is_measured(self) -> bool:
        """Whether nothing of it has to be trained or measured any more."""
        return all(one.kept.is_file() for one in self.pseudo)

    @property
    def title(self) -> str:
        """What it is, for people; it names no person."""
        return f"{self.drawn.kind} {self.drawn.fold + 1}"


def plan_calibration(checkout: Checkout, asked: CalibrationAsked) -> tuple[PlannedTraining, ...]:
    """Draw the pseudo-requests that are asked for.

    Args:
        checkout: The checkout, with its parent.
        asked: What is to be calibrated.

    Returns:
        The trainings, kind by kind.

    Raises:
        SetupError: If there is no parent yet.
        ConfigurationError: If it is unknown how the parent was trained.
        UsageError: If so few pseudo-requests allow no band of that coverage; nothing was trained.
    """
    if not is_whole(checkout.parent):
        raise SetupError(NO_PARENT)
    parent, run = read_checkpoint_card(checkout.parent), checkout.params.run
    recipe = recipe_of(parent, purpose=" to calibrate with")
    manifest, data = read_manifest(checkout.dataset), read_card(checkout.dataset).rows_digest
    hashed, planned = cache(partial(pseudonymise, NO_KEY)), list[PlannedTraining]()
    for kind in asked.kinds:
        drawn = draw_trainings(manifest, kind, asked.count, seed=derive_seed(run.seed, f"calibrate {kind}"))
        _refuse_too_few(kind, drawn, asked.coverage)
        for one in drawn:
            whole = _case(manifest, kind, one.rows, data, hashed)
            training = describe_training(parent, recipe, run, data_digest=whole.split.retained, index=0)
            cases = (_case(manifest, kind, group, data, hashed) for group in one.groups)
            pseudo = tuple(Pseudo(case, _kept(checkout, case, training, run)) for case in cases)
            planned.append(PlannedTraining(one, whole, training, pseudo))
    return tuple(planned)


def _refuse_too_few(kind: CalibrationKind, drawn: Sequence[DrawnTraining], coverage: float) -> None:
    """Refuse what leaves too few pseudo-requests for a band once those of one training are left out."""
    counts = [len(one.groups) for one in drawn]
    others, least = sum(counts) - max(counts), least_units(coverage)
    if others < least:
        raise UsageError(
            f"a coverage of {coverage:g} takes {least} pseudo-requests besides those of one training; of "
            f"{kind} there would be {others}, so {least - others} are missing. Ask for a larger --count, if "
            "there are as many, or a lower --coverage. Nothing was trained"
        )
    points = others - sum(sorted(counts)[-2:-1])
    if len(counts) < LEAST_TRAININGS or points < LEAST_POINTS:
        raise UsageError(
            f"{len(counts)} trainings for {kind}, of {sum(counts)} pseudo-requests, are too few: each is "
            f"judged by bands of the others, of which each is left out in turn. It takes {LEAST_TRAININGS}, "
            f"and {LEAST_POINTS} pseudo-requests besides those of two. Ask for a larger --count, if there "
            "are as many. Nothing was trained"
        )


def _case(
    manifest: Manifest, kind: CalibrationKind, rows: tuple[int, ...], data: str, hashed: Pseudonymise
) -> BenchmarkCase:
    """Return a case in which some rows are forgotten; its name says nothing of persons."""
    found = select(_scope(manifest, kind, rows, hashed), manifest, hashed)
    split = split_of(_NAMES[kind], manifest, found, data)
    return BenchmarkCase(ForgetSet(kind=_NAMES[kind], name=kind, rows=len(split.forget_rows)), 0, split)


def _scope(manifest: Manifest, kind: CalibrationKind, rows: tuple[int, ...], hashed: Pseudonymise) -> Scope:
    """Return the scope that names these rows."""
    if kind == "classes":
        return ClassScope(classes=(manifest.classes[manifest.labels[rows[0]]],))
    if kind == "subjects":
        names = sorted({str(manifest.subject_ids[row]) for row in rows})
        return SubjectScope(subjects=tuple(hashed("subject", one) for one in names))
    return SampleScope(samples=tuple(hashed("sample", str(manifest.sample_ids[row])) for row in rows))


def _kept(checkout: Checkout, case: BenchmarkCase, training: Training, run: RunParams) -> Path:
    """Return where the measurements of a pseudo-request are kept: under all that they depend on."""
    ingredients: dict[str, Any] = {
        "parent": read_checkpoint_card(checkout.parent).weights,
        "training": training.digest,
        "split": case.split.digest,
        "run": [run.seed, run.threads],
        "shown": measured_by(checkout.params.policy),
        "hands": code_digest(evaluation, materials, observing, teaching),
    }
    return checkout.lethe / "calibration" / f"{short(sha256(canonical_json(ingredients)))}.json"


def measured_by(policy: Policy) -> list[Any]:
    """Return what of a policy decides what is measured: not how it is judged."""
    bands = [band.model_dump(mode="json") for band in (*policy.classes, *policy.samples)]
    return [policy.sampling, policy.metrics, bands if policy.sampling == "bands" else None]
