"""Arguments and options that several commands have, and how a shell completes them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.output import FLAG
from flows.cli.wrong_usage import request_id_typed


def complete_request(incomplete: str) -> Iterator[str]:
    """Complete the id of a request in the checkout."""
    from tasks.checkout.environment import find_checkout, working_folder

    root = find_checkout(working_folder())
    known = () if root is None else sorted(path.stem for path in (root / "requests").glob("*.json"))
    return (name for name in known if name.startswith(incomplete))


def _methods(incomplete: str) -> Iterator[str]:
    """Complete the name of a method that ``params.yaml`` configures."""
    from tasks.checkout.environment import find_checkout, working_folder
    from tasks.checkout.params import read_values

    root = find_checkout(working_folder())
    known = () if root is None else tuple(read_values(root)["methods"])
    return (name for name in known if name.startswith(incomplete))


Json = Annotated[bool, typer.Option(FLAG, help="Print one JSON document instead of text.")]
Names = list[str] | None


def names_typed(classes: Names, samples: Names, subjects: Names) -> dict[str, tuple[str, ...]]:
    """Return what was named with the options below."""
    given = {"classes": classes, "samples": samples, "subjects": subjects}
    return {kind: tuple(names or ()) for kind, names in given.items()}


AtOnce = Annotated[
    int | None, typer.Option(min=1, help="How many trainings may run at once; results do not change.")
]
EstimateOnly = Annotated[bool, typer.Option("--dry-run", help="Print the estimate; train nothing.")]
Unasked = Annotated[bool, typer.Option("--yes", help="Do not ask, however long it takes.")]
RequestArgument = Annotated[
    str,
    typer.Argument(
        metavar="REQUEST",
        help="The request's id, e.g. `r-17`.",
        autocompletion=complete_request,
        callback=request_id_typed,
    ),
]
MethodName = Annotated[
    str, typer.Argument(metavar="METHOD", help="One of `lethe methods`.", autocompletion=_methods)
]
Deployments = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        help="Holds your own `prefect.yaml` and `automations.yaml`.",
        show_default="Lethe's deployments",
    ),
]
# A request may name several kinds of things at once.
ClassOptions = Annotated[Names, typer.Option("--class", help="Forget this class. Repeatable.")]
SampleOptions = Annotated[Names, typer.Option("--sample", help="Forget this sample. Repeatable.")]
SubjectOptions = Annotated[Names, typer.Option("--subject", help="Forget this person. Repeatable.")]
