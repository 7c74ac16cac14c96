"""The trace of a shard at the compiled speed."""

from __future__ import annotations

from array import array

from slomon.compiled.library import Function, Library, address
from slomon.core.sli_series import Tracer
from slomon.kernels.series import TraceState


class CompiledTracer(Tracer):
    """Goes on from a tracer of the other speed, and merges at this one."""

    def __init__(self, library: Library, tracer: Tracer) -> None:
        super().__init__()
        self.state = tracer.state
        self._library = library

    def merge(self, doublings: int) -> int:
        """Merge the buckets, as the kernel does it."""
        return self._call(self._library.merge, doublings)

    def sort(self) -> None:
        """Sort the buckets by their slots, as the kernel does it."""
        self._call(self._library.sort)

    def _call(self, kernel: Function, *numbers: int) -> int:
        state, columns = self.state, address_columns(self.state)
        counts = len(state.place), len(state.bucket_slot)
        return kernel(address(columns), address(columns), *counts, *numbers)


def address_columns(trace: TraceState | None) -> array[int]:
    """Of what kernels make a TraceState, as long as nothing grows; nothing where there is none."""
    return array("q", map(address, trace or ()))  # type: ignore[arg-type] # all are arrays
