"""A new device on its way into a user's device list, kept in its store at each step.

    begin               keys and a code        saved, then shown
    receive_offer       the answer             saved, then handed out; the code is used up
    receive_package     account and user       saved in one transaction, which deletes the linking

A crash between two steps loses nothing: `open` goes on from the last one. The entry LINKING exists until the
device is linked, and the account exists from then on, so a store never holds both.

Not here: what each message must prove, and the old device's side (_linking.py).
"""

from typing import Self

from letterlock._device.device import Device
from letterlock._device.environment import Environment
from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.curve25519 import IdentityKeyPair
from letterlock._primitives.entropy import Clock, system_clock, system_entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._primitives.xwing import XWingKeyPair
from letterlock._records.contact import ContactRecord, ContactState
from letterlock._records.linking import LinkingRecord, decode_linking, encode_linking
from letterlock._records.pin import PinnedList
from letterlock._wire.address import Address
from letterlock._wire.linking import LinkingCode
from letterlock._wire.linking_payload import ContactPin, PayloadContents, PinState
from letterlock._wire.suite import Suite
from letterlock.account import DEFAULT_SUITES
from letterlock.errors import AccountExists, UsageError
from letterlock.stores import EntryKind, EntryRow, Store
from letterlock.user._admission import Admission
from letterlock.user._book import Book
from letterlock.user._creation import save_user
from letterlock.user._desk import desk_of, user_environment
from letterlock.user._document_seeds import Seeds, seeds_of
from letterlock.user._errors import LinkingRefused
from letterlock.user._linking import CodeShown, DeviceKeys, Linked, OfferTaken
from letterlock.user._user import User

_KEY = b""
_NEVER = 0
"""The directory has shown this device nothing yet."""
_STATES = {PinState.UNVERIFIED: ContactState.UNVERIFIED, PinState.VERIFIED: ContactState.VERIFIED}


class NewDevice(Uncopyable):
    """A device that another one of the same person is about to add. Make one with `begin`, or `open` it.

    Every method is one transaction of the store, reads what is stored, and may raise StoreError.
    """

    __slots__ = ("_environment", "_store")

    def __init__(self, store: Store, environment: Environment) -> None:
        """Not for applications, which call `begin` and `open`."""
        self._store = store
        self._environment = environment

    @classmethod
    def begin(
        cls,
        store: Store,
        place: str = "",
        *,
        suites: frozenset[Suite] = DEFAULT_SUITES,
        clock: Clock = system_clock,
    ) -> Self:
        """Make keys and a code, which lives ten minutes, in a store without an account.

        `place` says in the application's own words where the two devices meet, in at most 255 bytes of
        UTF-8. A linking that was under way in this store is given up, and its code is worth nothing. Raises
        AccountExists, UsageError.
        """
        environment = Environment(suites, clock, system_entropy)
        with store.transaction():
            if store.tables.account.load() is not None:
                raise AccountExists(
                    "this store holds an account already: link a new device in an empty store"
                )
            entropy = environment.entropy
            shown = CodeShown.begin(DeviceKeys.generate(entropy), environment.now(), place, entropy)
            new = cls(store, environment)
            new._save(shown, None)
        return new

    @classmethod
    def open(
        cls, store: Store, *, suites: frozenset[Suite] = DEFAULT_SUITES, clock: Clock = system_clock
    ) -> Self:
        """Go on with the linking of a store, after a restart. Raises UsageError if there is none."""
        new = cls(store, Environment(suites, clock, system_entropy))
        with store.transaction():
            new._load()
        return new

    @property
    def code(self) -> LinkingCode:
        """What this device shows on its screen. Raises UsageError after the linking."""
        with self._store.transaction():
            return self._load()[0].code

    @property
    def bundle(self) -> bytes:
        """This device's public keys, for the old device, over any channel. About 3.3 KiB."""
        with self._store.transaction():
            return self._load()[0].bundle

    @property
    def digits(self) -> str:
        """The six digits that both screens show. Raises UsageError before the offer."""
        with self._store.transaction():
            return self._taken().digits

    def receive_offer(self, sealed_offer: bytes) -> bytes:
        """Take the old device's offer, and return the answer, about 5.4 KiB. The code is then used up.

        The same offer gets the same answer again, so an answer that was lost is not lost for good. Raises
        LinkingRefused for another offer and for one that comes too late, AuthenticationFailed,
        MalformedMessage, InvalidKey, InvalidDeviceList.
        """
        with self._store.transaction():
            shown, taken = self._load()
            if taken is not None:
                if taken[0] != sealed_offer:
                    raise LinkingRefused("this code took an offer already: show a new code and begin again")
                return taken[1]
            environment = self._environment
            answered = shown.receive(sealed_offer, environment.now(), environment.entropy)
            self._save(shown, (sealed_offer, answered.answer))
            return answered.answer

    def receive_package(self, sealed_package: bytes) -> User:
        """Take the package, and make this device one of the user's. The linking is over.

        The contacts of the old device are there, with their states. Their device lists are fetched when they
        are needed. Raises LinkingRefused, AuthenticationFailed, MalformedMessage, InvalidDeviceList,
        InvalidSignature, InvalidKey; UsageError before the offer, and after the linking.
        """
        store, given = self._store, self._environment
        admission = Admission(Book(store))
        environment = user_environment(admission, given.suites, given.clock, given.entropy)
        with store.transaction():
            linked = self._taken().receive(sealed_package)
            contents = PayloadContents.decode(linked.payload)
            seeds = seeds_of(contents, linked.chain, linked.device_id)
            address = Address(contents.name, linked.device_id)
            device = Device.create(store, address, environment, identity=linked.keys.identity)
            self._save_user(linked, contents, seeds)
            store.tables.entries.delete(EntryKind.LINKING, _KEY)
            return User(desk_of(device, admission))

    def cancel(self) -> None:
        """Give the linking up, and delete its keys. The code is then worth nothing."""
        with self._store.transaction():
            self._store.tables.entries.delete(EntryKind.LINKING, _KEY)

    def __repr__(self) -> str:
        return "<NewDevice>"

    # --- the store --------------------------------------------------------------------------------

    def _load(self) -> tuple[CodeShown, tuple[bytes, bytes] | None]:
        row = self._store.tables.entries.load(EntryKind.LINKING, _KEY)
        if row is None:
            raise UsageError("no linking is under way in this store: begin one, or open the user")
        kept = row.record.decoded(decode_linking)
        keys = DeviceKeys(
            IdentityKeyPair.from_private(kept.identity),
            DeviceSigningKeyPair(kept.signing),
            XWingKeyPair(kept.receiving),
        )
        return CodeShown.restored(keys, kept.nonce, kept.code), kept.taken

    def _taken(self) -> OfferTaken:
        shown, taken = self._load()
        if taken is None:
            raise UsageError("there is no offer yet: give the code and the bundle to the old device first")
        return shown.answered(*taken)

    def _save(self, shown: CodeShown, taken: tuple[bytes, bytes] | None) -> None:
        keys = shown.keys
        seeds = (keys.identity.private, keys.signing.seed, keys.receiving.seed)
        record = encode_linking(LinkingRecord(*seeds, shown.nonce, shown.code, taken))
        self._store.tables.entries.save(EntryRow(EntryKind.LINKING, _KEY, None, record))

    def _save_user(self, linked: Linked, contents: PayloadContents, seeds: Seeds) -> None:
        book = Book(self._store)
        save_user(book, linked.device_id, linked.keys, linked.chain, seeds, _NEVER)
        for pin in contents.pins:
            book.save_contact(contact_of(pin))


def contact_of(pin: ContactPin) -> ContactRecord:
    """Return the contact that another device of ours knows."""
    pinned = PinnedList(pin.user_id, pin.version, pin.hash, b"", None, _NEVER)
    return ContactRecord(pin.name, pinned, _STATES[pin.state])
