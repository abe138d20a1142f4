"""Work that several threads do, with results in the order of the jobs.

The thread of the caller makes the jobs and takes the results, so reading and writing stay in order. It is one
of the threads: while the next result is not there, it does a job that nobody has begun.

Hashing releases the interpreter's lock, and encryption does not, so more than two threads gain little.

Not here: what a job is.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Final, Generic, TypeVar

Job = TypeVar("Job")

AHEAD: Final = 5
"""Jobs beyond one for each thread. With fewer, a buffer is written to again while the cache of another
processor still has it, which is slow."""


class _Task(Generic[Job]):
    """A job, and whether it was done."""

    __slots__ = ("done", "error", "job")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.error: BaseException | None = None
        self.done = Lock()
        self.done.acquire()

    def run(self, work: Callable[[Job], None]) -> None:
        try:
            work(self.job)
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread of the caller
            self.error = error
        finally:
            self.done.release()


def in_order(work: Callable[[Job], None], jobs: Iterator[Job], threads: int) -> Generator[Job]:
    """Yield each job, in order, after `work` was done on it, in up to this many threads.

    No more than `threads` + 5 jobs are drawn ahead of the one that was yielded last. No thread is started for
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
    begun: deque[_Task[Job]] = deque()
    todo: SimpleQueue[_Task[Job] | None] = SimpleQueue()
    helpers: list[Thread] = []
    try:
        for _ in range(threads - 1):
            helper = Thread(target=_help, args=(work, todo), name="letterlock-document")
            helper.start()
            helpers.append(helper)
        for job in _chain(waiting, jobs):
            begun.append(task := _Task(job))
            todo.put(task)
            if len(begun) >= threads + AHEAD:
                yield _next(begun, todo, work)
        while begun:
            yield _next(begun, todo, work)
    finally:
        _end(helpers, todo)


def _alone(work: Callable[[Job], None], waiting: deque[Job], jobs: Iterator[Job]) -> Iterator[Job]:
    for job in _chain(waiting, jobs):
        work(job)
        yield job


def _chain(waiting: deque[Job], jobs: Iterator[Job]) -> Iterator[Job]:
    while waiting:
        yield waiting.popleft()
    yield from jobs


def _help(work: Callable[[Job], None], todo: "SimpleQueue[_Task[Job] | None]") -> None:
    while (task := todo.get()) is not None:
        task.run(work)


def _next(
    begun: deque[_Task[Job]], todo: "SimpleQueue[_Task[Job] | None]", work: Callable[[Job], None]
) -> Job:
    """Return the job that comes next when it was done. Until then, do others."""
    task = begun[0]
    while not task.done.acquire(blocking=False):
        other = _taken(todo)
        if other is None:
            task.done.acquire()
            break
        other.run(work)
    begun.popleft()
    if task.error is not None:
        raise task.error
    return task.job


def _taken(todo: "SimpleQueue[_Task[Job] | None]") -> _Task[Job] | None:
    """Return a task that nobody has begun, or None."""
    try:
        return todo.get_nowait()
    except Empty:
        return None


def _end(helpers: list[Thread], todo: "SimpleQueue[_Task[Job] | None]") -> None:
    """Drop what nobody has begun, and wait for the threads."""
    while _taken(todo) is not None:
        pass
    for _ in helpers:
        todo.put(None)
    for helper in helpers:
        helper.join()
