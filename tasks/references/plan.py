"""Which retrained models and shadows a request needs, and which of them exist."""

from dataclasses import dataclass

from tasks.checkout.checkout import Checkout, short
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.materials import read_split
from tasks.data.datasets import read_card
from tasks.references.retrained import describe_training, find_trained, recipe_of
from unlearn_core.records.base import Sha256
from unlearn_core.records.params import RunParams
from unlearn_core.records.reference import Training


@dataclass(frozen=True)
class Wanted:
    """One model of a request.

    Attributes:
        training: What its bits depend on.
        rows: How many rows it is trained on.
        title: What it is, for people.
    """

    training: Training
    rows: int
    title: str


@dataclass(frozen=True)
class Sides:
    """The digest of the data before and after a deletion, and how many training rows each has."""

    data: Sha256
    rows: int
    retained: Sha256
    retained_rows: int


@dataclass(frozen=True)
class Plan:
    """The models of a request, each once, in the order of their seeds.

    Attributes:
        wanted: The models by name.
        missing: The names of those that are not finished.
    """

    wanted: dict[str, Wanted]
    missing: tuple[str, ...]


def plan_references(checkout: Checkout, run: RunParams, *, count: int, shadows: int) -> Plan:
    """List the models of the current request.

    Args:
        checkout: The checkout, with its request split.
        run: Base seed and threads.
        count: The number of retrained models, including those of shadow pairs.
        shadows: The number of shadow pairs.

    Returns:
        What is wanted and what is missing; ``plan_sides`` says what is refused.
    """
    split = read_split(checkout)
    (train,) = (entry.rows for entry in read_card(checkout.dataset).splits if entry.split == "train")
    sides = Sides(split.data, train, split.retained, train - len(split.forget_rows))
    return plan_sides(checkout, run, sides, count=count, shadows=shadows)


def plan_sides(checkout: Checkout, run: RunParams, sides: Sides, *, count: int, shadows: int) -> Plan:
    """List the models of a request that may not have been split yet.

    Args:
        checkout: The checkout, with its parent.
        run: Base seed and threads.
        sides: The data before and after the deletion.
        count: The number of retrained models, including those of shadow pairs.
        shadows: The number of shadow pairs.

    Returns:
        What is wanted and what is missing.

    Raises:
        ConfigurationError: If it is unknown how the parent was trained.
    """
    parent = read_checkpoint_card(checkout.parent)
    recipe = recipe_of(parent, instead=", or set policy.reference to none, which is evidence level E0")
    most = max(count, shadows)
    kinds = (
        ("retrained", sides.retained, sides.retained_rows, most),
        ("shadow", sides.data, sides.rows, shadows),
    )
    wanted: dict[str, Wanted] = {}
    for index in range(most):
        for title, digest, rows, models in kinds:
            if index < models:
                training = describe_training(parent, recipe, run, data_digest=digest, index=index)
                wanted[short(training.digest)] = Wanted(training, rows, f"{title} {index + 1}")
    missing = (name for name, one in wanted.items() if find_trained(checkout, one.training) is None)
    return Plan(wanted, tuple(missing))
