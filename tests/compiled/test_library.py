"""The kernels come from a cache, without Numba, and whatever is wrong with it they come."""

from __future__ import annotations

import compileall
import copy
import ctypes
import json
import os
import shutil
import subprocess
import sys
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from slomon.compiled import cache as compiled_cache
from slomon.compiled import library
from slomon.compiled.cache import Image
from slomon.compiled.library import Library, address, load
from slomon.errors import ConfigurationError
from slomon.log_replay.backend import PythonBackend, choose_backend

pytest.importorskip("numba", reason="only Numba compiles the kernels")

from slomon.compiled import build

PACKAGE = Path(library.__file__).parent.parent
has_modes = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
IMAGE = Image(b"\x7fELF\0 code \xff\n", {"cut": ("symbol", 4)}, ["NRT_x"])

LOAD = """
import json, sys
from array import array
from slomon.compiled.library import address, load

library = load(compile_if_needed={compile_if_needed})
if library is not None:
    rows = array("q", [5, 0, 5, 0, 7, 0, 7, 0])
    assert library.cut(address(rows), 0, 2, 6) == 1
heavy = [name for name in ("numba", "numpy", "slomon.compiled.build") if name in sys.modules]
print(json.dumps([library is not None, heavy]))
"""

BLOCK = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
"""


# What would take seconds takes half of one, for all processes to come to it meanwhile.
COMPILE_QUICKLY = """
import time
from pathlib import Path
from slomon.compiled import build
from slomon.compiled.library import Image

def compile_quickly(machine):
    time.sleep(0.5)
    return Image.unpack(Path({image!r}).read_bytes())

build.build = compile_quickly
"""


def run(
    cache: Path, *, compile_if_needed: bool = True, without: tuple[str, ...] = (), before: str = ""
) -> list[object]:
    """In a process of its own: is there a library, and which heavy modules did it import?"""
    blocked = BLOCK.format(names=without) if without else ""
    load = LOAD.format(compile_if_needed=compile_if_needed)
    done = subprocess.run(
        [sys.executable, "-c", blocked + before + load],
        env=os.environ | {"SLOMON_CACHE": str(cache)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[object] = json.loads(done.stdout)
    return found


def cached() -> Path:
    """The file from which this very session has its library."""
    load()
    path = compiled_cache.find_path()
    assert path is not None
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache that holds what was compiled, for a test to damage."""
    folder = tmp_path / "cache"
    folder.mkdir()
    shutil.copy(cached(), folder)
    return folder


@pytest.mark.slow
def test_processes_may_compile_at_once_and_leave_one_file(tmp_path: Path) -> None:
    cache = tmp_path / "not" / "there"
    before = COMPILE_QUICKLY.format(image=str(cached()))
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda _: run(cache, before=before), range(3)))
    assert [there for there, _ in found] == [True] * 3
    [file] = cache.iterdir()
    assert file.read_bytes() == cached().read_bytes()
    if sys.platform != "win32":  # pragma: no branch
        assert (file.stat().st_mode | cache.stat().st_mode) & 0o077 == 0


def test_a_process_that_only_loads_imports_neither_numba_nor_numpy(cache: Path) -> None:
    assert run(cache) == [True, []]


def test_a_cached_image_loads_without_numba(cache: Path) -> None:
    assert run(cache, without=("numba", "numpy")) == [True, []]


@pytest.mark.parametrize("missing", ["numba", "llvmlite"])
def test_without_the_extra_and_a_cache_there_is_no_library(tmp_path: Path, missing: str) -> None:
    there, _ = run(tmp_path / "empty", without=(missing,))
    assert not there


def test_what_another_numba_made_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "llvmlite" / "__init__.py"
    monkeypatch.setattr("llvmlite.__file__", str(fake))
    (tmp_path / "numba-1.0.dist-info").mkdir()
    before = compiled_cache.fingerprint(PACKAGE)
    (tmp_path / "numba-1.0.dist-info").rename(tmp_path / "numba-1.1.dist-info")

    assert before != compiled_cache.fingerprint(PACKAGE)


@pytest.mark.slow
def test_bytecode_without_its_sources_is_known_again(tmp_path: Path) -> None:
    package = tmp_path / "slomon"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(package, quiet=2, legacy=True)
    for source in package.rglob("*.py"):
        source.unlink()
    before = compiled_cache.fingerprint(package)
    assert before is not None
    with (package / "kernels" / "scan.pyc").open("ab") as changed:
        changed.write(b"x")

    assert compiled_cache.fingerprint(package) not in {None, before}


@pytest.mark.slow
def test_code_in_an_archive_is_compiled_each_time_and_not_kept(tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "all"), "zip", PACKAGE.parent, "slomon")
    first = f"import sys; sys.path.insert(0, {archive!r})\n"
    quickly = COMPILE_QUICKLY.format(image=str(cached()))
    there, _ = run(tmp_path / "cache", before=first + quickly)

    assert there
    assert not (tmp_path / "cache").exists()
    assert compiled_cache.fingerprint(Path(archive, "slomon")) is None


def test_a_file_that_is_damaged_anywhere_is_not_loaded(cache: Path) -> None:
    [file] = cache.iterdir()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert run(cache, compile_if_needed=False) == [False, []]


@settings(deadline=None)
@given(st.integers(0, len(IMAGE.pack()) - 1), st.integers(1, 255))
def test_no_byte_of_a_file_can_be_changed(place: int, flipped: int) -> None:
    data = bytearray(IMAGE.pack())
    data[place] ^= flipped
    assert Image.unpack(bytes(data)) is None


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, -1])
def test_a_file_that_was_cut_off_is_none(length: int) -> None:
    assert Image.unpack(IMAGE.pack()[:length]) is None
    assert Image.unpack(IMAGE.pack() + b"\n") is None


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """As in a new process; what would take seconds to compile is at hand, and is counted."""
    compiled: list[object] = []
    image = Image.unpack(cached().read_bytes())

    def compile_quickly(machine: object) -> Image | None:
        compiled.append(machine)
        return image

    monkeypatch.setattr(build, "build", compile_quickly)
    library._loaded.clear()
    library._warn_once.cache_clear()
    yield compiled
    library._loaded.clear()
    library._warn_once.cache_clear()


def works(found: Library | None) -> bool:
    rows = array("q", [5, 0, 5, 0, 7, 0, 7, 0])
    return found is not None and found.cut(address(rows), 0, 2, 6) == 1


def test_what_was_compiled_is_kept_and_loaded_by_the_next(
    fresh: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOMON_CACHE", str(tmp_path / "new"))
    for _ in range(2):
        library._loaded.clear()
        assert works(load())
        assert works(load())
    assert len(fresh) == 1


def test_a_damaged_file_is_compiled_anew_and_replaced(
    fresh: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOMON_CACHE", str(tmp_path))
    load()
    [file] = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    library._loaded.clear()
    assert works(load())
    assert len(fresh) == 2
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [whole]


@pytest.mark.parametrize("nowhere", ["a file", "a file/below"])
def test_if_nothing_can_be_kept_it_is_compiled_each_time(
    fresh: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nowhere: str
) -> None:
    (tmp_path / "a file").write_text("no folder")
    monkeypatch.setenv("SLOMON_CACHE", str(tmp_path / nowhere))
    for _ in range(2):
        library._loaded.clear()
        assert works(load())
    assert len(fresh) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a file"]


@pytest.mark.usefixtures("fresh")
def test_without_the_extra_there_is_none_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    with capture_logs() as logs:
        assert load() is None
    assert logs == []


@pytest.mark.parametrize(
    "error",
    [
        ImportError("DLL load failed while importing"),
        ModuleNotFoundError("No module named 'numpy'", name="numpy"),
        OSError("libLLVM.so: cannot open shared object file"),
        RuntimeError("LLVM version mismatch"),
    ],
)
@pytest.mark.parametrize("broken", ["find_path", "machine"])
@pytest.mark.usefixtures("fresh")
def test_if_llvmlite_is_broken_python_takes_over_and_logs_it_once(
    monkeypatch: pytest.MonkeyPatch, error: Exception, broken: str
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(compiled_cache, broken, fail)
    with capture_logs() as logs:
        assert isinstance(choose_backend("auto", None), PythonBackend)
        with pytest.raises(ConfigurationError, match="'compiled', which is not installed"):
            choose_backend("compiled", None)

    reason = repr(error)
    assert logs == [{"event": "compiled.unavailable", "reason": reason, "log_level": "warning"}]


@pytest.mark.usefixtures("fresh")
def test_it_is_not_compiled_if_that_is_not_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOMON_CACHE", str(tmp_path))
    assert load(compile_if_needed=False) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("mebibytes", "calls"), [(8, 0), (100, 1)])
def test_a_replay_compiles_only_if_python_would_need_as_long(
    fresh: list[object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mebibytes: int,
    calls: int,
) -> None:
    monkeypatch.setenv("SLOMON_CACHE", str(tmp_path))
    choose_backend("auto", mebibytes << 20)

    assert len(fresh) == calls


@pytest.mark.usefixtures("fresh")
def test_what_is_compiled_later_is_there_for_whoever_did_not_want_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOMON_CACHE", str(tmp_path))
    assert load(compile_if_needed=False) is None
    compiled = load()

    assert compiled is not None
    assert load(compile_if_needed=True) is compiled
    assert load(compile_if_needed=False) is compiled


def test_a_full_disk_leaves_no_half_of_a_file(
    fresh: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = pytest.importorskip("resource", reason="only Unix limits what a process may write")
    monkeypatch.setenv("SLOMON_CACHE", str(tmp_path))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        assert works(load())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert len(fresh) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_library_has_its_kernels_and_nothing_else() -> None:
    found = load()

    assert works(found)
    assert works(copy.copy(found))
    assert not hasattr(found, "no_such_kernel")


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/slomon"),
        ("linux", {"XDG_CACHE_HOME": ""}, "/home/ana/.cache/slomon"),
        ("linux", {"XDG_CACHE_HOME": "x"}, "/home/ana/.cache/slomon"),
        ("linux", {"XDG_CACHE_HOME": "./x"}, "/home/ana/.cache/slomon"),
        ("linux", {}, "/home/ana/.cache/slomon"),
        ("darwin", {"XDG_CACHE_HOME": "/x"}, "/home/ana/Library/Caches/slomon"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/slomon/cache"),
        ("win32", {}, "/home/ana/slomon/cache"),
        ("linux", {"SLOMON_CACHE": "/chosen", "XDG_CACHE_HOME": "/x"}, "/chosen"),
        ("linux", {"SLOMON_CACHE": "chosen"}, "chosen"),
    ],
)
def test_the_cache_is_where_each_platform_keeps_such(
    platform: str, environment: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLOMON_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ana"))
    assert compiled_cache._cache_directory() == Path(folder)


@pytest.mark.parametrize("column", [array("q", [7]), bytearray(b"\7\0"), b"\7\0"])
def test_the_address_of_a_column_is_that_of_its_numbers(
    column: array[int] | bytearray | bytes,
) -> None:
    assert ctypes.string_at(address(column), 1) == b"\7"


def test_a_user_without_a_home_keeps_nothing_and_fails_at_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(_: type[Path]) -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("SLOMON_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", classmethod(unknown))
    library._loaded.clear()
    try:
        assert library.load(compile_if_needed=False) is None
    finally:
        library._loaded.clear()


@pytest.fixture
def give_away(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Makes a file another user's. Only root can do that; else the user becomes another one."""
    user = os.geteuid()

    def give(path: Path) -> None:
        if user == 0:
            os.chown(path, 65534, 65534)
        else:
            monkeypatch.setattr(os, "geteuid", lambda: user + 1)

    return give


def link(path: Path) -> None:
    path.rename(path.with_suffix(".elsewhere"))
    path.symlink_to(path.with_suffix(".elsewhere"))


def link_to_open_folder(path: Path) -> None:
    folder = path.parent
    link(folder)
    folder.resolve().chmod(0o777)


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


EXPOSED: dict[str, Callable[[Path], None]] = {
    "a folder that all can write": lambda path: path.parent.chmod(0o777),
    "a folder that its group can write": lambda path: path.parent.chmod(0o770),
    "a sticky folder that all can write": lambda path: path.parent.chmod(0o1777),
    "a folder above that all can write": lambda path: path.parent.parent.chmod(0o777),
    "a file that all can write": lambda path: path.chmod(0o602),
    "a file that its group can write": lambda path: path.chmod(0o620),
    "a link to a folder that all can write": link_to_open_folder,
    "a link": link,
    "a pipe": replace_by_pipe,
}


def check_not_trusted(place: Path, compiled: list[object]) -> None:
    """What lies there is neither read nor replaced, which is logged once, and all works."""
    before = [(path, path.lstat()) for path in sorted(place.parent.iterdir())]
    with capture_logs() as logs:
        assert load(compile_if_needed=False) is None
        assert works(load())
    assert len(compiled) == 1
    assert [log["event"] for log in logs] == ["compiled.cache_untrusted"]
    assert logs[0]["log_level"] == "warning"
    assert logs[0]["reason"]
    assert Path(logs[0]["path"]).exists()
    after = [(path, path.lstat()) for path in sorted(place.parent.iterdir())]
    assert [(path, status.st_ino) for path, status in before] == [
        (path, status.st_ino) for path, status in after
    ]


@has_modes
@pytest.mark.parametrize("case", EXPOSED)
def test_a_file_that_another_user_could_have_written_is_left_alone(
    case: str,
    fresh: list[object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = cached()
    library._loaded.clear()
    fresh.clear()
    folder = tmp_path / "above" / "cache"
    folder.mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("SLOMON_CACHE", str(folder))
    shutil.copy(image, folder)
    EXPOSED[case](folder / image.name)
    check_not_trusted(folder / image.name, fresh)


@has_modes
@pytest.mark.parametrize("what", [".", "..", "file"])
def test_what_belongs_to_another_user_is_left_alone(
    what: str,
    give_away: Callable[[Path], None],
    fresh: list[object],
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [image] = cache.iterdir()
    library._loaded.clear()
    fresh.clear()
    monkeypatch.setenv("SLOMON_CACHE", str(cache))
    give_away(image if what == "file" else cache / what)
    check_not_trusted(image, fresh)


@has_modes
def test_the_home_of_another_user_is_not_used(
    give_away: Callable[[Path], None],
    fresh: list[object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("SLOMON_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir(0o700)
    monkeypatch.setattr(Path, "home", lambda: home)
    give_away(home)
    with capture_logs() as logs:
        assert works(load())
    assert len(fresh) == 1
    assert [log["event"] for log in logs] == ["compiled.cache_untrusted"]
    assert list(home.iterdir()) == []


@has_modes
def test_a_folder_below_a_sticky_one_and_a_link_to_it_are_trusted(
    fresh: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sticky = tmp_path / "sticky"
    sticky.mkdir()
    sticky.chmod(0o1777)
    (tmp_path / "link").symlink_to(sticky / "cache")
    for folder in ("sticky/cache", "link"):
        monkeypatch.setenv("SLOMON_CACHE", str(tmp_path / folder))
        library._loaded.clear()
        with capture_logs() as logs:
            assert works(load())
        assert logs == []
    assert len(fresh) == 1


@has_modes
@pytest.mark.usefixtures("fresh")
def test_new_folders_are_for_the_user_alone_whatever_the_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOMON_CACHE", str(tmp_path / "new" / "cache"))
    umask = os.umask(0)
    try:
        assert works(load())
    finally:
        os.umask(umask)
    [file] = (tmp_path / "new" / "cache").iterdir()
    assert [path.stat().st_mode & 0o777 for path in (file, file.parent, file.parent.parent)] == [
        *(0o600, 0o700, 0o700),
    ]


@has_modes
def test_the_file_that_was_checked_is_the_one_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.kernels"
    compiled_cache.write(path, IMAGE)
    fstat = os.fstat

    def replace(descriptor: int) -> os.stat_result:
        path.unlink()
        path.write_bytes(b"something else")
        return fstat(descriptor)

    monkeypatch.setattr(os, "fstat", replace)
    found = compiled_cache.read(path)
    assert found is not None
    assert found.code == IMAGE.code
    assert path.read_bytes() == b"something else"


@has_modes
def test_a_loop_of_links_keeps_nothing(
    fresh: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.setenv("SLOMON_CACHE", str(tmp_path / "loop" / "cache"))
    assert works(load())
    assert len(fresh) == 1
