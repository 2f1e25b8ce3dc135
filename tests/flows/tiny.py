"""A project on which a whole deletion takes as little as it can: images of 8 pixels, and one cheap method."""

import numpy as np
from PIL import Image
from world import SMALL, make_checkout

CLASSES, EACH = ("a", "b", "c"), 40


def make_tiny(folder):
    """Make it, with nothing run yet."""
    draw = np.random.default_rng(0)
    for place, name in enumerate(CLASSES):
        kept = folder.with_name("images") / name
        kept.mkdir(parents=True)
        for number in range(EACH):
            pixels = draw.integers(0, 90, (8, 8), dtype=np.uint8)
            pixels[:, 3 * place : 3 * place + 2] += 120
            Image.fromarray(pixels).save(kept / f"{number}.png")
    dataset = {"source": "imagefolder", "path": str(folder.with_name("images"))}
    make_checkout(
        folder, dataset=dataset, methods={**SMALL["methods"], "svd": {"grid_r": [100.0], "grid_f": [3.0]}}
    )
    return folder
