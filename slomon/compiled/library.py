"""
The compiled kernels as functions, loaded from a cache without Numba: its import alone takes longer
than a million lines. What Numba made once is an object file that LLVM links in milliseconds.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from slomon.compiled import cache
from slomon.compiled.cache import Image

Text: TypeAlias = bytes | bytearray

Function: TypeAlias = Callable[..., int]
"""Takes addresses of columns and whole numbers, and lets other threads run meanwhile."""

_loaded: Final[list[Library]] = []  # none, or the one: what isn't there yet may come to be


class Library:
    """The kernels, by name. They stay loaded as long as the process lives."""

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


def load(*, compile_if_needed: bool = True) -> Library | None:
    """
    The library, compiled first if the cache has none for this very code, Numba and processor
    (some seconds); None if that isn't wanted, or the extra `slomon[replay]` isn't installed.
    """
    if not _loaded:
        try:
            image = _find_image(compile_if_needed=compile_if_needed)
        except ImportError:
            return None
        if image is None:
            return None
        _loaded.append(Library(image))
    return _loaded[0]


def address(column: array[int] | Text) -> int:
    """Where the numbers of a column are, as long as it lives and doesn't grow."""
    if isinstance(column, array):
        return column.buffer_info()[0]
    if isinstance(column, bytearray):
        return ctypes.addressof(ctypes.c_char.from_buffer(column))
    return ctypes.cast(ctypes.c_char_p(column), ctypes.c_void_p).value or 0


def lengthen(column: array[int], count: int) -> None:
    """Let a column have at least so many numbers; new ones are 0."""
    missing = count - len(column)
    if missing > 0:
        column.frombytes(bytes(missing * column.itemsize))


def _function(at: int, arguments: int) -> Function:
    return ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * arguments)(at)


def _find_image(*, compile_if_needed: bool) -> Image | None:
    place = cache.find_place()
    image = cache.read(place)
    if image is None and compile_if_needed:
        from slomon.compiled import build  # noqa: PLC0415 (imports Numba)

        image = build.build(cache.machine())
        cache.write(place, image)
    return image
