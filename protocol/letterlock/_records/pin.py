"""A pinned device list: what is on record of a user, without reading all device lists.

    pin    [user id, version, hash, heads, snapshot, checked]         heads: 8 bytes a version, joined
           [user id, version, hash, "", null, checked]                taken over from another device

It stands inside the records of the user itself and of its contacts.

Not here: the device lists themselves, which are entries of their own.
"""

from dataclasses import dataclass, field

from letterlock._records.entry import MAX_TIME
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES, Snapshot, snapshot_hash
from letterlock._wire.fields import Fields
from letterlock.errors import MalformedMessage
from letterlock.limits import HEAD_BYTES, MAX_COUNTER, MAX_SNAPSHOT

_ELEMENTS = 6


@dataclass(frozen=True, slots=True)
class PinnedList:
    """The newest device list on record of one user.

    `user_id` and `hash`, of the newest version, have 32 bytes. `heads` are those of all versions, 8 bytes
    each. `checked` is when the directory showed the list last, in seconds since 1970 (UTC). A pin that
    another device of ours handed over has no snapshot and no heads until the lists are fetched.
    """

    user_id: bytes
    version: int
    hash: bytes
    heads: bytes = field(repr=False)
    snapshot: Snapshot | None = field(repr=False)
    checked: int

    def fields(self) -> cbor.Value:
        """Return the pin as it stands inside a record."""
        encoded = None if self.snapshot is None else self.snapshot.encode()
        return [self.user_id, self.version, self.hash, self.heads, encoded, self.checked]

    @classmethod
    def from_fields(cls, value: object) -> "PinnedList":
        """Read what `fields` gives. Raises MalformedMessage, InvalidKey. [STO-29]"""
        fields = Fields(value, _ELEMENTS, "a pinned list")
        user_id, version = fields.blob("user id", HASH_BYTES), fields.uint_between("version", 1, MAX_COUNTER)
        hash_, heads = fields.blob("hash", HASH_BYTES), fields.blob_between("heads", 0, version * HEAD_BYTES)
        encoded, checked = fields.any(), fields.uint("time of the check", MAX_TIME)
        if version == 1 and hash_ != user_id:
            raise MalformedMessage("a pinned first version is not the one that the user id names")
        if encoded is None and not heads:
            return cls(user_id, version, hash_, heads, None, checked)
        if type(encoded) is not bytes or len(encoded) > MAX_SNAPSHOT:
            raise fields.wrong("snapshot", f"a byte string of at most {MAX_SNAPSHOT} bytes")
        pin = cls(user_id, version, hash_, heads, Snapshot.decode(encoded), checked)
        _check_snapshot(pin, encoded)
        return pin


def _check_snapshot(pin: PinnedList, encoded: bytes) -> None:
    """Raise MalformedMessage unless snapshot and heads are those of the user, the version and the hash."""
    snapshot, heads = pin.snapshot, pin.heads
    named = None if pin.version == 1 else pin.user_id
    if snapshot is None or (snapshot.version, snapshot.user_id) != (pin.version, named):
        raise MalformedMessage("the snapshot of a pinned list is of another version or user")
    if snapshot_hash(encoded) != pin.hash:
        raise MalformedMessage("the snapshot of a pinned list does not have its hash")
    ends = (pin.user_id[:HEAD_BYTES], pin.hash[:HEAD_BYTES])
    if len(heads) != pin.version * HEAD_BYTES or (heads[:HEAD_BYTES], heads[-HEAD_BYTES:]) != ends:
        raise MalformedMessage("the heads of a pinned list are not those of its versions")
