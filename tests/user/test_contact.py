"""A contact: what lists shown under its name do to it, what the application decides, and safety numbers."""

import itertools
from collections.abc import Callable
from typing import Final

import pytest

from letterlock._handshake.safety_number import SafetyNumber, key_fingerprint
from letterlock._primitives.curve25519 import IdentityKey
from letterlock._primitives.labels import USER_FINGERPRINT
from letterlock.errors import SafetyNumberMismatch, UsageError
from letterlock.hazmat import fingerprint, safety_number
from letterlock.user import (
    Contact,
    ContactEvent,
    ContactFrozen,
    ContactState,
    Contradiction,
    InvalidDeviceList,
)
from letterlock.user._contact import TRANSITIONS
from letterlock.user._safety_number import user_safety_number
from support.user_tools import FULL, Owner, keys


def bob_of_three() -> Owner:
    owner = Owner("bob")
    owner.next(add=[(2, FULL)])
    owner.next(add=[(3, FULL)])
    return owner


BOB: Final = bob_of_three()
ALICE: Final = Owner("alice")
MALLORY: Final = Owner("mallory")
NUMBER: Final = user_safety_number(ALICE.user_id, BOB.user_id)

FRESH: Final = Contact.begin("bob", BOB.lists)
SURE: Final = FRESH.verify(ALICE.user_id, NUMBER.digits)
FORKED: Final = [*BOB.lists[:2], BOB.make(2, after=BOB.lists[1], add=[(4, FULL)])]
FOURTH: Final = BOB.make(1, revoke=(3,))
LISTS: Final = {
    ContactEvent.SAME: BOB.lists,
    ContactEvent.NEWER: [FOURTH],
    ContactEvent.OLDER: BOB.lists[:2],
    ContactEvent.FORK: FORKED,
    ContactEvent.OTHER_USER: MALLORY.lists,
}


def frozen(event: ContactEvent = ContactEvent.FORK) -> Contact:
    return SURE.learn(LISTS[event]).contact


STATES: Final[dict[ContactState, Contact]] = {
    ContactState.UNVERIFIED: FRESH,
    ContactState.VERIFIED: SURE,
    ContactState.CONFLICTING: frozen(),
}


def happen(contact: Contact, event: ContactEvent) -> Contact:
    """Let one event happen to a contact."""
    decisions: dict[ContactEvent, Callable[[], Contact]] = {
        ContactEvent.VERIFY: lambda: contact.verify(ALICE.user_id, NUMBER.digits),
        ContactEvent.KEEP: contact.keep,
        ContactEvent.REPLACE: contact.replace,
    }
    if event in decisions:
        return decisions[event]()
    learned = contact.learn(LISTS[event])
    assert learned.event is event
    return learned.contact


# --- the table --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "event"), list(itertools.product(ContactState, ContactEvent)), ids=lambda it: it.name
)
def test_every_state_with_every_event(state: ContactState, event: ContactEvent) -> None:
    """USR-16: the table says what follows; where it says nothing, the event is refused."""
    contact = STATES[state]
    assert contact.state is state
    after = TRANSITIONS.get((state, event))
    if after is None:
        with pytest.raises(ContactFrozen if state is ContactState.CONFLICTING else UsageError):
            happen(contact, event)
        return
    changed = happen(contact, event)
    assert changed.state is after
    assert (changed.evidence is not None) == (after is ContactState.CONFLICTING)
    assert contact.state is state  # it is a value


def test_what_follows_each_event() -> None:
    assert happen(FRESH, ContactEvent.SAME).chain == FRESH.chain
    assert happen(FRESH, ContactEvent.NEWER).chain.newest == FOURTH
    for event in (ContactEvent.OLDER, ContactEvent.FORK, ContactEvent.OTHER_USER):
        assert happen(SURE, event).chain == FRESH.chain
    kept, replaced = frozen().keep(), frozen().replace()
    assert kept.chain == FRESH.chain
    assert replaced.chain.newest == FORKED[-1]


# --- what lists turn out to be ----------------------------------------------------------------------------


def test_a_new_contact_takes_the_user_that_comes_first() -> None:
    assert FRESH.user_id == BOB.user_id
    assert [each.id for each in FRESH.devices] == [1, 2, 3]
    assert FRESH.state is ContactState.UNVERIFIED


def test_newer_lists_come_alone_or_with_all_before_them() -> None:
    fifth = BOB.make(2, after=FOURTH, new_key=True)
    for lists in ([FOURTH, fifth], [*BOB.lists, FOURTH, fifth], [BOB.lists[2], FOURTH, fifth]):
        learned = FRESH.learn(lists)
        assert learned.event is ContactEvent.NEWER
        assert learned.contact.chain.newest == fifth
        assert [each.id for each in learned.contact.devices] == [1, 2]


@pytest.mark.parametrize("lists", [BOB.lists, BOB.lists[1:], BOB.lists[2:]], ids=["all", "two", "newest"])
def test_the_newest_version_again_changes_nothing(lists: list[object]) -> None:
    assert SURE.learn(lists) == FRESH.verify(ALICE.user_id, NUMBER.digits).learn(BOB.lists)  # type: ignore[arg-type]
    assert SURE.learn(BOB.lists).contact == SURE


@pytest.mark.parametrize("lists", [BOB.lists[:1], BOB.lists[:2], BOB.lists[1:2]], ids=["1", "1-2", "2"])
def test_an_older_version_is_refused_and_kept(lists: list[object]) -> None:
    learned = SURE.learn(lists)  # type: ignore[arg-type]
    assert learned.event is ContactEvent.OLDER
    evidence = learned.contact.evidence
    assert evidence
    assert (evidence.kind, evidence.ours, evidence.theirs.version) == (
        Contradiction.OLDER, SURE.chain, len(lists) if lists[0] is BOB.lists[0] else 2,
    )  # fmt: skip


@pytest.mark.parametrize("start", [0, 1, 2])
def test_a_fork_is_seen_from_any_version_on(start: int) -> None:
    longer = [*FORKED, BOB.make(4, after=FORKED[-1], new_key=True)]
    learned = SURE.learn(longer[start:])
    assert learned.event is ContactEvent.FORK
    evidence = learned.contact.evidence
    assert evidence
    assert (evidence.version, evidence.ours, evidence.theirs.lists) == (3, SURE.chain, tuple(longer))


def test_a_fork_from_the_first_version_on_is_seen() -> None:
    """Bob's phone signs another version 2: it was stolen, or restored from a copy."""
    second = BOB.make(1, after=BOB.lists[0], add=[(7, FULL)])
    learned = FRESH.learn([second])
    assert (learned.event, learned.contact.evidence and learned.contact.evidence.version) == (
        ContactEvent.FORK, 2,
    )  # fmt: skip


def test_another_user_under_the_name_is_refused_and_kept() -> None:
    contact = SURE.learn(MALLORY.lists).contact
    assert contact.evidence
    assert contact.evidence.kind is Contradiction.OTHER_USER
    assert contact.chain == SURE.chain
    replaced = contact.replace()
    assert (replaced.user_id, replaced.state) == (MALLORY.user_id, ContactState.UNVERIFIED)


def test_an_older_version_never_replaces_the_newest() -> None:
    contact = frozen(ContactEvent.OLDER)
    with pytest.raises(UsageError, match="older device list cannot replace"):
        contact.replace()
    assert contact.keep().chain == SURE.chain


def test_lists_that_do_not_connect_change_nothing() -> None:
    fifth = BOB.make(2, after=FOURTH, new_key=True)
    later_fork = BOB.make(4, after=FORKED[-1], new_key=True)
    for lists in ([fifth], [later_fork], [FOURTH, FOURTH], [BOB.lists[0], BOB.lists[2]], BOB.lists[::-1]):
        with pytest.raises(InvalidDeviceList):
            FRESH.learn(lists)


def test_no_list_is_no_news() -> None:
    with pytest.raises(UsageError, match="no device list was shown"):
        FRESH.learn([])


def test_a_frozen_contact_gets_nothing_and_learns_nothing() -> None:
    """USR-16."""
    contact = frozen()
    for call in (lambda: contact.devices, lambda: contact.learn([FOURTH])):
        with pytest.raises(ContactFrozen, match="decide with keep or replace"):
            call()


def test_a_name_follows_the_rules_of_an_address() -> None:
    for name in ("", " bob", "bo\u200bb", "x" * 256):
        with pytest.raises(UsageError):
            Contact.begin(name, BOB.lists)


def test_heads() -> None:
    """8 bytes tell a version that somebody had from one that never was."""
    heads = [each.hash[:8] for each in BOB.lists]
    assert [FRESH.chain.version_of(head) for head in heads] == [1, 2, 3]
    assert FRESH.chain.head == heads[2]
    for head in (FOURTH.hash[:8], bytes(8), heads[2][:7], BOB.lists[2].hash):
        assert FRESH.chain.version_of(head) is None


# --- safety numbers ---------------------------------------------------------------------------------------


def test_both_people_see_one_number() -> None:
    """USR-18."""
    theirs = Contact.begin("alice", ALICE.lists).safety_number(BOB.user_id)
    ours = FRESH.safety_number(ALICE.user_id)
    assert ours.digits == theirs.digits
    assert len(ours.digits) == 60
    ours.verify_scan(theirs.scannable)
    theirs.verify_scan(ours.scannable)
    assert FRESH.verify(ALICE.user_id, theirs.scannable).state is ContactState.VERIFIED
    assert FRESH.verify(ALICE.user_id, str(theirs)).state is ContactState.VERIFIED


def test_new_devices_change_no_number() -> None:
    assert FRESH.learn([FOURTH]).contact.safety_number(ALICE.user_id) == NUMBER


def test_it_is_the_algorithm_of_devices_over_user_ids() -> None:
    """The fingerprint of a device is that of 05 || IK; that of a user is over the id and the label."""
    identity = keys("bob 1").identity.public
    assert key_fingerprint(b"\x05" + identity.data, b"bob") == fingerprint(b"bob", identity.data)
    again = safety_number(b"alice", keys("alice 1").identity.public.data, b"bob", identity.data)
    assert IdentityKey(identity.data) == identity
    assert again.digits != NUMBER.digits
    halves = sorted(
        "".join(f"{int.from_bytes(print_[at : at + 5], 'big') % 100_000:05d}" for at in range(0, 30, 5))
        for print_ in (key_fingerprint(each, USER_FINGERPRINT) for each in (ALICE.user_id, BOB.user_id))
    )
    assert NUMBER.digits == "".join(halves)
    assert NUMBER.scannable[:2] == b"\x08\x03"


@pytest.mark.parametrize(
    "code",
    [
        "", "1" * 60, NUMBER.digits[:-1], NUMBER.digits + "0", NUMBER.digits[30:] + NUMBER.digits[:30],
        user_safety_number(ALICE.user_id, MALLORY.user_id).digits,
    ],
)  # fmt: skip
def test_other_digits_verify_nothing(code: str) -> None:
    with pytest.raises(SafetyNumberMismatch):
        FRESH.verify(ALICE.user_id, code)


def test_another_scanned_code_verifies_nothing() -> None:
    """Mallory's code, our own code, and the code of two devices."""
    wrong: list[SafetyNumber] = [
        user_safety_number(MALLORY.user_id, ALICE.user_id),
        NUMBER,
        safety_number(b"b", keys("bob 1").identity.public.data, b"a", keys("alice 1").identity.public.data),
    ]
    for number in wrong:
        with pytest.raises(SafetyNumberMismatch):
            FRESH.verify(ALICE.user_id, number.scannable)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_user_id_has_32_bytes(length: int) -> None:
    with pytest.raises(UsageError, match="32 bytes"):
        FRESH.safety_number(bytes(length))
