"""Files from others, opened so that nothing in their place can hold the reader up."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file to read it; a pipe or a device is refused at once, and never waited for.

    Args:
        path: The file.

    Returns:
        The open file.

    Raises:
        OSError: If it cannot be opened, or is anything but a regular file, which ``strerror`` names.
    """
    # Opened first and looked at afterwards: what is looked at cannot be exchanged for something else.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
        if kind != stat.S_IFREG:
            what = _KINDS.get(kind, "something else")
            raise OSError(errno.EINVAL, f"it is {what}, expected a regular file", str(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, limit: int = -1) -> bytes:
    """Read a regular file.

    Args:
        path: The file.
        limit: How many bytes to read at most; all if negative.

    Returns:
        Its content, cut at the limit.
    """
    with open_regular(path) as file:
        return file.read(limit)
