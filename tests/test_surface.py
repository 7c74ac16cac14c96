"""The public names are pinned: adding, removing or moving one is a decision, not an accident."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from pathlib import Path

import pytest

import slomon
from slomon import EventStream

NAMES = [
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
    "LiveAccounting",
    "LiveMonitor",
    "Malformed",
    "MalformedEventError",
    "MalformedLineError",
    "Metrics",
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
OPTIONS = [
    "workers",
    "queue_bound",
    "batch_bound",
    "strict",
    "is_failure",
    "fail_status",
    "close_after_no_traffic",
    "on_rejected",
    "sli_series",
    "backend",
]


def test_the_exported_names_are_these() -> None:
    assert slomon.__all__ == NAMES
    assert all(hasattr(slomon, name) for name in NAMES)


def test_names_that_are_imported_later_are_listed() -> None:
    assert set(NAMES) <= set(dir(slomon))
    with pytest.raises(AttributeError, match="module 'slomon' has no attribute 'to_frames'"):
        getattr(slomon, "to_" + "frames")


def test_every_exported_name_has_a_docstring() -> None:
    classes_and_functions = [
        name for name in NAMES if name not in {"StatusRule", "IncidentEvent"}
    ]  # type aliases
    assert all(inspect.getdoc(getattr(slomon, name)) for name in classes_and_functions)


def test_both_entry_points_take_the_same_keyword_options_with_the_same_defaults() -> None:
    blocking = inspect.signature(slomon.get_service_monitor).parameters
    awaited = inspect.signature(slomon.consume).parameters

    assert list(blocking) == ["event_stream", *OPTIONS]
    assert blocking == awaited
    assert all(blocking[name].kind is inspect.Parameter.KEYWORD_ONLY for name in OPTIONS)


def test_the_package_is_typed_and_its_version_is_the_distributions() -> None:
    assert (Path(slomon.__file__).parent / "py.typed").exists()
    assert version("slomon") == slomon.__version__


class PlainStream:
    def get_info(self) -> list[dict[str, object]]:
        return []

    def generate_event(self) -> dict[str, str]:
        return {"type": "end-of-stream", "value": ""}


class AsyncStream:
    async def get_info(self) -> list[dict[str, object]]:
        return []

    async def generate_event(self) -> dict[str, str]:
        return {"type": "end-of-stream", "value": ""}


def test_a_users_own_class_type_checks_as_an_event_stream() -> None:
    streams: list[EventStream] = [PlainStream(), AsyncStream()]  # mypy runs over the tests

    for stream in streams:
        assert slomon.get_service_monitor(stream).accounting.events == 0
