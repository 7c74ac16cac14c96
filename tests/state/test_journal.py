"""A journal gives back what was appended, wherever its process was killed; damage is noticed."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.errors import StateFileError
from slomon.state.journal import Journal
from tests.live_monitor.limits import files_end_at

NAME = b"this state's"


def begin(journal: Journal, *records: bytes) -> None:
    journal.replace(journal.prepare(NAME, records), [])


def written(folder: Path, *records: bytes) -> Journal:
    """A journal of some records, closed."""
    journal = Journal(folder / "state")
    begin(journal)
    for record in records:
        journal.append(record)
    journal.close()
    return journal


def test_it_gives_back_what_was_appended(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state")
    assert journal.read(NAME) == ([], "")
    journal.append(b"before it began")
    begin(journal, b"first")
    journal.append(b"second")
    assert journal.read(NAME) == ([b"first", b"second"], "")
    journal.replace(journal.prepare(NAME, [b"third"]), [b"fourth"])
    journal.append(b"")
    journal.sync_place()
    assert journal.read(NAME) == ([b"third", b"fourth", b""], "")
    assert [path.name for path in tmp_path.iterdir()] == ["state.journal"]
    journal.remove()
    assert list(tmp_path.iterdir()) == []


def test_that_of_another_state_is_empty(tmp_path: Path) -> None:
    assert written(tmp_path, b"one").read(b"another") == ([], "")


def test_a_record_that_was_being_written_is_left_out(tmp_path: Path) -> None:
    journal = written(tmp_path, b"first", b"second")
    data = journal.path.read_bytes()
    for size in range(len(data) - len(b"second") - 12, len(data)):
        journal.path.write_bytes(data[:size])
        assert journal.read(NAME) == ([b"first"], "")


def test_a_bit_that_changed_is_noticed_wherever_it_is(tmp_path: Path) -> None:
    records = [b"first", b"second", b"third"]
    journal = written(tmp_path, *records)
    data = journal.path.read_bytes()
    for place in range(len(data)):
        for bit in range(8):
            journal.path.write_bytes(
                data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
            )
            found, problem = journal.read(NAME)
            assert problem
            assert found == records[: len(found)] != records


@given(st.binary(max_size=100), st.booleans())
def test_whatever_is_in_the_file_reading_it_raises_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, begins: bool
) -> None:
    journal = Journal(tmp_path_factory.mktemp("journal") / "state")
    journal.path.write_bytes(b"slomon journal 1\n" * begins + data)
    assert journal.read(NAME).records == []


def test_after_a_failure_nothing_is_appended_until_it_begins_anew(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state")
    begin(journal, b"first")
    with files_end_at(journal.path.stat().st_size + 20):
        with pytest.raises(OSError, match="too large") as caught:
            journal.append(b"x" * 100)
        assert caught.value.filename == str(journal.path)
    journal.append(b"after the gap")
    assert journal.read(NAME) == ([b"first"], "")
    begin(journal, b"all")
    journal.append(b"more")
    assert journal.read(NAME) == ([b"all", b"more"], "")
    journal.close()


@pytest.mark.parametrize("data", [b"hello", b"slomon state 6\n"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, data: bytes) -> None:
    journal = Journal(tmp_path / "state")
    journal.check_place()
    journal.path.write_bytes(data)
    with pytest.raises(StateFileError, match=r"state.journal is no journal of slomon's; allowed"):
        journal.check_place()
    assert journal.path.read_bytes() == data


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.journal").mkdir()
    with pytest.raises(StateFileError, match=r"state.journal is no file"):
        Journal(tmp_path / "state").check_place()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes")
def test_it_can_be_read_by_those_who_can_read_the_state_and_stands_beside_it(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    state = folder / "state"
    state.touch(mode=0o600)
    (tmp_path / "link").symlink_to(state)
    journal = Journal(tmp_path / "link")
    new = journal.prepare(NAME, [])
    [temporary] = (path for path in folder.iterdir() if path != state)
    assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
    state.chmod(0o640)
    journal.replace(new, [])
    journal.close()
    assert journal.path == folder / "state.journal"
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o640
