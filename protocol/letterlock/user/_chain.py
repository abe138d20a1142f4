"""A chain: every version of one user's device list, from the first, verified.

    user id     = hash(version 1)                                                                    [USR-1]
    head        = first 8 bytes of the hash of a version

A chain verifies itself: version 1 is the user id, and each version is signed by a device of the one before.

Not here: which chain belongs to a name (_contact.py).
"""

from collections.abc import Iterable, Sequence

from letterlock._primitives.secret import Immutable
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import ListedDevice
from letterlock.errors import UsageError
from letterlock.limits import HEAD_BYTES
from letterlock.user._rules import check_first, check_successor, rights
from letterlock.user._signatures import verify_signatures


class ListChain(Immutable):
    """All versions of a user's device list, verified. Make one with `ListChain.verify`."""

    __slots__ = ("lists",)

    lists: tuple[DeviceList, ...]

    def __init__(self, lists: tuple[DeviceList, ...]) -> None:
        """Not for applications: this verifies nothing. Use `ListChain.verify`."""
        object.__setattr__(self, "lists", lists)

    @classmethod
    def verify(cls, lists: Iterable[DeviceList]) -> "ListChain":
        """Return the chain of all versions from the first, having checked every rule and signature.

        Raises UsageError if there are none, InvalidDeviceList, InvalidSignature, InvalidKey.
        """
        first, *others = tuple(lists) or (None,)
        if first is None:
            raise UsageError("there are no device lists: ask the directory for all versions of this user")
        verify_signatures(first, check_first(first.snapshot, first.signer))
        return cls((first,)).extended(others)

    def extended(self, lists: Sequence[DeviceList]) -> "ListChain":
        """Return this chain with the versions that follow, all verified. Raises as `verify` does."""
        known = self.lists
        for each in lists:
            verify_signatures(each, check_successor(known[-1], self.user_id, each))
            known = (*known, each)
        return ListChain(known)

    @property
    def user_id(self) -> bytes:
        """The 32 bytes that name the user: the hash of version 1. They never change."""
        return self.lists[0].hash

    @property
    def newest(self) -> DeviceList:
        """The newest version."""
        return self.lists[-1]

    @property
    def version(self) -> int:
        """The number of the newest version."""
        return len(self.lists)

    @property
    def head(self) -> bytes:
        """The 8 bytes that stand for the newest version in the content of a message."""
        return self.newest.hash[:HEAD_BYTES]

    @property
    def devices(self) -> tuple[ListedDevice, ...]:
        """The devices of the newest version that get messages: not a recovery device."""
        return tuple(each for each in self.newest.snapshot.devices if rights(each).gets_messages)

    def version_of(self, head: bytes) -> int | None:
        """Return which version a head of 8 bytes stands for, or None if the user never had it."""
        found = (at for at, each in enumerate(self.lists, 1) if each.hash[:HEAD_BYTES] == head)
        return next(found, None)

    def shared_with(self, lists: Sequence[DeviceList]) -> int:
        """Return how many versions from the first are the same in both."""
        both = min(len(self.lists), len(lists))
        differing = (at for at in range(both) if self.lists[at].hash != lists[at].hash)
        return next(differing, both)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ListChain):
            return NotImplemented
        return [each.hash for each in self.lists] == [each.hash for each in other.lists]

    def __hash__(self) -> int:
        return hash(self.newest.hash)

    def __reduce__(self) -> "tuple[type[ListChain], tuple[tuple[DeviceList, ...]]]":
        return ListChain, (self.lists,)

    def __repr__(self) -> str:
        return f"<ListChain: user {self.user_id[:4].hex()}, version {self.version}>"
