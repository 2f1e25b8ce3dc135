"""The command ``lethe db``: the tables of the ledger's database."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from flows.cli.options import Json
from flows.cli.output import Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

app = typer.Typer(help="The database of the ledger of requests.", no_args_is_help=True)


@app.command(name="current")
def show_version(json: Json = False) -> None:
    """Tell which version the ledger's tables have, and which one this Lethe works with."""
    from tasks.requests.ledger.schema import current as version_of

    _tell(version_of, json=json)


@app.command(name="upgrade")
def upgrade_tables(json: Json = False) -> None:
    """Make the ledger's tables, or bring them to the version that this Lethe works with.

    Needed for PostgreSQL alone, before the first request and after each update of Lethe; make a backup first.
    A SQLite file is brought up to date by any command that opens it.
    """
    from tasks.requests.ledger.schema import bring_up_to_date

    _tell(bring_up_to_date, json=json)


def _tell(version_of: "Callable[[Engine], str | None]", *, json: bool) -> None:
    """Do something with the ledger's database that returns its version, and tell both versions."""
    from tasks.checkout.environment import find_checkout
    from tasks.requests.ledger.database import ledger_url, open_engine, place_of
    from tasks.requests.ledger.schema import newest

    url = ledger_url(find_checkout(Path.cwd()))
    place, version, latest = place_of(url), version_of(open_engine(url)), newest()
    told = f"{place}: version {version or 'none'}; this Lethe works with {latest}"
    Output(json).give({"database": place, "version": version, "newest": latest}, lambda: told)
