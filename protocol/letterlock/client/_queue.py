"""The queue: a user and everything that is on its way to or from it, in one store, without a network.

    send, learn, begin, receive, upkeep, revoke, ...      a call of the user, and what it returned, saved
                                                          in ONE transaction

    outgoing    -> posts, for the sender         needs     -> needs, for the fetcher
    events      -> notices, for the application  contents  -> arrived, for the application

So whatever a user hands out is on disk before anybody sees it, and a crash loses none of it.       [CLN-1]

Every method runs inside a transaction of the store, which the caller began. Not here: what is received
(_arrivals.py), calling the relay (_office.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol

from letterlock._device.prekeys import PrekeyRing, has_current, rotation_is_due
from letterlock._primitives.composite import CompositeSeed
from letterlock._primitives.entropy import Clock, Entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._records.account import decode_account
from letterlock._records.contact import ContactState
from letterlock._records.pin import PinnedList
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.device_list import DeviceList
from letterlock.client._errors import RelayMisbehaves
from letterlock.client._needs import Needs
from letterlock.client._posts import Posts
from letterlock.client._rows import Draft, Notice, OwnRecord
from letterlock.client._table import LATEST, MICROSECONDS, Tables
from letterlock.errors import PlaintextTooLong, UsageError
from letterlock.limits import HEAD_BYTES, KEPT_LIFETIME, MAX_COUNTER, MESSAGE_ID_BYTES
from letterlock.stores import Store
from letterlock.user import ContactFrozen, Event, EventKind, ListsLearned, Need, NeedKind, Outgoing, User
from letterlock.user._book import Book, device_of, gets_messages
from letterlock.user._outbox import Outbox, place

MAX_TEXT: Final = 640 * 1024
"""Bytes of a body and its attachments: sealed and padded, they fit into the 768 KiB of a relay's message."""
MAX_NOTICES: Final = 1000
"""Events that the application has not finished. Beyond them, the oldest one is forgotten."""
_MOST_AHEAD: Final = 2**20
"""How far a relay's number may be above that of the last publication. A greater one is a lie. [CLN-7]"""
_AROUND_ATTACHMENT: Final = 400
"""Bytes of the name and the media type of an attachment at most, and of what stands around them."""


class Result(Protocol):
    """What every call of a user returns that has messages to deliver."""

    @property
    def outgoing(self) -> tuple[Outgoing, ...]:
        """Messages to deliver."""
        ...


class Queue(Uncopyable):
    """A user over a store, and the rows of its client."""

    __slots__ = (
        "_account",
        "_book",
        "_entropy",
        "_outbox",
        "_ring",
        "judge_held",
        "needs",
        "posts",
        "tables",
        "user",
    )

    def __init__(self, user: User, store: Store, clock: Clock, entropy: Entropy) -> None:
        self.user = user
        self._entropy = entropy
        self._book = Book(store)
        self._outbox = Outbox(store)
        self._account = store.tables.account
        self._ring = PrekeyRing(store.tables, entropy)
        self.tables = Tables(store, clock, entropy)
        self.needs = Needs(self.tables)
        self.posts = Posts(self._book, self.tables, entropy, user.address)
        self.judge_held: Callable[[str], None] = lambda _: None
        """Gives the user what was held of a name once more. Set by the arrivals."""

    def draw(self, length: int) -> bytes:
        """Return random bytes."""
        return self._entropy(length)

    def own(self) -> OwnRecord:
        """Return the client's own record. Raises UsageError in a store that no client has used."""
        own = self.tables.own()
        if own is None:
            raise UsageError("this store belongs to no relay: make a client with `create`")
        return own

    def relay(self) -> str:
        """Return the relay's URL. Raises UsageError if the relay does not know this user yet."""
        own = self.own()
        if not own.registered:
            raise UsageError("the registration was cut short: call `create` again")
        return own.relay

    def registered(self) -> None:
        """Note that the relay knows this user."""
        self.tables.save_own(replace(self.own(), registered=True))

    def signing_seed(self) -> CompositeSeed:
        """Return the seed of this device's signing key."""
        return self._book.own().signing

    # --- sending --------------------------------------------------------------------------------------

    def send(self, draft: Draft, id_: bytes | None = None) -> bytes | None:
        """Send content, and return its id of 16 bytes, or None if the name is no contact yet.

        Raises UsageError, ContactFrozen, PlaintextTooLong.
        """
        check_length(draft)
        name = Address(draft.name).name
        contact = self._book.contact(name)
        if contact is None and name != self.user.name:
            return None
        parts = {"kind": draft.kind, "sent": draft.sent}
        sent = self.user.send(name, draft.body, **parts, attachments=draft.attachments, id=id_)
        self.take(sent, content=sent.id)
        return sent.id

    def draft(self, draft: Draft) -> bytes:
        """Keep content for a name that is no contact yet until its lists were fetched; return its id."""
        check_length(draft)
        id_ = self._entropy(MESSAGE_ID_BYTES)
        self.tables.drafts.save(id_, draft, self.tables.order())
        self.needs.lists(draft.name)
        return id_

    # --- what the directory shows ----------------------------------------------------------------------

    def known_version(self, name: str) -> int:
        """Return the newest version of a name's lists that the relay may have too, 0 if there is none."""
        if name == self.user.name:  # USR-64: not what this device alone knows
            return self._book.own().shown
        pin = self._pin(name)
        return 0 if pin is None or pin.snapshot is None else pin.version

    def head(self, name: str) -> tuple[int, bytes] | None:
        """Return version and head of the list on record, or None if there is none, or in a conflict."""
        pin, contact = self._pin(name), self._book.contact(name)
        if contact is not None and contact.state is ContactState.CONFLICTING and name != self.user.name:
            return None
        return None if pin is None or pin.snapshot is None else (pin.version, pin.hash[:HEAD_BYTES])

    def listed(self, name: str) -> tuple[int, ...]:
        """Return the ids of a name's devices that get messages."""
        pin = self._pin(name)
        return () if pin is None else gets_messages(pin.snapshot)

    def own_lists(self, after: int) -> tuple[bytes, ...]:
        """Return the versions of our own list after one of them, encoded."""
        own = self._book.own().pin
        return tuple(each.encode() for each in self.user.device_lists(after)) if own.version > after else ()

    def is_listed(self) -> bool:
        """Return whether this device is in the newest list of its user, as far as is known."""
        return device_of(self._book.own().pin, self.user.address.device_id) is not None

    def is_out_for_good(self) -> bool:
        """Return whether this device was revoked, and has no list left that the relay lacks."""
        own = self._book.own()
        return not self.is_listed() and own.shown == own.pin.version

    def uploaded(self, encoded: bytes) -> None:
        """Note that the relay took a version of our own list: our other devices are told of it. [USR-64]"""
        new = DeviceList.decode(encoded)
        if new.snapshot.device(self.user.address.device_id) is not None:  # else it cannot send any more
            self.learn(self.user.name, (new,))

    def _pin(self, name: str) -> PinnedList | None:
        if name == self.user.name:
            return self._book.own().pin
        contact = self._book.contact(name)
        return None if contact is None else contact.pin

    def learn(self, name: str, lists: Sequence[DeviceList]) -> ListsLearned:
        """Take what the relay shows under a name; send the drafts for it, and judge what was held.

        Raises what `User.learn` raises.
        """
        before = self.listed(name)
        learned = self.user.learn(name, lists)
        self._extend(name, before)
        self.take(learned)
        self.needs.met(Need(NeedKind.LISTS, name))
        for id_, draft in self.tables.drafts.due():
            if draft.name == name:
                self.tables.drafts.delete(id_)
                try:
                    self.send(draft, id_)
                except (UsageError, ContactFrozen):
                    self.notice(EventKind.GIVEN_UP, name)
        self.judge_held(name)
        return learned

    def _extend(self, name: str, before: tuple[int, ...]) -> None:
        """Let what the relay has not taken yet go to the devices too that were just learned.

        They have no session. So the content gets a place that waits for one.
        """
        new = [Address(name, each) for each in self.listed(name) if each not in before]
        own = self.user.address
        for id_ in self.posts.contents(name) if before and new else ():
            sent = self._outbox.load(id_)
            if sent is not None:
                there = {each.device for each in sent.places}
                places = tuple(place(each, None) for each in new if each not in there and each != own)
                self._outbox.change_one(id_, replace(sent, places=(*sent.places, *places)))

    def begin(self, address: Address, bundle: PrekeyBundle) -> None:
        """Begin a session, and send what waited for it. Raises what `User.begin` raises."""
        self.take(self.user.begin(address, bundle))
        self.needs.met(Need(NeedKind.BUNDLE, address.name, address.device_id))

    def decide(self, name: str, *, replaces: bool) -> None:
        """End a conflict: keep the lists on record, or take the others. Raises UsageError."""
        contact = self.user.contact(name)
        if replaces:
            contact.replace()
        else:
            contact.keep()
        self.needs.lists(name, contact.version)
        self.needs.hurry(name)
        self.posts.hurry(name)
        self.judge_held(name)

    def revoke(self, device_id: int) -> None:
        """Take a device out of our list. What a device says that revokes itself goes out before the list."""
        pin = self._book.own().pin
        revoked = self.user.revoke(device_id)
        own = device_id == self.user.address.device_id
        self.take(revoked, (pin.version, pin.hash[:HEAD_BYTES]) if own else None)

    # --- time and prekeys -------------------------------------------------------------------------------

    def upkeep(self) -> bool:
        """Do what time asks for; return whether prekeys must be published."""
        now = self.tables.clock()
        kept = (now - KEPT_LIFETIME) * MICROSECONDS
        for _, draft in self.tables.drafts.due(kept):
            self.notice(EventKind.GIVEN_UP, draft.name)
        for _, held in self.tables.held.due(kept):
            self.notice(EventKind.GIVEN_UP, held.sender.name, held.sender.device_id)
        self.tables.drafts.delete_due(kept)
        self.tables.held.delete_due(kept)
        done = self.user.upkeep()
        self.take(done)
        return done.publish

    def compare(self, shown: int, highest: int) -> bool:
        """Compare counters with the relay; return whether prekeys must be published. [USR-59]"""
        found = self.user.compare_with_witness(shown, highest)
        self.take(found)
        return found.publish

    def refill(self, stock: int) -> bool:
        """Return whether prekeys must be published because the relay has few left, as it says. [CLN-16]"""
        own, now = self.own(), self.tables.clock()
        if not own.supply.is_low(stock) or self._rotates(now):  # what was retired was not used
            return False
        supply = own.supply.refilled(self._ring.unused(now), now)
        if supply is not None:
            self.tables.save_own(replace(own, supply=supply))
        return supply is not None

    def publish(self, most: int) -> tuple[int, bytes]:
        """Return number and bytes of the next publication, which is kept until `published`.

        It has as many pairs as the supply says, but no more than `most`. Raises RelayMisbehaves if a relay
        has used up the numbers.
        """
        own = self.own()
        if own.number >= MAX_COUNTER:
            raise RelayMisbehaves("has used up the numbers of publications")
        now, supply = self.tables.clock(), own.supply
        if own.number and self._rotates(now):
            supply = supply.rotated()
        elif not self._ring.unused(now):
            supply = supply.refilled(0, now) or supply
        publication = self.user.publish(min(supply.level, most)).encode()
        supply = supply.published(self._ring.unused(now), now)
        own = replace(own, number=own.number + 1, publication=publication, supply=supply)
        self.tables.save_own(own)
        return own.number, publication

    def _rotates(self, now: int) -> bool:
        """Return whether a publication replaces everything that the relay has."""
        record = self._account.load()
        account = None if record is None else record.decoded(decode_account)
        return account is None or not has_current(account) or rotation_is_due(account, now)

    def published(self, number: int) -> None:
        """Forget the bytes of a publication that the relay has."""
        own = self.own()
        if own.number == number:
            self.tables.save_own(replace(own, publication=None))

    def renumber(self, newest: int) -> None:
        """Give up a publication that the relay refused. The next one has a number above `newest`.

        Raises RelayMisbehaves for a number that no device of this user has reached.
        """
        own = self.own()
        if newest > own.number + _MOST_AHEAD:
            raise RelayMisbehaves("names a publication that nobody has made")
        self.tables.save_own(replace(own, number=max(own.number, newest), publication=None))

    # --- what calls of the user return ------------------------------------------------------------------

    def take(
        self, result: Result, made_for: tuple[int, bytes] | None = None, content: bytes | None = None
    ) -> None:
        """Save what a call of the user returned, in the transaction of that call."""
        needs: tuple[Need, ...] = getattr(result, "needs", ())
        events: tuple[Event, ...] = getattr(result, "events", ())
        self.posts.add(result.outgoing, made_for, content)
        for need in needs:
            self.needs.add(need)
        for event in events:
            self.notice(event.kind, event.name, event.device)

    def notice(self, kind: EventKind, name: str, device: int | None = None) -> None:
        """Save an event for the application."""
        self.tell(Notice(kind.value, name, device))

    def tell(self, notice: Notice) -> None:
        """Save an event for the application."""
        notices = self.tables.notices
        self.tables.append(notices, notice)
        if notices.count() > MAX_NOTICES:
            notices.delete(notices.due(LATEST, 1)[0][0])


def check_length(draft: Draft) -> None:
    """Raise PlaintextTooLong for what no message of a relay can carry."""
    size = len(draft.body) + sum(len(each.data) + _AROUND_ATTACHMENT for each in draft.attachments)
    if size > MAX_TEXT:
        raise PlaintextTooLong(size, MAX_TEXT)
