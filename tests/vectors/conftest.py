"""Child processes of these tests find the package of the vectors, which may not be installed."""

import os
from pathlib import Path

import pytest

VECTORS = Path(__file__).parents[2] / "vectors"


@pytest.fixture(autouse=True)
def _vectors_in_child_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(VECTORS), prepend=os.pathsep)
