"""Evidence of a contradiction, which anybody can check: two verified chains that were shown under one name.

                     no version shared    some shared
    theirs ends       -                    OLDER        theirs ends where ours goes on
    theirs goes on    OTHER_USER           FORK         both go on from the last version that they share

A fork is signed by the user's own devices, so whoever shows it proves it. The other two only prove that the
lists exist; that a directory showed them is the word of whoever kept them.

Not here: what a contact does about it (_contact.py).
"""

from dataclasses import dataclass
from enum import Enum

from letterlock._wire.evidence import EvidenceLists
from letterlock.user._chain import ListChain
from letterlock.user._errors import InvalidDeviceList


class Contradiction(Enum):
    """How two chains contradict each other."""

    OLDER = "older"
    """The other chain ends before ours: a version that was superseded, perhaps by a revocation."""
    FORK = "fork"
    """Two devices of one user signed two different versions after the same one."""
    OTHER_USER = "other user"
    """The chains begin differently: they are of two users."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two chains that were shown under `name`. `ours` was on record, and `theirs` was refused."""

    name: str
    ours: ListChain
    theirs: ListChain

    def __post_init__(self) -> None:
        if len(self.ours.lists) == self._shared:
            raise InvalidDeviceList("evidence holds one chain twice, or its continuation: it shows nothing")

    @property
    def kind(self) -> Contradiction:
        """How the two contradict each other."""
        if not self._shared:
            return Contradiction.OTHER_USER
        return Contradiction.OLDER if len(self.theirs.lists) == self._shared else Contradiction.FORK

    @property
    def version(self) -> int:
        """The first version in which the two differ."""
        return self._shared + 1

    @property
    def _shared(self) -> int:
        return self.ours.shared_with(self.theirs.lists)

    def encode(self) -> bytes:
        """Return the evidence as bytes, for others to check. Raises UsageError if they exceed 4 MiB."""
        shared = self._shared
        ours, theirs = self.ours.lists, self.theirs.lists
        return EvidenceLists(self.name, ours[:shared], ours[shared:], theirs[shared:]).encode()

    @classmethod
    def check(cls, data: bytes) -> "Evidence":
        """Return what `encode` gave, after checking every rule and signature in it. [USR-17]

        Raises MalformedMessage, UnsupportedVersion, InvalidKey, InvalidSignature, and InvalidDeviceList if a
        list is wrong or the two chains do not contradict each other.
        """
        lists = EvidenceLists.decode(data)
        if not lists.ours or not (lists.shared or lists.theirs):
            raise InvalidDeviceList("evidence holds one chain only: it shows nothing")
        ours = ListChain.verify((*lists.shared, *lists.ours))
        shared = len(lists.shared)
        common = ListChain(ours.lists[:shared])
        theirs = common.extended(lists.theirs) if shared else ListChain.verify(lists.theirs)
        if ours.shared_with(theirs.lists) != shared:
            raise InvalidDeviceList("evidence does not say where the chains part: it has another encoding")
        return cls(lists.name, ours, theirs)
