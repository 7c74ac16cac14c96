"""
The compiled kernels as functions, loaded from a cache without Numba: its import alone takes longer
than a million lines. What Numba made once is an object file that LLVM links in milliseconds.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import sys
import tempfile
from array import array
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

Text: TypeAlias = bytes | bytearray

Function: TypeAlias = Callable[..., int]
"""Takes addresses of columns and whole numbers, and lets other threads run meanwhile."""

# What the kernels are made of, and the layouts that they share with their hosts; without sources,
# their bytecode (.pyc).
_SOURCES: Final = (
    *("compiled/build.py*", "compiled/library.py*", "compiled/windows.py*"),
    "kernels/*.py*",
)
_NOWHERE: Final = Path(os.devnull)  # nothing can be kept there
_NUMBA: Final = "numba-*.dist-info"
_SHORTEST: Final = 32  # bytes of a digest: what every cache file begins with

_loaded: Final[list[Library]] = []  # none, or the one: what isn't there yet may come to be


@dataclass(frozen=True, slots=True)
class Image:
    """
    What is cached: an object file, the symbol of each kernel with the number of its arguments, and
    the names it refers to, which are for errors that no kernel raises but Numba must provide for.
    """

    code: bytes
    kernels: dict[str, tuple[str, int]]
    references: list[str]

    def pack(self) -> bytes:
        """As a file: a digest, a line of JSON, the code."""
        head = json.dumps({"kernels": self.kernels, "references": self.references})
        body = head.encode() + b"\n" + self.code
        return hashlib.sha256(body).digest() + body

    @classmethod
    def unpack(cls, data: bytes) -> Image | None:
        """None where the file is not whole."""
        digest, body = data[:_SHORTEST], data[_SHORTEST:]
        if hashlib.sha256(body).digest() != digest:
            return None
        head, _, code = body.partition(b"\n")
        return cls(code, **json.loads(head))


class Library:
    """The kernels, by name. They stay loaded as long as the process lives."""

    def __init__(self, image: Image) -> None:
        from llvmlite import binding as llvm  # noqa: PLC0415 (heavy: loaded when used)

        stop = ctypes.cast(ctypes.pythonapi.Py_FatalError, ctypes.c_void_p).value
        for name in image.references:
            if not llvm.address_of_symbol(name):
                llvm.add_symbol(name, stop)
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine())
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


def machine() -> Any:
    """LLVM's description of this very processor."""
    from llvmlite import binding as llvm  # noqa: PLC0415 (heavy: loaded when used)

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        codemodel="jitdefault",
        jit=True,
    )


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
    fingerprint = _fingerprint(Path(__file__).parent.parent)
    folder = _cache_directory() if fingerprint else _NOWHERE
    path = folder / f"{fingerprint}.kernels"
    image = _read(path)
    if image is None and compile_if_needed:
        from slomon.compiled import build  # noqa: PLC0415 (imports Numba)

        image = build.build(machine())
        _write(path, image)
    return image


def _fingerprint(package: Path) -> str | None:
    """What the cache knows an image by; None where the code can't be read, as in an archive."""
    import llvmlite  # noqa: PLC0415 (heavy: loaded when used)
    from llvmlite import binding as llvm  # noqa: PLC0415

    sources = [sorted(package.glob(pattern)) for pattern in _SOURCES]
    if not all(sources):
        return None
    digest = hashlib.sha256()
    for source in chain(*sources):
        digest.update(source.read_bytes())
    # Numba's version, from the folder where it is installed: neither it nor what else knows that
    # is imported in little time.
    numba = sorted(path.name for path in Path(llvmlite.__file__).parent.parent.glob(_NUMBA))
    processor = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    made_by = llvmlite.__version__, numba, llvm.get_process_triple(), processor
    digest.update(repr(made_by).encode())
    return digest.hexdigest()[:32]


def _cache_directory() -> Path:
    if chosen := os.environ.get("SLOMON_CACHE"):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or _home()) / "slomon" / "cache"
    if sys.platform == "darwin":
        return _home() / "Library" / "Caches" / "slomon"
    return Path(os.environ.get("XDG_CACHE_HOME") or _home() / ".cache") / "slomon"


def _home() -> Path:
    """Of a user whom the system doesn't know, as in some containers, nothing can be kept."""
    try:
        return Path.home()
    except RuntimeError:
        return _NOWHERE


def _read(path: Path) -> Image | None:
    try:
        return Image.unpack(path.read_bytes())
    except OSError:
        return None


def _write(path: Path, image: Image) -> None:
    """Keep an image for the next process; where there is nowhere to keep it, that compiles too."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            draft = Path(file.name)
            try:
                file.write(image.pack())
                file.close()
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)
