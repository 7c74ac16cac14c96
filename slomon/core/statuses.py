"""Which statuses are failures: the rule of a run, and the rule as a table."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeAlias

_STATUS_COUNT: Final = 1000  # all numbers of three digits

StatusRule: TypeAlias = Callable[[int], bool | None]
"""Did a request with this status fail? None if no request has this status."""


def server_errors_fail(status: int) -> bool | None:
    """The default rule: 100 to 499 succeed, 500 to 599 fail, and no request has another status."""
    return status >= 500 if 100 <= status <= 599 else None


@dataclass(frozen=True, slots=True)
class FailingStatuses:
    """The rule that these statuses fail, and that all others from 100 to 599 succeed."""

    failing: frozenset[int]

    def __call__(self, status: int) -> bool | None:
        """Did a request with this status fail? None if no request has this status."""
        return status in self.failing if 100 <= status <= 599 else None


def parse_statuses(text: str) -> FailingStatuses | None:
    """
    The rule that a text lists: classes, ranges and single statuses, as in `5xx,429,400-404`. None
    if it lists anything else.
    """
    failing: set[int] = set()
    for part in text.split(","):
        found = re.fullmatch(_STATUSES, part.strip())
        if found is None:
            return None
        first = int(found["first"] or f"{found['class']}00")
        last = int(found["last"] or (first if found["first"] else first + 99))
        if first > last:
            return None
        failing.update(range(first, last + 1))
    return FailingStatuses(frozenset(failing))


_STATUSES: Final = "(?P<class>[1-5])[xX]{2}|(?P<first>[1-5][0-9]{2})(?:-(?P<last>[1-5][0-9]{2}))?"


@dataclass(frozen=True, slots=True)
class StatusTable:
    """
    The answers of a status rule for the statuses 0 to 999.

    `answers[status]` is True for a failure and False for a success. It is None if no request has
    this status, and also if the rule raised: only `read_outcome` asks the rule about a request,
    so a reader with a table must leave a request without an answer to `read_outcome`.
    """

    answers: tuple[bool | None, ...]

    @classmethod
    def from_rule(cls, is_failure: StatusRule) -> StatusTable:
        """Ask the rule about each status once."""
        return cls(tuple(_ask(is_failure, status) for status in range(_STATUS_COUNT)))

    def failed(self, status: int) -> bool | None:
        """Return the answer for a status: the table as a status rule."""
        return self.answers[status] if 0 <= status < _STATUS_COUNT else None

    def column(self, no_answer: int) -> array[int]:
        """Return 1 for each failure, 0 for each success and `no_answer` for None."""
        return array("q", [no_answer if failed is None else failed for failed in self.answers])

    def describe(self) -> str:
        """Return the answers as text, as in '100-499 succeed, 500-599 fail'."""
        parts, first = [], 0
        for failed, equal in groupby(self.answers):
            end = first + len(list(equal))
            if failed is not None:
                parts.append(f"{first}-{end - 1} {'fail' if failed else 'succeed'}")
            first = end
        return ", ".join(parts)


def _ask(is_failure: StatusRule, status: int) -> bool | None:
    try:
        failed = is_failure(status)
    except Exception:  # noqa: BLE001 (a user's function may raise anything)
        return None  # a request with this status will raise it
    return None if failed is None else bool(failed)
