"""What a user's devices do for recovery while they exist: list the recovery device, and fill its box.

    enrol          a device list with the recovery device, and its card
    recovery_box   document seeds and contacts, sealed to the card

Make a new box whenever a document key begins (every revocation begins one) and when contacts have changed.

Not here: the lock (_new_lock.py); what a recovered device does with the box (_recovered.py).
"""

from letterlock._primitives import hpke
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.labels import RECOVERY_BOX, RECOVERY_CARD
from letterlock._primitives.xeddsa import NONCE_BYTES
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DeviceClass, ListedDevice
from letterlock._wire.linking import LinkingPayload
from letterlock._wire.recovery_box import BoxContents, RecoveryCard
from letterlock._wire.recovery_calls import ChangeSignature
from letterlock.errors import InvalidSignature, UsageError
from letterlock.recovery._device import ShownLists, device_keys, recovery_device
from letterlock.recovery._errors import BoxRefused
from letterlock.recovery._keys import RecoveryKey
from letterlock.recovery._signing import UNSIGNED
from letterlock.user import InvalidDeviceList, User
from letterlock.user._desk import Findings
from letterlock.user._drafts import next_snapshot
from letterlock.user._link import require_room, whole_payload
from letterlock.user._linking import DeviceKeys
from letterlock.user._own_list import require_signer, signing_key, take_change
from letterlock.user._signatures import listed_device, prove_possession, sign_snapshot, verify_by
from letterlock.user._user import desk_behind


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A recovery device that was put into the list. `device_list` goes to the directory, `card` beside it.

    Give what the directory shows to `User.learn`, and make the lock then.
    """

    device_list: DeviceList
    card: RecoveryCard


def enrol(user: User, key: RecoveryKey) -> Enrolled:
    """Put the recovery device of a key into the user's device list. [USR-12]

    Raises UsageError if there is one already (revoke it first), if this device may not add one, and if the
    user has 32 devices.
    """
    desk, recovery = desk_behind(user), device_keys(key)
    with user.transaction():
        own = desk.book.own()
        require_signer(desk, own)
        chain = desk.book.chain(desk.name, own.pin)
        require_room(chain.newest.snapshot)
        if recovery_device(chain) is not None:
            raise UsageError("the user has a recovery device: revoke it before you add another one")
        device_id = chain.version + 1
        listed = listed_device(
            device_id, recovery.identity.public, recovery.signing.public, DeviceClass.RECOVERY, device_id
        )
        draft = next_snapshot(chain.newest, chain.user_id, desk.now(), add=(listed,))
        nonce = desk.environment.entropy(NONCE_BYTES)
        proof = prove_possession(draft, device_id, recovery.identity, recovery.signing, nonce)
        new = sign_snapshot(draft, desk.device_id, signing_key(own), (proof,))
        try:
            take_change(desk, own, chain, new, Findings())
        except InvalidDeviceList:  # USR-12
            raise UsageError("this device may not add a recovery device: do it on the oldest one") from None
    return Enrolled(new, make_card(recovery, chain.user_id))


def recovery_box(user: User, card: RecoveryCard) -> bytes:
    """Return a box with the user's document seeds and contacts, for the relay to keep. [REC-14]

    Raises BoxRefused for a card that is not of the recovery device of the newest list; UsageError on a device
    of class limited, and if a document seed has not arrived here yet.
    """
    desk = desk_behind(user)
    with user.transaction():
        own = desk.book.own()
        require_signer(desk, own)
        chain = desk.book.chain(desk.name, own.pin)
        require_card(card, chain)
        payload, signing = whole_payload(desk, own).encode(), signing_key(own)
    signature = signing.sign(BoxContents.signed(chain.user_id, payload), RECOVERY_BOX)
    contents = BoxContents(desk.device_id, signing.public.ml_dsa.data, signature, LinkingPayload(payload))
    return hpke.seal(card.receiving, BoxContents.info(chain.user_id), contents.encode())


def make_card(recovery: DeviceKeys, user_id: bytes) -> RecoveryCard:
    """Return the card that a recovery device signs."""
    card = RecoveryCard(user_id, recovery.receiving.public, UNSIGNED)
    signing = recovery.signing
    by = ChangeSignature(signing.public.ml_dsa.data, signing.sign(card.signed(), RECOVERY_CARD))
    return RecoveryCard(user_id, card.receiving, by)


def require_card(card: RecoveryCard, lists: ShownLists) -> ListedDevice:
    """Return the recovery device. Raises BoxRefused unless it is listed and signed the card. [REC-13]"""
    device = recovery_device(lists)
    if device is None or card.user_id != lists.user_id:
        raise BoxRefused("the card is not of a recovery device of this user: fetch the newest one")
    try:
        verify_by(device, card.by.ml_dsa, card.signed(), card.by.signature, RECOVERY_CARD)
    except (InvalidSignature, InvalidDeviceList):
        raise BoxRefused("the recovery device did not sign this card: fetch the newest one") from None
    return device
