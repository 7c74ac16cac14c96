"""The output of `git log` is read for its commits."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC
from pathlib import Path

import pytest

from slomon import ConfigurationError
from slomon.core.events import Change, RejectedLine
from slomon.deploys.history import read_changes

INSTANT = 1543443091_000_000_000

DEFAULT = """\
commit 9fd0d7f1a1d4c6d0f2b0bd8e3dd0ce35b5fba1e0 (HEAD -> main, tag: v1.2, origin/main)
Merge: 1b2c3d4 5e6f7a8
Author: Ana Lima <ana@example.com>
Date:   Wed Nov 28 14:11:31 2018 -0800

    Merge branch 'cart'

    commit 0000000 broke it
    Date: yesterday

Notes:
    Reviewed

commit 1b2c3d4e5f60718293a4b5c6d7e8f90123456789
Author: Bo <bo@example.com>
Date:   Tue Nov 27 09:00:00 2018 +0100

    Count the items once

    Signed-off-by: Bo <bo@example.com>
---
 cart.py | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)

diff --git a/cart.py b/cart.py
index 1111111..2222222 100644
--- a/cart.py
+++ b/cart.py
@@ -1 +1 @@
-commit 1
+commit 2
"""
FULLER = """\
commit 1b2c3d4e5f60718293a4b5c6d7e8f90123456789
Author:     Ana Lima <ana@example.com>
AuthorDate: {old}
Commit:     Bo <bo@example.com>
CommitDate: {new}

    Count the items once
"""


def test_a_log_is_its_commits_from_old_to_new() -> None:
    changes = read_changes(DEFAULT)

    assert changes.rejected == []
    assert changes.changes == [
        (
            1543305600_000_000_000,
            Change(
                "1b2c3d4e5f60718293a4b5c6d7e8f90123456789",
                "Bo <bo@example.com>",
                "Tue Nov 27 09:00:00 2018 +0100",
                "",
            ),
        ),
        (
            INSTANT,
            Change(
                "9fd0d7f1a1d4c6d0f2b0bd8e3dd0ce35b5fba1e0",
                "Ana Lima <ana@example.com>",
                "Wed Nov 28 14:11:31 2018 -0800",
                "",
            ),
        ),
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Mon Oct 1 08:00:00 2018 +0000", "Wed Nov 28 14:11:31 2018 -0800"),
        ("2018-10-01 08:00:00 +0000", "2018-11-28 14:11:31 -0800"),
        ("2018-10-01T08:00:00+00:00", "2018-11-28T14:11:31-08:00"),
        ("Mon, 1 Oct 2018 08:00:00 +0000", "Wed, 28 Nov 2018 14:11:31 -0800"),
        ("1538380800", "1543443091"),
        ("1538380800 +0000", "1543443091 -0800"),
    ],
    ids=["default", "iso", "iso-strict", "rfc", "unix", "raw"],
)
def test_the_date_of_the_commit_counts_and_not_the_authors(old: str, new: str) -> None:
    changes = read_changes(FULLER.format(old=old, new=new))

    ((tick, change),) = changes.changes
    assert tick == INSTANT
    assert (change.author, change.date) == ("Ana Lima <ana@example.com>", new)


def test_text_before_the_first_commit_is_rejected() -> None:
    changes = read_changes(f"\nwarning: x\n\n{DEFAULT}commit abcd\nAuthor: Cy <cy@example.com>\n")

    assert len(changes.changes) == 2
    assert changes.rejected == [
        RejectedLine("", 2, "warning: x", "it stands above the first line 'commit <hash>'"),
        RejectedLine(
            "",
            DEFAULT.count("\n") + 4,
            "commit abcd\nAuthor: Cy <cy@example.com>",
            "it has no line 'Date: ' or 'CommitDate: '",
        ),
    ]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two commits of different days, the newer one by another author and with a tag."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    folder = tmp_path_factory.mktemp("repository")
    config = folder / "config"
    config.write_text("[user]\nname = Bo\nemail = bo@example.com\n", encoding="utf-8")
    commits = ("2018-11-27T08:00:00 +0000", "Count once"), ("2018-11-28T14:11:31 -0800", "Fix 500")
    git(folder, "init", "--quiet", "--initial-branch=main")
    for date, subject in commits:
        author = "--author=Ana Lima <ana@example.com>"
        text = f"{subject}\n\ncommit 0000000 broke it"
        git(folder, "commit", "--quiet", "--allow-empty", author, "-m", text, date=date)
    git(folder, "tag", "v2")
    git(folder, "tag", "v1.0", "HEAD~1")
    return folder


def git(folder: Path, *arguments: str, date: str = "") -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": str(folder / "config"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_DATE": date,
        "TZ": "UTC",
    }
    command = ["git", "-C", str(folder), *(part for part in arguments if part)]
    found = subprocess.run(
        command, env=environment, check=True, capture_output=True, encoding="utf-8"
    )
    return found.stdout


FORMATS = [
    "",
    "--pretty=fuller",
    "--decorate=full --stat",
    "-z",
    "-z --format=fuller",
    "--format=%H|%cI",
    "--format=%H|%an|%ae|%cI|%s",
    "--format=%h,%ct,%ae,%s",
    "--format=%ct|%H|%s",
    "--format=%cI|%H",
    "--format=%h|%cd|%s --date=iso-strict",
    "--format=%H|%cD",
    "--format=%H|%cd --date=raw",
    "--format=%h|%ad|%s --date=default",
    "--oneline --decorate --format=%h%d|%ci|%s",
    "--graph --format=%h|%ci|%s",
    "--pretty=raw",
    "--reverse --format=%H|%ci",
    "-z --format=%H|%ci",
    "--format=reference --date=iso",
    "--format=reference --date=unix",
    "--date=iso",
    "--date=rfc",
    "--date=unix",
    "--date=raw",
    "--date=iso-strict",
    "--date=local",
]


@pytest.mark.parametrize("arguments", FORMATS)
def test_the_usual_formats_of_git_log_are_read(repository: Path, arguments: str) -> None:
    options = [part.replace("|", " ") for part in arguments.split(" ")]
    changes = read_changes(git(repository, "log", *options), zone=UTC)

    hashes = git(repository, "log", "--reverse", "--format=%H").split()
    assert changes.rejected == []
    assert [tick for tick, _ in changes.changes] == [1543305600_000_000_000, INSTANT]
    for (_, change), full in zip(changes.changes, hashes, strict=True):
        assert full.startswith(change.commit)
        assert change.author in ("", "ana@example.com", "Ana Lima <ana@example.com>")


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ("tag|--format=%(refname:short) %(creatordate:iso)", ["v1.0", "v2"]),
        ("tag|--format=%(creatordate:iso-strict)%09%(refname)", ["v1.0", "v2"]),
        ("for-each-ref|refs/tags|--format=%(refname) %(creatordate:unix)", ["v1.0", "v2"]),
        ("log|--tags|--no-walk|--format=%ai%d", ["v1.0", "v2"]),
    ],
)
def test_a_version_may_stand_beside_its_date(
    repository: Path, arguments: str, names: list[str]
) -> None:
    changes = read_changes(git(repository, *arguments.split("|")))

    assert changes.rejected == []
    assert [change.commit for _, change in changes.changes] == names
    assert [tick for tick, _ in changes.changes] == [1543305600_000_000_000, INSTANT]


@pytest.mark.parametrize(
    "name", ["v1.2.0", "1.2", "shop@1.2.3", "shop/v1.2.3-rc1", "v1.2-4-g9fd0d7f"]
)
def test_a_version_may_have_the_name_of_what_has_it(name: str) -> None:
    ((_, change),) = read_changes(f"{name} 2018-11-28T14:11:31-08:00 ana@example.com").changes
    assert (change.commit, change.author) == (name, "ana@example.com")


def test_the_log_of_what_was_checked_out_is_read(repository: Path) -> None:
    text = git(repository, "log", "--walk-reflogs", "--date=iso", "--format=%h %gd: %gs")
    changes = read_changes(text)

    assert changes.rejected == []
    assert [tick for tick, _ in changes.changes] == [1543305600_000_000_000, INSTANT]


def test_the_graph_of_a_merge_has_lines_without_a_commit() -> None:
    line = "9fd0d7f1 2018-11-28T14:11:31-08:00"
    changes = read_changes(f"*   {line}\n|\\  \n| * {line}\n|/  \n* {line}\n")

    assert len(changes.changes) == 3
    assert changes.rejected == []


@pytest.mark.parametrize(
    "arguments", ["--date=short", "--format=%H|%cd --date=short", "--format=reference"]
)
def test_a_day_counts_from_its_beginning(repository: Path, arguments: str) -> None:
    options = [part.replace("|", " ") for part in arguments.split(" ")]
    changes = read_changes(git(repository, "log", *options), zone=UTC)

    assert changes.rejected == []
    assert [tick for tick, _ in changes.changes] == [
        1543276800_000_000_000,
        1543363200_000_000_000,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "9fd0d7f Fix 500",
        "9fd0d7f 2 days ago",
        "2018-11-28 14:11:31 -0800 deployed 9fd0d7f",
        "v1.2 deployed 2018-11-28 14:11:31 -0800",
        "192.0.2.1 2018-11-28 14:11:31 -0800",
        "2018-11-28 14:11:31 [INFO] [1226038] started",
        "abc 2018-11-28 14:11:31 -0800",
    ],
)
def test_other_lines_are_no_commits(text: str) -> None:
    with pytest.raises(ConfigurationError, match="the changes begin with"):
        read_changes(text, zone=UTC)


def test_a_line_without_a_date_is_rejected_alone() -> None:
    line = "9fd0d7f1 2018-11-28T14:11:31-08:00"
    changes = read_changes(f"{line}\n\nwarning: x\n{line}")

    assert len(changes.changes) == 2
    assert changes.rejected == [RejectedLine("", 3, "warning: x", "it has no hash with a date")]
