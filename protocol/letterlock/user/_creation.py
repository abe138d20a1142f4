"""The first device of a user: its keys, version 1 of the device list, and the user's own record.

    device id 1, device list version 1, document key of generation 1

The id of a later device is the version that adds it, so that no id comes back.                  [USR-37]

Not here: later devices, which are linked.
"""

from typing import Final

from letterlock._device.environment import Environment
from letterlock._primitives.xeddsa import NONCE_BYTES
from letterlock._records.user import UserRecord
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DeviceClass
from letterlock._wire.linking_payload import DocumentSeed
from letterlock.user._book import Book, pinned
from letterlock.user._chain import ListChain
from letterlock.user._document_seeds import Seeds, document_key_pair, new_seed
from letterlock.user._drafts import first_snapshot
from letterlock.user._linking import DeviceKeys
from letterlock.user._signatures import listed_device, prove_possession, sign_snapshot

FIRST_DEVICE: Final = 1
FIRST_GENERATION: Final = 1


def save_first(book: Book, keys: DeviceKeys, environment: Environment) -> None:
    """Make and save version 1, and the record of a user with this one device."""
    seed = new_seed(environment.entropy)
    chain = ListChain.verify([first_list(keys, seed, environment)])
    save_user(book, FIRST_DEVICE, keys, chain, ((FIRST_GENERATION, seed),), environment.now())


def save_user(
    book: Book, device_id: int, keys: DeviceKeys, chain: ListChain, seeds: Seeds, checked: int
) -> None:
    """Save the record of the user to whom this device belongs, and the whole chain of device lists.

    `checked` is when the directory showed the chain.
    """
    pin = pinned(chain, checked)
    book.save_lists(book.own_name(), chain.lists)
    book.save_own(UserRecord(device_id, keys.signing.seed, keys.receiving.seed, pin, chain.version, seeds))


def first_list(keys: DeviceKeys, seed: DocumentSeed, environment: Environment) -> DeviceList:
    """Return version 1, which lists one device. Draws 64 bytes."""
    listed = listed_device(
        FIRST_DEVICE, keys.identity.public, keys.signing.public, DeviceClass.FULL, FIRST_DEVICE
    )
    document_key = document_key_pair(seed).public.data
    snapshot = first_snapshot((listed,), document_key, environment.now())
    nonce = environment.entropy(NONCE_BYTES)
    proof = prove_possession(snapshot, FIRST_DEVICE, keys.identity, keys.signing, nonce)
    return sign_snapshot(snapshot, FIRST_DEVICE, keys.signing, (proof,))
