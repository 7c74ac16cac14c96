"""
slomon: point it at a stream of requests and deploys, and it says which commit broke which
endpoint, when, which commit fixed it, and how long repair takes.
"""

from slomon.core.accounting import Accounting, RejectedLine, Rejection, ReplayAccounting
from slomon.core.endpoint import Endpoint
from slomon.core.event import Change, Malformed, StatusRule
from slomon.core.incident import Incident
from slomon.core.report import IncidentDetail, ServiceMonitor
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

__version__ = "0.1.0"

__all__ = [
    "Accounting",
    "Change",
    "ConfigurationError",
    "Endpoint",
    "EventStream",
    "Incident",
    "IncidentDetail",
    "Malformed",
    "MalformedEventError",
    "MalformedLineError",
    "Progress",
    "RejectedLine",
    "Rejection",
    "ReplayAccounting",
    "ReplayMonitor",
    "ServiceMonitor",
    "SlomonError",
    "StateFileError",
    "StatusRule",
    "consume",
    "get_service_monitor",
    "replay",
]
