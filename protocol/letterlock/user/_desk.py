"""The desk: what every part of the user layer works with, and what it notes while it works on one call.

    Desk        the account, its book, its outbox and its inbox
    Findings    events, needs and messages that one call leads to

Nothing of a user's state is kept here. It is read from the store in each call, because two processes may
share one store.

Not here: the calls themselves (_user.py).
"""

from dataclasses import dataclass, replace

from letterlock._device.device import Device
from letterlock._device.environment import Environment
from letterlock._primitives.entropy import Clock, Entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._session.by_address import SessionsByAddress
from letterlock._wire.address import Address
from letterlock._wire.suite import Suite
from letterlock.account import Account
from letterlock.errors import NoSession
from letterlock.stores._any_store import calls_of
from letterlock.stores._calls import Run
from letterlock.user._admission import Admission
from letterlock.user._book import Book, device_of
from letterlock.user._inbox import Inbox
from letterlock.user._notes import Notes
from letterlock.user._outbox import Outbox
from letterlock.user._unread import Unread
from letterlock.user._values import Event, EventKind, Need, NeedKind, Outgoing


@dataclass(frozen=True, slots=True, repr=False)
class Desk(Uncopyable):
    """One user's account and entries. `name` is the user's, `device_id` that of this device.

    `run` runs a call of the library in a transaction. Such a call contains no other one, so whatever calls
    the account meanwhile is refused: it has interrupted the call.
    """

    name: str
    device_id: int
    account: Account
    book: Book
    outbox: Outbox
    inbox: Inbox
    notes: Notes
    unread: Unread
    admission: Admission
    environment: Environment
    sessions: SessionsByAddress
    run: Run
    device: Device

    def now(self) -> int:
        """Return the time, in seconds since 1970. Raises UsageError for a clock that is wrong."""
        return self.environment.now()

    def at(self, now: int) -> "Desk":
        """Return a desk like this one at which it is always `now`."""
        environment = replace(self.environment, clock=lambda: now)
        return desk_of(Device(self.device.store, self.device.party, environment), self.admission)

    def seal(self, address: Address, plaintext: bytes) -> bytes | None:
        """Return the next message to a device, or None if there is no session to send it in.

        A device that was revoked sends nothing: None, always.                                    [USR-37]
        """
        if device_of(self.book.own().pin, self.device_id) is None:
            return None
        try:
            return self.account.encrypt(address, plaintext)
        except NoSession:  # or one that ended
            return None

    def seal_inside(self, address: Address, plaintext: bytes) -> bytes | None:
        """Do the same in the middle of a call that `run` runs, without a transaction of its own."""
        try:
            sessions = self.sessions.held.get(address.encoded) or self.sessions.of(address)
            return sessions.encrypt(plaintext, self.environment.entropy)
        except NoSession:
            return None


class Findings:
    """What a call leads to, collected. Nothing is in it twice."""

    __slots__ = ("events", "needs", "outgoing")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.needs: list[Need] = []
        self.outgoing: list[Outgoing] = []

    def event(self, kind: EventKind, name: str, device: int | None = None) -> None:
        """Note that something happened."""
        event = Event(kind, name, device)
        if event not in self.events:
            self.events.append(event)

    def need_lists(self, name: str, after: int) -> None:
        """Note that the device lists of a name after a version are needed."""
        self._need(Need(NeedKind.LISTS, name, after=after))

    def need_bundle(self, name: str, device_id: int) -> None:
        """Note that a prekey bundle of a device is needed."""
        self._need(Need(NeedKind.BUNDLE, name, device=device_id))

    def _need(self, need: Need) -> None:
        if need not in self.needs:
            self.needs.append(need)


def user_environment(
    admission: Admission, suites: frozenset[Suite], clock: Clock, entropy: Entropy
) -> Environment:
    """Return what the account of a user takes from the world; the book says who may have a session."""
    return Environment(suites, clock, entropy, admit=admission.admit, stray=admission.stray)


def desk_of(device: Device, admission: Admission) -> Desk:
    """Return the desk of a device that was made or opened with `user_environment`."""
    store, given, address = device.store, device.environment, device.party.address
    parts = (Book(store), Outbox(store), Inbox(store), Notes(store), Unread(store))
    sessions = SessionsByAddress(store, given.suites, given.now, given.stray)
    calls = (admission, given, sessions, calls_of(store).run, device)
    return Desk(address.name, address.device_id, Account(device), *parts, *calls)
