"""
Finds the incidents with Polars, in one lazy query on its streaming engine.

    python scripts/peers/polars_lazy.py access.log endpoints.json incidents.jsonl plain

The last argument may also be `combined` or `json`.

These variants were slower or no faster on ten million lines: the in-memory engine (two and a half
times the memory); grouping by the two texts instead of a joined number; Float64 timestamps; 0.0 and
1.0 instead of booleans; group_by().agg() with an explode; rolling(group_by=); running sums and
join_asof(); collecting the columns before the windows; a status compared as text; low_memory.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

# Ignored if types are checked without the packages that only benchmarks need.
import polars as pl  # type: ignore[import-not-found, unused-ignore]


@dataclass(frozen=True, slots=True)
class Format:
    """How to read lines, with ticks that are unique within an endpoint, and the unit of a tick."""

    scan: dict[str, Any]
    accesses: dict[str, Any]
    per_second: int
    seconds: pl.Expr
    read: Callable[..., pl.LazyFrame] = pl.scan_csv


_TIMES: Final = pl.col("start", "end")
_CSV: Final[dict[str, Any]] = {"separator": " ", "has_header": False}

PLAIN: Final = Format(
    scan=_CSV
    | {
        "schema": {
            "stamp": pl.Decimal(18, 4),
            "verb": pl.String,
            "resource": pl.String,
            "status": pl.UInt16,
        },
        "quote_char": None,
    },
    accesses={"tick": (pl.col("stamp") * 10_000).cast(pl.Int64)},
    per_second=10_000,
    # Rounded, because Polars divides by a constant by multiplying by its inverse.
    seconds=(_TIMES / 10_000).round(4),
)

_SECOND: Final = pl.col("day").str.to_datetime("[%d/%b/%Y:%H:%M:%S").dt.epoch("s")
_REQUEST: Final = pl.col("request").str.splitn(" ", 3)
COMBINED: Final = Format(
    scan=_CSV
    | {
        "schema": dict.fromkeys(("client", "ident", "who", "day", "zone", "request"), pl.String)
        | {"status": pl.UInt16}
        | dict.fromkeys(("size", "referer", "agent"), pl.String),
        "row_index_name": "line",
    },
    accesses={
        # Whole seconds repeat, so the line number makes a tick unique.
        "tick": _SECOND * 1_000_000_000 + pl.col("line").cast(pl.Int64),
        "verb": _REQUEST.struct.field("field_0"),
        "resource": _REQUEST.struct.field("field_1"),
    },
    per_second=1_000_000_000,
    seconds=_TIMES // 1_000_000_000,
)

JSON: Final = Format(
    scan={
        "schema": dict.fromkeys(
            ("time_iso8601", "request_method", "request_uri", "status"), pl.String
        ),
        "row_index_name": "line",
    },
    accesses={
        "tick": pl.col("time_iso8601").str.to_datetime("%Y-%m-%dT%H:%M:%S%z").dt.epoch("s")
        * 1_000_000_000
        + pl.col("line").cast(pl.Int64),
        "verb": "request_method",
        "resource": "request_uri",
        "status": pl.col("status").cast(pl.UInt16),
    },
    per_second=1_000_000_000,
    seconds=_TIMES // 1_000_000_000,
    read=pl.scan_ndjson,
)
FORMATS: Final = {"plain": PLAIN, "combined": COMBINED, "json": JSON}


def read_endpoints(path: str) -> tuple[pl.LazyFrame, int]:
    """The numbered endpoints, and their common window in seconds."""
    fields = {"verb": pl.String, "resource": pl.String, "slo": pl.Float64, "window": pl.Int64}
    entries = pl.read_json(path, schema=fields).with_row_index("key")
    windows = entries["window"].unique().to_list()
    if len(windows) != 1:
        sys.exit("the endpoints have several windows: this query knows one")
    return entries.lazy().select("key", "verb", "resource", "slo"), windows[0]


def find_incidents(log: str, endpoints: str, form: Format) -> pl.LazyFrame:
    entries, window = read_endpoints(endpoints)
    accesses = (
        form.read(log, **form.scan)
        .with_columns(**form.accesses)
        .join(entries, on=["verb", "resource"], maintain_order="left")
        .select("key", "tick", "slo", ok=pl.col("status") < 500)
    )
    sli = pl.col("ok").rolling_mean_by("tick", f"{window * form.per_second}i", closed="right")
    was_low = pl.col("low").shift(1, fill_value=False)
    return (
        accesses.with_columns(low=sli.over("key") < pl.col("slo"))
        .filter(pl.col("low") != was_low.over("key"))
        .with_columns(start="tick", end=pl.col("tick").shift(-1).over("key"))
        .filter("low")
        .join(entries, on="key")
        .sort("start")
        .with_columns(form.seconds)
        .select("verb", "resource", "start", pl.col("end").fill_null(-1))
    )


if __name__ == "__main__":
    log, endpoints, out, form = sys.argv[1:]
    incidents = find_incidents(log, endpoints, FORMATS[form])
    incidents.collect(engine="streaming").write_ndjson(out)
