"""The files of a replay are checked before any of them is opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slomon.errors import ConfigurationError
from slomon.log_replay.plan import check_files, measure


def test_the_size_is_that_of_all_logs(tmp_path: Path) -> None:
    for name, text in (("a", "12"), ("b", "3"), ("c", "456")):
        (tmp_path / name).write_text(text, encoding="utf-8")

    assert measure([str(tmp_path / name) for name in "abc"]) == 6


def test_pipes_and_standard_input_have_no_size_and_are_not_opened(tmp_path: Path) -> None:
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    check_files([pipe], ["-"], [], {})

    assert measure([pipe]) is None
    assert measure(["-"]) is None


def test_standard_input_is_read_once() -> None:
    with pytest.raises(ConfigurationError, match="standard input, '-', is given 2 times"):
        check_files(["-"], ["-"], [], {})


def test_a_directory_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        check_files([str(tmp_path)], [], [], {})


def test_a_file_that_may_not_be_read_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    log.touch()
    monkeypatch.setattr(os, "access", lambda *_: False)  # tests may run as root

    with pytest.raises(PermissionError, match=f"Permission denied: '{log}'"):
        check_files([str(log)], [], [], {})


@pytest.mark.parametrize("name", ["log", "./log", "link", "hard link"])
def test_a_log_is_given_once_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("log").touch()
    Path("other").touch()
    Path("link").symlink_to("log")
    Path("hard link").hardlink_to("log")
    message = f"'{name}' is given twice, the first time as 'log'; allowed: each file once"
    for logs, histories in ((["log", name], []), (["other", "log"], [name])):
        with pytest.raises(ConfigurationError) as caught:
            check_files(logs, histories, [], {})
        assert str(caught.value) == message


def test_a_device_may_be_read_several_times() -> None:
    check_files(["/dev/null", "/dev/null"], [], [], {})
