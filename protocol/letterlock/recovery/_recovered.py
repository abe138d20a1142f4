"""A user comes back: the recovery device adds a fresh one to the list, which opens the box.

    lists    the user's chain, which verifies itself; its recovery device is that of the key
    box      signed by a device of the newest list; its seeds are those of the listed document keys  [REC-14]
    new      a device list with the fresh device, signed by the recovery device, perhaps without the lost ones

All of it is one transaction of an empty store. The new version is kept back until the directory shows it,
like any version that a device signs. [USR-64]

Not here: how the recovery key was opened (_attempt.py).
"""

from collections.abc import Callable
from dataclasses import field, replace

from letterlock._device.device import Device
from letterlock._device.environment import Environment
from letterlock._primitives import hpke
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Clock, system_clock, system_entropy
from letterlock._primitives.labels import RECOVERY_BOX
from letterlock._primitives.secret import Uncopyable
from letterlock._primitives.xeddsa import NONCE_BYTES
from letterlock._wire.address import Address
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DeviceClass, ListedDevice
from letterlock._wire.linking_payload import DocumentSeed, PayloadContents
from letterlock._wire.recovery_box import MAX_BOX, BoxContents
from letterlock._wire.suite import Suite
from letterlock.account import DEFAULT_SUITES
from letterlock.errors import (
    AccountExists,
    AuthenticationFailed,
    InvalidSignature,
    MalformedMessage,
    UsageError,
)
from letterlock.recovery._ahead import is_ahead
from letterlock.recovery._device import device_keys, recovery_device
from letterlock.recovery._errors import BoxRefused
from letterlock.recovery._keys import RecoveryKey
from letterlock.stores import Store
from letterlock.user import InvalidDeviceList, LinkingRefused, ListChain, User
from letterlock.user._admission import Admission
from letterlock.user._book import Book
from letterlock.user._creation import save_user
from letterlock.user._desk import desk_of, user_environment
from letterlock.user._document_seeds import Seeds, document_key_pair, new_seed, open_seeds
from letterlock.user._drafts import next_snapshot
from letterlock.user._link import require_room
from letterlock.user._linking import DeviceKeys
from letterlock.user._new_device import contact_of
from letterlock.user._rules import rights
from letterlock.user._signatures import listed_device, prove_possession, sign_snapshot, verify_by

_NEVER = 0
"""The directory has shown this device nothing yet."""


@dataclass(frozen=True, slots=True)
class Remains:
    """What servers have of a user without devices: all versions of the device list, and the recovery box."""

    lists: tuple[DeviceList, ...]
    box: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class Recovered(Uncopyable):
    """A user who is back on a fresh device. `device_list` goes to the directory, and then `User.publish()`.

    Give what the directory shows to `User.learn`. Conversations begin anew, under the same safety numbers.
    """

    user: User
    device_list: DeviceList

    def __repr__(self) -> str:
        return "<Recovered>"


def recover_user(
    store: Store,
    key: RecoveryKey,
    remains: Remains,
    *,
    revoke_others: bool = False,
    suites: frozenset[Suite] = DEFAULT_SUITES,
    clock: Clock = system_clock,
) -> Recovered:
    """Make this store's device one of the user's, with all document seeds and contacts.

    `revoke_others` takes every device but the recovery device out of the list: those that were lost read
    nothing that is sealed afterwards. Raises InvalidDeviceList, InvalidSignature, InvalidKey for wrong lists,
    and for a list whose recovery device is another one; BoxRefused, MalformedMessage; AccountExists,
    UsageError, StoreError.
    """

    def revoked(chain: ListChain, signer: ListedDevice) -> tuple[int, ...]:
        others = (each.id for each in chain.newest.snapshot.devices if each.id != signer.id)
        return tuple(others) if revoke_others else ()

    return _recovered(store, key, remains, revoked, (suites, clock))


def first_login(
    store: Store,
    key: RecoveryKey,
    remains: Remains,
    *,
    suites: frozenset[Suite] = DEFAULT_SUITES,
    clock: Clock = system_clock,
) -> Recovered:
    """Make this store's device the first one of a user whom an application enrolled.

    The recovery device takes itself out of the list: whoever enrolled the user may have its key. [REC-52]
    Put another one in with `enrol`. Raises UsageError if somebody has logged in before, and what
    `recover_user` raises.
    """

    def revoked(chain: ListChain, signer: ListedDevice) -> tuple[int, ...]:
        if not is_ahead(chain):
            raise UsageError("somebody has logged in as this user before: recover with a password")
        return (signer.id,)

    return _recovered(store, key, remains, revoked, (suites, clock))


def _recovered(
    store: Store,
    key: RecoveryKey,
    remains: Remains,
    revoked: Callable[[ListChain, ListedDevice], tuple[int, ...]],
    world: tuple[frozenset[Suite], Clock],
) -> Recovered:
    """Make this store's device one of the user's. `revoked` says which devices the version leaves out."""
    admission = Admission(Book(store))
    environment = user_environment(admission, *world, system_entropy)
    with store.transaction():
        if store.tables.account.load() is not None:
            raise AccountExists("this store holds an account already: recover into an empty store")
        chain, recovery = ListChain.verify(remains.lists), device_keys(key)
        signer = require_ours(chain, recovery)
        contents, seeds = open_box(remains.box, recovery, chain)
        new = _Drafted.make(chain, signer, environment, revoked(chain, signer))
        made = new.signed(recovery, environment)
        address = Address(contents.name, new.device_id)
        device = Device.create(store, address, environment, identity=new.keys.identity)
        _save(Book(store), new, chain.extended((made,)), seeds, contents)
        return Recovered(User(desk_of(device, admission)), made)


@dataclass(frozen=True, slots=True, repr=False)
class _Drafted(Uncopyable):
    """The fresh device, and the version that adds it. `seed` is there if the version revokes others."""

    chain: ListChain
    signer: ListedDevice
    keys: DeviceKeys
    revoke: tuple[int, ...]
    seed: DocumentSeed | None
    now: int

    @classmethod
    def make(
        cls, chain: ListChain, signer: ListedDevice, environment: Environment, revoke: tuple[int, ...]
    ) -> "_Drafted":
        if not revoke:
            require_room(chain.newest.snapshot)
        seed = new_seed(environment.entropy) if revoke else None
        keys = DeviceKeys.generate(environment.entropy)
        return cls(chain, signer, keys, revoke, seed, environment.now())

    def __repr__(self) -> str:
        return "<_Drafted>"

    @property
    def device_id(self) -> int:
        """The id of the fresh device: the version that adds it. [USR-37]"""
        return self.chain.version + 1

    def signed(self, recovery: DeviceKeys, environment: Environment) -> DeviceList:
        """Return the version, with the fresh device's proof and the recovery device's signature."""
        keys, id_ = self.keys, self.device_id
        listed = listed_device(id_, keys.identity.public, keys.signing.public, DeviceClass.FULL, id_)
        public = None if self.seed is None else document_key_pair(self.seed).public.data
        chain = self.chain
        draft = next_snapshot(
            chain.newest, chain.user_id, self.now, add=(listed,), revoke=self.revoke, document_key=public
        )
        nonce = environment.entropy(NONCE_BYTES)
        proof = prove_possession(draft, id_, keys.identity, keys.signing, nonce)
        return sign_snapshot(draft, self.signer.id, recovery.signing, (proof,))


def _save(book: Book, new: _Drafted, chain: ListChain, seeds: Seeds, contents: PayloadContents) -> None:
    """Save the user's record, lists and contacts. The last version waits for the directory."""
    if new.seed is not None:
        seeds = (*seeds, (seeds[-1][0] + 1, new.seed))
    save_user(book, new.device_id, new.keys, chain, seeds, _NEVER)
    book.save_own(replace(book.own(), shown=new.chain.version))
    for pin in contents.pins:
        book.save_contact(contact_of(pin))


def require_ours(chain: ListChain, recovery: DeviceKeys) -> ListedDevice:
    """Return the recovery device of the list. Raises InvalidDeviceList unless its keys are these."""
    listed = recovery_device(chain)
    if listed is not None:
        ours = (recovery.identity.public, recovery.signing.public)
        if listed == listed_device(listed.id, *ours, DeviceClass.RECOVERY, listed.added):
            return listed
    raise InvalidDeviceList("the list has not this recovery device: it was replaced, or ask another server")


def open_box(box: bytes, recovery: DeviceKeys, chain: ListChain) -> tuple[PayloadContents, Seeds]:
    """Return what a box holds, and the seeds of all document keys. [REC-14]"""
    if len(box) > MAX_BOX:
        raise MalformedMessage(f"{len(box)} bytes; a recovery box has at most {MAX_BOX}")
    try:
        opened = hpke.open_sealed(recovery.receiving, BoxContents.info(chain.user_id), box)
    except AuthenticationFailed:
        raise BoxRefused("the box is not for this recovery device: fetch the newest one") from None
    contents = BoxContents.decode(opened)
    signer, payload = chain.newest.snapshot.device(contents.device_id), contents.payload.expose()
    if signer is None or not rights(signer).reads_documents:
        raise BoxRefused("the box is of a device that is no longer listed: fetch the newest one")
    try:
        signed = BoxContents.signed(chain.user_id, payload)
        verify_by(signer, contents.ml_dsa, signed, contents.signature, RECOVERY_BOX)
    except (InvalidSignature, InvalidDeviceList):
        raise BoxRefused("the box is not signed by the device that it names: fetch another one") from None
    found = PayloadContents.decode(payload)
    if found.seed is None:
        raise BoxRefused("the box has no document seeds: fetch another one")
    try:
        return found, open_seeds(found.seed, found.sealed, chain)
    except LinkingRefused:
        raise BoxRefused("the box has not the seeds of the listed document keys: fetch a newer one") from None
