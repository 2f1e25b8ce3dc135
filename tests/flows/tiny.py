"""A project on which a whole deletion takes as little as it can: images of 8 pixels, and one cheap method."""

from functools import partial

import numpy as np
from once import made_once
from PIL import Image
from templates import run_stages, with_settings
from world import SMALL, make_checkout

from flows.stages.pipeline import PREPARATION
from tasks.checkout.checkout import Checkout
from tasks.tracking.runs import tracking_of

CLASSES, EACH = ("a", "b", "c"), 40


def make_tiny(folder, *, few=0, **sections):
    """Make it, with nothing run yet.

    Args:
        folder: Made; must not exist. The images are elsewhere, and every such project reads the same.
        few: Images of a fourth class; of two none is held out.
        sections: Other values for sections of ``params.yaml``.
    """
    images = made_once(f"tiny-images-{few}", partial(_draw_images, few=few))
    dataset = {"source": "imagefolder", "path": str(images)}
    methods = {**SMALL["methods"], "svd": {"grid_r": [100.0], "grid_f": [3.0]}}
    return make_checkout(folder, dataset=dataset, methods=methods, **sections)


def prepared_tiny(folder, **sections):
    """Make it with a data set, a parent and second moments, in which nothing was asked for yet.

    Args:
        folder: Made; must not exist.
        sections: Other values for sections of ``params.yaml``; stages that depend on them run again.
    """
    return with_settings(made_once("tiny", _prepare), folder, sections)


def _prepare(folder):
    assert all(run_stages(make_tiny(folder), PREPARATION))
    tracking_of(Checkout(folder))


def _draw_images(folder, *, few):
    draw = np.random.default_rng(0)
    for place, (name, count) in enumerate(
        {**dict.fromkeys(CLASSES, EACH), **({"few": few} if few else {})}.items()
    ):
        kept = folder / name
        kept.mkdir(parents=True)
        for number in range(count):
            pixels = draw.integers(0, 90, (8, 8), dtype=np.uint8)
            pixels[:, 2 * place : 2 * place + 2] += 120
            Image.fromarray(pixels).save(kept / f"{number}.png")
