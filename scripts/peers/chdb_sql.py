"""
Finds the incidents with chDB, which is ClickHouse in a process, in one query.

    python scripts/peers/chdb_sql.py access.log endpoints.json incidents.jsonl plain

Only plain lines: in the other formats whole seconds repeat, and ClickHouse numbers the lines of a
file in no fixed order.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

# Ignored if types are checked without the packages that only benchmarks need.
import chdb  # type: ignore[import-not-found, unused-ignore]

PER_SECOND: Final = 10_000
WINDOWS: Final = "select distinct window from file('{endpoints}', JSONEachRow)"

# `nth - row_number()` is constant within a run of consecutive low rows, an "island".
INCIDENTS: Final = """
with endpoints as (
    select rowNumberInAllBlocks() as key, verb, resource, slo from file('{endpoints}', JSONEachRow,
        'verb String, resource String, slo Float64')
),
lines as (
    select verb, resource, status, toInt64(round(stamp * {per_second})) as tick
    from file('{log}', CustomSeparated,
        'stamp Float64, verb String, resource String, status UInt16')
),
accesses as (
    select key, slo, tick, toUInt8(status < 500) as ok
    from lines join endpoints using (verb, resource)
),
slid as (
    select key, slo, tick,
        row_number() over endpoint as nth,
        any(tick) over (endpoint rows between 1 following and 1 following) as next,
        avg(ok) over (endpoint range between {width} - 1 preceding and current row) as sli
    from accesses
    window endpoint as (partition by key order by tick)
),
low as (
    select key, tick, next, nth - row_number() over (partition by key order by tick) as island
    from slid where sli < slo
),
incidents as (
    select key, min(tick) as first, argMax(next, tick) as next from low group by key, island
)
select verb, resource, first / {per_second} as start,
    if(next = 0, -1, next / {per_second}) as end
from incidents join endpoints using (key) order by first
settings format_custom_field_delimiter = ' ', format_custom_escaping_rule = 'CSV'
"""


def write_incidents(log: str, endpoints: str, out: str) -> None:
    windows = chdb.query(WINDOWS.format(endpoints=endpoints), "TSV").bytes().split()
    if len(windows) != 1:
        sys.exit("the endpoints have several windows: this query knows one")
    width = int(windows[0]) * PER_SECOND
    query = INCIDENTS.format(log=log, endpoints=endpoints, width=width, per_second=PER_SECOND)
    Path(out).write_bytes(chdb.query(query, "JSONEachRow").bytes())


if __name__ == "__main__":
    log, endpoints, out, form = sys.argv[1:]
    if form != "plain":
        sys.exit(f"the form is {form}; allowed: plain")
    write_incidents(log, endpoints, out)
