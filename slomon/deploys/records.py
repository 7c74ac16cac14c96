"""A record of a deploy: an object of named fields, whose names differ from tool to tool."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from slomon.core.events import Change
from slomon.text import quote


@dataclass(frozen=True, slots=True)
class Record:
    """
    A record of a change file, before its date is read: the line where it begins (from 1), its text,
    and its change or the reason why it has none.
    """

    line: int
    text: str
    change: Change | str


def read_deploy(fields: Mapping[str, object]) -> Change | str:
    """
    The change of a deploy's record, or the reason why it has none. An absent author or service is
    "". Names match in any case and with `_`, `-`, a space or nothing between their words. A CDEvent
    is read as such.

    If a record has several times, the time of the deploy comes before the date of the commit, and
    the end of the deploy before its start: no request reaches the new code before the end.
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
    return _check_complete(change, _COMMIT_FIELDS, _DATE_FIELDS)


def is_header(names: Iterable[str]) -> bool:
    """Can records with fields of these names be deploys? They need a commit and a date."""
    known = {_simplify(name) for name in names}
    return not known.isdisjoint(_COMMITS) and not known.isdisjoint(_DATES)


def is_deployment(kind: str) -> bool:
    """Does a CDEvent of this type report a deploy?"""
    return _CDEVENT.match(kind) is not None


def _read_cdevent(
    kind: str, context: Mapping[str, object], subject: Mapping[str, object]
) -> Change | str:
    """
    A CDEvent of continuous deployment (cdevents.dev). The service is the subject's id, the commit
    the id of the artifact that was deployed. A CDEvent has no author.
    """
    if not is_deployment(kind):
        return f"the CDEvent's type is {quote(kind)}; allowed: {_CDEVENTS}"
    change = Change(
        commit=_find(_get_part(subject, "content"), ["artifactId"]),
        author="",
        date=_find(context, ["timestamp"]),
        service=_find(subject, ["id"]),
    )
    return _check_complete(change, "subject.content.artifactId", "context.timestamp")


def _check_complete(change: Change, commit: str, date: str) -> Change | str:
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
    # The fields of a change are one line each; all else stays as it was written.
    texts = (_LINE_ENDS.sub(" ", value).strip() for value in found if isinstance(value, str))
    return next(filter(None, texts), "")


def _simplify(name: str) -> str:
    return re.sub(r"[\s_@-]+", "", name).lower()


def _names(names: str) -> list[str]:
    return [_simplify(name) for name in names.split()]


_LINE_ENDS: Final = re.compile(r"[\r\n]+")
# In order of preference.
_COMMITS: Final = _names(
    "commit commit_sha commit_hash commit_id git_commit git_sha sha hash revision version tag"
)
_AUTHORS: Final = _names(
    "author author_email author_name deployer deployed_by email committer user username actor"
)
_SERVICES: Final = _names("service service_name app app_name application project component")
_DATES: Final = [
    *_names("deployed_at deployed_on deploy_time deploy_date deployment_time deployment_date"),
    *_names("finished_at completed_at released_at end_time time timestamp datetime ts"),
    *_names("started_at start_time created_at updated_at"),
    *_names("committed_at commit_date commit_time committed_date committer_date"),
    *_names("date author_date authored_at authored_date"),
]
_COMMIT_FIELDS: Final = "a field such as 'commit', 'sha', 'revision' or 'version'"
_DATE_FIELDS: Final = "a field such as 'deployed_at', 'finished_at', 'timestamp' or 'date'"
_CDEVENT: Final = re.compile(r"dev\.cdevents\.service\.(deployed|upgraded|rolledback)\.")
_CDEVENTS: Final = (
    "dev.cdevents.service.deployed, dev.cdevents.service.upgraded and "
    "dev.cdevents.service.rolledback"
)
