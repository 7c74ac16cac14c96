"""
The cache of compiled kernels: one file for each version of the code, of Numba and of the processor.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from slomon.files import AtomicFile

# The code that a cached file depends on: its sources, or the bytecode (.pyc) if there are none.
_SOURCES: Final = (
    *("compiled/build.py*", "compiled/cache.py*", "compiled/library.py*", "kernels/*.py*"),
)
_NOWHERE: Final = Path(os.devnull)  # nothing can be cached there
_NUMBA: Final = "numba-*.dist-info"
_DIGEST: Final = 32  # bytes, at the beginning of a file


@dataclass(frozen=True, slots=True)
class Image:
    """
    The content of a cached file: an object file, the symbol and the number of arguments of each
    kernel, and the names to which the object file refers. Numba needs these names for errors that
    no kernel raises.
    """

    code: bytes
    kernels: dict[str, tuple[str, int]]
    references: list[str]

    def pack(self) -> bytes:
        """The bytes of the file: a digest, a line of JSON, the code."""
        head = json.dumps({"kernels": self.kernels, "references": self.references})
        body = head.encode() + b"\n" + self.code
        return hashlib.sha256(body).digest() + body

    @classmethod
    def unpack(cls, data: bytes) -> Image | None:
        """The image in the bytes of a file; None if they are damaged."""
        digest, body = data[:_DIGEST], data[_DIGEST:]
        if hashlib.sha256(body).digest() != digest:
            return None
        head, _, code = body.partition(b"\n")
        return cls(code, **json.loads(head))


def machine() -> Any:
    """LLVM's target machine for this processor."""
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


def find_path() -> Path:
    """The path of the image for the present code, Numba and processor; it may not exist."""
    name = fingerprint(Path(__file__).parent.parent)
    folder = _cache_directory() if name else _NOWHERE
    return folder / f"{name}.kernels"


def fingerprint(package: Path) -> str | None:
    """The name of an image in the cache; None if the code can't be read, as in an archive."""
    import llvmlite  # noqa: PLC0415 (heavy: loaded when used)
    from llvmlite import binding as llvm  # noqa: PLC0415

    sources = [sorted(package.glob(pattern)) for pattern in _SOURCES]
    if not all(sources):
        return None
    digest = hashlib.sha256()
    for source in chain(*sources):
        digest.update(source.read_bytes())
    # Numba's version, by the name of its installed folder: to import Numba, or a module that reads
    # versions, takes too long.
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
    """The home folder. A user without one, as in some containers, can't cache anything."""
    try:
        return Path.home()
    except RuntimeError:
        return _NOWHERE


def read(path: Path) -> Image | None:
    """The cached image; None if there is no valid one."""
    try:
        return Image.unpack(path.read_bytes())
    except OSError:
        return None


def write(path: Path, image: Image) -> None:
    """Cache an image. If the folder can't be written to, the next process compiles again."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with AtomicFile(path, private=True) as file:
            file.write(image.pack())
            file.commit()
