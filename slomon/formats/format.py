"""A format of log lines, and what its parser returns for a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol, TypeAlias

from slomon.core.events import Access, Change, End, Excluded, Gap, Malformed
from slomon.core.statuses import StatusRule

Item: TypeAlias = Access | Change | Excluded | Malformed | Gap | End | None
"""What a line is. None is a line without an event, such as a header."""

Parse: TypeAlias = "Callable[[str], Item | Switch]"
"""Parses one line, given without its line end. It never raises, whatever the line is."""


@dataclass(frozen=True, slots=True)
class Reading:
    """
    How the lines of every format are read: which statuses fail, and the zone of times that name
    none. If it is None, such times are malformed. If `by_service` is true, the host of a request is
    what names its service (`names.choose_service`), and not its virtual host.
    """

    is_failure: StatusRule
    zone: tzinfo | None = None
    by_service: bool = False


class AnyLayout(Protocol):
    """What a compiled scanner may read by itself: a `Layout`, a `TableLayout` or `JsonKeys`."""

    @property
    def name(self) -> str:
        """The name of the format."""
        ...

    def show(self) -> str:
        """The layout as text that a user can give."""
        ...


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """Layouts that read the same lines as well as each other, and differently."""

    layouts: tuple[AnyLayout, ...]


@dataclass(frozen=True, slots=True)
class Format:
    """
    A format of log lines.

    If it is `ordered`, events count in the order of their lines; otherwise in the order of time.
    A scanner that follows the `layout` finds in each plain line what `parse` finds; None if only
    `parse` reads the format. A time without a zone is in `zone`. `spec` is the text from which
    `restore_format` makes the same format again.

    If lines are in a wrapper that a scanner may take off by itself, `wrapper` is its name, and
    `inner` is the format of what stands in it.

    A format whose keys or columns are found in the first lines of a log has `fit`: it returns the
    format of these lines, None if they have none, or the reason if two are as likely.
    """

    name: str
    parse: Parse
    ordered: bool = False
    layout: AnyLayout | None = None
    spec: str = ""
    zone: tzinfo | None = None
    fit: Callable[[Sequence[str]], Format | str | None] | None = None
    wrapper: str = ""
    inner: Format | None = None

    @property
    def is_scanned(self) -> bool:
        """May a scanner read the lines?"""
        return self.layout is not None or self.inner is not None


@dataclass(frozen=True, slots=True)
class Switch:
    """
    A line that changes how the lines after it are read: what the line itself is, and the format of
    the lines after it. So a format can have a state, such as the columns that a header names.
    """

    item: Item
    format: Format


def read_lines(form: Format, lines: Iterable[str]) -> Iterator[Item]:
    """What each line is, if these are the first lines of a log in this format."""
    for line in lines:
        read = form.parse(line)
        if isinstance(read, Switch):
            form, read = read.format, read.item
        yield read
