"""What is claimed of a model that was trained elsewhere, and whether there is anything to adopt.

It loads no torch: an adoption with a wrong word is refused before that.
"""

from dataclasses import dataclass
from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.params import read_yaml
from tasks.data.own_images import images_section
from tasks.tracking.registry import SCHEME
from unlearn_core.errors import ConfigurationError, SetupError
from unlearn_core.records.adoption import Claims
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.base import canonical_json
from unlearn_core.records.params import ImageSource

NO_IMAGES = "name the images that the model was trained on with --data"


@dataclass(frozen=True)
class Adoption:
    """What a person asked to adopt.

    Attributes:
        weights: A safetensors file, or ``models:/NAME/VERSION`` or ``models:/NAME@ALIAS``.
        data: Where its data is, or None for the data set that ``params.yaml`` names.
        name: The registered model's name.
        card: The file of claims, or None for the one beside the weights.
        given: Claims that override the card's.
        skip: Whether to skip images that cannot be read.
        subjects: The CSV file that says whose the images of a folder are, or None.
    """

    weights: str
    data: str | None
    name: str
    card: Path | None
    given: Claims
    skip: bool
    subjects: str | None = None


def given_claims(
    *,
    architecture: str | None,
    accuracy: float | None,
    recipe: Path | None,
    mean: str | None,
    std: str | None,
    image_size: int | None,
    part: str | None = None,
) -> Claims:
    """Turn what was typed into claims.

    Args:
        architecture: The net.
        accuracy: On held-out data, 0 to 1.
        recipe: The file of a recipe.
        mean: Numbers separated by commas.
        std: Likewise.
        image_size: In pixels.
        part: The name under which the net lies among the weights.

    Returns:
        The claims.

    Raises:
        ConfigurationError: If they are not valid, or only one of mean and std is given.
    """
    if (mean is None) != (std is None):
        raise ConfigurationError("--mean and --std go together; give both, or neither to measure them")
    values = {
        "architecture": architecture,
        "accuracy": accuracy,
        "recipe": None if recipe is None else read_yaml(recipe, Recipe).model_dump(mode="json"),
        "normalisation": None if mean is None else {"mean": _numbers(mean), "std": _numbers(std or "")},
        "image_size": image_size,
        "part": part,
    }
    return Claims.parse(canonical_json(values))


def _numbers(typed: str) -> list[float | str]:
    """Return comma-separated numbers; what is not a number stays as typed, for the message."""
    try:
        return [float(part) for part in typed.split(",")]
    except ValueError:
        return [typed]


def find_claims(weights: Path, card: Path | None) -> Claims:
    """Read the claims about a checkpoint.

    Args:
        weights: The checkpoint; a file with its name that ends in ``.yaml`` or ``.json`` is its card.
        card: Another card, or None.

    Returns:
        The claims; empty without a card.
    """
    beside = (weights.with_suffix(suffix) for suffix in (".yaml", ".yml", ".json"))
    path = card or next((path for path in beside if path.is_file()), None)
    return Claims() if path is None else read_yaml(path, Claims)


def merge(claims: Claims, stronger: Claims) -> Claims:
    """Return claims overridden by stronger ones."""
    return Claims(**{**dict(claims), **{name: value for name, value in stronger if value is not None}})


def all_claims(asked: Adoption, path: Path, registered: Claims) -> Claims:
    """Return everything that is claimed of a model: by the registry, by a card, and by the person.

    Args:
        asked: What to adopt.
        path: The file of the weights.
        registered: What the registry says.

    Returns:
        The claims; later ones override earlier ones.

    Raises:
        ConfigurationError: If they do not name the net.
    """
    claims = merge(merge(registered, find_claims(path, asked.card)), asked.given)
    if claims.architecture is None:
        raise ConfigurationError(
            "the model's architecture is unknown; give --architecture, or `architecture` in its card"
        )
    return claims


def require_weights(path: Path) -> None:
    """Refuse what is not a safetensors file.

    Args:
        path: The file.

    Raises:
        SetupError: If there is no such file.
        ConfigurationError: If it is something else.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise SetupError(f"{path} is not a file")
    try:
        with safe_open(path, framework="numpy"):
            pass
    except SafetensorError as error:
        raise ConfigurationError(
            f"{path} is not a safetensors file ({error}); pickled checkpoints are never loaded. Write one "
            "with safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')"
        ) from error


def require_adoptable(checkout: Checkout, asked: Adoption) -> None:
    """Refuse an adoption whose files are missing, before any of them is used.

    Args:
        checkout: The checkout.
        asked: What to adopt.

    Raises:
        SetupError: If a file or a folder is missing.
        ConfigurationError: If the weights are not a safetensors file, or no net or no data is named.
    """
    if not asked.weights.startswith(SCHEME):
        require_weights(Path(asked.weights))
        all_claims(asked, Path(asked.weights), Claims())
    if asked.data is None:
        require_images(checkout.params.dataset)
    else:
        images_section(checkout, asked.data, subjects=asked.subjects, name=asked.name)


def require_images(settings: object) -> ImageSource:
    """Return the settings of a data set of the user's own images.

    Raises:
        ConfigurationError: If they are of another data set.
    """
    if not isinstance(settings, ImageSource):
        raise ConfigurationError(NO_IMAGES)
    return settings
