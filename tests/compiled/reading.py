"""Readers of lines with both backends, and all that they return."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from slomon.compiled import request_table as requests_host
from slomon.compiled.backend import CompiledBackend
from slomon.core.endpoints import Catalogue, Endpoint
from slomon.core.events import RejectedLine
from slomon.core.statuses import StatusRule, server_errors_fail
from slomon.core.ticks import LAST_TICK
from slomon.endpoints.discovery import (
    BY_FILE,
    EndpointNames,
    FoundEndpoints,
    FoundRequests,
    GivenRequests,
    Requests,
)
from slomon.endpoints.router import Router
from slomon.endpoints.templates import NO_TEMPLATES
from slomon.formats.format import Format
from slomon.formats.registry import known_formats
from slomon.kernels.swar import PADDING
from slomon.log_replay.backend import Backend, PythonBackend
from slomon.log_replay.lines import Block, Log, ReferenceParser, find_prefix
from tests.compiled.kernels import Opened, compiled_kernels
from tests.formats.layouts import make_formats

MakeRequests = Callable[[EndpointNames], Requests]

LIKE = Endpoint("shop", "-", "", "", 0.9, 300)
GIVEN = Catalogue(
    {"name": "shop", "email": "-", "verb": verb, "resource": resource, "slo": 0.9, "window": 5}
    for verb, resource in [
        *(("GET", "/a"), ("GET", "/"), ("POST", "/a"), ("GET", "/users/{id}"), ("-", "/a")),
        *(("GET", "*"), ("GET", "/abcdefghijk"), ("GET", "/a\\"), ("GET", "/\u00e9"), ('"', "/a")),
    ]
)


def given_exactly(_: EndpointNames) -> Requests:
    return GivenRequests(GIVEN.endpoints, GIVEN.find)


def given_by_template(_: EndpointNames) -> Requests:
    return GivenRequests(GIVEN.endpoints, Router(GIVEN.endpoints).find)


def found_in_a_file(names: EndpointNames) -> Requests:
    return FoundRequests(FoundEndpoints(names, LIKE, BY_FILE), "web1")


def found(names: EndpointNames) -> Requests:
    return FoundRequests(FoundEndpoints(names, LIKE))


@cache
def formats_by_name(rule: StatusRule) -> dict[str, Format]:
    """All formats that tests read. They are made once: that takes longer than most readings."""
    return make_formats(rule) | {form.name: form for form in known_formats(rule)}


@dataclass
class BlockReading:
    """One reader, and all that it has returned. At most `most` endpoints are found."""

    backend: Backend
    requests: MakeRequests
    most: int = 50
    rule: StatusRule = server_errors_fail
    first: int = 0
    last: int = LAST_TICK
    templates: array[int] = field(default_factory=lambda: NO_TEMPLATES)
    rows: list[tuple[int, int]] = field(default_factory=list)
    rejected: list[RejectedLine] = field(default_factory=list)
    unresolved_count: int = 0  # lines that the scanner left open

    def __post_init__(self) -> None:
        self.formats = formats_by_name(self.rule)
        self.order, self.names = self.backend.order(
            1, 1, self.most if self.requests in {found, found_in_a_file} else 0
        )
        self.reference = ReferenceParser(
            self.order, self.rejected.append, first=self.first, last=self.last
        )
        self.names.templates = self.templates
        self._requests = self.requests(self.names)
        self.settler = self.backend.reader(self.reference, self.rule)

    def log(self, name: str, text: bytes, *, match_exactly: bool) -> Log:
        """A log of the format `name` with this text."""
        prefix = find_prefix(text) if name == "events" else b""
        return Log(name, self.formats[name], self._requests, match_exactly, prefix)

    def read(self, log: Log, blocks: Sequence[Sequence[bytes]], *, ahead: int = 1) -> None:
        """
        Read blocks of lines in order; `ahead` of them are scanned before the first is resolved.
        """
        for start in range(0, len(blocks), ahead):
            for scanned in [
                self._scan_lines(log, block) for block in blocks[start : start + ahead]
            ]:
                self._settle(scanned)

    def _scan_lines(self, log: Log, lines: Sequence[bytes]) -> Block:
        text = b"".join(line + b"\n" for line in lines)
        block = Block(bytearray(text + bytes(PADDING)), length=len(text))
        block.log = log
        self.settler.scan(block)
        return block

    def _settle(self, block: Block) -> None:
        block.first_line = len(self.rows) + 1
        self._settle_part(block)
        while block.advance():
            self.settler.scan(block)
            self._settle_part(block)

    def _settle_part(self, block: Block) -> None:
        self.unresolved_count += block.unresolved_count
        self.settler.resolve(block)
        ticks, codes = (column[: block.rows].tolist() for column in (block.ticks, block.codes))
        self.rows += zip(ticks, codes, strict=True)
        self.order.enter(0, block.ticks, block.codes, block.rows)
        self.order.take()

    def said(self) -> object:
        """Rows, rejections, counts, and the names of what was found."""
        order, reference, names = self.order, self.reference, self.names
        counts = order.blank, reference.changes, reference.rejected, names.capped, names.admitted
        return self.rows, self.rejected, counts, [names.text(key) for key in range(len(names))]


def read_at(backend: Opened, requests: MakeRequests, *logs: Any, **options: Any) -> BlockReading:
    """
    Read logs (a format's name, whether requests match exactly, and blocks of lines) with a backend
    and with the reference parser alone, and compare all results. Scanners see new requests at once.
    """
    ahead = options.pop("ahead", 1)
    with backend() as library, pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests_host, "_WORTH", 2**40)
        fast = BlockReading(CompiledBackend(library), requests, **options)
        reference = BlockReading(PythonBackend(), requests, **options)
        for name, match_exactly, blocks in logs:
            text = b"\n".join(line for block in blocks for line in block)
            for reading in (fast, reference):
                reading.read(
                    reading.log(name, text, match_exactly=match_exactly), blocks, ahead=ahead
                )
                # twice: what was unknown is known when the same lines come again
                reading.read(
                    reading.log(name, text, match_exactly=match_exactly), blocks, ahead=ahead
                )
        assert fast.said() == reference.said()
    return fast


def check_scanner(backend: Opened, name: str, lines: Sequence[bytes]) -> None:
    """A scanner makes the rows of the reference parser, of lines in a format of that name."""
    blocks = [lines[: len(lines) // 4], lines[len(lines) // 4 :]]
    for requests, match_exactly in ((found, False), (given_by_template, False)):
        read_at(backend, requests, (name, match_exactly, blocks))
    if backend is compiled_kernels:
        read_at(backend, given_exactly, (name, True, blocks))
