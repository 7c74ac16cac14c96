"""
A file is one user's at a time, until that one ends, however it ends.

An output is whole or not there, and its errors name it.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

import pytest

from slomon.files import AtomicFile, OutputFile, in_use, remove_abandoned

if sys.platform != "win32":
    import fcntl

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")

USER = """
import sys, time
from pathlib import Path
from slomon.files import in_use

with in_use(Path(sys.argv[1])):
    print("in use", flush=True)
    sys.stdin.read()
"""


def use(path: Path) -> None:
    with in_use(path):
        pass


def test_another_user_learns_which_file_it_is_until_the_first_one_is_done(
    tmp_path: Path,
) -> None:
    path, link = tmp_path / "state", tmp_path / "link"
    link.symlink_to(path)
    with in_use(path):
        for name in (path, link):
            holder = rf"is in use by another process or monitor \(process {os.getpid()}\); allowed"
            with pytest.raises(OSError, match=holder) as caught:
                use(name)
            assert caught.value.filename == str(name)
    use(link)
    assert list(tmp_path.iterdir()) == [link]


def test_a_lock_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("its own", encoding="utf-8")
    (tmp_path / ".state.slomon.lock").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        use(tmp_path / "state")

    assert victim.read_text(encoding="utf-8") == "its own"


@pytest.mark.slow
def test_who_is_killed_uses_nothing_any_more(tmp_path: Path) -> None:
    path = tmp_path / "state"
    command = [sys.executable, "-c", USER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"in use\n"
        with pytest.raises(OSError, match="is in use"):
            use(path)
        process.send_signal(signal.SIGKILL)
    use(path)
    assert list(tmp_path.iterdir()) == []


def test_where_there_are_no_locks_nobody_is_kept_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with in_use(tmp_path / "state"):
        use(tmp_path / "state")


def test_a_saved_file_takes_the_place_of_the_old_one_with_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("old\n", encoding="utf-8")
    path.chmod(0o600)
    with OutputFile(path) as output:
        assert path.read_text(encoding="utf-8") == "old\n"
        output.save(["new", "lines"])

    assert path.read_text(encoding="utf-8") == "new\nlines\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_rights_that_any_new_file_has(tmp_path: Path) -> None:
    plain, path = tmp_path / "plain", tmp_path / "out"
    plain.touch()
    with OutputFile(path) as output:
        output.save([])

    assert path.stat().st_mode == plain.stat().st_mode


def test_the_temporary_file_has_the_rights_of_the_old_one_before_it_has_content(
    tmp_path: Path,
) -> None:
    path = tmp_path / "out"
    path.touch()
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 1234, 4321)
    before = path.stat()
    with OutputFile(path) as output:
        (temporary,) = {*tmp_path.iterdir()} - {path}
        found = temporary.stat()
        output.save(["line"])

    for status in (found, path.stat()):
        assert (status.st_mode, status.st_uid) == (before.st_mode, before.st_uid)
        assert status.st_gid == before.st_gid


def test_outputs_of_two_runs_are_whole_and_the_last_one_wins(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with OutputFile(path) as first, OutputFile(path) as second:
        second.save(["second"])
        assert path.read_text(encoding="utf-8") == "second\n"
        first.save(["first"])

    assert path.read_text(encoding="utf-8") == "first\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["n" * 248, "n" * 255, "\u00e4" * 127])
def test_a_name_may_be_as_long_as_the_system_allows(tmp_path: Path, name: str) -> None:
    with in_use(tmp_path / name), OutputFile(tmp_path / name) as output:
        output.save(["line"])

    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_name_that_is_too_long_is_reported_when_it_is_opened(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="File name too long"):
        OutputFile(tmp_path / ("n" * 256))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize(
    ("mode", "owner", "refused"),
    [
        (0o1777, 4321, True),
        (0o1777, 0, False),
        (0o777, 4321, False),
        (0o1755, 4321, False),
    ],
)
def test_a_link_of_another_user_in_a_shared_folder_is_refused(
    tmp_path: Path, mode: int, owner: int, refused: bool
) -> None:
    victim, shared = tmp_path / "victim", tmp_path / "shared"
    victim.write_text("old")
    shared.mkdir()
    os.chown(shared, 1234, 1234)
    shared.chmod(mode)
    first, link = tmp_path / "first", shared / "link"
    link.symlink_to(victim)
    first.symlink_to(link)
    os.lchown(link, owner, owner)
    for path in (link, first):
        expected: AbstractContextManager[object] = nullcontext()
        if refused:
            expected = pytest.raises(PermissionError, match="another user")
        with expected, AtomicFile(path) as file:
            file.write(b"new")
            file.commit()
    assert (victim.read_text() == "old") == refused


def test_a_loop_of_links_is_reported_when_it_is_opened(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for refuse in (OutputFile, use):
        with pytest.raises(OSError, match="symbolic links") as caught:
            refuse(tmp_path / "a")
        assert caught.value.filename == str(tmp_path / "a")


def test_a_run_removes_the_temporary_files_of_killed_runs_only(tmp_path: Path) -> None:
    path, other = tmp_path / "out", tmp_path / "other"
    abandoned = tmp_path / f".out.{'0' * 16}.slomon"
    others = {tmp_path / f".other.{'0' * 16}.slomon", tmp_path / ".out.slomon"}
    for file in (abandoned, *others):
        file.touch()
    with OutputFile(path) as running, OutputFile(path):
        running.save(["line"])

    assert {*tmp_path.iterdir()} == {path, *others}
    assert not other.exists()


def test_a_new_file_that_another_run_took_for_abandoned_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock, path = fcntl.flock, tmp_path / "out"

    def remove_first(file: BinaryIO, kind: int) -> None:
        monkeypatch.setattr("fcntl.flock", flock)
        remove_abandoned(path)
        flock(file, kind)

    monkeypatch.setattr("fcntl.flock", remove_first)
    with AtomicFile(path) as file:
        file.write(b"whole")
        file.commit()

    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EXDEV])
def test_what_can_not_be_replaced_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "out"
    path.write_text("old and longer\n", encoding="utf-8")
    monkeypatch.setattr(Path, "replace", refuse)
    save(str(path))

    assert path.read_text(encoding="utf-8") == "line\n"
    assert list(tmp_path.iterdir()) == [path]


def test_an_answer_that_can_not_be_written_is_kept_and_named(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with OutputFile(path) as output:
        path.mkdir()
        with pytest.raises(IsADirectoryError, match="; the complete file is kept as '") as caught:
            output.save(["line"])
    kept = Path(str(caught.value).split("'")[1])
    path.rmdir()
    save(str(path))

    assert kept.read_text(encoding="utf-8") == "line\n"
    assert {*tmp_path.iterdir()} == {path, kept}


@pytest.mark.slow
def test_a_file_that_is_a_mount_point_is_overwritten(tmp_path: Path) -> None:
    path, source = tmp_path / "out", tmp_path / "source"
    path.touch()
    source.write_text("old and longer\n", encoding="utf-8")
    mount = shutil.which("mount")
    if mount is None:
        pytest.skip("there is no mount")
    command = [mount, "--bind", str(source), str(path)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file can be mounted: {mounted.stderr.strip()}")
    try:
        save(str(path))
    finally:
        subprocess.run(["umount", str(path)], check=True)

    assert source.read_text(encoding="utf-8") == "line\n"
    assert {*tmp_path.iterdir()} == {path, source}


def test_what_is_not_saved_changes_nothing(tmp_path: Path) -> None:
    with OutputFile(tmp_path / "out"):
        assert len(list(tmp_path.iterdir())) == 1

    assert list(tmp_path.iterdir()) == []


def test_a_failure_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    def lines() -> list[str]:
        raise RuntimeError

    with pytest.raises(RuntimeError), OutputFile(tmp_path / "out") as output:
        output.save(lines())

    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with OutputFile(path) as output:
        output.save(["line"])

    assert os.read(reader, 100) == b"line\n"
    assert path.is_fifo()
    os.close(reader)


def test_a_full_disk_is_reported_with_the_name() -> None:
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        save("/dev/full")
    assert Path("/dev/full").is_char_device()


def test_a_place_where_nothing_can_be_is_reported_when_it_is_opened(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        OutputFile(tmp_path)
    with pytest.raises(FileNotFoundError, match="No such file or directory: '/nowhere/out'"):
        OutputFile(Path("/nowhere/out"))


def save(path: str) -> None:
    with OutputFile(Path(path)) as output:
        output.save(["line"])
