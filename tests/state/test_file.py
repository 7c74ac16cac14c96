"""A state is written whole or not at all, and what is not one is told and left alone."""

from __future__ import annotations

import hashlib
import os
import sys
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slomon.errors import StateFileError
from slomon.state.file import Section, check_place, read_state, write_state

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
COLUMNS = st.one_of(
    st.lists(st.integers(-(2**63), 2**63 - 1)).map(lambda numbers: array("q", numbers)),
    st.lists(st.floats(allow_nan=False)).map(lambda numbers: array("d", numbers)),
    st.binary().map(lambda data: array("B", data)),
)
STATE: dict[str, Section] = {"one": array("q", [1, -2]), "two\n": {"three": [4, "f\u00fcnf"]}}

in_one_folder = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@in_one_folder
@given(st.dictionaries(st.text(), JSON | COLUMNS))
def test_what_was_written_is_read(tmp_path: Path, sections: dict[str, Section]) -> None:
    path = tmp_path / "state"
    write_state(path, sections.items())

    assert read_state(path) == sections
    assert [file.name for file in tmp_path.iterdir()] == ["state"]


def test_no_file_is_no_state(tmp_path: Path) -> None:
    assert read_state(tmp_path / "state") is None


@in_one_folder
@given(st.data())
def test_a_state_of_which_any_byte_is_changed_or_missing_is_reported(
    tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "state"
    write_state(path, STATE.items())
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytes([whole[place] ^ data.draw(st.integers(1, 255))])
    damaged = whole[:place] + data.draw(st.sampled_from([changed + whole[place + 1 :], b""]))
    path.write_bytes(damaged)

    with pytest.raises(StateFileError, match=r"state (is damaged|is no state of slomon's)"):
        read_state(path)
    assert path.read_bytes() == damaged


def sealed(body: bytes) -> bytes:
    """As if slomon had written it: with a digest that is right."""
    return body + hashlib.sha256(body).digest()


@in_one_folder
@given(st.data())
def test_a_state_that_was_changed_and_sealed_again_is_read_or_reported(
    tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "state"
    write_state(path, STATE.items())
    body = path.read_bytes()[:-32]
    place = data.draw(st.integers(0, len(body)))
    removed = data.draw(st.integers(0, 20))
    added = data.draw(st.binary(max_size=20))
    path.write_bytes(sealed(body[:place] + added + body[place + removed :]))
    try:
        read = read_state(path)
    except StateFileError as error:
        assert str(path) in str(error)  # noqa: PT017 (it need not be raised)
    else:
        assert isinstance(read, dict)


@pytest.mark.parametrize(
    "sections",
    [
        b"no line end",
        b"no JSON\n",
        b"[" * 100_000 + b"\n",
        b"[]\n",
        b"{}\n",
        b'{"name": "a", "type": "json"}\n',
        b'{"name": [], "type": "json", "bytes": 2}\n{}',
        b'{"name": "a", "type": "json", "bytes": -40}\n',
        b'{"name": "a", "type": "json", "bytes": 3}\n{}',
        b'{"name": "a", "type": "json", "bytes": 2}\n{]',
        b'{"name": "a", "type": "json", "bytes": "2"}\n{}',
        b'{"name": "a", "type": "json", "bytes": 2}\n\xff\xff',
        b'{"name": "a", "type": "q", "bytes": 2}\n{}',
        b'{"name": "a", "type": "u", "bytes": 4}\n\xff\xff\xff\xff',
        b'{"name": "a", "type": "json", "bytes": 5000}\n' + b"1" * 5000,
    ],
)
def test_what_something_else_wrote_is_reported(tmp_path: Path, sections: bytes) -> None:
    path = tmp_path / "state"
    path.write_bytes(sealed(b"slomon state 8\n" + sections))
    with pytest.raises(StateFileError, match="state was not written by slomon: "):
        read_state(path)


def test_a_large_file_of_another_kind_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with path.open("wb") as file:
        file.truncate(1 << 42)  # takes no room on the disk
    with pytest.raises(StateFileError, match="state is no state of slomon's"):
        read_state(path)


def test_a_state_of_another_version_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(sealed(b"slomon state 4\n"))
    with pytest.raises(
        StateFileError, match="state is no state of slomon's, or of another version"
    ):
        read_state(path)


@pytest.mark.parametrize("read", [read_state, check_place])
@pytest.mark.parametrize("where", ["folder", "pipe", "/dev/zero"])
def test_what_is_no_file_is_not_read(
    tmp_path: Path, read: Callable[[Path], object], where: str
) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StateFileError, match=f"{where} is no file; allowed: a file, or a place"):
        read(tmp_path / where)


def test_a_place_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    write_state(tmp_path / "state", STATE.items())
    check_place(tmp_path / "state")
    check_place(tmp_path / "none yet")

    assert [file.name for file in tmp_path.iterdir()] == ["state"]
    assert read_state(tmp_path / "state") == STATE
    with pytest.raises(FileNotFoundError) as caught:
        check_place(tmp_path / "nowhere" / "state")
    assert caught.value.filename == str(tmp_path / "nowhere" / "state")


def test_errors_of_what_is_saved_name_their_own_files(tmp_path: Path) -> None:
    def broken() -> Iterator[tuple[str, Section]]:
        yield "one", array("q", [5])
        (tmp_path / "log").read_bytes()

    with pytest.raises(FileNotFoundError) as caught:
        write_state(tmp_path / "state", broken())
    assert str(caught.value.filename) == str(tmp_path / "log")


def test_a_state_that_can_not_be_made_leaves_the_one_before(tmp_path: Path) -> None:
    def broken() -> Iterator[tuple[str, Section]]:
        yield "one", array("q", [5])
        raise RuntimeError

    path = tmp_path / "state"
    write_state(path, STATE.items())
    with pytest.raises(RuntimeError):
        write_state(path, broken())

    assert read_state(path) == STATE
    assert [file.name for file in tmp_path.iterdir()] == ["state"]


def test_a_full_disk_names_the_state_and_leaves_the_one_before(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="only Unix limits what a process may write")
    path = tmp_path / "state"
    write_state(path, STATE.items())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"too large: .*state'"):
            write_state(path, {"large": array("q", range(100_000))}.items())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert read_state(path) == STATE
    assert [file.name for file in tmp_path.iterdir()] == ["state"]


def test_what_a_killed_run_left_behind_is_removed(tmp_path: Path) -> None:
    (tmp_path / f".state.{'0' * 16}.slomon").touch()
    check_place(tmp_path / "state")

    assert list(tmp_path.iterdir()) == []


def test_a_loop_of_links_is_reported(tmp_path: Path) -> None:
    (tmp_path / "state").symlink_to(tmp_path / "state")
    with pytest.raises(OSError, match="symbolic links"):
        check_place(tmp_path / "state")


def test_a_link_stays_one_and_who_may_read_the_file_stays_as_well(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "state", tmp_path / "link"
    link.symlink_to(target)
    check_place(link)
    write_state(link, [])
    target.chmod(0o600)
    write_state(link, STATE.items())

    assert link.is_symlink()
    assert read_state(target) == STATE
    assert target.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["folder", "link"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_state(tmp_path / "nowhere" / "state", STATE.items())

    assert caught.value.filename == str(tmp_path / "nowhere" / "state")


def test_numbers_are_written_alike_on_every_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state"
    write_state(path, {"one": array("q", [1])}.items())
    assert (1).to_bytes(8, "little") in path.read_bytes()

    other = "big" if sys.byteorder == "little" else "little"
    monkeypatch.setattr("sys.byteorder", other)
    assert read_state(path) == {"one": array("q", [1 << 56])}
    write_state(path, {"one": array("q", [1])}.items())
    assert (1).to_bytes(8, "big") in path.read_bytes()
    assert read_state(path) == {"one": array("q", [1])}


def test_a_system_that_can_not_sync_folders_still_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr(os, "O_RDONLY", None)  # it would fail if it were asked for
    write_state(tmp_path / "state", STATE.items())

    assert read_state(tmp_path / "state") == STATE
