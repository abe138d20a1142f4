"""Admission: which identity keys may have a session, and what its transcript binds besides.

The handshake asks here, inside its transaction, before there is a new session. A device outside the newest
device list, or one with another identity key than the list says, gets no session, whatever a server
delivers.                                                                                        [USR-30]

Not here: the handshake (_handshake/); what is done about a message that was refused (_receiving.py).
"""

from letterlock._primitives.curve25519 import IdentityKey
from letterlock._records.contact import ContactState
from letterlock._wire.address import Address
from letterlock.errors import AddressMismatch, UntrustedIdentity
from letterlock.user._book import Book, device_of
from letterlock.user._errors import ContactFrozen
from letterlock.user._rules import rights


class Admission:
    """Decides for the user whose book it has."""

    __slots__ = ("_book", "strays")

    def __init__(self, book: Book) -> None:
        self._book = book
        self.strays: list[tuple[Address, int]] = []
        """Devices that wrote in an archived session, since this was emptied; with the active one's `born`."""

    def admit(self, address: Address, identity: IdentityKey) -> bytes:
        """Return our user id and that of the peer, 32 bytes each, if it may have a session.

        Raises AddressMismatch, UntrustedIdentity, and ContactFrozen in state CONFLICTING.
        """
        own = self._book.own()
        pin = own.pin
        if address.name != self._book.own_name():
            contact = self._book.contact(address.name)
            if contact is None:
                raise AddressMismatch("no contact has this name: learn its device lists first")
            if contact.state is ContactState.CONFLICTING:
                raise ContactFrozen
            pin = contact.pin
        device = device_of(pin, address.device_id)
        if device is None or not rights(device).gets_messages:
            raise AddressMismatch("this device is not in the newest device list of its user: ask for that")
        if device.identity != identity:
            raise UntrustedIdentity(address, identity.data)
        return own.pin.user_id + pin.user_id

    def stray(self, address: Address, born: int) -> None:
        """Note that a device wrote a new message in an archived session."""
        self.strays.append((address, born))
