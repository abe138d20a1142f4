"""Work that several threads do, with results in the order of the jobs.

The libraries that encrypt and hash release the interpreter's lock, so threads share the work of one file. The
thread of the caller makes the jobs and takes the results: reading and writing stay in order.

Not here: what a job is.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")


def in_order(work: Callable[[Job], None], jobs: Iterator[Job], threads: int) -> Generator[Job]:
    """Yield each job, in order, after `work` was done on it, in up to this many threads.

    No more than `threads` + 1 jobs are drawn ahead of the one that was yielded last. No thread is started for
    a single job. What `work` raises is raised here, and every thread has ended when this iterator is closed.
    """
    waiting: deque[Job] = deque()
    for job in jobs:
        waiting.append(job)
        if len(waiting) > 1:
            break
    if threads == 1 or len(waiting) < 2:
        yield from _alone(work, waiting, jobs)
        return
    with ThreadPoolExecutor(threads, "letterlock-document") as pool:
        started: deque[tuple[Job, Future[None]]] = deque()
        try:
            for job in _chain(waiting, jobs):
                started.append((job, pool.submit(work, job)))
                if len(started) > threads:
                    yield _finished(*started.popleft())
            while started:
                yield _finished(*started.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _alone(work: Callable[[Job], None], waiting: deque[Job], jobs: Iterator[Job]) -> Iterator[Job]:
    for job in _chain(waiting, jobs):
        work(job)
        yield job


def _chain(waiting: deque[Job], jobs: Iterator[Job]) -> Iterator[Job]:
    while waiting:
        yield waiting.popleft()
    yield from jobs


def _finished(job: Job, result: Future[None]) -> Job:
    result.result()
    return job
