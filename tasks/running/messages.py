"""The messages between a process that does jobs and whoever started it: one line of JSON each."""

import json
import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import redirect_stdout
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any

from unlearn_core.errors import LetheError
from unlearn_core.progress import OnStep, Step

Message = dict[str, Any]
"""A message, by what it is about."""

Messages = Generator[Message, None, None]
"""All messages about a job; the last is its result, or why it has none."""

STEP, RESULT, WHY, LOST = "step", "result", "why", "lost"
"""What a message is about: a step; at the end the result, or why there is none; or that a job begins again,
since its node was lost."""


def do_jobs(do: Callable[[bytes, OnStep], Any]) -> None:
    """Be a process that does jobs: read one per line from standard input, and answer on standard output.

    After a failure it does no other job. What anything else prints goes to standard error. It ends as soon
    as its standard input does, so that it never outlives the process that started it, however that ended.

    Args:
        do: Does a job, tells its steps to a listener, and returns the result as a JSON value; one of Lethe's
            errors becomes one line and an exit code.
    """
    jobs: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_read_jobs, args=(jobs,), daemon=True).start()
    out = sys.stdout
    try:
        with redirect_stdout(sys.stderr):
            while True:
                write_message(out, {RESULT: do(jobs.get(), partial(_tell_step, out))})
    except LetheError as error:
        write_message(out, {WHY: str(error)})
        sys.exit(error.exit_code)


def write_message(stream: IO[str], message: Message) -> None:
    """Write a message as one line."""
    stream.write(json.dumps(message) + "\n")
    stream.flush()


def lines_of(descriptor: int) -> Iterator[bytes]:
    """Yield the lines of an open file until it ends."""
    # Read below Python's buffer, whose lock a waiting thread would still hold when the program ends.
    rest = b""
    while read := os.read(descriptor, 2**16):
        *lines, rest = (rest + read).split(b"\n")
        yield from lines


def _tell_step(out: IO[str], step: Step) -> None:
    write_message(out, {STEP: {"phase": step.phase, "index": step.index, "total": step.total}})


def _read_jobs(jobs: "SimpleQueue[bytes]") -> None:
    """Pass on the lines of standard input; when that ends, end this process at once."""
    for line in lines_of(0):
        jobs.put(line)
    os._exit(1)
