"""The state survives a restart; one that is damaged is kept aside, and the service comes up."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.typing import EventDict

from slomon import StateFileError
from slomon.live_monitor.engine import Engine
from slomon.live_monitor.persistence import StateFile
from slomon.state.file import read_state, write_state
from tests.histories import broken
from tests.live_monitor.limits import files_end_at
from tests.live_monitor.services import Entry, access, answers, entry, make_engine, read, replay


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def save(path: Path) -> Engine:
    """What was saved: an open incident."""
    engine = make_engine()
    engine.feed([access(100, status=500)])
    await StateFile(path, 1).save(engine, last=True)
    return engine


async def load(path: Path, *entries: Entry) -> Engine | None:
    """The engine of these endpoints that continues from a file."""
    return await StateFile(path, 1).load(
        lambda saved, records: make_engine(*entries, saved=saved, records=records)
    )


async def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    engine, loaded = await save(tmp_path / "state"), await load(tmp_path / "state")
    assert loaded is not None
    assert answers(read(loaded)) == answers(read(engine))
    assert names(tmp_path) == ["state"]


async def test_endpoints_that_are_watched_no_longer_are_reported(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    engine = make_engine(*(entry(f"s{number}") for number in range(7)))
    await StateFile(tmp_path / "state", 1).save(engine, last=True)
    assert await load(tmp_path / "state", entry("s6"))
    (told,) = logs
    assert (told["event"], told["endpoints"], told["more"]) == (
        "state.unwatched",
        ", ".join(f"s{number} GET /s{number}" for number in range(5)),
        1,
    )


async def test_where_nothing_was_saved_nothing_is_loaded(tmp_path: Path) -> None:
    assert await load(tmp_path / "state") is None
    assert names(tmp_path) == []


def flip(place: int) -> Callable[[bytes], bytes]:
    def damage(data: bytes) -> bytes:
        at = place % len(data)
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    return damage


def cut(size: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:size]


DAMAGES = [*map(flip, (13, 14, 40, 500, 2000, -33, -32, -1)), *map(cut, (0, 1, 13, 15, 600, -1))]


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_one_is_kept_aside_and_reported(
    tmp_path: Path, logs: list[EventDict], damage: Callable[[bytes], bytes]
) -> None:
    state = tmp_path / "state"
    for number in (1, 2):
        await save(state)
        data = damage(state.read_bytes())
        state.write_bytes(data)
        assert not await load(state)

        aside = tmp_path / f"state.damaged-{number}"
        assert aside.read_bytes() == data
        assert not state.exists()
    assert [(entry["event"], entry["kept_as"]) for entry in logs] == [
        ("state.damaged", f"{state}.damaged-1"),
        ("state.damaged", f"{state}.damaged-2"),
    ]
    assert len(names(tmp_path)) == 2


async def test_a_state_that_lacks_something_is_kept_aside_too(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    await save(tmp_path / "state")
    sections = read_state(tmp_path / "state")
    assert sections
    (tmp_path / "state").unlink()
    for name in sections.keys() - {"kind"}:
        kept = ((one, sections[one]) for one in sections if one != name)
        write_state(tmp_path / "state", kept)
        assert not await load(tmp_path / "state")
    assert len(logs) == len(names(tmp_path)) == len(sections) - 1


@pytest.mark.parametrize("data", [b"hello", b"Slomon state 3\n", b"\0" * 100])
async def test_what_is_no_state_is_refused_and_untouched(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "state").write_bytes(data)
    with pytest.raises(StateFileError, match="state is no state of slomon's; allowed: one"):
        await load(tmp_path / "state")
    assert (tmp_path / "state").read_bytes() == data
    assert names(tmp_path) == ["state"]


async def test_the_state_of_a_replay_is_refused_and_untouched(tmp_path: Path) -> None:
    state = tmp_path / "state"
    replay(Path(broken(tmp_path)), checkpoint=state, checkpoint_every="1us", keep_checkpoint=True)
    data = state.read_bytes()
    with pytest.raises(StateFileError, match="is no state of a live monitor, but something else"):
        await load(state)
    assert state.read_bytes() == data


@pytest.mark.parametrize("where", ["no/folder/state", "folder", "pipe", "/dev/zero"])
async def test_a_place_where_no_state_can_be_is_reported_at_once(
    tmp_path: Path, where: str
) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises((OSError, StateFileError), match=where):
        await load(tmp_path / where)
    assert names(tmp_path) == ["folder", "pipe"]


async def test_a_full_disk_is_reported_once_and_the_state_before_is_whole(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    state = StateFile(tmp_path / "state", 1)
    engine = make_engine()
    await state.save(engine)
    before = (tmp_path / "state").read_bytes()
    for _ in range(2):
        with files_end_at(1000):
            await state.save(engine)
            await state.save(engine)
        assert (tmp_path / "state").read_bytes() == before
        assert [entry.pop("event") for entry in logs] == ["state.unsaved"]
        assert "too large" in logs.pop()["reason"]
        await state.save(engine)  # from here on a failure is news again
    assert names(tmp_path) == ["state"]
    assert logs == []


async def test_where_no_thread_can_be_had_it_is_saved_the_next_time(
    tmp_path: Path, logs: list[EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    state, engine = StateFile(tmp_path / "state", 1), make_engine()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        await state.save(engine)
    assert [entry["reason"] for entry in logs] == ["can't start new thread"]
    await state.save(engine)
    assert names(tmp_path) == ["state"]
