"""Closed lists of words that the command line, the rules and the records share; it loads no library."""

from typing import Literal

RequestKind = Literal["classes", "samples", "subjects"]
"""What a request names."""

ScopeKind = Literal["classes", "samples"]
"""What methods, metrics and the gate distinguish: a subject's rows are samples."""

RequestState = Literal["received", "running", "completed", "failed", "cancelled"]
"""A request's state in the ledger."""

Basis = Literal["gdpr", "ccpa"]
"""The law that a request rests on; it says when the request is due."""

RunResult = Literal["accepted", "refused", "failed"]
"""What came of a run: a model was accepted, the gate refused all of them, or something broke."""
