"""Files are checked before any is opened, and none that is read is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slomon.errors import ConfigurationError
from slomon.log_replay.plan import check_apart, find_files


def test_the_size_is_that_of_all_logs(tmp_path: Path) -> None:
    for name, text in (("a", "12"), ("b", "3"), ("c", "456")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    a, b, c = (str(tmp_path / name) for name in "abc")
    found = find_files([a, b], [Path(c)], None, [], {})

    assert (found.hosts, found.histories, found.size) == ([[a, b], [c]], [], 6)


def test_pipes_and_standard_input_have_no_size_and_are_not_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    assert find_files(pipe, (), "-", [], {}).size is None
    assert find_files("-", (), pipe, [], {}).size is None


def test_standard_input_is_read_once() -> None:
    with pytest.raises(ConfigurationError, match="standard input, '-', is given 2 times"):
        find_files("-", (), "-", [], {})


def test_a_directory_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        find_files(tmp_path, (), None, [], {})


def test_a_file_that_may_not_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    log.touch()
    monkeypatch.setattr(os, "access", lambda *_: False)  # tests may run as root

    with pytest.raises(PermissionError, match=f"Permission denied: '{log}'"):
        find_files(log, (), None, [], {})


def test_a_link_does_not_hide_that_a_file_is_read_and_written(tmp_path: Path) -> None:
    log, link = tmp_path / "log", tmp_path / "link"
    log.touch()
    link.symlink_to(log)

    with pytest.raises(
        ConfigurationError, match=r"option 'rejects' is '.*', which is read as well"
    ):
        check_apart([str(log)], {"rejects": link})


def test_a_device_takes_everything() -> None:
    check_apart(["-"], {"output": "/dev/null", "incidents": "/dev/null", "rejects": None})


def test_what_is_not_written_is_no_second_use_of_a_device() -> None:
    check_apart(["/dev/null"], {"rejects": None})


@pytest.mark.parametrize("name", ["log", "./log", "link", "hard link"])
def test_a_log_is_given_once_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("log").touch()
    Path("other").touch()
    Path("link").symlink_to("log")
    Path("hard link").hardlink_to("log")
    told = f"'{name}' is given twice, the first time as 'log'; allowed: each file once"
    for paths, merge, changes in (
        (["log", name], (), None),
        ("log", [["other"], [name]], None),
        (["other", "log"], (), name),
    ):
        with pytest.raises(ConfigurationError) as caught:
            find_files(paths, merge, changes, [], {})
        assert str(caught.value) == told


def test_what_is_no_file_may_be_read_again() -> None:
    assert find_files(["/dev/null", "/dev/null"], (), None, [], {}).size is None


def test_no_file_is_written_that_would_be_taken_for_standard_input() -> None:
    with pytest.raises(ConfigurationError, match=r"option 'incidents' is '-', which stands for"):
        check_apart([], {"incidents": Path("-")})
