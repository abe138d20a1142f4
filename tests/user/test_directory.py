"""A directory that lies, in each way that it can: a contact takes none of it, or keeps it as evidence.

The directory has every list that Bob and Mallory ever signed, a stolen device of Bob's (number 3), and
devices of its own. It has no other private key of Bob's.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DocumentKey, ListedDevice, Snapshot
from letterlock.errors import PeerError
from letterlock.user import Contact, ContactEvent, ContactState
from letterlock.user._signatures import sign_snapshot
from support.user_tools import FULL, LIMITED, RECOVERY, Owner, document_key, keys

Lists = Sequence[DeviceList]


class Directory:
    """Bob's devices: 1 (phone), 9 (recovery), 2 (laptop), and 3, stolen, which version 4 revokes."""

    def __init__(self) -> None:
        self.bob = Owner("bob", [(1, FULL), (9, RECOVERY)])
        self.bob.next(add=[(2, FULL)])
        self.bob.next(2, add=[(3, FULL)])
        self.bob.next(1, revoke=(3,))
        self.mallory = Owner("mallory", [(1, FULL), (9, RECOVERY)])
        self.mallory.next(add=[(2, FULL)])
        self.mallory.next(2, add=[(3, FULL)])
        self.mallory.next(1, revoke=(3,))

    def own_device(self, version: int) -> ListedDevice:
        """Return a device of the directory's own, as version `version` would list it."""
        return keys("directory").listed(66, FULL, version)

    def with_own_device(self, snapshot: Snapshot) -> Snapshot:
        """Return a snapshot with the directory's device among Bob's."""
        return replace(snapshot, devices=(*snapshot.devices, self.own_device(snapshot.version)))

    def adding(self, signer: str, signer_id: int, after: DeviceList) -> DeviceList:
        """Return a version that adds the directory's device with its true proof, signed by whoever."""
        snapshot = self.with_own_device(self.bob.draft(after=after))
        return sign_snapshot(
            snapshot, signer_id, keys(signer).signing, (keys("directory").prove(snapshot, 66),)
        )


HERE: Final = Directory()
V1, V2, V3, V4 = HERE.bob.lists
KNOWN: Final = Contact.begin("bob", HERE.bob.lists)
BEFORE: Final = Contact.begin("bob", HERE.bob.lists[:3])
"""A contact that has not seen the revocation of device 3."""


def stolen(**drafted: Any) -> DeviceList:
    """Return what the thief of device 3 signs after version 3."""
    return HERE.bob.make(3, after=V3, **drafted)


def two_of_the_thief() -> Lists:
    fourth = stolen()
    return [fourth, HERE.bob.make(3, after=fourth, add=[(66, FULL)])]


REFUSED: Final[dict[str, tuple[Contact, Callable[[], Lists]]]] = {
    "a device of its own, signed with its own key": (KNOWN, lambda: [HERE.adding("directory", 66, V4)]),
    "a device of its own, signed by it as Bob's phone": (KNOWN, lambda: [HERE.adding("directory", 1, V4)]),
    "a device of its own, signed by Mallory": (KNOWN, lambda: [HERE.adding("mallory 1", 1, V4)]),
    "a device of its own, signed with a revoked key": (KNOWN, lambda: [HERE.adding("bob 3", 3, V4)]),
    "a device of its own in a list that Bob signed": (
        KNOWN, lambda: [replace(HERE.bob.make(1), snapshot=HERE.with_own_device(HERE.bob.draft()))],
    ),
    "a device removed from a list that Bob signed": (
        KNOWN,
        lambda: [replace(HERE.bob.make(1), snapshot=replace(
            HERE.bob.draft(), devices=HERE.bob.draft().devices[1:]))],
    ),
    "a revocation taken out of the newest list": (BEFORE, lambda: [replace(V4, snapshot=replace(
        V4.snapshot, devices=V3.snapshot.devices, revoked=()))]),
    "a document key of its own": (
        KNOWN,
        lambda: [replace(HERE.bob.make(1, new_key=True), snapshot=replace(
            HERE.bob.draft(new_key=True), document_key=DocumentKey(3, document_key("directory"))))],
    ),
    "another identity key under Bob's device id": (
        KNOWN,
        lambda: [HERE.bob.make(1, lambda it: replace(it, devices=tuple(
            replace(each, identity=keys("directory").identity.public) if each.id == 2 else each
            for each in it.devices)))],
    ),
    "a version left out": (Contact.begin("bob", [V1]), lambda: [V3, V4]),
    "a version withheld in the middle of the whole chain": (
        Contact.begin("bob", [V1]), lambda: [V1, V3, V4],
    ),
    "versions in another order": (Contact.begin("bob", [V1]), lambda: [V1, V3, V2]),
    "a version twice": (BEFORE, lambda: [V4, V4]),
    "Mallory's newest version for Bob's": (KNOWN, lambda: HERE.mallory.lists[3:]),
    "Mallory's next version after Bob's": (KNOWN, lambda: [HERE.mallory.make(1)]),
    "Mallory's version 2 after Bob's version 1": (
        Contact.begin("bob", [V1]), lambda: [V1, HERE.mallory.lists[1]],
    ),
    "proofs of two lists exchanged": (
        Contact.begin("bob", [V1]), lambda: [replace(V2, proofs=V3.proofs)],
    ),
    "proofs taken away": (Contact.begin("bob", [V1]), lambda: [replace(V2, proofs=())]),
    "the signature of another version": (BEFORE, lambda: [replace(V4, signature=V3.signature)]),
    "the signature of another device": (BEFORE, lambda: [replace(V4, signer=2)]),
    "a version number too high": (KNOWN, lambda: [replace(
        HERE.bob.make(1), snapshot=replace(HERE.bob.draft(), version=2**32 - 1))]),
    "the last version, which nobody signed": (KNOWN, lambda: [replace(
        HERE.bob.make(1), snapshot=replace(HERE.bob.draft(), devices=(), document_key=None))]),
    "the thief revokes the phone": (BEFORE, lambda: [stolen(revoke=(1,))]),
    "the thief revokes the laptop": (BEFORE, lambda: [stolen(revoke=(2,))]),
    "the thief revokes the recovery device": (BEFORE, lambda: [stolen(revoke=(9,))]),
    "the thief adds a recovery device": (BEFORE, lambda: [stolen(add=[(10, RECOVERY)])]),
    "the thief takes an earlier place": (
        BEFORE,
        lambda: [HERE.bob.make(3, lambda it: replace(it, devices=tuple(
            replace(each, added=1) if each.id == 3 else each for each in it.devices)), after=V3)],
    ),
    "the thief adds a device in an earlier place": (
        BEFORE,
        lambda: [HERE.bob.make(3, lambda it: replace(it, devices=tuple(
            replace(each, added=1) if each.id == 4 else each for each in it.devices)),
            after=V3, add=[(4, FULL)])],
    ),
    "the thief goes on after its revocation": (KNOWN, lambda: [HERE.bob.make(3, after=V4)]),
    "a limited device adds another": (
        Contact.begin("carol", [Owner("carol", [(1, FULL), (2, LIMITED)]).lists[0]]),
        lambda: [Owner("carol", [(1, FULL), (2, LIMITED)]).make(2, add=[(3, FULL)])],
    ),
}  # fmt: skip
"""The lies that break a rule or a signature, and the contact that each is told to."""

KEPT: Final[dict[str, tuple[Contact, Callable[[], Lists], ContactEvent]]] = {
    "the list before the revocation": (KNOWN, lambda: HERE.bob.lists[:3], ContactEvent.OLDER),
    "the first list": (KNOWN, lambda: [V1], ContactEvent.OLDER),
    "an older list alone": (KNOWN, lambda: [V3], ContactEvent.OLDER),
    "Mallory's chain for Bob's": (KNOWN, lambda: HERE.mallory.lists, ContactEvent.OTHER_USER),
    "a chain of its own": (KNOWN, lambda: Owner("directory").lists, ContactEvent.OTHER_USER),
    "Bob's phone listed first in a chain of its own": (
        KNOWN, lambda: Owner("bob", [(1, FULL)]).lists, ContactEvent.OTHER_USER,
    ),
    "the thief's version 4, alone": (KNOWN, lambda: [stolen(add=[(66, FULL)])], ContactEvent.FORK),
    "the thief's version 4, in the whole chain": (
        KNOWN, lambda: [V1, V2, V3, stolen(add=[(66, FULL)])], ContactEvent.FORK,
    ),
    "the thief's versions 4 and 5": (KNOWN, two_of_the_thief, ContactEvent.FORK),
    "a second version 2 by Bob's phone, restored from a copy": (
        KNOWN, lambda: [HERE.bob.make(1, after=V1, new_key=True)], ContactEvent.FORK,
    ),
}  # fmt: skip
"""The lies that are properly signed: the contact freezes, and has evidence."""


def test_there_are_more_than_twenty() -> None:
    assert len(REFUSED) + len(KEPT) >= 40


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_and_changes_nothing(name: str) -> None:
    contact, lie = REFUSED[name]
    before = (contact.chain, contact.state, contact.evidence)
    with pytest.raises(PeerError):
        contact.learn(lie())
    assert (contact.chain, contact.state, contact.evidence) == before


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_after_its_way_over_the_wire(name: str) -> None:
    contact, lie = REFUSED[name]
    with pytest.raises(PeerError):
        contact.learn([DeviceList.decode(each.encode()) for each in lie()])


@pytest.mark.parametrize("name", KEPT)
def test_it_is_kept_as_evidence(name: str) -> None:
    contact, lie, event = KEPT[name]
    learned = contact.learn([DeviceList.decode(each.encode()) for each in lie()])
    assert learned.event is event
    assert learned.contact.state is ContactState.CONFLICTING
    assert learned.contact.chain == contact.chain
    assert 66 not in {each.id for each in learned.contact.chain.devices}


def test_the_thief_can_only_change_what_is_newer() -> None:
    """A thief of device 3 signs a version while nobody knows: it adds a device, and that is all."""
    learned = BEFORE.learn([stolen(add=[(66, FULL)])])
    assert learned.event is ContactEvent.NEWER
    after = HERE.bob.make(1, after=learned.contact.chain.newest, revoke=(3, 66))
    assert [each.id for each in learned.contact.learn([after]).contact.devices] == [1, 2]


def test_a_directory_that_withholds_only_delays() -> None:
    learned = Contact.begin("bob", [V1]).learn([V2])
    assert learned.event is ContactEvent.NEWER
    assert learned.contact.learn([V3, V4]).contact.chain == KNOWN.chain
