"""All formats: those that are known by name, and any other, made again from its `spec`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import partial
from typing import Final

from slomon.core.events import (
    Access,
    Change,
    End,
    Gap,
    Malformed,
    parse_access,
    read_event,
)
from slomon.core.statuses import StatusRule
from slomon.formats.builtin import ALIASES, BUILT_IN, BuiltIn
from slomon.formats.format import AnyLayout, Format, Item, Reading, Switch
from slomon.formats.json_keys import CADDY, WITHOUT_HOST, AmbiguousKeys, JsonKeys, choose_keys
from slomon.formats.json_lines import find_value, make_json_parser, read_object
from slomon.formats.layout import Layout, is_complete, parse_layout
from slomon.formats.layout_lines import make_parser
from slomon.formats.names import choose_service_of
from slomon.formats.pairs import logfmt_format, ltsv_format
from slomon.formats.pattern import compile_pattern, parse_match
from slomon.formats.tables import (
    TableLayout,
    csv_format,
    restore_table,
    table_format,
    w3c_format,
)
from slomon.formats.wrappers import split_spec, wrap_format
from slomon.text import quote


def make_format(layout: AnyLayout, reading: Reading, spec: str = "") -> Format:
    """Return the format of lines in a layout of any kind; `spec` is that of a built-in one."""
    if isinstance(layout, Layout):
        layout = choose_service_of(layout) if reading.by_service else layout
        parse = make_parser(layout, reading.is_failure, reading.zone)
        spec = spec or f"layout:{layout.show()}"
        return Format(layout.name, parse, layout=layout, spec=spec, zone=reading.zone)
    if isinstance(layout, TableLayout):
        return table_format(layout, reading)
    if isinstance(layout, JsonKeys):
        return json_format(layout, reading)
    raise TypeError(f"a layout of the type {type(layout).__name__}")


def restore_format(spec: str, reading: Reading) -> Format | None:
    """
    Return the format that has this `spec`; None if no format has it. Raises ConfigurationError if
    the layout, the pattern or the keys in it are invalid.
    """
    return restore_formats([spec], reading)[0]


def restore_formats(specs: Sequence[str], reading: Reading) -> list[Format | None]:
    """Return what `restore_format` returns for each of them."""
    formats = known_formats(reading.is_failure, reading.zone, by_service=reading.by_service)
    known = {form.spec: form for form in formats}
    return [known.get(spec) or _restore_other(spec, reading) for spec in specs]


def _restore_other(  # noqa: PLR0911 (one for each kind)
    spec: str, reading: Reading
) -> Format | None:
    if wrapped := split_spec(spec):
        wrapper, pending, rest = wrapped
        inner = restore_format(rest, reading)
        return inner and wrap_format(wrapper, inner, reading, pending)
    kind, _, text = spec.partition(":")
    match kind:
        case "utc":
            form = restore_format(text, replace(reading, zone=UTC))
            return form and mark_utc(form)
        case "layout":
            return make_format(parse_layout(text, "layout"), reading)
        case "table":
            return restore_table(text, reading)
        case "regex":
            return regex_format(text, reading.is_failure, reading.zone)
        case "json":
            fields, duration = json.loads(text)
            return json_format(JsonKeys(fields, duration and tuple(duration)), reading)
        case "mixed":
            first, second = (restore_format(spec, reading) for spec in json.loads(text))
            return first and second and mix_formats(first, second)
        case "json-keys":
            return find_json_format(json.loads(text), reading)
        case _:
            return None


def mark_utc(form: Format) -> Format:
    """A format that was made with UTC as its zone: it is restored with it."""

    def parse(line: str) -> Item | Switch:
        read = form.parse(line)
        return Switch(read.item, mark_utc(read.format)) if isinstance(read, Switch) else read

    return replace(form, parse=parse, spec=f"utc:{form.spec}")


def mix_formats(first: Format, second: Format) -> Format:
    """The format of a log that two writers share: `second` reads what `first` does not read."""

    def parse(line: str) -> Item | Switch:
        read = first.parse(line)
        other = second.parse(line) if isinstance(read, Malformed) else read
        return read if isinstance(other, Malformed) else other

    spec = f"mixed:{json.dumps([first.spec, second.spec])}"
    return replace(first, name=f"{first.name}+{second.name}", parse=parse, spec=spec)


def known_formats(
    is_failure: StatusRule, zone: tzinfo | None = None, *, by_service: bool = False
) -> list[Format]:
    """
    Return the formats that need no configuration, in order of priority. The arguments are those of
    a `Reading`.
    """
    reading = Reading(is_failure, zone, by_service)
    return [make(reading) for make in _MAKERS.values()]


def find_format(name: str, formats: Sequence[Format]) -> Format | None:
    """Return the format of this name or alias; None if there is none."""
    real = ALIASES.get(name, name)
    return next((form for form in formats if form.name == real), None)


def _events_format(reading: Reading) -> Format:
    parse = partial(_parse_event, is_failure=reading.is_failure)
    return Format("events", parse, ordered=True, spec="events")


def _plain_format(reading: Reading) -> Format:
    return Format("plain", partial(parse_access, is_failure=reading.is_failure), spec="plain")


def _built_in_format(reading: Reading, built_in: BuiltIn) -> Format:
    return make_format(built_in.layout(), reading, built_in.name)


def _caddy_format(reading: Reading) -> Format:
    keys = WITHOUT_HOST if reading.by_service else CADDY
    return replace(json_format(keys, reading), spec="caddy")


def json_format(keys: JsonKeys, reading: Reading) -> Format:
    """Return the format of JSON lines in which the fields of a request have these keys."""
    parse = make_json_parser(keys, reading.is_failure, reading.zone)
    spec = f"json:{json.dumps([dict(keys.fields), keys.duration])}"
    return Format(keys.name, parse, layout=keys, spec=spec, zone=reading.zone)


def find_json_format(given: Mapping[str, str], reading: Reading) -> Format:
    """
    Return the format of JSON lines whose keys are found in the first lines of a log, except those
    in `given`.

    The fields are `time`, `status`, either `method` and `path` or `request`, the whole request
    line, and `host`. A key `request.uri` means the key `uri` in the object `request`, or a key with
    a dot.
    """
    given = dict(given)
    spec = f"json-keys:{json.dumps(given)}" if given else "json"
    fit = partial(_fit_keys, given=given, reading=reading)
    if is_complete(given):
        return replace(json_format(JsonKeys(given), reading), spec=spec, fit=fit)
    parse = partial(Malformed, reason="the keys of its fields are not known")
    return Format("json", parse, spec=spec, zone=reading.zone, fit=fit)


def _fit_keys(
    lines: Sequence[str], *, given: Mapping[str, str], reading: Reading
) -> Format | str | None:
    records = [read_object(line) for line in lines if "{" in line]
    keys = choose_keys(records, given, by_service=reading.by_service)
    if isinstance(keys, AmbiguousKeys):
        return str(keys)
    return _find_absent_key(records, given) if keys is None else json_format(keys, reading)


def _find_absent_key(records: Sequence[object], given: Mapping[str, str]) -> str | None:
    """The reason if none of the objects has one of the keys in `given`."""
    objects = [record for record in records if isinstance(record, dict)]
    for field, key in given.items():
        if objects and field != "host" and all(find_value(one, key) is None for one in objects):
            return (
                f"no object has {quote(key)}, the key of the {field} in --json-keys (json_keys=); "
                f"the first has {', '.join(map(quote, list(objects[0])[:20])) or 'none'}"
            )
    return None


def regex_format(pattern: str, is_failure: StatusRule, zone: tzinfo | None = None) -> Format:
    """
    Return the format of lines that a regular expression matches from their start.

    Its named groups are the fields of `json_format`. Raises ConfigurationError if the expression is
    invalid or has other named groups.
    """
    compiled = compile_pattern(pattern)
    parse = partial(parse_match, pattern=compiled, is_failure=is_failure, zone=zone)
    return Format("regex", parse, spec=f"regex:{pattern}")


def _parse_event(line: str, is_failure: StatusRule) -> Access | Change | Malformed | Gap | End:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Malformed(line, f"it is not JSON: {error}")
    item = read_event(event)
    return parse_access(item, is_failure) if isinstance(item, str) else item


_MAKERS: Final[Mapping[str, Callable[[Reading], Format]]] = {
    "events": _events_format,
    "plain": _plain_format,
    **{one.name: partial(_built_in_format, built_in=one) for one in BUILT_IN},
    "caddy": _caddy_format,
    "json": partial(find_json_format, {}),
    "w3c": w3c_format,
    "ltsv": ltsv_format,
    "logfmt": logfmt_format,
    "csv": csv_format,
}

FORMAT_NAMES: Final = (*_MAKERS, *ALIASES)
"""The names of all known formats in order of priority, and their other names."""
