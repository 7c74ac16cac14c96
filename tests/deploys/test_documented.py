"""
Histories as the documentation of each tool shows them: a deploy that counts, which ended at 12:05
and was asked for before that, beside one that failed or was not to production.
"""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from slomon.dates import show_instant
from slomon.deploys.history import read_changes

GOOD: Final = "a" * 40
OTHER: Final = "b" * 40
ASKED, STARTED, ENDED, LATER = (f"2025-03-10T12:0{minute}:00Z" for minute in (1, 2, 5, 9))
SECONDS: Final = 1741608300  # at 12:05


def fail(record: dict[str, Any], **fields: object) -> list[dict[str, Any]]:
    """The record, and another one that differs in these fields."""
    return [record, {**record, **fields}]


VERCEL = {
    "uid": "dpl_1",
    "name": "shop",
    "created": (SECONDS - 240) * 1000,
    "ready": SECONDS * 1000,
    "state": "READY",
    "readyState": "READY",
    "target": "production",
    "creator": {"username": "ana"},
    "meta": {"githubCommitSha": GOOD},
}
NETLIFY = {
    "id": "6",
    "state": "ready",
    "context": "production",
    "commit_ref": GOOD,
    "created_at": ASKED,
    "updated_at": LATER,
    "published_at": ENDED,
    "deploy_time": 60,
}
RENDER = {
    "commit": {"id": GOOD, "createdAt": "2025-03-09T12:00:00Z"},
    "status": "deactivated",
    "createdAt": ASKED,
    "startedAt": STARTED,
    "finishedAt": ENDED,
}
BUILDKITE = {
    "state": "passed",
    "commit": GOOD,
    "created_at": ASKED,
    "started_at": STARTED,
    "finished_at": ENDED,
    "pipeline": {"name": "shop", "created_at": "2024-01-01T00:00:00Z"},
}
OCTOPUS = {
    "ReleaseVersion": "1.2.3",
    "Created": ASKED,
    "StartTime": STARTED,
    "CompletedTime": ENDED,
    "State": "Success",
    "EnvironmentName": "Production",
    "ProjectName": "Shop",
}
AZURE_RELEASE = {
    "release": {
        "name": "Release-5",
        "artifacts": [{"definitionReference": {"sourceVersion": {"id": GOOD}}}],
    },
    "releaseEnvironment": {"id": 7, "name": "Production"},
    "deploymentStatus": "succeeded",
    "queuedOn": ASKED,
    "startedOn": STARTED,
    "completedOn": ENDED,
    "requestedFor": {"displayName": "Ana", "uniqueName": "ana@example.com"},
}
AZURE_BUILD = {
    "buildNumber": "20250310.1",
    "status": "completed",
    "result": "succeeded",
    "queueTime": ASKED,
    "startTime": STARTED,
    "finishTime": ENDED,
    "sourceVersion": GOOD,
}
CODEDEPLOY = {
    "applicationName": "shop",
    "revision": {"revisionType": "GitHub", "gitHubLocation": {"commitId": GOOD}},
    "status": "Succeeded",
    "createTime": ASKED,
    "completeTime": ENDED,
}
CODEDEPLOY_S3 = CODEDEPLOY | {
    "revision": {"revisionType": "S3", "s3Location": {"bucket": "b", "key": "shop-1.zip"}}
}
CODEPIPELINE = {
    "pipelineExecutionId": "x",
    "status": "Succeeded",
    "startTime": ASKED,
    "lastUpdateTime": ENDED,
    "sourceRevisions": [{"actionName": "Source", "revisionId": GOOD}],
}
CLOUD_DEPLOY = {
    "createTime": ASKED,
    "deployStartTime": STARTED,
    "deployEndTime": ENDED,
    "targetId": "prod",
    "state": "SUCCEEDED",
    "labels": {"commit": GOOD},
}
CIRCLECI = {
    "name": "deploy",
    "status": "success",
    "created_at": ASKED,
    "stopped_at": ENDED,
    "vcs": {"revision": GOOD},
}
DRONE = {
    "number": 5,
    "status": "success",
    "event": "promote",
    "deploy_to": "production",
    "after": GOOD,
    "created": SECONDS - 240,
    "started": SECONDS - 180,
    "finished": SECONDS,
    "updated": SECONDS + 9,
}
CLOUD_RUN = {
    "kind": "Revision",
    "metadata": {"name": "shop-1", "creationTimestamp": ENDED, "labels": {"commit-sha": GOOD}},
}

TEAMCITY = {
    "number": "12",
    "status": "SUCCESS",
    "state": "finished",
    "startDate": "20250310T120200+0000",
    "finishDate": "20250310T120500+0000",
    "revisions": {"count": 1, "revision": [{"version": GOOD}]},
}
BAMBOO = {
    "buildNumber": 3,
    "buildState": "Successful",
    "state": "Successful",
    "lifeCycleState": "Finished",
    "buildStartedTime": "2025-03-10T12:02:00.000Z",
    "buildCompletedTime": "2025-03-10T12:05:00.000Z",
    "vcsRevisionKey": GOOD,
}
TRAVIS = {
    "state": "passed",
    "started_at": STARTED,
    "finished_at": ENDED,
    "commit": {"id": 9, "sha": GOOD, "committed_at": "2025-03-09T12:00:00Z"},
}
BUGSNAG = {
    "release_time": ENDED,
    "app_version": "1.2.3",
    "source_control": {"service": "github", "revision": GOOD},
    "release_stage": "production",
}
DATADOG = {
    "service": "shop",
    "env": "production",
    "started_at": (SECONDS - 240) * 10**9,
    "finished_at": SECONDS * 10**9,
    "version": "1.2",
    "git": {"commit_sha": GOOD},
}
RAILWAY = {
    "status": "SUCCESS",
    "createdAt": ENDED,
    "meta": {"commitHash": GOOD, "branch": "main"},
    "environment": {"name": "production"},
}
DEPLOYER = {"created_at": "2025-03-10T12:05:00+0000", "release_name": "12", "user": "ana"}

CLOUD_BUILD = {
    "status": "SUCCESS",
    "createTime": ASKED,
    "startTime": STARTED,
    "finishTime": ENDED,
    "substitutions": {"COMMIT_SHA": GOOD, "BRANCH_NAME": "main"},
}
TOWER = {"status": "successful", "started": STARTED, "finished": ENDED, "scm_revision": GOOD}
LAMBDA = {"FunctionName": "shop", "Version": "3", "LastModified": "2025-03-10T12:05:00.000+0000"}

HISTORY: Final[dict[str, tuple[object, str, dict[str, int]]]] = {
    "Vercel, failed": (
        {"deployments": fail(VERCEL, state="ERROR", readyState="ERROR"), "pagination": {}},
        GOOD,
        {"status is ERROR": 1},
    ),
    "Vercel, preview": (
        {"deployments": fail(VERCEL, target=None)},
        GOOD,
        {"environment is not production": 1},
    ),
    "Netlify, failed": (
        fail(NETLIFY, state="error", published_at=None),
        GOOD,
        {"status is error": 1},
    ),
    "Netlify, preview": (
        fail(NETLIFY, context="deploy-preview", published_at=None),
        GOOD,
        {"environment is deploy-preview": 1},
    ),
    "Render": (
        [{"deploy": one, "cursor": "c"} for one in fail(RENDER, status="build_failed")],
        GOOD,
        {"status is build_failed": 1},
    ),
    "Buildkite": (fail(BUILDKITE, state="failed"), GOOD, {"status is failed": 1}),
    "Octopus": ({"Items": fail(OCTOPUS, State="Failed")}, "1.2.3", {"status is Failed": 1}),
    "Octopus, other environment": (
        {"Items": fail(OCTOPUS, EnvironmentName="Test")},
        "1.2.3",
        {"environment is Test": 1},
    ),
    "Azure DevOps, releases": (
        {"value": fail(AZURE_RELEASE, deploymentStatus="failed")},
        GOOD,
        {"status is failed": 1},
    ),
    "Azure DevOps, builds": (
        {"value": fail(AZURE_BUILD, result="failed", sourceVersion=OTHER)},
        GOOD,
        {"status is failed": 1},
    ),
    "CodeDeploy": (
        {"deploymentsInfo": fail(CODEDEPLOY, status="Failed")},
        GOOD,
        {"status is Failed": 1},
    ),
    "CodeDeploy, S3": (
        {"deploymentsInfo": fail(CODEDEPLOY_S3, status="Stopped")},
        "shop-1.zip",
        {"status is Stopped": 1},
    ),
    "CodePipeline": (
        {"pipelineExecutionSummaries": fail(CODEPIPELINE, status="Failed")},
        GOOD,
        {"status is Failed": 1},
    ),
    "Cloud Deploy": (fail(CLOUD_DEPLOY, targetId="staging"), GOOD, {"environment is staging": 1}),
    "CircleCI": ({"items": fail(CIRCLECI, status="failed")}, GOOD, {"status is failed": 1}),
    "Drone": (fail(DRONE, status="failure"), GOOD, {"status is failure": 1}),
    "Drone, other environment": (
        fail(DRONE, deploy_to="staging"),
        GOOD,
        {"environment is staging": 1},
    ),
    "Cloud Run": ([CLOUD_RUN], GOOD, {}),
    "Octopus, CSV": (
        "DeploymentId,ProjectName,EnvironmentName,ReleaseVersion,TaskState,Created,StartTime,"
        f"CompletedTime\n"
        f"Deployments-1,Shop,Production,1.2.3,Success,{ASKED},{STARTED},{ENDED}\n"
        f"Deployments-2,Shop,Production,1.2.4,Failed,{ASKED},{STARTED},{ENDED}\n",
        "1.2.3",
        {"status is Failed": 1},
    ),
    "TeamCity": ({"build": fail(TEAMCITY, status="FAILURE")}, GOOD, {"status is FAILURE": 1}),
    "Bamboo": (
        {"results": {"result": fail(BAMBOO, state="Failed", buildState="Failed")}},
        GOOD,
        {"status is Failed": 1},
    ),
    "Travis CI": ({"builds": fail(TRAVIS, state="errored")}, GOOD, {"status is errored": 1}),
    "Bugsnag": (
        fail(BUGSNAG, release_stage="staging"),
        GOOD,
        {"environment is staging": 1},
    ),
    "Datadog, DORA": (
        {"data": [{"id": "1", "attributes": one} for one in fail(DATADOG, env="staging")]},
        GOOD,
        {"environment is staging": 1},
    ),
    "Railway": (
        {"edges": [{"node": one} for one in fail(RAILWAY, status="CRASHED")]},
        GOOD,
        {"status is CRASHED": 1},
    ),
    "Cloud Build": (fail(CLOUD_BUILD, status="FAILURE"), GOOD, {"status is FAILURE": 1}),
    "Ansible Tower": ({"results": fail(TOWER, status="failed")}, GOOD, {"status is failed": 1}),
    "AWS Lambda": ({"Versions": [LAMBDA]}, "3", {}),
    "Deployer": (json.dumps(DEPLOYER), "12", {}),
    "Argo CD, argocd app history": (
        "ID      DATE                           REVISION\n"
        "0       2025-03-10 13:05:00 +0100 CET  main (aaaaaaa)\n",
        "aaaaaaa",
        {},
    ),
    "Heroku, heroku releases": (
        "v12  Deploy aaaaaaaa  ana@example.com  2025/03/10 12:05:00 +0000 (~ 2h ago)\n",
        "aaaaaaaa",
        {},
    ),
    "New Relic": (
        {"deployments": [{"id": 1, "revision": GOOD, "user": "ana", "timestamp": ENDED}]},
        GOOD,
        {},
    ),
}


@pytest.mark.parametrize("tool", HISTORY)
def test_a_documented_history_has_the_deploy_that_counts(tool: str) -> None:
    content, commit, excluded = HISTORY[tool]
    text = content if isinstance(content, str) else json.dumps(content, indent=2)
    read = read_changes(text)
    assert read.rejected == []
    assert [(change.commit, show_instant(tick)) for tick, change in read.changes] == [
        (commit, ENDED)
    ]
    assert read.excluded == excluded
