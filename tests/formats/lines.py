"""
Lines of the formats that are scanned, which go where a scanner is likely to be wrong.

They are drawn through a narrow `pick`, as the streams are: with Hypothesis, which shrinks, or with
a seeded generator, which is fast.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

from hypothesis import strategies as st

from tests.strategies import Pick

SCANNED = ("plain", "events", "combined")

PREFIXES = (b'{"type": "access", "value": "', b'{"type":"access","value":"')

# Each pool stands with its plainest value first, since that is what shrinking moves towards.
WHOLES = (
    b"5", b"1543443091", b"0", b"12345678", b"123456789", b"9223372035", b"9223372036",
    b"9223372037", b"9999999999", b"0000000005", b"00000000005", b"12345678901", b"1234567",
    b"", b"-5", b"+5", b" 5", b"5e9", b"\xd9\xa5", b"\x005",
)  # fmt: skip
FRACTIONS = (
    b"", b".5", b".2745", b".1234567", b".12345678", b".123456789", b".999999999",
    b".854775807", b".854775808", b".1234567890", b".0000000001", b".", b".5.5", b".5x",
)  # fmt: skip
VERBS = (b"GET", b"POST", b"M-SEARCH", b"get", b"G", b"G?T", b"G#T", b"-", b"1", b"", b'"', b"\xff")
PATHS = (
    b"/a", b"/", b"/users/7", b"/users/12345", b"*",
    b"/ab", b"/abc", b"/abcd", b"/abcdefghij", b"/abcdefghijk", b"/abcdefghijkl",
    b"/a?x=1", b"/a?", b"/?", b"?", b"/a??b", b"/a?x#y", b"/a#x?y", b"/a#", b"#",
    b"/a?x=\\", b"/a\\",
    b"http://shop.example.com/a", b"http://shop.example.com?a", b"http://x/a?y",
    b"//", b"/7/8/9?7", b"/0123456789abcdef0/x", b"/{id}", b"",
    b"/a b", b"/a?x y", b"/a  b", b'/"', b'/a?"', b"/\\xff", b"/\\\\xff", b"/\\u00e9", b"/\xc3\xa9",
    b"/\xff", b"/a?\xff", b"/a?\xc3\xa9", b"/\x00", b"/a?\x00", b"/a\x7f", b"/a?\x7f",
    b"/a\t", b"/a?\t", b"/a HTTP/1.1", b"/\xe2\x80\xa8", b"/a\xc2\xa0",
)  # fmt: skip
STATUSES = (
    b"200", b"500", b"404", b"100", b"599", b"503", b"99", b"600", b"999", b"020", b"20", b"0200",
    b"2000", b"0", b"", b"-", b"2x0", b"\xb2\xb2\xb2", b"20 ",
)  # fmt: skip
HOSTS = (
    b"192.0.2.1 - -", b"shop.example.com:443 192.0.2.1 - -", b"192.0.2.1 - eve x", b" a  b  c",
    b"a b", b"a b ", b"a", b"", b'"a b c', b"a b c [d]", b"a [b c", b"a b c [17/May/2015:10:05:03]",
    b"\xff b c",
)  # fmt: skip
DAYS = (b"17", b"01", b"29", b"28", b"30", b"31", b"00", b"32", b"7", b"+7", b" 7")
MONTHS = (
    *(b"May", b"Jan", b"Feb", b"Mar", b"Apr", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov"),
    *(b"Dec", b"Foo", b"may", b"Mai", b"   "),
)
YEARS = (
    b"2015", b"2016", b"2000", b"1900", b"2100", b"2024", b"1970", b"1971", b"1969", b"2261",
    b"2262", b"2263", b"0000", b"9999", b"201", b"20155",
)  # fmt: skip
TIMES = (
    b"10:05:03", b"00:00:00", b"23:59:59", b"24:00:00", b"23:60:00", b"23:59:60", b"1:05:03",
    b"10-05-03", b"10:05:03.5", b"100:5:03", b"10:05:3",
)  # fmt: skip
ZONES = (
    b"+0000", b"-0530", b"+0900", b"+1400", b"-1200", b"+2359", b"-2359", b"+2400", b"+0060",
    b"-0000", b"0000", b"+000", b"+00000", b"Z", b" 0000",
)  # fmt: skip
PROTOCOLS = (
    b" HTTP/1.1", b" HTTP/1.0", b" HTTP/2", b" HTTP/2.0", b" HTTP/11", b" HTTP/1.", b" HTTP/1.10",
    b" HTTP/", b" HTTP/x", b" http/1.1", b"  HTTP/1.1", b" FTP/1.1", b" HTTP/1.1 ", b"",
)  # fmt: skip
# What stands after the request, with %b for the status.
RESTS = (
    b'" %b 512', b'" %b', b'" %b 512 "-" "curl/8.0"', b'" %b ', b'"  %b 512', b" %b 512",
    b'"%b 512', b'" %b512', b'" %b-', b'" %b "GET /b HTTP/1.1" 500 1', b'" x" %b 5',
    b'\\" 200 5" %b 5', b'" %b\t',
)  # fmt: skip
OPENINGS = (b" [", b" [", b" [", b"[", b"  [")
CLOSINGS = (b'] "', b'] "', b'] "', b']  "', b"] ", b'"')
SUFFIXES = (b'"}', b'"}', b'"}', b"", b'"', b'" }', b'"} ')
ENDS = (b"", b"\r", b"\r\r", b" ", b" \r", b"\x0b", b"\x00", b'"')
UNRESOLVED = (
    b"", b" ", b"\r", b"\t \x0b", b"\xe2\x80\xa8", b"x\xff\xfe", b"{}", b"[]", b"null", b'"text"',
    b'{"type": "change", "value": "commit: c1\\nAuthor: <a@x.org>\\nDate: today\\nService: shop"}',
    b'{"type": "change", "value": "commit: c2\\nAuthor: <a@x.org>\\nDate: today\\nService: other"}',
    b'{"type": "access", "value": "5 GET /a 200", "value": "6 GET /b 500"}',
    b'{"type": "access", "value": "5 GET /\\ud800 200"}',
    b'{"type": "access", "value": "5 GET /\\" 200"}',
    b'{"type": "access", "value": "5 GET /\\\\xff 200"}',
    b'{"type": "access", "value": "5 GET /a\\n 200"}',
    b'{"type": "access", "value": "5 GET /a 200"} ',
    b'{"type": "access",  "value": "5 GET /a 200"}',
)  # fmt: skip


def _mostly(pick: Pick, pool: Sequence[bytes]) -> bytes:
    """One of the three plain ones, nearly always: else hardly a whole line would be plain."""
    return pick(pool[:3]) if pick(_NEARLY_ALWAYS) else pick(pool)


def _request(pick: Pick) -> bytes:
    if pick((True, True, True, False)):
        return _mostly(pick, VERBS) + b" " + _mostly(pick, PATHS)
    return _LONG_REQUEST[: pick(range(5, 40))]  # of any length around the edges of words


def _plain(pick: Pick) -> bytes:
    stamp = _mostly(pick, WHOLES) + _mostly(pick, FRACTIONS)
    return b" ".join((stamp, _request(pick), _mostly(pick, STATUSES)))


def _event(pick: Pick) -> bytes:
    return pick(PREFIXES) + _plain(pick) + _mostly(pick, SUFFIXES)


def _combined(pick: Pick) -> bytes:
    date = b"/".join((_mostly(pick, DAYS), _mostly(pick, MONTHS), _mostly(pick, YEARS)))
    return b"".join(
        (
            *(_mostly(pick, HOSTS), _mostly(pick, OPENINGS)),
            *(date, b":", _mostly(pick, TIMES), b" ", _mostly(pick, ZONES)),
            *(_mostly(pick, CLOSINGS), _request(pick), _mostly(pick, PROTOCOLS)),
            _mostly(pick, RESTS).replace(b"%b", _mostly(pick, STATUSES)),
        )
    )


def damage(pick: Pick, line: bytes) -> bytes:
    """One byte put in, put in place of another, or taken out; or all cut off from there."""
    place = pick(range(len(line) + 1))
    stop = pick((place, place + 1, place + 1, len(line)))
    put = bytes([pick(_BYTES)]) if stop == place or pick((True, False)) else b""
    return line[:place] + put + line[stop:]


def _line(pick: Pick, name: str) -> bytes:
    kind = pick((*["whole"] * 6, "ended", "ended", "damaged", "unresolved"))
    if kind == "unresolved":
        return pick(UNRESOLVED)
    line = _WRITERS[name](pick)
    if kind == "whole":
        return line
    return damage(pick, line) if kind == "damaged" else line + pick(ENDS)


_WRITERS: Final[dict[str, Callable[[Pick], bytes]]] = {
    "plain": _plain,
    "events": _event,
    "combined": _combined,
}
_NEARLY_ALWAYS: Final = (*[True] * 11, False)
_LONG_REQUEST: Final = b"GET /" + b"abcdefg/" * 5
_BYTES: Final = (
    *b' "\\?#[]/.:0123456789\r\x00\xff{}',
    *(byte for byte in range(256) if byte != 10),
)


def random_lines(rng: random.Random, name: str, count: int) -> list[bytes]:
    """So many lines of a format, without their ends, and what may stand among them."""
    pick: Pick = rng.choice
    return [_line(pick, name) for _ in range(count)]


@st.composite
def lines(draw: st.DrawFn, name: str) -> bytes:
    """A line of a format, without its end, or what may stand among them."""
    return _line(lambda pool: draw(st.sampled_from(pool)), name)
