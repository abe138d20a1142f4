"""Fixtures that many tests share, from support/pair.py and support/trace_calls.py."""

import os
import shutil
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from _pytest.assertion import rewrite

from letterlock._wire.suite import Suite
from support.native import without_native
from support.pair import BOTH_SUITES, Pair, memory_stores, sqlite_stores
from support.trace_calls import Trace, record_primitives


def pytest_configure() -> None:
    """Put `tmp_path` into memory, if there is room: a commit of SQLite need not wait for a disk there.

    A process that is killed loses nothing there that a disk keeps. LETTERLOCK_TEST_DIR names another folder.
    """
    place = Path(os.environ.get("LETTERLOCK_TEST_DIR", "/dev/shm"))
    if os.access(place, os.W_OK) and shutil.disk_usage(place).free > 2**30:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(place))


@contextmanager
def _traced_by(of_thread: Any, of_new_threads: Any) -> Iterator[None]:
    """Let these be the trace functions of this thread and of new ones, until the block ends."""
    before = sys.gettrace(), threading.gettrace()
    sys.settrace(of_thread)
    threading.settrace(of_new_threads)
    try:
        yield
    finally:
        sys.settrace(before[0])
        threading.settrace(before[1])


def within(block: Callable[[], AbstractContextManager[None]], function: Callable[..., Any]) -> Any:
    """Return a function that does its work in such a block."""

    def call(*arguments: Any, **named: Any) -> Any:
        with block():
            return function(*arguments, **named)

    return call


class _Measuring:
    """Measures coverage in what is imported and called, and not in pytest, where it takes longer than there.

    Nor in tests that are marked as slow or that Hypothesis runs: they repeat what others cover, and measuring
    doubles their time.
    """

    def __init__(self) -> None:
        self._tracers = sys.gettrace(), threading.gettrace()

    def paused(self) -> AbstractContextManager[None]:
        return _traced_by(None, None)

    def resumed(self) -> AbstractContextManager[None]:
        return _traced_by(*self._tracers)

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Measure what a module of tests imports, but not how its tests are found."""
        if isinstance(collector, pytest.Module):
            collector._getobj = within(self.resumed, collector._getobj)  # type: ignore[method-assign]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, Any, Any]:
        with self.paused():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self) -> Generator[None, Any, Any]:
        with self.resumed():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
        by_hypothesis = getattr(pyfuncitem.obj, "is_hypothesis_test", False)
        if by_hypothesis or pyfuncitem.get_closest_marker("slow") is not None:
            return (yield)
        with self.resumed():
            return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Generator[None, Any, Any]:
    """Begin to pause the measuring of coverage, if it is measured."""
    if sys.gettrace() is None or not session.config.pluginmanager.hasplugin("_cov"):
        return (yield)
    measuring, manager = _Measuring(), session.config.pluginmanager
    manager.register(measuring)
    manager._importconftest = within(measuring.resumed, manager._importconftest)  # type: ignore[method-assign]
    rewrite._rewrite_test = within(measuring.paused, rewrite._rewrite_test)
    with measuring.paused():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Keep the native module out of a test that looks inside Python's own way of doing something."""
    if item.get_closest_marker("pure") is None:
        return (yield)
    with without_native():
        return (yield)


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
