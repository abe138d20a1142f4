"""The world of the model of users: every call of a process goes through here, and is compared with the rules.

    no text reaches a device outside the newest list that its sender could know          `_post`
    a device reads each text once, and only if it was meant for it                       `_read`
    nothing is read from a device that the reader knows as revoked                       `_read`
    the list on record is the one that was shown, and contradictions freeze              `_agrees`
    a safety number changes only with the user id                                        `_agrees`
    only documented errors are raised, and a call that raises changes nothing            `_call`

`View` is what a process must know. It follows from the lists that were shown to it, and not from its store.

Not here: who does what and when (users_play.py); the end, when everybody is honest (users_settling.py).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, TypeVar

from letterlock import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.device_list import DeviceList
from letterlock.errors import (
    AddressMismatch,
    InvalidKey,
    InvalidSignature,
    LetterlockError,
    StaleBundle,
    UntrustedIdentity,
    UsageError,
)
from letterlock.limits import LISTS_PAUSE
from letterlock.user import (
    ContactEvent,
    ContactFrozen,
    ContactState,
    ContentKind,
    EventKind,
    Incoming,
    InvalidDeviceList,
    Need,
    NeedKind,
    Outcome,
    Outgoing,
)
from letterlock.user._book import Book
from letterlock.user._safety_number import user_safety_number
from support.memory_copies import tables_of
from support.users_chains import event_of, is_chain
from support.users_people import Chain, Copy, Flight, Owner, View, listed_ever
from support.users_people import listed as listed_in

T = TypeVar("T")

OF_LEARN: Final = (ContactFrozen, InvalidDeviceList, InvalidSignature, InvalidKey, UsageError)
OF_SEND: Final = (ContactFrozen, UsageError)
OF_BEGIN: Final = (
    ContactFrozen, UsageError, UntrustedIdentity, AddressMismatch, InvalidSignature, StaleBundle,
)  # fmt: skip
OF_DECIDING: Final = (ContactFrozen, UsageError)


@dataclass(frozen=True)
class Text:
    """A content that an application sent. `due` are the devices for which it is meant."""

    sender: Address
    to: str
    body: bytes
    due: frozenset[Address]
    honest: bool
    user_id: bytes


@dataclass
class World:
    """All people, all processes, and what is on its way between them."""

    people: dict[str, Owner]
    thieves: list[Copy] = field(default_factory=list)
    flights: list[Flight] = field(default_factory=list)
    sent: list[Flight] = field(default_factory=list)
    texts: dict[bytes, Text] = field(default_factory=dict)
    lawful: dict[int, DeviceList] = field(default_factory=dict)
    spoiled: set[Address] = field(default_factory=set)
    replaced: set[frozenset[Address]] = field(default_factory=set)
    intercepted: set[tuple[Address, bytes]] = field(default_factory=set)
    """What a thief read in the place of a device. The thief can acknowledge it as well."""
    dropped: set[bytes] = field(default_factory=set)
    """Texts to a contact that was replaced: what was not acknowledged is not sent to the other user."""
    delivered: set[int] = field(default_factory=set)
    events: list[tuple[Copy, EventKind, str, int | None]] = field(default_factory=list)
    causes: list[Enum] = field(default_factory=list)
    """Why messages were not read."""
    story: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for owner in self.people.values():
            self.are_lawful(*owner.chain)

    # --- who is there -----------------------------------------------------------------------------

    def are_lawful(self, *lists: DeviceList) -> None:
        """Note lists that devices of a chain signed within the rules; all others must be refused."""
        self.lawful.update((id(each), each) for each in lists)

    def copy_at(self, address: Address) -> Copy | None:
        """Return the process that a server delivers to at an address."""
        owner = self.people.get(address.name)
        return None if owner is None else owner.devices.get(address.device_id)

    def owned(self) -> list[Copy]:
        """Return the owners' processes of all devices that were ever in true lists."""
        return [each for owner in self.people.values() for each in owner.devices.values()]

    def honest(self) -> list[Copy]:
        """Return the owners' processes of all devices that are in true lists."""
        return [each for owner in self.people.values() for each in owner.listed if each.honest]

    def is_spoiled(self, *pair: Address) -> bool:
        """Whether sessions of two devices may be broken: a store was put back or copied, or keys replaced."""
        return not self.spoiled.isdisjoint(pair) or frozenset(pair) in self.replaced

    # --- calls ------------------------------------------------------------------------------------

    def learn(self, copy: Copy, name: str, lists: Sequence[DeviceList]) -> ContactEvent | None:
        """Show lists under a name. Return the event, or None also for lists that were refused."""
        view = copy.views.get(name)
        foreseen = self._foresee(copy, name, view, lists)
        learned, error = self._call(copy, OF_LEARN, lambda: copy.user.learn(name, lists))
        if isinstance(foreseen, type):
            assert isinstance(error, foreseen), f"{copy} takes lists that it must refuse: {error!r}"
            return None
        assert learned is not None, f"{copy} refuses lists that it must take: {error!r}"
        event, after = foreseen
        assert learned.event is event, f"{copy} finds {learned.event} in lists that are {event}"
        copy.views[name] = replace(after, shown=copy.clock())
        self._agrees(copy, name)
        if event is ContactEvent.NEWER:
            self._has_dropped(copy, name)
        self._note(copy, learned.events, learned.needs, learned.outgoing)
        return event

    def send(self, copy: Copy, name: str, body: bytes) -> bytes | None:
        """Send a text, and return its id; None if it must not be sent."""
        view = copy.views.get(name)
        sent, error = self._call(copy, OF_SEND, lambda: copy.user.send(name, body))
        frozen = view is not None and view.other is not None and name != copy.address.name
        if view is None or copy.is_revoked or frozen:
            assert sent is None, f"{copy} sends what it must not"
            return None
        assert sent is not None, f"{copy} cannot send: {error!r}"
        theirs = {Address(name, each) for each in view.devices}
        others = {Address(copy.address.name, each) for each in copy.own.devices}
        due = frozenset((theirs | others) - {copy.address})
        bundles = [each for each in sent.needs if each.kind is NeedKind.BUNDLE]
        reached = [each.address for each in sent] + [each.address for each in bundles]
        assert sorted(reached) == sorted(due), f"{copy} forgets devices, or finds too many"
        self.texts[sent.id] = Text(copy.address, name, body, due, copy.honest, view.chain[0].hash)
        copy.memory.sent.add(sent.id)
        self._note(copy, (), sent.needs, sent.outgoing)
        return sent.id

    def upkeep(self, copy: Copy) -> None:
        """Let a process do what time asks for."""
        done, _ = self._call(copy, (), copy.user.upkeep)
        assert done is not None
        self._note(copy, done.events, done.needs, done.outgoing)

    def check_witness(self, copy: Copy) -> None:
        """Let a process ask whether its store went back, as an application does when it starts."""
        shown, highest = copy.memory.counter + 1, copy.witness.highest
        done, _ = self._call(copy, (), lambda: copy.user.check_witness(copy.witness))
        assert done is not None
        restored = EventKind.RESTORED in {each.kind for each in done.events}
        assert restored == (highest >= shown), f"{copy} does not notice a restored store, or invents one"
        copy.memory.counter = max(shown, highest)
        self._note(copy, done.events, done.needs, done.outgoing)

    def revoke(self, copy: Copy, device_id: int) -> Chain:
        """Revoke a device of the process's own user, and return the chain after that."""
        revoked, _ = self._call(copy, (), lambda: copy.user.revoke(device_id))
        assert revoked is not None
        self.are_lawful(revoked.device_list)
        name, chain = copy.address.name, (*copy.own.chain, revoked.device_list)
        copy.views[name] = replace(copy.own, chain=chain)
        self._agrees(copy, name)
        self._has_dropped(copy, name)
        taken, _ = self._call(copy, (), lambda: copy.user.learn(name, (revoked.device_list,)))
        assert taken is not None
        copy.views[name] = replace(copy.own, shown=copy.clock())
        self._note(copy, (), taken.needs, revoked.outgoing + taken.outgoing)
        return chain

    def begin(self, copy: Copy, address: Address, bundle: PrekeyBundle, *, right: bool) -> bool:
        """Hand over a prekey bundle, and return whether it was taken; `right`: it is the device's own."""
        view = copy.views.get(address.name)
        begun, error = self._call(copy, OF_BEGIN, lambda: copy.user.begin(address, bundle))
        frozen = view is not None and view.other is not None and address.name != copy.address.name
        listed = view is not None and view.devices.get(address.device_id)
        if not listed or copy.is_revoked or frozen or address == copy.address:
            assert begun is None, f"{copy} begins a session that it must not have"
        elif listed != bundle.identity.data or bundle.address != address:
            assert begun is None, f"{copy} begins a session with another device"
        elif right:
            assert begun is not None, f"{copy} cannot begin: {error!r}"
        self._note(copy, (), (), begun or ())
        return begun is not None

    def receive(
        self, copy: Copy, flight: Flight, *, claimed: Address | None = None, message: bytes | None = None
    ) -> Incoming:
        """Deliver a message; under another name, or with other bytes, if they are given."""
        sender = claimed or flight.sender
        data = flight.message if message is None else message
        pristine = claimed is None and message is None and flight.receiver == copy.address
        incoming, _ = self._call(copy, (), lambda: copy.user.receive(sender, data))
        assert incoming is not None
        self._judge(copy, flight, sender, incoming, pristine=pristine)
        if pristine and incoming.kind == ContentKind.LIST_NOTICE and incoming.outcome is Outcome.READ:
            self._noticed(copy, flight)
        self._note(copy, incoming.events, incoming.needs, incoming.outgoing)
        return incoming

    def decide(self, copy: Copy, name: str, *, replaces: bool) -> None:
        """Keep or replace the chain on record of a frozen contact."""
        contact, view = copy.user.contact(name), copy.views[name]
        decision = contact.replace if replaces else contact.keep
        _, error = self._call(copy, OF_DECIDING, decision)
        assert error is None, f"{copy} cannot decide: {error!r}"
        assert view.other is not None
        if replaces:
            devices = listed_ever(view.chain) | listed_ever(view.other)
            self.replaced |= {frozenset({copy.address, Address(name, each)}) for each in devices}
            self.dropped |= {id_ for id_ in copy.memory.sent if self.texts[id_].to == name}
        shown = copy.clock() if replaces else view.shown
        copy.views[name] = View(view.other if replaces else view.chain, shown=shown)
        self._agrees(copy, name)

    # --- what must be -----------------------------------------------------------------------------

    def _call(
        self, copy: Copy, documented: tuple[type[LetterlockError], ...], function: Callable[[], T]
    ) -> tuple[T | None, LetterlockError | None]:
        before = tables_of(copy.store) if documented else None
        try:
            return function(), None
        except documented as error:
            assert tables_of(copy.store) == before, f"{copy} changes its store in a call that raises"
            return None, error

    def _foresee(
        self, copy: Copy, name: str, view: View | None, lists: Sequence[DeviceList]
    ) -> type[LetterlockError] | tuple[ContactEvent | None, View]:
        """Return which error lists must lead to, or the event and what is on record after it."""
        if view is not None and view.other is not None and name != copy.address.name:
            return ContactFrozen
        if not lists:
            return UsageError if view is None else (ContactEvent.SAME, view)
        known = () if view is None else view.chain
        start = lists[0].snapshot.version - 1
        whole = (*known[:start], *lists)
        if start > len(known) or not is_chain(whole) or not all(id(each) in self.lawful for each in lists):
            return LetterlockError
        if view is None:
            ours = whole[0].hash == copy.own.chain[0].hash
            return LetterlockError if ours else (None, View(whole))
        event = event_of(known, whole)
        if event in {ContactEvent.SAME, ContactEvent.NEWER}:
            return event, replace(view, chain=max(known, whole, key=len))
        return event, view if name == copy.address.name else replace(view, other=whole)

    def _noticed(self, copy: Copy, flight: Flight) -> None:
        """Follow what a list notice must have done."""
        name = flight.sender.name
        view = copy.views[name]
        event = event_of(view.chain, flight.own_chain)
        before, after = len(view.chain), len(flight.own_chain)
        if event is ContactEvent.NEWER and after > before + 1 and version_on_record(copy, name) == before:
            return  # the versions between were in another notice
        if event is ContactEvent.NEWER:
            copy.views[name] = replace(view, chain=flight.own_chain)
        elif event is ContactEvent.FORK and name != copy.address.name:
            copy.views[name] = replace(view, other=flight.own_chain)
        self._agrees(copy, name)

    def _agrees(self, copy: Copy, name: str) -> None:
        """Check what a process has on record under a name."""
        view = copy.views[name]
        with copy.store.transaction():
            book = Book(copy.store)
            own, contact = book.own(), book.contact(name)
        if name == copy.address.name:
            assert own.pin.hash == view.chain[-1].hash, f"{copy} has other lists of its own on record"
            return
        assert contact is not None
        assert contact.pin.hash == view.chain[-1].hash, f"{copy} has other lists of {name} on record"
        frozen = contact.state is ContactState.CONFLICTING
        assert frozen == (view.other is not None), f"{copy} does not freeze {name}, or freezes it for nothing"
        assert contact.pin.user_id == view.chain[0].hash, "a user id changes, and with it a safety number"

    def _has_dropped(self, copy: Copy, name: str) -> None:
        """Check that there are no sessions with devices that are no longer listed."""
        peers = {each.address for each in copy.user.account.peers() if each.address.name == name}
        listed = {Address(name, each) for each in copy.views[name].devices}
        assert peers <= listed, f"{copy} keeps sessions with devices outside the newest list"

    def check_number(self, copy: Copy, name: str) -> None:
        """Check that a safety number is that of both user ids, whatever happened."""
        number = copy.user.contact(name).safety_number()
        right = user_safety_number(copy.own.chain[0].hash, copy.views[name].chain[0].hash)
        assert number == right, "a safety number is not that of both user ids"

    def _note(
        self, copy: Copy, events: Iterable[object], needs: Iterable[Need], outgoing: Iterable[Outgoing]
    ) -> None:
        for event in events:
            self.events.append((copy, event.kind, event.name, event.device))  # type: ignore[attr-defined]
        copy.memory.needs += [each for each in needs if each not in copy.memory.needs]
        for each in outgoing:
            self._post(copy, each)

    def _post(self, copy: Copy, outgoing: Outgoing) -> None:
        address = outgoing.address
        view = copy.views[address.name]
        assert not copy.is_revoked, f"{copy} was revoked and still writes"
        assert address != copy.address, f"{copy} writes to itself"
        assert view.other is None or address.name == copy.address.name, f"{copy} writes to a frozen contact"
        assert address.device_id in view.devices, f"{copy} writes to a device outside the newest list"
        flight = Flight.of(copy, outgoing)
        self.flights.append(flight)
        self.sent.append(flight)

    def _judge(
        self, copy: Copy, flight: Flight, sender: Address, incoming: Incoming, *, pristine: bool
    ) -> None:
        outcome, view = incoming.outcome, copy.views.get(sender.name)
        if outcome is not Outcome.READ:
            self.causes.append(incoming.cause or outcome)
        known = view is not None and (view.other is None or sender.name == copy.address.name)
        listed = view is not None and known and sender.device_id in view.devices
        if outcome is Outcome.HELD:
            assert not listed, f"{copy} holds a message of a listed device"
            if pristine:
                copy.memory.held.append(flight)
        elif outcome is Outcome.READ:
            assert pristine, f"{copy} reads what nobody sent it"
            assert listed, f"{copy} reads what a device outside the newest list wrote"
        elif outcome is Outcome.REPEATED:
            again = id(flight) in self.delivered or flight.content is None or flight.content not in self.texts
            assert again or flight.content in copy.memory.read, f"{copy} takes a new message for a repeat"
        elif pristine and listed:
            id_ = sender.device_id
            other_key = view is not None and view.devices.get(id_) != listed_in(flight.own_chain).get(id_)
            if not other_key and not self.is_spoiled(flight.sender, copy.address):
                assert id(flight) not in self.delivered, f"{copy} does not know a repeat"
                raise AssertionError(f"{copy} cannot read what {flight.sender} sent: {incoming.error!r}")
        if pristine and outcome is not Outcome.HELD:
            self.delivered.add(id(flight))
        if outcome is Outcome.READ and view is not None:
            self._asks(copy, flight, view, incoming)
        if incoming.body is not None:
            self._read(copy, flight, incoming)

    def _asks(self, copy: Copy, flight: Flight, view: View, incoming: Incoming) -> None:
        """Check that a reader asks for lists that the sender has and the reader lacks."""
        name = flight.sender.name
        unknown = flight.own_chain[-1].hash not in {each.hash for each in view.chain}
        if unknown and incoming.kind != ContentKind.LIST_NOTICE and copy.clock() - view.shown >= LISTS_PAUSE:
            lists = [each for each in incoming.needs if each.kind is NeedKind.LISTS]
            assert name in {each.name for each in lists}, f"{copy} does not ask for lists that it lacks"

    def _read(self, copy: Copy, flight: Flight, incoming: Incoming) -> None:
        assert incoming.id is not None
        text = self.texts.get(incoming.id)
        assert text is not None, f"{copy} reads a text that nobody sent"
        assert text.body == incoming.body, f"{copy} reads another text than was sent"
        assert text.sender == flight.sender, f"{copy} takes a text for that of {flight.sender}"
        assert (incoming.sender, incoming.device) == (text.sender.name, text.sender.device_id)
        ours = text.sender.name == copy.address.name
        assert incoming.to == (text.to if ours and text.to != text.sender.name else None), (
            f"{copy} misses to whom it went"
        )
        assert copy.address in text.due, f"{copy} reads a text that was not meant for it"
        if not copy.honest:
            self.intercepted.add((copy.address, incoming.id))
        copy.memory.read[incoming.id] += 1
        assert copy.memory.read[incoming.id] == 1, f"{copy} is given a text twice"


def version_on_record(copy: Copy, name: str) -> int:
    """Return the newest version that a process has on record under a name."""
    with copy.store.transaction():
        book = Book(copy.store)
        contact = None if name == copy.address.name else book.contact(name)
        return (book.own() if contact is None else contact).pin.version
