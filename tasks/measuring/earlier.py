"""How well a model knows what earlier requests of its lineage forgot."""

from pathlib import Path

import numpy as np

from tasks.checkout.checkout import Checkout
from tasks.computing.observing import observed_earlier
from tasks.data.datasets import read_card
from unlearn_core.records.earlier import Knowledge
from unlearn_core.records.params import RunParams
from unlearn_core.records.request import RequestId


def measure_earlier(checkout: Checkout, checkpoint: Path, run: RunParams) -> dict[RequestId, Knowledge]:
    """Measure one checkpoint on the held-out rows that are kept of earlier requests' classes.

    Args:
        checkout: The checkout.
        checkpoint: The model's folder.
        run: Threads.

    Returns:
        What the model knows, by request; those of which no row is kept are left out.
    """
    if (outputs := observed_earlier(checkout, checkpoint, run)) is None:
        return {}
    labels, right, confidences = outputs.labels.numpy(), outputs.correct(), outputs.confidences()
    found: dict[RequestId, Knowledge] = {}
    for one in read_card(checkout.dataset).earlier:
        if (rows := np.isin(labels, one.classes)).any():
            found[one.request] = Knowledge(
                rows=int(rows.sum()),
                accuracy=float(right[rows].mean()),
                confidence=float(confidences[rows].mean()),
            )
    return found
