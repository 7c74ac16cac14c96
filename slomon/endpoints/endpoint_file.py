"""A file of endpoints, as a person writes it: JSON, YAML or TOML."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from slomon.endpoints.entry import Fields, complete_entries
from slomon.errors import ConfigurationError
from slomon.text import excerpt, quote


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
