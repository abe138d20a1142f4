"""Signatures about documents, by devices that device lists name.

    signer       user id, device id, and the newest version of the device list that others may know
    signature    Composite(the device's key, signer || message, context)                            [DOC-30]
    LISTED           the newest list on record has the device
    REVOKED_SINCE    the version that the signature names has it, and the newest one has not        [DOC-31]

A signature tells who signed, and never when: a device that was revoked can name the version which listed it.

Not here: what is signed, and the contexts (_primitives/labels.py); the layout (_wire/signed_by.py).
"""

import hashlib
from collections.abc import Iterable
from enum import Enum
from typing import Protocol

from letterlock._primitives.composite import DeviceSigningKey, DeviceSigningKeyPair
from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.mldsa import MlDsa65PublicKey
from letterlock._records.contact import ContactRecord
from letterlock._records.user import UserRecord
from letterlock._wire import cbor
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import ListedDevice, Snapshot
from letterlock._wire.signed_by import SignedBy, Signer
from letterlock.documents._errors import UnknownAuthor
from letterlock.errors import InvalidSignature, UsageError
from letterlock.user._book import Book
from letterlock.user._chain import ListChain
from letterlock.user._desk import Desk
from letterlock.user._fanout import require_listed, require_open
from letterlock.user._own_list import signing_key
from letterlock.user._rules import rights


class Standing(Enum):
    """What the newest device list on record says of a device that signed."""

    LISTED = "listed"
    """It lists the device."""
    REVOKED_SINCE = "revoked since"
    """It does not list the device any more. Nobody can tell whether it signed before that."""


class KnownLists(Protocol):
    """Verified device lists, by user id."""

    def newest(self, user_id: bytes) -> Snapshot | None:
        """Return the newest snapshot of a user, or None. Raises ContactFrozen."""
        ...

    def version(self, user_id: bytes, version: int) -> DeviceList | None:
        """Return one version of a user's device list, or None."""
        ...


# --- signing ----------------------------------------------------------------------------------------------


def signer_of(desk: Desk) -> Signer:
    """Return this device as a signer. Raises UsageError if it may not sign.

    The version that it names is one that the directory has, so that everybody can learn it.
    """
    return _signer(desk, _own_writer(desk))


def sign(desk: Desk, context: bytes, message: bytes) -> SignedBy:
    """Return this device's signature of a message in a context of at most 255 bytes.

    Runs inside the caller's transaction. Raises UsageError for a device that was revoked, that is of a class
    which reads no documents, or that no version lists which the directory has taken.
    """
    own = _own_writer(desk)
    signer = _signer(desk, own)
    pair: DeviceSigningKeyPair = signing_key(own)
    return SignedBy(signer, pair.public.ml_dsa.data, pair.sign(signed_bytes(signer, message), context))


def signed_bytes(signer: Signer, message: bytes) -> bytes:
    """Return what is signed: the signer's encoding, and the message. [DOC-30]"""
    return cbor.encode(signer.fields()) + message


def _own_writer(desk: Desk) -> UserRecord:
    own = desk.book.own()
    require_listed(desk, own)
    return own


def _signer(desk: Desk, own: UserRecord) -> Signer:
    """Return this device in the newest version that others may know."""
    pin, version = own.pin, own.shown
    if version == pin.version and pin.snapshot is not None:
        snapshot, hash_ = pin.snapshot, pin.hash
    else:
        shown = desk.book.list_at(desk.name, version)
        snapshot, hash_ = shown.snapshot, shown.hash
    device = snapshot.device(desk.device_id)
    if device is None:
        raise UsageError("the directory has not taken the list with this device: learn your own lists first")
    if not rights(device).reads_documents:
        raise UsageError("a device of class limited has nothing to do with documents: use a full device")
    return Signer(pin.user_id, desk.device_id, version, hash_)


# --- verifying --------------------------------------------------------------------------------------------


def verify(lists: KnownLists, context: bytes, message: bytes, signed_by: SignedBy) -> Standing:
    """Check a signature of a message, and return how its device stands today. [DOC-31]

    Raises UnknownAuthor if device lists are needed, ContactFrozen, and InvalidSignature for a device that the
    version does not list, that may not sign, or that did not sign this.
    """
    signer = signed_by.signer
    newest = lists.newest(signer.user_id)
    found = None if newest is None else lists.version(signer.user_id, signer.list_version)
    if newest is None or found is None:
        raise UnknownAuthor(signer.user_id, signer.list_version)
    if found.hash != signer.list_hash:
        raise UnknownAuthor(signer.user_id, signer.list_version, contradicts=True)
    device = found.snapshot.device(signer.device_id)
    if device is None or not rights(device).reads_documents:
        raise InvalidSignature(f"device {signer.device_id} of the author may not sign documents: discard it")
    key = _key(device, signed_by.ml_dsa)
    key.verify(signed_bytes(signer, message), signed_by.signature, context)
    return _standing(device, newest)


def _key(device: ListedDevice, ml_dsa: bytes) -> DeviceSigningKey:
    if hashlib.sha256(ml_dsa).digest() != device.ml_dsa_hash:
        raise InvalidSignature(f"the ml-dsa key is not the one listed for device {device.id}: discard it")
    return DeviceSigningKey(MlDsa65PublicKey(ml_dsa), Ed25519PublicKey(device.ed25519))


def _standing(device: ListedDevice, newest: Snapshot) -> Standing:
    now = newest.device(device.id)
    if now is None or (now.ed25519, now.ml_dsa_hash) != (device.ed25519, device.ml_dsa_hash):
        return Standing.REVOKED_SINCE  # an id may come back with other keys
    return Standing.LISTED


# --- where device lists come from -------------------------------------------------------------------------


class ListsOnRecord:
    """The device lists in a user's store: its own, and its contacts'. For use inside one transaction."""

    __slots__ = ("_book", "_contacts", "_own")

    def __init__(self, book: Book) -> None:
        self._book = book
        self._own: UserRecord | None = None
        self._contacts: dict[bytes, ContactRecord | None] = {}

    def newest(self, user_id: bytes) -> Snapshot | None:
        """Return the newest snapshot of a user, or None. Raises ContactFrozen."""
        if user_id == self._own_record().pin.user_id:
            return self._own_record().pin.snapshot
        contact = self.contact(user_id)
        return None if contact is None else require_open(contact).pin.snapshot

    def version(self, user_id: bytes, version: int) -> DeviceList | None:
        """Return one version of a user's device list, or None."""
        contact = self.contact(user_id)
        own = self._own_record().pin
        name = self._book.own_name() if contact is None else contact.name
        pin = own if contact is None else contact.pin
        if pin.user_id != user_id or pin.snapshot is None or version > pin.version:
            return None
        return self._book.list_at(name, version)

    def contact(self, user_id: bytes) -> ContactRecord | None:
        """Return the contact that is this user, or None."""
        if user_id not in self._contacts:
            self._contacts[user_id] = self._book.contact_of(user_id)
        return self._contacts[user_id]

    def _own_record(self) -> UserRecord:
        if self._own is None:
            self._own = self._book.own()
        return self._own


class ListsGiven:
    """Device lists that somebody handed over: chains that verify themselves."""

    __slots__ = ("_chains",)

    def __init__(self, chains: Iterable[ListChain]) -> None:
        self._chains = {each.user_id: each for each in chains}

    def newest(self, user_id: bytes) -> Snapshot | None:
        """Return the newest snapshot of a user, or None."""
        chain = self._chains.get(user_id)
        return None if chain is None else chain.newest.snapshot

    def version(self, user_id: bytes, version: int) -> DeviceList | None:
        """Return one version of a user's device list, or None."""
        chain = self._chains.get(user_id)
        return None if chain is None or version > chain.version else chain.lists[version - 1]
