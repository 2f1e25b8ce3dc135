"""What code a replay would run beside the installed Lethe's, and what it would read outside of the project.

All of it is found without running any of it, from the commit's ``params.yaml`` and lists of code.
"""

from pathlib import PurePosixPath
from typing import Any, get_args

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import file_digest
from tasks.checkout.params import read_values
from tasks.extensions.discovery import offers
from tasks.keys.folder import key_id, own_public_key
from unlearn_core.errors import SetupError
from unlearn_core.factories import is_factory
from unlearn_core.records.base import Sha256
from unlearn_core.records.provenance import ExtensionKind


def refuse_unknown_project(tree: Checkout, signer: Sha256) -> None:
    """Refuse to replay what this machine did not certify, and say what code that would run.

    Args:
        tree: The commit, checked out.
        signer: The id of the key that signed the certificate.

    Raises:
        SetupError: If the key is not this machine's.
    """
    if (own := own_public_key()) is not None and signer == key_id(own):
        return
    told = "\n".join(f"  {line}" for line in code_of(tree))
    raise SetupError(
        f"this deletion was certified with the key {signer}, which is not this machine's. Replaying it would "
        f"run:\n{told}\nRead what is not Lethe's, and then run the same with --trust-code"
    )


def code_of(tree: Checkout) -> list[str]:
    """Return a line for each piece of code that the stages of a checkout would run.

    Args:
        tree: The checkout.

    Returns:
        Lines for a person; paths outside of the project that would be read come last.
    """
    values = read_values(tree.root)
    lines = ["the installed Lethe, in every process"]
    net = str(values["parent"].get("architecture", ""))
    if is_factory(net):
        lines.append(f"the net {net}, {_place(tree, net.partition(':')[0])}")
    lines += [
        f"the {kind} {name}, of the installed package {package}" for kind, name, package in _others(values)
    ]
    paths = (str(values["dataset"].get(key, "")) for key in ("path", "subjects", "root"))
    lines += [f"(with --from-data it would also read {path})" for path in paths if _leads_out(path)]
    return lines


def _place(tree: Checkout, module: str) -> str:
    """Say where a module is: in the project, or else wherever Python finds it."""
    start = tree.root.joinpath(*module.split("."))
    for file in (start.with_suffix(".py"), start / "__init__.py"):
        if file.is_file():
            return f"in {file.relative_to(tree.root)} of the commit, {file_digest(file)}"
    return "which is not in the commit: an installed module of that name"


def _others(values: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return what installed packages would be asked for: kind, name, and package."""
    named: dict[str, Any] = {
        "source": {values["dataset"].get("source")},
        "method": values["methods"],
        "metric": values["policy"].get("metrics", ()),
    }
    return [
        (kind, offer.name, str(offer))
        for kind in get_args(ExtensionKind)
        for offer in offers(kind)
        if offer.name in named[kind]
    ]


def _leads_out(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.is_absolute() or path.startswith("~") or ".." in pure.parts
