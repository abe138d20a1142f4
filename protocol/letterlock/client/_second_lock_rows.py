"""The records of a client about a second lock: a change under way, and what a fresh machine waits with.

change   [1, recovery key / null, delay / null, is new, [lay 1, lay 2, keep 1, keep 2] / null, taken,
          [place 1 / null, place 2 / null], [deposit that is deleted ...]]
place    [[kind, address], pass that proves the address]
asking   [1, name, user id, relay, key server, asking key, wait 1 / null, wait 2 / null]
wait     [[wait id, when it was asked for, whether the notice was sent, seconds left], time of the answer]

Not here: the steps (_halves_change.py, _asking.py); what was seen at the servers (_second_lock_view.py).
"""

from dataclasses import replace
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry, read_bool
from letterlock._wire.address import Address
from letterlock._wire.cbor import Value
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.recovery_limits import (
    MAX_DELAY,
    MAX_DEPOSITS,
    MAX_PASS,
    SERVERS,
    SIGNED_RECOVERY_BODY,
)
from letterlock._wire.second_lock_calls import Deposit, KeepDeposit, LayHalf, WaitShown
from letterlock._wire.second_lock_notices import NoticePlace
from letterlock.client._table import Table
from letterlock.recovery import AskingKey, RecoveryKey
from letterlock.stores import EntryKind, Record, Store

HalvesCalls = tuple[LayHalf, LayHalf, KeepDeposit, KeepDeposit]
"""What brings new halves into force, in the order in which it is sent."""

OFF: Final = 0
"""The delay of a second lock that is to be taken away."""

_MAX_URL: Final = 512
_CALLS: Final = 4
_MOST_DELETED: Final = len(SERVERS) * MAX_DEPOSITS


@dataclass(frozen=True, slots=True, repr=False)
class ProvenPlace:
    """Where a server is to send notices, with a pass that proves the address there. [REC-45]"""

    place: NoticePlace
    pass_: bytes

    def __repr__(self) -> str:
        return "<ProvenPlace>"


Places = tuple[ProvenPlace | None, ProvenPlace | None]
"""Those of server 1 and server 2."""

NOWHERE: Final[Places] = (None, None)


@dataclass(frozen=True, slots=True, repr=False)
class SecondLockChange(Uncopyable):
    """A change of a second lock. Without a recovery key, the halves are deleted.

    `delay` is that of the new halves, OFF for none, and None for what both servers hold. `is_new` says that
    the halves of before are of another recovery key. `taken` counts the calls that were taken; of halves
    that are to be deleted, it has a bit for each server where that is done. `deleted` are the deposits that
    this device knew when the second lock was turned off: what both servers hold besides them is newer.
    """

    key: RecoveryKey | None
    delay: int | None
    is_new: bool = False
    calls: HalvesCalls | None = None
    taken: int = 0
    places: Places = NOWHERE
    deleted: tuple[Deposit, ...] = ()

    @property
    def deposit(self) -> Deposit | None:
        """The deposit of the new halves, once they are made."""
        return None if self.calls is None else self.calls[0].deposit

    def after_call(self) -> "SecondLockChange":
        """Return the change after one more call was taken."""
        return replace(self, taken=self.taken + 1)

    def __repr__(self) -> str:
        return "<SecondLockChange>"


@dataclass(frozen=True, slots=True)
class AskedWait:
    """What a server answered to a request for its half, and when by this machine's clock."""

    shown: WaitShown
    at: int


@dataclass(frozen=True, slots=True, repr=False)
class AskingRecord(Uncopyable):
    """What somebody without a device waits with. `waits` are those of server 1 and server 2."""

    name: str
    user_id: bytes
    servers: tuple[str, str]
    key: AskingKey
    waits: tuple[AskedWait | None, AskedWait | None] = (None, None)

    def with_wait(self, server: int, wait: AskedWait | None) -> "AskingRecord":
        """Return the record with what one server answered."""
        first, second = self.waits
        return replace(self, waits=(wait, second) if server == 1 else (first, wait))

    def __repr__(self) -> str:
        return "<AskingRecord>"


class SecondLockTables:
    """Both rows of one client."""

    __slots__ = ("_askings", "_changes")

    def __init__(self, store: Store) -> None:
        self._changes: Table[SecondLockChange] = Table(
            store, EntryKind.SECOND_LOCK_CHANGE, encode_change, decode_change
        )
        self._askings: Table[AskingRecord] = Table(store, EntryKind.ASKING, encode_asking, decode_asking)

    def change(self) -> SecondLockChange | None:
        """Return the change that is under way, or None."""
        return self._changes.load(b"")

    def save_change(self, change: SecondLockChange | None) -> None:
        """Replace the change that is under way, or delete it together with the recovery key."""
        if change is None:
            self._changes.delete(b"")
        else:
            self._changes.save(b"", change, None)

    def begin(self, key: RecoveryKey, delay: int | None, *, is_new: bool, places: Places = NOWHERE) -> None:
        """Have halves of a recovery key laid, as soon as its lock is in force.

        Without a delay, a change that had not ended goes on: what was turned off stays off.
        """
        before = self.change()
        change = SecondLockChange(key, delay, is_new, places=places)
        if before is not None and delay is None:
            change = replace(change, delay=before.delay, places=before.places)
        if before is not None and (before.key is not None or delay is None):
            change = replace(change, is_new=is_new or before.is_new)
        if before is not None and change.delay == before.delay == OFF:
            change = replace(change, taken=before.taken, deleted=before.deleted)
        self.save_change(change)

    def asking(self) -> AskingRecord | None:
        """Return what somebody waits with in this store, or None."""
        return self._askings.load(b"")

    def save_asking(self, asking: AskingRecord | None) -> None:
        """Replace what somebody waits with, or delete it."""
        if asking is None:
            self._askings.delete(b"")
        else:
            self._askings.save(b"", asking, None)


# --- codecs -----------------------------------------------------------------------------------------------


def encode_change(change: SecondLockChange) -> Record:
    """Return the record of a change."""
    key = None if change.key is None else change.key.expose()
    calls: Value = None if change.calls is None else [each.encode() for each in change.calls]
    places: list[Value] = [
        None if each is None else [each.place.fields(), each.pass_] for each in change.places
    ]
    deleted: list[Value] = [each.fields() for each in change.deleted]
    return encode_entry(key, change.delay, int(change.is_new), calls, change.taken, places, deleted)


def decode_change(record: Record) -> SecondLockChange:
    """Read what `encode_change` gives. Raises CorruptStore."""
    return decode_entry(record, 7, "a record of a change of a second lock", _change)


def _change(fields: Fields) -> SecondLockChange:
    key, delay = fields.optional_blob("recovery key", KEY_BYTES), fields.optional_uint("delay", MAX_DELAY)
    is_new, calls = read_bool(fields, "new"), _calls(fields.any())
    taken = fields.uint("what was taken", _CALLS)
    places = Fields(fields.any(), len(SERVERS), "places for notices")
    both = _place(places.any()), _place(places.any())
    deleted = tuple(map(Deposit.read, fields.array("deposits", _MOST_DELETED)))
    recovery_key = None if key is None else RecoveryKey(key)
    return SecondLockChange(recovery_key, delay, is_new, calls, taken, both, deleted)


def _place(value: object) -> ProvenPlace | None:
    if value is None:
        return None
    fields = Fields(value, 2, "a place for notices with a pass")
    place = NoticePlace.read(fields.any())
    return ProvenPlace(place, fields.blob_between("pass", 1, MAX_PASS))


def _calls(value: object) -> HalvesCalls | None:
    if value is None:
        return None
    fields = Fields(value, _CALLS, "the calls of a change")
    one, other = (LayHalf.decode(fields.blob_between("call", 1, SIGNED_RECOVERY_BODY)) for _ in range(2))
    first, second = (
        KeepDeposit.decode(fields.blob_between("call", 1, SIGNED_RECOVERY_BODY)) for _ in range(2)
    )
    return one, other, first, second


def encode_asking(asking: AskingRecord) -> Record:
    """Return the record of what somebody waits with."""
    waits: list[Value] = [None if each is None else [each.shown.fields(), each.at] for each in asking.waits]
    return encode_entry(asking.name, asking.user_id, *asking.servers, asking.key.expose(), *waits)


def decode_asking(record: Record) -> AskingRecord:
    """Read what `encode_asking` gives. Raises CorruptStore."""
    return decode_entry(record, 7, "a record of what somebody waits with", _asking)


def _asking(fields: Fields) -> AskingRecord:
    name, user_id = Address(fields.text("name"), 1).name, fields.blob("user id", HASH_BYTES)
    relay, key_server = fields.text("relay"), fields.text("key server")
    if max(len(relay), len(key_server)) > _MAX_URL:
        raise fields.wrong("server", f"a text of at most {_MAX_URL} letters")
    key = AskingKey(fields.blob("asking key", KEY_BYTES))
    return AskingRecord(name, user_id, (relay, key_server), key, (_wait(fields.any()), _wait(fields.any())))


def _wait(value: object) -> AskedWait | None:
    if value is None:
        return None
    fields = Fields(value, 2, "a wait at a server")
    return AskedWait(WaitShown.read(fields.any()), fields.uint("time of the answer", MAX_TIME))
