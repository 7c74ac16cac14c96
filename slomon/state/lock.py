"""
Who uses a file: one at a time, by the system's advisory locks, which end with the process, however
that ends. Where the system or the file system has none, nobody is kept out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EAGAIN
from pathlib import Path
from typing import BinaryIO, Final

from slomon.output_file import naming

if sys.platform != "win32":
    import fcntl


@contextmanager
def in_use(path: Path) -> Iterator[None]:
    """
    Use a file that is replaced as it is written: the lock is that of an empty file beside it, which
    stays. Raises OSError, which names the file, where somebody else uses it.
    """
    lock = path.resolve().with_name(f"{path.resolve().name}.lock")
    with naming(lock):
        file = lock.open("ab")
    with file:
        lock_file(file, path)
        yield


def lock_file(file: BinaryIO, path: Path) -> None:
    """
    Use an open file until it is closed. Raises OSError, which names it by `path`, where somebody
    else uses it.
    """
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError(EAGAIN, _IN_USE, str(path)) from None
    except OSError:
        pass  # of a file system that has no locks


_IN_USE: Final = "is in use by another process or monitor; allowed: a file of its own for each"
