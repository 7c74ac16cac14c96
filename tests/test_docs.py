"""
Every example in the README and in docs/ runs, and prints what the page shows.

The blocks of a page run in order, in a temporary folder. The folder has the log and the deploys of
`tests.histories.morning`, a link to `tests`, and each file that the page shows in a block with a
`title`.
"""

from __future__ import annotations

import io
import pkgutil
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any, Final

import anyio
import pytest

from slomon.cli import simulate
from slomon.cli.main import main
from slomon.integrations.asgi.types import App
from tests.cli.terminal import Terminal
from tests.histories import morning
from tests.integrations.asgi.service import serving

ROOT: Final = Path(__file__).parent.parent
README: Final = ROOT / "README.md"
PAGES: Final = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
CLUSTER: Final = ROOT / "docs" / "spark.md"
"""Its examples need a cluster: `tests/integrations/test_spark_batch.py` runs them."""
RECEIVERS: Final = "http://alertmanager:9093", "https://hooks.example.com"
"""Addresses in examples; the tests replace them by that of a local server."""

# Run by tests/test_scripts.py, against the service itself.
DEMONSTRATION: Final = ("$ pip install -e", "$ python scripts/demo_service.py", "$ ask()")
# Commands for developers, shown without output.
TYPED: Final = re.compile(r"(\$ (scripts/|\.venv/bin/|PYTHON=|python3? ).*\n)+")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its title, its text, and the line at which it begins."""

    language: str
    title: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = re.finditer(
        r'^```(\w+)(?: title="([^"\n]+)")?\n(.*?)^```$', text, re.DOTALL | re.MULTILINE
    )
    listed = [Block(m[1], m[2] or "", m[3], text.count("\n", 0, m.start()) + 1) for m in found]
    assert 2 * len(listed) == len(re.findall("^```", text, re.MULTILINE)), f"{page}: a fence"
    return listed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    morning(tmp_path)
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.mark.parametrize("page", [*filter(CLUSTER.__ne__, PAGES)], ids=lambda page: page.name)
def test_every_example_prints_what_the_page_shows(page: Path, folder: Path) -> None:
    shown = blocks(page)
    for block, following in pairwise([*shown, Block("", "", "", 0)]):
        place = f"{page.name}:{block.line}"
        if block.title:
            (folder / block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            printed = run_python(block.text, place)
            expected = following.text if following.language == "text" else ""
            assert printed == expected, place
        elif block.language == "console" and not block.text.startswith(DEMONSTRATION):
            for command, expected in commands(block.text):
                assert run_command(command, folder) == expected, f"{place}: {command}"


def test_blocks_that_ci_runs_are_one_line_each() -> None:
    """`.ci/run` reads them from the README only."""
    scripts = [block.text for block in blocks(README) if block.language == "sh"]

    assert len(scripts) == 3
    assert all(text.count("\n") == 1 and text.startswith("python3 -m venv ") for text in scripts)
    for page in PAGES[1:]:
        assert "sh" not in [block.language for block in blocks(page)], page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        found = page.parent / path if path else page
        assert found.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(found), f"{page.name}: {target}"


def test_the_readme_is_short_and_names_every_page() -> None:
    text = README.read_text(encoding="utf-8")

    assert 9_000 <= len(text.encode()) <= 12_000
    for page in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{page.name})" in text


def test_the_architecture_names_every_folder() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders = {
        file.parent.relative_to(ROOT / "slomon").as_posix()
        for file in (ROOT / "slomon").rglob("*.py")
    }

    assert {name for name in folders - {"."} if f"`{name}/`" not in text} == set()


def test_the_guarantees_name_each_trial_of_the_torture_and_no_other() -> None:
    text = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    named = re.findall(r"trials? (`[\w-]+`(?:, `[\w-]+`)*)", text)
    script = (ROOT / "scripts" / "torture.py").read_text(encoding="utf-8")

    trials = {name.strip("`") for names in named for name in names.split(", ")}
    assert trials == set(re.findall(r'Trial\("([\w-]+)"', script))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_name_that_is_named_exists(page: Path) -> None:
    """
    Paths are relative to the repository or to the package, or the file is in any folder of the
    package; names begin with `slomon.`.
    """
    named = set(re.findall("`([^`\n]+)`", page.read_text(encoding="utf-8")))
    files = {name for name in named if re.fullmatch(r"[\w.]+/[\w/.]*\w", name)}
    modules = {name for name in named if re.fullmatch(r"\w+\.py", name)} - {"main.py"}
    names = {name for name in named if re.fullmatch(r"slomon\.[\w.]+", name)}

    for name in files - {".venv/bin/python", "~/.cache/slomon"}:
        assert (ROOT / name).exists() or (ROOT / "slomon" / name).exists(), name
    assert modules - {file.name for file in (ROOT / "slomon").rglob("*.py")} == set()
    for name in names:
        pkgutil.resolve_name(name)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall("^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def run_python(code: str, place: str) -> str:
    """The output of a block. Its ASGI application gets requests; its webhooks are accepted."""
    printed = io.StringIO()
    names: dict[str, Any] = {"__name__": "__main__"}
    with receiver() as (url, received), redirect_stdout(printed), redirect_stderr(io.StringIO()):
        called = [address for address in RECEIVERS if address in code]
        for address in called:
            code = code.replace(address, url)
        exec(compile(code, place, "exec", dont_inherit=True), names)
        if "status_path" in code and "integrations.asgi" in code:
            anyio.run(ask, names["app"])
    assert len(received) >= len(called), f"{place}: {received}"
    return printed.getvalue()


async def ask(app: App) -> None:
    async with serving(app) as client:
        assert (await client.get("/users/7")).status_code == 200
        with anyio.fail_after(10):  # found endpoints appear when their requests are counted
            while not (await client.get("/slomon")).json()["endpoints"]:  # noqa: ASYNC110 (nobody tells)
                await anyio.sleep(0.01)


@contextmanager
def receiver() -> Iterator[tuple[str, list[str]]]:
    """A server that accepts any POST request: its address, and the paths of the requests."""
    received: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            received.append(self.path)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", received
        finally:
            server.shutdown()
            thread.join()


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command of a block, with the output that the block shows."""
    if TYPED.fullmatch(text):
        return
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def run_command(command: str, folder: Path) -> str:
    """The output of a command on a terminal."""
    name, *arguments = shlex.split(command)
    if name == "cat":
        return "".join((folder / file).read_text(encoding="utf-8") for file in arguments)
    if "--help" in arguments:
        return run_help(name, arguments)
    assert name == "slomon", f"no test runs {command}"
    with Terminal(columns=80) as terminal:
        main([*arguments, "--log-level", "error"], terminal.stream, io.StringIO())
    return terminal.text


def run_help(name: str, arguments: Sequence[str]) -> str:
    printed = io.StringIO()
    command = main
    if name == "python":
        script, *arguments = arguments
        assert script == "main.py"
        command = simulate.main
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
        patch.setattr(sys, "argv", ["main.py"])
        with pytest.raises(SystemExit):
            command(arguments, printed, printed)
    return printed.getvalue()
