"""The recovery box of a client: made anew whenever what it holds has changed.                       [CLN-25]

    look     in the store: is there a recovery device, and does the relay have a box of today?
    keep     the box that is there is looked at, then the next one takes its place

What it holds is compared by a digest, which the store keeps. A device that did not set recovery up takes the
card from the relay, and verifies it.

Not here: what a box holds, and whose signatures it needs (recovery/).
"""

import hashlib
from dataclasses import replace
from typing import Final

from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.labels import RECOVERY_KEEPING
from letterlock._primitives.secret import Uncopyable
from letterlock._wire.recovery_calls import ChangeSignature
from letterlock._wire.recovery_kept import BoxKept, GetBox, PutBox
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.relay_body import DoneAnswer
from letterlock.client._office import Office
from letterlock.client._recovery_calls import RecoveryCalls
from letterlock.client._recovery_rows import RecoveryPlace, RecoveryTables
from letterlock.errors import UsageError
from letterlock.recovery import BoxRefused, RecoveryCard, RecoveryRefused, recovery_box
from letterlock.recovery._device import recovery_device
from letterlock.recovery._enrolment import require_card
from letterlock.recovery._signing import UNSIGNED
from letterlock.user import ListChain, User
from letterlock.user._link import whole_payload
from letterlock.user._own_list import require_signer
from letterlock.user._user import desk_behind

RELAY: Final = SERVERS[0]
_ATTEMPTS: Final = 3
"""How often a box is made because another device was faster."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be in the box: its digest, the user's lists, and the card to seal to if one is on record."""

    digest: bytes
    chain: ListChain
    card: RecoveryCard | None


class RecoveryBox(Uncopyable):
    """The box of one client's user."""

    __slots__ = ("_office", "_tables")

    def __init__(self, office: Office, tables: RecoveryTables) -> None:
        self._office = office
        self._tables = tables

    def wanted(self) -> Wanted | None:
        """Return what a new box must hold; None if none is due, or none can be made now. In the store."""
        place, found = self._tables.place(), contents_of(self._office.queue.user)
        if found is None:
            return None
        digest, chain = found
        if place is not None and place.box == digest:
            return None
        return Wanted(digest, chain, None if place is None else place.card)

    def lacks(self) -> bool:
        """Return whether the box is not of today, also if it cannot be made now. In the store."""
        user = self._office.queue.user
        return self.wanted() is not None or (contents_of(user) is None and may_make(user))

    async def keep(self, calls: RecoveryCalls) -> bool:
        """Have the relay keep a new box if one is due. Return False if there is no card to seal to.

        Raises RecoveryRefused, ServerAtFault, ServerUnavailable.
        """
        office = self._office
        for attempt in range(_ATTEMPTS):
            wanted = await office.run(self.wanted)
            if wanted is None:
                return True
            kept = await calls.at(RELAY, await office.run(self._question), BoxKept)
            card = _card(wanted, kept)
            if card is None:
                return False
            try:
                put = await office.run(self._sealed, card, kept.number + 1)
                await calls.at(RELAY, put, DoneAnswer)
            except RecoveryRefused:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                await office.run(self._kept, wanted, card)
        return True

    def _question(self) -> GetBox:
        queue, clock = self._office.queue, self._office.queue.tables.clock
        asked = GetBox(queue.user.user_id, 0, clock(), queue.user.address.device_id, UNSIGNED)
        return replace(asked, by=signed_keeping(self._signing(), asked))

    def _sealed(self, card: RecoveryCard, number: int) -> PutBox:
        user = self._office.queue.user
        box = recovery_box(user, card)
        put = PutBox(user.user_id, number, card, box, user.address.device_id, UNSIGNED)
        return replace(put, by=signed_keeping(self._signing(), put))

    def _signing(self) -> DeviceSigningKeyPair:
        return DeviceSigningKeyPair(self._office.queue.signing_seed())

    def _kept(self, wanted: Wanted, card: RecoveryCard) -> None:
        place = self._tables.place() or RecoveryPlace("")
        self._tables.save_place(replace(place, card=card, box=wanted.digest))


def contents_of(user: User) -> tuple[bytes, ListChain] | None:
    """Return the digest of what a box would hold, and the user's lists; None if this device makes none now.

    It makes none without a recovery device, before the relay has the newest list, as a device that may not
    sign, and while a document seed is on its way.
    """
    desk = desk_behind(user)
    with user.transaction():
        own = desk.book.own()
        chain = desk.book.chain(desk.name, own.pin)
        device = recovery_device(chain)
        if device is None or own.shown < own.pin.version:
            return None
        try:
            require_signer(desk, own)
            payload = whole_payload(desk, own)
        except UsageError:
            return None
    hashed = hashlib.sha256(device.identity.data + payload.encode())
    return hashed.digest(), chain


def may_make(user: User) -> bool:
    """Return whether this device may make boxes; others do it for one that may not."""
    desk = desk_behind(user)
    with user.transaction():
        try:
            require_signer(desk, desk.book.own())
        except UsageError:
            return False
    return True


def ask_as(signing: DeviceSigningKeyPair, user_id: bytes, after: int, now: int) -> GetBox:
    """Return the question for box and lists that the recovery device signs."""
    asked = GetBox(user_id, after, now, None, UNSIGNED)
    return replace(asked, by=signed_keeping(signing, asked))


def signed_keeping(signing: DeviceSigningKeyPair, request: GetBox | PutBox) -> ChangeSignature:
    """Return the signature of a device for server 1."""
    signature = signing.sign(request.signed(RELAY), RECOVERY_KEEPING)
    return ChangeSignature(signing.public.ml_dsa.data, signature)


def _card(wanted: Wanted, kept: BoxKept) -> RecoveryCard | None:
    """Return a card of the recovery device of the newest list, from the store or from the relay. [REC-13]"""
    for card in (wanted.card, kept.card):
        if card is not None:
            try:
                require_card(card, wanted.chain)
            except BoxRefused:
                continue
            return card
    return None
