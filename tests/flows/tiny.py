"""A project on which a whole deletion takes as little as it can: images of 8 pixels, and one cheap method."""

import numpy as np
from PIL import Image
from world import SMALL, make_checkout

CLASSES, EACH = ("a", "b", "c"), 40


def make_tiny(folder, *, few=0, **sections):
    """Make it, with nothing run yet.

    Args:
        folder: Made; must not exist.
        few: Images of a fourth class; of two none is held out.
        sections: Other values for sections of ``params.yaml``.
    """
    draw = np.random.default_rng(0)
    for place, (name, count) in enumerate(
        {**dict.fromkeys(CLASSES, EACH), **({"few": few} if few else {})}.items()
    ):
        kept = folder.with_name("images") / name
        kept.mkdir(parents=True)
        for number in range(count):
            pixels = draw.integers(0, 90, (8, 8), dtype=np.uint8)
            pixels[:, 2 * place : 2 * place + 2] += 120
            Image.fromarray(pixels).save(kept / f"{number}.png")
    dataset = {"source": "imagefolder", "path": str(folder.with_name("images"))}
    methods = {**SMALL["methods"], "svd": {"grid_r": [100.0], "grid_f": [3.0]}}
    return make_checkout(folder, dataset=dataset, methods=methods, **sections)
