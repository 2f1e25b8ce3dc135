"""A new linear head on features: fitted on some samples, judged on others.

A multinomial logistic regression (L2, C = 1) on standardised features, each class weighted equally.
"""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

Rows = NDArray[np.int64]


class LabelledFeatures:
    """Features and labels as arrays, in an order that does not depend on that of the samples.

    Attributes:
        features: ``[samples, d]``.
        labels: ``[samples]``.
    """

    def __init__(self, features: Tensor, labels: Tensor) -> None:
        rows, named = features.numpy().astype(np.float64), labels.numpy()
        order = np.lexsort((rows.sum(1), named))
        self.features: NDArray[np.float64] = rows[order]
        self.labels: NDArray[np.int64] = named[order]

    def drawn(self, per_class: int, rng: np.random.Generator) -> Rows:
        """Draw up to ``per_class`` rows of every class."""
        of_class = (np.flatnonzero(self.labels == label) for label in np.unique(self.labels))
        return np.concatenate([rng.permutation(rows)[:per_class] for rows in of_class])

    def fitted(self, rows: Rows) -> Pipeline:
        """Fit a head on some rows; one that has not quite converged is good enough to read."""
        head = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=500))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return head.fit(self.features[rows], self.labels[rows])


def right_answers(head: Pipeline, features: Tensor, labels: Tensor) -> int:
    """Count how often a fitted head names the recorded label."""
    return int((head.predict(features.numpy().astype(np.float64)) == labels.numpy()).sum())
