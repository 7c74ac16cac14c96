"""
The keys of JSON logs: which value of a record is the time, the method, the target, the status.

The names are those that servers write: nginx's usual `escape=json` formats, Caddy, Traefik, Envoy
and Istio, Google's load balancer, AWS API Gateway, Cloudflare, pino, ECS, alp and others. A name is
compared by its letters and digits alone, so `@timestamp` and `Timestamp` are one name, and the
value must be what the name says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from slomon.dates import Undated, read_date
from slomon.formats.layout import Kind, is_complete
from slomon.formats.names import DURATIONS, NAMES, SERVICES, is_virtual_host, simplify
from slomon.formats.requests import split_request
from slomon.formats.times import find_time_form, read_any_time
from slomon.text import quote

Path: TypeAlias = tuple[str, ...]

_SHARE: Final = 0.9  # of the requests among the records
_HOST_SHARE: Final = 0.5  # the others may be requests to an address
_DEEPEST: Final = 5
_SLOW: Final = 10  # seconds: the median of a log is less
_NAMES: Final[Mapping[str, Sequence[str]]] = {
    **{kind.value: names for kind, names in NAMES.items()},
    "time": (*NAMES[Kind.TIME], ""),  # before the object
    "route": ("routekey",),
    "service": SERVICES,
}
_ELSEWHERE: Final = "(?i)upstream|origin_?status|OriginStatus|backend|cache|file|error"
_DURATION: Final = r"[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|s)?"
_METHODS: Final = "[A-Z][A-Z_-]*|get|head|post|put|patch|delete|options"  # as hapi's
_SERVICE: Final = r"[A-Za-z0-9][^\s/;]*"


@dataclass(frozen=True, slots=True)
class JsonKeys:
    """
    The key of each field of a request: `time`, `status`, either `method` and `path` or `request`,
    and `host` if there is one. A dot in a key leads into an object, unless there is a key with that
    dot. The time at the key "" stands before the object. `duration` is a key and the unit of its
    values. `name` is the name of the format.
    """

    fields: Mapping[str, str]
    duration: tuple[str, str] | None = None
    name: str = "json"

    def show(self) -> str:
        """The keys as text for `--json-keys`."""
        return ",".join(f"{field}={key}" for field, key in self.fields.items() if key)


# https://caddyserver.com/docs/caddyfile/directives/log
CADDY: Final = JsonKeys(
    {
        "time": "ts",
        "method": "request.method",
        "path": "request.uri",
        "status": "status",
        "host": "request.host",
    },
    ("duration", "s"),
    "caddy",
)


WITHOUT_HOST: Final = replace(
    CADDY, fields={field: key for field, key in CADDY.fields.items() if field != "host"}
)


@dataclass(frozen=True, slots=True)
class AmbiguousKeys:
    """Two keys of one field that are as likely, with different values."""

    field: str
    keys: tuple[str, str]

    def __str__(self) -> str:
        one, other = self.keys
        return (
            f"the {self.field} may be at {quote(one)} or at {quote(other)}, and their values "
            f"differ; allowed: --json-keys {self.field}={one}, or --json-keys {self.field}={other}"
        )


def choose_keys(
    records: Sequence[object], given: Mapping[str, str] | None = None, *, by_service: bool = False
) -> JsonKeys | AmbiguousKeys | None:
    """
    Return the keys of the requests among JSON records; None if there are no requests. Fields that
    have a key in `given` keep it. If `by_service` is true, the key of the host is that of the
    service.
    """
    given = given or {}
    flat = [dict(_flatten(record)) for record in records if isinstance(record, dict)]
    requests = [record for record in flat if _is_request(record, given)]
    if not requests:
        return None
    paths = {".".join(path): path for path in requests[0]}
    fields: dict[str, Path] = {field: paths.get(key, (key,)) for field, key in given.items()}
    for field in ("request", "method", "path", "status", "time", "host"):
        if field in fields or (field in ("method", "path") and "request" in fields):
            continue
        if field == "request" and not fields.keys().isdisjoint(("method", "path")):
            continue
        what = "service" if by_service and field == "host" else field
        found = _choose(what, requests, fields)
        if isinstance(found, AmbiguousKeys):
            return found
        if field == "time" and found in (None, ("",)):
            found = _find_date_and_clock(requests) or found
        if found is not None:
            fields[field] = found
    route = _choose("route", requests, fields) if not is_complete(fields) else None
    if isinstance(route, tuple) and "path" not in fields:  # of API Gateway
        fields = {field: path for field, path in fields.items() if field != "method"}
        fields["request"] = route
    if not is_complete(fields):
        return None
    return JsonKeys(
        {field: ".".join(path) for field, path in fields.items()}, _find_duration(requests)
    )


def find_missing_keys(record: Mapping[str, object]) -> tuple[str, ...]:
    """The fields of a request that no key of a record is known to be."""
    flat = dict(_flatten(record))
    known = {field for field in _CHECKS if _choose(field, [flat], {})}
    needed = ("time", "status") if "request" in known else ("time", "method", "path", "status")
    return tuple(field for field in needed if field not in known)


def _flatten(record: Mapping[str, object], path: Path = ()) -> Iterator[tuple[Path, str]]:
    for key, value in record.items():
        if isinstance(value, str):
            yield (*path, key), value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield (*path, key), str(value)
        elif isinstance(value, dict) and len(path) < _DEEPEST:
            yield from _flatten(value, (*path, key))


def _is_request(record: Mapping[Path, str], given: Mapping[str, str]) -> bool:
    values = record.items()
    if given:
        keys = {".".join(path) for path in record}
        if not all(key in keys for field, key in given.items() if field != "host"):
            return False
    asked = not given.keys().isdisjoint(("method", "path", "request")) or any(
        (_is_named("method", path) and _is_method(text))
        or (_is_named("request", path) and split_request(text) is not None)
        for path, text in values
    )
    return asked and (
        "status" in given
        or any(_is_named("status", path) and _is_status(text) for path, text in values)
    )


def _choose(
    field: str, records: Sequence[Mapping[Path, str]], others: Mapping[str, Path]
) -> Path | AmbiguousKeys | None:
    valid = _CHECKS[field]
    paths = dict.fromkeys(path for record in records for path in record if _is_named(field, path))
    least = (_HOST_SHARE if field in ("host", "service") else _SHARE) * len(records)
    good = [
        path
        for path in paths
        if (field == "service" or not re.search(_ELSEWHERE, ".".join(path)))
        and sum(bool(valid(record.get(path, ""))) for record in records) >= least
    ]
    if not good:
        return None
    beside = {path[:-1] for path in others.values()}
    ranks = {
        path: (_is_worse(field, path, records, beside), _rank(field, path), len(path))
        for path in good
    }
    best, *rest = sorted(good, key=ranks.__getitem__)
    rivals = [path for path in rest if field == "status" and ranks[path] == ranks[best]]
    for rival in rivals:
        if any(record.get(best) != record.get(rival) for record in records):
            return AmbiguousKeys(field, (".".join(best), ".".join(rival)))
    return best


def _is_worse(
    field: str, path: Path, records: Sequence[Mapping[Path, str]], beside: Container[Path]
) -> bool:
    """
    Is another key the better one, whatever they are called: a status beside other fields of the
    request, a time with a zone, a path that is not always the same, such as the program's own?
    """
    values = [record[path] for record in records if path in record]
    match field:
        case "status":
            return path[:-1] not in beside
        case "time":
            return isinstance(read_any_time(values[0], None), Undated)
        case "path":
            return len(set(values)) == 1
        case _:
            return False


def _find_date_and_clock(records: Sequence[Mapping[Path, str]]) -> Path | None:
    """The keys of a date and, beside it, a time of day, with a space between."""
    names = {_name(path): path for path in records[0] if _name(path) in ("date", "time")}
    if len(names) < 2 or names["date"][:-1] != names["time"][:-1]:
        return None
    date, clock = names["date"], names["time"]
    good = sum(_is_time(f"{one.get(date, '')} {one.get(clock, '')}") for one in records)
    return (*date[:-1], f"{date[-1]} {clock[-1]}") if good >= _SHARE * len(records) else None


def _is_named(field: str, path: Path) -> bool:
    return _rank(field, path) < len(_NAMES[field])


def _rank(field: str, path: Path) -> int:
    names = _NAMES[field]
    own = [_name(path)]
    if field == "service":  # as in {"service": {"name": ...}}
        own.append(simplify("".join(".".join(path).split(".")[-2:])))
    return min((names.index(name) for name in own if name in names), default=len(names))


def _name(path: Path) -> str:
    return simplify(path[-1].rpartition(".")[2])


def _find_duration(records: Sequence[Mapping[Path, str]]) -> tuple[str, str] | None:
    for path in records[0]:
        unit = DURATIONS.get(_name(path))
        texts = [text for record in records if (text := record.get(path))]
        if unit is None or not texts or re.search(_ELSEWHERE, ".".join(path)):
            continue
        if not all(map(_is_duration, texts)):
            continue
        if unit in ("", "s") and all(text[-1].isdigit() for text in texts):
            unit = _guess_unit(texts)
        return ".".join(path), unit
    return None


def _guess_unit(texts: Sequence[str]) -> str:
    """Small decimals are seconds (Caddy), large numbers nanoseconds (ECS), else milliseconds."""
    middle = sorted(map(float, texts))[len(texts) // 2]
    if any("." in text for text in texts) and middle < _SLOW:
        return "s"
    return "ns" if middle > 100_000 else "ms"


def _is_duration(text: str) -> bool:
    return re.fullmatch(_DURATION, text) is not None


def _is_time(text: str) -> bool:
    text = text.strip("[]")
    return find_time_form(text) is not None or (
        len(text) > 12 and not isinstance(read_date(text), Undated)
    )


def _is_method(text: str) -> bool:
    return re.fullmatch(_METHODS, text) is not None


def _is_target(text: str) -> bool:
    return text.startswith("/") or "://" in text or text == "*"


def _is_status(text: str) -> bool:
    return text in ("0", "-") or (len(text) == 3 and text.isdigit() and "100" <= text <= "599")


def _is_service(text: str) -> bool:
    return re.fullmatch(_SERVICE, text) is not None and not _is_duration(text)


_CHECKS: Final[Mapping[str, Callable[[str], object]]] = {
    "time": _is_time,
    "method": _is_method,
    "path": _is_target,
    "request": split_request,
    "route": split_request,
    "status": _is_status,
    "host": is_virtual_host,
    "service": _is_service,
}
