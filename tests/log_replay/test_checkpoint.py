"""A checkpoint belongs to one replay of certain files, and is never lost to another."""

from __future__ import annotations

import gzip
import itertools
import os
import random
import sys
import threading
from array import array
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from slomon import (
    ConfigurationError,
    MalformedLineError,
    RejectedLine,
    StateFileError,
    replay,
)
from slomon.log_replay.checkpoint import Checkpoint
from slomon.log_replay.rejects import Rejections, RejectsFile
from slomon.options import BackendName
from slomon.state.file import Section, read_state, write_state
from tests.histories import ENTRY, broken, deploys, write

LINES = "".join(
    f"{100 + second} GET /a {500 if second % 7 == 3 else 200}\n" for second in range(50)
)


class Interrupted(Exception):  # noqa: N818 (no error: somebody pressed a key)
    """Comes in the middle of a replay."""


def interrupt(logs: str | list[str], state: Path, **options: Any) -> None:
    """Leave the state of a replay that stopped between two of its logs."""

    def stop(line: RejectedLine) -> None:
        if line.text == "stop":
            raise Interrupted

    last = write(state.parent, "last.log", "1000 GET /a 200\nstop\n")
    with pytest.raises(Interrupted):
        replay(
            [*([logs] if isinstance(logs, str) else logs), last],
            format="plain",
            checkpoint=state,
            checkpoint_every="1ns",
            on_rejected=stop,
            **options,
        )
    assert state.exists()


def go_on(logs: str | list[str], state: Path, **options: Any) -> list[str]:
    last = str(state.parent / "last.log")
    paths = [*([logs] if isinstance(logs, str) else logs), last]
    monitor = replay(paths, format="plain", checkpoint=state, **options)
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
        ("min_requests", 7),
        ("resolution", "7s"),
        ("sli_series", True),
        ("close_after_no_traffic", "7s"),
        ("close_after_no_traffic", 0),
        ("workers", 7),
        ("rejects", "rejects"),
        ("zone", "+05:00"),
        ("is_failure", lambda status: status == 404),
        ("fail_status", "404"),
        ("from_", 7),
        ("to", 900),
    ],
)
def test_a_state_of_another_replay_is_reported_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, value: object
) -> None:
    monkeypatch.chdir(tmp_path)
    log, state = write(tmp_path, "a.log", LINES), tmp_path / "state"
    interrupt(log, state)
    saved = state.read_bytes()
    with pytest.raises(
        StateFileError, match=r"state is of another replay: [\w ]+: .* then, and .* now; remove it"
    ):
        go_on(log, state, **{option: value})

    assert state.read_bytes() == saved


def test_another_expression_is_another_replay(tmp_path: Path) -> None:
    log, state = write(tmp_path, "a.log", LINES), tmp_path / "state"
    pattern = r"(?P<time>\S+) (?P<method>\S+) (?P<path>\S+) (?P<status>\d+)"
    replay(log, regex=pattern, checkpoint=state, checkpoint_every="1ns", keep_checkpoint=True)
    with pytest.raises(StateFileError, match=r"(regex|format): .* then"):
        replay(log, regex=pattern + "$", checkpoint=state)


def test_other_changes_are_another_replay(tmp_path: Path) -> None:
    log, state = write(tmp_path, "a.log", LINES), tmp_path / "state"
    interrupt(log, state)
    with pytest.raises(StateFileError, match="changes: 0 then, and 2 others now; remove"):
        go_on(log, state, changes=deploys(tmp_path))


def test_changes_with_one_more_bad_record_are_another_replay(tmp_path: Path) -> None:
    log, state = write(tmp_path, "a.log", LINES), tmp_path / "state"
    interrupt(log, state, changes=deploys(tmp_path))
    with (tmp_path / "deploys.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"commit": "c3"}\n')
    with pytest.raises(StateFileError, match="rejected records: 0 then, and 1 now"):
        go_on(log, state, changes=str(tmp_path / "deploys.jsonl"))


def test_other_endpoints_are_reported_in_words(tmp_path: Path) -> None:
    log, state = write(tmp_path, "a.log", LINES), tmp_path / "state"
    interrupt(log, state, endpoints=[ENTRY])
    with pytest.raises(StateFileError, match="endpoints: 1 then, and 1 others now; remove"):
        go_on(log, state, endpoints=[{**ENTRY, "window": "6m"}])
    with pytest.raises(StateFileError, match="endpoints: 1 given then, and found in the logs now"):
        go_on(log, state)


def test_another_rule_that_answers_alike_is_the_same(tmp_path: Path) -> None:
    def fail_alike(status: int) -> bool:
        if not 100 <= status <= 599:
            raise LookupError(status)
        return status // 100 == 5

    log, state = write(tmp_path, "a.log", LINES), tmp_path / "state"
    interrupt(log, state)
    with pytest.raises(
        StateFileError, match="100-499 succeed, 500-599 fail then, and 0-999 succeed"
    ):
        go_on(log, state, is_failure=lambda _: False)
    assert go_on(log, state, is_failure=fail_alike) == ["stop"]


def test_a_strict_replay_does_not_continue_from_one_that_was_not(tmp_path: Path) -> None:
    log, state = write(tmp_path, "a.log", LINES + "bad\n"), tmp_path / "state"
    interrupt(log, state)
    with pytest.raises(MalformedLineError, match=r"a\.log, line 51: it has fields: 1"):
        go_on(log, state, strict=True)


def rotate(log: Path) -> None:
    log.rename(log.with_suffix(".1"))
    log.write_text("1001 GET /b 200\n" * 100, encoding="utf-8")


def cut(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:30])


def cut_the_end(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-3])


def replace_the_lines_before_the_place(log: Path) -> None:
    """The first 512 bytes stay as they are."""
    log.write_text(LINES[:-36] + LINES[-36:].replace("200", "500"), encoding="utf-8")


def replace_by_a_pipe(log: Path) -> None:
    log.unlink()
    os.mkfifo(log)
    # It may never be opened.
    threading.Thread(target=log.write_text, args=[LINES], daemon=True).start()


@pytest.mark.parametrize(
    "change",
    [
        *(rotate, cut, cut_the_end, replace_the_lines_before_the_place),
        *(replace_by_a_pipe, Path.unlink),
    ],
)
@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", ["1.log", "2.log"])
def test_another_file_of_the_same_name_is_not_taken_for_the_one_that_was_read(
    tmp_path: Path, change: Callable[[Path], object], name: str, compress: Callable[[bytes], bytes]
) -> None:
    """The replay stopped in its last log. It had read two other logs to their ends."""
    state = tmp_path / "state"
    logs = [write(tmp_path, "2.log", compress(b"100 GET /b 200\n" + LINES.encode()))]
    logs.append(write(tmp_path, "1.log", compress(LINES.encode())))
    interrupt(logs, state)
    saved = state.read_bytes()
    change(tmp_path / name)
    with pytest.raises((StateFileError, FileNotFoundError), match=rf"{name}.*"):
        go_on(logs, state)
    assert state.read_bytes() == saved


def test_a_log_that_was_not_begun_is_not_another_one_either(tmp_path: Path) -> None:
    state, later = tmp_path / "state", tmp_path / "later.log"
    later.write_text("5000 GET /a 200\n", encoding="utf-8")
    logs = [write(tmp_path, "a.log", LINES), str(later)]
    interrupt(logs, state)
    later.write_text("50 GET /a 200\n", encoding="utf-8")
    with pytest.raises(StateFileError, match=r"later\.log is not the file that was read before"):
        go_on(logs, state)


def test_logs_that_have_grown_since_they_were_read_are_the_same(tmp_path: Path) -> None:
    state = tmp_path / "state"
    log, empty = write(tmp_path, "a.log", LINES), write(tmp_path, "empty.log", "")
    interrupt([log, empty], state)
    for path in (log, empty):
        with Path(path).open("a", encoding="utf-8") as grown:
            grown.write("2000 GET /a 200\n")
    assert go_on([log, empty], state) == ["stop"]


@pytest.mark.parametrize("change", [rotate, Path.unlink])
def test_a_log_that_is_rotated_while_it_is_read_is_known_by_what_was_read(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    """The state is saved when the file is no longer at its path, and another one may be."""
    log, state = tmp_path / "a.log", tmp_path / "state"
    write(tmp_path, "a.log", "what?\n" + LINES)
    hook = partial(change, log)
    replay(
        str(log),
        format="plain",
        checkpoint=state,
        checkpoint_every="1ns",
        keep_checkpoint=True,
        on_rejected=lambda _: hook(),
    )
    if not log.exists():
        log.write_text("1001 GET /b 200\n" * 100, encoding="utf-8")
    with pytest.raises(StateFileError, match=r"a\.log is not the file that was read before: it be"):
        replay(str(log), format="plain", checkpoint=state)

    write(tmp_path, "a.log", "what?\n" + LINES + "more\n")
    monitor = replay(str(log), format="plain", checkpoint=state)
    assert [line.text for line in monitor.rejections] == ["what?", "more"]


def replay_pipe(text: str, state: Path) -> list[str]:
    """Replay a pipe that brings a text, and leave a state."""
    pipe = state.with_name("pipe")
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)

    def fill() -> None:
        with suppress(BrokenPipeError):  # a replay that refuses the pipe may leave before its end
            pipe.write_bytes(text.encode())

    writer = threading.Thread(target=fill)
    writer.start()
    options: dict[str, Any] = {"checkpoint_every": "1ns", "keep_checkpoint": True}
    try:
        monitor = replay(pipe, format="plain", checkpoint=state, **options)
        return [line.text for line in monitor.rejections]
    finally:
        writer.join(timeout=30)


def test_a_pipe_is_continued_as_it_comes_again(tmp_path: Path) -> None:
    state, text = tmp_path / "state", "\ufeffwhat?\n" + LINES
    assert replay_pipe(text, state) == ["what?"]
    assert replay_pipe(text + "more\n", state) == ["what?", "more"]


def test_a_pipe_that_brings_other_bytes_is_refused(tmp_path: Path) -> None:
    state, far = tmp_path / "state", LINES * 100
    replay_pipe("200 GET /a 200\n" + far, state)
    saved = state.read_bytes()
    told = r"pipe is not the file that was read before: before byte \d+ of its text stands"
    with pytest.raises(StateFileError, match=told):
        replay_pipe("200 GET /a 500\n" + far, state)
    assert state.read_bytes() == saved


# As it stands in the file, so that this begins alike.
STORE = partial(gzip.compress, compresslevel=0, mtime=0)


@pytest.mark.parametrize("compress", [bytes, STORE], ids=["plain", "gzip"])
def test_a_file_is_known_by_what_stands_before_the_place(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    log, state = tmp_path / "a.log", tmp_path / "state"
    rng = random.Random(5)
    text = b"".join(b"%d GET /%d 200\n" % (second, rng.randrange(99)) for second in range(9999))
    log.write_bytes(compress(text))
    options: dict[str, Any] = {"checkpoint_every": "1ns", "keep_checkpoint": True}
    options["checkpoint"] = state
    whole, saved = replay(log, **options), state.read_bytes()
    assert replay(log, **options).accounting == whole.accounting
    state.write_bytes(saved)
    for place in (len(text) - 3, len(text) - 4000):
        log.write_bytes(compress(text[:place] + b"!" + text[place + 1 :]))
        told = rf"a\.log is not the file .*: before byte {len(text)} of its text stands"
        with pytest.raises(StateFileError, match=told):
            replay(log, **options)


def test_a_pipe_that_was_read_is_no_file(tmp_path: Path) -> None:
    log, state = tmp_path / "a.log", tmp_path / "state"
    os.mkfifo(log)
    writer = threading.Thread(target=log.write_text, args=[LINES])
    writer.start()
    replay(str(log), checkpoint=state, checkpoint_every="1ns", keep_checkpoint=True)
    writer.join(timeout=30)
    log.unlink()
    write(tmp_path, "a.log", LINES)
    with pytest.raises(StateFileError, match="it begins otherwise"):
        replay(str(log), checkpoint=state)


@pytest.mark.parametrize("after", [LINES, LINES + "stop\n"], ids=["at the end", "before the end"])
def test_problems_that_were_met_are_reported_by_the_run_that_goes_on(
    tmp_path: Path, after: str
) -> None:
    state, last = tmp_path / "state", tmp_path / "last.log.gz"
    logs = [
        write(tmp_path, "a.log", f"0 GET /b 200\n{LINES}"),
        write(tmp_path, "noisy.log", "what?\n" * 100),
        str(last),
    ]
    last.write_bytes(gzip.compress(after.encode())[:-1])
    whole = replay(logs)

    def stop(line: RejectedLine) -> None:
        if line.text == "stop":
            raise Interrupted

    with suppress(Interrupted):
        options: dict[str, Any] = {"checkpoint_every": "1ns", "keep_checkpoint": True}
        replay(logs, checkpoint=state, on_rejected=stop, **options)
    resumed = replay(logs, checkpoint=state)
    assert [problem.partition(";")[0] for problem in resumed.problems] == [
        f"{logs[1]}: no format reads line 1 of its first lines, 'what?': it has no time, no HTTP "
        "method and no status, as each line of an access log has",
        f"{last}: the gzip data is cut off, after {len(after)} bytes of text",
    ]
    assert (resumed.problems, resumed.accounting) == (whole.problems, whole.accounting)


def test_a_log_that_has_grown_is_read_on(tmp_path: Path) -> None:
    log, state = tmp_path / "a.log", tmp_path / "state"
    interrupt(write(tmp_path, "a.log", LINES), state)
    with (tmp_path / "last.log").open("a", encoding="utf-8") as grown:
        grown.write("more\n")

    assert go_on(str(log), state) == ["stop", "more"]


def test_what_is_no_state_is_reported_and_kept(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("my precious notes", encoding="utf-8")
    with pytest.raises(StateFileError, match="is no state of slomon's"):
        replay(broken(tmp_path), checkpoint=state)

    assert state.read_text(encoding="utf-8") == "my precious notes"


def test_a_state_of_something_else_is_reported(tmp_path: Path) -> None:
    mine = Checkpoint(tmp_path / "state", 1, {}, lambda: 0)
    mine.save(iter([("identity", "a service")]))
    with pytest.raises(StateFileError, match="is no state of a replay"):
        replay(broken(tmp_path), checkpoint=tmp_path / "state")


def test_a_state_without_a_section_is_reported(tmp_path: Path) -> None:
    log, state = write(tmp_path, "a.log", LINES), tmp_path / "state"
    interrupt(log, state)
    sections = read_state(state)
    assert sections is not None
    for name in sections.keys() - {"identity"}:
        write_state(state, ((kept, sections[kept]) for kept in sections if kept != name))
        with pytest.raises(StateFileError, match=f"is no state of a replay: it has no '{name}'"):
            go_on(log, state, backend="python")


def misshape(section: Section) -> list[Section]:
    """Values of other shapes than a section has."""
    shapes: list[Section] = [None, [[5]]]
    if isinstance(section, array) and section:
        shapes += [section * 2, section[:-1]]
    return shapes


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["compiled", "python"])
def test_a_state_whose_sections_are_of_another_shape_is_reported_and_kept(
    tmp_path: Path, backend: BackendName
) -> None:
    log, state = write(tmp_path, "a.log", LINES), tmp_path / "state"
    interrupt(log, state)
    sections = read_state(state)
    assert sections is not None
    taken = set()
    for name, section in sections.items():
        if backend == "compiled" and not isinstance(section, array):
            continue  # all else is restored by the same code
        for shape in misshape(section):
            write_state(state, (sections | {name: shape}).items())
            saved = state.read_bytes()
            try:
                go_on(log, state, backend=backend)
                taken.add(name)  # some can't be told from what was written
            except StateFileError as error:
                assert "state is " in str(error)  # noqa: PT017 (it need not be raised)
                assert state.read_bytes() == saved
    assert len(taken) < len(sections) // 4


@pytest.mark.parametrize("where", ["no/folder/state", "folder", "pipe", "/dev/zero"])
def test_a_place_where_no_state_can_be_is_reported_before_anything_is_read(
    tmp_path: Path, where: str
) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    rejects = tmp_path / "rejects"
    with pytest.raises((OSError, StateFileError), match=where):
        replay(broken(tmp_path), checkpoint=tmp_path / where, rejects=rejects, on_rejected=print)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["access.log", "folder", "pipe"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_a_checkpoint_that_another_run_uses_is_refused_before_anything_is_read(
    tmp_path: Path,
) -> None:
    state, rejects = tmp_path / "state", tmp_path / "rejects"

    def run_another(_: RejectedLine) -> None:
        with pytest.raises(BlockingIOError, match=r"is in use by .* \(process \d+\)") as caught:
            replay(log, checkpoint=state, on_rejected=read.append, rejects=rejects)
        assert caught.value.filename == str(state)
        refused.append(caught.value)

    log, read = write(tmp_path, "a.log", LINES + "bad\n"), list[RejectedLine]()
    refused: list[OSError] = []
    replay(log, checkpoint=state, on_rejected=run_another)

    assert len(refused) == 1
    assert read == []
    assert [path.name for path in tmp_path.iterdir()] == ["a.log"]


@pytest.mark.parametrize("where", ["pipe", "/dev/null"])
def test_rejects_that_can_not_be_taken_back_are_refused(tmp_path: Path, where: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigurationError) as caught:
        replay(broken(tmp_path), checkpoint=tmp_path / "state", rejects=tmp_path / where)

    assert str(caught.value).startswith(
        "options 'checkpoint' and 'rejects' are both given, and the"
    )
    assert str(caught.value).endswith("; allowed: a file there, or one of the two")


def test_a_full_disk_is_reported_with_the_file_on_it(tmp_path: Path) -> None:
    """The rejects are brought to the disk in the middle of saving the state."""
    resource = pytest.importorskip("resource", reason="only Unix limits what a process may write")
    rejects = RejectsFile(tmp_path / "rejects")
    rejects.write(RejectedLine("a.log", 1, "x" * 4000, "why"))
    rejections = Rejections()
    rejections.file = rejects
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"too large: '.*/rejects'"):
            write_state(tmp_path / "state", ((name, rejections.save()) for name in ["rejections"]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        rejects.__exit__(None, None, None)
    assert [path.name for path in tmp_path.iterdir()] == ["rejects"]


def test_saving_takes_at_most_a_tenth_of_the_time(tmp_path: Path) -> None:
    clock = itertools.count(0, 100)  # each look at it is 100 ticks later
    checkpoint = Checkpoint(tmp_path / "state", 250, {}, lambda: next(clock))

    assert [checkpoint.is_due() for _ in range(3)] == [False, False, True]  # at 100, 200, 300
    checkpoint.save(iter(()))  # from 400 to 500, so again at 1500 the soonest
    assert [checkpoint.is_due() for _ in range(11)] == [False] * 9 + [True, True]
