"""SyncClient: the calls of `Client` for programs without asyncio.

An event loop runs in a thread of its own, and every call waits for it. Any thread may call.

Not here: what the calls do (_client.py); transactions (_sync_transaction.py).
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from threading import local
from types import TracebackType
from typing import Any, ClassVar, Final, ParamSpec, Self, TypeVar

from letterlock._handshake.safety_number import SafetyNumber
from letterlock._primitives.secret import Uncopyable
from letterlock._wire.address import Address
from letterlock._wire.content import Attachment, ContentKind
from letterlock._wire.device_snapshot import DeviceClass, ListedDevice
from letterlock._wire.linking import LinkingCode
from letterlock.client._client import Client
from letterlock.client._events import RelayEvent
from letterlock.client._loop import Loop, Work
from letterlock.client._recovery_values import RecoveryServers
from letterlock.client._second_lock_values import SecondLockAsked, SecondLockNews
from letterlock.client._stores import StorePlace
from letterlock.client._sync_documents import SyncDocuments
from letterlock.client._sync_groups import SyncGroups
from letterlock.client._sync_message import SyncMessage
from letterlock.client._sync_recovery import SyncRecovery
from letterlock.client._sync_transaction import SyncTransaction
from letterlock.client._values import Delivery, Person
from letterlock.errors import StoreError
from letterlock.groups import GroupEvent
from letterlock.user import Event, Evidence

T = TypeVar("T")
P = ParamSpec("P")

A = TypeVar("A")


class SyncClient(Uncopyable):
    """A `Client` whose calls wait. Make one with `create`, `open`, `join` or `recover`, and enter it: `with`.

    Each method raises what that of `Client` raises.
    """

    __slots__ = ("_client", "_inside", "_loop", "documents", "groups")

    _kind: ClassVar[type[Client]] = Client

    def __init__(self, client: Client, loop: Loop) -> None:
        """Not for applications, which call `create`, `open` and `join`."""
        self._client = client
        self._loop = loop
        self._inside = local()
        self.documents: Final = SyncDocuments(client.documents, self._do)
        """The documents and collections of this user."""
        self.groups: Final = SyncGroups(client.groups, self._do)
        """The groups of this user."""

    # --- beginning and end ----------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        store: StorePlace,
        *,
        name: str,
        relay: str,
        key: bytes | None = None,
        ticket: bytes | None = None,
        allow_insecure: bool = False,
    ) -> Self:
        """Make a user with one device, and register it at a relay, as `Client.create` does."""
        make = partial(cls._kind.create, name=name, relay=relay, ticket=ticket)
        return cls._start(partial(make, store, key=key, allow_insecure=allow_insecure))

    @classmethod
    def open(
        cls,
        store: StorePlace,
        *,
        key: bytes | None = None,
        allow_insecure: bool = False,
    ) -> Self:
        """Open the user of a store, as `Client.open` does."""
        make = partial(cls._kind.open, store, key=key)
        return cls._start(partial(make, allow_insecure=allow_insecure))

    @classmethod
    def join(
        cls,
        store: StorePlace,
        *,
        relay: str,
        show: Callable[[LinkingCode], None],
        digits: Callable[[str], None],
        key: bytes | None = None,
        allow_insecure: bool = False,
    ) -> Self:
        """Make this device one of a user who has another one, as `Client.join` does.

        `show` and `digits` are called in a thread, and may wait for the person.
        """
        make = partial(cls._kind.join, store, relay=relay, show=_screen(show), digits=_screen(digits))
        return cls._start(partial(make, key=key, allow_insecure=allow_insecure))

    @classmethod
    def recover(
        cls,
        store: StorePlace,
        *,
        name: str,
        password: str,
        servers: RecoveryServers,
        key: bytes | None = None,
        revoke_others: bool = False,
    ) -> Self:
        """Make this device one of a user who lost every other one, as `Client.recover` does."""
        make = partial(cls._kind.recover, store, name=name, password=password, servers=servers)
        return cls._start(partial(make, key=key, revoke_others=revoke_others))

    @classmethod
    def first_login(
        cls,
        store: StorePlace,
        *,
        name: str,
        password: str,
        new_password: str,
        servers: RecoveryServers,
        key: bytes | None = None,
    ) -> Self:
        """Make this device the first one of a user whom an application enrolled, as `Client.first_login`."""
        make = partial(cls._kind.first_login, store, name=name, password=password, servers=servers)
        return cls._start(partial(make, new_password=new_password, key=key))

    @classmethod
    def ask_second_lock(
        cls, store: StorePlace, *, name: str, servers: RecoveryServers, key: bytes | None = None
    ) -> SecondLockAsked:
        """Ask both servers for the recovery key of a user, as `Client.ask_second_lock` does."""
        loop = Loop()
        try:
            return loop.wait(partial(cls._kind.ask_second_lock, store, name=name, servers=servers, key=key))
        finally:
            loop.close()

    @classmethod
    def recover_forgotten(
        cls,
        store: StorePlace,
        *,
        name: str,
        new_password: str,
        servers: RecoveryServers,
        key: bytes | None = None,
        revoke_others: bool = False,
    ) -> Self:
        """Make this device one of the user's after the delay, as `Client.recover_forgotten` does."""
        make = partial(cls._kind.recover_forgotten, store, name=name, new_password=new_password)
        return cls._start(partial(make, servers=servers, key=key, revoke_others=revoke_others))

    @classmethod
    def _start(cls, make: Work[Client]) -> Self:
        loop = Loop()
        try:
            return cls(loop.wait(make), loop)
        except BaseException:
            loop.close()
            raise

    def __enter__(self) -> Self:
        self._loop.wait(self._client.__aenter__)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        try:
            self._loop.wait(partial(self._client.__aexit__, kind, error, where))
        finally:
            self._loop.close()

    def close(self) -> None:
        """End the tasks, the connections and the store. Again, it does nothing."""
        if self._loop.is_closed:
            return
        try:
            self._loop.wait(self._client.close)
        finally:
            self._loop.close()

    def _do(self, work: Work[T]) -> T:
        """Do work in the loop: in the task of this thread's transaction, if it is inside one."""
        inside: SyncTransaction | None = getattr(self._inside, "transaction", None)
        return self._loop.wait(work) if inside is None else inside.do(work)

    @property
    def recovery(self) -> SyncRecovery:
        """How this user comes back after the loss of every device, as `Client.recovery`."""
        return SyncRecovery(self._client, self._do)

    # --- this user ------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """What contacts call this user."""
        return self._client.name

    @property
    def address(self) -> Address:
        """The address of this device."""
        return self._client.address

    @property
    def user_id(self) -> bytes:
        """The 32 bytes that name this user."""
        return self._client.user_id

    @property
    def is_online(self) -> bool:
        """Whether the relay answered the last call."""
        return self._client.is_online

    def state(self) -> dict[str, Any]:
        """Return the name, the device and the relay, as `Client.state` does."""
        return self._do(self._client.state)

    def devices(self) -> tuple[ListedDevice, ...]:
        """Return this user's devices, as `Client.devices` does."""
        return self._do(self._client.devices)

    def link(
        self,
        code: LinkingCode,
        compare: Callable[[str], bool],
        device_class: DeviceClass = DeviceClass.FULL,
        history: Iterable[bytes] = (),
    ) -> int:
        """Add a new device, as `Client.link` does. `compare` is called in a thread, and may wait."""
        return self._do(partial(self._client.link, code, _screen(compare), device_class, history))

    def read_archive(self, archive: bytes, *, wait: float = 30.0) -> list[bytes]:
        """Return the items of a history, as `Client.read_archive` does."""
        return self._do(partial(self._client.read_archive, archive, wait=wait))

    def revoke(self, device_id: int) -> None:
        """Take a device out of this user's list, as `Client.revoke` does."""
        self._do(partial(self._client.revoke, device_id))

    def use_ticket(self, ticket: bytes) -> None:
        """Go on with a new ticket, as `Client.use_ticket` does."""
        self._do(partial(self._client.use_ticket, ticket))

    # --- contacts -------------------------------------------------------------------------------------

    def meet(self, name: str) -> Person:
        """Make a name a contact, as `Client.meet` does."""
        return self._do(partial(self._client.meet, name))

    def contacts(self) -> list[Person]:
        """Return all contacts, in order of their names."""
        return self._do(self._client.contacts)

    def contact(self, name: str) -> Person:
        """Return the contact of this name, as `Client.contact` does."""
        return self._do(partial(self._client.contact, name))

    def safety_number(self, name: str) -> SafetyNumber:
        """Return the number that both people see, as `Client.safety_number` does."""
        return self._do(partial(self._client.safety_number, name))

    def verify(self, name: str, code: str | bytes) -> None:
        """Compare a safety number, as `Client.verify` does."""
        self._do(partial(self._client.verify, name, code))

    def evidence(self, name: str) -> Evidence | None:
        """Return the evidence against a contact's lists, as `Client.evidence` does."""
        return self._do(partial(self._client.evidence, name))

    def keep(self, name: str) -> None:
        """End a conflict with the lists on record, as `Client.keep` does."""
        self._do(partial(self._client.keep, name))

    def replace(self, name: str) -> None:
        """End a conflict with the other lists, as `Client.replace` does."""
        self._do(partial(self._client.replace, name))

    # --- messages -------------------------------------------------------------------------------------

    def send(
        self,
        name: str,
        body: bytes,
        *,
        kind: int = ContentKind.TEXT,
        attachments: Iterable[Attachment] = (),
    ) -> bytes:
        """Send a content to a user, as `Client.send` does."""
        return self._do(partial(self._client.send, name, body, kind=kind, attachments=attachments))

    def delivery(self, id_: bytes) -> Delivery | None:
        """Return what a content still waits for, as `Client.delivery` does."""
        return self._do(partial(self._client.delivery, id_))

    def flush(self, seconds: float = 30.0) -> None:
        """Wait until everything that was sent is at the relay, as `Client.flush` does."""
        self._do(partial(self._client.flush, seconds))

    def messages(self, *, wait: float | None = None) -> Generator[SyncMessage]:
        """Yield what arrives, as `Client.messages` does: `for message in client.messages():`."""
        arriving = self._client.messages(wait=wait)
        try:
            while (message := self._loop.wait(partial(anext, arriving, None))) is not None:
                yield SyncMessage(self, message)
        finally:
            self._loop.wait(arriving.aclose)

    def events(
        self, *, wait: float | None = None
    ) -> Iterator[Event | RelayEvent | GroupEvent | SecondLockNews]:
        """Yield what happened, as `Client.events` does."""
        happening = self._client.events(wait=wait)
        try:
            while (event := self._loop.wait(partial(anext, happening, None))) is not None:
                yield event
        finally:
            self._loop.wait(happening.aclose)

    # --- the application's own rows -------------------------------------------------------------------

    def transaction(self) -> AbstractContextManager[None]:
        """Group calls of this thread, and the application's own rows, into one commit: `with`."""
        return self._transaction()

    @contextmanager
    def _transaction(self) -> Generator[None]:
        outer: SyncTransaction | None = getattr(self._inside, "transaction", None)
        if outer is not None:
            raise StoreError("this thread is inside a transaction already: leave its block first")
        with SyncTransaction(self._client, self._loop.submit) as inside:
            self._inside.transaction = inside
            try:
                yield
            finally:
                self._inside.transaction = None

    def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in the thread of the store, in a transaction, as `Client.run` does.

        If it raises, what it wrote is undone.
        """
        return self._do(lambda: self._client.run(function, *args, **kwargs))

    @property
    def store(self) -> Any:  # noqa: ANN401 (whatever kind the application chose)
        """The store, for functions that `run` calls."""
        return self._client.store

    def __repr__(self) -> str:
        return f"<SyncClient {self.address}>"


def _screen(show: Callable[[A], T]) -> Callable[[A], Awaitable[T]]:
    """Return a function of the application as one that is awaited while it runs in a thread."""

    async def shown(value: A) -> T:
        return await asyncio.to_thread(show, value)

    return shown
