"""The files of a replay are checked before any of them is opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from slomon.errors import ConfigurationError
from slomon.log_replay.files import check_files, list_logs, measure


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


def test_a_directory_of_changes_is_rejected(tmp_path: Path) -> None:
    check_files([str(tmp_path)], [], [], {})
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        check_files(["-"], [str(tmp_path)], [], {})


def make_files(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(name, encoding="utf-8")


def test_logs_are_listed_in_natural_order(tmp_path: Path) -> None:
    names = ["access.log", "access.log.2", "access.log.10", "b1/a2", "b1/a10", "b02/a", "b2/a"]
    make_files(tmp_path, *names)
    paths = [str(tmp_path / name) for name in names]
    assert list_logs(paths[::-1], []) == paths
    assert list_logs([str(tmp_path)], []) == paths
    assert list_logs([str(tmp_path / "b1"), str(tmp_path), paths[0]], []) == paths
    assert list_logs(["-"], []) == ["-"]


def test_a_directory_stands_for_the_logs_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_files(Path("logs"), "a.log", "old/b.log", ".hidden", ".git/c.log", "state", "named.log")
    Path("logs/empty.log").touch()
    Path("logs/link.log").symlink_to("a.log")
    Path("logs/dangling.log").symlink_to("nowhere")
    Path("logs/hard link").hardlink_to("logs/old/b.log")
    os.mkfifo("logs/pipe")
    found = list_logs(["logs", "logs/named.log"], ["logs/state", None, "nowhere"])
    assert found == ["logs/a.log", "logs/hard link", "logs/named.log"]


def test_a_directory_without_logs_is_rejected(tmp_path: Path) -> None:
    make_files(tmp_path, ".hidden")
    with pytest.raises(ConfigurationError, match="is a directory without logs; allowed: one with"):
        list_logs([str(tmp_path)], [])


def test_a_directory_that_can_not_be_read_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "scandir", fail)  # tests may run as root
    with pytest.raises(PermissionError, match="no"):
        list_logs([str(tmp_path)], [])


def fail(_: object) -> NoReturn:
    raise PermissionError("no")


def test_a_file_that_may_not_be_read_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    log.touch()
    monkeypatch.setattr(os, "access", lambda *_: False)  # tests may run as root

    with pytest.raises(PermissionError, match=f"Permission denied: '{log}'"):
        check_files([str(log)], [], [], {})


@pytest.mark.parametrize("name", ["log", "./log", "link", "hard link"])
def test_a_file_counts_once_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("log").touch()
    Path("other").touch()
    Path("link").symlink_to("log")
    Path("hard link").hardlink_to("log")
    check_files(["log", name], [], [], {})
    assert list_logs(["log", name], []) == ["log"]
    message = f"'{name}' is given twice, the first time as 'log'; allowed: each file once"
    for logs, histories in ((["other", "log"], [name]), (["other"], ["log", name])):
        with pytest.raises(ConfigurationError) as caught:
            check_files(logs, histories, [], {})
        assert str(caught.value) == message


def test_a_device_may_be_read_several_times() -> None:
    check_files(["/dev/null", "/dev/null"], [], [], {})
    assert list_logs(["/dev/null", "/dev/null"], []) == ["/dev/null", "/dev/null"]
