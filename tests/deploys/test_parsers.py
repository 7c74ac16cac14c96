"""The output of `git log` is read for its commits."""

from __future__ import annotations

import pytest

from slomon.core.events import Change
from slomon.deploys.history import RejectedRecord, read_changes

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
        RejectedRecord(2, "warning: x", "it stands above the first line 'commit <hash>'"),
        RejectedRecord(
            DEFAULT.count("\n") + 4,
            "commit abcd\nAuthor: Cy <cy@example.com>",
            "it has no line 'Date: ' or 'CommitDate: '",
        ),
    ]
