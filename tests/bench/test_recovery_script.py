"""The script of bench/recovery runs, and prints every figure of its README."""

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from support.recovery_town import cheap

__all__ = ["cheap"]

SCRIPT = Path(__file__).parents[2] / "bench" / "recovery" / "cost.py"


@pytest.fixture
def script(cheap: None, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    del cheap
    spec = spec_from_file_location("cost_of_recovery", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec.loader.exec_module(module)
    for name, value in {"ROUNDS": 1, "REPETITIONS": 1, "GUESSES": 2, "USERS": (3, 5)}.items():
        monkeypatch.setattr(module, name, value)
    return module


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
