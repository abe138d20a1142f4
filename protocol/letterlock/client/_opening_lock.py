"""A password on its way to both servers, and the recovery key that comes out.

    show at both         the newest lock that both hold                                              [REC-6]
    evaluate             at server 2, and with its ticket at server 1                               [REC-15]
    succeed at both      the uses come back; a server that is away is told nothing                   [REC-8]

Not here: what opens a lock (recovery/).
"""

import asyncio
from contextlib import suppress

from letterlock._wire.recovery_limits import SERVERS
from letterlock.client._errors import ServerUnavailable
from letterlock.client._recovery_calls import RecoveryCalls
from letterlock.recovery import (
    Attempt,
    LockEvaluated,
    LocksShown,
    Opened,
    RecoveryRefused,
    ServerAtFault,
    ShowLocks,
    StandingShown,
    choose,
)


async def open_lock(calls: RecoveryCalls, user_id: bytes, password: str) -> Opened:
    """Open the newest lock of a user with a password. It costs a use at each server.

    Raises WrongPassword, LockWaits, ServerAtFault, RecoveryRefused, ServerUnavailable; UsageError for a
    password that is empty or too long.
    """
    request = ShowLocks(user_id)
    lock = choose(user_id, *await calls.both((request, request), LocksShown))
    attempt = await asyncio.to_thread(Attempt.begin, password, lock)
    first, second = SERVERS
    answer = await calls.at(second, attempt.requests[1], LockEvaluated)
    return attempt.finish(await calls.at(first, attempt.first(answer), LockEvaluated), answer)


async def tell_success(calls: RecoveryCalls, opened: Opened) -> None:
    """Tell both servers that the lock opened. What they answer changes nothing here."""
    for server, success in zip(SERVERS, opened.successes, strict=True):
        with suppress(RecoveryRefused, ServerAtFault, ServerUnavailable):
            await calls.at(server, success, StandingShown)
