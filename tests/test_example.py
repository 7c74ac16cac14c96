"""The worked example of the contract, end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slomon import get_service_monitor
from slomon.example_streams import open_recording

EXAMPLE = Path(__file__).parent / "data" / "example"


@pytest.mark.parametrize("workers", [1, 2, 7, 64])
def test_the_example_gives_exactly_what_the_contract_says(workers: int) -> None:
    with open_recording(EXAMPLE / "events.jsonl", EXAMPLE / "info.json") as stream:
        monitor = get_service_monitor(stream, workers=workers)

    answers = {
        "mttr": monitor.mttr(),
        "api_histogram": monitor.api_histogram(),
        "incident_details": monitor.incident_details(),
    }
    expected = (EXAMPLE / "expected.json").read_text(encoding="utf-8")
    assert answers == json.loads(expected)
    # As text too: the order of keys, and 2 is not 2.0.
    assert json.dumps(answers, indent=1) == expected.rstrip("\n")
