"""What a page is made of ships with the package, as it was published, and is small."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

from slomon.report.page import PACKAGE, SCRIPTS, policy, read_frame, read_scripts, read_styles


def test_uplot_is_as_it_was_published() -> None:
    folder = PACKAGE / "uplot"
    origin = (folder / "ORIGIN.md").read_text(encoding="utf-8")
    sums = dict(re.findall(r"\| `([\w.]+)` \| `(\w{64})` \|", origin))

    assert set(sums) | {"ORIGIN.md"} == {file.name for file in folder.iterdir()}
    for name, known in sums.items():
        assert sha256((folder / name).read_bytes()).hexdigest() == known, name


def test_every_script_of_ours_is_in_the_page() -> None:
    written = {file.name for file in (PACKAGE / "browser").iterdir() if file.name.endswith(".js")}
    assert set(SCRIPTS) == written


def test_no_part_ends_its_element_or_fetches_anything() -> None:
    for text in (*read_scripts(), *read_styles()):
        assert "\r" not in text
        assert not re.search(r"</(script|style)|<!--|@import|url\(|\bfetch\(|XMLHttp", text)


def test_our_scripts_make_no_markup_of_text() -> None:
    ours = read_scripts()[1]
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|DOMParser|\beval\b|new Function"
        r"|setTimeout|setAttribute\(\"style",
        ours,
    )


def test_the_policy_lets_nothing_run_but_these() -> None:
    assert "unsafe" not in policy()
    assert policy().startswith("default-src 'none'; script-src 'sha256-")
    for text in (*read_scripts(), *read_styles()):
        assert b64encode(sha256(text.encode()).digest()).decode() in policy()


def test_the_frame_has_a_place_for_each_part_and_no_style_of_its_own() -> None:
    frame = read_frame()
    assert set(re.findall(r"\$(\w+)", frame)) == {
        *(
            "licence",
            "policy",
            "problems",
            "title",
            "chart_style",
            "page_style",
            "data",
            "chart",
            "page",
        ),
    }
    assert not re.search(r"style=|\son\w+=|src=", frame)
