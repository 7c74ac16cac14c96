"""Incidents as alerts of Alertmanager's API v2, for one Alertmanager or all of a cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Final

from anyio import Event

from slomon.concurrency import Task, first_completed
from slomon.core.attribution import Attribution
from slomon.core.endpoints import EndpointName
from slomon.core.incident_records import IncidentRecord
from slomon.core.ticks import TICKS_PER_SECOND, to_seconds
from slomon.errors import ConfigurationError, OptionError
from slomon.integrations.notify.delivery import HttpRequest, Sender, Url, read_headers
from slomon.integrations.notify.notifier import Notifier
from slomon.live_monitor.clock import Clock, wall_now
from slomon.live_monitor.monitor import LiveMonitor
from slomon.live_monitor.subscription import IncidentClosed, IncidentOpened
from slomon.options import Duration, read_duration, read_texts
from slomon.text import excerpt

_NAME: Final = "SloBreached"
_LABEL: Final = re.compile("[a-zA-Z_][a-zA-Z0-9_]*")
_OURS: Final = ("service", "method", "route")
_LONGEST: Final = 1000  # characters


@dataclass(frozen=True, slots=True)
class Alert:
    """An incident, and the tick until which its end is sent; None while it is open."""

    record: IncidentRecord
    until: int | None


def read_labels(name: str, value: Mapping[str, str] | None) -> dict[str, str]:
    """Labels for all alerts. Raises ConfigurationError if one is invalid."""
    labels = read_texts(name, {} if value is None else value)
    for label in labels:
        if not _LABEL.fullmatch(label) or label in _OURS:
            raise OptionError(
                [name],
                f" has '{excerpt(label)}'; allowed: names of letters, digits and underscores, "
                f"but for {', '.join(_OURS)}",
            )
    return labels


def write_alert(
    record: IncidentRecord, labels: Mapping[str, str], now: int, lease: int
) -> dict[str, object]:
    """
    The alert of an incident, as JSON. A firing alert ends `lease` ticks from `now`, which is the
    time of the wall clock, so that it resolves by itself if it is not sent again. An alert that was
    resolved ends at `now` at the latest: it fires until its end.
    """
    if record.end is None:
        start, end = record.start, max(to_seconds(now + lease), record.start)
    else:
        end = min(record.end, to_seconds(now))
        start = min(record.start, end)
    own = {"service": record.service, "method": record.verb, "route": record.resource}
    return {
        "labels": {
            name: value[:_LONGEST] for name, value in {"alertname": _NAME, **labels, **own}.items()
        },
        "annotations": {
            name: excerpt(value, _LONGEST) for name, value in _annotate(record).items() if value
        },
        "startsAt": show_time(start),
        "endsAt": show_time(end),
    }


def show_time(seconds: float) -> str:
    """A time, in seconds since the epoch, in RFC 3339."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _annotate(record: IncidentRecord) -> dict[str, str]:
    fixed_by = record.fixed_by
    return {
        "summary": _summarize(record),
        "incident": record.id,
        "sli": f"{record.min_sli:.6g}",
        "slo": f"{record.slo:.6g}",
        "broken_by": record.broken_by.commit,
        "author": _author(record.broken_by),
        "verdict": str(record.broken_by.verdict),
        "candidates": _candidates(record.broken_by),
        "fixed_by": fixed_by.commit if fixed_by else "",
        "state": str(record.state),
    }


def _summarize(record: IncidentRecord) -> str:
    blamed = f", broken by {excerpt(record.broken_by.commit)}" if record.broken_by.commit else ""
    return (
        f"{excerpt(record.verb)} {excerpt(record.resource)} of {excerpt(record.service)}: "
        f"SLI {record.min_sli:.6g}, below its SLO {record.slo:.6g}{blamed}"
    )


def _author(attribution: Attribution) -> str:
    return attribution.newest.author if attribution.newest else ""


def _candidates(attribution: Attribution) -> str:
    """The candidates' commits; empty unless there are several."""
    commits = [excerpt(candidate.commit) for candidate in attribution.candidates]
    return ", ".join(commits) if len(commits) > 1 else ""


_PATH: Final = "/api/v2/alerts"
_MOST: Final = 256  # alerts a request
_RESOLVED: Final = 300 * TICKS_PER_SECOND
"""How long an end is sent: longer than an alert fires by itself with the default `resend_every`."""
_LEASES: Final = 4  # of `resend_every`: an alert fires on even if some resends fail


class Alertmanager(Notifier):
    """
    Fires an alert for each endpoint that has an open incident, and resolves it when the incident
    ends. The labels are `alertname` (SloBreached), `service`, `method`, `route` and those of
    `labels`. Values that change, such as commits and the SLI, are annotations.

    * `urls`: an Alertmanager, or all members of a cluster; each gets all alerts
    * `labels`: added to all alerts, such as a severity; `headers`: added to all requests
    * `generator_url`: the page to which an alert links
    * `resend_every`: how often an alert is sent while it fires, and for five minutes after it was
      resolved. If it is no longer sent, Alertmanager resolves it after four times that long
    * `queue_bound`: how many events may wait to be taken in; missed ones are found in the history
    * `linger`: how long leaving may wait for undelivered alerts

    Entering fires the alerts of open incidents at once. Several processes that watch the same
    endpoints each need a label with a different value. Raises ConfigurationError if an option is
    wrong.
    """

    def __init__(
        self,
        monitor: LiveMonitor,
        *urls: str,
        labels: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        generator_url: str | None = None,
        resend_every: Duration = "1m",
        queue_bound: int = 1000,
        linger: Duration = "5s",
    ) -> None:
        super().__init__(monitor, "alertmanager", queue_bound=queue_bound, linger=linger)
        if not urls:
            raise ConfigurationError("there is no URL; allowed: one, or several of a cluster")
        targets = [Url("urls", url, _PATH) for url in urls]
        every = read_duration("resend_every", resend_every, 1)
        write = partial(
            _write,
            labels=read_labels("labels", labels),
            lease=_LEASES * every,
            link=None if generator_url is None else str(Url("generator_url", generator_url).target),
        )
        fields = read_headers("headers", headers)
        self._alerts: dict[EndpointName, Alert] = {}  # the newest incident of each endpoint
        self._peers = [
            _Peer(self._make_sender(target, fields), self._alerts, write, self._clock, every)
            for target in targets
        ]

    async def _begin(self) -> None:
        await super()._begin()
        self._alerts.clear()
        for peer in self._peers:
            peer.begin()

    def _take(self, event: IncidentOpened | IncidentClosed) -> None:
        self._set_alert(event.incident)

    def _catch_up(self, records: Sequence[IncidentRecord]) -> None:
        """Take in open incidents, those that ended lately, and those whose alerts still fire."""
        lately = to_seconds(self._clock.now() - _RESOLVED)
        newest = {record.endpoint: record for record in records}
        for key, record in newest.items():
            fires = key in self._alerts and self._alerts[key].until is None
            if record.end is None or record.end > lately or fires:
                self._set_alert(record)

    def _set_alert(self, record: IncidentRecord) -> None:
        until = None if record.end is None else self._clock.now() + _RESOLVED
        self._alerts[record.endpoint] = Alert(record, until)
        for peer in self._peers:
            peer.wake()

    def _senders(self) -> Sequence[Sender]:
        return [peer.sender for peer in self._peers]

    def _tasks(self) -> Sequence[Task]:
        return [peer.run for peer in self._peers]

    async def _drain(self) -> None:
        for peer in self._peers:
            await peer.rested.wait()


class _Peer:
    """One Alertmanager: which alerts were sent to it, and when."""

    def __init__(
        self,
        sender: Sender,
        alerts: dict[EndpointName, Alert],
        write: Callable[[Iterable[Alert], int], bytes],
        clock: Clock,
        every: int,
    ) -> None:
        self.sender = sender
        self._alerts = alerts
        self._write = write
        self._clock = clock
        self._every = every
        self.begin()

    def begin(self) -> None:
        """Forget which alerts were sent."""
        self._sent: dict[EndpointName, tuple[Alert, int]] = {}
        self._batch: dict[EndpointName, Alert] = {}
        self._woken = Event()
        self.rested = Event()
        """Set while no alert is due."""

    def wake(self) -> None:
        """An alert changed."""
        self.rested = Event()
        self._woken.set()

    async def run(self) -> None:
        """Send alerts when they are due, until cancelled."""
        while True:
            self._woken = Event()
            if self._find_due():
                await self.sender.deliver(self._build_request)
                now = self._clock.now()  # a rejected alert is sent again, but not at once
                self._sent.update((key, (alert, now)) for key, alert in self._batch.items())
            else:
                self.rested.set()
                await self._rest()

    def _build_request(self) -> HttpRequest | None:
        """The alerts that are due now, which may be a later try; None if there are none."""
        self._batch = dict(islice(self._find_due().items(), _MOST))
        if not self._batch:
            return None
        return HttpRequest(self._write(self._batch.values(), wall_now(self._clock)), {})

    def _find_due(self) -> dict[EndpointName, Alert]:
        now = self._clock.now()
        for key, alert in list(self._alerts.items()):
            if alert.until is not None and alert.until <= now:
                del self._alerts[key]
        self._sent = {
            key: sent for key, sent in self._sent.items() if self._alerts.get(key) is sent[0]
        }
        return {
            key: alert
            for key, alert in self._alerts.items()
            if key not in self._sent or self._sent[key][1] + self._every <= now
        }

    async def _rest(self) -> None:
        if self._sent:
            due = min(at for _, at in self._sent.values()) + self._every
            await first_completed(self._woken.wait, partial(self._clock.sleep_until, due))
        else:
            await self._woken.wait()


def _write(
    alerts: Iterable[Alert], now: int, *, labels: Mapping[str, str], lease: int, link: str | None
) -> bytes:
    more = {} if link is None else {"generatorURL": link}
    return json.dumps(
        [{**write_alert(alert.record, labels, now, lease), **more} for alert in alerts],
        allow_nan=False,
    ).encode()
