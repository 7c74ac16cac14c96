"""
What deploy tools call the fields of a deploy: tables of names, and the fields of a record by name.

A name means the same in most tools, so one table of common names reads the records of tools that
are not listed here as well. Only the tools in which a name means something else have their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

Fields: TypeAlias = Mapping[str, object]
"""The values of a record and of the objects in it, by dotted simplified name."""

Names: TypeAlias = Mapping[str, Sequence[str]]
"""The simplified names of each role's fields, in order of preference."""

ROLES: Final = ("commit", "time", "author", "service", "environment", "status")
"""What a field of a deploy's record can stand for, if a user says so."""


def simplify(name: str) -> str:
    """A name in lower case, without `_`, `-`, `@` and space: tools write these differently."""
    return name.translate(_DROPPED).lower()


def flatten(record: Mapping[str, object]) -> dict[str, object]:
    """
    The values of a record and of the objects in it, by dotted simplified name. Of the objects in a
    list the first with a value counts.
    """
    fields: dict[str, object] = {}
    for name, value in _walk(record, "", MAX_DEPTH):
        if fields.get(name) in _BLANK:
            fields[name] = value
    return fields


def choose_names(fields: Fields, keys: Mapping[str, str]) -> Names:
    """The names of each role in a record; `keys` are those that a user gives, by role."""
    if find_cdevent(fields):
        return CDEVENT_NAMES
    names = next(names for marks, names in _TOOLS if fields.keys() >= marks)
    cleared = [other for role, others in _CLEARED.items() if role in keys for other in others]
    given = {role: [simplify(name)] for role, name in keys.items()}
    return {**names, **dict.fromkeys(cleared, ()), **given} if keys else names


def find_cdevent(fields: Fields) -> str:
    """The type of a CDEvent (cdevents.dev); "" if the record is not a CDEvent."""
    kind = fields.get("context.type")
    return kind if isinstance(kind, str) and kind.startswith("dev.cdevents.") else ""


def is_deployment(kind: str) -> bool:
    """Does a CDEvent of this type report a deploy?"""
    return re.match(_CDEVENT, kind) is not None


def _walk(value: object, prefix: str, depth: int) -> Iterator[tuple[str, object]]:
    if not depth:
        return
    if isinstance(value, Mapping):
        for name, part in value.items():
            path = prefix + simplify(name)
            yield path, part
            yield from _walk(part, f"{path}.", depth - 1)
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part, prefix, depth - 1)


def _names(names: str) -> list[str]:
    return list(map(simplify, names.split()))


def _times(verbs: str, bare: str = "") -> list[str]:
    """
    The names of the time at which something was done, as in `finished_at` and `date_finished`, and
    `bare` verbs.
    """
    ends = "{0}at {0}on {0}time {0}date {0}stamp date{0}"
    return [*_names(" ".join(ends.format(verb) for verb in verbs.split())), *_names(bare)]


def _marks(names: str) -> frozenset[str]:
    return frozenset(_names(names))


def _tool(marks: str, **names: str) -> tuple[frozenset[str], Names]:
    """The marks of a tool's records, and the common names behind those that it has for roles."""
    own = {role: [*_names(text), *_COMMON.get(role, ())] for role, text in names.items()}
    return _marks(marks), {**_COMMON, **own}


MAX_DEPTH: Final = 8
"""How many objects and lists around a value are looked into."""

_DROPPED: Final = {ord(one): None for one in " \t\r\n_@-"}
_BLANK: Final[Sequence[object]] = (None, "")

# Beside the roles: `statuses` is a list of the statuses of a deploy, or the newest one;
# `production` is a flag of its sender, `duration` milliseconds after `time`, and `description` text
# that may contain the commit.
_COMMON: Final[Names] = {
    "commit": _names(
        "commit commit_sha commit_hash commit_id commit_oid git_commit git_sha sha head_sha hash "
        "commit.sha commit.hash commit.oid commit.id slug.commit commit_ref trigger.hash "
        "trigger.build_info.scm.sha1 trigger.artifacts.version actions.last_built_revision.SHA1 "
        "change_sets.items.commit_id change_set.items.commit_id release.commit.hash "
        "revision.git_hub_location.commit_id revision.s3_location.key source_version vcs.revision "
        "git.commit_sha source_control.revision vcs_revision_key revisions.revision.version "
        "substitutions.commit_sha scm_revision "
        "source_revisions.revision_id labels.commit labels.commit_sha metadata.labels.commit_sha "
        "meta.github_commit_sha meta.gitlab_commit_sha meta.bitbucket_commit_sha meta.commit_hash "
        "release.artifacts.definition_reference.source_version.id "
        "last_commit.id app_version chart chart_version revision revisions "
        "metadata.origin_revision metadata.revision version tag tag_name release release.name "
        "release_version release_name"
    ),
    "time": [
        *_times("deployed deploy deployment"),
        *_times("finished finish completed complete completion ended end stopped", "finished"),
        *_names("deployable.finished_at state.completed_on deploy_end_time last_deployed"),
        *_names("build_completed_time"),
        *_names("first_reconciled last_deploy.date_finished"),
        *_times("released release published"),
        *_names("time timestamp datetime ts"),
        *_times("started start", "started"),
        *_names("deployable.started_at"),
        *_times("created create build", "created"),
        *_times("updated", "updated last_modified"),
        *_times("committed commit committer"),
        *_names("date"),
        *_times("author authored"),
        *_names("metadata.creation_timestamp"),
    ],
    "author": _names(
        "author author_email author_name author.email author.login author.username author.name "
        "deployer deployed_by email committer user username actor user.email user.username "
        "user.login user.name creator.login actor.login triggering_actor.login "
        "initiated_by.username trigger.user authentication.user local_username "
        "requested_for.unique_name requested_by.unique_name author_login"
    ),
    "service": _names("service service_name app app_name application project component"),
    "environment": _names(
        "environment environment.name environment_name env deployment_environment "
        "target_environment latest_environment last_deploy.environment release_environment.name "
        "deploy_to target_id release_stage"
    ),
    "status": _names(
        "conclusion result outcome state.status.name status state deployment_status "
        "deployment_state state.name last_reconciled_status success task_state ready_state "
        "deployable.status phase"
    ),
    "statuses": _names(
        "statuses.nodes statuses deployment_statuses latest_status deployment_status"
    ),
    "production": _names("production_environment environment_tier environment.tier is_production"),
    "duration": [],
    "description": [],
}
_CLEARED: Final[Names] = {
    "commit": ["description"],
    "time": ["duration"],
    "status": ["statuses"],
    "environment": ["production"],
}

# A record is of the first tool whose marks it has.
_TOOLS: Final[Sequence[tuple[frozenset[str], Names]]] = (
    # A run of GitHub Actions was last updated when it ended. A deployment of GitHub wasn't.
    _tool("head_sha conclusion updated_at", time="completed_at updated_at"),
    # A deployment of GitHub beside its statuses, as in a webhook.
    _tool(
        "deployment",
        commit="deployment.sha",
        time="deployment.created_at",
        author="deployment.creator.login",
        environment="deployment.environment",
        production="deployment.production_environment",
    ),
    # A deployment of GitLab was last updated when it ended, but a job knows the end better.
    _tool(
        "deployable updated_at",
        time="finished_at deployable.finished_at deployable.started_at updated_at",
    ),
    # An environment of GitLab with its last deployment.
    _tool(
        "last_deployment tier",
        commit="last_deployment.sha",
        time="last_deployment.deployable.finished_at last_deployment.updated_at",
        author="last_deployment.user.username",
        environment="name",
        status="last_deployment.status",
        production="tier",
    ),
    # A deployment of Vercel without a target is a preview.
    _tool("uid target", time="ready", production="target"),
    # A deploy of Netlify, whose deploy_time is a duration.
    _tool("commit_ref context", time="published_at created_at", environment="context"),
    # An execution of AWS CodePipeline.
    _tool("pipeline_execution_id last_update_time", time="last_update_time"),
    # A build of Drone.
    _tool("after deploy_to", commit="after"),
    # A build of Jenkins has the time of its start, and its duration in milliseconds.
    _tool("number timestamp duration", duration="duration"),
    # A release of Heroku names the commit in its description.
    _tool("slug description version", description="description"),
    _tool(""),
)

CDEVENT_FIELDS: Final = {"commit": "subject.content.artifactId", "time": "context.timestamp"}
CDEVENT_NAMES: Final[Names] = {
    **dict.fromkeys(_COMMON, ()),
    **{role: _names(name) for role, name in CDEVENT_FIELDS.items()},
    "service": _names("subject.id"),
    "environment": _names("subject.content.environment.name subject.content.environment.id"),
}
CDEVENTS: Final = (
    "dev.cdevents.service.deployed, dev.cdevents.service.upgraded and "
    "dev.cdevents.service.rolledback"
)
_CDEVENT: Final = r"dev\.cdevents\.service\.(deployed|upgraded|rolledback)\."

SUCCESS: Final = _marks(
    "success succeeded successful successfully ok okay passed deployed superseded active "
    "inactive deactivated live ready available done complete completed finished healthy released "
    "published reconciliation_succeeded install_succeeded upgrade_succeeded "
    "rollback_succeeded true t yes y 1"
)
"""
Statuses of a deploy that succeeded. `superseded`, `inactive` and `deactivated` are set by the next
deploy.
"""

FLAGS: Final = {
    "draft": "it is a draft",
    "isdraft": "it is a draft",
    "prerelease": "it is a prerelease",
    "isprerelease": "it is a prerelease",
    "building": "it is still running",
}
"""Flags of deploys that did not happen, or not in production, with the reason."""
