"""The records of each deploy tool are read as its documentation describes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.deploys.history import History, read_changes
from slomon.deploys.records import DeployRules

Deploy: TypeAlias = tuple[str, str]
"""A commit, and the UTC time of its deploy."""

A, B, C = "a" * 40, "b" * 40, "c" * 40


def show(read: History) -> list[Deploy]:
    return [
        (change.commit, f"{datetime.fromtimestamp(tick / 1e9, UTC):%Y-%m-%d %H:%M:%S}")
        for tick, change in read.changes
    ]


def check(
    content: Any,
    deploys: list[Deploy],
    excluded: dict[str, int] | None = None,
    **rules: Any,
) -> History:
    """The deploys and the exclusions of a text, or of a value as JSON; nothing is rejected."""
    text = content if isinstance(content, str) else json.dumps(content, indent=2)
    read = read_changes(text, rules=DeployRules(**rules))
    assert read.rejected == []
    assert show(read) == deploys
    assert read.excluded == (excluded or {})
    return read


def github(**fields: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "sha": A,
        "ref": "main",
        "task": "deploy",
        "payload": {},
        "environment": "production",
        "creator": {"login": "octocat", "type": "User"},
        "created_at": "2026-03-01T10:00:00Z",
        "updated_at": "2026-03-02T09:00:00Z",
        "production_environment": True,
        "transient_environment": False,
        "repository_url": "https://api.github.com/repos/octocat/shop",
    } | fields


def state(name: str, time: str) -> dict[str, Any]:
    at = f"2026-03-01T{time}Z"
    return {"state": name, "created_at": at, "updated_at": at, "environment": "production"}


STARTED = [state("in_progress", "10:01:00"), state("queued", "10:00:30")]


@pytest.mark.parametrize(
    ("statuses", "time"),
    [
        ([state("success", "10:05:00"), *STARTED], "10:05:00"),
        ([state("inactive", "12:00:00"), state("success", "10:05:00"), *STARTED], "10:05:00"),
        ([state("success", "10:05:00"), state("failure", "10:03:00"), *STARTED], "10:05:00"),
        ([state("success", "10:09:00"), state("success", "10:05:00"), *STARTED], "10:05:00"),
        ([*reversed(STARTED), state("success", "10:05:00")], "10:05:00"),
        ([state("inactive", "12:00:00")], "10:00:00"),
    ],
)
def test_github_deployments_count_from_their_success(
    statuses: list[dict[str, Any]], time: str
) -> None:
    deployment = github(statuses=statuses)

    check([deployment], [(A, f"2026-03-01 {time}")])
    check({"nodes": [github(statuses={"nodes": statuses})]}, [(A, f"2026-03-01 {time}")])


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ([state("failure", "10:08:00"), state("success", "10:05:00"), *STARTED], "failure"),
        ([state("error", "10:08:00"), *STARTED], "error"),
        ([state("inactive", "12:00:00"), *STARTED], "in_progress"),
        (STARTED, "in_progress"),
        ([], "pending"),
    ],
)
def test_github_deployments_that_did_not_succeed_are_left_out(
    statuses: list[dict[str, Any]], status: str
) -> None:
    check([github(statuses=statuses)], [], {f"status is {status}": 1})


@pytest.mark.parametrize(
    ("newest", "deploys"),
    [
        (state("success", "10:05:00"), [(A, "2026-03-01 10:05:00")]),
        (state("inactive", "12:00:00"), [(A, "2026-03-01 10:00:00")]),
        (state("failure", "10:05:00"), []),
    ],
)
def test_github_deployments_may_stand_beside_their_statuses(
    newest: dict[str, Any], deploys: list[Deploy]
) -> None:
    excluded = {} if deploys else {"status is failure": 1}
    staging = github(environment="staging", production_environment=False)

    check([github(latest_status=newest)], deploys, excluded)
    check([{"deployment": github(), "statuses": [newest]}], deploys, excluded)
    check(
        {"action": "created", "deployment_status": newest, "deployment": github()},
        deploys,
        excluded,
    )
    check([{"deployment": staging, "statuses": [newest]}], [], {"environment is staging": 1})


def test_github_deployments_are_of_production_by_their_flag() -> None:
    other = github(sha=B, environment="live-eu", production_environment=False)
    named = github(sha=C, environment="eu-1", production_environment=True)
    reason = "environment is live-eu, not production to its sender"

    read = check(
        [github(), other, named],
        [(A, "2026-03-01 10:00:00"), (C, "2026-03-01 10:00:00")],
        {reason: 1},
    )
    assert read.changes[0][1].author == "octocat"
    check(
        [other, named],
        [(B, "2026-03-01 10:00:00")],
        {"environment is eu-1": 1},
        environments=["live-*"],
    )


def test_github_deployments_of_graphql() -> None:
    node = {"commitOid": A, "createdAt": "2026-03-01T10:00:00Z", "environment": "production"}
    nodes = [
        node | {"state": "ACTIVE", "latestStatus": {"state": "SUCCESS"}},
        node | {"commitOid": B, "state": "INACTIVE", "createdAt": "2026-03-01T09:00:00Z"},
        node | {"commitOid": C, "state": "FAILURE"},
        node | {"commitOid": C, "environment": "github-pages"},
    ]

    check(
        {"data": {"repository": {"deployments": {"nodes": nodes}}}},
        [(B, "2026-03-01 09:00:00"), (A, "2026-03-01 10:00:00")],
        {"status is FAILURE": 1, "environment is github-pages": 1},
    )


def test_github_releases_count_from_their_publication() -> None:
    release = {
        "tag_name": "v2.0.0",
        "target_commitish": "main",
        "draft": False,
        "prerelease": False,
        "created_at": "2026-03-01T08:00:00Z",
        "published_at": "2026-03-01T10:00:00Z",
        "author": {"login": "octocat"},
    }
    draft = release | {"tag_name": "v3", "draft": True, "published_at": None}
    early = release | {"tag_name": "v3-rc1", "prerelease": True}

    check(
        [draft, early, release],
        [("v2.0.0", "2026-03-01 10:00:00")],
        {"it is a draft": 1, "it is a prerelease": 1},
    )


def test_gh_release_list() -> None:
    release = {
        "createdAt": "2026-03-01T08:00:00Z",
        "isDraft": False,
        "isLatest": True,
        "isPrerelease": False,
        "name": "Spring",
        "publishedAt": "2026-03-01T10:00:00Z",
        "tagName": "v2.0.0",
    }

    check(
        [release, release | {"isPrerelease": True}, release | {"isDraft": True}],
        [("v2.0.0", "2026-03-01 10:00:00")],
        {"it is a prerelease": 1, "it is a draft": 1},
    )


def test_gh_run_list() -> None:
    run = {
        "conclusion": "success",
        "createdAt": "2026-03-01T10:00:00Z",
        "headBranch": "main",
        "headSha": A,
        "name": "Deploy",
        "startedAt": "2026-03-01T10:00:05Z",
        "status": "completed",
        "updatedAt": "2026-03-01T10:07:00Z",
        "workflowName": "Deploy",
    }
    runs = [
        run | {"conclusion": "", "status": "in_progress", "headSha": C},
        run | {"conclusion": "cancelled"},
        run,
        run | {"conclusion": "failure"},
    ]

    check(
        runs,
        [(A, "2026-03-01 10:07:00")],
        {"status is in_progress": 1, "status is cancelled": 1, "status is failure": 1},
    )


def test_runs_of_the_api_of_github_actions() -> None:
    run = {
        "id": 30433642,
        "name": "Deploy",
        "head_branch": "main",
        "head_sha": A,
        "status": "completed",
        "conclusion": "success",
        "created_at": "2026-03-01T10:00:00Z",
        "updated_at": "2026-03-01T10:07:00Z",
        "run_started_at": "2026-03-01T10:00:05Z",
        "actor": {"login": "octocat"},
        "head_commit": {"id": A, "timestamp": "2026-03-01T07:00:00Z"},
    }
    read = check({"total_count": 1, "workflow_runs": [run]}, [(A, "2026-03-01 10:07:00")])

    assert read.changes[0][1].author == "octocat"


def gitlab(**fields: Any) -> dict[str, Any]:
    return {
        "id": 42,
        "iid": 2,
        "ref": "main",
        "sha": A,
        "created_at": "2026-03-01T10:00:00.222Z",
        "updated_at": "2026-03-01T10:08:00.414Z",
        "status": "success",
        "user": {"name": "Ana", "username": "ana"},
        "environment": {"id": 9, "name": "production", "external_url": "https://example.com"},
        "deployable": {
            "id": 664,
            "status": "success",
            "created_at": "2026-03-01T10:00:00.222Z",
            "started_at": "2026-03-01T10:01:00.000Z",
            "finished_at": "2026-03-01T10:06:00.000Z",
            "commit": {"id": A, "created_at": "2026-02-28T09:00:00Z"},
        },
    } | fields


@pytest.mark.parametrize(
    ("fields", "time"),
    [
        ({}, "10:06:00"),
        ({"deployable": None}, "10:08:00"),
        ({"finished_at": "2026-03-01T10:07:00Z"}, "10:07:00"),
        ({"environment": {"id": 1, "name": "eu/1", "tier": "production"}}, "10:06:00"),
    ],
)
def test_gitlab_deployments_count_from_their_end(fields: dict[str, Any], time: str) -> None:
    read = check([gitlab(**fields)], [(A, f"2026-03-01 {time}")])

    assert read.changes[0][1].author == "ana"


def test_gitlab_deployments_to_other_tiers_or_without_success_are_left_out() -> None:
    review = {"id": 3, "name": "review/cart", "tier": "development"}
    deployments = [
        gitlab(status="failed"),
        gitlab(status="running", deployable={"finished_at": None}),
        gitlab(environment=review),
        gitlab(environment={"id": 4, "name": "staging"}),
    ]

    check(
        deployments,
        [],
        {
            "status is failed": 1,
            "status is running": 1,
            "environment is review/cart": 1,
            "environment is staging": 1,
        },
    )


def test_gitlab_environments_have_their_last_deployment() -> None:
    environment = {
        "id": 1,
        "name": "shop",
        "tier": "production",
        "state": "available",
        "last_deployment": gitlab(),
    }
    staging = environment | {"name": "shop-staging", "tier": "staging"}

    check(
        [environment, staging],
        [(A, "2026-03-01 10:06:00")],
        {"environment is shop-staging": 1},
    )


DEVLAKE = (
    "id,created_at,updated_at,cicd_deployment_id,name,result,original_result,status,"
    "environment,created_date,queued_date,started_date,finished_date,commit_sha,repo_url\n"
)


def test_devlake_exports_may_have_nulls() -> None:
    rows = [
        "1,2026-03-05 00:00:00,2026-03-05 00:00:00,p1,x,SUCCESS,success,DONE,PRODUCTION,"
        f"2026-03-01T10:00:00Z,NULL,NULL,2026-03-01T10:06:00Z,{A},https://example.com",
        "2,2026-03-05 00:00:00,2026-03-05 00:00:00,p2,x,SUCCESS,success,DONE,PRODUCTION,"
        f"2026-03-01T11:00:00Z,\\N,2026-03-01T11:01:00Z,\\N,{B},https://example.com",
        "3,2026-03-05 00:00:00,2026-03-05 00:00:00,p3,x,,,IN_PROGRESS,PRODUCTION,"
        f"2026-03-01T12:00:00Z,,2026-03-01T12:01:00Z,,{C},https://example.com",
    ]

    check(
        DEVLAKE + "\n".join(rows),
        [(A, "2026-03-01 10:06:00"), (B, "2026-03-01 11:01:00")],
        {"status is IN_PROGRESS": 1},
    )


def test_devlake_tables_may_be_separated_by_tabs_and_without_zones() -> None:
    text = (
        "commit_sha\tresult\tenvironment\tfinished_date\n"
        f"{A}\tSUCCESS\tPRODUCTION\t2026-03-01 10:06:00.000\n"
        f"{B}\tFAILURE\tPRODUCTION\t2026-03-01 11:06:00.000\n"
        f"{C}\tSUCCESS\tTESTING\t2026-03-01 12:06:00.000\n"
    )
    read = read_changes(text, zone=UTC)

    assert show(read) == [(A, "2026-03-01 10:06:00")]
    assert read.excluded == {"status is FAILURE": 1, "environment is TESTING": 1}


def argo(name: str, *history: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": name,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "managedFields": [{"manager": "argocd", "time": "2026-03-01T10:06:00Z"}],
        },
        "spec": {"source": {"repoURL": "https://example.com", "targetRevision": "main"}},
        "status": {
            "history": list(history),
            "operationState": {
                "phase": "Succeeded",
                "startedAt": "2026-03-01T10:05:00Z",
                "finishedAt": "2026-03-01T10:06:00Z",
                "syncResult": {"revision": A},
            },
            "sync": {"status": "Synced", "revision": A},
        },
    }


SYNC = {
    "id": 3,
    "revision": A,
    "deployStartedAt": "2026-03-01T10:05:00Z",
    "deployedAt": "2026-03-01T10:06:00Z",
    "initiatedBy": {"username": "ana"},
}


def test_argo_cd_lists_of_applications_have_a_service_if_a_user_says_so() -> None:
    apps = {"kind": "List", "items": [argo("shop", SYNC), argo("cart", SYNC | {"revision": B})]}
    deploys = [(A, "2026-03-01 10:06:00"), (B, "2026-03-01 10:06:00")]

    read = check(apps, deploys)
    assert [change.service for _, change in read.changes] == ["", ""]
    assert read.changes[0][1].author == "ana"
    read = check(apps, deploys, keys={"service": "metadata.name"})
    assert [change.service for _, change in read.changes] == ["shop", "cart"]


def test_argo_cd_histories_may_have_several_sources() -> None:
    sync = {**SYNC, "revision": "", "revisions": ["1.4.0", B], "sources": [{"chart": "shop"}, {}]}

    check([SYNC, sync], [(A, "2026-03-01 10:06:00"), (f"1.4.0, {B}", "2026-03-01 10:06:00")])


def test_flux_helm_releases() -> None:
    snapshot = {
        "appVersion": "2.1.0",
        "chartName": "shop",
        "chartVersion": "0.4.0",
        "configDigest": "sha256:aa",
        "digest": "sha256:bb",
        "firstDeployed": "2026-01-01T10:00:00Z",
        "lastDeployed": "2026-03-01T10:06:00Z",
        "name": "shop",
        "namespace": "shop",
        "status": "deployed",
        "version": 12,
    }
    release = {
        "kind": "HelmRelease",
        "status": {
            "conditions": [
                {"type": "Ready", "status": "True", "lastTransitionTime": "2026-03-01T10:06:00Z"}
            ],
            "history": [
                snapshot,
                snapshot
                | {
                    "appVersion": "2.0.0",
                    "status": "superseded",
                    "lastDeployed": "2026-02-01T10:00:00Z",
                },
                snapshot | {"appVersion": "2.0.5", "status": "failed"},
            ],
        },
    }

    check(
        release,
        [("2.0.0", "2026-02-01 10:00:00"), ("2.1.0", "2026-03-01 10:06:00")],
        {"status is failed": 1},
    )


def test_flux_kustomizations_count_from_their_first_reconciliation() -> None:
    snapshot = {
        "digest": "sha256:aa",
        "firstReconciled": "2026-03-01T10:06:00Z",
        "lastReconciled": "2026-03-04T10:06:00Z",
        "lastReconciledDuration": "1.2s",
        "lastReconciledStatus": "ReconciliationSucceeded",
        "metadata": {"revision": f"main@sha1:{A}"},
        "totalReconciliations": 432,
    }
    failed = snapshot | {"lastReconciledStatus": "HealthCheckFailed"}
    oci = {"originRevision": f"v1.2@sha1:{B}", "revision": "latest@sha256:cc"}

    check(
        {"kind": "Kustomization", "status": {"history": [snapshot, failed]}},
        [(A, "2026-03-01 10:06:00")],
        {"status is HealthCheckFailed": 1},
    )
    check({"status": {"history": [snapshot | {"metadata": oci}]}}, [(B, "2026-03-01 10:06:00")])


def test_helm_histories_of_failed_and_pending_upgrades() -> None:
    release = {
        "revision": 3,
        "updated": "2026-03-01T12:06:00.123456789+02:00",
        "status": "deployed",
        "chart": "shop-1.4.0",
        "app_version": "2.1.0",
        "description": "Rollback to 1",
    }
    releases = [
        release | {"revision": 1, "app_version": "", "status": "superseded"},
        release | {"revision": 2, "status": "failed"},
        release,
        release | {"revision": 4, "status": "pending-upgrade"},
    ]

    check(
        releases,
        [("shop-1.4.0", "2026-03-01 10:06:00"), ("2.1.0", "2026-03-01 10:06:00")],
        {"status is failed": 1, "status is pending-upgrade": 1},
    )


def test_helm_histories_as_a_table() -> None:
    text = (
        "REVISION\tUPDATED                 \tSTATUS    \tCHART     \tAPP VERSION\tDESCRIPTION\n"
        "1       \tSun Mar  1 10:06:00 2026\tsuperseded\tshop-1.4.0\t2.0.0      \tComplete\n"
        "2       \tSun Mar  1 11:06:00 2026\tfailed    \tshop-1.4.0\t2.1.0      \tTimed out\n"
    )
    read = read_changes(text, zone=UTC)

    assert show(read) == [("2.0.0", "2026-03-01 10:06:00")]
    assert read.excluded == {"status is failed": 1}


def heroku(**fields: Any) -> dict[str, Any]:
    return {
        "app": {"id": "01234567", "name": "shop"},
        "created_at": "2026-03-01T10:06:00Z",
        "current": True,
        "description": "Deploy 1a2b3c4d",
        "id": "89abcdef",
        "slug": {"id": "0abc"},
        "status": "succeeded",
        "updated_at": "2026-03-01T10:07:00Z",
        "user": {"email": "ana@example.com", "id": "4567"},
        "version": 12,
    } | fields


def test_heroku_releases_of_code_have_its_commit() -> None:
    read = check(
        [heroku(), heroku(status="failed"), heroku(status="pending")],
        [("1a2b3c4d", "2026-03-01 10:06:00")],
        {"status is failed": 1, "status is pending": 1},
    )
    assert read.changes[0][1].author == "ana@example.com"


def test_heroku_releases_of_a_configuration_have_their_version() -> None:
    check(
        [heroku(description="Set CACHE_URL config vars", version=13, slug=None)],
        [("13", "2026-03-01 10:06:00")],
    )


def test_sentry_releases() -> None:
    release = {
        "version": "shop@2.1.0",
        "shortVersion": "2.1.0",
        "dateCreated": "2026-03-01T09:00:00Z",
        "dateReleased": None,
        "lastCommit": {"id": A, "message": "Count once"},
        "lastDeploy": {
            "environment": "production",
            "dateStarted": "2026-03-01T10:00:00Z",
            "dateFinished": "2026-03-01T10:06:00Z",
        },
        "projects": [{"name": "shop", "slug": "shop"}],
    }
    staged = release | {"lastDeploy": {**release["lastDeploy"], "environment": "staging"}}  # type: ignore[dict-item]

    check([release, staged], [(A, "2026-03-01 10:06:00")], {"environment is staging": 1})
    check(
        [release | {"lastCommit": None, "lastDeploy": None}],
        [("shop@2.1.0", "2026-03-01 09:00:00")],
    )


def test_sentry_deploys_of_a_release() -> None:
    deploy = {
        "id": "1",
        "environment": "prod",
        "name": None,
        "url": None,
        "dateStarted": "2026-03-01T10:00:00Z",
        "dateFinished": "2026-03-01T10:06:00Z",
    }
    release = {"version": "2.1.0", "deploys": [deploy, deploy | {"environment": "qa"}]}

    check(
        release,
        [("2.1.0", "2026-03-01 10:06:00")],
        {"environment is qa": 1},
        keys={"commit": "version"},
    )


def jenkins(**fields: Any) -> dict[str, Any]:
    return {
        "_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun",
        "number": 7,
        "result": "SUCCESS",
        "timestamp": 1772359200000,  # 2026-03-01 10:00:00
        "duration": 360_000,
        "building": False,
        "actions": [
            {"_class": "hudson.model.CauseAction"},
            {},
            {"lastBuiltRevision": {"SHA1": A, "branch": [{"SHA1": A, "name": "main"}]}},
        ],
    } | fields


def test_jenkins_builds_count_from_their_end() -> None:
    builds = [
        jenkins(),
        jenkins(result="UNSTABLE"),
        jenkins(result="ABORTED"),
        jenkins(result=None, building=True, duration=0),
    ]

    check(
        {"_class": "org.jenkinsci.plugins.workflow.job.WorkflowJob", "builds": builds},
        [(A, "2026-03-01 10:06:00")],
        {"status is UNSTABLE": 1, "status is ABORTED": 1, "it is still running": 1},
    )


def test_jenkins_builds_without_a_commit_need_another_field() -> None:
    build = {"number": 7, "result": "SUCCESS", "timestamp": 1772359200000}
    (rejected,) = read_changes(json.dumps({"builds": [build]})).rejected

    assert rejected.reason.startswith("it has no commit; allowed: ")
    check({"builds": [build]}, [("7", "2026-03-01 10:00:00")], keys={"commit": "number"})


def spinnaker(**fields: Any) -> dict[str, Any]:
    return {
        "id": "01F5KC59TRGWKCP31C4N51CDSB",
        "type": "PIPELINE",
        "application": "shop",
        "name": "Deploy to production",
        "buildTime": 1772359200000,
        "startTime": 1772359201000,
        "endTime": 1772359560000,
        "status": "SUCCEEDED",
        "authentication": {"user": "ana@example.com"},
        "stages": [{"type": "deploy", "startTime": 1772359202000, "status": "SUCCEEDED"}],
        "trigger": {
            "type": "jenkins",
            "user": "ana",
            "buildInfo": {"number": 7, "scm": [{"name": "origin", "branch": "main", "sha1": A}]},
        },
    } | fields


def test_spinnaker_executions() -> None:
    read = check(
        [spinnaker(), spinnaker(status="TERMINAL"), spinnaker(status="RUNNING", endTime=None)],
        [(A, "2026-03-01 10:06:00")],
        {"status is TERMINAL": 1, "status is RUNNING": 1},
    )
    ((_, change),) = read.changes
    assert (change.author, change.service) == ("ana", "shop")


def test_spinnaker_executions_of_a_git_or_an_artifact_trigger() -> None:
    git = {"type": "git", "hash": B, "branch": "main", "source": "github"}
    image = {"type": "docker", "artifacts": [{"name": "example/shop", "version": "2.1.0"}]}

    check([spinnaker(trigger=git)], [(B, "2026-03-01 10:06:00")])
    check([spinnaker(trigger=image)], [("2.1.0", "2026-03-01 10:06:00")])


def test_cdevents_to_other_environments_are_left_out() -> None:
    event = {
        "context": {
            "version": "0.4.1",
            "type": "dev.cdevents.service.deployed.0.2.0",
            "timestamp": "2026-03-01T10:06:00Z",
        },
        "subject": {
            "id": "shop",
            "content": {
                "environment": {"id": "production"},
                "artifactId": "pkg:oci/shop@sha256%3A0b",
            },
        },
    }
    other = json.loads(json.dumps(event).replace('"production"', '"staging"'))

    check(
        [event, other],
        [("pkg:oci/shop@sha256%3A0b", "2026-03-01 10:06:00")],
        {"environment is staging": 1},
    )


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        *((status, True) for status in ("Success", "succeeded", "DEPLOYED", "ok", "done", "true")),
        *((status, False) for status in ("failed", "ERROR", "running", "cancelled", "false", "??")),
        *((status, True) for status in ("", "NULL", None)),  # not known
        (True, True),
        (False, False),
    ],
)
def test_a_record_with_a_status_counts_if_it_says_success(status: object, counts: bool) -> None:
    read = read_changes(json.dumps({"sha": A, "ts": 5, "status": status}))
    assert (len(read.changes), sum(read.excluded.values())) == (counts, not counts)


@pytest.mark.parametrize(
    ("environment", "counts"),
    [
        *((name, True) for name in ("production", "PROD", "prd", "live", "prod-eu", "eu_prod1")),
        *((name, True) for name in ("production/eu", "Production (EU)", "", None)),
        *((name, False) for name in ("staging", "pre-prod", "preprod", "non-production", "qa")),
        *((name, False) for name in ("review/live-search", "deliver", "product", "prod-test")),
    ],
)
def test_a_record_with_an_environment_counts_if_that_is_production(
    environment: object, counts: bool
) -> None:
    read = read_changes(json.dumps({"sha": A, "ts": 5, "environment": environment}))
    assert (len(read.changes), sum(read.excluded.values())) == (counts, not counts)


def test_the_environments_that_count_can_be_named() -> None:
    text = "sha,ts,env\na,1,EU-1\nb,2,eu-2\nc,3,production\nd,4,\n"

    def commits(*environments: str) -> str:
        read = read_changes(text, rules=DeployRules(environments=environments))
        return "".join(change.commit for _, change in read.changes)

    assert [commits("eu-1"), commits("eu-1", "Production"), commits("EU-*"), commits("*")] == [
        "ad",
        "acd",
        "abd",
        "abcd",
    ]


def test_the_fields_of_the_roles_can_be_named() -> None:
    text = "id,sha,what,when,who,where,ok\n1,x,a,5,ana,shop,failed\n"
    keys = {"commit": "what", "time": "when", "author": "who", "service": "where"}
    ((tick, change),) = read_changes(text, rules=DeployRules(keys=keys)).changes

    assert tick == 5_000_000_000
    assert (change.commit, change.author, change.service) == ("a", "ana", "shop")
    assert read_changes(text, rules=DeployRules(keys=keys | {"status": "ok"})).excluded == {
        "status is failed": 1
    }


def test_a_named_field_replaces_all_known_ones() -> None:
    fields = {"sha": A, "release": {"id": "v7"}, "finished_at": "9", "created_at": "5"}
    keys = {"commit": "release.id", "time": "created_at"}

    check([fields], [("v7", "1970-01-01 00:00:05")], keys=keys)
    (rejected,) = read_changes(json.dumps(fields), rules=DeployRules({"commit": "gone"})).rejected
    assert rejected.reason == "it has no commit; allowed: text in 'gone'"


def test_named_fields_replace_what_a_tool_says_of_them() -> None:
    deployment = github(
        statuses=[state("failure", "10:08:00")],
        production_environment=False,
        where="prod",
        outcome="success",
    )
    keys = {"status": "outcome", "environment": "where", "time": "created_at"}

    check([deployment], [(A, "2026-03-01 10:00:00")], keys=keys)


def test_a_flattened_export_has_dots_in_its_names() -> None:
    text = (
        "sha,status,environment.name,deployable.finished_at,user.username\n"
        f"{A},success,production,2026-03-01T10:06:00Z,ana\n"
        f"{B},success,qa,2026-03-01T11:06:00Z,ana\n"
    )
    read = check(text, [(A, "2026-03-01 10:06:00")], {"environment is qa": 1})
    assert read.changes[0][1].author == "ana"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda one: [one],
        lambda one: [[one], []],
        lambda one: {"items": [one]},
        lambda one: {"data": {"pages": [{"values": [one]}]}},
        lambda one: [{"page": 1, "results": [one]}],
        lambda one: {"deploys": {"by id": {"7": one}}},
    ],
)
def test_records_stand_at_any_depth(wrap: Any) -> None:
    check(wrap({"sha": A, "ts": 5}), [(A, "1970-01-01 00:00:05")])


def test_a_malformed_record_in_a_list_is_rejected_alone() -> None:
    read = read_changes(json.dumps({"items": [{"sha": A, "ts": 5}, {"sha": B}, {"ts": 6}]}))

    assert show(read) == [(A, "1970-01-01 00:00:05")]
    assert [one.text for one in read.rejected] == [f'{{"sha": "{B}"}}', '{"ts": "6"}']


def test_a_deploy_that_failed_may_lack_its_commit_but_an_error_is_no_deploy() -> None:
    failed = {"number": 7, "result": "FAILURE", "timestamp": 1772359200000}

    check({"builds": [jenkins(), failed]}, [(A, "2026-03-01 10:06:00")], {"status is FAILURE": 1})
    error = {"message": "Bad credentials", "status": "401"}
    (rejected,) = read_changes(json.dumps(error)).rejected
    assert rejected.reason.startswith("it has no commit; allowed: ")


def test_reasons_are_bounded() -> None:
    rows = "".join(f"{A},5,preview-{number}\n" for number in range(1_000))
    read = read_changes("sha,ts,env\n" + rows)

    assert len(read.excluded) == 101
    assert read.excluded["other"] == 900


def test_a_record_of_any_depth_is_read() -> None:
    deep: Any = "x"
    for _ in range(400):
        deep = {"a": [deep]}
    read = read_changes(json.dumps({"items": [{"sha": A, "ts": 5}, {"sha": B, "deep": deep}]}))

    assert show(read) == [(A, "1970-01-01 00:00:05")]
    assert len(read.rejected) == 1


NAMES = [
    *("sha", "ts", "status", "statuses", "environment", "deployment", "state", "context", "type"),
    *("duration", "number", "timestamp", "created_at", "items", "draft"),
]
values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**70) | st.text("a-0{@", max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(st.lists(values, max_size=4))
def test_every_record_is_something_whatever_it_holds(records: list[object]) -> None:
    read = read_changes("[\n{}," + json.dumps(records).removeprefix("["))

    total = len(read.changes) + len(read.rejected) + sum(read.excluded.values())
    assert total >= 1
    assert all(one.text.strip() and one.reason.isprintable() for one in read.rejected)
