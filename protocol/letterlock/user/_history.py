"""History: an archive that one device of a user makes for another, and its key, which goes by session.

    begin_archive    the key is sealed for the device, then the archive is made piece by piece
    take_key         kept for 30 days, if a full device of this user sent it                      [USR-49]
    key_of           the key of the archive that is read

Not here: the form of an archive (_archive.py); what its items are.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from letterlock._primitives.secret import KEY_BYTES
from letterlock._records.history import HistoryRecord, decode_history, encode_history
from letterlock._records.sent import SentRecord
from letterlock._records.user import UserRecord
from letterlock._wire.address import Address
from letterlock._wire.content import Content, ContentKind, message_tag
from letterlock._wire.content_bodies import ARCHIVE_ID_BYTES, ArchiveKey, HistoryKey
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import KEPT_LIFETIME
from letterlock.stores import DeferredRecord, EntryKind, EntryRow
from letterlock.user._archive import MARK, archive_id, read_archive, seal_archive
from letterlock.user._book import device_of
from letterlock.user._control import control
from letterlock.user._desk import Desk, Findings
from letterlock.user._outbox import place
from letterlock.user._own_list import require_signer
from letterlock.user._renewal import is_marked
from letterlock.user._rules import rights
from letterlock.user._values import Need, Outgoing

_ID_END = len(MARK) + ARCHIVE_ID_BYTES


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive on its way: iterate over it once, and write the pieces to a file in their order.

    `outgoing` brings the key to the device. Without a session it is empty, and `needs` names the device's
    bundle: `User.begin` then returns the message. `id` has 16 bytes, and stands in the file.
    """

    id: bytes
    outgoing: tuple[Outgoing, ...]
    needs: tuple[Need, ...]
    _pieces: Iterator[bytes] = field(repr=False, compare=False)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces


def begin_archive(desk: Desk, device_id: int, items: Iterable[bytes]) -> Archive:
    """Seal the key of a new archive for a device, and return the archive. Raises UsageError."""
    own, entropy, findings = desk.book.own(), desk.environment.entropy, Findings()
    require_signer(desk, own)
    address = _target(desk, own, device_id)
    key = HistoryKey(entropy(ARCHIVE_ID_BYTES), ArchiveKey(entropy(KEY_BYTES)))
    content = control(desk, address, ContentKind.HISTORY_KEY, key.encode())
    message = None if is_marked(desk, address) else desk.seal(address, content.encode())
    if message is None:
        findings.need_bundle(address.name, address.device_id)
    else:
        findings.outgoing.append(Outgoing(address, message))
    tag = None if message is None else message_tag(message)
    desk.outbox.add(SentRecord(desk.name, content, (place(address, tag),)), desk.now())
    pieces = seal_archive(key, items)
    return Archive(key.archive_id, tuple(findings.outgoing), tuple(findings.needs), pieces)


def take_key(desk: Desk, address: Address, content: Content) -> None:
    """Keep the key of an archive. Raises MalformedMessage. [USR-49]"""
    found = HistoryKey.decode(content.body)
    sender = device_of(desk.book.own().pin, address.device_id)
    if sender is None or not rights(sender).changes_list:
        raise MalformedMessage("only a full device gives history to another one: discard it")
    record = DeferredRecord(HistoryRecord(address, found.key), encode_history)
    row = EntryRow(EntryKind.HISTORY, found.archive_id, desk.now() + KEPT_LIFETIME, record)
    desk.book.store.tables.entries.save(row)


def read_history(desk: Desk, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the items of an archive that was made for this device.

    Raises as `read_archive` does, and UsageError if its key is not here.
    """
    rest, start = iter(pieces), b""
    for piece in rest:
        if type(piece) is not bytes:
            raise UsageError(f"a piece of an archive must be bytes, not {type(piece).__name__}")
        start += piece
        if len(start) >= _ID_END:
            break
    key = key_of(desk, archive_id(start))
    yield from read_archive(key, chain((start,), rest))


def key_of(desk: Desk, id_: bytes) -> HistoryKey:
    """Return the key of an archive that another device of this user sent. Raises UsageError."""
    with desk.book.store.transaction():
        row = desk.book.store.tables.entries.load(EntryKind.HISTORY, id_)
    if row is None:
        raise UsageError(
            "this device has no key of the archive: receive its messages first, or read it on its own device"
        )
    return HistoryKey(id_, row.record.decoded(decode_history).key)


def _target(desk: Desk, own: UserRecord, device_id: int) -> Address:
    device = device_of(own.pin, device_id)
    if device is None or device_id == desk.device_id or not rights(device).gets_messages:
        raise UsageError("an archive is for another device of this user that gets messages")
    return Address(desk.name, device_id)
