"""What every device of a user does about a second lock: it sees who waits for a half, and stops it.

    watch_calls     what both servers are asked
    stop_call       ends a wait at the server that showed it                                         [REC-41]
    delete_call     deletes the halves there: without them there is no second lock

Any device of the newest list may, also one of class limited. Do it whenever a notice comes, and several
times a day.

Not here: what a server answers (_second_lock_server.py).
"""

from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.second_lock_calls import SecondLockShown, StopWait, WatchSecondLock
from letterlock.errors import UsageError
from letterlock.recovery._signing import UNSIGNED, signed_for
from letterlock.user import User
from letterlock.user._fanout import require_listed
from letterlock.user._own_list import signing_key
from letterlock.user._user import desk_behind


def watch_calls(user: User) -> tuple[WatchSecondLock, WatchSecondLock]:
    """Return what both servers are asked, in their order. Raises UsageError on a device that was revoked."""
    signing = _signing(user)
    first, second = (signed_for(each, WatchSecondLock(user.user_id, UNSIGNED), signing) for each in SERVERS)
    return first, second


def stop_call(user: User, server: int, shown: SecondLockShown) -> StopWait:
    """Return what ends the wait that server 1 or 2 has shown. Nobody can ask there for a week then.

    Raises UsageError if nobody waits there, or on a device that was revoked.
    """
    if shown.wait is None:
        raise UsageError("nobody waits for a half at this server: nothing is to be stopped")
    return signed_for(server, StopWait(user.user_id, shown.number, shown.wait.id, UNSIGNED), _signing(user))


def delete_call(user: User, server: int, shown: SecondLockShown) -> StopWait:
    """Return what deletes every half at server 1 or 2: there is no second lock then.

    Delete at both whenever the recovery device was replaced. Raises UsageError on a device that was revoked.
    """
    return signed_for(server, StopWait(user.user_id, shown.number, None, UNSIGNED), _signing(user))


def _signing(user: User) -> DeviceSigningKeyPair:
    desk = desk_behind(user)
    with user.transaction():
        own = desk.book.own()
        require_listed(desk, own)
        return signing_key(own)
