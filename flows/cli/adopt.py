"""The command ``lethe adopt``: what can be stated about a model that was trained elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import Output

if TYPE_CHECKING:
    from unlearn_core.records.adoption import Adopted

JUDGED = {
    "none": "by the policy's absolute bounds, without a retrained model",
    "cached": "against retrained models, where there are any",
    "calibrated": "by a calibration, where it holds for the request",
    "build": "against models that are retrained by its recipe",
}
"""What ``policy.reference`` means for the deletions that follow."""


def command(
    weights: Annotated[
        str, typer.Argument(metavar="WEIGHTS", help="A safetensors file, or `models:/NAME/VERSION`.")
    ],
    *,
    architecture: Annotated[
        str | None,
        typer.Option(help="`torchvision:resnet18`, your own `module:factory`, or `small_resnet`."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="The images: a folder with `train/CLASS` and `test/CLASS`, Parquet, or `torchvision:NAME`."
        ),
    ] = None,
    subjects: Annotated[
        Path | None,
        typer.Option(help="Whose the images of a folder are: a CSV file with the columns `path,subject`."),
    ] = None,
    accuracy: Annotated[
        float | None, typer.Option(help="Its claimed accuracy on held-out data, 0 to 1.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(help="How it was trained, as YAML; needed to retrain it.")
    ] = None,
    mean: Annotated[str | None, typer.Option(help="Of the channels, e.g. `0.49,0.48,0.45`.")] = None,
    std: Annotated[str | None, typer.Option(help="Of the channels, e.g. `0.20,0.20,0.20`.")] = None,
    image_size: Annotated[int | None, typer.Option(help="Scale the images to this many pixels.")] = None,
    part: Annotated[
        str | None, typer.Option(help="Which net in the weights, if they hold several: e.g. `ema`.")
    ] = None,
    name: Annotated[str, typer.Option(help="What to register it as.")] = "model",
    card: Annotated[
        Path | None, typer.Option(help="A file that states all of this; by default beside the weights.")
    ] = None,
    skip_bad_images: Annotated[
        bool, typer.Option("--skip-bad-images", help="Leave out images that cannot be read.")
    ] = False,
    json: Json = False,
) -> None:
    """Start from a model that was trained elsewhere, without retraining it.

    Imports the images, checks that the weights fit the net and that its accuracy is as claimed, collects its
    second moments, writes everything into `params.yaml` and registers the model as champion. If anything is
    wrong, nothing is changed. A card `WEIGHTS.yaml` beside the weights may give `architecture`, `classes` (in
    the order of the outputs), `normalisation`, `accuracy` and `recipe`; options override it. Pickled
    checkpoints are never loaded. Then: `lethe delete r-1 --class NAME`.
    """
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.progress import signs_of_life
    from tasks.lifecycle.claims import Adoption, given_claims, require_adoptable

    given = given_claims(
        architecture=architecture,
        accuracy=accuracy,
        recipe=recipe,
        mean=mean,
        std=std,
        image_size=image_size,
        part=part,
    )
    table = None if subjects is None else str(subjects)
    asked = Adoption(weights, data, name, card, given, skip_bad_images, table)
    with Checkout.open(Path.cwd()) as checkout, signs_of_life("adopt"):
        require_adoptable(checkout, asked)
        from flows.adopt import adopt

        adopted = adopt(checkout, asked)
    Output(json).give(adopted.model_dump(mode="json"), lambda: tell_adopted(adopted))


def tell_adopted(adopted: "Adopted") -> str:
    """Return what was adopted, what was found, and what to do next."""
    claimed = "nothing was claimed" if adopted.claimed is None else f"{adopted.claimed:.2%} was claimed"
    return (
        f"adopted      {adopted.architecture}, {adopted.weights}\n"
        f"accuracy     {adopted.accuracy:.2%} of {adopted.samples} held-out images; {claimed}\n"
        f"registered   {adopted.registered_model} version {adopted.registered_version}, alias champion\n"
        f"judged       {JUDGED[adopted.reference]} (policy.reference: {adopted.reference} in params.yaml)\n\n"
        "next         lethe delete r-1 --class NAME\n"
        f"keep it      git add params.yaml dvc.lock models/generations && git commit -m 'Adopt a model'"
    )
