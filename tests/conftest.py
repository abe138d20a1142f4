"""Fixtures that many tests share, from support/pair.py and support/trace_calls.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from letterlock._wire.suite import Suite
from support.native import without_native
from support.pair import BOTH_SUITES, Pair, memory_stores, sqlite_stores
from support.trace_calls import Trace, record_primitives


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Measure no coverage in slow tests: they repeat what others cover, and measuring doubles their time."""
    if config.pluginmanager.hasplugin("pytest_cov"):
        for item in items:
            if item.get_closest_marker("slow") is not None:
                item.add_marker("no_cover")


@pytest.fixture(autouse=True)
def _pure(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep the native module out of a test that looks inside Python's own way of doing something."""
    if request.node.get_closest_marker("pure") is None:
        yield
        return
    with without_native():
        yield


@pytest.fixture
def pair() -> Pair:
    """Two accounts in memory, with the default suite, that know nothing of each other."""
    return Pair()


@pytest.fixture
def x3dh_pair() -> Pair:
    """The same, allowing X3DH by name."""
    return Pair(suites=BOTH_SUITES)


@pytest.fixture(params=list(Suite), ids=lambda suite: suite.name)
def each_pair(request: pytest.FixtureRequest) -> Pair:
    """Two accounts in memory that use X3DH, then two that use PQXDH."""
    return Pair(suite=request.param)


@pytest.fixture(params=["memory", "sqlite"])
def any_pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    """Two accounts in memory, then two in files."""
    pair = Pair(memory_stores() if request.param == "memory" else sqlite_stores(tmp_path))
    yield pair
    pair.close()


@pytest.fixture
def trace(monkeypatch: pytest.MonkeyPatch) -> Trace:
    """A record of every primitive operation from here on."""
    return record_primitives(monkeypatch)
