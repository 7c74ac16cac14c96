"""What comes out of tasks that run together, of which one failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def raising_first() -> Iterator[None]:
    """Let the first failure of a task group come out as itself: the others came of it."""
    try:
        yield
    except BaseExceptionGroup as failures:
        first: BaseException = failures.exceptions[0]
        context = first.__context__
        try:
            raise first
        finally:
            first.__context__ = context  # not the group, which it never had
