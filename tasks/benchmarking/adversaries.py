"""Adversaries in a checkout: what they may read, where their attempts are kept, and how they are shown."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import code_digest, method_digest
from tasks.computing import materials, observing, teaching, unlearning
from tasks.computing.materials import load_materials, read_split, views
from tasks.computing.unlearning import attempt
from tasks.data.pool import Pool
from tasks.measuring import evaluation
from unlearn_core.data import concatenate
from unlearn_core.method import Materials, Method, Tuning
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.challenge import ChallengeRow, JudgedClaim
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.params import RunParams
from unlearn_core.records.policy import Failing, Verdict
from unlearn_core.seeds import derive_seed


@dataclass(frozen=True)
class Challenger:
    """An adversary with one of its seeds.

    Attributes:
        name: Its name in the suite.
        variant: Which seed, from 0.
        method: What is run.
    """

    name: str
    variant: int
    method: Method

    @property
    def title(self) -> str:
        """The name with the seed, for people."""
        return f"{self.name} {self.variant + 1}"


def exposed_materials(checkout: Checkout, pool: Pool) -> Materials:
    """Return what an adversary is given: audit images of the forgotten classes as well, the worst case.

    Whoever can run a method on a checkout can read its folders. So the held-out images of the forgotten
    classes, by which adversaries recognise what is judged, are the audit ones. Tuning images of these classes
    are added to those of the other classes: nothing is judged on them. Test images are given to nobody.

    Args:
        checkout: The checkout.
        pool: Its data set.

    Returns:
        The materials.
    """
    found, audit = load_materials(checkout, pool), views(checkout, pool).get(("audit", "forget"))
    tuning = found.tuning
    if audit is None or tuning is None or tuning.forget is None:
        return found
    return replace(found, tuning=Tuning(forget=audit, retain=concatenate(tuning.retain, tuning.forget)))


def seeded(run: RunParams, challenger: Challenger) -> RunParams:
    """Return the settings of a run with a challenger's own base seed."""
    own = derive_seed(run.seed, f"challenge/{challenger.name}/{challenger.variant}")
    return run.model_copy(update={"seed": own})


exposed_attempt = partial(attempt, gather=exposed_materials)
"""``attempt``, with what an adversary is given."""


def kept_rung(
    checkout: Checkout, challenger: Challenger, run: RunParams, measured: tuple[Evaluation, ...]
) -> Path:
    """Return where a challenger's attempt is kept: under a digest of all that its measurements depend on.

    Bands are not among it: a changed gate judges what is kept.

    Args:
        checkout: The checkout.
        challenger: The adversary and its seed.
        run: Base seed and threads.
        measured: The original's evaluation, and those of the retrained models.

    Returns:
        The file.
    """
    ingredients: dict[str, Any] = {
        "challenger": [challenger.name, challenger.variant, challenger.method.model_dump(mode="json")],
        "run": [run.seed, run.threads],
        "measured": [one.model_dump(mode="json") for one in measured],
        "split": read_split(checkout).digest,
        "hands": code_digest(evaluation, materials, observing, teaching, unlearning),
        "core": method_digest(challenger.method),
    }
    return checkout.lethe / "adversaries" / f"{short(sha256(canonical_json(ingredients)))}.json"


def challenge_row(
    measured: Evaluation,
    verdict: Verdict,
    *,
    model: str,
    variant: int = 0,
    method: dict[str, Any] | None = None,
    seconds: float | None = None,
) -> ChallengeRow:
    """Return a judged model as a row.

    Args:
        measured: Its measurements.
        verdict: The gate's verdict.
        model: The model's name.
        variant: Which of an adversary's seeds.
        method: The adversary's settings, with all that was drawn.
        seconds: How long it took to make.

    Returns:
        The row.
    """
    return ChallengeRow(
        model=model,
        variant=variant,
        method=method,
        retained=measured.find("accuracy.test.retain"),
        forgotten=measured.find("accuracy.train.forget"),
        unseen=measured.find("accuracy.test.forget"),
        claims=tuple(
            JudgedClaim(claim=name, verdict=claim.verdict, reason=claim.reason)
            for name, claim in verdict.claims.items()
        ),
        exposed_by=tuple(
            finding.measurement for finding in verdict.findings if finding.outcome in get_args(Failing)
        ),
        passes=verdict.is_shown,
        seconds=seconds,
    )
