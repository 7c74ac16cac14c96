"""When the result of a replay can't be trusted: the warnings that follow from its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from slomon.core.events import OUT_OF_RANGE, ReplayAccounting
from slomon.core.reorder import SourceClock
from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND
from slomon.core.trust import ResultWarning, warn_of_late_accesses, warn_of_missing_events
from slomon.dates import show_duration, show_instant, show_span
from slomon.logging import show_some

_SHOWN_REASONS: Final = 5


@dataclass(frozen=True, slots=True)
class DeployRecords:
    """
    What became of the records of deploys.

    * `counted`: the ticks of those that belong to a watched service, in order
    * `unmatched`, `rejected`, `excluded`: the numbers of the others
    * `unmatched_services`: the services that own no endpoint
    * `without_time`: the number of dates without a time, among those that are counted
    * `in_zone`: is a time zone given, for their dates or for the times of the logs?
    * `expected`: is a file of deploys given?
    * `services`: those that own endpoints, unless each endpoint is a service of its own
    * `by_field`: are they those that a field of the logs names?
    """

    counted: Sequence[int] = ()
    unmatched: int = 0
    rejected: int = 0
    excluded: int = 0
    unmatched_services: Sequence[str] = ()
    without_time: int = 0
    in_zone: bool = False
    expected: bool = False
    services: Sequence[str] = ()
    by_field: bool = False


def find_warnings(
    accounting: ReplayAccounting,
    logs: Sequence[tuple[str, SourceClock]],
    deploys: DeployRecords,
    window: int,
    copies: Sequence[tuple[str, str]] = (),
) -> list[ResultWarning]:
    """
    The warnings of a finished replay. `logs` are the names and the clocks of its sources, without
    that of the deploys; `window` is the shortest window of an endpoint in ticks. `copies` are the
    logs that were not read, each with the log of which it is a copy.
    """
    return [
        *_warn_of_copies(copies),
        *_warn_of_order(accounting, logs, window),
        *_warn_of_losses(accounting, logs, deploys),
        *_warn_of_deploys(accounting, deploys),
        *_warn_of_clock(logs, deploys),
    ]


def suggest_lateness(accounting: ReplayAccounting) -> str:
    """The least lateness in whole seconds with which all lines would have been put in order."""
    return show_duration(ceil(accounting.largest_lateness) * TICKS_PER_SECOND)


def show_reasons(excluded: Mapping[str, int]) -> str:
    """The most frequent reasons of exclusions, with their numbers, on one line."""
    shown = sorted(excluded.items(), key=lambda one: -one[1])
    rest = sum(count for _, count in shown[_SHOWN_REASONS:])
    parts = [f"{reason} {count:,}" for reason, count in shown[:_SHOWN_REASONS]]
    return ", ".join([*parts, f"other reasons {rest:,}"] if rest else parts)


def _warn_of_copies(copies: Sequence[tuple[str, str]]) -> Iterator[ResultWarning]:
    if copies:
        names, originals = zip(*copies, strict=True)
        text = f"{show_some(names)} are copies of {show_some(originals)}; they are left out"
        yield ResultWarning("copied_logs", text)


def _warn_of_order(
    accounting: ReplayAccounting, logs: Sequence[tuple[str, SourceClock]], window: int
) -> Iterator[ResultWarning]:
    if reversed_logs := [name for name, clock in logs if _runs_backwards(clock)]:
        text = (
            f"the lines of {show_some(reversed_logs)} run from new to old; turn them round first, "
            "as in 'tac access.log | slomon replay -'"
        )
        yield ResultWarning("newest_first", text, certain=True)
        return
    if sorted_logs := [name for name, clock in logs if clock.lateness == LAST_TICK]:
        named = show_some(sorted_logs)
        text = f"the lines of {named} run from new to old; they were sorted as a whole"
        yield ResultWarning("newest_first", text)
    by_a_window = accounting.largest_lateness * TICKS_PER_SECOND > window
    remedy = (
        f"--lateness {suggest_lateness(accounting)} (lateness=) would put them in order; if a log "
        "consists of parts that follow each other, give each part as a file of its own"
    )
    certain = by_a_window and accounting.late * 10 >= accounting.accesses
    yield from warn_of_late_accesses(accounting, remedy, certain=certain)
    yield from warn_of_missing_events(accounting)


def _warn_of_losses(
    accounting: ReplayAccounting, logs: Sequence[tuple[str, SourceClock]], deploys: DeployRecords
) -> Iterator[ResultWarning]:
    if unread := [name for name, clock in logs if clock.rows and clock.began is None]:
        text = (
            f"no line of {show_some(unread)} could be read as an access; if the format is wrong, "
            "--log-format, --format, --regex and --json-keys choose another one"
        )
        yield ResultWarning("unread_log", text, certain=accounting.rejected > deploys.rejected)
    if accounting.lines == accounting.blank:
        yield ResultWarning("empty_logs", "no line was read from the logs")
    if capped := accounting.capped:
        text = (
            f"{capped:,} accesses count for no endpoint: {accounting.endpoints:,} endpoints were "
            "found before; --max-endpoints (max_endpoints=) raises the limit"
        )
        yield ResultWarning("capped_endpoints", text)
    if accounting.accesses or len(unread) == len(logs):
        return
    if accounting.unmatched > deploys.unmatched:
        text = (
            "no access belongs to a watched endpoint; the verbs and resources of --endpoints "
            "(endpoints=) must be those of the requests in the logs"
        )
        yield ResultWarning("unmatched_accesses", text, certain=True)
    elif excluded := accounting.excluded_by_reason.get(OUT_OF_RANGE):
        text = f"all {excluded:,} accesses are outside the time range of --from and --to"
        if span := _find_span(logs):
            text += f"; the logs are from {show_instant(span[0])} to {show_instant(span[1])}"
        yield ResultWarning("empty_range", text)


def _warn_of_deploys(
    accounting: ReplayAccounting, deploys: DeployRecords
) -> Iterator[ResultWarning]:
    if deploys.by_field and accounting.accesses and not deploys.services:
        text = (
            "no field of the logs names a service, so each endpoint is one; if one does, call it "
            "$service in --log-format, or give it as host in --json-keys or --regex"
        )
        yield ResultWarning("no_services", text)
    lost = deploys.rejected + deploys.unmatched
    if lost and not deploys.counted:
        text = (
            f"no deploy counts: records rejected {deploys.rejected:,}, unmatched "
            f"{deploys.unmatched:,}, excluded {deploys.excluded:,}"
        )
        if deploys.rejected:
            text += "; --change-keys (change_keys=) names the fields of deploys"
        if deploys.unmatched:
            text += f"; {_describe_unmatched(deploys)}"
        yield ResultWarning("lost_deploys", text, certain=True)
    elif deploys.unmatched:
        yield ResultWarning("unmatched_services", _describe_unmatched(deploys))
    elif deploys.excluded and not deploys.counted:
        reasons = show_reasons(accounting.excluded_by_reason)
        text = f"no deploy counts, all are excluded: {reasons}; --environment (environment=) "
        yield ResultWarning("excluded_deploys", f"{text}names the environments that count")
    elif deploys.expected and not deploys.counted:
        yield ResultWarning("empty_deploys", "the files of deploys have no records")
    if deploys.without_time:
        text = (
            f"dates of deploys without a time: {deploys.without_time:,}; they count from midnight"
        )
        yield ResultWarning("deploys_without_time", text)


def _describe_unmatched(deploys: DeployRecords) -> str:
    text = (
        f"no endpoint belongs to these services of deploys: {show_some(deploys.unmatched_services)}"
    )
    if deploys.services:
        return f"{text}; the services of endpoints are {show_some(deploys.services)}"
    return f"{text}; --service (service=) names the service of endpoints that are found in the logs"


def _warn_of_clock(
    logs: Sequence[tuple[str, SourceClock]], deploys: DeployRecords
) -> Iterator[ResultWarning]:
    """A deploy before the logs may be the last one, unless its time may be in a wrong zone."""
    span = _find_span(logs)
    if not deploys.counted or span is None:
        return
    began, ended = span
    first, last = deploys.counted[0], deploys.counted[-1]
    found = ""
    if first > ended:
        found = f"after the last access, by {show_span(first - ended)} or more"
    elif last < began and deploys.in_zone:
        found = f"before the first access, by {show_span(began - last)} or more"
    if found:
        text = (
            f"every deploy is {found}; if the clocks of deploys and logs are in different zones, "
            "--change-zone (change_zone=) and --zone (zone=) correct that"
        )
        yield ResultWarning("deploys_outside", text)


def _find_span(logs: Sequence[tuple[str, SourceClock]]) -> tuple[int, int] | None:
    """The times of the first and the newest access of all logs; None if there are no accesses."""
    times = [(clock.began, clock.newest) for _, clock in logs if clock.began is not None]
    return (min(first for first, _ in times), max(last for _, last in times)) if times else None


def _runs_backwards(clock: SourceClock) -> bool:
    """
    Do most rows come after newer ones, although the first row is nearly the newest? In a log of
    parts that follow each other, the time runs forward first.
    """
    ahead = clock.newest - (clock.began or 0)
    is_disordered = 2 * clock.disordered > clock.rows and clock.largest > clock.lateness
    return is_disordered and 10 * ahead < clock.largest
