"""Which retrained models and shadows a request needs, and which of them exist."""

from dataclasses import dataclass

from tasks.checkout.checkout import Checkout, short
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.materials import read_split
from tasks.data.datasets import read_card
from tasks.references.retrained import describe_training, find_trained
from unlearn_core.errors import ConfigurationError
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
        What is wanted and what is missing.

    Raises:
        ConfigurationError: If it is unknown how the parent was trained.
    """
    parent, split = read_checkpoint_card(checkout.parent), read_split(checkout)
    if (recipe := parent.recipe) is None:
        raise ConfigurationError(
            "it is unknown how the parent was trained, so nothing can be retrained; adopt the model "
            "with its --recipe, or set policy.reference to none, which is evidence level E0"
        )
    (train,) = (entry.rows for entry in read_card(checkout.dataset).splits if entry.split == "train")
    retained = train - len(split.forget_rows)
    most = max(count, shadows)
    sides = (("retrained", split.retained, retained, most), ("shadow", split.data, train, shadows))
    wanted: dict[str, Wanted] = {}
    for index in range(most):
        for title, digest, rows, models in sides:
            if index < models:
                training = describe_training(parent, recipe, run, data_digest=digest, index=index)
                wanted[short(training.digest)] = Wanted(training, rows, f"{title} {index + 1}")
    missing = (name for name, one in wanted.items() if find_trained(checkout, one.training) is None)
    return Plan(wanted, tuple(missing))
