"""``lethe next``: continue from the model in use."""

from pathlib import Path

from flows.cli.options import Json
from flows.cli.output import Output


def command(json: Json = False) -> None:
    """Start the next request from the promoted model and its retained data."""
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.progress import signs_of_life
    from tasks.lifecycle.refusals import require_accepted

    with Checkout.open(Path.cwd()) as checkout, signs_of_life("next"):
        require_accepted(checkout)
        from tasks.lifecycle.releases import continue_from_champion

        model, data = continue_from_champion(checkout)
    keep = f"git add params.yaml {model.parent}/*.dvc {data.parent}/*.dvc"
    told = (
        f"the next request starts from {model} and {data}\n"
        f"keep it: {keep} && git commit -m 'Continue from the champion'"
    )
    Output(json).give({"model": str(model), "data": str(data)}, lambda: told)
