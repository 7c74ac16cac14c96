"""A checkpoint belongs to one replay of certain files, and is never lost to another."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slomon import RejectedLine, StateFileError, replay
from slomon.replaying.checkpoint import Checkpoint
from tests.histories import broken, deploys, write

LINES = "".join(
    f"{100 + second} GET /a {500 if second % 7 == 3 else 200}\n" for second in range(50)
)


class Interrupted(Exception):  # noqa: N818 (no error: somebody pressed a key)
    """Comes in the middle of a replay."""


def interrupt(log: str, state: Path, **options: Any) -> None:
    """Leave the state of a replay that stopped between two of its hosts' logs."""

    def stop(line: RejectedLine) -> None:
        if line.text == "stop":
            raise Interrupted

    last = write(state.parent, "last.log", "1000 GET /a 200\nstop\n")
    with pytest.raises(Interrupted):
        replay(
            [log, last],
            format="plain",
            checkpoint=state,
            checkpoint_every="1ns",
            on_rejected=stop,
            **options,
        )
    assert state.exists()


def go_on(log: str, state: Path, **options: Any) -> list[str]:
    last = str(state.parent / "last.log")
    monitor = replay([log, last], format="plain", checkpoint=state, **options)
    assert not state.exists(), "nothing is left to go on with"
    return [line.text for line in monitor.rejections]


def test_a_replay_goes_on_and_leaves_no_state_behind(tmp_path: Path) -> None:
    log, state = write(tmp_path, "a.log", LINES + "bad\n"), tmp_path / "state"
    interrupt(log, state, rejects=tmp_path / "rejects")
    assert go_on(log, state, rejects=tmp_path / "rejects") == ["bad", "stop"]
    assert (tmp_path / "rejects").read_text(encoding="utf-8").count("\n") == 2


def test_whoever_has_answers_to_write_may_keep_it(tmp_path: Path) -> None:
    log, state = write(tmp_path, "a.log", LINES), tmp_path / "state"
    replay(log, checkpoint=state, checkpoint_every="1ns", keep_checkpoint=True)
    assert state.exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("slo", 0.5),
        ("window", "1m"),
        ("service", "shop"),
        ("max_endpoints", 7),
        ("lateness", "7s"),
        ("match", "exact"),
        ("min_requests", 7),
        ("resolution", "7s"),
        ("workers", 7),
        ("rejects", "rejects"),
        ("zone", "+05:00"),
    ],
)
def test_a_state_of_another_replay_is_told_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, value: object
) -> None:
    monkeypatch.chdir(tmp_path)
    log, state = write(tmp_path, "a.log", LINES), tmp_path / "state"
    interrupt(log, state)
    saved = state.read_bytes()
    with pytest.raises(StateFileError, match=r"state is of another replay: its \w+ was .*, and is"):
        go_on(log, state, **{option: value})

    assert state.read_bytes() == saved


def test_another_expression_is_another_replay(tmp_path: Path) -> None:
    log, state = write(tmp_path, "a.log", LINES), tmp_path / "state"
    pattern = r"(?P<time>\S+) (?P<method>\S+) (?P<path>\S+) (?P<status>\d+)"
    replay(log, regex=pattern, checkpoint=state, checkpoint_every="1ns", keep_checkpoint=True)
    with pytest.raises(StateFileError, match="its regex was"):
        replay(log, regex=pattern + "$", checkpoint=state)


def test_other_changes_are_another_replay(tmp_path: Path) -> None:
    log, state = write(tmp_path, "a.log", LINES), tmp_path / "state"
    interrupt(log, state)
    with pytest.raises(StateFileError, match="its changes was"):
        go_on(log, state, changes=deploys(tmp_path))


def rotate(log: Path) -> None:
    log.rename(log.with_suffix(".1"))
    log.write_text("1001 GET /b 200\n" * 100, encoding="utf-8")


def cut(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:30])


@pytest.mark.parametrize("change", [rotate, cut, Path.unlink])
def test_another_file_of_the_same_name_is_not_taken_for_the_one_that_was_read(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    """The replay stopped in its only log."""
    log, state = tmp_path / "last.log", tmp_path / "state"
    interrupt(write(tmp_path, "a.log", LINES), state)
    # the state is of a moment at which the first log was read, and the last one was not
    change(tmp_path / "a.log")
    with pytest.raises((StateFileError, FileNotFoundError)):
        go_on(str(tmp_path / "a.log"), state)
    assert log.exists()
    assert state.exists()


def test_a_log_that_has_grown_is_read_on(tmp_path: Path) -> None:
    log, state = tmp_path / "a.log", tmp_path / "state"
    interrupt(write(tmp_path, "a.log", LINES), state)
    with (tmp_path / "last.log").open("a", encoding="utf-8") as grown:
        grown.write("more\n")

    assert go_on(str(log), state) == ["stop", "more"]


def test_what_is_no_state_is_told_and_kept(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("my precious notes", encoding="utf-8")
    with pytest.raises(StateFileError, match="is no state of slomon's"):
        replay(broken(tmp_path), checkpoint=state)

    assert state.read_text(encoding="utf-8") == "my precious notes"


def test_a_state_of_something_else_is_told(tmp_path: Path) -> None:
    mine = Checkpoint(tmp_path / "state", 1, {}, lambda: 0)
    mine.save(iter([("identity", "a service")]))
    with pytest.raises(StateFileError, match="is no state of a replay"):
        replay(broken(tmp_path), checkpoint=tmp_path / "state")


def test_saving_takes_at_most_a_tenth_of_the_time(tmp_path: Path) -> None:
    clock = itertools.count(0, 100)  # each look at it is 100 ticks later
    checkpoint = Checkpoint(tmp_path / "state", 250, {}, lambda: next(clock))

    assert [checkpoint.due() for _ in range(3)] == [False, False, True]  # at 100, 200, 300
    checkpoint.save(iter(()))  # from 400 to 500, so again at 1500 the soonest
    assert [checkpoint.due() for _ in range(11)] == [False] * 9 + [True, True]
