"""
Finds the incidents with DuckDB, in one query.

    python scripts/peers/duckdb_sql.py access.log endpoints.json incidents.jsonl plain|combined|json

These variants were slower or no faster on ten million lines: enums instead of texts; partitions by
the two texts; DECIMAL timestamps, and DOUBLE ones in the frame; sum/count instead of avg; lag() to
find the crossings, a second window over all rows; running sums and an ASOF join instead of the
frame; loading a table first; preserve_insertion_order = false. The RANGE frame takes most of the
time.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final

# Ignored if types are checked without the packages that only benchmarks need.
import duckdb  # type: ignore[import-not-found, unused-ignore]

# By default DuckDB takes the log for a small table and builds the hash table of the join from it,
# which needs three times the memory and more time.
SETUP: Final = """
set disabled_optimizers = 'build_side_probe_side';
create temp table endpoints as
    select (row_number() over ())::integer as key, verb, resource, slo, "window"
    from read_json('{endpoints}');
"""

# `nth - row_number()` is constant within a run of consecutive low rows, an "island".
INCIDENTS: Final = """
copy (
    with lines as ({lines}),
    accesses as (
        select key, slo, tick, (status < 500)::tinyint as ok
        from lines join endpoints using (verb, resource)
    ),
    slid as (
        select key, slo, tick,
            row_number() over endpoint as nth,
            lead(tick) over endpoint as next,
            avg(ok) over (endpoint range between {width} - 1 preceding and current row) as sli
        from accesses
        window endpoint as (partition by key order by tick)
    ),
    low as (
        select key, tick, next, nth - row_number() over (partition by key order by tick) as island
        from slid where sli < slo
    ),
    incidents as (
        select key, min(tick) as first, arg_max_null(next, tick) as next
        from low group by key, island
    )
    select verb, resource, {first} as "start", coalesce({next}, -1) as "end"
    from incidents join endpoints using (key) order by first
) to '{out}' (format json)
"""


@dataclass(frozen=True, slots=True)
class Format:
    """How to read lines, with ticks that are unique within an endpoint, and the unit of a tick."""

    lines: str
    per_second: int
    seconds: str


PLAIN: Final = Format(
    """
    select verb, resource, status, round(stamp * 10_000)::bigint as tick
    from read_csv('{log}', delim = ' ', header = false, auto_detect = false, quote = '',
        columns = {{stamp: 'DOUBLE', verb: 'VARCHAR', resource: 'VARCHAR', status: 'USMALLINT'}})
    """,
    per_second=10_000,
    seconds="{} / 10_000",
)

# Whole seconds repeat, so the line number makes a tick unique.
COMBINED: Final = Format(
    """
    select split_part(request, ' ', 1) as verb, split_part(request, ' ', 2) as resource, status,
        epoch(strptime(day, '[%d/%b/%Y:%H:%M:%S'))::bigint * 1_000_000_000
            + row_number() over () as tick
    from read_csv('{log}', delim = ' ', header = false, auto_detect = false, quote = '"',
        columns = {{client: 'VARCHAR', ident: 'VARCHAR', who: 'VARCHAR', day: 'VARCHAR',
            zone: 'VARCHAR', request: 'VARCHAR', status: 'USMALLINT', size: 'VARCHAR',
            referer: 'VARCHAR', agent: 'VARCHAR'}})
    """,
    per_second=1_000_000_000,
    seconds="{} // 1_000_000_000",
)

JSON: Final = Format(
    """
    select request_method as verb, request_uri as resource, status,
        epoch(time_iso8601)::bigint * 1_000_000_000 + row_number() over () as tick
    from read_json('{log}', format = 'newline_delimited', columns = {{time_iso8601: 'TIMESTAMPTZ',
        request_method: 'VARCHAR', request_uri: 'VARCHAR', status: 'USMALLINT'}})
    """,
    per_second=1_000_000_000,
    seconds="{} // 1_000_000_000",
)
FORMATS: Final = {"plain": PLAIN, "combined": COMBINED, "json": JSON}


def write_incidents(log: str, endpoints: str, out: str, form: Format) -> None:
    connection = duckdb.connect()
    connection.execute(SETUP.format(endpoints=endpoints))
    windows = connection.execute('select distinct "window" from endpoints').fetchall()
    if len(windows) != 1:
        sys.exit("the endpoints have several windows: this query knows one")
    query = INCIDENTS.format(
        lines=form.lines.format(log=log),
        width=int(windows[0][0]) * form.per_second,
        first=form.seconds.format("first"),
        next=form.seconds.format("next"),
        out=out,
    )
    connection.execute(query)


if __name__ == "__main__":
    log, endpoints, out, form = sys.argv[1:]
    write_incidents(log, endpoints, out, FORMATS[form])
