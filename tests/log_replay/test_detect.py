"""
The first lines of a log are the same however they arrive, and none of them is lost.

A log's format is the one that reads its first lines best, or the one that was forced.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon.core.endpoints import Endpoint
from slomon.core.statuses import server_errors_fail
from slomon.core.ticks import LAST_TICK
from slomon.core.ticks import TICKS_PER_SECOND as SECOND
from slomon.endpoints.discovery import FoundEndpoints, FoundRequests, PythonEndpointNames, Requests
from slomon.errors import ConfigurationError
from slomon.formats.format import Format
from slomon.formats.registry import known_formats, regex_format
from slomon.log_replay.detect import FormatDetector, judge_order, read_head
from slomon.log_replay.lines import SavedLog
from slomon.sources.source import OversizedLine, Source
from tests.formats.lines import PREFIXES
from tests.sources.texts import Raw, whole
from tests.strategies import portion

LINES = [b"%d GET / 200\n" % number for number in range(1000)]
LONG = 70_000  # bytes of the longest line: more than the 64 KiB of a head, as anywhere


def make_source(text: bytes, step: int = 2**20, error: OSError | None = None) -> Source:
    """A file that comes in reads of so many bytes, which a pipe's may be as well."""
    return Source(Raw(text, step, error), "log", len(text), max_line=LONG)


def test_it_is_the_first_hundred_lines_that_are_not_blank() -> None:
    text = b"".join(line + b" \r\n" * (line < b"5") for line in LINES)
    assert read_head(make_source(text)) == b"".join(LINES[:100])


def test_it_is_all_lines_where_there_are_fewer() -> None:
    assert read_head(make_source(b"one\ntwo\n")) == b"one\ntwo\n"
    assert read_head(make_source(b"one\ntwo")) == b"one\ntwo\n"
    assert read_head(make_source(b"")) == b""


def test_it_goes_no_further_than_64_kib() -> None:
    line = b"GET / 200 " + b"x" * 990 + b"\n"
    assert read_head(make_source(line * 100)) == line * (65536 // 1001)


def test_more_lines_follow_until_ten_lines_look_like_requests_or_to_1_mib() -> None:
    noise = b"x" * 1000 + b"\n"
    head = noise * 300 + PLAIN * 10
    assert read_head(make_source(head + PLAIN * 500)) == head
    assert read_head(make_source(noise * 2000)) == noise * (1024 * 1024 // 1001)


def test_a_first_line_that_is_longer_is_whole() -> None:
    line = b"x" * 500_000 + b"\n"
    for step in (2**20, 50_000):
        source = Source(Raw(line + b"y\n" * 100, step), "log", None)
        assert read_head(source) == line + b"y\n" * 100


def test_a_first_line_that_comes_as_a_fragment_is_looked_past() -> None:
    text = b"x" * 100_000 + b"\nafter\n"
    source = make_source(text, step=1000)
    assert read_head(source) == b""
    assert isinstance(source.fill(bytearray(2 * LONG)), OversizedLine)
    assert read_head(source) == b"after\n"


def test_blank_lines_come_first_and_alone() -> None:
    source = make_source(b"\n \r\n\t\none\n")
    assert read_head(source) == b"\n \r\n\t\n"
    buffer = bytearray(2 * LONG)
    assert source.fill(buffer, most=6) == 6
    assert read_head(source) == b"one\n"
    assert source.fill(buffer) == 4


def test_a_mark_of_the_byte_order_is_no_part_of_it() -> None:
    assert read_head(make_source(b"\xef\xbb\xbfone\n")) == b"one\n"


def test_a_last_line_that_is_cut_off_is_no_part_of_it() -> None:
    source = make_source(b"one\ntw", error=OSError("gone"))
    assert read_head(source) == b"one\n"
    assert source.problem == "gone, after 6 bytes of text"
    buffer = bytearray(2 * LONG)
    assert source.fill(buffer) == 4
    assert source.fill(buffer) == OversizedLine(b"tw", 2, f"the line is cut off: {source.problem}")
    assert source.fill(buffer) is None


TEXTS = st.lists(
    st.sampled_from(
        [b"\n", b" \n", b"a\n", b"bc\n" * 60, b"d" * 9000 + b"\n", b"e" * LONG + b"e\n"]
    )
).map(b"".join)


@settings(max_examples=portion(30))  # each may read a source byte by byte
@given(TEXTS, st.sampled_from([1, 7, 1000, 70_000]), st.binary(max_size=3))
def test_how_the_bytes_arrive_makes_no_difference(text: bytes, step: int, last: bytes) -> None:
    def find_head(step: int) -> bytes | None:
        """What a log is known by, if by anything."""
        source, buffer = make_source(text + last, step), bytearray(2 * LONG)
        while not (head := read_head(source)).strip():
            if source.fill(buffer, most=len(head) or None) is None:
                return None
        return head

    step = max(step, len(text) // 500)
    assert find_head(step) == find_head(2**20)


@given(TEXTS, st.sampled_from([1000, 70_000]))
def test_nothing_that_was_looked_at_is_lost(text: bytes, step: int) -> None:
    text = text.replace(b"e" * LONG, b"")
    source = make_source(text, step)
    read_head(source)
    assert source.offset == 0
    assert whole(source) == text


@pytest.mark.parametrize("min_requests", [1, 3])
def test_a_pipe_is_waited_for_until_as_many_lines_are_there_as_are_needed(
    min_requests: int,
) -> None:
    end, begin = os.pipe()
    os.set_blocking(end, False)  # so that to wait is an error
    os.write(begin, b"one\ntwo\n")
    with Source(io.FileIO(end), "pipe") as source:
        head = read_head(source, min_requests)
        assert (head, source.problem is None) == (b"one\ntwo\n", min_requests == 1)
    os.close(begin)


FORMATS = known_formats(server_errors_fail)
COMBINED_FORMAT = next(form for form in FORMATS if form.name == "combined")
PLAIN = b"5 GET /a 200\n"
EVENT = PREFIXES[1] + b'5 GET /a 200"}\n'
COMBINED = b'192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 5\n'


class Detected:
    """A recogniser, what it tells, and the requests that it hands out."""

    def __init__(
        self, match_exactly: bool | None = None, formats: Sequence[Format] = FORMATS
    ) -> None:
        self.told: list[tuple[str, str]] = []
        self.requests: dict[bool, Requests] = {
            way: FoundRequests(
                FoundEndpoints(PythonEndpointNames(5), Endpoint("", "-", "", "", 0.9, 300))
            )
            for way in (False, True)
        }
        self.detect_format = FormatDetector(
            formats,
            lambda **options: self.requests[options["match_exactly"]],
            lambda name, form, _: self.told.append((name, form)),
            match_exactly=match_exactly,
        )


@pytest.mark.parametrize(
    ("head", "name", "prefix"),
    [
        (PLAIN, "plain", b""),
        (EVENT, "events", PREFIXES[1]),
        (COMBINED, "combined", b""),
        (b"\n  \n" + COMBINED * 2 + b"noise\n", "combined", b""),
        (PLAIN + b"\xff\n", "plain", b""),
        (PLAIN * 3 + EVENT, "plain", b""),
    ],
)
def test_a_log_is_in_the_format_that_reads_its_lines(head: bytes, name: str, prefix: bytes) -> None:
    recognised = Detected()
    log = recognised.detect_format("access.log", head)
    assert (log.name, log.format.name, log.prefix) == ("access.log", name, prefix)
    assert log.recognised
    assert recognised.told == [(log.name, log.format.name)]


@pytest.mark.parametrize(
    ("match_exactly", "head", "compared_exactly"),
    [
        *((None, EVENT, True), (None, PLAIN, False)),
        *((True, PLAIN, True), (False, EVENT, False)),
    ],
)
def test_recorded_streams_are_exact_unless_it_was_said_what_all_are(
    match_exactly: bool | None, head: bytes, compared_exactly: bool
) -> None:
    recognised = Detected(match_exactly)
    log = recognised.detect_format("access.log", head)
    assert log.match_exactly is compared_exactly
    assert log.requests is recognised.requests[compared_exactly]


def test_a_log_that_no_format_reads_is_refused_and_its_first_line_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Detected().detect_format("error.log", b"\n \nTraceback\x1b\n")
    assert str(caught.value) == (
        "error.log: no format reads line 1 of its first lines, 'Traceback\\x1b': it has no "
        "time, no HTTP method and no status, as each line of an access log has; allowed: "
        "--log-format (log_format=) with the layout in the configuration of your server, --format "
        "(format=) with the name of a known one, --regex (regex=), or --json-keys (json_keys=)"
    )


def test_a_format_that_was_forced_is_not_asked_whether_it_reads_anything() -> None:
    detect_format = Detected(formats=[COMBINED_FORMAT]).detect_format
    assert detect_format("error.log", b"Traceback\n").format.name == "combined"


@pytest.mark.parametrize("head", [b"", b"\n \n"])
def test_a_log_of_which_no_line_can_be_read_is_not_recognised_yet(head: bytes) -> None:
    recognised = Detected()
    log = recognised.detect_format("access.log", head)
    assert not log.recognised
    assert recognised.told == []


def test_lines_end_at_newlines_and_nowhere_else() -> None:
    head = (PLAIN[:-1] + b"\r\n") * 2 + b"a\x0bb\x0cc\x85d\xe2\x80\xa8\x1ce\n" * 2
    assert Detected().detect_format("access.log", head).format.name == "plain"


def test_a_hundred_lines_are_needed_to_choose_and_one_where_there_is_no_choice() -> None:
    assert Detected().detect_format.needed == 100
    assert Detected(formats=[COMBINED_FORMAT]).detect_format.needed == 1


def test_a_log_of_a_saved_state_is_made_again_without_being_reported() -> None:
    recognised = Detected()
    saved = SavedLog("access.log", "combined", *(True, '{"', True, True))
    log = recognised.detect_format.restore(saved, b"the first bytes")
    assert (log.name, log.format.name, log.match_exactly) == ("access.log", "combined", True)
    assert (log.prefix, log.beginning) == (b'{"', b"the first bytes")
    assert (log.recognised, log.ended) == (True, True)
    assert log.requests is recognised.requests[True]
    assert recognised.told == []


@pytest.mark.parametrize(
    ("head", "tick"),
    [
        (b"7 GET /a 200\n5 GET /a 200\nwhat?\n6 GET /a 200\n", 5 * SECOND),
        (EVENT, 5 * SECOND),
        (b'{"type": "change", "value": "c"}\n' + EVENT * 2, 5 * SECOND),
        (b"\n", 0),
    ],
)
def test_a_log_begins_at_the_least_tick_of_its_first_lines(head: bytes, tick: int) -> None:
    log = Detected().detect_format("access.log", head)
    assert judge_order(log, head, make_source(head), 100) == tick


def find_lateness(ticks: Sequence[int], *, more: bytes = b"", pipe: bool = False) -> float:
    """The lateness in seconds of a log whose first lines have these times in seconds."""
    head = b"".join(b"%d GET /a 200\n" % tick for tick in ticks)
    log = Detected().detect_format("access.log", head)
    source = Source(Raw(head + more), "log", None if pipe else len(head + more))
    judge_order(log, head, source, 1 if pipe else 100)
    return log.lateness / SECOND


HOUR = 3600


@pytest.mark.parametrize(
    ("ticks", "lateness"),
    [
        pytest.param(range(100), 0, id="in order"),
        pytest.param([7, 5, 6, 8], 4, id="twice the disorder"),
        pytest.param([9 * HOUR, 1, 2, 3, 4], 18 * HOUR - 2, id="by hours"),
        pytest.param([*range(200, 298), 7, 298], 0, id="one of a hundred lines"),
        pytest.param([*range(200, 297), 90, 80, 298], 412, id="two of a hundred lines"),
    ],
)
def test_the_lateness_of_a_log_follows_from_its_first_lines(
    ticks: Sequence[int], lateness: float
) -> None:
    assert find_lateness(ticks) == lateness
    more = b"500000 GET /a 200\n" * 10
    assert find_lateness(ticks, more=more) == min(lateness, HOUR)
    assert find_lateness(ticks, more=more, pipe=True) == 0


def test_all_lines_of_a_log_wait_if_its_first_lines_run_from_new_to_old() -> None:
    assert find_lateness(range(9, 0, -1)) == LAST_TICK / SECOND
    assert find_lateness([5, 4, 3, 2]) == 6  # four lines may be so by chance


def test_a_format_of_the_users_own_may_be_the_only_one() -> None:
    pattern = r"(?P<time>\S+) (?P<method>\S+) (?P<path>\S+) (?P<status>\d+) !"
    recognised = Detected(formats=[regex_format(pattern, server_errors_fail)])
    log = recognised.detect_format("access.log", b"5 GET /a 200 !\n")
    assert log.format.name == "regex"
