"""Whether code of the thread that holds a transaction may call inside it.

A thread may run code that its block did not call. A generator that holds a transaction is suspended, and its
caller goes on. A signal handler, a trace function or a `__del__` interrupts the block. Their calls would
become part of the block's transaction, and be undone with it after their ciphertext was sent.     [STO-9]

The account's own calls contain no other call. Whatever calls an account in the middle of one has interrupted
it, between reading a chain key and saving the next one.

A callback that Python runs by itself and that looks like any other function (`weakref.ref(x, callback)`,
`gc.callbacks`) is recognised only in the middle of an account's own call.

Not here: threads and tasks, and whose block it is (_lock.py).
"""

import inspect
import weakref
from types import CodeType, FrameType
from typing import Any, Final, Protocol, cast

from letterlock.errors import UsageError

_SUSPENDABLE: Final = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR

_WITHOUT_NESTING: Final = ("letterlock.account", "letterlock._", "letterlock.stores.")
"""Modules whose transactions contain no call of an account."""


class Block(Protocol):
    """The function, generator or coroutine whose `with` block, or whose call, holds a transaction open."""

    code: CodeType
    module: dict[str, Any]

    def is_of(self, frame: FrameType) -> bool:
        """Return whether this is the frame of the function."""
        ...


def require_reachable(block: Block, caller: FrameType, *, nests: bool) -> None:
    """Raise UsageError unless `caller` was called from inside the block.

    `nests` says that the caller begins a transaction inside the block's one.
    """
    if nests and _is_ours(block.module):
        raise UsageError(_INTERRUPTED)
    frames: list[FrameType] = []
    frame: FrameType | None = caller
    while frame is None or not block.is_of(frame):
        if frame is None:
            # A function that has returned entered the context by hand. A suspended one goes on later.
            if block.code.co_flags & _SUSPENDABLE:
                raise UsageError(_SUSPENDED)
            return
        frames.append(frame)
        frame = frame.f_back
    if any(_interrupts(each) for each in frames):
        raise UsageError(_INTERRUPTED)


def _is_ours(module: dict[str, object]) -> bool:
    return str(module.get("__name__")).startswith(_WITHOUT_NESTING)


def _interrupts(frame: FrameType) -> bool:
    """Return whether Python itself called this function, in the middle of another one."""
    code = frame.f_code
    if code.co_name == "__del__" or frame.f_globals is weakref.__dict__:  # `weakref.finalize`
        return True
    arguments = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
    if arguments == 0 or _is_ours(frame.f_globals):
        return False
    # Signal handlers and trace functions are given the frame that they interrupt.
    interrupted, values = frame.f_back, frame.f_locals
    return any(_is_or_contains(values.get(name), interrupted) for name in code.co_varnames[:arguments])


def _is_or_contains(value: object, frame: FrameType | None) -> bool:
    if isinstance(value, tuple):
        return any(each is frame for each in cast("tuple[object, ...]", value))
    return value is frame


_SUSPENDED: Final = (
    "a suspended generator or coroutine holds the store's transaction: do not yield inside its block"
)

_INTERRUPTED: Final = (
    "this call interrupts another one on the same store: call it later, and not from a signal handler, a "
    "`__del__` or another callback that Python runs at any time"
)
