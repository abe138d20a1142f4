"""Evidence: anybody can check it, and nobody can make it up.

USR-17. A third party here has nothing but the bytes.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import cbor2
import pytest

from letterlock._wire.evidence import EvidenceLists
from letterlock.errors import MalformedMessage, PeerError, UnsupportedVersion, UsageError
from letterlock.limits import MAX_EVIDENCE
from letterlock.user import Contact, Contradiction, DeviceList, Evidence, InvalidDeviceList, ListChain
from support.pair import flipped
from support.user_tools import FULL, Owner

BOB: Final = Owner("bob")
BOB.next(add=[(2, FULL)])
BOB.next(add=[(3, FULL)])
OTHER_THIRD: Final = BOB.make(2, after=BOB.lists[1], add=[(4, FULL)])
MALLORY: Final = Owner("mallory")
CONTACT: Final = Contact.begin("bob", BOB.lists)


def evidence_of(lists: Any) -> Evidence:
    found = CONTACT.learn(lists).contact.evidence
    assert found
    return found


CASES: Final = {
    Contradiction.OLDER: (evidence_of(BOB.lists[:2]), 3),
    Contradiction.FORK: (evidence_of([*BOB.lists[:2], OTHER_THIRD]), 3),
    Contradiction.OTHER_USER: (evidence_of(MALLORY.lists), 1),
}
FORK: Final = CASES[Contradiction.FORK][0]


@pytest.mark.parametrize("kind", Contradiction)
def test_a_third_party_finds_what_was_shown(kind: Contradiction) -> None:
    evidence, version = CASES[kind]
    found = Evidence.check(evidence.encode())
    assert found == evidence
    assert (found.name, found.kind, found.version) == ("bob", kind, version)
    assert found.ours.user_id == BOB.user_id
    assert found.encode() == evidence.encode()


def test_shared_versions_travel_once() -> None:
    shared = sum(len(each.encode()) for each in BOB.lists[:2])
    parts = sum(len(each.encode()) for each in (BOB.lists[2], OTHER_THIRD))
    assert len(FORK.encode()) < shared + parts + 100


# --- made up ----------------------------------------------------------------------------------------------


def lists(shared: Any, ours: Any, theirs: Any, name: str = "bob") -> bytes:
    return EvidenceLists(name, tuple(shared), tuple(ours), tuple(theirs)).encode()


first, second, third = BOB.lists
unsigned: Final = replace(OTHER_THIRD, signature=third.signature)
MADE_UP: Final[dict[str, Callable[[], bytes]]] = {
    "one chain twice": lambda: lists([first, second], [third], [third]),
    "one chain twice, shared": lambda: lists([first, second, third], [], []),
    "a continuation": lambda: lists([first, second], [], [third]),
    "no list of ours": lambda: lists([], [], MALLORY.lists),
    "nothing": lambda: lists([], [], []),
    "a fork that nobody signed": lambda: lists([first, second], [third], [unsigned]),
    "a fork that a stranger signed": lambda: lists(
        [first, second], [third], [MALLORY.sign(OTHER_THIRD.snapshot, 1, OTHER_THIRD.proofs)]
    ),
    "a branch of ours that nobody signed": lambda: lists([first, second], [unsigned], [third]),
    "a shared version that nobody signed": lambda: lists(
        [first, replace(second, signature=third.signature)], [third], [OTHER_THIRD]
    ),
    "a shared version missing": lambda: lists([first], [third], [OTHER_THIRD]),
    "the first version missing": lambda: lists([second], [third], [OTHER_THIRD]),
    "less shared than could be": lambda: lists([first], [second, third], [second, OTHER_THIRD]),
    "nothing shared though the first is the same": lambda: lists([], BOB.lists, [first, second, OTHER_THIRD]),
    "another user's list as the other branch": lambda: lists([first, second], [third], MALLORY.lists),
    "another user whose chain has no first version": lambda: lists(
        [], BOB.lists, [replace(MALLORY.make(1), signer=1)]
    ),
}


@pytest.mark.parametrize("name", MADE_UP)
def test_what_was_made_up_is_refused(name: str) -> None:
    with pytest.raises(PeerError) as caught:
        Evidence.check(MADE_UP[name]())
    assert not isinstance(caught.value, MalformedMessage)


def test_it_cannot_be_made_of_chains_that_agree() -> None:
    chain = ListChain.verify(BOB.lists)
    for theirs in (chain, ListChain.verify([*BOB.lists, BOB.make(1)])):
        with pytest.raises(InvalidDeviceList, match="shows nothing"):
            Evidence("bob", chain, theirs)


# --- bytes ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_changed_bytes_anywhere_are_refused_or_change_the_name_only() -> None:
    data = FORK.encode()
    for at in range(0, len(data), 61):
        try:
            found = Evidence.check(flipped(data, at))
        except PeerError:
            continue
        assert (found.ours, found.theirs) == (FORK.ours, FORK.theirs)
        assert found.name != "bob"


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 10, 5000, -1])
def test_cut_and_lengthened_bytes_are_refused(cut: int) -> None:
    for data in (FORK.encode()[:cut], FORK.encode() + b"\0"):
        with pytest.raises(MalformedMessage):
            Evidence.check(data)


ELEMENTS: Final = cbor2.loads(FORK.encode())


@pytest.mark.parametrize(
    ("at", "wrong"),
    [
        (0, True), (1, 8), (1, 10), (1, None), (2, b"bob"), (2, ""), (2, "bo\u200bb"), (2, " bob"), (3, None),
        (3, b""), (3, [1]), (3, ["list"]), (3, [[]]), (4, [b""]), (4, [b"\x80"]), (5, [None]), (5, {}),
        (3, [bytes(192 * 1024 + 1)]), (5, [b""] * 1001),
    ],
)  # fmt: skip
def test_another_shape_is_refused(at: int, wrong: object) -> None:
    changed = [*ELEMENTS[:at], wrong, *ELEMENTS[at + 1 :]]
    with pytest.raises(MalformedMessage):
        Evidence.check(cbor2.dumps(changed))


def test_another_version_and_other_types_are_refused() -> None:
    with pytest.raises(UnsupportedVersion):
        Evidence.check(cbor2.dumps([2, *ELEMENTS[1:]]))
    with pytest.raises(UsageError, match="must be bytes"):
        Evidence.check(bytearray(FORK.encode()))  # type: ignore[arg-type]
    with pytest.raises(MalformedMessage, match="device list"):
        DeviceList.decode(FORK.encode())
    with pytest.raises(MalformedMessage):
        Evidence.check(third.encode())


def test_evidence_of_too_many_bytes_is_refused_unread() -> None:
    with pytest.raises(MalformedMessage, match=f"at most {MAX_EVIDENCE}"):
        Evidence.check(FORK.encode() + bytes(MAX_EVIDENCE))


def test_evidence_of_too_many_lists_is_not_exported() -> None:
    many = EvidenceLists("bob", tuple(BOB.lists) * 334, (), ())
    with pytest.raises(UsageError, match="keep the lists"):
        many.encode()
