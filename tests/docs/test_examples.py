"""Each program in docs/examples runs as a process of its own and prints what its docstring says."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import letterlock

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PROGRAMS = sorted(EXAMPLES.glob("*.py"))
SECONDS = 120
"""After these a program has hung. None waits for so long."""


def promised(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    _, found, output = text.partition("\nPrints:\n\n")
    assert found, f"{path.name} does not say what it prints"
    return dedent(output).rstrip() + "\n"


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_it_prints_what_it_promises(path: Path, tmp_path: Path) -> None:
    package = str(Path(letterlock.__file__).parents[1])
    found = subprocess.run(
        [sys.executable, "-W", "error", path],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": package},
        check=False,
        timeout=SECONDS,
    )
    assert found.stderr == ""
    assert found.stdout == promised(path)
    assert found.returncode == 0


def test_there_are_examples() -> None:
    assert len(PROGRAMS) >= 5


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_it_uses_public_names_only(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("letterlock"):
            assert "._" not in (node.module or "")
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_") or node.attr == "__name__"
