"""Evidence: two chains of device lists that were shown under one name and contradict each other.

    evidence    = [1, 9, name, [list ...], [list ...], [list ...]]     each list is a byte string

The first array has the versions that both chains share, the second what our chain goes on with, and the third
what the other one goes on with.

Not here: what evidence shows (user/).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.device_list import DeviceList
from letterlock._wire.user_envelope import UserKind, read_user_envelope
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import MAX_DEVICE_LIST, MAX_EVIDENCE, MAX_EVIDENCE_LISTS, PROTOCOL_VERSION


@dataclass(frozen=True, slots=True)
class EvidenceLists:
    """Evidence as it travels. Nothing in it was verified yet."""

    name: str
    shared: tuple[DeviceList, ...]
    ours: tuple[DeviceList, ...]
    theirs: tuple[DeviceList, ...]

    def encode(self) -> bytes:
        """Return the evidence as bytes. Raises UsageError if they exceed 4 MiB or 1,000 lists."""
        parts = (self.shared, self.ours, self.theirs)
        lists: list[cbor.Value] = [[each.encode() for each in part] for part in parts]
        encoded = cbor.encode([PROTOCOL_VERSION, int(UserKind.EVIDENCE), self.name, *lists])
        if len(encoded) > MAX_EVIDENCE or sum(map(len, parts)) > MAX_EVIDENCE_LISTS:
            raise UsageError(f"evidence of {len(encoded)} bytes; at most {MAX_EVIDENCE}: keep the lists")
        return encoded

    @classmethod
    def decode(cls, data: bytes) -> "EvidenceLists":
        """Read what `encode` gives. Raises MalformedMessage, UnsupportedVersion, InvalidKey."""
        fields = read_user_envelope(data, UserKind.EVIDENCE)
        # A name is one that an address may have.
        name = Address.from_fields([fields.text("name"), 1]).name
        parts = [fields.array(what, MAX_EVIDENCE_LISTS) for what in ("shared", "ours", "theirs")]
        return cls(name, *map(_lists, parts))


def _lists(items: Sequence[object]) -> tuple[DeviceList, ...]:
    return tuple(map(_list, items))


def _list(item: object) -> DeviceList:
    if type(item) is not bytes or len(item) > MAX_DEVICE_LIST:
        raise MalformedMessage(f"a list of evidence is not a byte string of at most {MAX_DEVICE_LIST} bytes")
    return DeviceList.decode(item)
