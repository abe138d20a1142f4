"""Counts the work of a call, so that a test can limit cost without a clock.

    steps     lines of letterlock that run, and Python functions that are called
    parsed    bytes given to `cbor2.loads`

Both are the same on every machine, however busy it is. What happens inside a C function is not counted. Where
that matters, measure memory with tracemalloc.

A tracer that is already there, such as coverage's, sees nothing meanwhile, and is put back afterwards.
"""

import sys
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final, Self

import cbor2

import letterlock

_PACKAGE: Final = str(Path(letterlock.__file__).parent)


class TooManySteps(AssertionError):
    """The call was stopped: it took more than `at_most` steps."""


class StepCounter:
    """A context manager. `at_most` stops a call that would take too long to wait for."""

    def __init__(self, at_most: int | None = None) -> None:
        self.steps = 0
        self.parsed = 0
        self._at_most = sys.maxsize if at_most is None else at_most
        self._loads: Any = cbor2.loads
        self._tracer: Any = None

    def __enter__(self) -> Self:
        self._loads = cbor2.loads
        cbor2.loads = self._count_bytes  # type: ignore[assignment]
        self._tracer = sys.gettrace()
        sys.settrace(self._enter_function)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.settrace(self._tracer)
        cbor2.loads = self._loads

    def _enter_function(self, frame: FrameType, event: str, argument: object) -> Any:
        self._count(frame, event, argument)
        return self._count if frame.f_code.co_filename.startswith(_PACKAGE) else None

    def _count(self, frame: FrameType, event: str, argument: object) -> Any:
        del frame, event, argument
        self.steps += 1
        if self.steps > self._at_most:
            raise TooManySteps(f"stopped after {self._at_most} steps")
        return self._count

    def _count_bytes(self, data: bytes, *arguments: Any, **options: Any) -> Any:
        self.parsed += len(data)
        return self._loads(data, *arguments, **options)
