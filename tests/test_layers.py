"""Core imports only core, the pipeline core and anyio, and nobody the package root."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "slomon"
MODULES = sorted(PACKAGE.rglob("*.py"))
STANDARD = sys.stdlib_module_names

EVERYWHERE = ("slomon.errors",)
ALLOWED = {
    "core": ("slomon.core", *EVERYWHERE),
    "pipeline": ("slomon.core", "slomon.pipeline", "anyio", *EVERYWHERE),
}
# What core may not touch even though it is in the standard library: the world.
IMPURE = {
    "asyncio",
    "threading",
    "logging",
    "random",
    "time",
    "datetime",
    "os",
    "socket",
    "pathlib",
}


def imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            assert node.module
            yield node.module


def layer(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0]


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("name", ALLOWED)
def test_a_layer_imports_only_what_it_may(name: str) -> None:
    modules = [module for module in MODULES if layer(module) == name]
    assert modules
    for module in modules:
        for imported in imports(module):
            allowed = within(imported, ALLOWED[name]) or imported.split(".")[0] in STANDARD
            assert allowed, f"{module} imports {imported}"


def test_core_touches_nothing_of_the_world() -> None:
    for module in MODULES:
        if layer(module) == "core":
            assert not IMPURE & {name.split(".")[0] for name in imports(module)}, module


def test_nobody_inside_imports_the_package_root() -> None:
    for module in MODULES:
        assert "slomon" not in set(imports(module)), module


def test_importing_slomon_loads_no_heavy_package_and_starts_nothing() -> None:
    heavy = ["numba", "numpy", "pandas", "polars", "pyarrow", "httpx", "pytest", "argparse"]
    heavy += ["slomon.report"]  # not heavy, but not asked for either
    script = (
        "import sys, threading, slomon; "
        f"print([name for name in {heavy!r} if name in sys.modules], threading.active_count())"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )

    assert run.stdout == "[] 1\n"
