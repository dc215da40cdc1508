"""Habits of the whole house that no linter checks."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXPORTED = ROOT / "etlml" / "services" / "script" / "parts"  # goes into scripts, which run without etlml
SOURCES = sorted(
    path
    for folder in ("etlml", "api", "pages")
    for path in (ROOT / folder).rglob("*.py")
    if "node_modules" not in path.parts
)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def names_used(path: Path) -> set[str]:
    """``module.attribute`` of every attribute read, and ``module.name`` of every import."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_only_settings_reads_the_environment() -> None:
    doors = {"os.environ", "os.getenv", "os.environb", "os.getenvb"}
    suspects = [path for path in SOURCES if re.search("environ|getenv", path.read_text(encoding="utf-8"))]
    readers = [
        str(path.relative_to(ROOT)) for path in suspects if EXPORTED not in path.parents and names_used(path) & doors
    ]
    assert readers == ["etlml/settings.py"]


def test_no_date_is_written_as_only_some_systems_can() -> None:
    """``%-d`` gives a day without a zero on Linux, and an error on Windows."""
    wrong = [path for path in SOURCES if re.search(r"%-[a-zA-Z]", path.read_text(encoding="utf-8"))]
    assert [str(path.relative_to(ROOT)) for path in wrong] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in SOURCES if not ast.get_docstring(tree_of(path))]
    assert [str(path.relative_to(ROOT)) for path in silent if path.stat().st_size] == []


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("etlml.cli", {"pydantic", "pymongo", "duckdb", "pandas", "streamlit", "fastapi", "sklearn", "rich"}),
        ("etlml.services", {"pandas", "scipy", "sklearn", "optuna", "streamlit", "fastapi"}),
    ],
)
def test_starting_loads_nothing_heavy(module: str, heavy: set[str]) -> None:
    code = f"import sys, {module}; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert not heavy & set(loaded)


def test_docstrings_describe_only_parameters_that_are_there() -> None:
    wrong = []
    for path in SOURCES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                described = re.search(r"^Args:\n((?:    .*\n?)+)", ast.get_docstring(node) or "", re.M)
                known = {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
                names = set(re.findall(r"^    (\w+):", described[1], re.M)) if described else set()
                wrong += [f"{path.relative_to(ROOT)}: {node.name}({name})" for name in sorted(names - known)]
    assert wrong == []
