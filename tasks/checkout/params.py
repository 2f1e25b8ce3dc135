"""``params.yaml``, the only configuration file: read as YAML 1.2, validated as strict JSON."""

import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from tasks.checkout.files import AnyRecord, write_atomically
from tasks.checkout.plain_yaml import load_yaml, parse_yaml
from tasks.extensions.settings import other_settings
from unlearn_core.errors import ConfigurationError, SetupError
from unlearn_core.records.base import describe
from unlearn_core.records.params import Params, params_with
from unlearn_core.spelling import did_you_mean

SECTIONS = tuple(Params.model_fields)


def read_params(root: Path) -> Params:
    """Read and validate ``params.yaml``.

    Args:
        root: The checkout.

    Returns:
        All of its sections.

    Raises:
        SetupError: If there is no such file.
        ConfigurationError: If it is not valid; every problem is listed, section by section.
    """
    # JSON has no dates: as text they are refused like any other wrong value.
    values = read_values(root)
    text = json.dumps(values, default=str)
    try:
        return params_with(*other_settings(values["dataset"])).model_validate_json(text, strict=True)
    except ValidationError as error:
        sections = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors())
        described = (describe(f"params.yaml, section {one!r}", error, within=one) for one in sections)
        raise ConfigurationError("\n".join(described)) from error


def read_values(root: Path) -> dict[str, Any]:
    """Read ``params.yaml`` as written, without defaults; only its sections are checked.

    Args:
        root: The checkout.

    Returns:
        Plain JSON values by section.

    Raises:
        SetupError: If there is no such file.
        ConfigurationError: If it is not YAML, or has an unknown or a missing section.
    """
    path = root / "params.yaml"
    if not path.is_file():
        raise SetupError(f"{path} does not exist; run Lethe in a Lethe project")
    values = load_yaml(path)
    found = set(values) if isinstance(values, dict) else set()
    if found != set(SECTIONS):
        unknown, missing = sorted(found - set(SECTIONS), key=str), sorted(set(SECTIONS) - found)
        raise ConfigurationError(f"params.yaml: unknown sections {unknown}, missing sections {missing}")
    return values


def require_configured(params: Params, names: Iterable[str]) -> None:
    """Refuse names of methods that ``params.yaml`` does not configure.

    Args:
        params: Its contents.
        names: The names.

    Raises:
        ConfigurationError: If any is not there; the message has the nearest name, and all of them.
    """
    known = params.methods
    if unknown := sorted(set(names) - set(known)):
        hint = did_you_mean(unknown[0], known)
        raise ConfigurationError(
            f"there is no method {', '.join(map(repr, unknown))} in params.yaml; {hint}it has "
            f"{', '.join(known)}"
        )


def read_yaml(path: Path, kind: type[AnyRecord]) -> AnyRecord:
    """Read a record that a person wrote, as YAML 1.2 or JSON.

    Args:
        path: Its file.
        kind: The record's class.

    Returns:
        The validated record.

    Raises:
        SetupError: If there is no such file.
        ConfigurationError: If it is not YAML, or not valid; every problem is listed.
    """
    if not path.is_file():
        raise SetupError(f"{path} is not a file")
    try:
        return kind.model_validate_json(json.dumps(load_yaml(path), default=str), strict=True)
    except ValidationError as error:
        raise ConfigurationError(describe(str(path), error)) from error


def write_params(root: Path, changes: Mapping[str, Any]) -> None:
    """Replace whole sections of ``params.yaml``; every other line stays as it is.

    Args:
        root: The checkout.
        changes: New values by section.

    Raises:
        ConfigurationError: If the sections are not on separate lines; nothing was changed.
    """
    path, before = root / "params.yaml", read_values(root)
    text = path.read_text()
    for section, value in changes.items():
        if before[section] != value:
            text = _with_section(text, section, value)
    if parse_yaml(text) != {**before, **changes}:
        raise ConfigurationError(
            "params.yaml: write each section on separate lines, so that it can be changed"
        )
    write_atomically(path, text.encode())


def set_values(root: Path, changes: Mapping[tuple[str | int, ...], Any]) -> None:
    """Set single values of ``params.yaml``; every other value and every comment stays.

    Args:
        root: The checkout.
        changes: New values by the keys and indices that lead to them; a new last key comes second in its
            mapping, where it does not detach a comment of the next section.
    """
    path = root / "params.yaml"
    yaml = YAML(pure=True)
    yaml.width = 1000
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(path.read_text())
    for keys, value in changes.items():
        place = document
        for key in keys[:-1]:
            place = place[key]
        if isinstance(place, CommentedMap) and keys[-1] not in place:
            place.insert(1, keys[-1], value)
        else:
            place[keys[-1]] = value
    dumped = io.StringIO()
    yaml.dump(document, dumped)
    write_atomically(path, dumped.getvalue().encode())


def _with_section(text: str, section: str, value: Any) -> str:
    """Replace a section's lines; blank lines and comments before the next section stay."""
    lines = text.splitlines(keepends=True)
    starts = {key.value: key.start_mark.line for key, _ in YAML(pure=True).compose(text).value}
    start = starts[section]
    end = min((line for line in starts.values() if line > start), default=len(lines))
    while lines[end - 1].startswith(("#", "\n")):
        end -= 1
    dumped = io.StringIO()
    YAML().dump({section: value}, dumped)
    return "".join([*lines[:start], dumped.getvalue(), *lines[end:]])
