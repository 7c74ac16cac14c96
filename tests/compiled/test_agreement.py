"""
The scanner agrees with the reference parser: each line that it reads has the same tick, endpoint
and outcome, and it leaves all other lines to the reference parser.
"""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon.compiled import request_table as requests_host
from slomon.kernels.codes import EXCLUDED
from tests.compiled.kernels import BACKENDS, Opened, compiled_kernels
from tests.compiled.reading import (
    MakeRequests,
    found,
    found_in_a_file,
    given_by_template,
    given_exactly,
    read_at,
)
from tests.formats.lines import PREFIXES, SCANNED, lines, random_lines

# Who knows the requests, whether a query is a part of them, and how many may be found.
KNOWN = [
    pytest.param(given_exactly, True, 0, id="given exactly"),
    pytest.param(given_by_template, False, 0, id="given by template"),
    pytest.param(found, False, 50, id="find_or_add"),
    pytest.param(found, False, 3, id="found up to a cap"),
    pytest.param(found, False, 0, id="none found"),
    pytest.param(found, True, 50, id="found in an exact log"),
    pytest.param(found_in_a_file, False, 50, id="found in a file that is a service"),
    pytest.param(found_in_a_file, False, 3, id="found in a file up to a cap"),
]
backends = pytest.mark.parametrize("backend", BACKENDS)
opened = pytest.mark.parametrize(("requests", "match_exactly", "most"), KNOWN)
formats = pytest.mark.parametrize("name", SCANNED)

STAMP, END = b"1543443091.2745", b'{"type": "end-of-stream", "value": ""}'
DATE = b"192.0.2.1 - - [17/May/2015:10:05:03 +0000]"


def cut(drawn: list[bytes], size: int = 100) -> list[list[bytes]]:
    return [drawn[start : start + size] for start in range(0, len(drawn), size)]


def write(name: str, request: bytes, status: bytes = b"200", end: bytes = b"") -> bytes:
    """A plain line of a format."""
    if name == "combined":
        return b'%b "%b HTTP/1.1" %b 512%b' % (DATE, request, status, end)
    value = b"%b %b %b" % (STAMP, request, status)
    return (value if name == "plain" else PREFIXES[0] + value + b'"}') + end


@pytest.mark.slow
@backends
@opened
@formats
def test_a_line_is_what_the_reference_parser_takes_it_for(
    backend: Opened, requests: MakeRequests, match_exactly: bool, most: int, *, name: str
) -> None:
    count = 1000 if backend is compiled_kernels else 100
    drawn = random_lines(random.Random(name), name, count)
    read_at(backend, requests, (name, match_exactly, cut(drawn)), most=most)


@formats
@settings(deadline=None)
@given(st.data(), st.sampled_from([known.values for known in KNOWN]))
def test_the_smallest_line_that_is_not_would_be_shown(
    name: str, data: st.DataObject, known: tuple[MakeRequests, bool, int]
) -> None:
    requests, match_exactly, most = known
    blocks = data.draw(st.lists(st.lists(lines(name), min_size=1, max_size=4), max_size=3))
    read_at(compiled_kernels, requests, (name, match_exactly, blocks), most=most)


@pytest.mark.slow
@backends
@opened
@formats
def test_a_line_outside_the_time_range_is_excluded_if_the_reference_parser_can_read_it(
    backend: Opened, requests: MakeRequests, match_exactly: bool, most: int, *, name: str
) -> None:
    count = 300 if backend is compiled_kernels else 100
    drawn = random_lines(random.Random(name), name, count)
    read = read_at(backend, requests, (name, match_exactly, cut(drawn)), most=most)
    ticks = sorted(tick for tick, _ in read.rows if tick > 0)
    limits = {"first": ticks[len(ticks) // 3], "last": ticks[2 * len(ticks) // 3]}
    read = read_at(backend, requests, (name, match_exactly, cut(drawn)), most=most, **limits)
    assert EXCLUDED in {code for _, code in read.rows}


@pytest.mark.slow
@backends
@opened
def test_logs_of_several_formats_share_what_is_known_and_are_read_each_by_its_own(
    backend: Opened, requests: MakeRequests, match_exactly: bool, most: int
) -> None:
    rng = random.Random(1)
    logs = [
        (name, match_exactly, cut(random_lines(rng, name, 400))) for name in (*SCANNED, *SCANNED)
    ]
    read_at(backend, requests, *logs, most=most)


@pytest.mark.slow
@backends
@opened
@formats
def test_blocks_that_are_scanned_ahead_are_resolved_by_what_is_known_then(
    backend: Opened, requests: MakeRequests, match_exactly: bool, most: int, *, name: str
) -> None:
    drawn = random_lines(random.Random(name), name, 200)
    read_at(backend, requests, (name, match_exactly, cut(drawn, 10)), most=most, ahead=4)


@backends
@pytest.mark.parametrize("request_text", [b"GET /a", b"POST /a?x=1#y", b"GET /nowhere"])
@pytest.mark.parametrize("requests", [given_by_template, found])
@formats
def test_a_plain_line_with_a_known_request_is_taken_by_the_scanner(
    backend: Opened, requests: MakeRequests, name: str, request_text: bytes
) -> None:
    for status, end in product((b"200", b"503"), (b"", b"\r")):
        line = write(name, request_text, status, end)
        given = requests is given_by_template and request_text != b"GET /nowhere"
        first = 0 if given else 1  # what is given is known from the start
        assert (
            read_at(backend, requests, (name, False, [[line], [line] * 30])).unresolved_count
            == first
        )


@backends
@pytest.mark.parametrize("request_text", [b"GET /users/%d", b"GET /a/%d?x=1", b"PUT /users/%d;x"])
def test_a_request_whose_route_was_found_is_taken_by_the_scanner(
    backend: Opened, request_text: bytes
) -> None:
    lines = [write("combined", request_text % number) for number in range(30)]
    assert read_at(backend, found, ("combined", False, [lines[:1], lines])).unresolved_count == 1


@backends
@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_event_is_taken_by_the_scanner_however_its_file_spaces_them(
    backend: Opened, prefix: bytes
) -> None:
    line = prefix + b'5 GET /a 200"}'
    assert (
        read_at(backend, given_exactly, ("events", True, [[line], [line] * 30])).unresolved_count
        == 0
    )


@backends
@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("requests", [given_exactly, found])
def test_nothing_is_taken_behind_the_end_of_a_recorded_stream(
    backend: Opened, requests: MakeRequests, place: int
) -> None:
    events = [write("events", request) for request in (b"GET /a", b"GET /x", b"GET /a", b"PUT /y")]
    first = [*events[:place], END, *events[place:], b"", END]
    read_at(backend, requests, ("events", True, [events, first, events]), ahead=3)


@pytest.mark.slow
@backends
@pytest.mark.parametrize("segment", [b"a", b"1/", b"\xff"])
@pytest.mark.parametrize("requests", [given_by_template, found])
def test_a_request_of_any_length_is_known_or_left_alone(
    backend: Opened, requests: MakeRequests, segment: bytes
) -> None:
    for length in (1999, 2000, 2001, 2008, 70_000 if backend is compiled_kernels else 5000):
        request = (b"GET /" + segment * length)[:length]
        drawn = [write("plain", text) for text in (request, b"GET /a", request + b"b")]
        read_at(backend, requests, ("plain", False, [drawn]))


@backends
@formats
def test_lines_shorter_than_most_have_room_too(backend: Opened, name: str) -> None:
    read_at(backend, given_exactly, (name, True, [[b""] * 300, [b"5 G / 200"] * 100, [b"x"] * 50]))


@pytest.mark.slow
@backends
@opened
def test_a_table_that_begins_tiny_and_forgets_soon_changes_no_line(
    backend: Opened,
    requests: MakeRequests,
    match_exactly: bool,
    most: int,
    *,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requests_host, "_BUCKETS", 1)
    monkeypatch.setattr(requests_host, "_REMEMBERED", 5)
    rng = random.Random(most)
    requested = [b"GET /" + bytes(rng.choices(b"ab/7", k=rng.randrange(9))) for _ in range(600)]
    blocks = cut([write("plain", request) for request in requested], 50)
    read_at(backend, requests, ("plain", match_exactly, blocks), most=most)


@pytest.mark.slow
@backends
def test_an_arena_that_is_full_grows(backend: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests_host, "_ARENA", 1 << 13)
    requested = [b"GET /%d/%b" % (n, b"a" * 500) for n in range(100)]
    requested += [b"GET /x%d/%b" % (n, b"1/" * 900) for n in range(40)]
    blocks = cut([write("plain", request) for request in requested], 7)
    for requests in (given_by_template, found):
        read_at(backend, requests, ("plain", False, blocks), most=500)


def teapots_fail(status: int) -> bool | None:
    """A rule that knows statuses beyond the usual, and is surprised by others."""
    if status == 999:
        raise LookupError(status)
    return None if 500 <= status <= 599 else status in (20, 418)


@backends
@formats
def test_the_status_rule_of_a_user_judges_what_is_scanned(backend: Opened, name: str) -> None:
    for status in (b"020", b"20", b"0", b"000", b"418", b"200", b"500", b"998"):
        line = write(name, b"GET /a", status)
        read_at(backend, given_by_template, (name, False, [[line], [line] * 30]), rule=teapots_fail)


@backends
@formats
def test_what_a_rule_raises_is_raised_at_its_line_and_not_before(
    backend: Opened, name: str
) -> None:
    read_at(backend, found, (name, False, [[write(name, b"GET /a")]]), rule=teapots_fail)
    with pytest.raises(LookupError):
        read_at(
            backend, found, (name, False, [[write(name, b"GET /a", b"999")]]), rule=teapots_fail
        )


@backends
def test_a_recorded_stream_without_an_access_so_far_is_read_by_the_reference_parser(
    backend: Opened,
) -> None:
    bare = b'16.5 GET /a 500"}'  # what is left of an access without what stands before it
    assert len(read_at(backend, given_exactly, ("events", True, [[bare]])).rejected) == 2
