"""recovery.set_up, .call, .recover, .pass_hours: live users and both servers, between implementations.

    recovery.set_up     a live user gets a recovery device, a lock of a password, and a box
    recovery.call       one of the two servers answers, as it would over HTTP
    recovery.recover    a party without devices becomes a device of the user again
    recovery.pass_hours time passes at both servers, as far as second locks count it

The servers keep their records in memory. They count uses, but allow many, one after the other.

Not here: live users (live_users.py); second locks (live_halves.py); anything that could be recorded.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._wire.device_list import DeviceList
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.relay_body import RelayBody
from letterlock.errors import UsageError
from letterlock.recovery import (
    Attempt,
    BeginLock,
    DecoyKey,
    EvaluateLock,
    FinishLock,
    Hardness,
    LockOpened,
    LockTicketKey,
    NewLock,
    Policy,
    RecoveryKey,
    RecoveryServer,
    Remains,
    SettleLock,
    ShowLocks,
    StoredLocks,
    choose,
    enrol,
    recover_user,
    recovery_box,
)
from letterlock.stores._memory import MemoryStore
from letterlock.user import ListChain
from letterlock_vectors.inputs import Input, Operation, Output, unhex
from letterlock_vectors.operations.live_halves import LiveHalves
from letterlock_vectors.operations.live_users import LiveUsers

_FREELY: Final = Policy(uses=1000, uses_a_day=1000, pause=0)
_DONE: Final = b"\x81\x01"
_MOST_HOURS: Final = 1000


class LiveRecovery(Uncopyable):
    """Two servers, and what live users do with them."""

    __slots__ = ("_halves", "_servers", "_users")

    def __init__(self, users: LiveUsers) -> None:
        self._users, self._halves = users, LiveHalves()
        key, decoys = LockTicketKey(system_entropy(KEY_BYTES)), DecoyKey(system_entropy(KEY_BYTES))
        one, two = (StoredLocks(MemoryStore()) for _ in SERVERS)
        self._servers = (
            RecoveryServer(SERVERS[0], one, decoys, key.public, _FREELY),
            RecoveryServer(SERVERS[1], two, decoys, key, _FREELY),
        )

    def operations(self) -> Mapping[str, Operation]:
        """Return the operations, by name."""
        return {
            "recovery.set_up": self.set_up,
            "recovery.call": self.call,
            "recovery.recover": self.recover,
            "recovery.pass_hours": self.pass_hours,
        }

    def set_up(self, given: Input) -> Output:
        """Put a recovery device into a live user's list, and make a lock and a box."""
        user, key = self._users.user(given), RecoveryKey(system_entropy(KEY_BYTES))
        enrolled = enrol(user, key)
        lists = user.device_lists()
        user.learn(user.address.name, lists)
        self._make_lock(given.text("password"), key, ListChain.verify(lists))
        return {"box": recovery_box(user, enrolled.card).hex(), "card": enrolled.card.encode().hex()}

    def call(self, given: Input) -> Output:
        """Answer a call at one of the servers. A change brings the user's device `lists`."""
        server = given.number("server")
        if server not in SERVERS:
            raise UsageError("`server` must be 1 or 2")
        body = given.hex("body")
        second = self._halves.answer(server, _number_of(body), body, lambda: _chain(given))
        if second is not None:
            return {"body": second.encode().hex()}
        return {"body": self._answered(self._servers[server - 1], given).hex()}

    def pass_hours(self, given: Input) -> Output:
        """Let hours pass at both servers: second locks count them."""
        hours = given.counter("hours", 1)
        if hours > _MOST_HOURS:
            raise UsageError(f"`hours` must be at most {_MOST_HOURS}")
        self._halves.pass_hours(hours)
        return {}

    def recover(self, given: Input) -> Output:
        """Open the lock with a password, and become a device of the user. Nothing else is revoked."""
        lists = _lists(given)
        user_id = lists[0].hash
        first, second = (each.show(ShowLocks(user_id)) for each in self._servers)
        attempt = Attempt.begin(given.text("password"), choose(user_id, first, second))
        one, two = self._servers
        answer = two.evaluate(attempt.requests[1])
        opened = attempt.finish(one.evaluate(attempt.first(answer)), answer)
        for server, success in zip(self._servers, opened.successes, strict=True):
            server.succeed(success)
        back = recover_user(MemoryStore(), opened.key, Remains(tuple(lists), given.hex("box")))
        self._users.keep(given, back.user)
        address = back.user.address
        return {"list": back.device_list.encode().hex(), "name": address.name, "id": address.device_id}

    def _make_lock(self, password: str, key: RecoveryKey, chain: ListChain) -> None:
        new = NewLock.begin(password, key, chain.user_id, Hardness(), system_entropy)
        first, second = (
            server.begin(request, chain) for server, request in zip(self._servers, new.requests, strict=True)
        )
        made = new.finish(first, second)
        for server, settle in zip(self._servers, made.settle, strict=True):
            server.settle(settle, chain)
        for server, finish in zip(self._servers, made.finish, strict=True):  # REC-16
            server.finish(finish, chain)

    def _answered(self, server: RecoveryServer, given: Input) -> bytes:
        body = given.hex("body")
        plain: dict[int | None, Callable[[], RelayBody]] = {
            ShowLocks.NUMBER: lambda: server.show(ShowLocks.decode(body)),
            EvaluateLock.NUMBER: lambda: server.evaluate(EvaluateLock.decode(body)),
            LockOpened.NUMBER: lambda: server.succeed(LockOpened.decode(body)),
            BeginLock.NUMBER: lambda: server.begin(BeginLock.decode(body), _chain(given)),
        }
        changes: dict[int | None, Callable[[], None]] = {
            SettleLock.NUMBER: lambda: server.settle(SettleLock.decode(body), _chain(given)),
            FinishLock.NUMBER: lambda: server.finish(FinishLock.decode(body), _chain(given)),
        }
        number = _number_of(body)
        if number in changes:
            changes[number]()
            return _DONE
        if number not in plain:
            raise UsageError("`body` is no call of recovery")
        return plain[number]().encode()


def _number_of(body: bytes) -> int:
    """Return the number of a call, which stands in two bytes after the version."""
    return body[3] if body[1:3] == b"\x01\x18" and len(body) > 3 else 0


def _lists(given: Input) -> Sequence[DeviceList]:
    return [DeviceList.decode(unhex(each, "lists")) for each in given.items("lists")]


def _chain(given: Input) -> ListChain:
    return ListChain.verify(_lists(given))
