"""What a comparison needs: per case a retrained model and runs of methods, and which of them exist."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from tasks.benchmarking.cases import NO_PARENT, Asked, BenchmarkCase, plan_cases
from tasks.benchmarking.kept import Keeper
from tasks.benchmarking.runs import ORIGINAL
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.checkout.params import require_configured
from tasks.computing.checkpoints import is_whole, read_checkpoint_card
from tasks.computing.configured import configured_methods
from tasks.references.retrained import describe_training, recipe_of
from unlearn_core.errors import SetupError
from unlearn_core.method import Method
from unlearn_core.records.benchmark import BenchmarkRow
from unlearn_core.records.reference import Training


@dataclass(frozen=True)
class Planned:
    """One case of a comparison.

    Attributes:
        case: What is forgotten, and with which seed.
        reference: The retrained model that its runs are compared with.
        methods: What runs, by name; None means the original.
        kept: Where each finished row is kept.
    """

    case: BenchmarkCase
    reference: Training
    methods: Mapping[str, Method | None]
    kept: Mapping[str, Path]

    @property
    def missing(self) -> tuple[str, ...]:
        """The methods whose row is missing."""
        return tuple(name for name, path in self.kept.items() if not path.is_file())

    @property
    def rows(self) -> dict[str, BenchmarkRow]:
        """The finished rows, by method."""
        return {n: read_record(path, BenchmarkRow) for n, path in self.kept.items() if path.is_file()}


def plan_benchmark(
    checkout: Checkout, asked: Asked, *, methods: Collection[str], seeds: int
) -> tuple[Planned, ...]:
    """List all cases with what each needs.

    Args:
        checkout: The checkout.
        asked: The forget sets.
        methods: Names of methods; all configured ones if empty.
        seeds: How many seeds.

    Returns:
        The cases; each has the original, and the methods that support its kind of forget set.

    Raises:
        SetupError: If there is no parent yet.
        ConfigurationError: If it is unknown how the parent was trained.
    """
    if not is_whole(checkout.parent):
        raise SetupError(NO_PARENT)
    parent, run = read_checkpoint_card(checkout.parent), checkout.params.run
    recipe = recipe_of(parent, purpose=" to compare with")
    chosen, keeper, planned = _chosen(checkout, methods), Keeper(checkout), []
    for case in plan_cases(checkout, asked, seeds=seeds, base=run.seed):
        # Numbered as by `lethe reference`: one model per seed, whoever asked for it first.
        wanted = describe_training(parent, recipe, run, data_digest=case.split.retained, index=case.seed)
        fitting = {method.name: method for method in chosen if case.split.method_scope in method.scopes}
        runs: dict[str, Method | None] = {ORIGINAL: None, **fitting}
        kept = {name: keeper.path(case, wanted, method) for name, method in runs.items()}
        planned.append(Planned(case, wanted, runs, kept))
    return tuple(planned)


def _chosen(checkout: Checkout, names: Collection[str]) -> list[Method]:
    """Return the configured methods, or the named ones among them; others are refused."""
    require_configured(checkout.params, names)
    return [method for method in configured_methods(checkout) if not names or method.name in names]
