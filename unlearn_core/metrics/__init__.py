"""The metrics: one file each. To add one, write the file and list it here, twice."""

from typing import Annotated

from pydantic import Field

from unlearn_core.metric import Metric
from unlearn_core.metrics.accuracy import Accuracy
from unlearn_core.metrics.confidence import Confidence
from unlearn_core.metrics.divergence import Divergence
from unlearn_core.metrics.membership import Membership
from unlearn_core.metrics.probe import Probe

CATALOGUE: tuple[type[Metric], ...] = (Accuracy, Confidence, Membership, Probe, Divergence)
"""Every metric there is, in the order of reading."""

AnyMetric = Annotated[
    Accuracy | Confidence | Membership | Probe | Divergence,
    Field(discriminator="name"),
]
"""A metric as it stands in a file: its name says which."""

DEFAULT: tuple[Metric, ...] = (Accuracy(), Confidence(), Membership(), Probe(), Divergence())
"""What the pipeline measures, with every setting at its default."""
