"""Work in several threads: results in order, errors raised, and no thread or job left over."""

import threading
from collections.abc import Iterator

import pytest

from letterlock.documents._ordered import AHEAD, in_order

THREADS = pytest.mark.parametrize("threads", [1, 2, 4])


@THREADS
@pytest.mark.parametrize("count", [0, 1, 2, 3, 20])
def test_results_come_in_order(threads: int, count: int) -> None:
    jobs = [[number] for number in range(count)]
    done = list(in_order(lambda job: job.append(-job[0]), iter(jobs), threads))
    assert done == [[number, -number] for number in range(count)]


@THREADS
def test_few_jobs_are_drawn_ahead(threads: int) -> None:
    drawn = 0

    def jobs() -> Iterator[int]:
        nonlocal drawn
        for number in range(50):
            drawn += 1
            yield number

    for number in in_order(lambda _: None, jobs(), threads):
        assert drawn <= number + threads + AHEAD + 1


@THREADS
def test_an_error_in_the_work_is_raised_in_its_turn(threads: int) -> None:
    def work(job: int) -> None:
        if job == 5:
            raise LookupError("the fifth")

    seen: list[int] = []
    before = threading.active_count()
    with pytest.raises(LookupError, match="the fifth"):
        seen.extend(in_order(work, iter(range(20)), threads))
    assert threading.active_count() == before


@THREADS
def test_closing_ends_the_work(threads: int) -> None:
    before, done = threading.active_count(), list[int]()
    results = in_order(done.append, iter(range(100)), threads)
    next(results)
    results.close()
    assert len(done) <= threads + AHEAD + 1
    assert threading.active_count() == before


def test_a_single_job_starts_no_thread() -> None:
    names: list[str] = []
    list(in_order(lambda _: names.append(threading.current_thread().name), iter([1]), 4))
    assert names == [threading.current_thread().name]


def test_several_threads_work() -> None:
    """Two jobs wait for each other, so that one thread alone would never finish."""
    both = threading.Barrier(2, timeout=60)

    def work(_: int) -> None:
        both.wait()

    assert list(in_order(work, iter(range(2)), 2)) == [0, 1]


def test_the_caller_is_one_of_the_threads() -> None:
    """Two jobs wait for each other, so both threads have to work."""
    both, seen = threading.Barrier(2, timeout=60), set[threading.Thread]()

    def work(_: int) -> None:
        seen.add(threading.current_thread())
        both.wait()

    list(in_order(work, iter(range(20)), 2))
    assert len(seen) == 2
    assert threading.current_thread() in seen


@pytest.mark.parametrize("threads", [2, 4])
def test_whatever_ends_a_helper_is_raised(threads: int) -> None:
    """Two jobs wait for each other, so one of them is done by a helper."""
    before, caller, both = (
        threading.active_count(),
        threading.current_thread(),
        threading.Barrier(2, timeout=60),
    )

    def work(job: int) -> None:
        if job < 2:
            both.wait()
        if threading.current_thread() is not caller:
            raise SystemExit(job)

    with pytest.raises(SystemExit):
        list(in_order(work, iter(range(20)), threads))
    assert threading.active_count() == before


@THREADS
def test_an_error_in_the_jobs_ends_the_threads(threads: int) -> None:
    def jobs() -> Iterator[int]:
        yield from range(10)
        raise OSError("the source is gone")

    before = threading.active_count()
    with pytest.raises(OSError, match="the source is gone"):
        list(in_order(lambda _: None, jobs(), threads))
    assert threading.active_count() == before
