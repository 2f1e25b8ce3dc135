"""``lethe ui``: MLflow's pages."""

from pathlib import Path
from typing import Annotated

import typer


def command(port: Annotated[int, typer.Option(help="The port on the loopback interface.")] = 5000) -> None:
    """Open MLflow on this checkout's runs and registry, for auditing."""
    from tasks.checkout.checkout import Checkout
    from tasks.tracking.server import serve_ui

    serve_ui(Checkout.find(Path.cwd()).root, port)
