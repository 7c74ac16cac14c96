"""
The accounts of a replay: every line, record and event is in one of the counts, at the end and in a
saved state.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slomon.core.endpoints import Endpoint
from slomon.core.events import OUT_OF_RANGE, ReplayAccounting
from slomon.core.incident import ChangeLog, Incident
from slomon.core.reorder import Order, WaitingEvents
from slomon.core.shard import Shard
from slomon.core.ticks import LAST_TICK, to_seconds
from slomon.endpoints.discovery import EndpointNames
from slomon.log_replay.lines import CHANGES, ReferenceParser
from slomon.log_replay.plan import Plan
from slomon.state.validation import demand

if TYPE_CHECKING:
    from slomon.log_replay.reader import LogReader  # which imports anyio


@dataclass(frozen=True, slots=True)
class Accounts:
    """The counts of a replay, in the parts that make them."""

    plan: Plan
    order: Order
    reference: ReferenceParser
    names: EndpointNames

    def sum_up(
        self, *, late: int, lines: int, deploys: int, grouped_paths: int
    ) -> ReplayAccounting:
        """
        The accounting at the end, given the numbers of late accesses, of lines, of changes that are
        watched, and of paths that were grouped.
        """
        plan, order, reference = self.plan, self.order, self.reference
        clocks = order.clocks[CHANGES + 1 :]
        given = plan.endpoints
        out_of_range = order.excluded - reference.excluded.total() + order.excluded_changes
        excluded = reference.excluded + Counter(plan.excluded_records)
        excluded += Counter({OUT_OF_RANGE: out_of_range})
        return ReplayAccounting(
            events=order.position + plan.rejected_records + sum(plan.excluded_records.values()),
            accesses=order.accesses,
            changes=deploys,
            unmatched=order.unmatched + reference.changes - order.excluded_changes - deploys,
            rejected=reference.rejected + plan.rejected_records,
            excluded=excluded.total(),
            late=late,
            missing=reference.missing,
            lines=lines,
            excluded_by_reason=dict(excluded),
            records=len(plan.changes) + plan.rejected_records + sum(plan.excluded_records.values()),
            blank=order.blank,
            capped=self.names.capped,
            disordered=sum(clock.disordered for clock in clocks),
            largest_lateness=to_seconds(max(clock.largest for clock in clocks)),
            endpoints=self.names.admitted if given is None else len(given.endpoints),
            grouped_paths=grouped_paths,
        )

    def check(
        self,
        logs: Sequence[LogReader],
        shards: Sequence[Shard],
        incidents: Mapping[int, Incident],
        waiting: WaitingEvents,
        endpoints: Sequence[Endpoint],
    ) -> None:
        """
        Raise ValueError if the parts of a saved state do not agree: each line and change is in one
        of the counts, and each count of the stream is that of all shards. `incidents` are all, by
        the positions at which they opened.
        """
        order, reference, plan = self.order, self.reference, self.plan
        lines = sum(log.place.lines for log in logs) - order.blank
        demand(order.position + sum(waiting) == lines + len(plan.changes), "an event is missing")
        rejected = order.position - order.accesses - order.unmatched - len(order.deploys)
        rejected -= order.excluded + order.excluded_changes
        demand(reference.rejected == rejected + waiting.rejected, "a malformed line is missing")
        out_of_range = order.excluded + waiting.excluded - reference.excluded.total()
        is_limited = (plan.first, plan.last) != (0, LAST_TICK)
        demand(
            out_of_range == 0 or (out_of_range > 0 and is_limited), "an excluded line is missing"
        )
        demand(reference.changes == order.noted, "a change is missing")
        demand(self.names.capped <= order.unmatched + waiting.unmatched, "too many are capped")
        ended = [True, *(log.ended for log in logs)]
        demand([clock.ended for clock in order.clocks] == ended, "the end of a log is missing")
        rows = sum(clock.rows for clock in order.clocks[CHANGES + 1 :])
        demand(rows == lines, "a row is missing")
        many = all(
            log.place.lines >= clock.rows
            for log, clock in zip(logs, order.clocks[CHANGES + 1 :], strict=True)
        )
        demand(many, "a log has fewer lines than rows")
        totals = [shard.windows.totals()[0] for shard in shards]
        demand(sum(map(sum, totals)) == order.accesses, "an access is missing")
        changes = list(ChangeLog(order.deploys))
        demand(all(list(one.changes) == changes for one in shards), "a change is missing")
        if plan.endpoints is None:
            seen = [
                slot < len(totals[shard]) and totals[shard][slot] > 0
                for slot, shard in (divmod(key, plan.workers) for key in range(len(endpoints)))
            ]
            demand(self.names.save().admitted == array("B", seen), "an endpoint is missing")
        for position, one in incidents.items():
            is_known = one.key < len(endpoints) and one.endpoint == endpoints[one.key]
            demand(is_known and position < order.position, "an incident is of no endpoint")
        still_open = {(one.key, at) for at, one in incidents.items() if one.end is None}
        in_shards = {
            (shard.members.key(slot), one.start_position)
            for shard in shards
            for slot, one in shard.open.items()
            if one.key == shard.members.key(slot) and incidents.get(one.start_position) == one
        }
        counted = sum(len(shard.open) for shard in shards)
        agree = still_open == in_shards and len(in_shards) == counted
        demand(agree, "the open incidents are not those of the shards")
