"""What is known of a source of accesses beside them: what became of its other events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, replace
from typing import Any, Final

from slomon.core.events import RejectedLine, append_bounded
from slomon.core.reorder import SourceClock
from slomon.endpoints.discovery import EndpointNames
from slomon.errors import ConfigurationError
from slomon.integrations.spark.counting import PlacedChange
from slomon.integrations.spark.packing import Rows
from slomon.kernels.codes import EXCLUDED, UNMATCHED

_COUNTS: Final = (
    *("events", "unmatched", "excluded", "lines", "blank", "rejected", "missing", "capped"),
    "noted",
)


@dataclass(slots=True)
class SourceSummary:
    """
    What is known of a source, or of a part of it, beside its accesses.

    * `events`, `unmatched`, `excluded`: how many of its rows are such events
    * `rejected`, `missing`, `reasons`: what `lines.ReferenceParser` counts
    * `capped`: requests that are too long for an endpoint
    * `changes`: with the places and the ticks at which they stand
    * `watched_until`: the tick at its end-of-stream; 0 if there is none
    * `first_rejected`: the first malformed lines
    * `detected`: arguments of `detect.OnFormatDetected`
    * `newest_before`, `is_stateless`: as `log_replay.scan.LogScan` has them
    """

    source: int
    clock: SourceClock = field(default_factory=SourceClock)
    events: int = 0
    unmatched: int = 0
    excluded: int = 0
    lines: int = 0
    blank: int = 0
    rejected: int = 0
    missing: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    capped: int = 0
    changes: list[PlacedChange] = field(default_factory=list)
    noted: int = 0
    watched_until: int = 0
    first_rejected: list[RejectedLine] = field(default_factory=list)
    detected: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    problem: str | None = None
    refusal: ConfigurationError | None = None
    newest_before: int = 0
    is_stateless: bool = True

    def add(self, rows: Rows) -> None:
        """Count the events of rows."""
        self.events += int(rows.counts.sum())
        for name, code in (("unmatched", UNMATCHED), ("excluded", EXCLUDED)):
            count = int(rows.counts[rows.codes == code].sum())
            setattr(self, name, getattr(self, name) + count)

    def widen(self, oldest: int, newest: int) -> None:
        """Note the oldest and the newest tick of some accesses of a table."""
        clock = self.clock
        clock.began = oldest if clock.began is None else min(clock.began, oldest)
        clock.newest = max(clock.newest, newest)

    def merge(self, other: SourceSummary) -> None:
        """Add the summary of another part of the same table."""
        self._add_counts(other)
        if other.clock.began is not None:
            self.widen(other.clock.began, other.clock.newest)
        for line in other.first_rejected:
            append_bounded(self.first_rejected, line)

    def append(self, other: SourceSummary) -> None:
        """Add the summary of the next part of the same log."""
        for line in other.first_rejected:
            append_bounded(self.first_rejected, replace(line, line=line.line + self.lines))
        self._add_counts(other)
        mine, clock = self.clock, other.clock
        mine.newest = max(mine.newest, clock.newest)
        mine.began = clock.began if mine.began is None else mine.began
        mine.disordered += clock.disordered
        mine.largest = max(mine.largest, clock.largest)
        self.changes += other.changes

    def _add_counts(self, other: SourceSummary) -> None:
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons += other.reasons
        self.clock.rows += other.clock.rows

    def save(self) -> dict[str, Any]:
        """The summary of a stream, as JSON, for `load`."""
        counts = {name: getattr(self, name) for name in _COUNTS}
        rejected = [astuple(line) for line in self.first_rejected]
        return {
            "counts": counts,
            "reasons": self.reasons,
            "clock": asdict(self.clock),
            "rejected": rejected,
        }

    @classmethod
    def load(cls, source: int, saved: Mapping[str, Any]) -> SourceSummary:
        """What `save` returned."""
        return cls(
            source,
            clock=SourceClock(**saved["clock"]),
            **saved["counts"],
            reasons=Counter(saved["reasons"]),
            first_rejected=[RejectedLine(*fields) for fields in saved["rejected"]],
        )


class NameList(Sequence[bytes]):
    """The names of the endpoints that were found, by their keys."""

    def __init__(self, names: EndpointNames) -> None:
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, key: int) -> bytes:  # type: ignore[override] # no slices of these
        return self._names.text(key)
