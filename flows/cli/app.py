"""The command ``lethe``: its commands, and how it starts and ends."""

import errno
import sqlite3
from types import ModuleType
from typing import Annotated, Any, Literal

import typer

from flows.cli import (
    adopt,
    approve,
    benchmark,
    calibrate,
    canary,
    check_method,
    check_metric,
    data,
    db,
    delete,
    demo,
    deploy,
    evidence,
    init,
    judge,
    keys,
    lineage,
    methods,
    next,  # noqa: A004
    pending,
    purge,
    receipt,
    reference,
    report,
    request,
    serve,
    stage,
    status,
    tombstone,
    train,
    tune,
    ui,
    upgrade,
    verify,
)
from flows.cli.interrupts import Interrupts
from flows.cli.output import Output
from flows.cli.wrong_usage import Quiet
from tasks.checkout.variables import set_defaults
from unlearn_core.errors import LetheError, SetupError

PANELS = {
    "Begin": (init, keys, demo, adopt, train),
    "Forget": (
        status,
        data,
        delete,
        approve,
        report,
        receipt,
        tombstone,
        verify,
        lineage,
        next,
        purge,
    ),
    "Requests of many people": (request, pending, evidence),
    "Judge and compare": (
        methods,
        tune,
        reference,
        calibrate,
        judge,
        benchmark,
        canary,
        check_method,
        check_metric,
    ),
    "Run": (ui, serve, deploy, db, upgrade, stage),
}
"""All commands, in groups and in the order of use: a module has an ``app`` of several, or one ``command``."""


class InOrder(Quiet):
    """The commands in the order of ``PANELS``; by itself typer lists groups of commands before all others."""

    def __init__(self, **options: Any) -> None:
        """Sort what typer has gathered."""
        super().__init__(**options)
        ordered = [_name(module) for modules in PANELS.values() for module in modules]
        self.commands = {name: self.commands[name] for name in ordered}


def _name(module: ModuleType) -> str:
    """Return the command of a module."""
    return module.__name__.rpartition(".")[2].replace("_", "-")


app = typer.Typer(
    help="Make a trained model forget, and prove it: auditable machine unlearning.",
    cls=InOrder,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with `lethe init` and `lethe demo`; `lethe status` says what to do next. Exit codes: "
    "0 done, 2 wrong usage, 3 unlearning failed, 4 a stage stopped, 5 no method was accepted, 6 evidence is "
    "false, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
for panel, modules in PANELS.items():
    for module in modules:
        if hasattr(module, "app"):
            app.add_typer(module.app, name=_name(module), rich_help_panel=panel)
        else:
            app.command(name=_name(module), rich_help_panel=panel)(module.command)

NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}
_SQLITE_NOT_WRITABLE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}


def _print_version(asked: bool) -> None:
    """Print only the version."""
    if asked:
        from tasks.checkout.environment import version_of_lethe

        print(f"lethe {version_of_lethe()}")
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[  # noqa: ARG001  (its callback does the work)
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"] | None,
        typer.Option(help="The lowest level shown on standard error; default `LETHE_LOG_LEVEL`, or `info`."),
    ] = None,
) -> None:
    """Prepare what every command needs: settings of libraries, a working folder, the log."""
    from tasks.checkout.environment import OWN_CODE, configure_libraries, working_folder
    from tasks.checkout.log import open_log

    configure_libraries()
    set_defaults(OWN_CODE)
    working_folder()
    open_log(log_level)


def main() -> None:
    """Run the command line; an error is one message and an exit code."""
    try:
        with Interrupts().heard():
            app()
    except Exception as error:
        Output.asked().fail(_not_writable(error) or error)


def _not_writable(error: BaseException | None) -> SetupError | None:
    """Return what to do about an error that comes, perhaps by way of libraries, from a disk."""
    while error is not None and not isinstance(error, LetheError):
        own = isinstance(error, OSError) and error.errno in NOT_WRITABLE
        if own or getattr(error, "sqlite_errorcode", None) in _SQLITE_NOT_WRITABLE:
            return SetupError(f"{error}; free some space there, or make it writable")
        error = error.__cause__ or error.__context__
    return None
