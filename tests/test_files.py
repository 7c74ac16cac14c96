"""
A file is one user's at a time, until that one ends, however it ends.

An output is whole or not there, and its errors name it.
"""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from slomon.files import OutputFile, in_use

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
            with pytest.raises(OSError, match="is in use by another process") as caught:
                use(name)
            assert caught.value.filename == str(name)
    use(link)
    assert (tmp_path / "state.lock").read_bytes() == b""


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
