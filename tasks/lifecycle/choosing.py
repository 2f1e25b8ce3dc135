"""Which images the model of a project is trained on."""

from typing import Any

from tasks.checkout.checkout import Checkout
from tasks.data.images import Images
from tasks.data.own_images import ImagesAsked, images_section
from tasks.data.sources import parse_dataset, source_of
from tasks.lifecycle.claims import NO_IMAGES, require_images
from unlearn_core.errors import ConfigurationError
from unlearn_core.records.params import ImageSource, TrainedParent


def settle_images(
    checkout: Checkout, asked: ImagesAsked
) -> tuple[dict[str, Any], ImageSource, Images[ImageSource]]:
    """Return what ``params.yaml`` is to say of images to train on.

    Args:
        checkout: The checkout.
        asked: The images.

    Returns:
        Sections of ``params.yaml``, not written yet; the settings of the data set, and its source.

    Raises:
        ConfigurationError: If the project's model was not trained here, or has forgotten something.
    """
    if not isinstance(checkout.params.parent, TrainedParent):
        raise ConfigurationError(
            f"the model of this project is {checkout.params.parent.source}: not trained here, or it has "
            "forgotten something; make another project for other images: `lethe init FOLDER`"
        )
    section = images_section(checkout, asked.data, subjects=asked.subjects, name=asked.name)
    section |= {} if asked.image_size is None else {"image_size": asked.image_size}
    section |= {"on_bad_image": "skip"} if asked.skip else {}
    return {"dataset": section, "registry": {"model": asked.name}}, *images_of(section)


def images_of(section: dict[str, Any]) -> tuple[ImageSource, Images[ImageSource]]:
    """Return the settings that a section of ``params.yaml`` holds, and the source that they are for.

    Raises:
        ConfigurationError: If they are not valid, or of a data set that is not the user's own images.
    """
    settings = require_images(parse_dataset(section))
    source = source_of(settings)
    if not isinstance(source, Images):
        raise ConfigurationError(NO_IMAGES)
    return settings, source
