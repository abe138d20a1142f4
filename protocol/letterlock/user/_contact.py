"""A contact: the user that a name stands for, and what to think of device lists that are shown under it.

    state         SAME         NEWER        OLDER, FORK, OTHER_USER    VERIFY      KEEP         REPLACE
    unverified    unverified   unverified   conflicting                verified    -            -
    verified      verified     verified     conflicting                verified    -            -
    conflicting   -            -            -                          -           unverified   unverified

`TRANSITIONS` is this table, and the code looks every event up in it. [USR-16]

Not here: sending and receiving; where contacts are stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from letterlock._handshake.safety_number import SafetyNumber
from letterlock._records.contact import ContactState
from letterlock._wire.address import Address
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import ListedDevice
from letterlock.errors import SafetyNumberMismatch, UsageError
from letterlock.user._chain import ListChain
from letterlock.user._errors import ContactFrozen
from letterlock.user._evidence import Contradiction, Evidence
from letterlock.user._safety_number import user_safety_number


class ContactEvent(Enum):
    """What happens to a contact: what device lists turn out to be, and what the application decides."""

    SAME = "same"
    NEWER = "newer"
    OLDER = "older"
    FORK = "fork"
    OTHER_USER = "other user"
    VERIFY = "verify"
    KEEP = "keep"
    REPLACE = "replace"


CONTRADICTIONS: Final = {
    Contradiction.OLDER: ContactEvent.OLDER,
    Contradiction.FORK: ContactEvent.FORK,
    Contradiction.OTHER_USER: ContactEvent.OTHER_USER,
}

_UNVERIFIED, _VERIFIED, _CONFLICTING = ContactState

TRANSITIONS: Final = {
    (_UNVERIFIED, ContactEvent.SAME): _UNVERIFIED,
    (_UNVERIFIED, ContactEvent.NEWER): _UNVERIFIED,
    (_UNVERIFIED, ContactEvent.OLDER): _CONFLICTING,
    (_UNVERIFIED, ContactEvent.FORK): _CONFLICTING,
    (_UNVERIFIED, ContactEvent.OTHER_USER): _CONFLICTING,
    (_UNVERIFIED, ContactEvent.VERIFY): _VERIFIED,
    (_VERIFIED, ContactEvent.SAME): _VERIFIED,
    (_VERIFIED, ContactEvent.NEWER): _VERIFIED,
    (_VERIFIED, ContactEvent.OLDER): _CONFLICTING,
    (_VERIFIED, ContactEvent.FORK): _CONFLICTING,
    (_VERIFIED, ContactEvent.OTHER_USER): _CONFLICTING,
    (_VERIFIED, ContactEvent.VERIFY): _VERIFIED,
    (_CONFLICTING, ContactEvent.KEEP): _UNVERIFIED,
    (_CONFLICTING, ContactEvent.REPLACE): _UNVERIFIED,
}
"""The state that follows a state and an event. Where there is none, the event is refused."""


def state_after(state: ContactState, event: ContactEvent) -> ContactState:
    """Return the state that follows. Raises ContactFrozen or UsageError where the table has none."""
    after = TRANSITIONS.get((state, event))
    if after is not None:
        return after
    if state is ContactState.CONFLICTING:
        raise ContactFrozen
    raise UsageError("this contact has no conflict to decide")


def compare_number(number: SafetyNumber, code: str | bytes) -> None:
    """Raise SafetyNumberMismatch unless `code` is this number: its digits, or its scanned form as bytes."""
    if isinstance(code, bytes):
        number.verify_scan(code)
    elif "".join(code.split()) != number.digits:
        raise SafetyNumberMismatch("these are other digits: do not trust this contact")


@dataclass(frozen=True, slots=True)
class Contact:
    """A name, the chain of device lists on record under it, and what is known of it.

    `evidence` is None unless the state is CONFLICTING. Every method returns another contact, and changes
    nothing.
    """

    name: str
    chain: ListChain
    state: ContactState = ContactState.UNVERIFIED
    evidence: Evidence | None = None

    @classmethod
    def begin(cls, name: str, lists: Sequence[DeviceList]) -> "Contact":
        """Return a contact that takes the user of these lists, all versions from the first, as it comes.

        `name` follows the rules of an address. Raises UsageError, InvalidDeviceList, InvalidSignature,
        InvalidKey.
        """
        return cls(Address(name).name, ListChain.verify(lists))

    @property
    def user_id(self) -> bytes:
        """The 32 bytes that name the user."""
        return self.chain.user_id

    @property
    def devices(self) -> tuple[ListedDevice, ...]:
        """The devices that get messages. Raises ContactFrozen in state CONFLICTING. [USR-16]"""
        self._require_unfrozen()
        return self.chain.devices

    def learn(self, lists: Sequence[DeviceList]) -> "Learned":
        """Return what becomes of the contact when these lists are shown under its name.

        `lists` are consecutive versions: those after the one on record, or all from the first. Lists that
        contradict the chain on record are not errors but events, and the contact is then CONFLICTING. Raises
        ContactFrozen in that state, UsageError if there are no lists, InvalidSignature, InvalidKey, and
        InvalidDeviceList if a list breaks a rule or the lists do not connect to the chain.
        """
        self._require_unfrozen()
        if not lists:
            raise UsageError("no device list was shown: ask the directory for one")
        known = self.chain.lists
        start = lists[0].snapshot.version - 1
        # If what is shown does not connect to the versions before it, the rules of a successor refuse it.
        whole = (*known[:start], *lists)
        shared = self.chain.shared_with(whole)
        if shared == len(known):
            return self._continued(self.chain.extended(whole[shared:]))
        trusted = ListChain(known[:shared])
        theirs = trusted.extended(whole[shared:]) if shared else ListChain.verify(whole)
        evidence = Evidence(self.name, self.chain, theirs)
        return self._after(CONTRADICTIONS[evidence.kind], evidence=evidence)

    def safety_number(self, our_user_id: bytes) -> SafetyNumber:
        """Return the number that both people see. New devices do not change it. [USR-18]"""
        return user_safety_number(our_user_id, self.user_id)

    def verify(self, our_user_id: bytes, code: str | bytes) -> "Contact":
        """Return the contact as VERIFIED if `code` is the number that the contact's own screen shows.

        `code` is 60 digits, with or without spaces, or the bytes of the scanned form. Raises
        SafetyNumberMismatch, and ContactFrozen in state CONFLICTING.
        """
        compare_number(self.safety_number(our_user_id), code)
        return self._after(ContactEvent.VERIFY).contact

    def keep(self) -> "Contact":
        """Return the contact with the chain on record, once the contradiction is explained."""
        return self._after(ContactEvent.KEEP).contact

    def replace(self) -> "Contact":
        """Return the contact with the other chain of the evidence.

        Raises UsageError if that one only is older: a superseded version is never taken again.
        """
        evidence = self.evidence
        if evidence is not None and evidence.kind is Contradiction.OLDER:
            raise UsageError("an older device list cannot replace the one on record: keep that one")
        return self._after(ContactEvent.REPLACE, chain=None if evidence is None else evidence.theirs).contact

    def _continued(self, chain: ListChain) -> "Learned":
        event = ContactEvent.SAME if chain.version == self.chain.version else ContactEvent.NEWER
        return self._after(event, chain=chain)

    def _after(
        self, event: ContactEvent, *, chain: ListChain | None = None, evidence: Evidence | None = None
    ) -> "Learned":
        state = state_after(self.state, event)
        return Learned(event, replace(self, chain=chain or self.chain, state=state, evidence=evidence))

    def _require_unfrozen(self) -> None:
        if self.state is ContactState.CONFLICTING:
            raise ContactFrozen


@dataclass(frozen=True, slots=True)
class Learned:
    """What device lists turned out to be, and the contact after them. Store the contact."""

    event: ContactEvent
    contact: Contact
