"""Deletion requests on disk: checked against the data before anything is written."""

from collections.abc import Iterable
from functools import cache
from typing import Literal

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_record
from tasks.checkout.log import is_for_people
from tasks.checkout.regular import read_regular
from tasks.keys.ring import pseudonym_keys
from tasks.keys.signing import load_pseudonym_key, pseudonymise
from tasks.requests.copies import refuse_alike
from tasks.requests.forgotten import forgotten_by
from unlearn_core.errors import ConfigurationError, MisfitError, RequestError, SetupError
from unlearn_core.names import one_form
from unlearn_core.records.base import canonical_json
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope, SampleScope, Scope, SubjectScope, classes_in, join
from unlearn_core.selection import (
    Manifest,
    Pseudonymise,
    Selection,
    names_training_rows,
    require_classes,
    select,
)
from unlearn_core.spelling import did_you_mean


def make_scope(*, classes: tuple[str, ...], samples: tuple[str, ...], subjects: tuple[str, ...]) -> Scope:
    """Make a scope from what a person typed; ids become pseudonyms at once.

    Args:
        classes: Names of classes.
        samples: Ids of samples.
        subjects: Ids of subjects.

    Returns:
        The scope.

    Raises:
        RequestError: If nothing was named, or a name is not text.
    """
    if not (classes or samples or subjects):
        raise RequestError("a request names classes, samples or subjects; this one names nothing")
    if wrong := [one for one in (*classes, *samples, *subjects) if not is_text(one)]:
        shown = ", ".join(map(repr, wrong)) if is_for_people() else "a name"
        raise RequestError(f"{shown}: expected non-empty UTF-8 text")
    named: list[Scope] = []
    if classes:
        named.append(ClassScope(classes=tuple({one_form(one) for one in classes})))
    if samples:
        named.append(SampleScope(samples=tuple({*pseudonyms("sample", samples)})))
    if subjects:
        named.append(SubjectScope(subjects=tuple({*pseudonyms("subject", subjects)})))
    return join(named)


def pseudonyms(kind: Literal["sample", "subject"], ids: Iterable[str]) -> list[str]:
    """Return the pseudonyms of ids, one for each, in their order."""
    key = load_pseudonym_key()
    return [pseudonymise(key, kind, one_form(one)) for one in ids]


def is_text(name: str) -> bool:
    """Tell whether a name is non-empty text; what a terminal could not decode arrives as lone surrogates."""
    return bool(name.strip()) and not any("\ud800" <= letter <= "\udfff" for letter in name)


def make_request(request_id: str, scope: Scope, *, model: str) -> DeletionRequest:
    """Make a request from what a person typed.

    Args:
        request_id: Its id.
        scope: What it names.
        model: The registered model that is to forget.

    Returns:
        The request.

    Raises:
        RequestError: If the id is not text. A malformed id or model is a ``ConfigurationError``.
    """
    if not is_text(request_id):
        raise RequestError(f"{request_id!r} is not an id: expected non-empty UTF-8 text")
    named = {"id": request_id, "model": model, "scope": scope.model_dump(mode="json")}
    return DeletionRequest.parse(canonical_json(named))


def typed_request(
    checkout: Checkout,
    request_id: str,
    *,
    classes: tuple[str, ...],
    samples: tuple[str, ...],
    subjects: tuple[str, ...],
) -> DeletionRequest:
    """Return the request that a person named: made from the typed scope, or read if none was typed.

    Args:
        checkout: The checkout.
        request_id: The id of a request, or of a group that was made before.
        classes: Names of classes.
        samples: Ids of samples.
        subjects: Ids of subjects.

    Returns:
        The request.
    """
    if not (classes or samples or subjects):
        return read_request(checkout, request_id)
    scope = make_scope(classes=classes, samples=samples, subjects=subjects)
    made = make_request(request_id, scope, model=checkout.params.registry.model)
    return read_request(checkout, request_id) if is_known(checkout, made) else made


def pseudonymiser(scope: Scope) -> Pseudonymise:
    """Return the keyed hash that made a scope's pseudonyms, with whichever of the keys that was.

    Args:
        scope: The scope; classes alone need no hash, and no key.

    Returns:
        The hash.
    """
    if isinstance(scope, ClassScope):
        return lambda _kind, identifier: identifier
    keys, named = pseudonym_keys(), frozenset(scope.names)

    def pseudonym(kind: Literal["sample", "subject"], identifier: str) -> str:
        made = [pseudonymise(key, kind, identifier) for key in keys]
        # A request may be older than the current key.
        return next((one for one in made if one in named), made[0])

    return pseudonym


def read_request(checkout: Checkout, request_id: str) -> DeletionRequest:
    """Read a request.

    Args:
        checkout: The checkout.
        request_id: Its id.

    Returns:
        The request.

    Raises:
        SetupError: If there is no such request.
        RequestError: If the file is no request, or one with another id. Nothing else of it is repeated: what
            a hand has written there may be somebody's name.
    """
    path = checkout.request(request_id)
    if not path.is_file():
        hint = _meant(checkout, request_id)
        raise SetupError(f"there is no request {request_id!r} ({path}); {hint}name its scope to create it")
    try:
        request = DeletionRequest.parse(read_regular(path))
    except (ConfigurationError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise RequestError(f"{path} cannot be read as a request: {why}") from None
    if request.id != request_id:
        raise RequestError(f"{path} holds the request {request.id!r}; rename the file or change its id")
    return request


def nothing_about(checkout: Checkout, request_id: str) -> str:
    """Return the answer to whoever asks for the deletion of a request of which there is none here."""
    return (
        f"nothing here is about a deletion for the request {request_id!r}; {_meant(checkout, request_id)}"
        f"serve it with `lethe delete {request_id}`, or check out the commit that it was served in and run "
        "`dvc pull`"
    )


def _meant(checkout: Checkout, request_id: str) -> str:
    """Suggest the request of the checkout whose id is nearest."""
    known = {path.stem for path in checkout.request(request_id).parent.glob("*.json")}
    return did_you_mean(request_id, known - {request_id})


def is_known(checkout: Checkout, request: DeletionRequest) -> bool:
    """Tell whether this request is in the checkout; a file from before requests named their model counts."""
    there = checkout.request(request.id).is_file()
    return there and read_request(checkout, request.id).asks_the_same(request)


def check_request(
    checkout: Checkout, request: DeletionRequest, *, manifest: Manifest | None = None
) -> Selection:
    """Check a request against the data that ``params.yaml`` names, and write nothing.

    Args:
        checkout: The checkout.
        request: The request, or a group of them.
        manifest: The rows of that data, if already read.

    Returns:
        What the request means on that data.

    Raises:
        RequestError: If it does not fit the data, or its id is taken by another scope; nothing changes.
        MisfitError: If ``select`` refuses what it names, and no served request has forgotten that.
    """
    for one in (*request.singles, request):
        if checkout.request(one.id).is_file() and not is_known(checkout, one):
            raise RequestError(
                f"the id {one.id!r} is taken by a request with another scope or model; choose another"
            )
    manifest, pseudonym = manifest or preview_manifest(checkout), cache(pseudonymiser(request.scope))
    require_classes(classes_in(request.scope), manifest.classes, quotes=False)
    try:
        selection = select(request.scope, manifest, pseudonym)
    except MisfitError as misfit:
        if earlier := forgotten_by(checkout, misfit.names):
            told = ", ".join(f"{name} by request {by}" for name, by in earlier.items())
            raise RequestError(f"{misfit}. Forgotten already: {told}") from None
        raise
    refuse_alike(checkout, request, manifest, selection, pseudonym)
    # In a group nobody would notice a member that matches nothing.
    singles = request.singles
    if idle := [one.id for one in singles if not names_training_rows(one.scope, manifest, pseudonym)]:
        raise RequestError(f"{', '.join(idle)}: the scope matches no training row; leave it out of the group")
    return selection


def submit_request(checkout: Checkout, request: DeletionRequest) -> Checkout:
    """Check a request, then write it and name it in ``params.yaml``; a group's members are written too.

    Args:
        checkout: The checkout.
        request: The request, or a group of them.

    Returns:
        The checkout, whose ``params.yaml`` names the request.
    """
    check_request(checkout, request)
    for one in {single.id: single for single in (*request.singles, request)}.values():
        write_record(checkout.request(one.id), one)
    return checkout.changed({"request": request.id})


def preview_manifest(checkout: Checkout) -> Manifest:
    """Return the rows of the data set that ``params.yaml`` names, without writing anything."""
    params = checkout.params.dataset
    # It loads what reads data, for which whoever asks only for a file need not wait.
    from tasks.data.sources import source_of

    return source_of(params).preview(checkout, params)
