"""Enrolment: an application makes users before anybody logs in, one or ten thousand.

    enrol        one user
    enrol_all    many, some at once; a user who cannot be enrolled does not stop the others, but a server
                 that is away or a store that fails does

The store keeps how far each one has come, sealed, so that a call that ended in the middle is made again as it
was. Keep the store as long as users may be enrolled: it knows who is done. What takes time is Argon2id.

Not here: the steps of one user (_enrolling.py); the first login (_recovering.py).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from types import TracebackType
from typing import ClassVar, Final, Self

from letterlock._primitives.secret import Uncopyable
from letterlock.client._connection import Connection
from letterlock.client._enrolling import Enrolling, is_done
from letterlock.client._enrolment_values import EnrolmentStopped, NewUser, NotEnrolled
from letterlock.client._errors import RelayUnavailable
from letterlock.client._http import RelayUrl
from letterlock.client._opening import WORLD, World, checked_name
from letterlock.client._recovery_calls import RecoveryCalls
from letterlock.client._recovery_values import RecoveryServers
from letterlock.client._stores import StoreOpener, StorePlace
from letterlock.client._thread import StoreThread
from letterlock.client._transport import Transport
from letterlock.client._two_servers import key_server_of
from letterlock.errors import LetterlockError, StoreError, UsageError
from letterlock.recovery import Hardness
from letterlock.recovery._password import require_strength
from letterlock.stores import Store

AT_ONCE: Final = 4
"""Users of whom something is under way. Argon2id takes 64 MiB for each."""

MOST_AT_ONCE: Final = 64
_WAITS: Final = 100
"""How often a server may ask to come later, for one user. Each time says for how long."""


class Enrolment(Uncopyable):
    """Makes users at a relay and a key server, before anybody logs in.

    Use it with `async with await Enrolment.open(...)`. Every method may raise StoreError.
    """

    _world: ClassVar[World] = WORLD

    __slots__ = ("_hardness", "_thread", "_transports")

    def __init__(
        self, thread: StoreThread, transports: tuple[Transport, Transport], hardness: Hardness
    ) -> None:
        """Not for applications, which call `open`."""
        self._thread = thread
        self._transports = transports
        self._hardness = hardness

    @classmethod
    async def open(
        cls,
        store: StorePlace,
        *,
        servers: RecoveryServers,
        key: bytes | None = None,
        hardness: Hardness | None = None,
    ) -> Self:
        """Open the store of an enrolment, which has no user of its own.

        `store` is a path, with `key` (32 bytes), or a store, or a function that opens one. `servers` are the
        relay and the key server; its `identities` are not used here. Raises UsageError, StoreError.
        """
        relay = RelayUrl(servers.relay, allow_insecure=servers.allow_insecure)
        key_server = key_server_of(servers.key_server, relay.name, allow_insecure=servers.allow_insecure)
        opener = StoreOpener.of(store, key)
        thread, _ = await StoreThread.open(opener.open, _require_no_user)
        connect = cls._world.transport
        return cls(thread, (connect(relay), connect(key_server)), hardness or Hardness())

    async def enrol(self, user: NewUser, *, waits: Callable[[RelayUnavailable], None] | None = None) -> bytes:
        """Enrol a user, and return the user id, 32 bytes. A user who is enrolled already stays as it is.

        The password of a user who is done is not changed by another call. Interrupted, call it again with
        the same password, or another one. A server may ask to come later: `waits` is told so, and the call
        goes on after the `seconds` that it asks for. Raises NameTaken if somebody else has the name;
        TicketRefused, RecoveryRefused, IdentityRefused, ServerAtFault, RelayUnavailable, RelayMisbehaves;
        UsageError for a password with fewer than 8 characters besides the name.
        """
        require_strength(user.password, checked_name(user.name))
        calls = RecoveryCalls(*self._transports, self._world.pace)
        enrolling = Enrolling(user, self._thread, calls, self._hardness, self._world.clock)
        relay = Connection(self._transports[0], _ignore)
        for attempt in range(1, _WAITS + 1):
            try:
                return await enrolling.run(relay)
            except RelayUnavailable as error:
                if not error.seconds or attempt == _WAITS:
                    raise
                if waits is not None:
                    waits(error)
                await asyncio.sleep(self._world.pace.backoff(attempt, error.seconds))
        raise AssertionError("the last attempt returns or raises")

    async def is_enrolled(self, name: str) -> bool:
        """Return whether this store has enrolled a user of a name: no call changes the password any more."""
        return await self._thread.run(is_done, self._thread.store, checked_name(name))

    async def enrol_all(
        self,
        users: Iterable[NewUser],
        *,
        at_once: int = AT_ONCE,
        progress: Callable[[str], None] | None = None,
        refused: Callable[[NotEnrolled], None] | None = None,
        waits: Callable[[RelayUnavailable], None] | None = None,
    ) -> tuple[NotEnrolled, ...]:
        """Enrol users, `at_once` of them at the same time, and return those who were not enrolled.

        `progress` is called with the name of each user who is enrolled, and `refused` with each one who is
        not; `waits` is that of `enrol`. Users are taken one by one, so a generator may make them. Raises
        EnrolmentStopped if a server is away or the store fails: make the call again with all users, and
        whoever is enrolled is passed over.
        """
        if not 1 <= at_once <= MOST_AT_ONCE:
            raise UsageError(f"at_once is 1 to {MOST_AT_ONCE} users, not {at_once}")
        many = _Many(
            partial(self.enrol, waits=waits), iter(users), (progress or _ignored, refused or _ignored)
        )
        tasks = [asyncio.create_task(many.work()) for _ in range(at_once)]
        try:
            await asyncio.gather(*tasks)
        except (RelayUnavailable, StoreError) as error:
            raise EnrolmentStopped(error, many.enrolled, len(many.failed)) from error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return tuple(many.failed)

    async def close(self) -> None:
        """Close the connections and the store."""
        for each in self._transports:
            await each.close()
        await self._thread.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return "<Enrolment>"


class _Many(Uncopyable):
    """Many users on their way, and how far they have come."""

    __slots__ = ("_enrol", "_left", "_progress", "_refused", "enrolled", "failed")

    def __init__(
        self,
        enrol: Callable[[NewUser], Awaitable[bytes]],
        left: Iterator[NewUser],
        tell: tuple[Callable[[str], None], Callable[[NotEnrolled], None]],
    ) -> None:
        self._enrol = enrol
        self._left = left
        self._progress, self._refused = tell
        self.enrolled = 0
        self.failed = list[NotEnrolled]()

    async def work(self) -> None:
        """Enrol one after the other. Raises RelayUnavailable, StoreError: the next would fare no better."""
        for user in self._left:
            try:
                await self._enrol(user)
            except (RelayUnavailable, StoreError):
                raise
            except LetterlockError as error:
                self.failed.append(NotEnrolled(user.name, error))
                self._refused(self.failed[-1])
            else:
                self.enrolled += 1
                self._progress(user.name)


def _ignored(_: object) -> None:
    pass


def _require_no_user(store: Store) -> None:
    with store.transaction():
        if store.tables.account.load() is not None:
            raise UsageError("this store holds a user: an enrolment needs a store of its own")


def _ignore(*, is_up: bool) -> None:
    del is_up
