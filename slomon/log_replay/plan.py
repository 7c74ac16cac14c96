"""What a replay does: a frozen `Plan`, and how the options of `replay` become one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

from slomon.core.endpoints import Catalogue, Endpoint
from slomon.core.events import Change
from slomon.core.statuses import StatusRule, StatusTable, server_errors_fail
from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND
from slomon.endpoints.config import NO_EMAIL
from slomon.endpoints.discovery import BY_HOST
from slomon.formats.builtin import ALIASES
from slomon.formats.dialects import read_given
from slomon.formats.format import Format, Reading
from slomon.formats.json_lines import check_keys
from slomon.formats.registry import (
    find_format,
    find_json_format,
    known_formats,
    make_format,
    regex_format,
)
from slomon.log_replay.checkpoint import Trait
from slomon.options import naming_option
from slomon.sources.source import MAX_LINE

LATENESS: Final = 5 * TICKS_PER_SECOND
"""The default for access logs: a line is written when its request ends."""

FORMAT_NAMES: Final = (*(form.name for form in known_formats(server_errors_fail)), *ALIASES)

_BLOCK_BYTES: Final = 4 << 20
_DEFAULTS: Final = Endpoint("", NO_EMAIL, "", "", slo=0.999, window=300 * TICKS_PER_SECOND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    What is replayed, and how.

    `logs` are merged by time; `formats` are those that a log may be in. A time in a log that names
    no zone is in `zone`. Without `endpoints`, at most `max_endpoints` are found in the logs, each
    with the owner, SLO and window of `defaults`. `service_from` says where their services come from
    (`discovery.FoundEndpoints`), and `groups_paths` whether path templates are learnt. `changes`
    have the ticks at which they happened, `rejected_records` counts the records of deploys that
    could not be read, and `excluded_records` those that don't count, by reason. Only accesses from
    the tick `first` to `last` count, and only changes until `last`. Durations are ticks. If
    `lateness` or `match_exactly` is None, the format of each log decides; if `no_traffic` is None,
    no incident expires; if `resolution` is 0, windows are exact.
    """

    logs: Sequence[str]
    formats: Sequence[Format]
    endpoints: Catalogue | None = None
    defaults: Endpoint = _DEFAULTS
    service_from: str = BY_HOST
    groups_paths: bool = False
    max_endpoints: int = 10_000
    changes: Sequence[tuple[int, Change]] = ()
    rejected_records: int = 0
    excluded_records: Mapping[str, int] = field(default_factory=dict)
    first: int = 0
    last: int = LAST_TICK
    lateness: int | None = None
    match_exactly: bool | None = None
    min_requests: int = 1
    resolution: int = 0
    sli_series: bool = False
    no_traffic: int | None = None
    workers: int = 1
    is_failure: StatusRule = server_errors_fail
    zone: tzinfo | None = None
    block_bytes: int = _BLOCK_BYTES
    max_line: int = MAX_LINE


def identify_inputs(plan: Plan) -> dict[str, Trait]:
    """
    The part of a checkpoint's identity that is not the value of an option: the files, and what was
    read from those of the endpoints and the changes.
    """
    given = plan.endpoints
    return {
        "paths": repr(list(plan.logs)),
        "format": ", ".join(form.spec for form in plan.formats),
        "endpoints": _sum_up(given.endpoints) if given else "found in the logs",
        "changes": _sum_up(plan.changes),
        "rejected records": repr(plan.rejected_records),
        "excluded records": repr(dict(plan.excluded_records)),
    }


def _sum_up(values: Sequence[object]) -> Trait:
    """The number and a digest of values that are too many to show."""
    digest = hashlib.sha256()
    for value in values:
        digest.update(repr(value).encode(errors="backslashreplace"))
    return {"count": len(values), "digest": digest.hexdigest()}


def show_rule(is_failure: StatusRule) -> str:
    """A rule by its answers, as in '100-499 succeed, 500-599 fail': equal answers, equal text."""
    return StatusTable.from_rule(is_failure).describe()


def choose_formats(
    is_failure: StatusRule,
    zone: tzinfo | None,
    *,
    name: str | None,
    log_format: str | None = None,
    regex: str | None,
    json_keys: Mapping[str, str] | None,
    by_service: bool = False,
) -> list[Format]:
    """
    The formats that a log may be in: the one that an option names, or else all known ones. If a
    configuration has several, the one that reads the log counts, or else nginx's own default.
    """
    reading = Reading(is_failure, zone, by_service)
    known = known_formats(is_failure, zone, by_service=by_service)
    if log_format is not None:
        with naming_option("log_format"):
            given = [make_format(layout, reading) for layout in read_given(log_format)]
        combined = find_format("combined", known)
        return given if len(given) == 1 or combined is None else [*given, combined]
    if regex is not None:
        with naming_option("regex"):
            return [regex_format(regex, is_failure, zone)]
    if json_keys is not None:
        with naming_option("json_keys"):
            check_keys(json_keys)
            return [find_json_format(json_keys, reading)]
    if name is None:
        return known
    form = find_format(name, known)
    return [form] if form else []
