"""The command ``lethe db``: the tables of the ledger's database."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

app = typer.Typer(help="The database of the ledger of requests.", no_args_is_help=True)


@app.command(name="current")
def show_version(json: Json = False) -> None:
    """Print the version of the ledger's tables, and the one that this Lethe needs."""
    from tasks.requests.ledger.schema import current as version_of

    _tell(version_of, json=json)


@app.command(name="upgrade")
def upgrade_tables(json: Json = False) -> None:
    """Create the ledger's tables, or migrate them to the version that this Lethe needs.

    Needed only for PostgreSQL, before the first request and after each update of Lethe; make a backup first.
    A SQLite file is migrated by any command that opens it.
    """
    from tasks.requests.ledger.schema import bring_up_to_date

    _tell(bring_up_to_date, json=json)


@app.command(name="grant")
def grant_role(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="The role of the workers.")], json: Json = False
) -> None:
    """Let a role of PostgreSQL claim requests and add events, but not change, delete or alter anything else.

    Run it as the owner of the tables, after `lethe db upgrade`. Workers then use `ROLE`, and cannot switch
    off what keeps events as they were written.
    """
    from tasks.checkout.environment import find_checkout
    from tasks.requests.ledger.database import ledger_url, open_engine, place_of
    from tasks.requests.ledger.granting import WORKER, grant_worker

    url = ledger_url(find_checkout(Path.cwd()))
    grant_worker(open_engine(url), role)
    told = "\n".join(f"{role}: {privileges} on {table}" for table, privileges in WORKER.items())
    Output(json).give({"database": place_of(url), "role": role, "privileges": WORKER}, lambda: told)


def _tell(version_of: "Callable[[Engine], str | None]", *, json: bool) -> None:
    """Get the version of the ledger's tables, and print it with the newest."""
    from tasks.checkout.environment import find_checkout
    from tasks.requests.ledger.database import ledger_url, open_engine, place_of
    from tasks.requests.ledger.schema import newest

    url = ledger_url(find_checkout(Path.cwd()))
    place, version, latest = place_of(url), version_of(open_engine(url)), newest()
    told = f"{place}: version {version or 'none'}; this Lethe needs {latest}"
    Output(json).give({"database": place, "version": version, "newest": latest}, lambda: told)
