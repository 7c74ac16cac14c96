"""The progress of a replay."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """
    How far a replay has come: `read_bytes` of the files' `total_bytes`, compressed as they are on
    disk (None if one of them is a pipe), and the `lines` that were counted.
    """

    read_bytes: int
    total_bytes: int | None
    lines: int
