"""What a replay is set up with, chosen by its options: formats, endpoints and speed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Final

from slomon.core.endpoints import Endpoint
from slomon.core.events import StatusRule
from slomon.endpoints.config import NO_EMAIL
from slomon.errors import OptionError
from slomon.formats.registry import Format, json_format, known_formats, regex_format
from slomon.options import (
    Duration,
    check_alone,
    check_choice,
    naming_option,
    read_duration,
    read_objective,
    read_text,
    read_texts,
)
from slomon.replaying.speed import Interpreted, Speed

_SLO: Final = 0.999
_WINDOW: Final = "5m"
_WORTH_COMPILING: Final = 4 << 20  # bytes on disk that take as long as compiling does, once


def choose_formats(
    is_failure: StatusRule,
    zone: tzinfo | None,
    *,
    name: str | None,
    regex: str | None,
    json_keys: Mapping[str, str] | None,
) -> list[Format]:
    """The formats that a log may be in: all that are known, or the one that was asked for."""
    check_alone(format=name, regex=regex, json_keys=json_keys)
    if regex is not None:
        pattern = read_text("regex", regex)
        with naming_option("regex"):
            return [regex_format(pattern, is_failure, zone)]
    if json_keys is not None:
        keys = read_texts("json_keys", json_keys)
        with naming_option("json_keys"):
            return [json_format(keys, is_failure, zone)]
    known = known_formats(is_failure, zone)
    if name is None:
        return known
    check_choice("format", name, [form.name for form in known])
    return [form for form in known if form.name == name]


def choose_endpoint(owner: str, slo: float | str | None, window: Duration | None) -> Endpoint:
    """What found endpoints are like: their owner ("" for none), SLO and window."""
    return Endpoint(
        name=owner,
        email=NO_EMAIL,
        verb="",
        resource="",
        slo=read_objective("slo", _SLO if slo is None else slo),
        window=read_duration("window", _WINDOW if window is None else window, least=1),
    )


def choose_speed(compiled: bool | None, size: int | None) -> Speed:  # noqa: FBT001 (an option)
    """
    The compiled speed if it is wanted, or for None if it is there, and either compiled before or
    worth it for logs of that many bytes (None: unknown).

    Raises ConfigurationError where it is wanted and not installed.
    """
    check_choice("compiled", compiled, [None, True, False])
    if compiled is False:
        return Interpreted()
    # Not for those who never need it: it brings ctypes, to begin with.
    from slomon.compiled.library import load  # noqa: PLC0415
    from slomon.compiled.speed import Compiled  # noqa: PLC0415

    worth = compiled or size is None or size >= _WORTH_COMPILING
    library = load(compile_if_needed=worth)
    if library is None and compiled:
        raise OptionError(
            ["compiled"],
            " is True, but what compiles is not installed; allowed: pip install 'slomon[replay]', "
            "or None, to do without where it is missing",
        )
    return Interpreted() if library is None else Compiled(library)
