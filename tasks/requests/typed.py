"""Refusals in the words of the person at the terminal, who may see ids; logs hold none."""

from collections.abc import Iterator
from contextlib import contextmanager
from shlex import quote

from tasks.checkout.log import is_for_people
from tasks.keys.ring import pseudonym_keys
from tasks.keys.signing import load_pseudonym_key, pseudonymise
from unlearn_core.errors import MisfitError, RequestError, SetupError
from unlearn_core.names import one_form
from unlearn_core.spelling import did_you_mean

_MOST_COPIES = 20
"""How many copies of forgotten images are named at most."""


@contextmanager
def told_as_typed(
    *, samples: tuple[str, ...], subjects: tuple[str, ...], classes: tuple[str, ...] = ()
) -> Iterator[None]:
    """Make a refusal name what the person at the terminal typed, in place of pseudonyms.

    Args:
        samples: Ids of samples, as typed.
        subjects: Ids of subjects, as typed.
        classes: Names of classes, as typed.

    Yields:
        Nothing.

    Raises:
        RequestError: The one raised inside, in the person's words, which go to nobody else.
    """
    try:
        yield
    except RequestError as error:
        message = str(error)
        # Logs are kept: ids go to the person at the terminal and to nobody else.
        if is_for_people():
            if isinstance(error, MisfitError) and {*error.names} <= {*map(one_form, classes)}:
                message = error.as_typed or message
            message = _in_their_words(message, error, samples, subjects)
        raise RequestError(message) from None


def _in_their_words(
    message: str, error: RequestError, samples: tuple[str, ...], subjects: tuple[str, ...]
) -> str:
    """Name what was typed in place of pseudonyms, what may have been meant, and which copies there are."""
    if samples or subjects:
        key = load_pseudonym_key()
        typed = {pseudonymise(key, "sample", one_form(one)): one for one in samples}
        typed |= {pseudonymise(key, "subject", one_form(one)): one for one in subjects}
        if isinstance(error, MisfitError) and error.known:
            unknown = next((typed[name] for name in error.names if name in typed), "")
            message = message.replace("; check", f"; {did_you_mean(unknown, error.known)}check")
        for pseudonym, name in typed.items():
            message = message.replace(pseudonym, name)
    if isinstance(error, MisfitError) and error.copies:
        options = " ".join(f"--sample {quote(one)}" for one in error.copies[:_MOST_COPIES])
        more = " …" if len(error.copies) > _MOST_COPIES else ""
        message = f"{message}. Give the same command with {options}{more}"
    return message


def pseudonyms_of(identifier: str) -> tuple[str, ...]:
    """Return what may stand for a name in a request: a class itself, and pseudonyms if there is a key."""
    form = one_form(identifier)
    try:
        keys = pseudonym_keys()
    except SetupError:
        return (form,)
    return (form, *(pseudonymise(key, kind, form) for key in keys for kind in ("sample", "subject")))
