"""
What slomon says of worlds with known causes: the sixth law.

The worlds are those of a seed on which nothing was tuned. The full figures are those of
`python scripts/bench.py blame`; here a few worlds must not be far from them.
"""

from __future__ import annotations

import pytest

from slomon import get_service_monitor
from tests.worlds.drawing import draw_world
from tests.worlds.recording import Recording
from tests.worlds.scoring import Score, measure_calibration_error
from tests.worlds.statements import read_blame, read_credit
from tests.worlds.truth import explain

WORLDS = 40
SEED = 7


@pytest.mark.slow
def test_probabilities_are_calibrated_in_worlds_with_known_causes() -> None:
    blames, credits_ = Score(), Score()
    for number in range(WORLDS):
        recording = Recording(draw_world(f"{SEED}/{number}"))
        seen = set()
        for record in get_service_monitor(recording).records():
            end = record.end if record.fixed_by else None
            truth = explain(recording, record.resource, record.start, end)
            # The incidents of one fault are right or wrong together, so one of them counts.
            source = truth.number, record.endpoint
            if source in seen:
                continue
            seen.add(source)
            if truth.cause is not None:
                blames.add(read_blame(record), truth.cause)
            if record.fixed_by and truth.fix is not None:
                credits_.add(read_credit(record), truth.fix)

    # Some 100 faults: an error of 5 points is chance. No calibration at all is 20 points and more.
    for score in (blames, credits_):
        assert measure_calibration_error(score.every) < 0.08
        assert score.right.part >= 0.8 * score.right.whole > 0
    assert blames.others.part <= 0.1 * blames.others.whole
