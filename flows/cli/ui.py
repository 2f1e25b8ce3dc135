"""``lethe ui``: MLflow's pages."""

from pathlib import Path
from typing import Annotated

import typer


def command(port: Annotated[int, typer.Option(help="The port on the loopback interface.")] = 5000) -> None:
    """Serve MLflow's pages about this checkout's deletions and registry, for auditing, until Ctrl-C."""
    from tasks.checkout.checkout import Checkout
    from tasks.tracking.server import serve_ui

    checkout = Checkout.find(Path.cwd())
    model = checkout.params.registry.model

    def tell(address: str) -> None:
        typer.echo(f"MLflow is starting. Its pages open on the deletions from {model!r}: {address}")

    serve_ui(checkout.root, port, model=model, tell=tell)
