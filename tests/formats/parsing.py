"""Lines of a log, read as a replay reads them: a line may switch the format of those after it."""

from __future__ import annotations

from collections.abc import Iterable

from slomon.core.events import Access
from slomon.core.statuses import server_errors_fail
from slomon.formats.format import Format, Item, Reading, Switch
from slomon.formats.recognition import Recognition, recognise
from slomon.formats.registry import known_formats

READING = Reading(server_errors_fail)
KNOWN = known_formats(server_errors_fail)


def read_all(form: Format, lines: Iterable[str]) -> tuple[list[Item], Format]:
    """What each line is, and the format after the last one."""
    items: list[Item] = []
    for line in lines:
        read = form.parse(line)
        if isinstance(read, Switch):
            form, read = read.format, read.item
        items.append(read)
    return items, form


def recognised(lines: list[str]) -> Recognition:
    """The recognition of lines that a known format reads."""
    found = recognise(lines, KNOWN, READING, lambda _: None)
    assert isinstance(found, Recognition), found
    return found


def accesses(lines: list[str]) -> tuple[str, list[Access]]:
    """The name of the format that is recognised, and the accesses of all lines."""
    form = recognised(lines).format
    items, _ = read_all(form, lines)
    return form.name, [item for item in items if isinstance(item, Access)]
