"""The observer, who knows how worlds are drawn, weighs what may have caused a fault."""

from __future__ import annotations

from math import fsum

import pytest

from tests.worlds.drawing import draw_world
from tests.worlds.observer import observe
from tests.worlds.recording import Recording
from tests.worlds.statements import Statement


def statements(count: int) -> list[tuple[str, Statement]]:
    """The true cause of each fault that shows, in some worlds, and what the observer says."""
    found = []
    for number in range(count):
        recording = Recording(draw_world(f"observer/{number}"))
        for fault, truth in enumerate(recording.world.faults):
            broken = [
                resource
                for resource in sorted(truth.resources)
                if fault in recording.traffic[resource].sources
            ]
            if broken:
                found.append((truth.cause, observe(recording, fault, broken)))
    return found


@pytest.mark.slow
def test_it_knows_most_causes_and_names_no_commit_without_being_sure() -> None:
    found = statements(6)
    assert len(found) >= 10
    probabilities = [one.probabilities for _, one in found]
    assert [fsum(one.values()) for one in probabilities] == pytest.approx([1.0] * len(found))
    true = fsum(one.probabilities.get(cause, 0.0) for cause, one in found)
    assert true / len(found) > 0.6
    for _, one in found:
        assert one.named is None or one.probabilities[one.named] >= 0.9
    assert any(one.named == cause for cause, one in found)
