"""A fresh machine becomes a device of a user who lost all others: from a name and a password.

    find, prove             the user id; and who asks, where a server checks that                    [REC-34]
    open the lock           the recovery key                                                     one use
    or take the halves      likewise, without the password                                           [CLN-31]
    get-box                 all device lists and the box, signed for by the recovery device
    saved                   the device, its user, and the recovery key: ONE transaction              [CLN-26]

What follows goes on from the store, also after a crash: the list is uploaded, prekeys, box and a new lock.
A first login that goes on spends no use: its new lock is not of the password that opens the one before.

Not here: what follows (_client_recovery.py); what lists and box must prove (recovery/).
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Final

from letterlock._primitives.entropy import Clock
from letterlock._wire.device_list import DeviceList
from letterlock._wire.recovery_kept import BoxKept
from letterlock.client._arrivals import Arrivals
from letterlock.client._asking import is_used, take
from letterlock.client._errors import NewPasswordNeeded, RecoveryOvertaken
from letterlock.client._http import RelayUrl
from letterlock.client._identity import prove_identities
from letterlock.client._opening import World, checked_name, existing, linked
from letterlock.client._opening_lock import open_lock, tell_success
from letterlock.client._recovery_box import RELAY, ask_as
from letterlock.client._recovery_calls import RecoveryCalls
from letterlock.client._recovery_rows import RecoveryChange, RecoveryPlace, RecoveryTables
from letterlock.client._recovery_values import RecoveryServers
from letterlock.client._second_lock_rows import SecondLockTables
from letterlock.client._stores import StoreOpener
from letterlock.client._thread import StoreThread
from letterlock.client._two_servers import find_user, key_server_of
from letterlock.errors import AccountExists, PeerError
from letterlock.limits import MAX_EVIDENCE_LISTS
from letterlock.recovery import (
    BoxRefused,
    IdentityRefused,
    Recovered,
    RecoveryKey,
    Remains,
    ServerAtFault,
    device_keys,
    first_login,
    recover_user,
)
from letterlock.recovery._ahead import is_ahead
from letterlock.recovery._device import recovery_device
from letterlock.recovery._password import require_strength
from letterlock.stores import Store
from letterlock.user import ListChain
from letterlock.user._creation import FIRST_DEVICE
from letterlock.user._user import desk_behind

_LISTS: Final = "its device lists cannot be read, or are not there"


@dataclass(frozen=True, slots=True)
class Return:
    """How somebody comes back: under a name, with a password or without one that is known."""

    name: str
    password: str = field(repr=False)
    is_forgotten: bool = False
    revoke_others: bool = False
    new_password: str | None = field(default=None, repr=False)

    @property
    def is_first_login(self) -> bool:
        """Whether the user was enrolled, and has no password of their own yet."""
        return self.new_password is not None

    @property
    def has_new_password(self) -> bool:
        """Whether the lock that is made is of another password than the one before."""
        return self.is_forgotten or self.is_first_login

    @property
    def next_password(self) -> str:
        """The password of the lock that is made: at a first login, another one."""
        return self.password if self.new_password is None else self.new_password


async def recover(
    opener: StoreOpener, world: World, servers: RecoveryServers, how: Return
) -> tuple[StoreThread, Arrivals]:
    """Make the store's device one of the user's. Nothing is uploaded yet.

    A recovery that was cut short opens the lock again, and goes on from the store. A first login opens it
    once, and one without a password has nothing to open. Raises WrongPassword, LockWaits, HalfWaits,
    ServerAtFault, RecoveryRefused, RecoveryOvertaken, IdentityRefused, ServerUnavailable, BoxRefused; what
    wrong lists raise; AccountExists, UsageError.
    """
    name = checked_name(how.name)
    relay = RelayUrl(servers.relay, allow_insecure=servers.allow_insecure)
    key_server = key_server_of(servers.key_server, relay.name, allow_insecure=servers.allow_insecure)
    if how.has_new_password:
        require_strength(how.next_password, name)
    begin = partial(_begun, how=how, relay=relay.text, clock=world.clock)
    thread, begun = await StoreThread.open(opener.open, begin)
    if begun is not None and how.has_new_password:
        return thread, begun
    transports = world.transport(relay), world.transport(key_server)
    try:
        calls = RecoveryCalls(*transports, world.pace)
        if how.is_forgotten:
            who = name, relay.text, key_server.text
            key, user_id = await take(thread, calls, servers, who, world.clock)
        else:
            user_id = await find_user(calls, name) if begun is None else begun.queue.user.user_id
            await prove_identities(calls, servers.identities, user_id, world.clock)
            key = await _opened(calls, user_id, how.password)
        if begun is not None:
            return thread, begun  # not before: the new lock is made of this password  [CLN-26]
        remains = await _remains_for(how, calls, key, user_id, world.clock)
        save = _Save(how, relay.text, key_server.text, world.clock)
        return thread, await thread.run(save.save, thread.store, key, remains)
    except BaseException:
        await opener.discard(thread, lambda: not is_used(thread.store))
        raise
    finally:
        for each in transports:
            await each.close()


async def _opened(calls: RecoveryCalls, user_id: bytes, password: str) -> RecoveryKey:
    opened = await open_lock(calls, user_id, password)
    await tell_success(calls, opened)
    return opened.key


def _begun(store: Store, how: Return, relay: str, clock: Clock) -> Arrivals | None:
    """Return the user of a recovery that was cut short, or None in an empty store.

    Raises AccountExists; NewPasswordNeeded for a first login without a new password.
    """
    with store.transaction():
        if store.tables.account.load() is None:
            return None
        arrivals, change = existing(store, clock), RecoveryTables(store).change()
        is_this = (arrivals.queue.user.name, arrivals.queue.own().relay) == (how.name, relay)
        is_ours = _is_first_login(arrivals) or not how.is_first_login
        # Without the old password, only a recovery that never had one goes on with a new one.
        if not is_this or not is_ours or change is None or (how.is_forgotten and not change.is_first):
            raise AccountExists("this store holds a user already: open it, or choose another store")
        if _is_first_login(arrivals) and not how.has_new_password:
            raise NewPasswordNeeded  # somebody else made the one before  [REC-52]
        return arrivals


def _is_first_login(arrivals: Arrivals) -> bool:
    """Return whether the user was enrolled, and this device is the first one."""
    desk = desk_behind(arrivals.queue.user)
    chain = desk.book.chain(desk.name, desk.book.own().pin)
    return is_ahead(ListChain(chain.lists[:1])) and desk.device_id == FIRST_DEVICE + 1


async def _remains_for(
    how: Return, calls: RecoveryCalls, key: RecoveryKey, user_id: bytes, clock: Clock
) -> Remains:
    """Return what `_remains` does. At a first login, it raises RecoveryOvertaken if another one has ended."""
    try:
        return await _remains(calls, key, user_id, clock)
    except IdentityRefused:  # the key opened the lock, and the box is for another recovery device
        if how.is_first_login:
            raise RecoveryOvertaken(RecoveryOvertaken.FIRST_LOGIN) from None
        raise


async def _remains(calls: RecoveryCalls, key: RecoveryKey, user_id: bytes, clock: Clock) -> Remains:
    """Return the user's lists and box, as server 1 has them. Raises ServerAtFault, and what calls raise."""
    signing, lists = device_keys(key).signing, list[DeviceList]()
    first: BoxKept | None = None
    while len(lists) < MAX_EVIDENCE_LISTS:
        after = lists[-1].snapshot.version if lists else 0
        kept = await calls.at(RELAY, ask_as(signing, user_id, after, clock()), BoxKept)
        first = first or kept
        try:
            found = [DeviceList.decode(each) for each in kept.lists]
        except PeerError:
            raise ServerAtFault(RELAY, _LISTS) from None
        lists += found
        if lists and lists[-1].snapshot.version >= kept.newest:
            break
        if not found:
            raise ServerAtFault(RELAY, _LISTS)
    if first is None or first.box is None or lists[0].hash != user_id:
        raise BoxRefused("server 1 has no recovery box of this user: ask its operator for the newest one")
    return Remains(tuple(lists), first.box)


@dataclass(frozen=True, slots=True)
class _Save:
    """Saves a recovered user, in one transaction of an empty store."""

    how: Return
    relay: str
    key_server: str
    clock: Clock

    def save(self, store: Store, key: RecoveryKey, remains: Remains) -> Arrivals:
        """Return the user as a client of the relay, whose list waits to be uploaded."""
        back = self._back(store, key, remains)
        if back.user.name != self.how.name:
            raise BoxRefused("the box is of a user of another name: check the name")
        arrivals, tables = linked(back.user, store, self.relay, self.clock), RecoveryTables(store)
        second = SecondLockTables(store)
        tables.save_place(RecoveryPlace(self.key_server))
        # Nobody relies on a lock whose password is forgotten: it may differ at the two servers.
        tables.save_change(RecoveryChange(key, is_first=self.how.is_forgotten))
        second.begin(key, None, is_new=False)
        return arrivals

    def _back(self, store: Store, key: RecoveryKey, remains: Remains) -> Recovered:
        """Return the user on a fresh device. Who was enrolled gets another recovery key. [REC-52]"""
        how, chain = self.how, ListChain.verify(remains.lists)
        if how.is_first_login:
            first = recovery_device(ListChain(chain.lists[:1]))
            if not is_ahead(chain) and first and first.identity == device_keys(key).identity.public:
                raise RecoveryOvertaken(RecoveryOvertaken.FIRST_LOGIN)
            return first_login(store, key, remains, clock=self.clock)
        if not how.is_forgotten and is_ahead(chain):
            raise NewPasswordNeeded
        return recover_user(store, key, remains, revoke_others=how.revoke_others, clock=self.clock)
