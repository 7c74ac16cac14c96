"""Arguments as text, checked; argparse names the option and exits with 2."""

from __future__ import annotations

from argparse import ArgumentTypeError
from contextlib import suppress
from pathlib import Path
from typing import Final

from slomon.text import quote


def flag(name: str) -> str:
    """An option of the library, as it is typed."""
    return _TYPED.get(name) or f"--{name.replace('_', '-')}"


def parse_path(text: str) -> Path:
    """Where a file is: an empty one would stand for the folder that one is in."""
    if not text:
        raise ArgumentTypeError("''; allowed: a path")
    return Path(text)


def parse_count(text: str) -> int:
    """A whole number from 0 up."""
    with suppress(ValueError):
        if (value := int(text)) >= 0:
            return value
    raise ArgumentTypeError(f"{quote(text)}; allowed: a whole number from 0 up")


def number_or_text(text: str) -> int | str:
    """A whole number where it is one: what is right is for whoever gets it to say."""
    with suppress(ValueError):
        return int(text) if text.isascii() and text.isdecimal() else text
    return text  # it has more digits than Python agrees to read


def parse_keys(text: str) -> dict[str, str]:
    """Fields with their keys, as in `time=ts,status=code`; each field once."""
    keys: dict[str, str] = {}
    for pair in text.split(","):
        field, equals, key = pair.partition("=")
        if not equals or field in keys:
            raise ArgumentTypeError(
                f"{quote(pair)} in {quote(text)}; allowed: FIELD=KEY, each field once, with commas "
                "between"
            )
        keys[field] = key
    return keys


_TYPED: Final = {"paths": "FILE", "compiled": "--interpreted"}
