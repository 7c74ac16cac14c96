"""What is said of causes in random streams: probabilities, whatever happened."""

from __future__ import annotations

from math import fsum
from random import Random

import pytest

import slomon
from slomon.core.cases import binomial_tail
from tests.streams import PlainStream


def draw_stream(seed: int) -> PlainStream:
    """Requests to three endpoints of two services, with faults, and changes that come again."""
    random = Random(seed)
    slo = random.choice([0.2, 0.5, 0.8, 0.95, 0.999])
    entries = [
        {"name": name, "email": "-", "verb": "GET", "resource": path, "slo": slo, "window": 60}
        for name, path in (("a", "/a"), ("a", "/b"), ("c", "/c"))
    ]
    events, second, rate = [], 1_741_608_000.0, 0.0
    for _ in range(random.randrange(20, 300)):
        second += random.expovariate(1 / random.choice([0.5, 20, 3000]))
        if random.random() < 0.05:
            commit = f"c{random.randrange(6)}"
            lines = f"commit: {commit}\nAuthor: <x@y>\nDate: 2025-03-10 12:00:00\nService: "
            events.append({"type": "change", "value": lines + random.choice("ac")})
        if random.random() < 0.1:
            rate = random.choice([0, 0, 0.05, 0.5, 1])
        status = 500 if random.random() < rate else 200
        path = random.choice("abc")
        events.append({"type": "access", "value": f"{second:.3f} GET /{path} {status}"})
    return PlainStream(events, entries)


@pytest.mark.parametrize(
    "first", [0, *(pytest.param(first, marks=pytest.mark.slow) for first in (50, 100))]
)
def test_probabilities_sum_to_one(first: int) -> None:
    for seed in range(first, first + 50):
        for record in slomon.get_service_monitor(draw_stream(seed)).records():
            for said in filter(None, (record.broken_by, record.fixed_by)):
                shares = [one.probability for one in said.candidates]
                assert all(0 <= share <= 1 for share in [*shares, said.unexplained])
                if not said.omitted:
                    assert fsum([*shares, said.unexplained]) == pytest.approx(1, abs=1e-5)


def test_the_tail_of_a_binomial_distribution() -> None:
    assert binomial_tail(0, 5, 0.5) == 1
    assert binomial_tail(6, 5, 0.5) == 0
    assert binomial_tail(4, 5, 0.5) == pytest.approx(6 / 32)
