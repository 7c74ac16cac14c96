"""
The endpoints that a program gives: a list of entries, or the file that has them.

A file of endpoints, as a person writes it: JSON, YAML or TOML.

One endpoint's entry, from what a person wrote to what `slomon.core.endpoint` checks.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from slomon.core.endpoints import Catalogue, join_errors, name_entry, parse_number, to_share
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.dates import parse_duration
from slomon.errors import ConfigurationError
from slomon.options import AnyPath, naming_option
from slomon.pipeline.stream import Entries
from slomon.text import excerpt, quote

Endpoints: TypeAlias = AnyPath | Entries


def read_catalogue(endpoints: Endpoints) -> Catalogue:
    """
    The endpoints of a file or of a list of entries, which need not be complete: see
    `complete_entry`. Raises ConfigurationError where they are wrong, and OSError.
    """
    if not isinstance(endpoints, str | os.PathLike):
        with naming_option("endpoints"):
            return Catalogue(_complete(endpoints))
    try:
        return Catalogue(read_entries(Path(endpoints)))
    except ConfigurationError as error:
        raise ConfigurationError(f"{excerpt(str(endpoints), 1000)}: {error}") from None


def _complete(entries: Entries) -> Entries:
    if isinstance(entries, Mapping | bytes) or not isinstance(entries, Iterable):
        return entries  # the catalogue says what is wrong
    return cast(Entries, complete_entries(entries))


def read_entries(path: Path) -> list[Mapping[str, object]]:
    """
    The endpoints' entries of a file, for a Catalogue: a list of them, or one field `endpoints`
    with the list. Its name says how it is written. Numbers stay exactly as they are written.

    An entry has the fields of `get_info()`, and may say some of them as `complete_entry` reads.

    Raises OSError where the file can't be read, ConfigurationError where its content can't be:
    one for all entries that are wrong.
    """
    parsed = _parse(path)
    completed = complete_entries(_list_entries(parsed))
    return cast(list[Mapping[str, object]], completed)  # the catalogue checks them


def _parse(path: Path) -> object:
    suffix = path.suffix.lower()
    if suffix not in _FORMS:
        raise ConfigurationError(
            f"the file's name ends with {quote(path.suffix)}; allowed: {', '.join(_FORMS)}"
        )
    form, parse = _FORMS[suffix]
    try:
        return parse(path.read_text(encoding="utf-8-sig"))
    except ConfigurationError:
        raise
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"not {form} in UTF-8: {excerpt(str(error), 300)}") from None


def _list_entries(parsed: object) -> list[object]:
    if isinstance(parsed, Fields):
        parsed = parsed[0][1] if [name for name, _ in parsed] == ["endpoints"] else dict(parsed)
    if not isinstance(parsed, list) or isinstance(parsed, Fields):
        raise ConfigurationError(
            f"the endpoints are {excerpt(parsed)}; allowed: a list of entries, or one field "
            "'endpoints' with such a list"
        )
    return parsed


def _parse_json(text: str) -> object:
    return json.loads(text, object_pairs_hook=Fields, parse_float=str)


def _parse_toml(text: str) -> object:
    return Fields(tomllib.loads(text, parse_float=str).items())


def _parse_yaml(text: str) -> object:
    """All scalars are text as it is written; so no float is rounded, and `no` is no boolean."""
    try:
        import yaml  # noqa: PLC0415 (an extra, which only files of YAML need)
    except ImportError:
        raise ConfigurationError(
            "YAML is read by PyYAML, which is not installed; allowed: pip install 'slomon[replay]'"
        ) from None
    try:
        _check_depth(type(event).__name__ for event in yaml.parse(text, yaml.BaseLoader))
        return _read_node(yaml.compose(text, yaml.BaseLoader))
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


def _check_depth(events: Iterable[str]) -> None:
    """Few bytes of YAML can be much work: aliases of aliases of aliases, brackets in brackets."""
    depth = 0
    for event in events:
        depth += event.endswith("StartEvent") - event.endswith("EndEvent")
        if event == "AliasEvent":
            raise ConfigurationError("the YAML has an alias ('*'); allowed: values in full")
        if depth > _DEEPEST:
            raise ConfigurationError(f"the YAML is nested too deep; allowed: {_DEEPEST} levels")


def _read_node(node: Any) -> object:
    if node is None:  # an empty document
        return None
    if node.id == "sequence":
        return [_read_node(item) for item in node.value]
    if node.id == "mapping":
        return Fields((_read_name(name), _read_node(value)) for name, value in node.value)
    return str(node.value)


def _read_name(node: Any) -> str:
    if node.id != "scalar":
        raise ConfigurationError(f"the YAML has a {node.id} as a field's name; allowed: text")
    return str(node.value)


_DEEPEST: Final = 20
_FORMS: Final[dict[str, tuple[str, Callable[[str], object]]]] = {
    ".json": ("JSON", _parse_json),
    ".yaml": ("YAML", _parse_yaml),
    ".yml": ("YAML", _parse_yaml),
    ".toml": ("TOML", _parse_toml),
}


NO_EMAIL: Final = "-"
"""The email of an entry that gives none: a catalogue requires a text, and this can't be one."""


class Fields(list[tuple[str, object]]):
    """An object as it is written: a dict would hide that a field stands there twice."""


def join_fields(number: int, fields: object) -> object:
    """The dict of one entry's fields, each there once; whatever else it is, as it is."""
    if not isinstance(fields, Fields):
        return fields
    entry: dict[str, object] = {}
    for name, value in fields:
        if name in entry:
            raise ConfigurationError(
                f"entry {number}: field {quote(name)} stands there twice, as "
                f"{quote(entry[name])} and {quote(value)}; allowed: once"
            )
        entry[name] = value
    return entry


def complete_entries(entries: Iterable[object]) -> list[object]:
    """
    The entries, each as `complete_entry` completes it, and whatever else is among them as it is.
    Raises one ConfigurationError for all that are wrong.
    """
    completed, problems = [], []
    for number, fields in enumerate(entries):
        try:
            entry = join_fields(number, fields)
            completed.append(complete_entry(number, entry) if isinstance(entry, Mapping) else entry)
        except ConfigurationError as error:
            problems.append(str(error))
    if problems:
        raise ConfigurationError(join_errors(problems))
    return completed


def complete_entry(number: int, entry: Mapping[str, object]) -> Mapping[str, object]:
    """
    The entry as `get_info()` would give it: `email` may be absent (then it is NO_EMAIL), `window`
    may be a duration such as "5m", `slo` a percentage such as "99.9%", and in its place OpenSLO's
    `target` (a share, 0.999) or `targetPercent` (99.9) may stand.

    Raises ConfigurationError where these are wrong; the rest is for the catalogue to check.
    """
    where = name_entry(number, entry.get("name"))
    completed = {"email": NO_EMAIL} | dict(entry)
    if _ends_with_unit(window := entry.get("window")):
        completed["window"] = _read_window(where, str(window))
    if objectives := [name for name in _BOUNDS if name in entry]:
        completed["slo"] = _read_objective(where, entry, objectives)
    return completed


def _ends_with_unit(window: object) -> bool:
    return isinstance(window, str) and window[-1:].isalpha()


def _read_window(where: str, window: str) -> str:
    try:
        seconds, ticks = divmod(parse_duration(window), TICKS_PER_SECOND)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: field 'window': {error}") from None
    return f"{seconds}.{ticks:09}"


def _read_objective(where: str, entry: Mapping[str, object], names: list[str]) -> str:
    if len(names) > 1:
        raise ConfigurationError(
            f"{where}: it has {' and '.join(map(repr, names))}; allowed: one of 'slo', 'target' "
            "and 'targetPercent'"
        )
    (name,) = names
    text = str(entry[name])
    signed = name == "slo" and text.endswith("%")
    least, most = (0, 100) if signed else _BOUNDS[name]
    number = parse_number(text[:-1] if signed else text)
    if number is None or not least < number <= most:
        raise ConfigurationError(
            f"{where}: field '{name}' is {quote(entry[name])}; allowed: {_OBJECTIVES[name]}"
        )
    return str(to_share(number) if signed or name == "targetPercent" else number)


# More than the first, at most the second: 1 % or less is a share that stands in the wrong field.
_BOUNDS: Final = {"slo": (0, 1), "target": (0, 1), "targetPercent": (1, 100)}
_SHARE: Final = (
    "a number greater than 0 and at most 1, such as 0.999; a percentage is written as "
    "targetPercent: 99.9"
)
_OBJECTIVES: Final = {
    "slo": "a number greater than 0 and at most 1, such as 0.999, or a percentage with its sign, "
    "such as '99.9%'",
    "target": _SHARE,
    "targetPercent": "a percentage greater than 1 and at most 100, such as 99.9; a share is "
    "written as target: 0.999",
}
