"""Users with several devices, and a directory and prekey server between them that a test can make lie.

    Person       one user: a `User` object for each device, all in stores of their own
    Servers      the directory and the prekey server; `deliver` carries messages, meets needs and keeps a log
    Clock        a time that a test moves

Not here: device lists of people without accounts (user_tools.py).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from letterlock import Address, MemoryStore, Store
from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.entropy import system_entropy
from letterlock._records.user import UserRecord
from letterlock.user import (
    DeviceClass,
    DeviceList,
    Incoming,
    Need,
    NeedKind,
    NewDevice,
    Outcome,
    Outgoing,
    User,
)
from letterlock.user._document_seeds import document_key_pair, new_seed
from letterlock.user._drafts import next_snapshot
from letterlock.user._signatures import sign_snapshot
from support.pair import NOON


@dataclass
class Clock:
    """Seconds since 1970."""

    now: int = NOON

    def __call__(self) -> int:
        return self.now


def own_record(user: User) -> UserRecord:
    """Return what a user's store says of itself."""
    with user.transaction():
        return user._desk.book.own()


class Person:
    """One user and its devices, by their ids."""

    def __init__(self, name: str, clock: Clock, store: Callable[[], Store] = MemoryStore) -> None:
        self.name = name
        self.clock = clock
        self.store = store
        first = User.create(store(), name, clock=clock)
        self.devices: dict[int, User] = {1: first}
        self.lists: list[DeviceList] = list(first.device_lists())

    @property
    def first(self) -> User:
        """The first device."""
        return self.devices[1]

    def signing(self, device_id: int) -> DeviceSigningKeyPair:
        """Return the signing key of a device."""
        return DeviceSigningKeyPair(own_record(self.devices[device_id]).signing)

    def add(self, signer: int = 1, device_class: DeviceClass = DeviceClass.FULL) -> User:
        """Link a device; its id is the version that adds it. The signer alone knows of it then."""
        self.devices[signer].learn(self.name, self.lists)
        new = NewDevice.begin(self.store(), suites=self.first._desk.environment.suites, clock=self.clock)
        link = self.devices[signer].link(new.code, new.bundle, device_class)
        link.receive(new.receive_offer(link.offer))
        assert link.digits == new.digits
        confirmed = link.confirm()
        self.lists.append(confirmed.device_list)
        self.devices[signer].learn(self.name, self.lists)  # the directory took it
        added = new.receive_package(confirmed.package)
        self.devices[added.address.device_id] = added
        return added

    def revoke(self, device_id: int, signer: int = 1) -> DeviceList:
        """Revoke a device, and return the new version. The signer alone knows of it then."""
        self.devices[signer].learn(self.name, self.lists)
        self.lists.append(self.devices[signer].revoke(device_id).device_list)
        self.devices[signer].learn(self.name, self.lists)  # the directory took it
        return self.lists[-1]

    def fork(self, signer: int = 1, at: int | None = None) -> list[DeviceList]:
        """Return another chain: the versions up to `at`, and one that follows it with a new document key."""
        base = self.lists[: at or len(self.lists) - 1]
        key = document_key_pair(new_seed(system_entropy)).public.data
        snapshot = next_snapshot(base[-1], self.lists[0].hash, self.clock(), document_key=key)
        return [*base, sign_snapshot(snapshot, signer, self.signing(signer))]


@dataclass
class Servers:
    """A directory and a prekey server that are honest unless a test changes `lists`."""

    people: dict[str, Person] = field(default_factory=dict)
    lists: dict[str, list[DeviceList]] = field(default_factory=dict)
    read: dict[Address, list[Incoming]] = field(default_factory=dict)
    carried: list[tuple[Address, Outgoing]] = field(default_factory=list)

    def join(self, *people: Person) -> None:
        """Register people, and show their newest lists from now on."""
        for person in people:
            self.people[person.name] = person
            self.lists[person.name] = person.lists

    def meet(self, user: User, needs: Iterable[Need]) -> None:
        """Fetch what a user needs, and carry what that leads to."""
        for need in needs:
            if need.kind is NeedKind.LISTS:
                learned = user.learn(need.name, self.lists[need.name][need.after or 0 :])
                self.carry(user, learned.outgoing)
                self.meet(user, learned.needs)
            else:
                owner = self.people[need.name].devices[need.address.device_id]
                self.carry(user, user.begin(need.address, owner.account.bundle()))

    def carry(self, sender: User, outgoing: Iterable[Outgoing]) -> None:
        """Deliver messages at once, and all that they lead to."""
        for each in outgoing:
            self.carried.append((sender.address, each))
            self.deliver(sender.address, each)

    def deliver(self, sender: Address, outgoing: Outgoing) -> Incoming:
        """Deliver one message; one that is held is given again once its needs are met."""
        user = self.people[outgoing.address.name].devices[outgoing.address.device_id]
        incoming = user.receive(sender, outgoing.message)
        self.meet(user, incoming.needs)
        if incoming.outcome is Outcome.HELD:
            incoming = user.receive(sender, outgoing.message)
            self.meet(user, incoming.needs)
        self.read.setdefault(user.address, []).append(incoming)
        self.carry(user, incoming.outgoing)
        return incoming

    def send(self, user: User, name: str, body: bytes, **options: object) -> bytes:
        """Send a text, meet its needs, deliver everything. Return its id."""
        sent = user.send(name, body, **options)  # type: ignore[arg-type]
        self.carry(user, sent)
        self.meet(user, sent.needs)
        return sent.id

    def bodies(self, user: User) -> list[bytes]:
        """Return every body that a device was given."""
        return [each.body for each in self.read.get(user.address, []) if each.body is not None]


@dataclass
class World:
    """Alice and Bob with some devices each, who know each other."""

    clock: Clock
    servers: Servers
    alice: Person
    bob: Person


def world(alices: int = 1, bobs: int = 1, store: Callable[[], Store] = MemoryStore) -> World:
    """Return two people who have learned each other's lists; no session has begun."""
    clock = Clock()
    alice, bob = Person("alice", clock, store), Person("bob", clock, store)
    for person, count in ((alice, alices), (bob, bobs)):
        for _ in range(count - 1):
            person.add()
    servers = Servers()
    servers.join(alice, bob)
    for person, other in ((alice, bob), (bob, alice)):
        for user in person.devices.values():
            user.learn(other.name, other.lists)
            if len(person.lists) > 1:
                user.learn(person.name, person.lists)
    return World(clock, servers, alice, bob)


MINUTE: Final = 60
