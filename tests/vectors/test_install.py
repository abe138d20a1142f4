"""The core and the vectors are two distributions; without the second, the core says how to install it."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from support.cli_tools import run

ROOT = Path(__file__).parents[2]


def project(folder: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def forget_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next import look for the package again."""
    for name in list(sys.modules):
        if name.split(".")[0] == "letterlock_vectors":
            monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize("command", ["check", "serve"])
def test_without_the_vectors_the_command_says_how_to_install_them(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_the_package(monkeypatch)
    without = [each for each in sys.path if not (Path(each) / "letterlock_vectors").is_dir()]
    monkeypatch.setattr(sys, "path", without)
    assert "python -m pip install letterlock-vectors" in run("vectors", command).failed(2)


def test_another_missing_module_is_not_taken_for_the_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_the_package(monkeypatch)
    monkeypatch.setitem(sys.modules, "letterlock_vectors.check", None)
    with pytest.raises(ModuleNotFoundError):
        run("vectors", "check")


def test_the_package_is_a_command_of_its_own() -> None:
    for arguments, status in ((["check", str(ROOT / "vectors" / "data" / "kdf.json")], 0), (["dance"], 2)):
        command = [sys.executable, "-m", "letterlock_vectors", *arguments]
        assert subprocess.run(command, capture_output=True, check=False).returncode == status


def test_both_distributions_have_the_same_version() -> None:
    core, vectors = project(ROOT), project(ROOT / "vectors")
    assert vectors["version"] == core["version"]
    assert vectors["dependencies"] == [f"letterlock[recovery]=={core['version']}"]
    assert vectors["license"] == core["license"]
    assert (ROOT / "vectors" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
