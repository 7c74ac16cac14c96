"""
Wrappers: what the tools that carry logs put around each line, taken off before any format reads it.

A prefix in front of a layout becomes the first fields of a longer layout. Any other wrapper is
taken off line by line. The parts of a line that a container runtime has split are joined. If a
program writes no time, because the wrapper has one, the time of the wrapper stays before its text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from slomon.core.events import Malformed
from slomon.formats.format import Format, Item, Reading, Switch
from slomon.formats.layout import Kind, Layout, parse_layout
from slomon.formats.layout_lines import make_parser
from slomon.formats.names import NAMES, choose_service_of, simplify

_LONGEST: Final = 1 << 20  # characters of a line that is joined


_Unwrap: TypeAlias = "Callable[[str], Content | None]"


class Content(NamedTuple):
    """The text in a wrapper. If it is not `complete`, the text of the next line continues it."""

    text: str
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Wrapper:
    """
    A wrapper by name. `unwrap` returns the content of a line, or None if the line has no such
    wrapper. If the wrapper is a mere prefix, `prefix` is its layout, or "" if none describes it.
    """

    name: str
    unwrap: _Unwrap
    prefix: str | None = None


def find_wrapper(lines: Sequence[str]) -> Wrapper | None:
    """The first wrapper that most of these lines have; None if there is none."""
    return next((wrapper for wrapper in WRAPPERS.values() if _wraps_most(wrapper, lines)), None)


def keep_time(wrapper: Wrapper) -> Wrapper | None:
    """The wrapper whose contents begin with its time; None if it has none."""
    return _TIMED.get(f"{wrapper.name}-time")


def unwrap_lines(wrapper: Wrapper, lines: Sequence[str]) -> list[str]:
    """The contents of the lines that have the wrapper."""
    contents: list[str] = []
    pending = ""
    for line in lines:
        content = wrapper.unwrap(line)
        if content is not None:
            pending += content.text
            if content.complete:
                contents.append(pending)
                pending = ""
    return contents


def wrap_format(wrapper: Wrapper, inner: Format, reading: Reading, pending: str = "") -> Format:
    """
    The format of lines of the format `inner` in a wrapper. `pending` is the beginning of a line
    that the next line continues.
    """
    name = f"{wrapper.name}/{inner.name}"
    if wrapper.prefix and isinstance(inner.layout, Layout):
        layout = parse_layout(wrapper.prefix + inner.layout.show(), name)
        layout = choose_service_of(layout) if reading.by_service else layout
        parse_whole = make_parser(layout, reading.is_failure, reading.zone)
        spec = f"{wrapper.name}>{inner.spec}"
        return Format(name, parse_whole, layout=layout, spec=spec, zone=reading.zone)

    def continued(pending: str) -> Format:
        """The format of the next line, if `pending` is the beginning of it."""

        def parse(line: str) -> Item | Switch:
            content = wrapper.unwrap(line)
            if content is None:
                return Malformed(line, f"it is not wrapped as the log of {wrapper.name} is")
            text = pending + content.text if pending else content.text
            if not content.complete:
                return Switch(None, continued(text[:_LONGEST]))
            read = inner.parse(text)
            if isinstance(read, Switch):
                return Switch(read.item, wrap_format(wrapper, read.format, reading))
            return Switch(read, whole) if pending else read

        state = f"|{json.dumps(pending)}" if pending else ""
        return Format(name, parse, inner.ordered, spec=f"{wrapper.name}{state}>{inner.spec}")

    whole = continued("")
    if inner.layout is not None:
        whole = replace(whole, wrapper=wrapper.name, inner=inner)
    return continued(pending) if pending else whole


def split_spec(spec: str) -> tuple[Wrapper, str, str] | None:
    """The wrapper, the pending text and the inner `spec` of a wrapped format's `spec`."""
    found = re.match(_SPEC, spec)
    name = found["name"] if found else ""
    wrapper = WRAPPERS.get(name) or _TIMED.get(name)
    if found is None or wrapper is None:
        return None
    return wrapper, json.loads(found["pending"] or '""'), spec[found.end() :]


def _wraps_most(wrapper: Wrapper, lines: Sequence[str]) -> bool:
    others = (line for line in lines if wrapper.unwrap(line) is None)
    half = (len(lines) + 1) // 2
    return bool(lines) and len(list(islice(others, half))) < half


def _cut(pattern: re.Pattern[str], line: str) -> Content | None:
    found = pattern.match(line)
    return Content(line[found.end() :]) if found else None


def _prefix(name: str, pattern: str, prefix: str) -> Wrapper:
    return Wrapper(name, partial(_cut, re.compile(pattern)), prefix)


def _unwrap_cri(line: str) -> Content | None:
    found = _CRI.match(line)
    return Content(line[found.end() :], found["tag"] == "F") if found else None


def _unwrap_colours(line: str) -> Content | None:
    text, count = _COLOURS.subn("", line)
    return Content(text) if count else None


def _read_object(line: str, *keys: str) -> dict[str, object] | None:
    """The JSON object of a line if it has one of these keys."""
    if not line.startswith("{") or not any(f'"{key}"' in line for key in keys):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _unwrap_docker(line: str) -> Content | None:
    record = _read_object(line, "stream") or {}
    text = record.get("log")
    if not isinstance(text, str) or "stream" not in record:
        return None
    # Only Docker splits lines. Fluent Bit joins them, and adds keys.
    complete = text.endswith("\n") or not record.keys() <= _DOCKER
    return Content(text.removesuffix("\n").removesuffix("\r"), complete)


def _unwrap_journal(line: str) -> Content | None:
    record = _read_object(line, "__REALTIME_TIMESTAMP", "_SYSTEMD_UNIT", "__CURSOR") or {}
    message = record.get("MESSAGE")
    if isinstance(message, list):  # of bytes, if the text is no UTF-8
        try:
            message = bytes(message).decode("utf-8", "backslashreplace")
        except (TypeError, ValueError):
            return None
    return Content(message.rstrip("\r\n")) if isinstance(message, str) else None


def _unwrap_loki(line: str) -> Content | None:
    record = _read_object(line, "labels") or {}
    text = record.get("line")
    return Content(text.rstrip("\r\n")) if isinstance(text, str) else None


def _unwrap_message(line: str) -> Content | None:
    record = _read_object(line, *_MESSAGES) or {}
    source = record.get("_source", record)
    if not isinstance(source, dict):
        return None
    event = source.get("event")
    texts = [event.get("original") if isinstance(event, dict) else None]
    texts += [source.get(key) for key in _MESSAGES]
    text = next((one for one in texts if isinstance(one, str)), None)
    return None if text is None else Content(text.rstrip("\r\n"))


def _prepend_time(line: str, *, unwrap: _Unwrap, read_time: Callable[[str], str]) -> Content | None:
    content = unwrap(line)
    if content is None or not content.complete:
        return None  # a part of a line has no time of its own
    return Content(f"{read_time(line)} {content.text}")


def _read_first_word(line: str) -> str:
    return line.partition(" ")[0]


def _read_usual_key(line: str) -> str:
    record = json.loads(line, parse_float=str)
    source = record.get("_source")
    if isinstance(source, dict):
        record = source
    keys = {simplify(key): key for key in record}
    return str(next((record[keys[name]] for name in NAMES[Kind.TIME] if name in keys), ""))


def _read_journal_time(line: str) -> str:
    return str(json.loads(line).get("__REALTIME_TIMESTAMP"))


_SPEC: Final = r'(?P<name>[a-z0-9-]+)(?:\|(?P<pending>"(?:[^"\\]|\\.)*"))?>'
_COLOURS: Final = re.compile("\x1b\\[[0-9;]*[A-Za-z]")
_ISO: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9:]{4,6})"
)
_CRI: Final = re.compile(rf"{_ISO} (?:stdout|stderr) (?P<tag>[PF])(?::[^ ]*)? ?")
_DOCKER: Final = {"log", "stream", "time", "attrs"}
# Of Elasticsearch, CloudWatch, loggers, and Google Cloud
_MESSAGES: Final = ("message", "msg", "log", "textPayload")
_TAG: Final = r"[^ :\[]+(?:\[[0-9]+\])?: "

WRAPPERS: Final = {
    wrapper.name: wrapper
    for wrapper in (
        Wrapper("colours", _unwrap_colours),
        Wrapper("docker", _unwrap_docker),
        Wrapper("cri", _unwrap_cri),
        Wrapper("journald", _unwrap_journal),
        Wrapper("loki", _unwrap_loki),
        Wrapper("message", _unwrap_message),
        _prefix("logcli", rf"{_ISO} \{{[^}}]*\}} +", "$log_time {$labels} "),
        # Where another field ends with a bar, too, the bars separate columns.
        _prefix("compose", r"[A-Za-z0-9][A-Za-z0-9_.-]* +\| (?![^\s\[]+ +\| )", "$container | "),
        _prefix("kubectl", r"\[pod/[^ \]]+\] ", "[$pod] "),
        _prefix("stern", r"[a-z0-9.-]+-[a-z0-9]{5} [a-z0-9-]+ ", "$pod $container "),
        _prefix(
            "syslog",
            rf"(?:<[0-9]+>)?[A-Z][a-z]{{2}} [ 0-9][0-9] [0-9:]{{8}} [^ ]+ {_TAG}",
            "$syslog_month $syslog_day $syslog_time $hostname $syslog_tag: ",
        ),
        _prefix(
            "rsyslog",
            rf"(?:<[0-9]+>)?{_ISO} [^ ]+ {_TAG}",
            "$syslog_time $hostname $syslog_tag: ",
        ),
        _prefix(
            "syslog-5424",
            rf"<[0-9]+>1 {_ISO} [^ ]+ [^ ]+ [^ ]+ [^ ]+ - (?:\ufeff)?",
            "",
        ),
        _prefix(
            "syslog-data",
            rf'<[0-9]+>1 {_ISO} [^ ]+ [^ ]+ [^ ]+ [^ ]+ (?:\[(?:[^"\]]|"[^"]*")*\])+ (?:\ufeff)?',
            "",
        ),
        _prefix("timestamps", rf"{_ISO} ", "$log_time "),
        # Configurations of Envoy begin lines with a text of their own, such as ACCESS. Its response
        # flags tell its lines from others.
        _prefix("label", rf'[^"{{]+ (?=\[{_ISO}\] "[^"]*" [0-9]+ [A-Z-])', "$label "),
    )
}
"""All wrappers by name, in the order of the trials."""

_TIMES: Final[dict[str, Callable[[str], str]]] = {
    "docker": _read_usual_key,
    "cri": _read_first_word,
    "journald": _read_journal_time,
    "loki": _read_usual_key,
    "message": _read_usual_key,
}
_TIMED: Final = {
    f"{name}-time": Wrapper(
        f"{name}-time",
        partial(_prepend_time, unwrap=WRAPPERS[name].unwrap, read_time=read_time),
    )
    for name, read_time in _TIMES.items()
}
