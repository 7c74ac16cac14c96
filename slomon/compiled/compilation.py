"""
Compiles the kernels in another process, so that this one goes on meanwhile: Numba needs some
seconds, and in a thread it would keep the GIL from everyone else.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from tempfile import TemporaryFile
from typing import IO, Final

from slomon.compiled.cache import Image

# At a low priority: it must not slow down what goes on meanwhile. It finds the same packages.
_PROGRAM: Final = """
import os, sys
sys.path[:] = sys.argv[1:]
if hasattr(os, "nice"):
    os.nice(10)
from slomon.compiled.library import find_image
sys.stdout.buffer.write(find_image(compile_if_needed=True).pack())
"""


class Compilation:
    """
    A process that compiles the kernels, from when this object is made. Raises OSError if the system
    can't start it. Whoever makes it calls `finish` or `stop`.
    """

    def __init__(self) -> None:
        self._output: IO[bytes] = TemporaryFile()  # noqa: SIM115 (closed by `finish` and `stop`)
        try:
            self._process = subprocess.Popen(  # noqa: S603 (it is this very Python)
                [sys.executable, "-c", _PROGRAM, *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.DEVNULL,
            )
        except BaseException:
            self._output.close()
            raise

    def has_ended(self) -> bool:
        """Whether `finish` returns at once."""
        return self._process.poll() is not None

    def finish(self) -> Image | None:
        """The kernels, once the process has ended; None if it failed."""
        self._process.wait()
        with self._output as output:
            output.seek(0)
            return Image.unpack(output.read())

    def stop(self) -> None:
        """End the process now. Does nothing if it has finished."""
        self._process.kill()
        self._process.wait()
        self._output.close()


def can_compile() -> bool:
    """Whether the extra `slomon[replay]` is installed, and this is a Python that runs programs."""
    return bool(sys.executable) and find_spec("numba") is not None
