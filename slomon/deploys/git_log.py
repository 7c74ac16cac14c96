"""What `git log` prints, read for its commits: who made them and when."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Final

from slomon.core.event import Change
from slomon.deploys.change_record import Record, split_records


def opens_commit(line: str) -> bool:
    """Does a commit of a log begin here?"""
    return _OPENING.match(line) is not None


def read_log(text: str) -> Iterator[Record]:
    """
    The commits of a log in git's default format or in `--format=fuller`, with any `--date=`
    that tells the time to the second.

    The author's date stays the same when a commit is rebased, amended or picked, which can be
    weeks later; the committer's (`fuller`) is nearer to the deploy, and counts where it is there.
    Messages, notes, patches and statistics are passed over: they stand below a blank line, and
    git begins none of their lines with the word that begins a commit.
    """
    for number, lines in split_records(text, _OPENING):
        head = list(takewhile(str.strip, lines))
        yield Record(number, "\n".join(head), _read_commit(head))


def _read_commit(head: list[str]) -> Change | str:
    opening = _OPENING.match(head[0])
    if opening is None:
        return "it stands above the first line 'commit <hash>'"
    fields = {field[1]: field[2] for line in head if (field := _FIELD.fullmatch(line))}
    date = fields.get("CommitDate") or fields.get("Date")
    if not date:
        return "it has no line 'Date: ' or 'CommitDate: '"
    return Change(opening[1], fields.get("Author", ""), date, service="")


_OPENING: Final = re.compile(r"commit ([0-9a-f]{4,64})(?!\S)")
_FIELD: Final = re.compile(r"(Author|Date|CommitDate): *(.*)")
