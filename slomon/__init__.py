"""
slomon reads requests and deploys, and reports which commit broke which endpoint, when, which commit
fixed it, and how long repair took.
"""

from importlib import import_module

TYPE_CHECKING = False  # as in typing, which takes long to import: a command could be interrupted

if TYPE_CHECKING:
    from slomon.api import consume, get_service_monitor
    from slomon.core.attribution import Attribution, Candidate, Verdict
    from slomon.core.endpoints import Endpoint
    from slomon.core.events import (
        Accounting,
        Change,
        Malformed,
        RejectedLine,
        Rejection,
        ReplayAccounting,
    )
    from slomon.core.incident import Incident, State
    from slomon.core.incident_records import IncidentRecord
    from slomon.core.metrics import Metrics
    from slomon.core.outages import Outage
    from slomon.core.service_monitor import IncidentDetail, ServiceMonitor
    from slomon.core.statistics import Comparison
    from slomon.core.statuses import StatusRule
    from slomon.core.summary import Summary
    from slomon.core.trust import ResultWarning
    from slomon.errors import (
        ConfigurationError,
        LeaderError,
        MalformedEventError,
        MalformedLineError,
        SlomonError,
        StateFileError,
    )
    from slomon.live_monitor.clock import Clock
    from slomon.live_monitor.live import live
    from slomon.live_monitor.monitor import LiveMonitor
    from slomon.live_monitor.snapshot import EndpointStatus, LiveAccounting, Snapshot
    from slomon.live_monitor.subscription import (
        IncidentClosed,
        IncidentEvent,
        IncidentOpened,
        IncidentsMissed,
        Subscription,
    )
    from slomon.live_monitor.threaded import ThreadedMonitor, live_in_thread
    from slomon.log_replay.monitor import ReplayMonitor
    from slomon.log_replay.progress import Progress
    from slomon.log_replay.replay import replay
    from slomon.pipeline.stream import EventStream
    from slomon.report.columns import incident_schema
    from slomon.report.exports import to_frame
    from slomon.report.report import Report

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
    "Incident",
    "IncidentClosed",
    "IncidentDetail",
    "IncidentEvent",
    "IncidentOpened",
    "IncidentRecord",
    "IncidentsMissed",
    "LeaderError",
    "LiveAccounting",
    "LiveMonitor",
    "Malformed",
    "MalformedEventError",
    "MalformedLineError",
    "Metrics",
    "Outage",
    "Progress",
    "RejectedLine",
    "Rejection",
    "ReplayAccounting",
    "ReplayMonitor",
    "Report",
    "ResultWarning",
    "ServiceMonitor",
    "SlomonError",
    "Snapshot",
    "State",
    "StateFileError",
    "StatusRule",
    "Subscription",
    "Summary",
    "ThreadedMonitor",
    "Verdict",
    "consume",
    "get_service_monitor",
    "incident_schema",
    "live",
    "live_in_thread",
    "replay",
    "to_frame",
]

_HOMES = {
    "Accounting": "slomon.core.events",
    "Attribution": "slomon.core.attribution",
    "Candidate": "slomon.core.attribution",
    "Change": "slomon.core.events",
    "Clock": "slomon.live_monitor.clock",
    "Comparison": "slomon.core.statistics",
    "ConfigurationError": "slomon.errors",
    "Endpoint": "slomon.core.endpoints",
    "EndpointStatus": "slomon.live_monitor.snapshot",
    "EventStream": "slomon.pipeline.stream",
    "Incident": "slomon.core.incident",
    "IncidentClosed": "slomon.live_monitor.subscription",
    "IncidentDetail": "slomon.core.service_monitor",
    "IncidentEvent": "slomon.live_monitor.subscription",
    "IncidentOpened": "slomon.live_monitor.subscription",
    "IncidentRecord": "slomon.core.incident_records",
    "IncidentsMissed": "slomon.live_monitor.subscription",
    "LeaderError": "slomon.errors",
    "LiveAccounting": "slomon.live_monitor.snapshot",
    "LiveMonitor": "slomon.live_monitor.monitor",
    "Malformed": "slomon.core.events",
    "MalformedEventError": "slomon.errors",
    "MalformedLineError": "slomon.errors",
    "Metrics": "slomon.core.metrics",
    "Outage": "slomon.core.outages",
    "Progress": "slomon.log_replay.progress",
    "RejectedLine": "slomon.core.events",
    "Rejection": "slomon.core.events",
    "ReplayAccounting": "slomon.core.events",
    "ReplayMonitor": "slomon.log_replay.monitor",
    "Report": "slomon.report.report",
    "ResultWarning": "slomon.core.trust",
    "ServiceMonitor": "slomon.core.service_monitor",
    "SlomonError": "slomon.errors",
    "Snapshot": "slomon.live_monitor.snapshot",
    "State": "slomon.core.incident",
    "StateFileError": "slomon.errors",
    "StatusRule": "slomon.core.statuses",
    "Subscription": "slomon.live_monitor.subscription",
    "Summary": "slomon.core.summary",
    "ThreadedMonitor": "slomon.live_monitor.threaded",
    "Verdict": "slomon.core.attribution",
    "consume": "slomon.api",
    "get_service_monitor": "slomon.api",
    "incident_schema": "slomon.report.columns",
    "live": "slomon.live_monitor.live",
    "live_in_thread": "slomon.live_monitor.threaded",
    "replay": "slomon.log_replay.replay",
    "to_frame": "slomon.report.exports",
}
"""The module of each name, imported at the first use of the name: importing all takes long."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
