"""
A record of a change file, before its date is read; and the records that are blocks of lines.

A deploy as a record of named fields, whose names differ from tool to tool.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import dropwhile, pairwise
from typing import Final

from slomon.core.events import Change, Malformed, parse_change
from slomon.text import quote


@dataclass(frozen=True, slots=True)
class Record:
    """Where a record begins (lines count from 1), its text, and its change or why it has none."""

    line: int
    text: str
    change: Change | str


def opens_block(line: str) -> bool:
    """Does a change of the contract's four lines begin here?"""
    return _OPENING.match(line) is not None


def read_blocks(text: str) -> Iterator[Record]:
    """Changes of four lines each, as a stream's are; blank lines are passed over."""
    for number, lines in split_records(text, _OPENING):
        block = "\n".join(line for line in lines if line.strip())
        change = parse_change(block)
        yield Record(number, block, change.reason if isinstance(change, Malformed) else change)


def split_records(text: str, opening: re.Pattern[str]) -> Iterator[tuple[int, list[str]]]:
    """
    The lines of each record, which begins where `opening` matches, and the number of the first.
    What stands before the first opening is a record too: nothing is passed over without a count.
    """
    lines = text.split("\n")
    openings = [number for number, line in enumerate(lines) if opening.match(line)]
    for start, end in pairwise([0, *openings, len(lines)]):
        record = list(dropwhile(lambda line: not line.strip(), lines[start:end]))
        if record:
            yield end - len(record) + 1, record


_OPENING: Final = re.compile("commit: ")


def is_header(names: Iterable[str]) -> bool:
    """Can records with fields of these names be deploys: is there a commit, and a date?"""
    known = {_simplify(name) for name in names}
    return not known.isdisjoint(_COMMITS) and not known.isdisjoint(_DATES)


def read_deploy(fields: Mapping[str, object]) -> Change | str:
    """
    The change of a deploy's record, with "" for what it doesn't say; or why it is none. Names
    are matched whatever their case and with `_`, `-`, a space or nothing between their words.

    The time of the deploy comes before the date of the commit where a record has both, and of
    the deploy's times its end comes before its start: no request meets the code before that.
    """
    context = _get_part(fields, "context")
    kind = context.get("type")
    if isinstance(kind, str) and kind.startswith("dev.cdevents."):
        return _read_cdevent(kind, context, _get_part(fields, "subject"))
    values = {_simplify(name): value for name, value in fields.items()}
    change = Change(
        commit=_find(values, _COMMITS),
        author=_find(values, _AUTHORS),
        date=_find(values, _DATES),
        service=_find(values, _SERVICES),
    )
    return _complete(change, _COMMIT_FIELDS, _DATE_FIELDS)


def is_deployment(kind: str) -> bool:
    """Does a CDEvent of this type tell of a deploy?"""
    return _CDEVENT.match(kind) is not None


def _read_cdevent(
    kind: str, context: Mapping[str, object], subject: Mapping[str, object]
) -> Change | str:
    """
    A CDEvent of continuous deployment (cdevents.dev): the service is the subject's id, and the
    commit the id of the artifact that was deployed. It names no author.
    """
    if not is_deployment(kind):
        return f"the CDEvent's type is {quote(kind)}; allowed: {_CDEVENTS}"
    change = Change(
        commit=_find(_get_part(subject, "content"), ["artifactId"]),
        author="",
        date=_find(context, ["timestamp"]),
        service=_find(subject, ["id"]),
    )
    return _complete(change, "subject.content.artifactId", "context.timestamp")


def _complete(change: Change, commit: str, date: str) -> Change | str:
    if not change.commit:
        return f"it has no commit; allowed: text in {commit}"
    if not change.date:
        return f"it has no date; allowed: text in {date}"
    return change


def _get_part(fields: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = fields.get(name)
    return part if isinstance(part, Mapping) else {}


def _find(values: Mapping[str, object], names: Iterable[str]) -> str:
    found = (values.get(name) for name in names)
    # On one line, as all fields of a change are, and else as it was written.
    texts = (_LINE_ENDS.sub(" ", value).strip() for value in found if isinstance(value, str))
    return next(filter(None, texts), "")


def _simplify(name: str) -> str:
    return re.sub(r"[\s_@-]+", "", name).lower()


def _list(names: str) -> list[str]:
    return [_simplify(name) for name in names.split()]


_LINE_ENDS: Final = re.compile(r"[\r\n]+")
# In order of preference.
_COMMITS: Final = _list(
    "commit commit_sha commit_hash commit_id git_commit git_sha sha hash revision version tag"
)
_AUTHORS: Final = _list(
    "author author_email author_name deployer deployed_by email committer user username actor"
)
_SERVICES: Final = _list("service service_name app app_name application project component")
_DATES: Final = [
    *_list("deployed_at deployed_on deploy_time deploy_date deployment_time deployment_date"),
    *_list("finished_at completed_at released_at end_time time timestamp datetime ts"),
    *_list("started_at start_time created_at updated_at"),
    *_list("committed_at commit_date commit_time committed_date committer_date"),
    *_list("date author_date authored_at authored_date"),
]
_COMMIT_FIELDS: Final = "a field such as 'commit', 'sha', 'revision' or 'version'"
_DATE_FIELDS: Final = "a field such as 'deployed_at', 'finished_at', 'timestamp' or 'date'"
_CDEVENT: Final = re.compile(r"dev\.cdevents\.service\.(deployed|upgraded|rolledback)\.")
_CDEVENTS: Final = (
    "dev.cdevents.service.deployed, dev.cdevents.service.upgraded and "
    "dev.cdevents.service.rolledback"
)
