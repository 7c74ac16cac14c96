"""What a replay does: a frozen `Plan`, and how the options of `replay` become one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any, Final

from slomon.core.endpoints import Catalogue, Endpoint
from slomon.core.events import Change
from slomon.core.statuses import StatusRule, StatusTable, server_errors_fail
from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND
from slomon.dates import parse_instant, parse_zone, show_instant
from slomon.endpoints.config import NO_EMAIL, read_catalogue
from slomon.endpoints.discovery import BY_FIELD, BY_HOST
from slomon.errors import OptionError
from slomon.formats.format import Format, Reading
from slomon.formats.json_lines import check_keys
from slomon.formats.registry import (
    find_format,
    find_json_format,
    known_formats,
    make_format,
    regex_format,
)
from slomon.options import check_resolution, naming_option
from slomon.sources.source import MAX_LINE
from slomon.text import quote

if TYPE_CHECKING:
    from slomon.log_replay.checkpoint import Trait  # which imports anyio

LATENESS: Final = 5 * TICKS_PER_SECOND
"""The default for access logs: a line is written when its request ends."""

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

    @property
    def watched(self) -> Sequence[Endpoint]:
        """The given endpoints, or the one that all found endpoints are like."""
        return [self.defaults] if self.endpoints is None else self.endpoints.endpoints


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
        # Imported only if the option is given, because it takes some milliseconds.
        from slomon.formats.dialects import read_given  # noqa: PLC0415

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


def make_plan(given: Mapping[str, Any], logs: Sequence[str]) -> Plan:
    """
    The plan of these options, as they were read; the changes are not known yet. Raises
    ConfigurationError if an entry of the endpoints or the resolution is wrong.
    """
    endpoints, match, resolution = given["endpoints"], given["match"], given["resolution"]
    plan = Plan(
        logs=logs,
        zone=find_zone(given["zone"]),
        formats=choose_formats(
            given["is_failure"],
            find_zone(given["zone"]),
            name=given["format"],
            log_format=given["log_format"],
            regex=given["regex"],
            json_keys=given["json_keys"],
            by_service=given["service_from"] == BY_FIELD,
        ),
        endpoints=None if endpoints is None else read_catalogue(endpoints),
        defaults=Endpoint(
            name=given["service"] or "",
            email=NO_EMAIL,
            verb="",
            resource="",
            slo=given["slo"],
            window=given["window"],
        ),
        service_from=given["service_from"],
        groups_paths=given["group_paths"] == "on",
        max_endpoints=given["max_endpoints"],
        first=given["from_"] or 0,
        last=LAST_TICK if given["to"] is None else given["to"] - 1,
        lateness=given["lateness"],
        match_exactly=None if match is None else match == "exact",
        min_requests=given["min_requests"],
        resolution=resolution or 0,
        sli_series=given["sli_series"],
        no_traffic=given["close_after_no_traffic"],
        workers=given["workers"],
        is_failure=given["is_failure"],
    )
    check_resolution(resolution, (one.window for one in plan.watched))
    return plan


def read_range(given: Mapping[str, Any]) -> dict[str, int | None]:
    """The ticks of the options `from_` and `to`; None if an option is not given."""
    zone = find_zone(given["zone"]) or UTC
    ticks: dict[str, int | None] = {}
    for name in ("from_", "to"):
        with naming_option(name):
            ticks[name] = None if given[name] is None else parse_instant(given[name], zone)
    first, end = ticks["from_"] or 0, ticks["to"]
    if end is not None and end <= first:
        raise OptionError(
            ["to"], f" is {quote(given['to'])}; allowed: a time after {show_instant(first)}"
        )
    return ticks


def find_zone(name: str | None) -> tzinfo | None:
    """The zone of that name; None stays None."""
    return None if name is None else parse_zone(name)
