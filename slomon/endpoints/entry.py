"""One endpoint's entry, from what a person wrote to what `slomon.core.endpoint` checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from slomon.core.endpoint import name_entry, parse_number, sum_up, to_share
from slomon.core.tick import TICKS_PER_SECOND
from slomon.dates import parse_duration
from slomon.errors import ConfigurationError
from slomon.text import quote

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
        raise ConfigurationError(sum_up(problems))
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
