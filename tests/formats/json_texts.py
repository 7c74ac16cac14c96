"""Lines of JSON logs, which go where a scanner is likely to be wrong."""

from __future__ import annotations

from typing import Final, TypeAlias

from slomon.formats.json_keys import CADDY, JsonKeys
from slomon.formats.layout import Field, Kind
from tests.formats.lines import damage
from tests.strategies import Pick

JSON: Final = {
    "json-nginx": JsonKeys(
        {"time": "time_local", "request": "request", "status": "status", "host": "http_host"}
    ),
    "json-caddy": CADDY,
    "json-google": JsonKeys(
        {
            "time": "timestamp",
            "method": "httpRequest.requestMethod",
            "path": "httpRequest.requestUrl",
            "status": "httpRequest.status",
        }
    ),
    "json-ecs": JsonKeys(
        {
            "time": "@timestamp",
            "method": "http.request.method",
            "path": "url.original",
            "status": "http.response.status_code",
            "host": "url.domain",
        }
    ),
    "json-short": JsonKeys({"time": "t", "method": "m.", "path": "", "status": "s"}),
}
"""Keys of JSON logs by the names of their formats."""

_FORMS: Final = {
    "json-nginx": ("clf", "iso"),
    "json-caddy": ("seconds", "seconds", "milliseconds", "nanoseconds"),
    "json-google": ("iso", "slashes"),
    "json-ecs": ("iso", "ctime", "microseconds"),
    "json-short": ("seconds", "clf"),
}
_MOSTLY: Final = (*[True] * 9, False)
_NEARLY_ALWAYS: Final = (*[True] * 29, False)
_NUMBERS: Final = (
    *(b"0", b"-1", b"1.5", b"2e3", b"-0.0E-7", b"9007199254740993", b"1" * 40, b"0.1e+1"),
    *(b"01", b"1.", b".5", b"-", b"+1", b"1e", b"1e+", b"0x1", b"1_0", b"NaN", b"-Infinity"),
)
_STRINGS: Final = (
    *(b'""', b'"x"', b'"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML)"', b'"{}[],:"'),
    *(b'"\\""', b'"a\\\\"', b'"\\/\\b\\f\\n\\r\\t"', b'"\\u00e9\\uD83D"', b'"\\u12"', b'"\\x22"'),
    *(b'"\\', b'"a', b'"\t"', b'"\x7f"', b'"\x1f"', b'"\xc3\xa9"', b'"\xff"', b'"\\u00g0"', b"'x'"),
    *(b'"' + b"0123456789abcdef" * size + b'"' for size in (2, 3, 4)),
)
_LITERALS: Final = (b"true", b"false", b"null", b"True", b"nul", b"falsey", b"")
_LISTS: Final = (
    *(b"[]", b"{}", b'["*/*"]', b'[{"a":[]},{}]', b'{"a":{"b":[1,2,{"c":null}]}}', b"[ 1 , 2 ]"),
    *(b"[" * 59 + b"]" * 59, b"[" * 61 + b"]" * 61, b'{"status":500}', b'{"a":1,"a":2}'),
    *(b"[1,]", b"[,1]", b'{"a":1,}', b"{,}", b'{"a"}', b'{"a":}', b"[}", b'{"a":1]', b"[1 2]"),
    *(b'{"a" : 1}', b'{ "a":1 }', b"{1:2}", b'{"a" 1}', b'{"\\u0061":1}', b"[\t1]", b'{"a\\x":1}'),
)
_OTHERS: Final = (
    *(b"level", b"msg", b"request_time", b"statuses", b"upstream_response_time", b"resp_headers"),
    *(b"status", b"request", b"http", b"url", b"", b"m", b"s", b"a\\u0062", b"t\xc3\xa9", b"\\x"),
)
_PREFIXES: Final = (b"caddy  | ", b"\xff ", b"\xc3\xa9 ", b"x{} ", b"{", b"[", b" ")
_ENDS: Final = (b",", b" , ", b"\r", b" ", b",,", b"\t", b"}", b"]", b"x", b"\xc2\xa0", b", \r")

_Entries: TypeAlias = "list[tuple[bytes, bytes | _Entries]]"


def draw_json(pick: Pick, name: str, write: object) -> bytes:
    """
    A JSON line, without its end: plain, or with unusual keys and values, or damaged. `write` draws
    the text of a field.
    """
    assert callable(write)
    entries: _Entries = []
    for field, key in JSON[name].fields.items():
        kind = Kind[field.upper()]
        form = pick(_FORMS[name]) if kind is Kind.TIME else ""
        text = write(pick, Field(name=field, kind=kind, form=form))
        for _ in range(pick((*[1] * 48, 0, 2))):
            _put(pick, entries, _draw_path(pick, key), _quote(pick, text))
    for _ in range(pick(range(8))):
        _put(
            pick,
            entries,
            (pick(_OTHERS[:6] if pick(_NEARLY_ALWAYS) else _OTHERS),),
            _draw_value(pick),
        )
    comma, colon = pick(((b",", b":"), (b",", b":"), (b", ", b": "), (b" ,", b" :  ")))
    line = _show(pick, entries, comma, colon)
    line = (b"" if pick(_MOSTLY) else pick(_PREFIXES)) + line
    for _ in range(pick((*[0] * 12, 1, 1, 2, 4))):
        line = damage(pick, line)
    return line + (b"" if pick(_MOSTLY) else pick(_ENDS))


def _draw_path(pick: Pick, key: str) -> tuple[bytes, ...]:
    """A dot in a key leads into an object, or is a part of the key."""
    parts = [part.encode() for part in key.split(".")]
    while len(parts) > 1 and not pick(_MOSTLY):
        at = pick(range(len(parts) - 1))
        parts[at : at + 2] = [parts[at] + b"." + parts[at + 1]]
    return tuple(parts)


def _put(pick: Pick, entries: _Entries, path: tuple[bytes, ...], value: bytes) -> None:
    for key in path[:-1]:
        inner = next((one for name, one in entries if name == key and isinstance(one, list)), None)
        if inner is None or not pick(_NEARLY_ALWAYS):
            inner = []
            entries.insert(pick(range(len(entries) + 1)), (key, inner))
        entries = inner
    entries.insert(pick(range(len(entries) + 1)), (path[-1], value))


def _draw_value(pick: Pick) -> bytes:
    pool = pick((_STRINGS, _STRINGS, _NUMBERS, _LITERALS, _LISTS))
    return pick(pool[: len(pool) // 3]) if pick(_NEARLY_ALWAYS) else pick(pool)


def _quote(pick: Pick, text: bytes) -> bytes:
    """The text of a field as JSON, or another value in its place."""
    if not pick(_NEARLY_ALWAYS):
        return _draw_value(pick)
    if text[:1].isdigit() and text.replace(b".", b"").isdigit() and pick((True, False)):
        return text
    if pick(_MOSTLY):
        text = text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"' + text + b'"'


def _show(pick: Pick, entries: _Entries, comma: bytes, colon: bytes) -> bytes:
    space = b"" if pick(_NEARLY_ALWAYS) else pick((b" ", b"  ", b"\t", b"\r"))
    shown = [
        b'"'
        + key
        + b'"'
        + colon
        + (_show(pick, value, comma, colon) if isinstance(value, list) else value)
        for key, value in entries
    ]
    return b"{" + space + comma.join(shown) + space + b"}"
