"""The table of known requests, for compiled kernels: scanners read it, one writer fills it."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from slomon.compiled.library import Library, Text, address, lengthen
from slomon.endpoints.discovery import SavedEndpointNames
from slomon.endpoints.templates import NO_TEMPLATES
from slomon.kernels.codes import UNMATCHED
from slomon.kernels.hash_table import BUCKET
from slomon.kernels.resolve import (
    ADMITTED,
    ARENA,
    CAPPED,
    ENTRIES,
    FOUND,
    HEADER,
    MASK,
    MOST,
    ROOM,
    USED,
)
from slomon.kernels.route import LONGEST, SCRATCH
from slomon.kernels.swar import WIDEST

_PLAIN: Final = re.compile(rb"[A-Za-z]+ (?:[a-z0-9._-]+\n)?[!#-\[\]-~]+")
_find_newline: Final = re.compile(rb"\n").search
_BUCKETS: Final = 1 << 10
_REMEMBERED: Final = 1 << 18  # requests to given endpoints: a log must not fill the memory
_WORTH: Final = (
    32  # numbers of a table that are copied in the time in which one request is resolved
)
_ARENA: Final = 1 << 16  # bytes
_NAMES: Final = 1 << 12  # that are copied from the arena together
_PADDING: Final = WIDEST  # bytes behind the arena, which kernels read with the last bytes of a text


@dataclass(frozen=True, slots=True)
class Known:
    """A published table. Scanners read it while the writer fills its own."""

    table: array[int]
    mask: int
    arena: array[int]
    entries: int


class CompiledEndpointNames:
    """
    A table from `<verb> <resource>` to keys.

    With `most`, each new request is a found endpoint, and at most `most` of them are admitted.
    Without it, the table holds only the requests that it learned, and is emptied when it is full.
    """

    def __init__(self, library: Library, most: int = 0) -> None:
        self.templates = NO_TEMPLATES
        self._library = library
        self._book = array("q", [0]) * HEADER
        self._book[MOST] = most
        self._places = array("q")  # of those with keys in the arena
        self._admitted = array("B")  # by their keys
        self._scratch = bytearray(SCRATCH)
        self._missed = 0
        self._table, self._arena = _empty(self._book)
        self._measure()
        self.known = self._copy()

    def __len__(self) -> int:
        return self._book[FOUND]

    @property
    def has_routes(self) -> bool:
        """Are the requests in the table the routes of found endpoints?"""
        return self._book[MOST] > 0

    @property
    def admitted(self) -> int:
        """The number of admitted endpoints."""
        return self._book[ADMITTED]

    @property
    def capped(self) -> int:
        """The number of accesses to endpoints that were not admitted."""
        return self._book[CAPPED]

    @capped.setter
    def capped(self, count: int) -> None:
        self._book[CAPPED] = count

    def admission(self) -> tuple[int, int]:
        """Return the addresses of the columns in which a kernel admits keys."""
        return address(self._admitted), address(self._book)

    def text(self, key: int) -> bytes:
        """Return the request of a found endpoint."""
        at, length = self._places[2 * key : 2 * key + 2]
        request: bytes = self._arena[at : at + length].tobytes()
        return request

    def list_names(self, first: int, end: int) -> Iterator[bytes]:
        """The names of the found endpoints from key `first` to before `end`."""
        end = min(end, len(self))
        for key in range(first, end, _NAMES):
            places = self._places[2 * key : 2 * min(key + _NAMES, end)]
            texts = self._arena[places[0] : places[-2] + places[-1]].tobytes()
            at = 0
            for length in places[1::2]:
                yield texts[at : at + length]
                at += length

    def list_admitted(self) -> Iterable[int]:
        """Whether each found endpoint is admitted, in order of their keys."""
        return islice(self._admitted, len(self))

    def has_newline(self, first: int, end: int) -> bool:
        """Has any name from key `first` to before `end` a newline, as after an origin?"""
        places = self._places[2 * first : 2 * min(end, len(self))]
        last = places[-2] + places[-1] if places else 0
        return bool(places) and _find_newline(self._arena, places[0], last) is not None

    def save(self) -> SavedEndpointNames:
        """Return the found endpoints, for `load`."""
        texts, lengths = self._arena[: self._book[USED]], self._places[1 : 2 * len(self) : 2]
        return SavedEndpointNames(texts, lengths, self._admitted[: len(self)], self.capped)

    def load(self, saved: SavedEndpointNames) -> None:
        """Restore what `save` returned, in an empty table."""
        saved.check(self._book[MOST])
        for text in saved.split():
            self.key(text)
        self._admitted[: len(self)] = saved.admitted
        self._book[ADMITTED], self.capped = sum(saved.admitted), saved.capped

    def key(self, request: bytes) -> int:
        """Return a request's key, a new one if it has none; UNMATCHED if `most` are admitted."""
        self.make_room()
        self._scratch[: len(request)] = request
        key: int = self._library.find_or_add(
            *(address(self._scratch), len(request)),
            *map(address, (self._table, self._arena, self._places, self._book)),
        )
        return key

    def learn(self, request: bytes, code: int) -> None:
        """
        Remember the code of an unknown request's row.

        Does nothing if the row is no access, or if the text of the request depends on the format or
        on the decoding of its line.
        """
        if code < UNMATCHED or len(request) > LONGEST or not _PLAIN.fullmatch(request):
            return
        if self._book[ENTRIES] >= _REMEMBERED:
            self._table, self._arena = _empty(self._book)
            self._measure()
            self.known = self._copy()
        self.make_room()
        self._scratch[: len(request)] = request
        self._library.add_request(
            *(address(self._scratch), len(request), code >> 1 if code >= 0 else UNMATCHED),
            *map(address, (self._table, self._arena, self._book)),
        )

    def resolve(  # noqa: PLR0917 (as the kernel has them)
        self,
        text: Text,
        requests: Text,
        unresolved: array[int],
        first: int,
        unresolved_count: int,
        codes: array[int],
    ) -> int:
        """
        Resolve the unresolved lines of a text from `first` on, whose composed requests are in
        `requests`; return the one it stopped at.
        """
        self.make_room()
        return self._library.resolve(
            *(address(text), address(requests), address(unresolved), first, unresolved_count),
            *map(address, (codes, self._table, self._arena, self._places, self._book)),
            *(address(self._scratch), address(self.templates)),
        )

    def make_room(self) -> None:
        """Make room for at least one more request."""
        header = self._book
        if header[ENTRIES] == header[ROOM]:
            grown = array("q", bytes(2 * 8 * len(self._table)))
            buckets = len(self._table) // BUCKET
            header[MASK] = 2 * buckets - 1
            self._library.rehash(address(self._table), buckets, address(grown), header[MASK])
            self._table = grown
            self._measure()
        if header[USED] + SCRATCH > header[ARENA]:
            # A new arena: scanners may still read the old one, so it must not be grown in place.
            self._arena, size = self._arena[:], len(self._arena)
            lengthen(self._arena, size + max(size >> 2, _ARENA))
            header[ARENA] = len(self._arena) - _PADDING
            self.known = replace(self.known, arena=self._arena)  # so that the old one is released

    def publish(self, unknown: int) -> None:
        """Publish a copy of the table once scanners miss enough requests to be worth it."""
        self._missed += unknown
        if self._book[ENTRIES] > self.known.entries and self._missed * _WORTH > len(self._table):
            self.known, self._missed = self._copy(), 0

    def _measure(self) -> None:
        """
        Allow half of the buckets to be used, so that most look-ups need one; give each found
        endpoint a place.
        """
        header = self._book
        header[ROOM] = (header[MASK] + 1) // 2
        if header[MOST]:
            lengthen(self._places, 2 * header[ROOM])
            lengthen(self._admitted, header[ROOM])

    def _copy(self) -> Known:
        return Known(self._table[:], self._book[MASK], self._arena, self._book[ENTRIES])


def _empty(header: array[int]) -> tuple[array[int], array[int]]:
    """Return an empty table and an empty arena."""
    header[MASK], header[ENTRIES], header[USED], header[ARENA] = _BUCKETS - 1, 0, 0, _ARENA
    return array("q", bytes(8 * BUCKET * _BUCKETS)), array("B", bytes(_ARENA + _PADDING))
