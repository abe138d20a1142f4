"""What the sealed bytes of a group text hold, before padding.

    content   = [head before, [heard ...], text]
    heard     = [member, device id, since, number, head]

`head before` is the head of the sender's chain before this text, so that a member who received another one
finds out. `heard` are heads of chains of other devices, as the sender received them: two members who were
shown different texts find out as soon as one of them writes. `member` is the place of the device's user
among the members of the group, which are in ascending order of their ids, after the entry that the text
names. [GRP-6]

With each head the sender says that its device has read the texts of that chain from `since` to `number`, so
that whoever wrote them learns where they arrived. [GRP-45]

Not here: what a head is (_groups/_epoch.py).
"""

from dataclasses import field
from itertools import pairwise
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.envelope import check_items
from letterlock._wire.fields import Fields
from letterlock._wire.group_limits import MAX_GROUP_MEMBERS, MAX_HEARD
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER, MAX_ID, MAX_PLAINTEXT

_WHAT: Final = "the content of a group text"
_MOST_ITEMS: Final = 4 + 6 * MAX_HEARD


@dataclass(frozen=True, slots=True)
class Heard:
    """The head, 32 bytes, of another device's chain after its text of this number. `member` counts from 0.

    The texts from `since` to `number` were read.
    """

    member: int
    device: int
    since: int
    number: int
    head: bytes = field(repr=False)

    def fields(self) -> cbor.Value:
        """Return it as it stands inside an encoding."""
        return [self.member, self.device, self.since, self.number, self.head]

    @classmethod
    def from_fields(cls, value: object) -> "Heard":
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 5, "the head of another chain")
        member, device = (
            fields.uint("member", MAX_GROUP_MEMBERS - 1),
            fields.uint_between("device id", 1, MAX_ID),
        )
        return cls(member, device, *read_run(fields), fields.blob("head", HASH_BYTES))


def read_run(fields: Fields) -> tuple[int, int]:
    """Read the first and the last number of texts in a row. Raises MalformedMessage."""
    since, number = fields.uint("since", MAX_COUNTER), fields.uint("number", MAX_COUNTER)
    if since > number:
        raise fields.wrong("since", "no greater number than that of the last text")
    return since, number


@dataclass(frozen=True, slots=True)
class GroupContent:
    """A text with what its sender saw before it.

    `head_before` has 32 bytes; `heard` are in ascending order.
    """

    head_before: bytes = field(repr=False)
    heard: tuple[Heard, ...]
    text: bytes = field(repr=False)

    def encode(self) -> bytes:
        """Return the bytes that are padded and sealed."""
        return cbor.encode([self.head_before, [each.fields() for each in self.heard], self.text])

    @classmethod
    def decode(cls, data: bytes) -> "GroupContent":
        """Read what `encode` gives. Raises MalformedMessage.

        The bytes are authentic, but a member may have sealed anything.
        """
        check_items(data, _MOST_ITEMS, _WHAT)
        fields = Fields(cbor.decode(data), 3, _WHAT)
        head = fields.blob("head", HASH_BYTES)
        heard = tuple(map(Heard.from_fields, fields.array("heads of others", MAX_HEARD)))
        places = [(each.member, each.device) for each in heard]
        if any(one >= other for one, other in pairwise(places)):
            raise MalformedMessage(f"{_WHAT} names the heads of others twice or out of order: discard it")
        return cls(head, heard, fields.blob_between("text", 0, MAX_PLAINTEXT))
