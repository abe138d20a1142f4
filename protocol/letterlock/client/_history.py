"""History: what an application gives a new device of its user, as an archive that comes with the linking.

    in the meeting place      length of the package in 4 bytes || package || signature || archive, or nothing
    signature                 Composite(signing key of the old device, SHA-256(package) || SHA-256(archive),
                              "letterlock-v1 linking history"), 3,373 bytes                           [CLN-13]

The package says who the old device is: it signed the list that adds the new one. So a relay can neither
change an archive nor take it away, and the new device knows at once.

The archive's key travels as a message over the session of the two devices, so the new device can read the
archive a moment after it was linked. Until the application has finished it, it is kept among the arrived
contents, under the kind HISTORY_KEY.

Not here: the form of an archive (user/), the meeting place (_linking.py).
"""

import asyncio
import hashlib
from collections.abc import Iterable
from time import monotonic
from typing import Final

from letterlock._primitives.composite import SIGNATURE_BYTES, DeviceSigningKey, DeviceSigningKeyPair
from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.labels import LINKING_HISTORY
from letterlock._primitives.mldsa import MlDsa65PublicKey
from letterlock._wire.address import Address
from letterlock._wire.content import ContentKind
from letterlock._wire.relay_limits import MAX_PLACE_PART, MAX_PLACE_PARTS
from letterlock.client._arrivals import Arrivals
from letterlock.client._errors import RelayMisbehaves, RelayUnavailable
from letterlock.client._office import Office
from letterlock.client._rows import Arrived
from letterlock.errors import MalformedMessage, PeerError, UsageError
from letterlock.limits import MAX_PLAINTEXT
from letterlock.stores import EntryKind
from letterlock.user import EventKind, User
from letterlock.user._archive import archive_id

_LENGTH: Final = 4
_LOOK: Final = 0.05
MAX_TOGETHER: Final = MAX_PLACE_PARTS * MAX_PLACE_PART
"""Bytes of a package and an archive that a meeting place takes."""


def sealed(office: Office, device_id: int, items: Iterable[bytes], package: bytes) -> bytes:
    """Return what is put into the meeting place: a package, and an archive if there are items.

    Called in the transaction that adds the device. Raises UsageError for more than a meeting place takes.
    """
    given = list(items)
    archive = b""
    if given:
        made = office.queue.user.archive(device_id, given)
        office.queue.take(made)
        archive = b"".join(made)
    signing = DeviceSigningKeyPair(office.queue.signing_seed())
    signature = signing.sign(_digests(package, archive), LINKING_HISTORY)
    together = len(package).to_bytes(_LENGTH, "big") + package + signature + archive
    if len(together) > MAX_TOGETHER or len(archive) > MAX_PLAINTEXT:
        raise UsageError(f"a history of {len(archive)} bytes is too long for a linking: give a shorter one")
    return together


def divided(together: bytes) -> tuple[bytes, bytes]:
    """Return the package, and the signature with the archive after it. Raises RelayMisbehaves."""
    end = _LENGTH + int.from_bytes(together[:_LENGTH], "big")
    if end > len(together) or len(together) - end > SIGNATURE_BYTES + MAX_PLAINTEXT:
        raise RelayMisbehaves("has shortened what is in a meeting place")
    return together[_LENGTH:end], together[end:]


def keep(arrivals: Arrivals, package: bytes, signed: bytes) -> bool:
    """Keep an archive for the application, in the transaction that makes this device one of the user's.

    `signed` is a signature, and an archive or nothing. Return False, and keep nothing but an event, if it is
    not what the old device gave.                                                                   [CLN-13]
    """
    tables, user = arrivals.queue.tables, arrivals.queue.user
    added = user.device_lists()[-1]
    signature, archive = signed[:SIGNATURE_BYTES], signed[SIGNATURE_BYTES:]
    try:
        _old_device(user).verify(_digests(package, archive), signature, LINKING_HISTORY)
        if not archive:
            return True
        id_ = archive_id(archive)
    except PeerError:
        arrivals.queue.notice(EventKind.HISTORY_REFUSED, user.name, added.signer)
        return False
    sender = Address(user.name, user.address.device_id)
    kept = Arrived(sender, ContentKind.HISTORY_KEY, id_, tables.clock(), archive)
    tables.append(tables.arrived, kept)
    return True


def _digests(package: bytes, archive: bytes) -> bytes:
    """Return what is signed. A hash of an archive binds its length too."""
    return hashlib.sha256(package).digest() + hashlib.sha256(archive).digest()


def _old_device(user: User) -> DeviceSigningKey:
    """Return the verified key of the device that signed the list which added this one."""
    before, added = user.device_lists()[-2:]
    listed = before.snapshot.device(added.signer)
    if listed is None:
        raise MalformedMessage("the list that added this device was signed by no device")
    return DeviceSigningKey(MlDsa65PublicKey(added.ml_dsa), Ed25519PublicKey(listed.ed25519))


async def read(office: Office, archive: bytes, wait: float) -> list[bytes]:
    """Return the items of an archive, once its key is there.

    Raises RelayUnavailable after `wait` seconds; MalformedMessage, AuthenticationFailed.
    """
    id_, until, user = archive_id(archive), monotonic() + wait, office.queue.user
    entries = office.thread.store.tables.entries
    while await office.run(entries.load, EntryKind.HISTORY, id_) is None:
        if monotonic() >= until:
            raise RelayUnavailable("the key of the archive has not come")
        await asyncio.sleep(_LOOK)
    return await office.run(lambda: list(user.read_archive([archive])))
