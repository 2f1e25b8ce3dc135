"""Certify a checkout, each time in a process of its own that SIGKILL ends at another moment.

``certify_until.py ROOT`` reads a number per line and says ``killed`` or ``done``. The number is that of the
write after which the process is killed: to a file, to the bucket, to MLflow, or of the lock.
"""

import functools
import os
import signal
import sys
from pathlib import Path

from mlflow import MlflowClient

from flows.stages import pipeline
from flows.stages.certify import certify
from flows.stages.pipeline import run_due
from tasks.checkout import files
from tasks.checkout.checkout import Checkout
from tasks.storage.object_store import ObjectStore

WRITES = {
    files: ("write_atomically", "copy_folder"),
    pipeline: ("pin",),
    ObjectStore: ("write_once",),
    MlflowClient: (
        "create_logged_model",
        "finalize_logged_model",
        "create_model_version",
        "set_registered_model_alias",
        "log_artifact",
        "set_tag",
        "set_terminated",
    ),
}


def die_after(writes):
    """Be killed right after so many writes have returned."""
    left = writes

    def counted(function):
        @functools.wraps(function)
        def write(*arguments, **named):
            nonlocal left
            found = function(*arguments, **named)
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        return write

    for owner, names in WRITES.items():
        for name in names:
            replace_everywhere(getattr(owner, name), counted(getattr(owner, name)), owner)


def replace_everywhere(function, other, owner):
    """Let a function be another one where it is defined, and in all modules that have imported it."""
    own = [module for name, module in sys.modules.items() if name.startswith(("tasks.", "flows."))]
    for place in (owner, *own):
        for name, value in list(vars(place).items()):
            if value is function:
                setattr(place, name, other)


def certify_in_a_child(root, writes):
    """Certify in a fork of this process; return whether it was killed."""
    child = os.fork()
    if not child:
        die_after(writes)
        run_due(Checkout(root), "certify", certify, anew=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status):
        sys.exit("certifying failed")
    return os.WIFSIGNALED(status)


if __name__ == "__main__":
    for line in sys.stdin:
        print("killed" if certify_in_a_child(Path(sys.argv[1]), int(line)) else "done", flush=True)
