"""YAML 1.2 as plain values: JSON's, and dates. A small file cannot ask for much memory, or for much time."""

import re
from itertools import accumulate
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node

from tasks.checkout.regular import read_regular
from unlearn_core.errors import ConfigurationError, SetupError

_MOST_BYTES = 512 * 2**10
_MOST_VALUES = 200_000
_MOST_DEPTH = 200
_TOO_DEEP = "it is nested too deeply, or an alias stands for itself"
_KEYS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "merge")}


def load_yaml(path: Path) -> Any:
    """Read a file as YAML 1.2, in which ``1e-3`` is a number, into plain values.

    Args:
        path: The file.

    Returns:
        Its one document.

    Raises:
        SetupError: If it cannot be read.
        ConfigurationError: If it is not YAML, or too large.
    """
    try:
        raw = read_regular(path, _MOST_BYTES + 1)
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error
    if len(raw) > _MOST_BYTES:
        raise ConfigurationError(f"{path} has more than {_MOST_BYTES >> 10} KiB; expected settings")
    try:
        return parse_yaml(raw.decode())
    except (ConfigurationError, UnicodeDecodeError) as error:
        said = "it is not text in UTF-8" if isinstance(error, UnicodeDecodeError) else error
        raise ConfigurationError(f"{path} is not YAML: {said}") from error


def parse_yaml(text: str) -> Any:
    """Read YAML 1.2 into plain values.

    Args:
        text: One document.

    Returns:
        Its value.

    Raises:
        ConfigurationError: If it is not YAML, or its aliases stand for themselves or for too much.
    """
    if _depth(text) > _MOST_DEPTH:
        raise ConfigurationError(_TOO_DEEP)
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(text)
        if node is None:
            return None
        if (values := _count(node, {})) > _MOST_VALUES:
            raise ConfigurationError(f"aliases stand for {values} values; expected at most {_MOST_VALUES}")
        return yaml.constructor.construct_document(node)
    except ConfigurationError:
        raise
    except MarkedYAMLError as error:
        where = "" if error.problem_mark is None else f" in line {error.problem_mark.line + 1}"
        raise ConfigurationError(f"{error.problem or error.context}{where}") from error
    except RecursionError as error:
        raise ConfigurationError(_TOO_DEEP) from error
    except Exception as error:  # each kind of value fails in its own way
        raise ConfigurationError(str(error).partition("\n")[0]) from error


def _depth(text: str) -> int:
    """Return how deep brackets may be nested: the parser takes time with the square of that."""
    steps = (1 if bracket in "[{" else -1 for bracket in re.findall(r"[][{}]", text))
    return max(accumulate(steps), default=0)


def _count(node: Node, known: dict[int, int]) -> int:
    """Count the values of a node, with an alias for all that it stands for; an alias of itself never ends."""
    if not isinstance(node, CollectionNode):
        return 1
    if (count := known.get(id(node))) is None:
        count = known[id(node)] = 1 + sum(_count(part, known) for part in _parts(node))
    return count


def _parts(node: CollectionNode) -> list[Node]:
    """Return what a list or a mapping is made of; the keys of a mapping are plain."""
    entries: list[Any] = node.value
    if not isinstance(node, MappingNode):
        return entries
    for key, _ in entries:
        if key.tag not in _KEYS:
            raise ConfigurationError(
                f"the key in line {key.start_mark.line + 1} is neither text nor a number"
            )
    return [part for entry in entries for part in entry]
