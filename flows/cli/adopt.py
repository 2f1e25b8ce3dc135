"""The command ``lethe adopt``: what can be said of a model that was trained elsewhere."""

from pathlib import Path
from typing import Annotated

import typer


def adopt(
    weights: Annotated[
        str, typer.Argument(metavar="WEIGHTS", help="A safetensors file, or `models:/NAME/VERSION`.")
    ],
    *,
    architecture: Annotated[
        str | None,
        typer.Option(help="`torchvision:resnet18`, or `module:factory` of your own, or `small_resnet`."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="The images: a folder of `train/CLASS` and `test/CLASS`, Parquet, or `torchvision:NAME`."
        ),
    ] = None,
    accuracy: Annotated[
        float | None, typer.Option(help="What its accuracy on held-out data is said to be, 0 to 1.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(help="How it was trained, as YAML; without it, it cannot be retrained.")
    ] = None,
    mean: Annotated[str | None, typer.Option(help="Of the channels, e.g. `0.49,0.48,0.45`.")] = None,
    std: Annotated[str | None, typer.Option(help="Of the channels, e.g. `0.20,0.20,0.20`.")] = None,
    image_size: Annotated[int | None, typer.Option(help="Scale the images to so many pixels.")] = None,
    name: Annotated[str, typer.Option(help="What to register it as.")] = "model",
    card: Annotated[
        Path | None, typer.Option(help="A file that says all of this; by default beside the weights.")
    ] = None,
    skip_bad_images: Annotated[
        bool, typer.Option("--skip-bad-images", help="Leave images out that cannot be read.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of a summary.")
    ] = False,
) -> None:
    """Start from a model that was trained elsewhere, without retraining it.

    Imports the images, checks that the weights fit the net and that its accuracy is what is claimed, takes
    its second moments, writes all of it into `params.yaml` and registers the model as champion. Where
    anything is wrong, nothing is changed. A card `WEIGHTS.yaml` beside the weights may give `architecture`,
    `classes` (in the order of the outputs), `normalisation`, `accuracy` and `recipe`; options go before it.
    Pickled checkpoints are never loaded. Then: `lethe delete r-1 --class NAME`.
    """
    from flows.adopt import adopt as adopt_model
    from flows.cli.printing import print_adopted, print_json
    from tasks.checkout.checkout import Checkout
    from tasks.lifecycle.adopting import Adoption, given_claims

    given = given_claims(
        architecture=architecture, accuracy=accuracy, recipe=recipe, mean=mean, std=std, image_size=image_size
    )
    asked = Adoption(weights, data, name, card, given, skip_bad_images)
    with Checkout.open(Path.cwd()) as checkout:
        adopted = adopt_model(checkout, asked)
    print_json(adopted.model_dump(mode="json")) if json else print_adopted(adopted)
