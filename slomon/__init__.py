"""
slomon: point it at a stream of requests and deploys, and it says which commit broke which
endpoint, when, which commit fixed it, and how long repair takes.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from slomon.core.accounting import Accounting, RejectedLine, Rejection, ReplayAccounting
from slomon.core.endpoint import Endpoint
from slomon.core.event import Change, Malformed, StatusRule
from slomon.core.incident import Incident
from slomon.core.report import IncidentDetail, ServiceMonitor
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
from slomon.monitor import consume, get_service_monitor
from slomon.pipeline.stream import EventStream
from slomon.replaying.monitor import ReplayMonitor
from slomon.replaying.progress import Progress
from slomon.replaying.replay import replay

if TYPE_CHECKING:
    from slomon.reporting.frame import to_frame
    from slomon.reporting.report import Report

__version__ = "0.1.0"

__all__ = [
    "Accounting",
    "Change",
    "ConfigurationError",
    "Endpoint",
    "EndpointStatus",
    "EventStream",
    "Incident",
    "IncidentClosed",
    "IncidentDetail",
    "IncidentEvent",
    "IncidentOpened",
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
    "StateFileError",
    "StatusRule",
    "Subscription",
    "consume",
    "get_service_monitor",
    "live",
    "replay",
    "to_frame",
]

_LATER = {"Report": "slomon.reporting.report", "to_frame": "slomon.reporting.frame"}
"""What few ask for, with the module that is imported by then: a start has no time for it."""


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
