"""The records of a client about recovery: where it stands, and a change that is under way.

place    [1, key server, card / null, lock id / null, digest of the box / null]
change   [1, recovery key, is first, [settle 1, settle 2, finish 1, finish 2] / null, how many were taken]

The calls are kept once both servers have evaluated for the new lock. From then on nothing needs the password.

Not here: the steps (_lock_change.py), what is in the box (_recovery_box.py).
"""

from dataclasses import replace
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._records.entry import decode_entry, encode_entry, read_bool
from letterlock._wire.cbor import Value
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.recovery_calls import FinishLock, SettleLock
from letterlock._wire.recovery_limits import LOCK_ID_BYTES, SIGNED_RECOVERY_BODY
from letterlock.client._table import Table
from letterlock.recovery import LockName, RecoveryCard, RecoveryKey
from letterlock.stores import EntryKind, Record, Store

LockCalls = tuple[SettleLock, SettleLock, FinishLock, FinishLock]
"""What brings a lock into force, in the order in which it is sent. [REC-16]"""

_MAX_URL: Final = 512


@dataclass(frozen=True, slots=True)
class RecoveryPlace:
    """Where recovery stands on this device.

    `card` is that of the recovery device, once it is known. `lock_id` is that of the lock which this device
    brought into force. `box` is the digest of what the last box held that server 1 took.
    """

    key_server: str
    card: RecoveryCard | None = None
    lock_id: bytes | None = None
    box: bytes | None = None


@dataclass(frozen=True, slots=True, repr=False)
class RecoveryChange(Uncopyable):
    """A new lock that is being made. `taken` of its calls were taken by the servers."""

    key: RecoveryKey
    is_first: bool
    calls: LockCalls | None = None
    taken: int = 0

    @property
    def name(self) -> LockName | None:
        """The name of the new lock, once it is made."""
        return None if self.calls is None else self.calls[0].name

    def after_call(self) -> "RecoveryChange":
        """Return the change after one more call was taken."""
        return replace(self, taken=self.taken + 1)

    def __repr__(self) -> str:
        return "<RecoveryChange>"


class RecoveryTables:
    """Both rows of one client, or of one of the users whom an application enrols."""

    __slots__ = ("_changes", "_key", "_places")

    def __init__(self, store: Store, key: bytes = b"") -> None:
        self._key = key
        self._places: Table[RecoveryPlace] = Table(store, EntryKind.RECOVERY, encode_place, decode_place)
        self._changes: Table[RecoveryChange] = Table(
            store, EntryKind.RECOVERY_CHANGE, encode_change, decode_change
        )

    def place(self) -> RecoveryPlace | None:
        """Return where recovery stands, or None if nobody set it up here."""
        return self._places.load(self._key)

    def save_place(self, place: RecoveryPlace) -> None:
        """Replace where recovery stands."""
        self._places.save(self._key, place, None)

    def change(self) -> RecoveryChange | None:
        """Return the change that is under way, or None."""
        return self._changes.load(self._key)

    def save_change(self, change: RecoveryChange | None) -> None:
        """Replace the change that is under way, or delete it together with the recovery key."""
        if change is None:
            self._changes.delete(self._key)
        else:
            self._changes.save(self._key, change, None)


# --- codecs -----------------------------------------------------------------------------------------------


def encode_place(place: RecoveryPlace) -> Record:
    """Return the record of where recovery stands."""
    card = None if place.card is None else place.card.encode()
    return encode_entry(place.key_server, card, place.lock_id, place.box)


def decode_place(record: Record) -> RecoveryPlace:
    """Read what `encode_place` gives. Raises CorruptStore."""
    return decode_entry(record, 4, "a record of recovery", _place)


def _place(fields: Fields) -> RecoveryPlace:
    url, card = fields.text("key server"), fields.any()
    if len(url) > _MAX_URL:
        raise fields.wrong("key server", f"a text of at most {_MAX_URL} letters")
    if card is not None and type(card) is not bytes:
        raise fields.wrong("card", "null or a byte string")
    lock_id, box = fields.optional_blob("lock id", LOCK_ID_BYTES), fields.optional_blob("box", HASH_BYTES)
    return RecoveryPlace(url, None if card is None else RecoveryCard.decode(card), lock_id, box)


def encode_change(change: RecoveryChange) -> Record:
    """Return the record of a change."""
    calls: Value = None if change.calls is None else [each.encode() for each in change.calls]
    return encode_entry(change.key.expose(), int(change.is_first), calls, change.taken)


def decode_change(record: Record) -> RecoveryChange:
    """Read what `encode_change` gives. Raises CorruptStore."""
    return decode_entry(record, 4, "a record of a change of a lock", _change)


def _change(fields: Fields) -> RecoveryChange:
    key, is_first = RecoveryKey(fields.blob("recovery key", KEY_BYTES)), read_bool(fields, "first")
    calls, taken = _calls(fields.any()), fields.uint("calls taken", len(_CALLS))
    return RecoveryChange(key, is_first, calls, taken)


_CALLS: Final = (SettleLock, SettleLock, FinishLock, FinishLock)


def _calls(value: object) -> LockCalls | None:
    if value is None:
        return None
    fields = Fields(value, len(_CALLS), "the calls of a change")
    one, other = (SettleLock.decode(fields.blob_between("call", 1, SIGNED_RECOVERY_BODY)) for _ in range(2))
    first, second = (
        FinishLock.decode(fields.blob_between("call", 1, SIGNED_RECOVERY_BODY)) for _ in range(2)
    )
    return one, other, first, second
