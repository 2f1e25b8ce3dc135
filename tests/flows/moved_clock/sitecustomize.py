"""A clock that can be moved while a program runs: Python loads this first if its folder is on ``PYTHONPATH``.

``TEST_CLOCK`` names a file with the number of seconds that the clock is ahead. What asks the system without
Python's modules ``time`` and ``datetime``, such as git, sees the clock as it is; so does a monotonic clock.
"""

import ctypes
import datetime
import gc
import os
import time

_time, _now = time.time, datetime.datetime.now


def ahead_s():
    with open(os.environ["TEST_CLOCK"]) as file:
        return int(file.read() or 0)


def now(cls, tz=None):
    return cls.fromtimestamp(time.time(), tz)


if "TEST_CLOCK" in os.environ:
    time.time = lambda: _time() + ahead_s()
    time.time_ns = lambda: int(time.time() * 1e9)
    # A built-in type has no attributes to set; its dictionary can be reached all the same.
    (members, *_) = gc.get_referents(datetime.datetime.__dict__)
    members["now"] = classmethod(now)
    members["utcnow"] = classmethod(
        lambda cls: cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)
    )
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime.datetime))
