"""The command ``lethe db``: the tables of the ledger's database."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

database = typer.Typer(help="The database of the ledger of requests.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a summary.")]


@database.command()
def current(json: Json = False) -> None:
    """Tell which version the ledger's tables have, and which one this Lethe works with."""
    from flows.printing import print_json
    from tasks.environment import find_checkout
    from tasks.ledger.database import ledger_url, open_engine, place_of
    from tasks.ledger.schema import current as version_of
    from tasks.ledger.schema import newest

    url = ledger_url(find_checkout(Path.cwd()))
    found = {"database": place_of(url), "version": version_of(open_engine(url)), "newest": newest()}
    print_json(found) if json else _tell(found)


@database.command()
def upgrade(json: Json = False) -> None:
    """Make the ledger's tables, or bring them to the version that this Lethe works with.

    Needed for PostgreSQL alone, before the first request and after each update of Lethe; make a backup first.
    A SQLite file is brought up to date by any command that opens it.
    """
    from flows.printing import print_json
    from tasks.environment import find_checkout
    from tasks.ledger.database import ledger_url, open_engine, place_of
    from tasks.ledger.schema import newest
    from tasks.ledger.schema import upgrade as bring_up_to_date

    url = ledger_url(find_checkout(Path.cwd()))
    found = {"database": place_of(url), "version": bring_up_to_date(open_engine(url)), "newest": newest()}
    print_json(found) if json else _tell(found)


def _tell(found: Mapping[str, str | None]) -> None:
    version = found["version"] or "none"
    print(f"{found['database']}: version {version}; this Lethe works with {found['newest']}")
