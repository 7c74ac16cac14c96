"""
The configured endpoints: from a list of entries, or from a file of JSON, YAML or TOML.

An entry is completed here, and checked by the catalogue in `slomon.core.endpoints`.
"""

from __future__ import annotations

import json
import os
import re
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

NO_EMAIL: Final = "-"
"""The email of an entry without one. A catalogue requires text, and "-" is no real email."""

MAX_TEXT: Final = 16 * 1024 * 1024
"""The most characters of a file of endpoints."""

MAX_ENTRIES: Final = 200_000
"""The most entries of a file of endpoints."""

_MAX_YAML_DEPTH: Final = 20
_MAX_YAML_PARTS: Final = 500_000  # scalars, and both ends of lists and mappings: 500 bytes each
# A name of over 20 parts in TOML, outside of strings: it takes memory by the square of its parts.
_TOML_STRING: Final = r'"(?:[^"\\\n]|\\.)*+"|\'[^\'\n]*+\''
_LONG_TOML_NAME: Final = r"(?:\.[ \t]*+[\w-]*+[ \t]*+){20}"
# An objective is above the first and at most the second number. A `targetPercent` of 1 or less is
# most likely a share in the wrong field.
_BOUNDS: Final = {"slo": (0, 1), "target": (0, 1), "targetPercent": (1, 100)}
_SHARE: Final = (
    "a number greater than 0 and at most 1, such as 0.999; a percentage is written as "
    "targetPercent: 99.9"
)
_NO_VERBS: Final = {"ANY", "ALL", "*"}
_OBJECTIVES: Final = {
    "slo": "a number greater than 0 and at most 1, such as 0.999, or a percentage with its sign, "
    "such as '99.9%'",
    "target": _SHARE,
    "targetPercent": "a percentage greater than 1 and at most 100, such as 99.9; a share is "
    "written as target: 0.999",
}


def read_catalogue(endpoints: Endpoints, option: str = "endpoints") -> Catalogue:
    """
    The endpoints of a file or of a list of entries, which that option names. `complete_entry` says
    what an entry may leave out. Raises ConfigurationError if an entry is wrong, OSError if the file
    can't be read.
    """
    if not isinstance(endpoints, str | os.PathLike):
        with naming_option(option):
            return Catalogue(_complete(endpoints))
    try:
        return Catalogue(read_entries(Path(endpoints)))
    except ConfigurationError as error:
        raise ConfigurationError(f"{excerpt(str(endpoints), 1000)}: {error}") from None


def read_entries(path: Path) -> list[Mapping[str, object]]:
    """
    The endpoints' entries in a file, completed by `complete_entry`. The file is a list of entries,
    or an object whose only field `endpoints` is such a list. The suffix of its name gives the
    format. Numbers keep all their digits.

    Raises OSError if the file can't be read, ConfigurationError if its content is malformed, one
    for all wrong entries.
    """
    parsed = _parse(path)
    completed = complete_entries(_list_entries(parsed))
    return cast(list[Mapping[str, object]], completed)  # the catalogue checks them


def read_text(path: Path) -> str:
    """
    The text of a file of endpoints. Raises OSError if the file can't be read, ValueError if it is
    not UTF-8, ConfigurationError if it has over `MAX_TEXT` characters.
    """
    with path.open(encoding="utf-8-sig") as file:
        text = file.read(MAX_TEXT + 1)
    if len(text) > MAX_TEXT:
        raise ConfigurationError(f"it has over {MAX_TEXT} characters; allowed: at most {MAX_TEXT}")
    return text


def complete_entries(entries: Iterable[object]) -> list[object]:
    """
    The entries, each completed by `complete_entry`. Items that aren't mappings stay as they are.
    Raises one ConfigurationError for all wrong entries.
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
    The entry with the fields of `get_info()`. In `entry`,

    * `email` may be absent; then it becomes NO_EMAIL
    * `window` may be a duration such as "5m"
    * `slo` may be a percentage such as "99.9%"
    * OpenSLO's `target` (a share, 0.999) or `targetPercent` (99.9) may replace `slo`

    Raises ConfigurationError if these are wrong, or if no request can have the verb.
    The catalogue checks the other fields.
    """
    label = name_entry(number, entry.get("name"))
    _check_verb(label, entry.get("verb"))
    completed = {"email": NO_EMAIL} | dict(entry)
    if _ends_with_unit(window := entry.get("window")):
        completed["window"] = _read_window(label, str(window))
    if objectives := [name for name in _BOUNDS if name in entry]:
        completed["slo"] = _read_objective(label, entry, objectives)
    return completed


class Fields(list[tuple[str, object]]):
    """The fields of an object in a file, in order. A dict would hide a duplicate field."""


def join_fields(number: int, fields: object) -> object:
    """The fields of an entry as a dict; raises ConfigurationError if a field is there twice."""
    if not isinstance(fields, Fields):
        return fields  # the catalogue checks it
    entry: dict[str, object] = {}
    for name, value in fields:
        if name in entry:
            raise ConfigurationError(
                f"entry {number}: field {quote(name)} stands there twice, as "
                f"{quote(entry[name])} and {quote(value)}; allowed: once"
            )
        entry[name] = value
    return entry


def _complete(entries: Entries) -> Entries:
    if isinstance(entries, Mapping | bytes) or not isinstance(entries, Iterable):
        return entries  # the catalogue raises the error
    return cast(Entries, complete_entries(entries))


def _parse(path: Path) -> object:
    suffix = path.suffix.lower()
    if suffix not in _FORMATS:
        raise ConfigurationError(
            f"the file's name ends with {quote(path.suffix)}; allowed: {', '.join(_FORMATS)}"
        )
    name, parse = _FORMATS[suffix]
    try:
        return parse(read_text(path))
    except ConfigurationError:
        raise
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"not {name} in UTF-8: {excerpt(str(error), 300)}") from None


def _list_entries(parsed: object) -> list[object]:
    if isinstance(parsed, Fields):
        parsed = parsed[0][1] if [name for name, _ in parsed] == ["endpoints"] else dict(parsed)
    if not isinstance(parsed, list) or isinstance(parsed, Fields):
        raise ConfigurationError(
            f"the endpoints are {excerpt(parsed)}; allowed: a list of entries, or one field "
            "'endpoints' with such a list"
        )
    if len(parsed) > MAX_ENTRIES:
        raise ConfigurationError(f"it has {len(parsed)} entries; allowed: at most {MAX_ENTRIES}")
    return parsed


def _parse_json(text: str) -> object:
    return json.loads(text, object_pairs_hook=Fields, parse_float=str)


def _parse_toml(text: str) -> object:
    if re.search(_LONG_TOML_NAME, re.sub(_TOML_STRING, "", text)):
        raise ConfigurationError("the TOML has a name of over 20 parts; allowed: at most 20")
    import tomllib  # noqa: PLC0415 (only for such files, as YAML)

    return Fields(tomllib.loads(text, parse_float=str).items())


def _parse_yaml(text: str) -> object:
    """Scalars stay text as it is written, so that no float is rounded and `no` is no boolean."""
    try:
        import yaml  # noqa: PLC0415 (an extra that only YAML files need)
    except ImportError:
        raise ConfigurationError(
            "YAML is read by PyYAML, which is not installed; allowed: pip install 'slomon[replay]'"
        ) from None
    try:
        _check_events(type(event).__name__ for event in yaml.parse(text, yaml.BaseLoader))
        return _read_node(yaml.compose(text, yaml.BaseLoader))
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


def _check_events(events: Iterable[str]) -> None:
    """Reject what takes much more work or memory than the bytes of YAML that it stands in."""
    depth = 0
    for number, event in enumerate(events, 1):
        if number > _MAX_YAML_PARTS:
            raise ConfigurationError(
                f"the YAML has over {_MAX_YAML_PARTS} parts; allowed: at most {_MAX_YAML_PARTS}, "
                "or the same as JSON"
            )
        depth += event.endswith("StartEvent") - event.endswith("EndEvent")
        if event == "AliasEvent":
            raise ConfigurationError("the YAML has an alias ('*'); allowed: values in full")
        if depth > _MAX_YAML_DEPTH:
            raise ConfigurationError(
                f"the YAML is nested too deep; allowed: {_MAX_YAML_DEPTH} levels"
            )


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


def _check_verb(label: str, verb: object) -> None:
    """Reject a verb that matches no request: in lower case, or one for all methods."""
    if not isinstance(verb, str):
        return  # the catalogue rejects it
    if verb.upper() in _NO_VERBS:
        allowed = "the method of the requests, such as 'GET'; an entry for each method"
    elif verb.upper() != verb:
        allowed = f"{quote(verb.upper())}, as it stands in the requests"
    else:
        return
    raise ConfigurationError(f"{label}: field 'verb' is {quote(verb)}; allowed: {allowed}")


def _ends_with_unit(window: object) -> bool:
    return isinstance(window, str) and window[-1:].isalpha()


def _read_window(label: str, window: str) -> str:
    try:
        seconds, ticks = divmod(parse_duration(window), TICKS_PER_SECOND)
    except ConfigurationError as error:
        raise ConfigurationError(f"{label}: field 'window': {error}") from None
    return f"{seconds}.{ticks:09}"


def _read_objective(label: str, entry: Mapping[str, object], names: list[str]) -> str:
    if len(names) > 1:
        raise ConfigurationError(
            f"{label}: it has {' and '.join(map(repr, names))}; allowed: one of 'slo', 'target' "
            "and 'targetPercent'"
        )
    (name,) = names
    text = str(entry[name])
    is_percentage = name == "slo" and text.endswith("%")
    minimum, maximum = (0, 100) if is_percentage else _BOUNDS[name]
    number = parse_number(text[:-1] if is_percentage else text)
    if number is None or not minimum < number <= maximum:
        raise ConfigurationError(
            f"{label}: field '{name}' is {quote(entry[name])}; allowed: {_OBJECTIVES[name]}"
        )
    return str(to_share(number) if is_percentage or name == "targetPercent" else number)


_FORMATS: Final[dict[str, tuple[str, Callable[[str], object]]]] = {
    ".json": ("JSON", _parse_json),
    ".yaml": ("YAML", _parse_yaml),
    ".yml": ("YAML", _parse_yaml),
    ".toml": ("TOML", _parse_toml),
}
