"""The layers of `slomon`: which folder may import which, and what is loaded when."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from itertools import chain
from pathlib import Path
from typing import Final

import pytest

PACKAGE: Final = Path(__file__).parent.parent / "slomon"
FILES: Final = {
    ".".join(("slomon", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
STANDARD: Final = sys.stdlib_module_names

# Every file and folder directly under slomon/, from the ground floor up. Each imports only from
# those below it.
LAYERS: Final = (
    ("text", "interrupts"),
    ("errors", "concurrency"),
    ("files",),
    ("kernels",),
    ("core",),
    ("dates", "pipeline"),
    ("logging", "options"),
    ("endpoints", "formats", "sources", "state"),
    ("deploys",),
    ("live_monitor", "log_replay"),
    ("compiled", "report"),
    ("integrations",),
    ("api", "example_logs", "example_streams"),
    ("cli",),
    ("__main__",),
)
LEVELS: Final = {name: level for level, names in enumerate(LAYERS) for name in names}

# The one import upward, inside a function: a replay that needs no compiled kernel loads none.
LAZY: Final = {
    ("slomon.log_replay.backend", "slomon.compiled.backend"),
    ("slomon.log_replay.backend", "slomon.compiled.library"),
}

# What core may not use although the standard library has it: the outside world.
IMPURE: Final = {
    *("asyncio", "datetime", "logging", "os", "pathlib", "random", "socket", "threading", "time"),
}


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that a file imports, at any place in it."""
    return frozenset(_find_imports(path))


def _find_imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            assert node.module
            for name in node.names:
                module = f"{node.module}.{name.name}"
                yield module if module in FILES else node.module


def own_imports() -> Iterator[tuple[str, str]]:
    """Every pair of a file and a file of slomon that it imports; the table of names aside."""
    for name, path in FILES.items():
        if name != "slomon":
            yield from ((name, module) for module in imports(path) if module in FILES)


def top(name: str) -> str:
    """The folder, or file, directly under slomon/."""
    return name.split(".")[1]


def test_every_file_and_folder_has_its_layer() -> None:
    assert set(map(top, FILES.keys() - {"slomon"})) == set(LEVELS)


def test_nobody_inside_imports_the_package_root() -> None:
    assert [name for name, module in own_imports() if module == "slomon"] == []


def test_a_folder_imports_only_from_those_below_it() -> None:
    upward = {
        (name, module)
        for name, module in own_imports()
        if top(name) != top(module) and LEVELS[top(module)] >= LEVELS[top(name)]
    }
    assert upward == LAZY


def test_no_files_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for name, module in own_imports():
        if (name, module) not in LAZY:
            graph.setdefault(name, set()).add(module)
    TopologicalSorter(graph).prepare()  # which raises CycleError, and names the files


def test_kernels_core_and_pipeline_need_no_other_package() -> None:
    allowed = {"kernels": set(), "core": set(), "pipeline": {"anyio"}}
    for name, path in FILES.items():
        packages = {module.split(".")[0] for module in imports(path)} - {"slomon"} - STANDARD
        if top(f"{name}.") in allowed:
            assert packages <= allowed[top(name)], name


def test_core_and_kernels_touch_nothing_of_the_outside_world() -> None:
    for name, path in FILES.items():
        if top(f"{name}.") in {"core", "kernels"}:
            assert not IMPURE & {module.split(".")[0] for module in imports(path)}, name


@pytest.mark.slow
def test_importing_slomon_loads_no_heavy_package_and_starts_nothing() -> None:
    heavy = ["numba", "numpy", "pandas", "polars", "pyarrow", "httpx", "pytest", "argparse"]
    not_asked_for = ["slomon.report", "slomon.integrations", "slomon.cli"]
    script = (
        "import sys, threading, slomon; "
        f"print([name for name in {[*chain(heavy, not_asked_for)]!r} if name in sys.modules], "
        "threading.active_count())"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )

    assert run.stdout == "[] 1\n"


def test_a_small_replay_loads_only_what_it_needs(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text("".join(f"{1_700_000_000 + n} GET /a 200\n" for n in range(10)))
    not_needed = [
        *("llvmlite", "numpy", "tomllib", "zoneinfo", "importlib.metadata"),
        *("asyncio", "anyio", "uvloop", "structlog"),
        *("slomon.compiled", "slomon.report", "slomon.deploys", "slomon.example_logs"),
        *("slomon.kernels.scan", "slomon.kernels.json_lines", "slomon.kernels.hash_table"),
        *("slomon.cli.demo", "shlex"),
        *("slomon.formats.inference", "slomon.formats.dialects", "slomon.core.attribution"),
    ]
    script = (
        "import sys; from slomon.__main__ import run; "
        f"sys.argv = ['slomon', 'replay', {str(log)!r}, '--json', '--log-level', 'error']; "
        f"print(run(), [name for name in {not_needed!r} if name in sys.modules], file=sys.stderr)"
    )
    replay = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )

    assert replay.stderr == "0 []\n"
