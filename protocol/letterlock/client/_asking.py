"""A fresh machine asks both servers for the halves of a recovery key, and takes them after the delay.

    find, prove     the user id; and who asks, at each server                                       [REC-34]
    saved           the key to which both halves will be sealed, before anybody is asked            [CLN-31]
    ask             a wait at each server; the same key again changes nothing                       [REC-40]
    take            both halves, after the delay of both                                       [REC-38]

Days lie between the two, and other programs: everything is in the store.

Not here: what the recovery key opens (_recovering.py).
"""

from functools import partial

from letterlock._primitives.entropy import Clock, system_entropy
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.second_lock_calls import HalfAsked, HalfGiven
from letterlock.client._http import RelayUrl
from letterlock.client._identity import prove_identities
from letterlock.client._opening import World, checked_name
from letterlock.client._recovery_calls import RecoveryCalls
from letterlock.client._recovery_values import RecoveryServers
from letterlock.client._second_lock_calls import NAMES
from letterlock.client._second_lock_rows import AskedWait, AskingRecord, SecondLockTables
from letterlock.client._second_lock_values import SecondLockAsked, SecondLockWait
from letterlock.client._second_lock_view import wait_of
from letterlock.client._stores import StoreOpener
from letterlock.client._thread import StoreThread
from letterlock.client._two_servers import find_user, key_server_of
from letterlock.errors import AccountExists, UsageError
from letterlock.recovery import (
    AskForHalf,
    Asking,
    AskingKey,
    HalfWaits,
    IdentityRefused,
    RecoveryKey,
    RecoveryRefused,
)
from letterlock.stores import Store


async def ask(opener: StoreOpener, world: World, servers: RecoveryServers, name: str) -> SecondLockAsked:
    """Ask both servers for the halves of a user's recovery key, or go on with what this store has asked.

    Raises IdentityRefused, RecoveryRefused, ServerAtFault, ServerUnavailable; AccountExists, UsageError.
    """
    urls = _urls(servers)
    who = checked_name(name), (urls[0].text, urls[1].text)
    thread, record = await StoreThread.open(opener.open, partial(_begun, who=who))
    transports = world.transport(urls[0]), world.transport(urls[1])
    try:
        calls = RecoveryCalls(*transports, world.pace)
        if record is None:
            user_id = await find_user(calls, name)
        else:
            user_id = record.user_id
        await prove_identities(calls, servers.identities, user_id, world.clock)
        record = await thread.run(_saved, thread.store, who, user_id)
        request = Asking.begin(record.user_id, record.key).request
        for server in SERVERS:
            answer = await _answered(thread, calls, server, request)
            record = await thread.run(_asked, thread.store, server, AskedWait(answer.wait, world.clock()))
        return _shown(record, world.clock)
    finally:
        await opener.discard(thread, lambda: not is_used(thread.store))
        for each in transports:
            await each.close()


async def _answered(thread: StoreThread, calls: RecoveryCalls, server: int, request: AskForHalf) -> HalfAsked:
    """Return the wait at a server. If none has begun anywhere, nothing is kept."""
    try:
        return await calls.at(server, request, HalfAsked)
    except (RecoveryRefused, IdentityRefused):
        await thread.run(_refused, thread.store)
        raise


async def take(
    thread: StoreThread,
    calls: RecoveryCalls,
    servers: RecoveryServers,
    who: tuple[str, str, str],
    clock: Clock,
) -> tuple[RecoveryKey, bytes]:
    """Return the recovery key, from both halves, and the user id. `who` is a name and both URLs.

    Raises HalfWaits before the delay is over, as far as this machine knows without asking; IdentityRefused,
    RecoveryRefused for a wait that was stopped, ServerAtFault, ServerUnavailable, UsageError.
    """
    record = await thread.run(_waiting, thread.store, who)
    waits = _both_waits(record)
    _require_over(waits, clock())
    await prove_identities(calls, servers.identities, record.user_id, clock)
    asking, given = Asking.begin(record.user_id, record.key), list[HalfGiven]()
    for server, wait in zip(SERVERS, waits, strict=True):
        answer = await calls.at(server, asking.take(wait.shown), HalfGiven)
        seen = None if answer.wait is None else AskedWait(answer.wait, clock())
        await thread.run(_asked, thread.store, server, seen)
        if seen is None:
            raise RecoveryRefused(_GONE.format(NAMES[server]))
        given.append(answer)
    first, second = given
    return asking.finish(first, second), record.user_id


_GONE = (
    "the wait at {} has ended: a device of this user has stopped it, or somebody else has asked since. "
    "Find the device that did, or ask again; for a week after a stop, nobody can"
)


def is_used(store: Store) -> bool:
    """Return whether a store holds a user, or what somebody waits with. In the store."""
    return store.tables.account.load() is not None or SecondLockTables(store).asking() is not None


# --- in the store -----------------------------------------------------------------------------------------

_Who = tuple[str, tuple[str, str]]
"""A name, and the URLs of both servers."""


def _urls(servers: RecoveryServers) -> tuple[RelayUrl, RelayUrl]:
    relay = RelayUrl(servers.relay, allow_insecure=servers.allow_insecure)
    return relay, key_server_of(servers.key_server, relay.name, allow_insecure=servers.allow_insecure)


def _begun(store: Store, who: _Who) -> AskingRecord | None:
    """Return what this store waits with. Raises AccountExists, UsageError for another user's."""
    with store.transaction():
        if store.tables.account.load() is not None:
            raise AccountExists("this store holds a user already: open it, or choose another store")
        record = SecondLockTables(store).asking()
        if record is not None and (record.name, record.servers) != who:
            raise UsageError("this store waits for another user, or at other servers: choose another store")
        return record


def _saved(store: Store, who: _Who, user_id: bytes) -> AskingRecord:
    """Return what this store waits with, which is saved now if nothing was. Another program may be faster."""
    tables, record = SecondLockTables(store), _begun(store, who)
    if record is None:
        record = AskingRecord(who[0], user_id, who[1], AskingKey(system_entropy(KEY_BYTES)))
        tables.save_asking(record)
    return record


def _asked(store: Store, server: int, wait: AskedWait | None) -> AskingRecord:
    """Keep what a server has answered."""
    tables = SecondLockTables(store)
    record = tables.asking()
    if record is None:  # another program with this store has come back
        raise AccountExists("this store holds a user already: open it, or choose another store")
    record = record.with_wait(server, wait)
    tables.save_asking(record)
    return record


def _refused(store: Store) -> None:
    tables = SecondLockTables(store)
    record = tables.asking()
    if record is not None and record.waits == (None, None):
        tables.save_asking(None)


def _waiting(store: Store, who: tuple[str, str, str]) -> AskingRecord:
    record = SecondLockTables(store).asking()
    if record is None:
        raise UsageError("nobody has asked for the halves from this store: call `ask_second_lock` first")
    if (record.name, *record.servers) != who:
        raise UsageError("this store waits for another user, or at other servers: name those")
    return record


# --- times ------------------------------------------------------------------------------------------------


def _shown(record: AskingRecord, clock: Clock) -> SecondLockAsked:
    first, second = (_wait(each, clock()) for each in _both_waits(record))
    return SecondLockAsked(first, second)


def _wait(asked: AskedWait, now: int) -> SecondLockWait:
    return wait_of(asked.shown, asked.at, now)


def _both_waits(record: AskingRecord) -> tuple[AskedWait, AskedWait]:
    """Return the waits at both servers. Raises UsageError if one of them was not asked, or has refused."""
    first, second = record.waits
    if first is None or second is None:
        missing = NAMES[1] if first is None else NAMES[2]
        raise UsageError(f"nobody waits at {missing}, as far as is known: call `ask_second_lock` again")
    return first, second


def _require_over(waits: tuple[AskedWait, AskedWait], now: int) -> None:
    """Raise HalfWaits if a server cannot give its half yet, so that nobody passes the checks for nothing.

    A server counts no faster than time passes. A clock that was put back since says nothing.
    """
    left = {
        server: each.at + each.shown.left - now
        for server, each in zip(SERVERS, waits, strict=True)
        if each.shown.told and each.at <= now
    }
    server = max(left, key=lambda each: left[each], default=1)
    if left and left[server] > 0:
        raise HalfWaits(server, left[server])
