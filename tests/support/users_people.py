"""People of the model of users: their devices, the processes that run them, and what those must know.

    Owner      one person: all device lists that are true, and the devices
    Copy       one process that runs a device: its owner's, or a thief's; a store that can be put back
    View       what one process must have on record under one name

Not here: the calls (users_world.py); the directory (users_directory.py).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from letterlock import Address, MemoryStore
from letterlock._device.device import Device
from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.xeddsa import NONCE_BYTES
from letterlock._records.user import UserRecord
from letterlock._wire.content import message_tag
from letterlock._wire.suite import Suite
from letterlock.stores import Store
from letterlock.user import DeviceClass, DeviceList, ListChain, Need, Outgoing, User
from letterlock.user._admission import Admission
from letterlock.user._book import Book
from letterlock.user._creation import first_list, save_user
from letterlock.user._desk import desk_of, user_environment
from letterlock.user._document_seeds import Seeds, document_key_pair, new_seed
from letterlock.user._drafts import next_snapshot
from letterlock.user._linking import DeviceKeys
from letterlock.user._outbox import Outbox
from letterlock.user._signatures import listed_device, prove_possession, sign_snapshot
from support.memory_copies import copy_of

Chain = tuple[DeviceList, ...]
Clock = Callable[[], int]

SUITES: Final = frozenset({Suite.X3DH})
"""Its handshake draws all randomness from the entropy of the play, so a play is the same each time."""


@dataclass(frozen=True)
class Flight:
    """A message on its way: who sealed it, for whom, and the sender's own chain at that time."""

    sender: Address
    receiver: Address
    message: bytes = field(repr=False)
    own_chain: Chain = field(repr=False)
    honest: bool
    content: bytes | None
    """The id of the content, if it is one that the sender keeps until it is acknowledged."""

    @classmethod
    def of(cls, copy: "Copy", outgoing: Outgoing) -> "Flight":
        chain = copy.views[copy.address.name].chain
        content = copy.contents().get(message_tag(outgoing.message))
        return cls(copy.address, outgoing.address, outgoing.message, chain, copy.honest, content)


@dataclass
class Remembered:
    """A witness of one device."""

    highest: int = 0

    def advance(self, counter: int) -> int:
        before, self.highest = self.highest, max(self.highest, counter)
        return before


@dataclass(frozen=True)
class View:
    """A chain, the one that contradicts it if the contact is frozen, and when lists were shown last."""

    chain: Chain
    other: Chain | None = None
    shown: int = 0

    @property
    def devices(self) -> dict[int, bytes]:
        """The identity keys of the devices that get messages, by their ids."""
        return listed(self.chain)

    @property
    def names_as_revoked(self) -> set[int]:
        """The ids that the newest version names as revoked."""
        return {each.id for each in self.chain[-1].snapshot.revoked}


def listed(chain: Chain) -> dict[int, bytes]:
    """Return the identity keys of all devices in the newest version, by their ids."""
    return {each.id: each.identity.data for each in chain[-1].snapshot.devices}


@dataclass
class Memory:
    """What is lost with a store: what the process knows, and what the application keeps beside it."""

    views: dict[str, View] = field(default_factory=dict)
    read: Counter[bytes] = field(default_factory=Counter)
    needs: list[Need] = field(default_factory=list)
    held: list[Flight] = field(default_factory=list)
    sent: set[bytes] = field(default_factory=set)
    counter: int = 0

    def copy(self) -> "Memory":
        lists = list(self.needs), list(self.held)
        return Memory(dict(self.views), Counter(self.read), *lists, set(self.sent), self.counter)


class Copy:
    """One process that runs a device."""

    def __init__(
        self, store: MemoryStore, clock: Clock, entropy: Entropy, memory: Memory, *, honest: bool = True
    ) -> None:
        self.clock, self.entropy, self.honest = clock, entropy, honest
        self.memory = memory
        self.shelf: list[tuple[MemoryStore, Memory]] = []
        self.forgotten: set[bytes] = set()
        self.witness = Remembered()
        self._open(store)

    def _open(self, store: MemoryStore) -> None:
        self.store = store
        self.user = open_user(store, self.clock, self.entropy)
        self.address = self.user.address

    @property
    def views(self) -> dict[str, View]:
        return self.memory.views

    @property
    def own(self) -> View:
        """What it must know of its own user."""
        return self.views[self.address.name]

    @property
    def is_revoked(self) -> bool:
        """Whether it must know that it was revoked."""
        return self.address.device_id not in self.own.devices

    def contents(self) -> dict[bytes, bytes]:
        """Return the ids of contents that are not acknowledged, by the tags of their messages."""
        with self.store.transaction():
            sent = [each for _, each in Outbox(self.store).all()]
        return {place.tag: each.content.id for each in sent for place in each.places if place.tag}

    def waits_for(self) -> set[Address]:
        """Return the devices that have not acknowledged everything."""
        with self.store.transaction():
            return {place.device for _, each in Outbox(self.store).all() for place in each.places}

    def signing(self) -> DeviceSigningKeyPair:
        return DeviceSigningKeyPair(own_record(self.store).signing)

    def keep_a_copy(self) -> None:
        self.shelf.append((copy_of(self.store), self.memory.copy()))
        del self.shelf[:-2]

    def restore(self, at: int) -> None:
        """Stop the process, put a copy of the store in its place, start again."""
        store, memory = self.shelf[at % len(self.shelf)]
        known = self.memory
        self.memory = memory.copy()
        self.forgotten |= (set(known.read) - set(memory.read)) | (known.sent - memory.sent)
        self._open(copy_of(store))

    def restart(self) -> None:
        self._open(copy_of(self.store))

    def stolen(self) -> "Copy":
        """Return a thief's process that goes on from here."""
        return Copy(copy_of(self.store), self.clock, self.entropy, self.memory.copy(), honest=False)

    def __repr__(self) -> str:
        return f"{self.address}{'' if self.honest else ' (thief)'}"


@dataclass
class Owner:
    """One person: the true chain, and a process for each device that was ever listed in it."""

    name: str
    chain: Chain
    devices: dict[int, Copy] = field(default_factory=dict)

    @property
    def listed(self) -> list[Copy]:
        """The processes of the devices that the true chain lists."""
        return [self.devices[each] for each in listed(self.chain) if each in self.devices]


def new_owner(name: str, clock: Clock, entropy: Entropy) -> Owner:
    """Return a person with one device."""
    keys = DeviceKeys.generate(entropy)
    seed = new_seed(entropy)
    environment = user_environment(Admission(Book(MemoryStore())), SUITES, clock, entropy)
    chain = (first_list(keys, seed, environment),)
    owner = Owner(name, chain)
    owner.devices[1] = new_copy(Address(name, 1), keys, chain, ((1, seed),), clock, entropy)
    return owner


def new_copy(
    address: Address, keys: DeviceKeys, chain: Chain, seeds: Seeds, clock: Clock, entropy: Entropy
) -> Copy:
    """Return a process for a device that the chain lists."""
    store = MemoryStore()
    book = Book(store)
    environment = user_environment(Admission(book), SUITES, clock, entropy)
    with store.transaction():
        Device.create(store, address, environment, identity=keys.identity)
        save_user(book, address.device_id, keys, ListChain(chain), seeds, clock())
    return Copy(store, clock, entropy, Memory({address.name: View(chain)}))


def adding(chain: Chain, signer: Copy, entropy: Entropy) -> tuple[DeviceList, DeviceKeys]:
    """Return the version after a chain in which `signer` adds a device, and the keys of that device."""
    keys, device_id = DeviceKeys.generate(entropy), len(chain) + 1
    device = listed_device(device_id, keys.identity.public, keys.signing.public, DeviceClass.FULL, device_id)
    snapshot = next_snapshot(chain[-1], chain[0].hash, signer.clock(), add=(device,))
    proof = prove_possession(snapshot, device_id, keys.identity, keys.signing, entropy(NONCE_BYTES))
    return sign_snapshot(snapshot, signer.address.device_id, signer.signing(), (proof,)), keys


def revoking(chain: Chain, signer: Copy, entropy: Entropy, *devices: int) -> DeviceList:
    """Return the version after a chain in which `signer` revokes devices, or none."""
    key = document_key_pair(new_seed(entropy)).public.data
    snapshot = next_snapshot(chain[-1], chain[0].hash, signer.clock(), revoke=devices, document_key=key)
    return sign_snapshot(snapshot, signer.address.device_id, signer.signing())


# --- stores -----------------------------------------------------------------------------------------------


def open_user(store: Store, clock: Clock, entropy: Entropy) -> User:
    """Do what `User.open` does, with the entropy of the play."""
    admission = Admission(Book(store))
    device = Device.open_existing(store, user_environment(admission, SUITES, clock, entropy))
    with store.transaction():
        return User(desk_of(device, admission))


def own_record(store: Store) -> UserRecord:
    """Return what a store says of its user."""
    with store.transaction():
        return Book(store).own()


def listed_ever(chain: Chain) -> set[int]:
    """Return the ids of all devices that a chain ever listed."""
    return {device.id for each in chain for device in each.snapshot.devices}
