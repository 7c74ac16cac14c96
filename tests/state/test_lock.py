"""A file is one user's at a time, until that one ends, however it ends."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from slomon.files import in_use

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")

USER = """
import sys, time
from pathlib import Path
from slomon.state.lock import in_use

with in_use(Path(sys.argv[1])):
    print("in use", flush=True)
    sys.stdin.read()
"""


def use(path: Path) -> None:
    with in_use(path):
        pass


def test_another_user_is_told_which_file_it_is_until_the_first_one_is_done(tmp_path: Path) -> None:
    path, link = tmp_path / "state", tmp_path / "link"
    link.symlink_to(path)
    with in_use(path):
        for name in (path, link):
            with pytest.raises(OSError, match="is in use by another process") as caught:
                use(name)
            assert caught.value.filename == str(name)
    use(link)
    assert (tmp_path / "state.lock").read_bytes() == b""


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
