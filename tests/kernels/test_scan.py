"""The scanner: stamps, dates and texts to their limits, and the same columns in each backend."""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon.compiled import line_reader as reader_host
from slomon.compiled.backend import CompiledBackend
from slomon.kernels.codes import EXCLUDED
from slomon.kernels.scan import FOR_REFERENCE, UNKNOWN, UNKNOWN_FAILED, UNRESOLVED
from slomon.kernels.swar import PADDING
from slomon.log_replay.lines import Block
from slomon.sources.source import OversizedLine
from tests.compiled.kernels import BACKENDS, Opened, compiled_kernels, uncompiled_kernels
from tests.compiled.reading import BlockReading, found, given_by_template, read_at
from tests.formats.lines import PREFIXES, SCANNED, random_lines

formats = pytest.mark.parametrize("name", SCANNED)
MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    *("jan", "DEC", "Foo", "\0\0\0"),
)


def scan(backend: Opened, name: str, known: list[bytes], text: bytes) -> tuple[object, ...]:
    """All that the scanner writes for a text, with some requests in its table."""
    with backend() as library:
        reading = BlockReading(CompiledBackend(library), given_by_template)
        log = reading.log(name, PREFIXES[0], match_exactly=False)
        reading.read(log, [known])
        block = Block(bytearray(text + bytes(PADDING)), length=len(text))
        block.log = log
        reading.settler.scan(block)
        columns = block.ticks[: block.rows], block.codes[: block.rows]
        return *(column.tolist() for column in columns), block.unresolved[
            : block.unresolved_count * UNRESOLVED
        ].tolist()


@formats
@pytest.mark.parametrize("seed", range(4))
def test_the_scanner_writes_the_same_columns_in_each_backend(name: str, seed: int) -> None:
    rng = random.Random(f"{name} {seed}")
    known = random_lines(rng, name, 200)
    text = b"".join(line + b"\n" for line in [*random_lines(rng, name, 400), *known])
    at_once = scan(compiled_kernels, name, known, text)
    assert at_once == scan(uncompiled_kernels, name, known, text)
    codes = at_once[1]
    assert isinstance(codes, list)
    assert {UNKNOWN, UNKNOWN_FAILED} < set(codes)
    assert max(codes) >= 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_line_outside_the_time_range_is_excluded_if_every_format_can_read_its_request(
    backend: Opened,
) -> None:
    lines = [b"4 GET /a 200", b"5 GET /b 200", b"9 GET /b 500", b"10 GET /b 500", b"4 GET /a 700"]
    odd = [b"4 GET /a\x80 200", b"4 7 /a 200", b"4 GET /a\\ 200", b"4 GET /a#b 200", b"4 GET a 200"]
    with backend() as library:
        backend_ = CompiledBackend(library)
        reading = BlockReading(backend_, given_by_template, first=5 * 10**9, last=9 * 10**9)
        text = b"\n".join(lines + odd) + b"\n"
        block = Block(bytearray(text + bytes(PADDING)), length=len(text))
        block.log = reading.log("plain", b"", match_exactly=False)
        reading.settler.scan(block)
        codes = block.codes[: block.rows].tolist()
    assert codes[:5] == [EXCLUDED, UNKNOWN, UNKNOWN_FAILED, EXCLUDED, FOR_REFERENCE]
    assert set(codes[5:]) == {FOR_REFERENCE}


@formats
@settings(deadline=None)
@given(st.binary(max_size=200).map(lambda data: data + b"\n"))
def test_whatever_the_bytes_both_backends_write_the_same(name: str, text: bytes) -> None:
    assert scan(compiled_kernels, name, [], text) == scan(uncompiled_kernels, name, [], text)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("rows", [0, 1, 2, 5, 100])
@pytest.mark.parametrize("careful_before", [0, 1, 60])
def test_a_block_that_was_used_before_has_room_for_more_and_shorter_lines(
    backend: Opened, rows: int, careful_before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_host, "_SHORT_LINE", 10)
    line = b"5 GET /a 200\n"
    block = Block(bytearray(line * 100 + bytes(PADDING)))
    with backend() as library:
        reading = BlockReading(CompiledBackend(library), found)
        block.log = reading.log("plain", b"", match_exactly=False)
        if careful_before == 1:
            block.oversized = OversizedLine(b"5 GET /", 2_000_000, "it is too long")
            reading.reference.resolve(block)
            block.oversized = None
        elif careful_before:
            block.length = careful_before * len(line)
            reading.reference.scan(block)
            reading.reference.resolve(block)
        for count in (rows, 100, rows, 100):
            block.length, block.at = count * len(line), 0
            reading.settler.scan(block)
            assert (block.rows, block.unresolved_count) == (count, count)
            assert block.unresolved[: count * UNRESOLVED : UNRESOLVED].tolist() == list(
                range(count)
            )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["plain", "events"])
def test_a_stamp_of_any_width_is_the_tick_that_the_reference_parser_reads(
    backend: Opened, name: str
) -> None:
    # by the number of digits before the point and behind it: -1 has no point
    widths = product(range(13), range(-1, 12))
    stamps = [
        (digit * whole, "" if fraction < 0 else "." + other * fraction)
        for whole, fraction in widths
        for digit, other in ("10", "09", "95", "19")
    ]
    before, after = (PREFIXES[0], b'"}') if name == "events" else (b"", b"")
    drawn = [before + f"{''.join(stamp)} GET /a 200".encode() + after for stamp in stamps]
    read_at(backend, given_by_template, (name, False, [drawn[:1], drawn]))


@settings(deadline=None)
@given(st.integers(9_223_372_030, 9_223_372_040), st.integers(0, 10**9 - 1) | st.just(854_775_807))
def test_the_last_ticks_there_are_can_be_read(seconds: int, nanoseconds: int) -> None:
    line = b"%d.%09d GET /a 200" % (seconds, nanoseconds)
    read_at(compiled_kernels, given_by_template, ("plain", False, [[line]]))


def combined(date: str) -> bytes:
    return f'192.0.2.1 - - [{date}] "GET /a HTTP/1.1" 200 512'.encode()


@pytest.mark.slow
def test_every_date_at_the_edges_of_a_month_is_that_of_the_calendar() -> None:
    # Around each year that is a leap year or not as no other is, and the first and last ones.
    years = [*range(1968, 1977), *range(1996, 2005), *range(2096, 2105), *range(2256, 2265)]
    dates = [
        f"{day}/{month}/{year}:12:34:56 +0000"
        for year, month in product(years, MONTHS)
        for day in ("00", "01", "28", "29", "30", "31", "32")
    ]
    read_at(compiled_kernels, given_by_template, ("combined", False, [list(map(combined, dates))]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_day_of_the_calendar_and_every_zone_is_taken_by_the_scanner(backend: Opened) -> None:
    days = [date(2016, 1, 1) + timedelta(number) for number in range(366)]
    dates = [f"{day:%d}/{MONTHS[day.month - 1]}/2016:23:59:59 +0000" for day in days]
    zones = ("+0000", "-0000", "+2359", "-2359", "+2300", "+0530", "-1200")
    dates += [f"01/Jan/1971:00:00:00 {zone}" for zone in zones]
    dates += [f"31/Dec/2261:23:59:59 {zone}" for zone in zones]
    lines = list(map(combined, dates))
    assert read_at(backend, given_by_template, ("combined", False, [lines])).unresolved_count == 0


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_times_and_zones_have_edges(backend: Opened) -> None:
    times = [
        f"{hour:02}:{minute:02}:{second:02}"
        for hour, minute, second in product((0, 9, 23, 24, 99), (0, 59, 60), (0, 59, 60, 61))
    ]
    zones = [
        f"{sign}{hours:02}{minutes:02}"
        for sign, hours, minutes in product("+- *", (0, 1, 14, 23, 24), (0, 30, 59, 60))
    ]
    pairs = {*product(times, zones[::9]), *product(times[::9], zones)}
    dates = [
        f"{day}:{time} {zone}"
        for day in ("01/Jan/1970", "01/Jan/1971", "31/Dec/2261", "11/Apr/2262", "29/Feb/2016")
        for time, zone in sorted(pairs)
    ]
    read_at(backend, given_by_template, ("combined", False, [list(map(combined, dates))]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_date_that_differs_from_the_one_before_in_any_byte_is_read_anew(backend: Opened) -> None:
    date = "17/May/2015:10:05:03 +0000"
    dates = [date]
    for place in range(len(date)):
        for byte in "0192:/ +-yrJ":
            dates += [date[:place] + byte + date[place + 1 :], date]
    read_at(backend, given_by_template, ("combined", False, [list(map(combined, dates))]))


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@formats
def test_a_line_with_any_byte_anywhere_is_what_the_reference_parser_takes_it_for(
    backend: Opened, name: str
) -> None:
    whole = {
        "plain": b"5.25 GET /a?b=1 200\r",
        "events": PREFIXES[0] + b'5.25 GET /a?b=1 200"}\r',
        "combined": combined("17/May/2015:10:05:03 +0000").replace(b"/a", b"/a?b=1") + b"\r",
    }[name]
    known = [whole, whole.replace(b"?b=1", b"")]
    special = b'\x00\r "#?[]\\0259:/AHz\x7f\x80\xff'
    for requests in (given_by_template, found):
        all_bytes = requests is found and backend is compiled_kernels
        drawn = [
            whole[:place] + bytes([byte]) * (byte != 10) + whole[stop:]
            for place in range(len(whole) + 1)
            for stop in (place, place + 1)
            for byte in (range(256) if stop > place and all_bytes else special)
        ]
        read_at(backend, requests, (name, False, [known, drawn]))
