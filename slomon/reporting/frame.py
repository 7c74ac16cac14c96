"""Incidents as a data frame, of whichever library its user has."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, overload

from slomon.core.records import IncidentRecord
from slomon.core.service_monitor import ServiceMonitor
from slomon.errors import ConfigurationError
from slomon.reporting.arrow import to_table
from slomon.text import quote

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Incidents: TypeAlias = ServiceMonitor | Sequence[IncidentRecord]
LIBRARIES: Final = ("pandas", "polars")


@overload
def to_frame(incidents: Incidents, library: Literal["pandas"]) -> pd.DataFrame: ...
@overload
def to_frame(incidents: Incidents, library: Literal["polars"]) -> pl.DataFrame: ...
@overload
def to_frame(incidents: Incidents, library: None = None) -> pd.DataFrame | pl.DataFrame: ...
def to_frame(incidents: Incidents, library: str | None = None) -> Any:
    """
    A row an incident of a monitor, or a record of those that it gives, with the columns of a
    Parquet file, as a frame of "pandas" or "polars"; of None, of the first of these that is
    installed. The columns of pandas are Arrow's, so a count that isn't known makes no floats of the
    others. Times are in UTC, durations and ages in seconds.

    Raises ConfigurationError for another library, one that is not installed, anything else
    than incidents, and without the extra `slomon[report]`.
    """
    name = _choose(library)
    table = to_table(_list_records(incidents))
    module = import_module(name)
    if name == "polars":
        return module.from_arrow(table)
    return table.to_pandas(types_mapper=module.ArrowDtype)


def _list_records(incidents: Incidents) -> Sequence[IncidentRecord]:
    if isinstance(incidents, ServiceMonitor):
        return incidents.records()
    if isinstance(incidents, Sequence) and all(
        isinstance(record, IncidentRecord) for record in incidents
    ):
        return incidents
    raise ConfigurationError(
        f"the incidents are {quote(incidents)}; allowed: a monitor, or a list of its records"
    )


def _choose(library: str | None) -> str:
    if library is not None and library not in LIBRARIES:
        raise ConfigurationError(
            f"the library of a data frame is {quote(library)}; allowed: "
            f"{', '.join(map(quote, LIBRARIES))}"
        )
    wanted = LIBRARIES if library is None else (library,)
    found = next((name for name in wanted if find_spec(name)), None)
    if found is None:
        raise ConfigurationError(
            f"a data frame is made by {' or '.join(wanted)}, which is not installed; needed: "
            f"pip install {wanted[0]}"
        )
    return found
