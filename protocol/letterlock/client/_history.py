"""History: what an application gives a new device of its user, as an archive that comes with the linking.

    in the meeting place      length of the package in 4 bytes || package || archive, or nothing      [CLN-13]

The archive's key travels as a message over the session of the two devices, so the new device can read the
archive a moment after it was linked. Until the application has finished it, it is kept among the arrived
contents, under the kind HISTORY_KEY.

Not here: the form of an archive (user/), the meeting place (_linking.py).
"""

import asyncio
from collections.abc import Iterable
from time import monotonic
from typing import Final

from letterlock._wire.address import Address
from letterlock._wire.content import ContentKind
from letterlock._wire.relay_limits import MAX_PLACE_PART, MAX_PLACE_PARTS
from letterlock.client._arrivals import Arrivals
from letterlock.client._errors import RelayMisbehaves, RelayUnavailable
from letterlock.client._office import Office
from letterlock.client._rows import Arrived
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import MAX_PLAINTEXT
from letterlock.stores import EntryKind
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
    together = len(package).to_bytes(_LENGTH, "big") + package + archive
    if len(together) > MAX_TOGETHER or len(archive) > MAX_PLAINTEXT:
        raise UsageError(f"a history of {len(archive)} bytes is too long for a linking: give a shorter one")
    return together


def divided(together: bytes) -> tuple[bytes, bytes]:
    """Return the package and the archive, which may be empty. Raises RelayMisbehaves."""
    end = _LENGTH + int.from_bytes(together[:_LENGTH], "big")
    if end > len(together) or len(together) - end > MAX_PLAINTEXT:
        raise RelayMisbehaves("has shortened what is in a meeting place")
    return together[_LENGTH:end], together[end:]


def keep(arrivals: Arrivals, archive: bytes) -> None:
    """Keep an archive for the application, in the transaction that makes this device one of the user's.

    What is no archive is left out: the relay has changed it, and nobody could ever read it.
    """
    tables, user = arrivals.queue.tables, arrivals.queue.user
    try:
        id_ = archive_id(archive)
    except MalformedMessage:
        return
    sender = Address(user.name, user.address.device_id)
    kept = Arrived(sender, ContentKind.HISTORY_KEY, id_, tables.clock(), archive)
    tables.append(tables.arrived, kept)


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
