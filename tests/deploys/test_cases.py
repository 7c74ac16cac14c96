"""Histories as tools export them name the deploys that broke and fixed an endpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

import slomon

CASES = Path(__file__).parents[1] / "cases"
FULL = "0" * 33  # the rest of a hash

CASE = {
    "deploys-argocd-app/app.json": (f"bad2222{FULL}", f"fee3333{FULL}", {}),
    "deploys-devlake-csv/cicd_deployment_commits.csv": (
        "bad2222",
        "fee3333",
        {"environment is STAGING": 1, "status is FAILURE": 1},
    ),
    "deploys-devlake-select-star/cicd_deployment_commits.csv": (
        "bad2222",
        "fee3333",
        {"environment is STAGING": 1, "status is FAILURE": 1},
    ),
    "deploys-gh-release/releases.json": ("v1", "v2", {}),
    "deploys-github-api/deployments.json": (
        f"bad2222{FULL}",
        f"fee3333{FULL}",
        {"environment is preview-pr-17": 1, "environment is staging": 1},
    ),
    "deploys-gitlab-finished/deployments.json": ("s10w111", "s10w111", {}),
    "deploys-helm-history/history.json": ("bad2222", "fee3333", {}),
    "deploys-jenkins-ms/builds.json": ("bad2222", "fee3333", {}),
}


@pytest.mark.parametrize("zone", [None, "UTC"])
@pytest.mark.parametrize("history", CASE)
def test_the_incident_has_the_deploys_that_broke_and_fixed_it(
    history: str, zone: str | None
) -> None:
    broke, fixed, excluded = CASE[history]
    path = CASES / history
    monitor = slomon.replay(
        path.with_name("access.log"),
        changes=path,
        window="1m",
        change_zone=zone,
        backend="python",
    )

    assert monitor.incident_details() == {
        "GET /cart": [
            {"start": 1741608630.0, "end": 1741609230.0, "fix": fixed, "break": broke},
        ]
    }
    count = monitor.accounting
    assert count.excluded_by_reason == excluded
    assert count.records == count.changes + sum(excluded.values())
    assert count.events == count.accesses + count.changes + sum(excluded.values())
    assert monitor.warnings == []
