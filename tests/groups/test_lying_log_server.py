"""A server that lies about the log of a group: it adds members, hides, reorders, repeats, forks and forges.

The signatures are real. What keeps the log is what groups and collections share: documents/_log_reading.py.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from letterlock._records.collection import LogState
from letterlock._wire.collection_member import MemberName, Role
from letterlock._wire.log_entry import Action, LogEntry
from letterlock._wire.log_opening import LogKind
from letterlock.documents import CollectionFork, CollectionForked, InvalidEntry
from letterlock.documents._log_book import LogBook, LogRows
from letterlock.documents._log_reading import LogTaken, take_entries
from letterlock.documents._signing import ListsGiven
from letterlock.errors import InvalidSignature, UsageError
from letterlock.stores import EntryKind, MemoryStore
from letterlock.user import ListChain
from support.relay_logs import SignedLog, signed_entry, user_member
from support.user_tools import FULL, Owner

ROWS = LogRows(
    LogKind.GROUP, EntryKind.GROUP, EntryKind.GROUP_ENTRY, EntryKind.GROUP_FORK, "group", CollectionForked
)


class Keeper:
    """Somebody who keeps the log of a group, and knows the device lists of some people."""

    def __init__(self, *people: Owner) -> None:
        self.store = MemoryStore()
        self.book = LogBook(self.store, ROWS)
        self.learn(*people)

    def learn(self, *people: Owner) -> None:
        self.lists = ListsGiven([ListChain(tuple(each.lists)) for each in people])

    def take(self, log_id: bytes, entries: Sequence[LogEntry]) -> LogTaken:
        with self.store.transaction():
            return take_entries(self.book, self.lists, log_id, entries)

    def state(self, log_id: bytes) -> LogState:
        with self.store.transaction():
            return self.book.require(log_id)

    def refuses(self, log_id: bytes, entries: Sequence[LogEntry], *errors: type[Exception]) -> None:
        """Assert that entries are refused, and that nothing changed."""
        before = self.state(log_id)
        with pytest.raises(errors or (InvalidEntry,)):
            self.take(log_id, entries)
        assert self.state(log_id) == before


class Scene:
    """A group of alice and bob, who are admins, and carol; mallory is nobody, and works for the server."""

    def __init__(self) -> None:
        self.alice, self.bob = Owner("alice"), Owner("bob", [(1, FULL), (2, FULL)])
        self.carol, self.mallory = Owner("carol"), Owner("mallory")
        self.log = SignedLog(
            self.alice,
            user_member(self.bob, Role.ADMIN),
            user_member(self.carol, Role.WRITER),
            kind=LogKind.GROUP,
        )
        self.keeper = self.another()
        self.keeper.take(self.log.id, self.log.entries)

    @property
    def people(self) -> tuple[Owner, ...]:
        return self.alice, self.bob, self.carol, self.mallory

    def another(self) -> Keeper:
        return Keeper(*self.people)

    def remove(self, author: Owner, gone: Owner) -> LogEntry:
        return self.log.keep(self.log.make(author, Action.REMOVE, MemberName.user(gone.user_id)))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_server_adds_nobody(scene: Scene) -> None:  # DOC-63, DOC-71
    log, mallory = scene.log, scene.mallory
    member = user_member(mallory, Role.ADMIN)
    by_herself = log.make(mallory, Action.ADD, member)
    by_carol = log.make(scene.carol, Action.ADD, member)
    right = log.make(scene.alice, Action.ADD, member)
    renewal = log.make(scene.alice, Action.RENEW)
    scene.keeper.refuses(log.id, [by_herself])
    scene.keeper.refuses(log.id, [by_carol])
    for forged in (
        replace(by_herself, signed_by=replace(by_herself.signed_by, signer=right.signed_by.signer)),
        LogEntry.of(by_herself.encoded_terms, renewal.place, renewal.signed_by),
    ):
        scene.keeper.refuses(log.id, [forged], InvalidEntry, InvalidSignature)
    assert not scene.keeper.state(log.id).has_role(mallory.user_id, Role.READER)


def test_a_server_moves_and_leaves_out_nothing(scene: Scene) -> None:  # DOC-61
    log = scene.log
    log.keep(log.make(scene.alice, Action.RENEW))
    log.keep(log.make(scene.bob, Action.RENEW))
    scene.remove(scene.alice, scene.carol)
    new = log.entries[1:]
    for wrong in ([new[0], new[2]], [new[0], new[0]], [new[0], new[2], new[1]]):
        scene.keeper.refuses(log.id, wrong)
    for gap in (new[1:], [new[2]]):
        scene.keeper.refuses(log.id, gap, UsageError)
    assert scene.keeper.take(log.id, new).number == 4
    assert scene.keeper.take(log.id, log.entries).steps.taken == ()
    assert scene.keeper.take(log.id, log.entries[:2]).number == 4


def test_entries_on_record_that_are_shown_again_in_another_order_change_nothing(scene: Scene) -> None:
    """DOC-116: numbers that jump lead nowhere, and above all not to an entry that the store does not have."""
    log = scene.log
    for author in (scene.alice, scene.bob):
        log.keep(log.make(author, Action.RENEW))
    first, second, third = log.entries
    beyond = replace(log.terms(Action.RENEW), number=50)
    forged = LogEntry.of(beyond.encode(), third.place, third.signed_by)
    scene.keeper.take(log.id, log.entries)
    for wrong in ([first, third], [second, first], [first, forged], [second, forged], [first, first]):
        scene.keeper.refuses(log.id, wrong)
    assert scene.keeper.take(log.id, [second, third]).number == 3


def test_what_is_withheld_is_the_end_of_the_log_only(scene: Scene) -> None:
    """The state of somebody who lacks entries is one that the group had."""
    log = scene.log
    states = [log.state]
    for author in (scene.alice, scene.bob, scene.alice):
        log.keep(log.make(author, Action.RENEW))
        states.append(log.state)
    for count, state in enumerate(states, 1):
        newcomer = scene.another()
        newcomer.take(log.id, log.entries[:count])
        assert newcomer.state(log.id) == state


def test_a_removed_admin_goes_on_with_nothing(scene: Scene) -> None:
    log, bob = scene.log, scene.bob
    early = log.make(bob, Action.ADD, user_member(scene.mallory))
    scene.remove(scene.alice, bob)
    late = [log.make(bob, Action.ADD, user_member(scene.mallory)), log.make(bob, Action.RENEW)]
    scene.keeper.take(log.id, log.entries)
    for wrong in late:
        scene.keeper.refuses(log.id, [wrong])
    # What it signed before is another history. Whoever is shown it keeps both, and decides.
    assert scene.keeper.take(log.id, [early]).forked


def test_two_histories_freeze_the_group(scene: Scene) -> None:  # DOC-80
    log, alice, bob = scene.log, scene.alice, scene.bob
    one = log.make(alice, Action.REMOVE, MemberName.user(scene.carol.user_id))
    two = log.make(bob, Action.ADD, user_member(scene.mallory))
    scene.keeper.take(log.id, [one])
    before = scene.keeper.state(log.id)
    taken = scene.keeper.take(log.id, [log.entries[0], two])
    assert taken.forked
    assert scene.keeper.state(log.id) == replace(before, forked=True)
    with pytest.raises(CollectionForked):
        scene.keeper.take(log.id, [one])
    with scene.keeper.store.transaction():
        evidence = scene.keeper.book.evidence(log.id)
    assert evidence is not None
    shown = CollectionFork.check(evidence, [ListChain(tuple(each.lists)) for each in scene.people])
    assert shown.collection == log.id
    assert shown.number == 2
    assert (shown.ours, shown.theirs) == ((alice.user_id,), (bob.user_id,))
    with scene.keeper.store.transaction():
        scene.keeper.book.settle_fork(scene.keeper.book.require(log.id))
    assert scene.keeper.take(log.id, []).number == 2


def test_an_invented_history_freezes_nothing(scene: Scene) -> None:
    """Otherwise a server could stop every group with junk."""
    log, mallory = scene.log, scene.mallory
    taken = log.make(scene.alice, Action.RENEW)
    scene.keeper.take(log.id, [taken])
    invented = log.make(mallory, Action.RENEW)
    scene.keeper.refuses(log.id, [invented])
    unsigned = replace(log.make(scene.bob, Action.RENEW), signed_by=taken.signed_by)
    scene.keeper.refuses(log.id, [unsigned], InvalidEntry, InvalidSignature)
    assert not scene.keeper.state(log.id).forked


def test_a_log_of_a_collection_is_no_log_of_a_group(scene: Scene) -> None:  # GRP-9
    other = SignedLog(scene.alice, user_member(scene.carol, Role.WRITER))
    with pytest.raises(InvalidEntry):
        scene.keeper.take(other.id, other.entries)
    collection = signed_entry(
        scene.log.terms(Action.ADD, user_member(scene.mallory), kind=LogKind.COLLECTION), scene.alice
    )
    scene.keeper.refuses(scene.log.id, [collection])
    scene.keeper.refuses(scene.log.id, [*scene.log.entries, collection])


def test_a_log_of_another_group_is_not_this_one(scene: Scene) -> None:  # DOC-60
    other = SignedLog(scene.alice, user_member(scene.bob, Role.ADMIN), kind=LogKind.GROUP)
    assert other.id != scene.log.id
    scene.keeper.refuses(scene.log.id, other.entries)
    scene.keeper.refuses(scene.log.id, [other.make(scene.alice, Action.RENEW)])


def test_a_thief_of_a_revoked_device_changes_nothing_for_who_knows(scene: Scene) -> None:  # DOC-72
    log, bob = scene.log, scene.bob
    stolen = signed_entry(
        log.terms(Action.ADD, user_member(scene.mallory, Role.ADMIN)), bob, device=2, version=1
    )
    bob.next(revoke=(2,))
    scene.keeper.learn(*scene.people)
    taken = scene.keeper.take(log.id, [stolen])
    assert taken.steps.unvouched == 2
    assert taken.number == 1
    # An admin who was deceived in time vouches for it, and the owner undoes it.
    log.keep(stolen)
    vouched = log.keep(log.make(bob, Action.REMOVE, MemberName.user(scene.mallory.user_id)))
    assert scene.keeper.take(log.id, [stolen, vouched]).number == 3
    assert not scene.keeper.state(log.id).has_role(scene.mallory.user_id, Role.READER)


def test_lists_that_are_missing_are_named(scene: Scene) -> None:
    log = scene.log
    ours = Keeper(scene.alice)
    ours.take(log.id, log.entries)
    log.keep(log.make(scene.bob, Action.RENEW))
    taken = ours.take(log.id, log.entries)
    assert taken.number == 1
    assert taken.steps.missing is not None
    assert taken.steps.missing.user_id == scene.bob.user_id
    ours.learn(scene.alice, scene.bob)
    assert ours.take(log.id, log.entries).number == 2


def test_a_group_that_is_unknown_is_a_mistake_of_the_caller(scene: Scene) -> None:
    with scene.keeper.store.transaction():
        for wrong in (bytes(16), b"short", "text"):
            with pytest.raises(UsageError, match="group"):
                scene.keeper.book.require(wrong)  # type: ignore[arg-type]
