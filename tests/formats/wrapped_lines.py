"""Lines in wrappers that a scanner takes off, which go where it is likely to be wrong."""

from __future__ import annotations

from typing import Final

from tests.formats.lines import damage
from tests.strategies import Pick

WRAPPED: Final = (
    *("docker/json-nginx", "docker/combined", "docker/host-last", "cri/json-caddy", "cri/vhost"),
    *("cri/combined", "journald/json-ecs", "journald/csv", "loki/nginx-host"),
)
"""The names of formats in wrappers."""

_MOSTLY: Final = (*[True] * 19, False)
_TIMES: Final = (
    *(b"2018-07-07T23:13:12.123456789Z", b"2018-07-07T23:13:12+02:00", b"2018-07-07T23:13:12Z"),
    *(b"2018-07-07T23:13:12.5-0530", b"2018-07-07 23:13:12Z", b"2018-07-07T23:13:12.Z"),
    *(b"2018-07-07T23:13:12", b"2018-07-07T23:13:1:Z", b"12018-07-07T23:13:12Z", b""),
    *(b"2018-07-07T23:13:12+02:0", b"2018-07-07T23:13:12+02:000", b"2018-07-07T23:13:12 Z"),
)
_STREAMS: Final = (b" stdout ", b" stderr ", b" stdin ", b"  stdout ")
_TAGS: Final = (b"F ", b"F ", b"P ", b"F", b"F:x ", b"F  ", b"f ", b"P:x ")
_KEYS: Final = {"docker": b"log", "journald": b"MESSAGE", "loki": b"line"}
_OTHERS: Final = {
    "docker": (
        *(b'"stream":"stdout"', b'"time":"2018-07-07T23:13:12.1Z"', b'"attrs":{"a":"b"}'),
        *(b'"stream":"stderr"', b'"log":"x\\n"', b'"stream":null', b'"log":5', b'"a":'),
    ),
    "journald": (
        *(b'"__REALTIME_TIMESTAMP":"1531005192000000"', b'"PRIORITY":"6"', b'"_PID":"1"'),
        *(b'"__REALTIME_TIMESTAMP":1', b'"MESSAGE":[71,69,84]', b'"_SYSTEMD_UNIT":"x"', b'"a":'),
    ),
    "loki": (
        *(b'"labels":{"app":"shop"}', b'"timestamp":"2018-07-07T23:13:12Z"', b'"b":[1, 2]'),
        *(b'"labels":[]', b'"line":null', b'"label":{}', b'"a":'),
    ),
}
_ENDS: Final = {
    "docker": (b"\\n", b"\\r\\n", b"", b"\\r", b"\\n\\n", b"\\n\\r", b"\\r\\r\\n", b"\\u000a"),
    "journald": (b"", b"\\n", b"\\r\\n", b"\\r", b"\\n\\n", b"\\n\\r"),
    "loki": (b"", b"\\n", b"\\r\\n", b"\\r", b"\\t\\n"),
}
_ESCAPES: Final = {
    **{bytes([byte]): b"\\u%04x" % byte for byte in range(32)},
    b"\t": b"\\t",
    b"\r": b"\\r",
    b'"': b'\\"',
    b"\\": b"\\\\",
}
_SOMETIMES: Final = {b"&": b"\\u0026", b"/": b"\\/", b"<": b"\\u003C", b"a": b"\\u0061"}


def wrap_line(pick: Pick, wrapper: str, line: bytes) -> bytes:
    """A line in a wrapper, without its end: plain, or an unusual wrapper, or damaged."""
    if not pick(_MOSTLY):
        line = line[: pick(range(9))]
    if wrapper == "cri":
        wrapped = b"".join((*(_mostly(pick, pool) for pool in (_TIMES, _STREAMS, _TAGS)), line))
    else:
        wrapped = _write_object(pick, wrapper, _escape(pick, line) + _mostly(pick, _ENDS[wrapper]))
    for _ in range(pick((*[0] * 15, 1, 2))):
        wrapped = damage(pick, wrapped)
    return wrapped + _mostly(pick, (b"", b"", b"\r", b" ", b",", b"\r\r", b"x"))


def _write_object(pick: Pick, wrapper: str, text: bytes) -> bytes:
    entries = [b'"%b":"%b"' % (_KEYS[wrapper], text), *_OTHERS[wrapper][:2]]
    if not pick(_MOSTLY):
        entries.insert(pick(range(4)), pick(_OTHERS[wrapper]))
    if not pick(_MOSTLY):
        entries.pop(pick(range(3)))
    if not pick(_MOSTLY):
        entries.reverse()
    return _mostly(pick, (b"{", b"{", b" {", b"[", b"")) + b",".join(entries) + b"}"


def _escape(pick: Pick, line: bytes) -> bytes:
    """The bytes of a line in a JSON string, with some escapes that are not needed."""
    escapes = _ESCAPES if pick(_MOSTLY) else {**_ESCAPES, **_SOMETIMES}
    return b"".join(escapes.get(bytes([byte]), bytes([byte])) for byte in line)


def _mostly(pick: Pick, pool: tuple[bytes, ...]) -> bytes:
    return pick(pool[:2]) if pick(_MOSTLY) else pick(pool)
