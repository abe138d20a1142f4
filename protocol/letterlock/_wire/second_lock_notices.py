"""Where a user is told of a second lock, which the recovery device says at each server by itself.

    notify  [1, 52, user id, number, [kind, address] / null, ML-DSA key, signature]      ->  [1]

    number      that of the last `lay`                                                                [REC-45]
    kind        the check by which this server reaches the address
    signature   as for `lay`

Not here: the other calls of a second lock (second_lock_calls.py); what a server does with it (recovery/).
"""

from dataclasses import field
from typing import Self

from letterlock._primitives.dataclass import dataclass
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.identity_calls import read_kind
from letterlock._wire.identity_limits import MAX_CLAIM
from letterlock._wire.recovery_calls import Change, ChangeSignature
from letterlock._wire.recovery_limits import SIGNED_RECOVERY_BODY
from letterlock._wire.relay_body import Form
from letterlock.limits import MAX_COUNTER


@dataclass(frozen=True, slots=True)
class NoticePlace:
    """The kind of a check, and an address for it: UTF-8, 1 to 320 bytes."""

    kind: str
    address: bytes = field(repr=False)

    def fields(self) -> cbor.Value:
        """Return it as it stands inside an encoding."""
        return [self.kind, self.address]

    @classmethod
    def read_optional(cls, value: object) -> Self | None:
        """Read what `fields` gives, or null. Raises MalformedMessage."""
        return None if value is None else cls.read(value)

    @classmethod
    def read(cls, value: object) -> Self:
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 2, "a place for notices")
        return cls(read_kind(fields), fields.blob_between("address", 1, MAX_CLAIM))


@dataclass(frozen=True, slots=True)
class NotifyAt(Change):
    """Says where a server sends notices; None: nowhere."""

    FORM = Form("a place for notices", 7, SIGNED_RECOVERY_BODY, 10)
    NUMBER = 52

    user_id: bytes
    number: int
    place: NoticePlace | None
    by: ChangeSignature

    def change(self) -> list[cbor.Value]:
        """Return the elements between the number of the call and the signer's key."""
        return [self.user_id, self.number, None if self.place is None else self.place.fields()]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        user_id, number = fields.blob("user id", HASH_BYTES), fields.uint("number", MAX_COUNTER)
        return cls(user_id, number, NoticePlace.read_optional(fields.any()), ChangeSignature.read(fields))
