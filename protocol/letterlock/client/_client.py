"""Client: a user whose messages travel through a relay, for asyncio.

    create, open, join        a store, and the user in it; somebody without a device: _returning.py
    async with                seven tasks run until it ends, from sender to convener
    send                      saved, then sent by the sender; offline it waits
    messages, events          what arrived and happened, until the application has finished it

Not here: what the tasks do (_sender.py and its neighbours), the twin without asyncio (_sync.py).
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Final, ParamSpec, Self, TypeVar

from letterlock._wire.address import Address
from letterlock._wire.content import Attachment, ContentKind
from letterlock._wire.device_snapshot import DeviceClass, ListedDevice
from letterlock._wire.linking import LinkingCode
from letterlock.client._arrivals import Arrivals
from letterlock.client._client_documents import ClientDocuments, librarian_of
from letterlock.client._client_groups import ClientGroups, convener_of
from letterlock.client._errors import RelayUnavailable
from letterlock.client._events import RelayEvent
from letterlock.client._history import read as read_archive
from letterlock.client._http import RelayUrl
from letterlock.client._joining import join, link
from letterlock.client._keeper import Keeper
from letterlock.client._linking import CompareDigits, ShowCode, ShowDigits
from letterlock.client._office import Office
from letterlock.client._opening import WORLD, World, checked_name, create, existing
from letterlock.client._people import ClientPeople
from letterlock.client._reader import Reader, drained
from letterlock.client._receiver import Receiver
from letterlock.client._recovery_extra import has_recovery, keeper_of, recovery_of
from letterlock.client._returning import ClientReturn
from letterlock.client._rows import Draft
from letterlock.client._second_lock_values import SecondLockNews
from letterlock.client._sender import Sender
from letterlock.client._stores import StoreOpener, StorePlace
from letterlock.client._thread import StoreThread
from letterlock.client._values import Message
from letterlock.errors import StoreError, UsageError
from letterlock.groups import GroupEvent
from letterlock.user import Event, OwnDeviceRevoked

if TYPE_CHECKING:
    from letterlock.client._client_recovery import ClientRecovery

T = TypeVar("T")
P = ParamSpec("P")


class Client(ClientPeople, ClientReturn):
    """A user on this device, and its relay: made with `create`, `open`, `join` or `recover`, then entered.

    Any task of the event loop may call it. Every method may raise StoreError. Nothing that a relay, a
    network or a peer does ends the client: it tries again, and tells in `events`. Two programs may share a
    store; each message is then given to one of them, or to both until one has finished it.
    """

    __slots__ = (
        "__weakref__",
        "_office",
        "_reader",
        "_recovery",
        "_runner",
        "_sender",
        "documents",
        "groups",
    )

    _world: ClassVar[World] = WORLD

    def __init__(self, office: Office) -> None:
        """Not for applications."""
        super().__init__(office)
        self._office = office
        self._sender = Sender(office, self._fetcher)
        self._recovery: ClientRecovery | None = None
        self.documents: Final = ClientDocuments(office, self._fetcher.refresh, self._world.transport)
        """The documents and collections of this user."""
        self.groups: Final = ClientGroups(office, partial(self._contacts.meet, self._fetcher), self.documents)
        """The groups of this user."""
        self._reader = Reader(office, self._check)
        self._runner: asyncio.Task[None] | None = None

    # --- beginning and end ----------------------------------------------------------------------------

    @classmethod
    async def create(
        cls,
        store: StorePlace,
        *,
        name: str,
        relay: str,
        key: bytes | None = None,
        ticket: bytes | None = None,
        allow_insecure: bool = False,
    ) -> Self:
        """Make a user with one device, and register it at a relay.

        `store` is a path, with `key` (32 bytes), or a store, or a function that opens one.
        `relay` is a URL such as `https://relay.example`; `http` only on this machine, unless
        `allow_insecure`. `ticket` comes from the application's server, where the relay asks for one. If the
        relay cannot be reached the store is kept: call this again with the same arguments. Raises NameTaken,
        TicketRefused, RelayUnavailable, RelayMisbehaves; AccountExists, UsageError.
        """
        url, world = RelayUrl(relay, allow_insecure=allow_insecure), cls._world
        opener = StoreOpener.of(store, key)
        make = partial(create, name=checked_name(name), relay=url.text, clock=world.clock)
        thread, arrivals = await StoreThread.open(opener.open, make)
        client = cls._over(thread, arrivals, url)
        try:
            await client._office.admission.register(ticket)  # noqa: SLF001 (ruff does not see whose it is)
            await Keeper(client._office).publish_first()  # noqa: SLF001
        except BaseException as error:
            if isinstance(error, UsageError):  # nobody knows this user, and nobody ever will
                await opener.discard(thread, lambda: not arrivals.queue.own().registered)
            await client.close()
            raise
        return client

    @classmethod
    async def open(
        cls,
        store: StorePlace,
        *,
        key: bytes | None = None,
        allow_insecure: bool = False,
    ) -> Self:
        """Open the user of a store, whose relay is known. It works offline.

        Raises NoAccount, and UsageError for a store whose user has no relay, or is not registered yet.
        """
        opener, world = StoreOpener.of(store, key), cls._world
        if opener.is_new:
            raise UsageError("there is no such store: make one with `create` or `join`")
        thread, arrivals = await StoreThread.open(opener.open, partial(existing, clock=world.clock))
        try:
            relay = await thread.run(arrivals.queue.relay)
            return cls._over(thread, arrivals, RelayUrl(relay, allow_insecure=allow_insecure))
        except BaseException:
            await thread.close()
            raise

    @classmethod
    async def join(
        cls,
        store: StorePlace,
        *,
        relay: str,
        show: ShowCode,
        digits: ShowDigits,
        key: bytes | None = None,
        allow_insecure: bool = False,
    ) -> Self:
        """Make this device one of a user who has another one, which calls `link`. The store is empty.

        `show` is awaited with the code, which the person scans or types on the other device, and `digits`
        with six digits, which the person compares there. Raises LinkingRefused, also after ten minutes;
        AccountExists, UsageError, RelayMisbehaves; HistoryRefused, and then this device is linked: `open` it.
        """
        url, world = RelayUrl(relay, allow_insecure=allow_insecure), cls._world
        opener = StoreOpener.of(store, key)
        thread, arrivals = await join(opener, url, world, (show, digits))
        client = cls._over(thread, arrivals, url)
        try:
            await Keeper(client._office).publish_first()  # noqa: SLF001 (ruff does not see whose it is)
        except BaseException:
            await client.close()
            raise
        return client

    @classmethod
    def _over(cls, thread: StoreThread, arrivals: Arrivals, url: RelayUrl) -> Self:
        return cls(Office(arrivals, thread, cls._world.transport(url), cls._world.pace, url.name))

    async def __aenter__(self) -> Self:
        if self._runner is not None:
            raise UsageError("this client was entered before: open the store again")
        self._runner = asyncio.create_task(self._run(), name="letterlock client")
        self._runner.add_done_callback(lambda _: self._office.wake_all())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if kind is not None and issubclass(kind, GeneratorExit):
            self._office.thread.stop()  # a coroutine that is being destroyed cannot wait
            return
        try:
            if kind is None and self._office.connection.is_up and not self._office.is_revoked:
                with suppress(OwnDeviceRevoked):  # whoever hears of it a moment later is not told either
                    await drained(self._office, self._check)
        finally:
            await self.close()

    async def close(self) -> None:
        """End the tasks, the connections and the store. Again, it does nothing."""
        if self._runner is not None and not self._runner.done():
            self._runner.cancel()
            await asyncio.wait([self._runner])
        if self._recovery is not None:
            await self._recovery.close()
        await self._office.connection.close()
        await self._office.thread.close()

    async def _run(self) -> None:
        office = self._office
        look_after = librarian_of(self.documents).step, convener_of(self.groups).step
        steps = self._sender.step, self._fetcher.step, Receiver(office).step, Keeper(office).step
        recover = (keeper_of(self.recovery).step,) if has_recovery() else ()
        await office.repeat(*steps, *look_after, *recover)

    def _check(self) -> None:
        """Raise UsageError unless the tasks run, OwnDeviceRevoked, and StoreError if the store ended them."""
        if self._runner is None:
            raise UsageError("enter the client first: `async with client:`")
        if self._office.is_revoked:
            raise OwnDeviceRevoked
        if self._runner.done():
            raise StoreError("the client has ended, or its store failed: open it again")

    @property
    def recovery(self) -> "ClientRecovery":
        """How this user comes back after the loss of every device.

        Raises UsageError without the extra `recovery`.
        """
        if self._recovery is None:
            self._recovery = recovery_of(self._office, self._sender, self._world)
        return self._recovery

    # --- this user ------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """What contacts call this user."""
        return self._office.queue.user.name

    @property
    def address(self) -> Address:
        """The address of this device."""
        return self._office.queue.user.address

    @property
    def user_id(self) -> bytes:
        """The 32 bytes that name this user."""
        return self._office.queue.user.user_id

    @property
    def is_online(self) -> bool:
        """Whether the relay answered the last call."""
        return bool(self._office.connection.is_up)

    async def state(self) -> dict[str, Any]:
        """Return the name, the device and the relay, and how much is `unsent` and `unread`."""
        return await self._office.run(self._office.arrivals.state)

    async def devices(self) -> tuple[ListedDevice, ...]:
        """Return this user's devices, as the newest list on record has them."""
        return await self._office.run(self._office.queue.user.devices)

    async def link(
        self,
        code: LinkingCode,
        compare: CompareDigits,
        device_class: DeviceClass = DeviceClass.FULL,
        history: Iterable[bytes] = (),
    ) -> int:
        """Add a new device, which calls `join`, and return its id.

        `compare` is awaited with six digits, and returns whether the new device shows the same. Call this
        only when the person asked for it on this device. `history` is what the application has from before,
        at most 16 MiB in items: the new device gets it as a message that `read_archive` opens. It is iterated
        in the store's thread, in the transaction that adds the device. Raises what `User.link` raises, and
        UsageError inside `transaction()`.
        """
        self._check()
        return await link(self._office, self._sender, code, (compare, device_class, history))

    async def read_archive(self, archive: bytes, *, wait: float = 30.0) -> list[bytes]:
        """Return the items of the history in a message that `is_archive`, once its key has arrived.

        Raises RelayUnavailable after `wait` seconds; MalformedMessage, AuthenticationFailed.
        """
        return await read_archive(self._office, archive, wait)

    async def revoke(self, device_id: int) -> None:
        """Take a device out of this user's list, for good, as `User.revoke` does."""
        await self._office.run(self._office.queue.revoke, device_id)
        self._office.note_learned()

    async def use_ticket(self, ticket: bytes) -> None:
        """Go on with a new ticket of the application's server, after the event TICKET_NEEDED.

        Raises TicketRefused, NameTaken, RelayUnavailable, RelayMisbehaves; UsageError inside `transaction()`.
        """
        await self._office.admission.use(ticket)

    # --- messages -------------------------------------------------------------------------------------

    async def send(
        self,
        name: str,
        body: bytes,
        *,
        kind: int = ContentKind.TEXT,
        attachments: Iterable[Attachment] = (),
    ) -> bytes:
        """Send a content to a user, and a copy to this user's other devices; return its id, 16 bytes.

        It is saved when this returns, and goes out as soon as the relay is there. A name that is no contact
        yet is asked for first; without a right answer the content waits for that too. In `transaction()` it
        is part of the commit. Raises UnknownUser if the relay knows nobody of this name; ContactFrozen,
        UsageError; PlaintextTooLong beyond 640 KiB with attachments.
        """
        if type(body) is not bytes or type(name) is not str:
            raise UsageError("send needs the name of a user as str, and a body as bytes")
        draft = Draft(Address(name).name, kind, body, tuple(attachments), self._world.clock())
        return await self._contacts.send(self._fetcher, draft)

    async def flush(self, seconds: float = 30.0) -> None:
        """Wait until everything that was sent is at the relay.

        Raises RelayUnavailable after `seconds`; UsageError inside `transaction()`.
        """
        self._check()
        self._office.require_outside()
        if not await drained(self._office, self._check, seconds):
            raise RelayUnavailable("not everything could be sent in time")

    def messages(self, *, wait: float | None = None) -> AsyncGenerator[Message]:
        """Yield what arrives: `async for message in client.messages():`. A new loop ends an older one.

        The loop ends when nothing has come for `wait` seconds, by default never.

        A message is finished when the body of the loop has ended for it. If the body raises or is cancelled,
        or the program is killed, the message is given again. A `break` leaves its message unfinished: call
        `done` before.
        """
        return self._reader.messages(wait)

    def events(
        self, *, wait: float | None = None
    ) -> AsyncGenerator[Event | RelayEvent | GroupEvent | SecondLockNews]:
        """Yield what happened, likewise: each event until it is finished; those of the relay once."""
        return self._reader.events(wait)

    # --- the application's own rows -------------------------------------------------------------------

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """Group calls of this task, and rows of the application that `run` writes, into one commit.

        An exception in the `async with` block undoes all of it.
        """
        return self._office.thread.transaction()

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in the thread of the store, in a transaction, and return its result.

        It may use `store.connection` of a `SqliteStore`. While it runs, all other calls wait. If it raises,
        what it wrote is undone.
        """
        return await self._office.run(function, *args, **kwargs)

    @property
    def store(self) -> Any:  # noqa: ANN401 (whatever kind the application chose)
        """The store, for functions that `run` calls."""
        return self._office.thread.store

    def __repr__(self) -> str:
        return f"<Client {self.address}>"
