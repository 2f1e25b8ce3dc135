"""Every error that Lethe raises on purpose.

::

    LetheError
    ├── UsageError                 what was asked for cannot be done
    │   ├── RequestError           the deletion request does not fit the data
    │   │   └── MisfitError        what it names is unknown, or has a copy that it does not name
    │   ├── ForgottenError         what was forgotten before would come back
    │   ├── ConfigurationError     params.yaml, a policy or a method's settings are wrong
    │   ├── SetupError             the machine or the folder is not ready (git, keys, files)
    │   └── NoSampleError          a metric has no held-out sample to measure on
    ├── UnlearningError            the request is fine, the unlearning could not be done
    │   ├── NeedError              a method used something it had not declared
    │   ├── CoverageError          too much of the model is out of the method's reach
    │   ├── MomentsError           the second moments do not belong to this data or model
    │   └── ModelError             weights are not finite, or nothing changed
    ├── PipelineError              a stage stopped: an expectation failed, a digest differs
    │   ├── GateError              no method was accepted
    │   └── UnavailableError       a service did not answer; the same may succeed later
    ├── ErasedError                what was asked for was erased by a purge
    └── EvidenceError              what was presented as evidence is false or unreadable

Messages say what came, what was expected and what to do next.
"""


class LetheError(Exception):
    """Root of the tree; ``exit_code`` is what the command line returns for it."""

    exit_code = 1


class UsageError(LetheError):
    """The call itself was wrong; nothing was changed."""

    exit_code = 2


class RequestError(UsageError):
    """A deletion request does not fit the data set."""


class MisfitError(RequestError):
    """What a request names is not to be forgotten as it stands. The message holds no id of the data set.

    Attributes:
        names: The names, as in the scope, that are unknown or match no training row.
        known: The ids of the data set that are of the same kind, for whoever may see them.
        copies: The ids of the samples that would stay behind, for whoever may see them.
        as_typed: The message with what was asked for in it, for whoever typed that; None if it has it anyway.
    """

    def __init__(
        self,
        message: str,
        *,
        names: tuple[str, ...] = (),
        known: tuple[str, ...] = (),
        copies: tuple[str, ...] = (),
        as_typed: str | None = None,
    ) -> None:
        super().__init__(message)
        self.names, self.known, self.copies, self.as_typed = names, known, copies, as_typed


class ForgottenError(UsageError):
    """Data hold what an earlier deletion had forgotten."""


class ConfigurationError(UsageError):
    """A setting is unknown, missing or out of range."""


class SetupError(UsageError):
    """The machine or the working folder is not ready."""


class NoSampleError(UsageError):
    """A metric has no held-out sample to measure on; the message is the reason that reports give."""


class UnlearningError(LetheError):
    """A valid request could not be carried out by a method."""

    exit_code = 3


class NeedError(UnlearningError):
    """A method used something that it had not declared."""


class CoverageError(UnlearningError):
    """More of the model is out of the method's reach than the policy allows."""


class MomentsError(UnlearningError):
    """Second moments do not belong to this model or data."""


class ModelError(UnlearningError):
    """A model has non-finite weights, or a method left it unchanged."""


class PipelineError(LetheError):
    """A stage of the pipeline stopped."""

    exit_code = 4


class GateError(PipelineError):
    """Every method was tried and none was accepted."""

    exit_code = 5


class UnavailableError(PipelineError):
    """An external service did not answer; the same call may succeed later."""


class ErasedError(LetheError):
    """What was asked for was erased, as a request asked: nothing is wrong, and nothing can be done."""

    exit_code = 9


class EvidenceError(LetheError):
    """Evidence is false, altered, untrusted or unreadable."""

    exit_code = 6
