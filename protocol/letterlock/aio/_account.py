"""AsyncAccount: the calls of `Account`, awaited and made in the worker thread of its store.

Not here: what the calls do (letterlock/account.py), threads (_worker.py), transactions (_transaction.py).
"""

import weakref
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar

from letterlock._device.due import Due
from letterlock._device.peer import Peer
from letterlock._handshake.safety_number import SafetyNumber
from letterlock._primitives.curve25519 import IdentityKey
from letterlock._primitives.entropy import Clock, system_clock
from letterlock._primitives.secret import Uncopyable
from letterlock._session.status import SessionStatus
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.publication import Publication
from letterlock._wire.suite import Suite
from letterlock.account import DEFAULT_SUITES, Account
from letterlock.aio._call import Call, running_loop
from letterlock.aio._transaction import AsyncTransaction, is_inside
from letterlock.aio._undelivered import Kept, deliver, key_of
from letterlock.aio._worker import End, Worker
from letterlock.errors import StoreError, UsageError
from letterlock.limits import BUSY_TIMEOUT
from letterlock.stores import Store

S = TypeVar("S", bound=Store)
T = TypeVar("T")
P = ParamSpec("P")


class AsyncAccount(Uncopyable, Generic[S]):
    """An `Account` for asyncio. Make one with `await AsyncAccount.create(...)` or `open`, and close it.

    One worker thread makes all calls on the store, in the order in which they were awaited. Any task of any
    event loop of the process may share the account. A forked child opens its own.

    Each method raises what that of `Account` raises, and StoreError after `close` or in a forked child.
    A call that is cancelled before its commit has not happened.
    """

    __slots__ = ("__weakref__", "_account", "_worker")

    def __init__(self, account: Account, worker: Worker[S]) -> None:
        """Not for applications, which call `create` and `open`."""
        self._account = account
        self._worker = worker
        worker.owns_store = True
        weakref.finalize(self, worker.turns.stop).atexit = False

    @classmethod
    async def create(
        cls,
        store: S | Callable[[], S],
        address: Address,
        *,
        suites: frozenset[Suite] = DEFAULT_SUITES,
        clock: Clock = system_clock,
        busy_timeout: float = BUSY_TIMEOUT,
    ) -> Self:
        """Make a new identity and its first prekeys in an empty store, as `Account.create` does.

        `store` is a store, or a function without arguments that opens one, for example
        `lambda: SqliteStore(path, key=key)`. The function is called in the worker thread, because opening a
        file waits for the disk. The account closes the store when it is closed. A call waits up to
        `busy_timeout` seconds for a transaction of another task, then raises StoreBusy.
        Raises AccountExists, UsageError if another AsyncAccount uses the store, and what opening it raises.
        """
        make = partial(Account.create, address=address, suites=suites, clock=clock)
        return await cls._start(store, make, busy_timeout)

    @classmethod
    async def open(
        cls,
        store: S | Callable[[], S],
        *,
        suites: frozenset[Suite] = DEFAULT_SUITES,
        clock: Clock = system_clock,
        busy_timeout: float = BUSY_TIMEOUT,
    ) -> Self:
        """Open the account that a store holds, as `Account.open` does; `store` and the rest as in `create`.

        Raises NoAccount, and what opening the store raises.
        """
        return await cls._start(store, partial(Account.open, suites=suites, clock=clock), busy_timeout)

    @classmethod
    async def _start(
        cls, store: S | Callable[[], S], make: Callable[[S], Account], busy_timeout: float
    ) -> Self:
        running_loop()
        if isinstance(store, type) or not hasattr(store, "transaction"):
            if not callable(store):
                raise UsageError(
                    f"an account lives in a store, not in a {type(store).__name__}: pass one, or a function "
                    "that opens one"
                )
            worker = Worker(store, owns_store=True, timeout=busy_timeout)
        else:
            # Until there is an account that closes it, the caller's store stays the caller's.
            given: Any = store
            worker = Worker(lambda: given, owns_store=False, timeout=busy_timeout)
        call = Call[Account](lambda call: _opened(worker, make, call))
        try:
            worker.turns.add(call)
            account = await call.result()
        except Exception:
            await _end(worker)  # a function that failed has closed what it opened when this raises
            raise
        except BaseException:
            worker.turns.stop()
            raise
        return cls(account, worker)

    async def close(self) -> None:
        """Close the account and its store, after the calls that were awaited before. Again, it does nothing.

        Raises StoreError inside a transaction of this task. In a forked child it does nothing.
        """
        if self._worker.turns.inherited:
            return
        if is_inside(self._worker):
            raise StoreError("a transaction is open: leave its block before closing the account")
        await _end(self._worker)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if kind is not None and issubclass(kind, GeneratorExit):
            self._worker.turns.stop()  # a coroutine that is being destroyed cannot wait
        else:
            await self.close()

    @property
    def address(self) -> Address:
        """What peers call this device."""
        return self._account.address

    @property
    def identity(self) -> IdentityKey:
        """The public identity key, 32 bytes in `.data`."""
        return self._account.identity

    @property
    def store(self) -> S:
        """The store. Use it in a function that `run` calls, and nowhere else."""
        return self._worker.store

    # --- prekeys ----------------------------------------------------------------------------------

    async def bundle(self, *, one_time: bool = True) -> PrekeyBundle:
        """Return a fresh bundle for one handshake, as `Account.bundle` does."""
        return await self._transact(lambda _: self._account.bundle(one_time=one_time))

    async def publish(self, one_time: int = 100, *, rotate: bool = False) -> Publication:
        """Return what a prekey server needs, as `Account.publish` does."""
        return await self._transact(lambda _: self._account.publish(one_time, rotate=rotate))

    async def expire(self) -> None:
        """Delete what is kept for 30 days only, as `Account.expire` does."""
        await self._transact(lambda _: self._account.expire())

    async def due(self, now: int | None = None) -> Due:
        """Return what this account waits for, as `Account.due` does."""
        return await self._read(lambda: self._account.due(now))

    # --- conversations ----------------------------------------------------------------------------

    async def initiate(
        self,
        address: Address,
        bundle: PrekeyBundle,
        *,
        suite: Suite = Suite.PQXDH,
        discard_earlier: bool = False,
    ) -> None:
        """Begin a session with the owner of a bundle, as `Account.initiate` does."""
        await self._transact(
            lambda _: self._account.initiate(address, bundle, suite=suite, discard_earlier=discard_earlier)
        )

    async def encrypt(self, address: Address, plaintext: bytes) -> bytes:
        """Return the next message to a peer, as `Account.encrypt` does.

        If it is cancelled after its commit has begun, its message is one that the peer never gets.
        """
        return await self._transact(lambda _: self._account.encrypt(address, plaintext))

    async def decrypt(self, address: Address, message: bytes) -> bytes:
        """Return the plaintext of a message that came from a peer, as `Account.decrypt` does.

        If it is cancelled, the message has not been decrypted, or its text is kept in memory: then the next
        `decrypt` of the same message returns it. Raises UsageError if 64 such texts of this peer are kept.
        """
        texts: list[Kept] = []
        text = await self._transact(lambda call: self._decrypted(address, message, call, texts))
        deliver(texts)
        return text

    def _decrypted(self, address: Address, message: bytes, call: Call[Any], texts: list[Kept]) -> bytes:
        """Decrypt in the worker thread, and keep the text until the caller has it."""
        undelivered = self._worker.undelivered
        if type(address) is not Address or type(message) is not bytes:
            return self._account.decrypt(address, message)  # raises
        key = key_of(address, message)
        text = undelivered.find(key)
        if text is None:
            undelivered.require_room(address)
            text = self._account.decrypt(address, message)
        texts.append(undelivered.put(key, address, text, call))
        return text

    async def undelivered(self) -> list[tuple[Address, bytes]]:
        """Return and forget the texts that are kept because their `decrypt` was cancelled, oldest first."""
        texts: list[Kept] = []

        def take(call: Call[Any]) -> list[tuple[Address, bytes]]:
            kept = self._worker.undelivered
            texts.extend(kept.put(each.key, each.address, text, call) for each, text in kept.lost())
            return [(each.address, each.text or b"") for each in texts]

        found = await self._transact(take)
        deliver(texts)
        return found

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """Group calls into one commit, as `Account.transaction` does: `async with account.transaction():`.

        The block may await anything but tasks that use the account themselves. The calls of other tasks wait
        until it ends, and those of tasks that were started inside it raise UsageError. An exception or a
        cancellation in the block leaves everything as it was. A cancellation that comes while the block is
        being committed is raised by the task's next `await`.
        """
        return AsyncTransaction(self._worker)

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in the worker thread, in a transaction of the store, and return its result.

        It may use `SqliteStore.connection`, and becomes part of `transaction()` inside such a block. If it
        raises, what it wrote is undone. While it runs, all other calls wait.
        """
        context = copy_context()

        def work(_: Call[Any]) -> T:
            with self._worker.store.transaction():
                return context.run(function, *args, **kwargs)

        return await self._transact(work)

    async def session(self, address: Address) -> SessionStatus | None:
        """Return what may be known of the active session, as `Account.session` does."""
        return await self._read(lambda: self._account.session(address))

    # --- trust ------------------------------------------------------------------------------------

    async def peers(self) -> list[Peer]:
        """Return every peer known, as `Account.peers` does."""
        return await self._read(self._account.peers)

    async def accept_identity(self, address: Address, identity: bytes) -> None:
        """Trust an identity key (32 bytes) for an address, as `Account.accept_identity` does."""
        await self._transact(lambda _: self._account.accept_identity(address, identity))

    async def forget(self, address: Address) -> None:
        """Delete everything about a peer, as `Account.forget` does."""
        await self._transact(lambda _: self._account.forget(address))

    async def safety_number(self, address: Address, identity: bytes | None = None) -> SafetyNumber:
        """Return the safety number shared with a peer, as `Account.safety_number` does."""
        return await self._read(lambda: self._account.safety_number(address, identity))

    def __repr__(self) -> str:
        return f"<AsyncAccount {self.address}>"

    async def _transact(self, work: Callable[[Call[Any]], T]) -> T:
        """Do work that is committed only if this coroutine still waits."""
        return await self._call(lambda call: self._worker.transact(work, call))

    async def _read(self, work: Callable[[], T]) -> T:
        """Do work that need not be undone, without a transaction around it."""
        return await self._call(lambda _: work())

    async def _call(self, work: Callable[[Call[T]], T]) -> T:
        call = Call(work)
        self._worker.turns.add(call, inside=is_inside(self._worker))
        return await call.result()


def _opened(worker: Worker[S], make: Callable[[S], Account], call: Call[Account]) -> Account:
    """Open a store and its account in the worker thread."""
    store = worker.open_store()
    call.claim()
    return make(store)


async def _end(worker: Worker[Any]) -> None:
    """Wait until the worker has made all calls and ended."""
    end = End(None, commits=False)
    if worker.turns.add_last(end):
        await end.result()
