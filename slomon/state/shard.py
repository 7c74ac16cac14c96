"""The state of one shard as sections of a file, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from slomon.core.shard import Shard
from slomon.core.tracer import TraceState
from slomon.core.window import WindowState
from slomon.state.file import Section
from slomon.state.packed import pack_incidents, pack_placed, unpack_incidents, unpack_placed

Sections: TypeAlias = Iterator[tuple[str, Section]]

Saved: TypeAlias = Mapping[str, Any]


def save_shard(number: int, shard: Shard) -> Sections:
    """Windows and trace of a shard, a section a column; its changes and open incidents."""
    for name, column in shard.windows.columns():
        yield f"shard {number} {name}", column
    for name, column in shard.windows.tracer.columns() if shard.windows.tracer else ():
        yield f"shard {number} trace {name}", column
    yield f"shard {number} marks", shard.windows.marks
    yield f"shard {number} changes", [pack_placed(placed) for placed in shard.changes]
    yield f"shard {number} open slots", list(shard.open)
    yield f"shard {number} open", pack_incidents(shard.open.values())


def load_shard(number: int, shard: Shard, saved: Saved) -> None:
    """What `save_shard` saved, but for the windows: those are made of the states below."""
    shard.windows.marks = saved[f"shard {number} marks"]
    for fields in saved[f"shard {number} changes"]:
        shard.changes.record(unpack_placed(fields))
    slots = saved[f"shard {number} open slots"]
    incidents = unpack_incidents(saved[f"shard {number} open"])
    shard.open = dict(zip(slots, incidents, strict=True))


def window_state(number: int, saved: Saved) -> WindowState:
    """The state of a shard's windows, as arrays."""
    return WindowState._make(saved[f"shard {number} {name}"] for name in WindowState._fields)


def trace_state(number: int, saved: Saved) -> TraceState:
    """The state of a shard's trace."""
    return TraceState._make(saved[f"shard {number} trace {name}"] for name in TraceState._fields)
