"""The scripts of bench/recovery run, and print every figure of their README."""

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support.client_recovery import hardness
from support.recovery_town import cheap

__all__ = ["cheap"]

FOLDER = Path(__file__).parents[2] / "bench" / "recovery"


def loaded(name: str, monkeypatch: pytest.MonkeyPatch, **values: Any) -> ModuleType:
    """Return a script as a module, with smaller numbers than its own."""
    spec = spec_from_file_location(f"bench_recovery_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, module.__name__, module)  # dataclasses look there
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec.loader.exec_module(module)
    for each, value in values.items():
        monkeypatch.setattr(module, each, value)
    return module


@pytest.fixture
def script(cheap: None, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    del cheap
    return loaded("cost", monkeypatch, ROUNDS=1, REPETITIONS=1, GUESSES=2, USERS=(3, 5))


def test_every_figure_is_printed(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    script.main()
    printed = capsys.readouterr().out
    for name in (
        "open",
        "floor of open",
        "lock",
        "device",
        "show, by",
        "evaluate, by",
        "succeed, by",
        "function, by",
    ):
        (row,) = re.findall(rf"^{name}\b.* ms$", printed, re.MULTILINE)
        assert len(re.findall(r"\d+\.\d\d", row)) == 2
    for text in ("open against its floor", "guesses", "recoveries", "a record has", "3 users", "5 users"):
        assert text in printed


@pytest.mark.usefixtures("cheap")
def test_an_enrolment_is_compared_with_argon2id(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = loaded("enrolment", monkeypatch, USERS=2, ROUNDS=1, AT_ONCE=(1, 2))
    monkeypatch.setattr(script, "Hardness", hardness)
    monkeypatch.setattr("letterlock.client._enrolment.Hardness", hardness)
    script.main()
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert [row.split("|")[1].strip() for row in rows] == ["1", "2"]
    for row in rows:
        assert row.count("|") == head.count("|")
        assert len(re.findall(r"\d+\.\d", row)) == 4
