"""How the SLI of an endpoint went, in few enough numbers to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trace:
    """
    The SLI of one endpoint over time, in buckets: `endpoint` is its place in the summary's list,
    `at` when each bucket begins (seconds since the epoch), then how many requests it has, how many
    of these failed, and the lowest SLI of the window in it: 1 where none was judged, for want of
    requests. Buckets without a request are left out.
    """

    endpoint: int
    at: Sequence[float]
    requests: Sequence[int]
    failures: Sequence[int]
    lowest_sli: Sequence[float]
