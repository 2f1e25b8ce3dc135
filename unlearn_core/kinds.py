"""Closed lists of words that the command line, the rules and the records share; it loads no library."""

from typing import Literal

RequestKind = Literal["classes", "samples", "subjects", "mixed"]
"""What a request names; ``mixed`` is several of the others."""

CalibrationKind = Literal["classes", "subjects", "samples"]
"""The kinds of requests that pseudo-requests are drawn of."""

ScopeKind = Literal["classes", "samples"]
"""What methods, metrics and the gate distinguish: rows of a subject or a mixed request are samples."""


def scope_kind(kind: RequestKind) -> ScopeKind:
    """Return what a request of some kind is to methods, metrics and the gate."""
    return "classes" if kind == "classes" else "samples"


EvidenceLevel = Literal["E0", "EC", "E1", "E2", "E3"]
"""What a verdict rests on; ``EC``, calibrated, lies between fixed limits and a retrained model."""

AskedKind = Literal["class", "sample", "subject", "dataset", "model"]
"""What somebody can look for in the stores."""

Split = Literal["train", "tuning", "audit", "test", "canary", "forgotten"]
"""The parts of a data set."""

RequestState = Literal["received", "running", "completed", "failed", "cancelled"]
"""A request's state in the ledger."""

TO_SERVE: tuple[RequestState, ...] = ("received", "running")
"""The states of a request that a worker serves, or will."""

OPEN: tuple[RequestState, ...] = (*TO_SERVE, "failed")
"""The states of a request that is not done with: one that failed waits for a person."""

Basis = Literal["gdpr", "ccpa"]
"""The law that a request rests on; it says when the request is due."""

RunResult = Literal["accepted", "refused", "failed"]
"""What came of a run: a model was accepted, the gate refused all of them, or something broke."""
