"""The requests seen so far, at the compiled speed: a table that scanners read, and its writer."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from typing import Final

from slomon.compiled.library import Library, Text, address, lengthen
from slomon.core.events import StatusRule, classify_status
from slomon.endpoints.discovery import SavedEndpointNames
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
    SCRATCH,
    USED,
)
from slomon.kernels.route import LONGEST
from slomon.kernels.scan import MALFORMED

_PLAIN: Final = re.compile(rb"[A-Za-z]+ [!#-\[\]-~]+")
_BUCKETS: Final = 1 << 10
_REMEMBERED: Final = 1 << 18  # requests to given endpoints: a log must not fill the memory
_WORTH: Final = 32  # numbers of a table that are copied while one request is settled
_ARENA: Final = 1 << 16
_PADDING: Final = 8  # bytes behind the arena that are read with a text's last ones


@dataclass(frozen=True, slots=True)
class Known:
    """The table as it was published: scanners read this one while another is written."""

    table: array[int]
    mask: int
    arena: array[int]
    entries: int


class CompiledEndpointNames:
    """
    `<verb> <resource>` -> key. With `most` it finds endpoints itself, of which up to so many are
    admitted; else it only remembers what it is told, and forgets it all when that is too much.
    """

    def __init__(self, library: Library, most: int = 0) -> None:
        self._library = library
        self._book = array("q", [0]) * HEADER
        self._book[MOST] = most
        self._places = array("q")  # of those with keys in the arena
        self._admitted = array("B")  # by their keys
        self._scratch = array("B", bytes(SCRATCH))
        self._missed = 0
        self._table, self._arena = _empty(self._book)
        self._measure()
        self.known = self._copy()

    def __len__(self) -> int:
        return self._book[FOUND]

    @property
    def admitted(self) -> int:
        """How many endpoints were found."""
        return self._book[ADMITTED]

    @property
    def capped(self) -> int:
        """How many accesses were to endpoints beyond the most there may be."""
        return self._book[CAPPED]

    @capped.setter
    def capped(self, count: int) -> None:
        self._book[CAPPED] = count

    def admission(self) -> tuple[int, int]:
        """The addresses of what says which keys are admitted, for the kernel that admits them."""
        return address(self._admitted), address(self._book)

    def text(self, key: int) -> bytes:
        """The request of a found endpoint."""
        at, length = self._places[2 * key : 2 * key + 2]
        request: bytes = self._arena[at : at + length].tobytes()
        return request

    def save(self) -> SavedEndpointNames:
        """For `load`."""
        texts, lengths = self._arena[: self._book[USED]], self._places[1 : 2 * len(self) : 2]
        return SavedEndpointNames(texts, lengths, self._admitted[: len(self)], self.capped)

    def load(self, saved: SavedEndpointNames) -> None:
        """Go on from what `save` saved."""
        for text in saved.split():
            self.key(text)
        self._admitted[: len(self)] = saved.admitted
        self._book[ADMITTED], self.capped = sum(saved.admitted), saved.capped

    def key(self, request: bytes) -> int:
        """The key of a request, a new one if need be; UNMATCHED where enough are admitted."""
        self.make_room()
        self._scratch[: len(request)] = array("B", request)
        key: int = self._library.find_or_add(
            *(address(self._scratch), len(request)),
            *map(address, (self._table, self._arena, self._places, self._book)),
        )
        return key

    def learn(self, request: bytes, code: int) -> None:
        """
        Remember what the row of an unknown request turned out to be, if that is an event and the
        request is the same text in whatever format, however its line is decoded.
        """
        if code < UNMATCHED or len(request) > LONGEST or not _PLAIN.fullmatch(request):
            return
        if self._book[ENTRIES] >= _REMEMBERED:
            self._table, self._arena = _empty(self._book)
            self._measure()
            self.known = self._copy()
        self.make_room()
        self._scratch[: len(request)] = array("B", request)
        self._library.add_request(
            *(address(self._scratch), len(request), code >> 1 if code >= 0 else UNMATCHED),
            *map(address, (self._table, self._arena, self._book)),
        )

    def resolve(
        self,
        text: Text,
        unresolved: array[int],
        first: int,
        unresolved_count: int,
        codes: array[int],
    ) -> int:
        """Settle the odd lines of a text from the first on; returns at which one it stopped."""
        self.make_room()
        return self._library.resolve(
            *(address(text), address(unresolved), first, unresolved_count),
            *map(address, (codes, self._table, self._arena, self._places, self._book)),
            address(self._scratch),
        )

    def make_room(self) -> None:
        """Room for at least one more request."""
        header = self._book
        if header[ENTRIES] == header[ROOM]:
            grown = array("q", bytes(2 * 8 * len(self._table)))
            buckets = len(self._table) // BUCKET
            header[MASK] = 2 * buckets - 1
            self._library.rehash(address(self._table), buckets, address(grown), header[MASK])
            self._table = grown
            self._measure()
        if header[USED] + SCRATCH > header[ARENA]:
            # a new one, never the old one grown: scanners read it still
            self._arena = self._arena + array("B", bytes(len(self._arena)))
            header[ARENA] = len(self._arena) - _PADDING

    def publish(self, unknown: int) -> None:
        """Let scanners see what is known, once they missed enough of it to be worth a copy."""
        self._missed += unknown
        if self._book[ENTRIES] > self.known.entries and self._missed * _WORTH > len(self._table):
            self.known, self._missed = self._copy(), 0

    def _measure(self) -> None:
        """Three quarters of the buckets may be taken; each found endpoint has a place."""
        header = self._book
        header[ROOM] = (header[MASK] + 1) * 3 // 4
        if header[MOST]:
            lengthen(self._places, 2 * header[ROOM])
            lengthen(self._admitted, header[ROOM])

    def _copy(self) -> Known:
        return Known(self._table[:], self._book[MASK], self._arena, self._book[ENTRIES])


def judge_statuses(is_failure: StatusRule) -> array[int]:
    """What a rule says of each status: 0 for a success, 1 for a failure, or MALFORMED."""
    answers = (classify_status(is_failure, status) for status in range(1000))
    return array("q", [MALFORMED if failed is None else failed for failed in answers])


def _empty(header: array[int]) -> tuple[array[int], array[int]]:
    """A table and an arena in which nothing is."""
    header[MASK], header[ENTRIES], header[USED], header[ARENA] = _BUCKETS - 1, 0, 0, _ARENA
    return array("q", bytes(8 * BUCKET * _BUCKETS)), array("B", bytes(_ARENA + _PADDING))
