"""
The compiled kernels as functions. They are loaded from the cache without Numba, whose import alone
takes longer than reading a million lines: LLVM links the cached object file in milliseconds.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from slomon.compiled import cache
from slomon.compiled.cache import Image, UntrustedError
from slomon.logging import get_logger
from slomon.text import excerpt

Text: TypeAlias = bytes | bytearray

Function: TypeAlias = Callable[..., int]
"""Takes addresses of columns and integers, and releases the GIL while it runs."""

_loaded: Final[list[Library]] = []  # at most one; while it is empty, a later call may load it


class Library:
    """The kernels, by name. They stay loaded until the process ends."""

    def __init__(self, image: Image) -> None:
        from llvmlite import binding as llvm  # noqa: PLC0415 (heavy: loaded when used)

        stop = ctypes.cast(ctypes.pythonapi.Py_FatalError, ctypes.c_void_p).value
        for name in image.references:
            if not llvm.address_of_symbol(name):
                llvm.add_symbol(name, stop)
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), cache.machine())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(image.code))
        self._engine.finalize_object()
        for name, (symbol, arguments) in image.kernels.items():
            setattr(self, name, _function(self._engine.get_function_address(symbol), arguments))

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Function: ...


def load(*, compile_if_needed: bool = True, image: Image | None = None) -> Library | None:
    """
    The library, from an image if there is one. Else it is compiled first, which takes some seconds,
    if the cache has none for the present code, Numba and processor. None if it would have to be
    compiled and `compile_if_needed` is False, if the extra `slomon[replay]` is not installed, or if
    the library can't be loaded, which is logged.
    """
    if not _loaded:
        try:
            image = image or find_image(compile_if_needed=compile_if_needed)
            if image is None:
                return None
            _loaded.append(Library(image))
        # An installation can be broken in any way, and the Python backend gives the same answers.
        except Exception as error:  # noqa: BLE001
            if not _is_missing(error):
                _warn_once("compiled.unavailable", reason=_show(repr(error)))
            return None
    return _loaded[0]


def is_loaded() -> bool:
    """Whether `load` returns the library at once."""
    return bool(_loaded)


def address(column: array[int] | memoryview[int] | Text) -> int:
    """The address of a column's numbers, valid while the column exists and doesn't grow."""
    if isinstance(column, array):
        return column.buffer_info()[0]
    if isinstance(column, bytearray | memoryview):
        return ctypes.addressof(ctypes.c_char.from_buffer(column))
    return ctypes.cast(ctypes.c_char_p(column), ctypes.c_void_p).value or 0


def lengthen(column: array[int], count: int) -> None:
    """Extend a column with zeros to at least `count` numbers."""
    missing = (count - len(column)) * column.itemsize
    if missing > 0:
        # In parts: as many zeros at once would be memory, too.
        for _ in range(missing // len(_ZEROS)):
            column.frombytes(_ZEROS)
        column.frombytes(bytes(missing % len(_ZEROS)))


_ZEROS: Final = bytes(1 << 16)


def _function(at: int, arguments: int) -> Function:
    return ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * arguments)(at)


def find_image(*, compile_if_needed: bool) -> Image | None:
    """The image in the cache; else it is compiled and put there, if that is wanted."""
    path, image = cache.find_path(), None
    if path is not None:
        try:
            image = cache.read(path)
        except UntrustedError as error:
            _warn_once("compiled.cache_untrusted", path=_show(error.path), reason=error.reason)
            path = None
    if image is None and compile_if_needed:
        from slomon.compiled import build  # noqa: PLC0415 (imports Numba)

        image = build.build(cache.machine())
        if path is not None:
            cache.write(path, image)
    return image


def _is_missing(error: Exception) -> bool:
    """Is the extra `slomon[replay]` not installed?"""
    return isinstance(error, ModuleNotFoundError) and error.name in {"llvmlite", "numba"}


@lru_cache
def _warn_once(event: str, **fields: str) -> None:
    """Log a warning, but once in a process: each replay and each stream loads the library."""
    get_logger().warning(event, **fields)


def _show(value: object) -> str:
    return excerpt(str(value), 500)
