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

# What the kernels are made of, and the layouts that they share with their hosts; without sources,
# their bytecode (.pyc).
_SOURCES: Final = (
    *("compiled/build.py*", "compiled/cache.py*", "compiled/library.py*", "kernels/*.py*"),
)
_NOWHERE: Final = Path(os.devnull)  # nothing can be kept there
_NUMBA: Final = "numba-*.dist-info"
_SHORTEST: Final = 32  # bytes of a digest: what every cache file begins with


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


def find_place() -> Path:
    """Where the image for this very code, Numba and processor is, or would be, kept."""
    known_by = fingerprint(Path(__file__).parent.parent)
    folder = _cache_directory() if known_by else _NOWHERE
    return folder / f"{known_by}.kernels"


def fingerprint(package: Path) -> str | None:
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


def read(path: Path) -> Image | None:
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
