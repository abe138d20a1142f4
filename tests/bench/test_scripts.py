"""The scripts that print what is in bench/README.md run: each case once, on stores of a few sessions."""

import json
import sys
from pathlib import Path

import pytest

import anatomy
import scale
from letterlock import Suite


@pytest.mark.parametrize("make", [anatomy.sealing, anatomy.opening, anatomy.writing, anatomy.reading])
@pytest.mark.parametrize("suite", Suite, ids=lambda suite: suite.name)
def test_a_case_has_its_parts(make: object, suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(make)
    monkeypatch.setattr(anatomy, "LOOPS", 2)
    measured = make(suite).measure(1)
    assert measured.whole == pytest.approx(sum(measured.parts.values()) + measured.rest)
    rows = list(measured.rows())
    assert len(rows) == len(measured.parts) + 3
    if make is anatomy.sealing:
        assert "it would gain" in anatomy.native(measured)


@pytest.mark.slow
def test_growth_and_start_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real workers and files; every text that comes out is compared in them."""
    monkeypatch.setattr(sys, "argv", ["scale.py", "--quick", "--results", str(tmp_path)])
    assert scale.main() == 0
    found = json.loads((tmp_path / "scale.json").read_text("utf-8"))
    cases = [each["cases"] for each in found["growth"]]
    assert [len(each) for each in cases] == [4, 6, 6, 4, 12]
    figures = [size for each in cases for case in each.values() for size in case.values()]
    assert all(size["fastest_ns"] > 0 for size in figures)
    assert found["start"]["command_import_us"]["argparse"] > 0
    assert (tmp_path / "scale.svg").read_text("utf-8").startswith("<svg")
    assert "## Start-up" in (tmp_path / "scale.md").read_text("utf-8")
