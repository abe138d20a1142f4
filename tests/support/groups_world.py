"""People with groups, and a relay between them that orders logs and keeps texts.

    Town      people and the relay; mail waits until `settle` or `deliver_mail` carries it
    Phone     a device of a person: what it read, what it holds back, how far it read the relay's texts
    Relay     a log and a stream of texts for each group, as an honest relay has them; a test makes it lie
    Sealed    a text with what its author knew when it sealed it

Whatever a phone reads is checked at once against what its author knew: `Town.check_read`.

Not here: random plays (groups_play.py).
"""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from letterlock import Address
from letterlock._records.collection import LogState
from letterlock._wire.group_text import GroupText
from letterlock._wire.log_entry import LogEntry
from letterlock.documents._log_rules import follow
from letterlock.errors import UsageError
from letterlock.groups import (
    GroupChange,
    GroupEvent,
    GroupEventKind,
    GroupIncoming,
    GroupKeyMissing,
    GroupPost,
    Groups,
    GroupTaken,
)
from letterlock.user import Need, NeedKind, Outcome, Outgoing, OwnDeviceRevoked, User
from support.user_devices import Clock, Person

MAX_TURNS: Final = 200
"""Turns in which everything has to come to rest."""


@dataclass(frozen=True)
class Sealed:
    """A text: who sealed it, after which entry, and for which users and devices, as its author knew them.

    `is_posted` says that the relay took it.
    """

    body: bytes
    author: "Phone" = field(repr=False)
    group: bytes
    head: bytes
    members: frozenset[bytes]
    devices: frozenset[Address]
    text: bytes = field(repr=False)
    is_posted: bool = True


@dataclass
class Relay:
    """An honest relay: it takes the entry that follows, and texts that name the newest entry."""

    logs: dict[bytes, list[bytes]] = field(default_factory=dict)
    texts: dict[bytes, list[bytes]] = field(default_factory=dict)

    def append(self, change: GroupChange) -> bool:
        """Take an entry if it follows."""
        log = self.logs.setdefault(change.group, [])
        newest = LogEntry.decode(log[-1]).hash if log else None
        if len(log) + 1 != change.number or newest != change.before:
            return False
        log.append(change.entry)
        return True

    def post(self, post: GroupPost) -> bool:
        """Take a text, unless it names an older entry."""
        if GroupText.decode(post.text).place.entry != len(self.logs[post.group]):
            return False
        self.texts.setdefault(post.group, []).append(post.text)
        return True


class Phone:
    """A device of a person, and what a client would keep for it."""

    def __init__(self, town: "Town", name: str, user: User) -> None:
        self.town = town
        self.name = name
        self.user = user
        self.groups = Groups(user)
        self.place: dict[bytes, int] = {}
        self.held: dict[bytes, list[bytes]] = {}
        self.read: list[bytes] = []
        self.events: list[GroupEvent] = []
        self.refused: list[GroupIncoming] = []

    @property
    def address(self) -> Address:
        """The address of the device."""
        return self.user.address

    def knows(self, group: bytes) -> bool:
        """Return whether the log of a group is on record."""
        return any(each.id == group for each in self.groups.all())

    def has_event(self, kind: GroupEventKind) -> bool:
        """Return whether something happened, as this phone was told."""
        return any(each.kind is kind for each in self.events)

    def __repr__(self) -> str:
        return str(self.address)


class Town:
    """People by their names, all of whom know all device lists in the beginning."""

    def __init__(self, **devices: int) -> None:
        self.clock = Clock()
        self.relay = Relay()
        self.people = {name: Person(name, self.clock) for name in devices}
        self.phones: dict[Address, Phone] = {}
        self.flights: list[tuple[Address, Outgoing]] = []
        self.blind: set[Phone] = set()
        self.sealed: dict[bytes, Sealed] = {}
        self.states: dict[bytes, LogState] = {}
        for name, count in devices.items():
            for _ in range(count - 1):
                self.people[name].add()
            for user in self.people[name].devices.values():
                self.phones[user.address] = Phone(self, name, user)
        self.learn()

    def phone(self, name: str, device: int = 1) -> Phone:
        """Return a device of a person."""
        return self.phones[Address(name, device)]

    def groups(self, name: str, device: int = 1) -> Groups:
        """Return the groups of a device."""
        return self.phone(name, device).groups

    def phones_of(self, name: str) -> list[Phone]:
        """Return all devices of a person."""
        return [each for each in self.phones.values() if each.name == name]

    def user_id(self, name: str) -> bytes:
        """Return the id of a person."""
        return self.people[name].first.user_id

    def link(self, name: str) -> Phone:
        """Link one more device of a person. It has learned nothing yet."""
        user = self.people[name].add()
        self.phones[user.address] = Phone(self, name, user)
        return self.phones[user.address]

    def learn(self, *phones: Phone) -> None:
        """Show all phones, or these, the newest lists of everybody."""
        for phone in phones or tuple(self.phones.values()):
            for other in self.people.values():
                learned = phone.user.learn(other.name, other.lists)
                self.carry(phone, learned.outgoing, learned.needs)

    # --- mail -------------------------------------------------------------------------------------

    def carry(self, phone: Phone, outgoing: tuple[Outgoing, ...], needs: tuple[Need, ...] = ()) -> None:
        """Put messages on their way, and fetch what is needed for more."""
        self.flights += [(phone.address, each) for each in outgoing]
        for need in needs:
            self._meet(phone, need)

    def _meet(self, phone: Phone, need: Need) -> None:
        if need.kind is NeedKind.LISTS:
            learned = phone.user.learn(need.name, self.people[need.name].lists[need.after or 0 :])
            self.carry(phone, learned.outgoing, learned.needs)
            return
        owner = self.phones.get(need.address)
        newest = self.people[need.name].lists[-1].snapshot
        if owner is not None and newest.device(owner.address.device_id) is not None:
            with suppress(OwnDeviceRevoked):  # it is told, and begins nothing any more
                begun = phone.user.begin(need.address, owner.user.account.bundle())
                self.carry(phone, begun.outgoing)

    def deliver(self, sender: Address, outgoing: Outgoing) -> None:
        """Deliver one message, and let the receiver process it."""
        phone = self.phones.get(outgoing.address)
        if phone is None:
            return
        for _ in range(2):
            incoming = phone.user.receive(sender, outgoing.message)
            self.carry(phone, incoming.outgoing, incoming.needs)
            if incoming.outcome is not Outcome.HELD:
                break
        self.process(phone)

    def process(self, phone: Phone) -> None:
        """Let a phone take the letters that arrived, and what it held back before them."""
        done = phone.groups.process()
        phone.events += done.events
        self.carry(phone, done.outgoing, done.needs)
        for group in () if phone in self.blind else done.unknown:
            self.take(phone, group)
        for group in done.retry:
            self.retry(phone, group)

    def deliver_mail(self) -> bool:
        """Deliver all that is on its way now; return whether there was anything."""
        flights, self.flights = self.flights, []
        for sender, outgoing in flights:
            self.deliver(sender, outgoing)
        return bool(flights)

    # --- logs -------------------------------------------------------------------------------------

    def give(self, phone: Phone, change: GroupChange) -> bool:
        """Offer a change to the relay, and go on with its answer. Return whether the log has it at last."""
        for _ in range(MAX_TURNS):
            if self.relay.append(change):
                self.note_state(change)
                self.after_taking(phone, phone.groups.accepted(change))
                return True
            taken = self.take(phone, change.group)
            if taken is None or taken.change is None:
                return False
            change = taken.change
        raise AssertionError("a change is made again for ever")

    def note_state(self, change: GroupChange) -> None:
        """Note what the log comes to with an entry."""
        entry = LogEntry.decode(change.entry)
        before = self.states.get(change.before) if change.before is not None else None
        self.states[entry.hash] = follow(before, entry)

    def take(self, phone: Phone, group: bytes, upto: int | None = None) -> GroupTaken | None:
        """Show a phone the log of a group, up to an entry, or whole; learn lists that it lacks."""
        log, taken = self.relay.logs.get(group, [])[:upto], None
        for _ in range(len(self.people) + 1):
            known = phone.groups.get(group).number if phone.knows(group) else 0
            if len(log) < known or not log or (known and phone.groups.get(group).forked):
                return taken
            taken = phone.groups.take(group, log[known:])
            self.after_taking(phone, taken, known)
            if taken.missing is None:
                return taken
            missing = taken.missing.user_id
            (name,) = (each for each in self.people if self.user_id(each) == missing)
            learned = phone.user.learn(name, self.people[name].lists)
            self.carry(phone, learned.outgoing, learned.needs)
        raise AssertionError("lists are missing for ever")

    def after_taking(self, phone: Phone, taken: GroupTaken, known: int = 0) -> None:
        """Do what the taking of entries after number `known` leads to."""
        phone.events += taken.events
        self.carry(phone, taken.outgoing, taken.needs)
        if taken.number > known:
            self.process(phone)
            self.retry(phone, taken.group)

    # --- texts ------------------------------------------------------------------------------------

    def send(self, phone: Phone, group: bytes, body: bytes) -> Sealed:
        """Seal a text and post it; if the log went on, take it and seal again. Raises as `encrypt`."""
        for _ in range(MAX_TURNS):
            sealed = self.seal(phone, group, body)
            if sealed.is_posted:
                return sealed
            self.take(phone, group)
            body += b"'"
        raise AssertionError("a text is never posted")

    def seal(self, phone: Phone, group: bytes, body: bytes) -> Sealed:
        """Seal a text, and post it if the relay takes it. Raises as `encrypt`."""
        post = phone.groups.encrypt(group, body)
        devices = frozenset(each for each in self._listed(phone) if each != phone.address)
        self.carry(phone, post.outgoing, post.needs)  # it may learn of more devices by that
        head = phone.groups.get(group).head
        members = frozenset(each.name.id for each in self.states[head].users)
        is_posted = self.relay.post(post)
        made = Sealed(body, phone, group, head, members, devices, post.text, is_posted)
        assert body not in self.sealed
        self.sealed[body] = made
        return made

    def _listed(self, phone: Phone) -> set[Address]:
        """Return the devices of everybody as far as a phone knows."""
        found = {Address(phone.name, each.id) for each in phone.user.devices()}
        for contact in phone.user.contacts():
            newest = self.people[contact.name].lists[contact.version - 1].snapshot
            found |= {Address(contact.name, each.id) for each in newest.devices}
        return found

    def show(self, phone: Phone, group: bytes, text: bytes) -> GroupIncoming:
        """Show a phone one text; keep it if it is held. What is read is checked."""
        incoming = phone.groups.decrypt(group, text)
        phone.events += incoming.events
        if incoming.outcome is Outcome.READ:
            self.check_read(phone, text, incoming)
        elif incoming.outcome is Outcome.HELD:
            held = phone.held.setdefault(group, [])
            if text not in held:
                held.append(text)
        elif incoming.outcome is Outcome.REFUSED:
            phone.refused.append(incoming)
        return incoming

    def check_read(self, phone: Phone, text: bytes, incoming: GroupIncoming) -> None:
        """Check that a phone may read what it read, that nobody forged it, and that it is read once."""
        body = incoming.text
        assert body is not None
        sealed = self.sealed[body]  # a KeyError: somebody forged a text
        assert text == sealed.text
        assert (incoming.user_id, incoming.device) == (
            sealed.author.user.user_id,
            sealed.author.address.device_id,
        )
        assert phone.user.user_id in sealed.members, f"{phone} reads what was not sealed for it"
        assert phone.address in sealed.devices, f"{phone} reads what was sealed after it was revoked"
        assert body not in phone.read, f"{phone} reads a text twice"
        (entry, *_) = phone.groups.log(sealed.group, incoming.entry - 1)
        assert LogEntry.decode(entry).hash == sealed.head, f"{phone} reads a text of another history"
        phone.read.append(body)

    def retry(self, phone: Phone, group: bytes) -> None:
        """Show a phone what it held back."""
        held, phone.held[group] = phone.held.get(group, []), []
        for text in held:
            self.show(phone, group, text)

    def read_texts(self, phone: Phone, group: bytes, upto: int | None = None) -> None:
        """Let a phone read the relay's texts from where it left off."""
        texts = self.relay.texts.get(group, [])
        start = phone.place.get(group, 0)
        new = texts[start:upto]
        for text in new:
            self.show(phone, group, text)
        phone.place[group] = start + len(new)

    # --- rest -------------------------------------------------------------------------------------

    def sync(self, phone: Phone, group: bytes) -> None:
        """Let a phone take the log and the texts of a group as an honest relay shows them."""
        self.take(phone, group)
        if phone.knows(group):
            self.read_texts(phone, group)
            self.retry(phone, group)

    def upkeep(self, phone: Phone) -> None:
        """Let a phone do what is due."""
        done = phone.user.upkeep()
        self.carry(phone, done.outgoing, done.needs)
        kept = phone.groups.upkeep()
        self.carry(phone, kept.outgoing, kept.needs)
        for change in kept.changes:
            self.give(phone, change)

    def settle(self, group: bytes, *phones: Phone) -> None:
        """Let everybody read everything, until nothing is on its way."""
        chosen = phones or tuple(self.phones.values())
        for _ in range(MAX_TURNS):
            for phone in chosen:
                self.sync(phone, group)
            if not self.deliver_mail():
                return
        raise AssertionError("mail about groups never comes to rest")

    def begin(self, name: str, *members: str, **options: bool) -> bytes:
        """Let a person create a group with others, and all of them take it. Return its id."""
        phone = self.phone(name)
        change = phone.groups.create("group", members, **options)
        assert self.give(phone, change)
        self.settle(change.group)
        return change.group


def is_refused_for(error: Exception) -> bool:
    """Return whether a call was refused because of the state of the group, as a play expects."""
    return isinstance(error, UsageError | GroupKeyMissing)
