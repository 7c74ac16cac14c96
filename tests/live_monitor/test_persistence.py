"""The state survives a restart; one that is damaged is kept aside, and the service comes up."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from anyio import create_task_group
from anyio.lowlevel import checkpoint
from structlog.typing import EventDict

from slomon import StateFileError
from slomon.files import AtomicFile
from slomon.live_monitor.engine import Engine
from slomon.live_monitor.persistence import StateFile
from slomon.state.file import read_state, write_state
from slomon.state.journal import Journal
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
    await state.save(engine, last=True)
    before = (tmp_path / "state").read_bytes()
    for _ in range(2):
        with files_end_at(1000):
            await state.save(engine)
            await state.save(engine)
        assert (tmp_path / "state").read_bytes() == before
        assert [entry.pop("event") for entry in logs] == ["state.unsaved"]
        assert "too large" in logs.pop()["reason"]
        await state.save(engine, last=True)  # from here on a failure is news again
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
    await state.save(engine, last=True)
    assert names(tmp_path) == ["state"]


async def feed(state: StateFile, engine: Engine, count: int) -> None:
    """Count requests, each of which opens or closes an incident."""
    for _ in range(count):
        state.append(engine.feed([request(engine.events)]).counted)
        await checkpoint()


def request(number: int) -> str:
    return access(100 + 40 * number, status=200 if number % 2 else 500)


async def kill(folder: Path) -> Engine:
    """An engine that was saved before its two inputs, with its files as a kill leaves them."""
    state, engine = StateFile(folder / "state", 1), make_engine()
    with state.held():
        await state.save(engine)
        await feed(state, engine, 2)
    return engine


async def test_what_was_counted_after_a_save_is_known_after_a_kill(tmp_path: Path) -> None:
    engine = await kill(tmp_path)
    assert names(tmp_path) == ["state", "state.journal"]
    loaded = await load(tmp_path / "state")
    assert loaded
    assert answers(read(loaded)) == answers(read(engine))
    assert len(read(loaded).incidents) == 1


@pytest.mark.slow
async def test_files_have_all_that_was_counted_at_every_moment_of_a_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: list[EventDict]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    state, engine, lock = StateFile(folder / "state", 1), make_engine(), threading.Lock()
    moments: list[tuple[Path, int, int]] = []

    def keep() -> None:
        with lock:
            known = engine.events
            copied = tmp_path / f"moment {len(moments)}"
            shutil.copytree(folder, copied)
            moments.append((copied, known, engine.events))

    def watch(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def watched(*given: Any, **options: Any) -> Any:
            keep()
            result = original(*given, **options)
            keep()
            return result

        monkeypatch.setattr(owner, name, watched)

    with state.held():
        await state.save(engine)
        for name in ("append", "prepare", "replace", "sync_place", "remove"):
            watch(Journal, name)
        for name in ("write", "commit"):
            watch(AtomicFile, name)
        for last in (False, False, True):
            async with create_task_group() as tasks:
                tasks.start_soon(feed, state, engine, 0 if last else 5)
                await state.save(engine, last=last)
    monkeypatch.undo()

    @cache
    def expect(events: int) -> object:
        whole = make_engine()
        whole.feed([request(number) for number in range(events)])
        return answers(read(whole))

    assert len(moments) > 100
    for copied, before, after in moments:
        loaded = await load(copied / "state")
        assert loaded
        assert before - 1 <= loaded.events <= after  # the last one is just being written
        assert answers(read(loaded)) == expect(loaded.events)
    assert logs == []
    assert names(folder) == ["state"]


@pytest.mark.parametrize("place", [3, 20, -1, -30])
async def test_a_damaged_journal_is_kept_aside_and_reported_and_what_is_before_is_used(
    tmp_path: Path, logs: list[EventDict], place: int
) -> None:
    await kill(tmp_path)
    journal = tmp_path / "state.journal"
    data = flip(place)(journal.read_bytes())
    journal.write_bytes(data)
    loaded = await load(tmp_path / "state")

    assert loaded
    assert loaded.events == (1 if place < 0 else 0)
    assert [(entry["event"], entry["file"]) for entry in logs] == [("state.damaged", str(journal))]
    assert (tmp_path / "state.journal.damaged-1").read_bytes() == data
    assert names(tmp_path) == ["state", "state.journal.damaged-1"]


async def test_the_journal_of_another_state_is_not_used(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        await kill(tmp_path / name)
    (tmp_path / "a" / "state.journal").replace(tmp_path / "b" / "state.journal")
    loaded = await load(tmp_path / "b" / "state")
    assert loaded
    assert loaded.events == 0
    assert logs == []


async def test_without_room_for_the_journal_the_next_save_has_everything(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    state, engine = StateFile(tmp_path / "state", 1), make_engine()
    with state.held():
        await state.save(engine)
        with files_end_at((tmp_path / "state.journal").stat().st_size + 100):
            await feed(state, engine, 3)
            await state.save(engine)
        assert [entry["event"] for entry in logs] == ["state.unsaved"]
        await state.save(engine)
        await feed(state, engine, 1)
    loaded = await load(tmp_path / "state")
    assert loaded
    assert answers(read(loaded)) == answers(read(engine))
    assert [entry["event"] for entry in logs] == ["state.unsaved"]


async def test_a_file_where_the_journal_should_be_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "state.journal").write_bytes(b"hello")
    with (
        pytest.raises(StateFileError, match="no journal of slomon's"),
        StateFile(tmp_path / "state", 1).held(),
    ):
        pass
    assert (tmp_path / "state.journal").read_bytes() == b"hello"
    assert names(tmp_path) == ["state.journal"]
