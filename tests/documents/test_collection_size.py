"""A collection of 1,000 members: what adding and removing one costs, counted in operations."""

from collections import Counter
from dataclasses import replace

import pytest

from letterlock._primitives import hpke
from letterlock._primitives.composite import CompositeKeyPair
from letterlock._primitives.xwing import XWingKeyPair
from letterlock._records.collection_change import Asked, Wish
from letterlock._wire.collection_limits import MAX_COLLECTION_ENTRY, MAX_MEMBERS
from letterlock._wire.collection_member import Member, MemberName, Role
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DocumentKey, Snapshot
from letterlock._wire.log_entry import Action, LogEntry
from letterlock.documents import Collections
from letterlock.documents._changes import make_change
from letterlock.documents._collection_desk import CollectionDesk, collection_desk
from letterlock.documents._log_taking import take
from letterlock.errors import UsageError
from letterlock.user._user import desk_behind
from support.collection_logs import user
from support.collection_town import Town

OTHERS = [user(f"member {at}") for at in range(MAX_MEMBERS)]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count HPKE operations, signatures, and documents' keys that are granted anew."""
    count: Counter[str] = Counter()
    seal, opened, sign = hpke.seal, hpke.open_sealed, CompositeKeyPair.sign

    def counting_seal(*args: object) -> bytes:
        count["hpke"] += 1
        return seal(*args)  # type: ignore[arg-type]

    def counting_open(*args: object) -> bytes:
        count["opened"] += 1
        return opened(*args)  # type: ignore[arg-type]

    def counting_sign(*args: object) -> bytes:
        count["signatures"] += 1
        return sign(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(hpke, "seal", counting_seal)
    monkeypatch.setattr(hpke, "open_sealed", counting_open)
    monkeypatch.setattr(CompositeKeyPair, "sign", counting_sign)
    return count


class Everybody:
    """The device lists on record; those of everybody else have one document key."""

    def __init__(self, at: CollectionDesk) -> None:
        self.lists = at.lists
        key = DocumentKey(1, XWingKeyPair.generate(lambda length: bytes([7]) * length).public.data)
        own = at.lists.newest(at.user_id)
        assert own is not None
        self.other = replace(own, document_key=key)

    def newest(self, user_id: bytes) -> Snapshot:
        return self.lists.newest(user_id) or self.other

    def version(self, user_id: bytes, version: int) -> DeviceList | None:
        return self.lists.version(user_id, version)


def everybodys(town: Town) -> CollectionDesk:
    """Return alice's desk, inside a transaction, where everybody has device lists."""
    at = collection_desk(desk_behind(town.user("alice")))
    return replace(at, lists=Everybody(at))  # type: ignore[arg-type]


def do(town: Town, collection: bytes, wish: Wish) -> tuple[bytes, int]:
    """Make a change, and take it as accepted. Return its entry, and how many grants it has."""
    with town.user("alice").transaction():
        at = everybodys(town)
        change = make_change(at, wish, at.book.require(collection))
        take(at, collection, [LogEntry.decode(change.entry)])
        at.book.delete_change(collection, change.number)
    return change.entry, len(change.grants)


def full() -> tuple[Town, bytes]:
    """Return a town in which alice has a collection of 1,000 members."""
    town = Town("alice")
    team = town.new("alice")
    asked = tuple(Asked(each, Role.READER) for each in OTHERS[: MAX_MEMBERS - 1])
    do(town, team, Wish(Action.ADD, asked))
    return town, team


def test_what_a_thousand_members_cost(counted: Counter[str]) -> None:
    town, team = full()
    version = town.seal("alice", team)
    documents = list(town.server.grants)
    assert len(town.at("alice").get(team).members) == MAX_MEMBERS

    counted.clear()
    removal, grants = do(town, team, Wish(Action.REMOVE, (Asked(OTHERS[0]),)))
    assert grants == MAX_MEMBERS - 1
    assert counted["hpke"] == MAX_MEMBERS - 1
    assert counted["opened"] <= 3  # the keys of the epoch before
    assert counted["signatures"] == 1
    assert len(removal) <= MAX_COLLECTION_ENTRY

    counted.clear()
    addition, grants = do(town, team, Wish(Action.ADD, (Asked(OTHERS[-1], Role.READER),)))
    assert grants == 1
    assert counted["hpke"] + counted["opened"] <= 2
    assert counted["signatures"] == 1
    assert len(addition) <= MAX_COLLECTION_ENTRY

    assert documents == town.server.grants  # no document was granted anew
    assert town.opens("alice", version)
    with town.user("alice").transaction(), pytest.raises(UsageError, match="at most 1000"):
        at = everybodys(town)
        make_change(at, Wish(Action.ADD, (Asked(OTHERS[0], Role.READER),)), at.book.require(team))


def test_a_renewal_for_everybody_says_so_in_one_entry() -> None:
    """The longest entry: every member has a new document key."""
    town, team = full()
    with town.user("alice").transaction():
        book = everybodys(town).book
        state = book.require(team)
        old = {name: replace(each, generation=0) for name, each in state.members.items()}
        own = MemberName.user(town.user("alice").user_id)
        old[own] = Member(own, Role.ADMIN, 0, 1)
        book.save_state(replace(state, members=old))
    entry, grants = do(town, team, Wish(Action.RENEW, epoch=1))
    assert grants == MAX_MEMBERS
    assert len(entry) <= MAX_COLLECTION_ENTRY


def test_limits_are_checked_first() -> None:
    town = Town("alice")
    team = town.new("alice")
    alice = Collections(town.user("alice"))
    wrong: list[object] = [[], ["bob"] * (MAX_MEMBERS + 1), "bob", b"0123456789abcdef", [7]]
    for members in wrong:
        with pytest.raises(UsageError):
            alice.add(team, members)  # type: ignore[arg-type]
    for name in ("x" * 256, "\ud800", 7):
        with pytest.raises(UsageError):
            alice.create(name)  # type: ignore[arg-type]
    for id_ in (b"", bytes(15), bytes(16), "team"):
        with pytest.raises(UsageError):
            alice.get(id_)  # type: ignore[arg-type]
