"""
Records of deploys: what a record says, and whether the deploy counts.

Only deploys that happened count: those that succeeded, in production or in the environments that a
user names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, TypeAlias

from slomon.core.events import Change, Excluded
from slomon.deploys.tools import (
    CDEVENT_FIELDS,
    CDEVENT_NAMES,
    CDEVENTS,
    FLAGS,
    MAX_DEPTH,
    SUCCESS,
    Fields,
    Names,
    choose_names,
    find_cdevent,
    flatten,
    is_deployment,
    simplify,
)
from slomon.text import excerpt, quote

Found: TypeAlias = tuple[Mapping[str, object], Fields]
"""A record, and its fields."""


@dataclass(frozen=True, slots=True)
class Record:
    """
    A record of a change file, before its date is read: the line where it begins (from 1), its text,
    and its change. If it has none, then why it is excluded, or the reason why it is malformed.
    """

    line: int
    text: str
    change: Change | Excluded | str


@dataclass(frozen=True, slots=True)
class DeployRules:
    """
    How records are read. `keys` names the field of a role for all records, instead of the names
    that are known. `environments` are those that count, with `*` for any text; if there are none,
    only production counts.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    environments: Sequence[str] = ()


DEFAULT_RULES: Final = DeployRules()


def find_deploys(value: object, rules: DeployRules) -> Iterator[Found]:
    """
    The records in a value of JSON, each with its fields: the value itself, or all objects of each
    list in it that holds a record, at any depth.
    """
    yield from _find_deploys(value, {}, rules, MAX_DEPTH)


def read_deploy(fields: Fields, rules: DeployRules) -> Change | Excluded | str:
    """
    The change of a deploy's record; why it does not count; or the reason why it is malformed. An
    absent author or service is "". A CDEvent is read as such.

    If a record has several times, the time of the deploy comes before the date of the commit, and
    the end of the deploy before its start: no request reaches the new code before the end.
    """
    kind = find_cdevent(fields)
    if kind and not is_deployment(kind):
        return f"the CDEvent's type is {quote(kind)}; allowed: {CDEVENTS}"
    names = choose_names(fields, rules.keys)
    status, since = _read_status(fields, names)
    change = Change(
        commit=_find_commit(fields, names),
        author=_find(fields, names["author"]),
        date=(since if "time" not in rules.keys else "") or _find_time(fields, names),
        service=_find(fields, names["service"]),
    )
    reasons = (
        _refuse_environment(fields, names, rules),
        _refuse_flag(fields),
        f"status is {excerpt(status, 40)}" if status and simplify(status) not in SUCCESS else "",
    )
    reason = next(filter(None, reasons), "")
    # A deploy that failed early may lack one of the two. An object that lacks both is no deploy.
    if reason and (change.commit or change.date):
        return Excluded(reason)
    for role, noun, text in (("commit", "commit", change.commit), ("time", "date", change.date)):
        if not text:
            return f"it has no {noun}; allowed: text in {_show_names(role, names, rules)}"
    return change


def read_cdevent(event: Mapping[str, object]) -> Change | str:
    """The change of a CDEvent of a deploy to any environment, or why it is malformed."""
    change = read_deploy(flatten(event), DeployRules(environments=["*"]))
    return change.reason if isinstance(change, Excluded) else change


def is_header(names: Iterable[str], rules: DeployRules) -> bool:
    """Can records with fields of these names be deploys? They need a commit and a date."""
    fields = dict.fromkeys(map(simplify, names))
    wanted = choose_names(fields, rules.keys)
    return all(not fields.keys().isdisjoint(wanted[role]) for role in ("commit", "time"))


def is_production(environment: str) -> bool:
    """
    Does an environment of this name serve users? One of its words is `production`, `prod`, `prd` or
    `live`, and none says that it is not: `prod-eu` does, `pre-prod` does not.
    """
    words = set(_WORD.findall(environment.lower()))
    return not words.isdisjoint(_PRODUCTION) and words.isdisjoint(_NOT_PRODUCTION)


def refuse_environment(
    environments: Iterable[str], wanted: Sequence[str], *, production: bool | None
) -> str:
    """
    Why a deploy to an environment with these names does not count; "" if it counts, or if the
    environment has no name. Those of the `wanted` patterns count; if there are none, production
    does: as the sender says, and if that is None, by a name.
    """
    names = [name for name in environments if name]
    reason = f"environment is {excerpt(names[0], 40)}" if names else _NO_PRODUCTION
    has_name = any(map(is_production, names))
    if wanted:
        patterns = [pattern.lower() for pattern in wanted]
        counts = any(fnmatchcase(name.lower(), one) for name in names for one in patterns)
        return "" if not names or counts else reason
    if production is None:
        return "" if not names or has_name else reason
    if production:
        return ""
    return f"{reason}, not production to its sender" if has_name else reason


def _find_deploys(value: object, outer: Fields, rules: DeployRules, depth: int) -> Iterator[Found]:
    if not depth:
        return
    parts: Iterable[object] = ()
    if isinstance(value, Mapping):
        fields = {**outer, **flatten(value)}
        if _is_deploy(fields, rules):
            yield value, fields
            return
        # Only a field that a user names may be one of an enclosing object.
        given = map(simplify, rules.keys.values())
        outer = {name: fields[name] for name in given if name in fields}
        parts = value.values()
    elif isinstance(value, list):
        records = [(one, {**outer, **flatten(one)}) for one in value if isinstance(one, Mapping)]
        if any(_is_deploy(fields, rules) for _, fields in records):
            yield from records
            return
        parts = value
    for part in parts:
        yield from _find_deploys(part, outer, rules, depth - 1)


def _is_deploy(fields: Fields, rules: DeployRules) -> bool:
    names = choose_names(fields, rules.keys)
    has_both = _find_commit(fields, names) and _find(fields, names["time"])
    return bool(has_both or find_cdevent(fields))


def _show_names(role: str, names: Names, rules: DeployRules) -> str:
    if names is CDEVENT_NAMES:
        return CDEVENT_FIELDS[role]
    if role in rules.keys:
        return quote(rules.keys[role])
    return f"a field such as {_EXAMPLES[role]}, or the one that --change-keys (change_keys=) names"


def _find(fields: Fields, names: Iterable[str], *, flags: bool = False) -> str:
    """The text of the first of these fields that has one; with `flags`, `true` is a text, too."""
    values = (fields[name] for name in names if name in fields)
    if flags:
        values = (str(one).lower() if isinstance(one, bool) else one for one in values)
    return next(filter(None, map(_read_text, values)), "")


def _find_commit(fields: Fields, names: Names) -> str:
    if found := _HEROKU_DEPLOY.fullmatch(_find(fields, names["description"])):
        return found[1]
    commit = _find(fields, names["commit"])
    found = _REVISION.fullmatch(commit)
    return found[1] or found[2] if found else commit


def _find_time(fields: Fields, names: Names) -> str:
    time, duration = _find(fields, names["time"]), _find(fields, names["duration"])
    if _MILLISECONDS.fullmatch(time) and _MILLISECONDS.fullmatch(duration):
        return str(int(time) + int(duration))
    return time


def _read_text(value: object) -> str:
    if isinstance(value, list):  # the revisions of an application with several sources
        texts = [_read_text(one) for one in value[:_MOST_TEXTS] if isinstance(one, str)]
        return ", ".join(filter(None, texts))
    if not isinstance(value, str):
        return ""
    # The fields of a change are one line each; all else stays as it was written.
    text = _LINE_ENDS.sub(" ", value).strip()
    return "" if text.lower() in _UNSET or text.startswith(_UNSET_TIME) else text


def _read_status(fields: Fields, names: Names) -> tuple[str, str]:
    """The status of a deploy and the time since which it is a success, each "" if not known."""
    for name in names["statuses"]:
        statuses = fields.get(name)
        if isinstance(statuses, Mapping):
            statuses = [statuses]
        if isinstance(statuses, list):
            return _choose_status([flatten(one) for one in statuses if isinstance(one, Mapping)])
    return _find(fields, names["status"], flags=True), ""


def _choose_status(statuses: Iterable[Fields]) -> tuple[str, str]:
    """
    The newest status counts, but not `inactive`: GitHub sets it when the next deploy succeeds. A
    deployment of GitHub without a status is pending.
    """
    dated = [(_find(one, ["createdat"]), _find(one, ["state"])) for one in statuses]
    dated.sort(key=lambda one: one[0], reverse=True)
    active = [one for one in dated if simplify(one[1]) != "inactive"]
    if not active:
        return "inactive" if dated else "pending", ""
    newest, since = active[0][1], ""
    for date, state in active:
        if simplify(state) not in SUCCESS:
            break
        since = date
    return newest, since


def _refuse_environment(fields: Fields, names: Names, rules: DeployRules) -> str:
    flag = _find(fields, names["production"], flags=True)
    production = simplify(flag) in _YES or is_production(flag) if flag else None
    environment = _find(fields, names["environment"])
    if not environment and not flag and not fields.keys().isdisjoint(names["production"]):
        return _NO_PRODUCTION
    return refuse_environment([environment], rules.environments, production=production)


def _refuse_flag(fields: Fields) -> str:
    """Why a deploy does not count by a flag of its tool; "" if it has no such flag."""
    set_flags = (
        reason for name, reason in FLAGS.items() if _find(fields, [name], flags=True) in _YES
    )
    return next(set_flags, "")


_MOST_TEXTS: Final = 10
_LINE_ENDS: Final = re.compile(r"[\r\n]+")
_WORD: Final = re.compile("[a-z]+")
_MILLISECONDS: Final = re.compile(r"\d{1,19}", re.ASCII)
_UNSET: Final = {"null", "none", "nil", "<nil>", "\\n", "n/a", "nan", "-"}
_UNSET_TIME: Final = "0001-01-01"  # of a program in Go
_HEROKU_DEPLOY: Final = re.compile("Deploy ([0-9a-f]{7,64})")
# Of Flux, main@sha1:6d0080a...; of `argocd app history`, main (6d0080a)
_REVISION: Final = re.compile(r"\S+@sha1:([0-9a-f]{40})|\S* ?\(([0-9a-f]{7,40})\)")

_YES: Final = {"true", "t", "yes", "y", "1"}
_NO_PRODUCTION: Final = "environment is not production"
_PRODUCTION: Final = {"production", "prod", "prd", "live"}
_NOT_PRODUCTION: Final = {
    *("pre", "non", "not", "no", "test", "testing", "stage", "staging", "dev", "development"),
    *("qa", "uat", "preview", "review", "demo", "sandbox", "mirror", "shadow"),
}
_EXAMPLES: Final = {
    "commit": "'commit', 'sha', 'revision' or 'version'",
    "time": "'deployed_at', 'finished_at', 'timestamp' or 'date'",
}
