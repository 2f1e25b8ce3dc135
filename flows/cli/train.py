"""``lethe train``: the model that deletions start from."""

from pathlib import Path

from flows.cli.options import Json
from flows.cli.output import Output


def command(json: Json = False) -> None:
    """Make the parent model that deletions start from, as `params.yaml` says."""
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.progress import signs_of_life

    with Checkout.open(Path.cwd()) as checkout, signs_of_life("train"):
        from flows.train import train

        card = train(checkout)
    told = f"parent {card.architecture.name}, {card.weights}, trained on {card.data}"
    Output(json).give(card.model_dump(mode="json"), lambda: told)
