"""``lethe keys``: the signing key and the pseudonym key."""

from typing import Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import Output

app = typer.Typer(help="Signing key, trusted keys and pseudonym key.", no_args_is_help=True)


@app.command(name="init")
def init(
    force: Annotated[
        bool, typer.Option("--force", help="Replace the signing key; the old one stays trusted.")
    ] = False,
    json: Json = False,
) -> None:
    """Make the signing key and the pseudonym key, readable only by you, and trust the public key."""
    from tasks.keys.signing import home, init_keys

    folder, made = home(), init_keys(home(), force=force)
    told = "\n".join(f"made {path}" for path in made)
    Output(json).give(
        {"home": str(folder), "made": [str(path) for path in made]},
        lambda: told or f"all keys are already in {folder}; nothing was made",
    )
