"""A user who is there before anybody logs in: a device list with the recovery device alone.

    version 1    lists the recovery device, which signs it
    card, box    as for every user; the box is signed by the recovery device, and has the first document seed

Others seal documents for such a user at once. The first login is a recovery, which makes the first real
device. Whoever made the recovery key could read everything, so the first login replaces it.          [REC-52]

Not here: registration and locks (client/); the first login (_recovered.py).
"""

from dataclasses import field

from letterlock._primitives import hpke
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Clock, Entropy, system_clock, system_entropy
from letterlock._primitives.labels import RECOVERY_BOX
from letterlock._primitives.xeddsa import NONCE_BYTES
from letterlock._wire.address import Address
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DeviceClass
from letterlock._wire.linking import LinkingPayload
from letterlock._wire.linking_payload import PayloadContents
from letterlock._wire.recovery_box import BoxContents, RecoveryCard
from letterlock.recovery._device import ShownLists, device_keys
from letterlock.recovery._enrolment import make_card
from letterlock.recovery._keys import RecoveryKey
from letterlock.user._creation import FIRST_DEVICE
from letterlock.user._document_seeds import document_key_pair, new_seed
from letterlock.user._drafts import first_snapshot
from letterlock.user._signatures import listed_device, prove_possession, sign_snapshot


@dataclass(frozen=True, slots=True)
class EnrolledAhead:
    """What the servers are given of a user without devices. Nothing in it is secret."""

    device_list: DeviceList
    card: RecoveryCard
    box: bytes = field(repr=False)


def enrol_ahead(
    name: str, key: RecoveryKey, *, clock: Clock = system_clock, entropy: Entropy = system_entropy
) -> EnrolledAhead:
    """Return version 1 of a new user's device list, and what the first login finds. Raises UsageError."""
    address, recovery = Address(name, FIRST_DEVICE), device_keys(key)
    seed, signing = new_seed(entropy), recovery.signing
    listed = listed_device(
        FIRST_DEVICE, recovery.identity.public, signing.public, DeviceClass.RECOVERY, FIRST_DEVICE
    )
    snapshot = first_snapshot((listed,), document_key_pair(seed).public.data, clock())
    proof = prove_possession(snapshot, FIRST_DEVICE, recovery.identity, signing, entropy(NONCE_BYTES))
    first = sign_snapshot(snapshot, FIRST_DEVICE, signing, (proof,))
    user_id, payload = first.hash, PayloadContents(address.name, seed, (), ()).encode()
    signature = signing.sign(BoxContents.signed(user_id, payload), RECOVERY_BOX)
    contents = BoxContents(FIRST_DEVICE, signing.public.ml_dsa.data, signature, LinkingPayload(payload))
    card = make_card(recovery, user_id)
    return EnrolledAhead(first, card, hpke.seal(card.receiving, BoxContents.info(user_id), contents.encode()))


def is_ahead(lists: ShownLists) -> bool:
    """Return whether nobody has logged in yet: the newest list is the first one, of a recovery device."""
    devices = lists.newest.snapshot.devices
    return lists.version == 1 and [each.device_class for each in devices] == [DeviceClass.RECOVERY]
