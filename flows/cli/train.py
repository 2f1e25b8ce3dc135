"""``lethe train``: the model that deletions start from."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import Output

if TYPE_CHECKING:
    from unlearn_core.records.accuracies import Accuracies, Accuracy
    from unlearn_core.records.artifact import CheckpointCard


def command(
    *,
    data: Annotated[
        str | None,
        typer.Option(
            help="Your own images: a folder with `CLASS` folders, or with `train/CLASS` and `test/CLASS`, "
            "Parquet, or `torchvision:NAME`.",
            show_default="what params.yaml names",
        ),
    ] = None,
    subjects: Annotated[
        Path | None,
        typer.Option(help="Whose the images of a folder are: a CSV file with the columns `path,subject`."),
    ] = None,
    image_size: Annotated[int | None, typer.Option(help="Scale the images to this many pixels.")] = None,
    name: Annotated[str, typer.Option(help="What to call the images and the model.")] = "model",
    skip_bad_images: Annotated[
        bool, typer.Option("--skip-bad-images", help="Leave out images that cannot be read.")
    ] = False,
    json: Json = False,
) -> None:
    """Make the parent model that deletions start from, as `params.yaml` says.

    With `--data` it is trained on images of your own, which `params.yaml` names from then on; if anything is
    wrong with them, nothing is changed. All other settings are in `params.yaml`: net, recipe, splits.
    """
    from tasks.checkout.checkout import Checkout
    from tasks.data.own_images import ask_for_images, images_section

    asked = ask_for_images(data, subjects=subjects, name=name, image_size=image_size, skip=skip_bad_images)
    with Checkout.open(Path.cwd()) as checkout:
        if asked is not None:
            images_section(checkout, asked.data, subjects=asked.subjects, name=asked.name)
        from flows.train import accuracies_of_parent, train, train_on

        card = train(checkout) if asked is None else train_on(checkout, asked)
        found = accuracies_of_parent(Checkout(checkout.root))
    told = {**card.model_dump(mode="json"), "accuracies": found.model_dump(mode="json")}
    Output(json).give(told, lambda: _tell(card, found))


def _tell(card: "CheckpointCard", found: "Accuracies") -> str:
    """Return how good the model is, and what to do next."""
    net = card.architecture
    rows = [
        f"parent       {net.name}, {len(net.classes)} classes",
        f"accuracy     {_share(found.held_out)} held-out images, {_share(found.training)} training images",
    ]
    shown = {name: one for name, one in found.held_out_by_class.items() if one.value is not None}
    if lowest := min(shown, key=lambda name: shown[name].value or 0.0, default=None):
        rows.append(f"lowest       class {lowest}: {_share(shown[lowest])} held-out images")
    return "\n".join(
        [*rows, f"model        {card.weights}", "", "next         lethe delete r-1 --class NAME"]
    )


def _share(accuracy: "Accuracy") -> str:
    value = "–" if accuracy.value is None else f"{accuracy.value:.2%}"
    return f"{value} of {accuracy.samples}"
