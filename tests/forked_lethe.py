"""Run ``lethe`` again and again without loading its libraries again: each time in a fork of this process.

Reads a JSON document per line: the folder, the arguments, and the file that the fork's output goes to. Says
the number of the fork's process, and when that has ended, its exit code (of a signal: less than zero).
"""

import importlib
import json
import os
import sys

LATE = (
    "great_expectations",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "mlflow.store.tracking.sqlalchemy_store",
    "sklearn.linear_model",
    "torch._dynamo",
)
"""What a deletion imports only where it needs it: together that takes seconds, in every fork."""

BEGUN = "begun"
"""The first line of the output: signals before it would end Python, not Lethe."""


def main():
    """Be ``lethe`` in a session of its own, as a shell's job is in a group of its own."""
    import mlflow.tracking  # noqa: F401
    from dvc.repo import Repo  # noqa: F401

    import flows.delete  # noqa: F401
    from flows.cli.app import main as lethe

    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # as Lethe sets it before its own import
    for name in LATE:
        importlib.import_module(name)
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            os.setsid()
            log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            for stream in (1, 2):
                os.dup2(log, stream)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.chdir(asked["folder"])
            sys.argv = ["lethe", *asked["arguments"]]
            print(BEGUN, flush=True)
            lethe()
            sys.exit()
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
