"""Recovery in a client, which does without it where the extra `recovery` is not installed.

Not here: recovery itself (_client_recovery.py, _recovering.py).
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING

from letterlock.client._arrivals import Arrivals
from letterlock.client._errors import RecoveryOvertaken
from letterlock.client._office import Office
from letterlock.client._opening import World
from letterlock.client._recovery_values import RecoveryServers
from letterlock.client._rows import Notice
from letterlock.client._second_lock_values import SecondLockAsked, SecondLockNews
from letterlock.client._sender import Sender
from letterlock.client._stores import StoreOpener
from letterlock.client._thread import StoreThread
from letterlock.stores import Store

if TYPE_CHECKING:
    from letterlock.client._client_recovery import ClientRecovery
    from letterlock.client._recovering import Return
    from letterlock.client._recovery_keeper import RecoveryKeeper


def recovery_of(office: Office, sender: Sender, world: World) -> "ClientRecovery":
    """Return the recovery of a client. Raises UsageError without the extra `recovery`."""
    from letterlock.client._client_recovery import ClientRecovery  # noqa: PLC0415 (optional)
    from letterlock.client._recovery_desk import RecoveryDesk  # noqa: PLC0415

    return ClientRecovery(RecoveryDesk(office, sender, world.transport))


def keeper_of(recovery: "ClientRecovery") -> "RecoveryKeeper":
    """Return the task of a client's recovery."""
    from letterlock.client._recovery_keeper import RecoveryKeeper  # noqa: PLC0415

    return RecoveryKeeper(recovery._desk)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def has_recovery() -> bool:
    """Return whether the extra is installed."""
    return find_spec("voprf") is not None


def second_lock_news(store: Store, notice: Notice, now: int) -> SecondLockNews | None:
    """Return the news of a second lock in a notice, or None. Nobody looks for any without the extra."""
    if not has_recovery():
        return None
    from letterlock.client._second_lock_view import SecondLockViews  # noqa: PLC0415 (optional)

    return SecondLockViews(store).news(notice, now)


async def asked(opener: StoreOpener, world: World, servers: RecoveryServers, name: str) -> SecondLockAsked:
    """Ask both servers for halves, as `ask` of _asking.py does."""
    from letterlock.client._asking import ask  # noqa: PLC0415 (optional)

    return await ask(opener, world, servers, name)


async def recovered(
    opener: StoreOpener, world: World, servers: RecoveryServers, how: "Return"
) -> tuple[StoreThread, Arrivals]:
    """Make the store's device one of the user's, as `recover` of _recovering.py does."""
    from letterlock.client._recovering import recover  # noqa: PLC0415 (optional)

    return await recover(opener, world, servers, how)


async def brought_back(recovery: "ClientRecovery", password: str, opener: StoreOpener) -> None:
    """Do what follows a recovery. A store whose device list was overtaken is deleted, if it is a file.

    Without a password, it keeps what was asked for: the delay is over. [CLN-39]
    Raises what `ClientRecovery` raises.
    """
    from letterlock.client._asking_kept import keep_asking  # noqa: PLC0415 (optional)

    desk = recovery._desk  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    try:
        await recovery.come_back(password)
    except RecoveryOvertaken:  # also in a store of an earlier attempt: nobody knows its device
        await opener.made().discard(desk.office.thread, desk.is_behind, keep_asking)
        raise
