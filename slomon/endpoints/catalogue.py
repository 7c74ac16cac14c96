"""The endpoints that a program gives: a list of entries, or the file that has them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias, cast

from slomon.core.endpoint import Catalogue
from slomon.endpoints.endpoint_file import read_entries
from slomon.endpoints.entry import complete_entries
from slomon.errors import ConfigurationError
from slomon.options import AnyPath, naming_option
from slomon.pipeline.stream import Entries
from slomon.text import excerpt

Endpoints: TypeAlias = AnyPath | Entries


def read_catalogue(endpoints: Endpoints) -> Catalogue:
    """
    The endpoints of a file or of a list of entries, which need not be complete: see
    `complete_entry`. Raises ConfigurationError where they are wrong, and OSError.
    """
    if not isinstance(endpoints, str | os.PathLike):
        with naming_option("endpoints"):
            return Catalogue(_complete(endpoints))
    try:
        return Catalogue(read_entries(Path(endpoints)))
    except ConfigurationError as error:
        raise ConfigurationError(f"{excerpt(str(endpoints), 1000)}: {error}") from None


def _complete(entries: Entries) -> Entries:
    if isinstance(entries, Mapping | bytes) or not isinstance(entries, Iterable):
        return entries  # the catalogue says what is wrong
    return cast(Entries, complete_entries(entries))
