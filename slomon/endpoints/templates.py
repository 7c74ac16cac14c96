"""
Path templates: the positions of paths at which names are replaced by `{slug}`, learnt from a sample
of requests, so that a shop has the endpoint `/product/{slug}` and not one for each product.

To group the wrong paths hides an outage: the failures of one endpoint drown in the successes of
others. To group too few only makes more endpoints. So a position is grouped only if it takes many
values that are seen a few times each:

* at least 10 *numbered* values, which have a digit, an escape such as `%C3`, or four hyphens; 30 of
  them at the beginning of a path, where the endpoints of a small service stand. A value with an
  escape counts as two: no program names an endpoint so.
* or at least 20 values of any kind, four of five seen only once, but not at the beginning

A position with fewer seldom values than frequent ones is not grouped: siblings such as `/api/users`
and `/api/orders` are each seen often. A value that makes up more than a twentieth of the requests
of its position stays an endpoint of its own, and so does one with most of its failures.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from slomon.kernels.route import (
    KEPT,
    NAMED,
    NODE,
    NUMBERED,
    is_identifier,
    is_numbered,
)

_is_hexadecimal: Final = re.compile(rb"[0-9A-Fa-f-]+").fullmatch

SLUG: Final = b"{slug}"

_FEW: Final = 5  # requests to a value that is seldom seen
_LEAST_NUMBERED: Final = 10  # values
_LEAST_AT_BEGINNING: Final = 30
_LEAST_NAMED: Final = 20
_ONCE: Final = 0.8  # the share of named values that are seen once
_SHARE: Final = 20  # a value with more than one request in 20 is kept
_MOST: Final = 1000  # positions

NO_TEMPLATES: Final = array("q", [0]) * NODE
"""The column of a run without templates."""


class Template(NamedTuple):
    """
    A position at which names are replaced: the text before it, from the host or the path on, which
    of the values are replaced (NUMBERED or NAMED), the values that stay, and how many values of the
    sample were replaced.
    """

    prefix: bytes
    flags: int
    kept: Sequence[bytes]
    replaced: int

    def show(self) -> str:
        """The template as the resources of endpoints show it."""
        text = b"/".join([self.prefix, SLUG]).decode("utf-8", "backslashreplace")
        return text.replace("/\n", "\n").replace("\n", "")  # an origin may end with a slash


def compile_templates(templates: Iterable[Template]) -> array[int]:
    """The templates as the column of `kernels.route`."""
    nodes = [[0] * NODE]
    children: list[dict[bytes, int]] = [{}]
    texts: list[bytes] = [b""]

    def find(prefix: Iterable[bytes]) -> int:
        node = 0
        for segment in prefix:
            child = children[node].get(segment)
            if child is None:
                child = children[node][segment] = len(nodes)
                nodes.append([0, 0, nodes[node][1], 0, len(segment)])
                nodes[node][1] = child
                children.append({})
                texts.append(segment)
            node = child
        return node

    for template in templates:
        segments = template.prefix.split(b"/")
        nodes[find(segments)][0] |= template.flags
        for value in template.kept:
            nodes[find([*segments, value])][0] |= KEPT
    begin = NODE * len(nodes)
    column = array("q")
    for node, text in zip(nodes, texts, strict=True):
        flags, child, sibling, _, length = node
        column.extend([flags, NODE * child, NODE * sibling, begin, length])
        begin += len(text)
    column.extend(b"".join(texts))
    return column


@dataclass(slots=True)
class _Position:
    """A node in the tree of the sampled paths: what comes after a prefix, and how often."""

    requests: int = 0
    failures: int = 0
    values: dict[bytes, _Position] = field(default_factory=dict)

    def add(self, segments: Iterable[bytes], requests: int, failures: int) -> None:
        """Add requests to a path."""
        position = self
        for segment in segments:
            position = position.values.setdefault(segment, _Position())
            position.requests += requests
            position.failures += failures

    def merge(self, other: _Position) -> None:
        self.requests += other.requests
        self.failures += other.failures
        for value, position in other.values.items():
            self.values.setdefault(value, _Position()).merge(position)


def learn_templates(requests: Mapping[tuple[bytes, bool], int]) -> list[Template]:
    """
    The templates of a sample: how many requests have which text (`discovery.name_request`), and did
    or did not fail. The order of the templates is that of their prefixes.
    """
    root = _Position()
    for (request, failed), count in requests.items():
        root.add(split_path(request), count, failures=count * failed)
    found: list[Template] = []
    for origin, position in sorted(root.values.items()):
        found += _find_templates(origin, position, 0)
    return found[:_MOST]


def split_path(request: bytes) -> tuple[bytes, ...]:
    """
    The segments of a request's path, as `kernels.route.group` writes them without templates. The
    first one is the origin.
    """
    target = request.partition(b" ")[2]
    begin = 0 if target.startswith(b"/") else target.find(b"\n") + 1
    origin, *segments = target[begin:].split(b"/")
    return target[:begin] + origin, *map(_replace_identifier, segments)


def _replace_identifier(segment: bytes) -> bytes:
    name = segment.partition(b";")[0]
    may_be = _is_hexadecimal(name)  # which is faster to say
    return b"{id}" if may_be and is_identifier(name, 0, len(name)) else name


def _find_templates(prefix: bytes, at: _Position, depth: int) -> Iterator[Template]:
    flags, replaced = _choose_values(at, depth)
    if replaced:
        merged = _Position()
        kept = []
        for value in list(at.values):
            if value in replaced:
                merged.merge(at.values.pop(value))
            elif _is_slug(value, flags):
                kept.append(value)
        at.values[SLUG] = merged
        yield Template(prefix, flags, sorted(kept), len(replaced))
    for value, position in sorted(at.values.items()):
        yield from _find_templates(b"/".join([prefix, value]), position, depth + 1)


def _choose_values(at: _Position, depth: int) -> tuple[int, set[bytes]]:
    """Which values of a position are replaced, and the flag that says so."""
    if depth:
        named = {value: one for value, one in at.values.items() if _is_slug(value, NAMED)}
        once = sum(one.requests == 1 for one in named.values())
        if len(named) >= _LEAST_NAMED and once >= _ONCE * len(named):
            return NAMED, _leave_out_kept(named)
    numbered = {value: one for value, one in at.values.items() if _is_slug(value, NUMBERED)}
    seldom = [value for value, one in numbered.items() if one.requests <= _FEW]
    weight = len(seldom) + sum(b"%" in value for value in seldom)
    if weight >= (_LEAST_NUMBERED if depth else _LEAST_AT_BEGINNING) and 2 * len(seldom) > len(
        numbered
    ):
        return NUMBERED, _leave_out_kept(numbered)
    return 0, set()


def _leave_out_kept(values: dict[bytes, _Position]) -> set[bytes]:
    requests = sum(one.requests for one in values.values())
    failures = sum(one.failures for one in values.values())
    return {
        value
        for value, one in values.items()
        if one.requests <= max(_FEW, requests // _SHARE)
        and (one.failures < 2 or 2 * one.failures <= failures)
    }


def _is_slug(value: bytes, flags: int) -> bool:
    """Might a segment be replaced at a position with these flags?"""
    if len(value) < 2 or value.startswith(b"{") or is_identifier(value, 0, len(value)):
        return False
    return bool(flags & NAMED) or is_numbered(value, 0, len(value))
