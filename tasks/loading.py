"""Loading large libraries while something else is waited for: they take seconds, most of them of a deletion."""

from importlib import import_module
from threading import Thread

LATER = ("great_expectations", "mlflow.pyfunc", "matplotlib.figure")
"""What every deletion needs, but not at its beginning."""


def load_ahead() -> None:
    """Load what a deletion needs later in a thread of its own; whoever needs it sooner waits for that one."""
    Thread(target=_load, daemon=True).start()


def _load() -> None:
    from tasks.environment import silence_telemetry

    silence_telemetry()
    for name in LATER:
        import_module(name)
