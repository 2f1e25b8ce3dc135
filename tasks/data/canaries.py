"""Canaries among a source's rows: rows with a wrong label, none of them a person's."""

from dataclasses import replace

import numpy as np

from tasks.data.incoming import Incoming
from unlearn_core.canaries import CANARY_SUBJECT, plant
from unlearn_core.errors import ConfigurationError
from unlearn_core.records.params import DealtSource
from unlearn_core.seeds import derive_seed


def with_canaries(incoming: Incoming, params: DealtSource) -> Incoming:
    """Return a source's rows with the canaries that its settings ask for; none is a person's row.

    Args:
        incoming: The source's rows.
        params: How many canaries, and the seed.

    Returns:
        The rows; unchanged if no canaries are asked for.

    Raises:
        ConfigurationError: If too few training rows belong to nobody, or a subject has the canaries' name,
            which would be taken for canaries even where none are asked for.
    """
    if CANARY_SUBJECT in incoming.subject_ids:
        raise ConfigurationError(
            f"a subject of the data set is called {CANARY_SUBJECT}, the canaries' name; rename it"
        )
    if params.canaries == 0:
        return incoming
    subjects = np.array(incoming.subject_ids, dtype=object)
    labels, splits = incoming.labels.copy(), incoming.splits.copy()
    plant(
        labels,
        splits,
        subjects,
        count=params.canaries,
        among=np.flatnonzero((splits == "train") & (subjects == "")),
        classes=len(incoming.classes),
        random=np.random.default_rng(derive_seed(params.seed, "canaries")),
    )
    return replace(incoming, labels=labels, splits=splits, subject_ids=subjects.tolist())
