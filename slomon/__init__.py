"""
slomon: point it at a stream of requests and deploys, and it says which commit broke which
endpoint, when, which commit fixed it, and how long repair takes.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slomon.api import consume, get_service_monitor
    from slomon.core.accounting import Accounting, RejectedLine, Rejection, ReplayAccounting
    from slomon.core.comparison import Comparison
    from slomon.core.endpoint import Endpoint
    from slomon.core.event import Change, Malformed, StatusRule
    from slomon.core.figures import Figures
    from slomon.core.incident import Incident
    from slomon.core.monitor import IncidentDetail, ServiceMonitor
    from slomon.core.record import Attribution, Candidate, IncidentRecord, State, Verdict
    from slomon.core.summary import Summary
    from slomon.embedding.clock import Clock
    from slomon.embedding.event import (
        IncidentClosed,
        IncidentEvent,
        IncidentOpened,
        IncidentsMissed,
    )
    from slomon.embedding.monitor import LiveMonitor, live
    from slomon.embedding.snapshot import EndpointStatus, LiveAccounting, Snapshot
    from slomon.embedding.subscription import Subscription
    from slomon.errors import (
        ConfigurationError,
        MalformedEventError,
        MalformedLineError,
        SlomonError,
        StateFileError,
    )
    from slomon.pipeline.stream import EventStream
    from slomon.replaying.monitor import ReplayMonitor
    from slomon.replaying.progress import Progress
    from slomon.replaying.replay import replay
    from slomon.reporting.frame import to_frame
    from slomon.reporting.report import Report

__version__ = "0.1.0"

__all__ = [
    "Accounting",
    "Attribution",
    "Candidate",
    "Change",
    "Clock",
    "Comparison",
    "ConfigurationError",
    "Endpoint",
    "EndpointStatus",
    "EventStream",
    "Figures",
    "Incident",
    "IncidentClosed",
    "IncidentDetail",
    "IncidentEvent",
    "IncidentOpened",
    "IncidentRecord",
    "IncidentsMissed",
    "LiveAccounting",
    "LiveMonitor",
    "Malformed",
    "MalformedEventError",
    "MalformedLineError",
    "Progress",
    "RejectedLine",
    "Rejection",
    "ReplayAccounting",
    "ReplayMonitor",
    "Report",
    "ServiceMonitor",
    "SlomonError",
    "Snapshot",
    "State",
    "StateFileError",
    "StatusRule",
    "Subscription",
    "Summary",
    "Verdict",
    "consume",
    "get_service_monitor",
    "live",
    "replay",
    "to_frame",
]

_HOMES = {
    "Accounting": "slomon.core.accounting",
    "Attribution": "slomon.core.record",
    "Candidate": "slomon.core.record",
    "Change": "slomon.core.event",
    "Clock": "slomon.embedding.clock",
    "Comparison": "slomon.core.comparison",
    "ConfigurationError": "slomon.errors",
    "Endpoint": "slomon.core.endpoint",
    "EndpointStatus": "slomon.embedding.snapshot",
    "EventStream": "slomon.pipeline.stream",
    "Figures": "slomon.core.figures",
    "Incident": "slomon.core.incident",
    "IncidentClosed": "slomon.embedding.event",
    "IncidentDetail": "slomon.core.monitor",
    "IncidentEvent": "slomon.embedding.event",
    "IncidentOpened": "slomon.embedding.event",
    "IncidentRecord": "slomon.core.record",
    "IncidentsMissed": "slomon.embedding.event",
    "LiveAccounting": "slomon.embedding.snapshot",
    "LiveMonitor": "slomon.embedding.monitor",
    "Malformed": "slomon.core.event",
    "MalformedEventError": "slomon.errors",
    "MalformedLineError": "slomon.errors",
    "Progress": "slomon.replaying.progress",
    "RejectedLine": "slomon.core.accounting",
    "Rejection": "slomon.core.accounting",
    "ReplayAccounting": "slomon.core.accounting",
    "ReplayMonitor": "slomon.replaying.monitor",
    "Report": "slomon.reporting.report",
    "ServiceMonitor": "slomon.core.monitor",
    "SlomonError": "slomon.errors",
    "Snapshot": "slomon.embedding.snapshot",
    "State": "slomon.core.record",
    "StateFileError": "slomon.errors",
    "StatusRule": "slomon.core.event",
    "Subscription": "slomon.embedding.subscription",
    "Summary": "slomon.core.summary",
    "Verdict": "slomon.core.record",
    "consume": "slomon.api",
    "get_service_monitor": "slomon.api",
    "live": "slomon.embedding.monitor",
    "replay": "slomon.replaying.replay",
    "to_frame": "slomon.reporting.frame",
}
"""The modules of these, imported as they are asked for: a start has no time for them all."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
