"""Collections inside collections: circles, depth, roles, and what happens inside."""

from dataclasses import replace

import pytest

from letterlock._records.collection import LogState
from letterlock._wire.collection_limits import MAX_NESTING
from letterlock._wire.collection_member import MemberName, Role
from letterlock._wire.log_entry import Action
from letterlock.documents._collection_errors import EpochDue
from letterlock.documents._dues import DueReason, dues, void_members
from letterlock.documents._nesting import check_nesting, reached, users_of, void_edges
from letterlock.errors import UsageError
from support.collection_logs import READER, WRITER, Log, digest, member, sub, user
from support.collection_town import Town


def graph(*edges: tuple[str, str], role: Role = READER) -> dict[bytes, LogState]:
    """Return collections that contain each other; each has its name as a reader too."""
    names = dict.fromkeys(name for edge in edges for name in edge)
    found: dict[bytes, LogState] = {}
    for name in names:
        inner = [sub(each) for outer, each in edges if outer == name]
        log = Log(member(f"{name}'s", WRITER), *(member(each, role) for each in inner))
        hashes = {each.id: digest(f"{name} {each.id.hex()}") for each in inner}
        found[sub(name).id] = replace(log.state, log_id=sub(name).id, nested=hashes)
    return found


def ids(*names: str) -> set[bytes]:
    return {sub(name).id for name in names}


def test_what_is_inside() -> None:
    states = graph(("a", "b"), ("b", "c"), ("a", "c"), ("d", "a"))
    assert set(reached(states, sub("a").id)) == ids("a", "b", "c")
    assert set(reached(states, sub("c").id)) == ids("c")
    assert void_edges(states) == frozenset()


def test_at_most_four_inside_each_other() -> None:  # DOC-77
    states = graph(("a", "b"), ("b", "c"), ("x", "y"))
    check_nesting(states, sub("y").id, sub("new").id)
    check_nesting(states, sub("new").id, sub("a").id)
    for outer, inner in (("y", "a"), ("c", "x")):
        with pytest.raises(UsageError, match=f"at most {MAX_NESTING}"):
            check_nesting(states, sub(outer).id, sub(inner).id)


def test_none_inside_itself() -> None:  # DOC-77
    states = graph(("a", "b"), ("b", "c"))
    for outer, inner in (("a", "a"), ("b", "a"), ("c", "a"), ("c", "b")):
        with pytest.raises(UsageError, match="inside itself"):
            check_nesting(states, sub(outer).id, sub(inner).id)


def test_one_edge_of_a_circle_is_void() -> None:  # DOC-78
    states = graph(("a", "b"), ("b", "c"), ("c", "a"), ("a", "d"))
    (void,) = void_edges(states)
    circle = [(a, b) for a in states for b in states[a].nested if b != sub("d").id]
    assert void == max(circle, key=lambda edge: states[edge[0]].nested[edge[1]])
    assert void_members(states[void[0]], states) == (MemberName.collection(void[1]),)
    others = [each for each in states if each != void[0]]
    assert all(void_members(states[each], states) == () for each in others)


def test_two_circles_lose_an_edge_each() -> None:  # DOC-78
    states = graph(("a", "b"), ("b", "a"), ("c", "d"), ("d", "c"))
    assert len(void_edges(states)) == 2
    both = graph(("a", "b"), ("b", "a"), ("b", "c"), ("c", "a"))
    void = void_edges(both)
    for at in both:
        others = [each for each in both[at].nested if (at, each) not in void]
        assert all(at not in reached(both, each, void) for each in others)


def test_roles_through_collections_are_the_smaller_ones() -> None:
    states = graph(("a", "b"), role=READER)
    found = users_of(states, sub("a").id, frozenset())
    assert found[digest("a's")] is WRITER
    assert found[digest("b's")] is READER
    writing = graph(("a", "b"), role=WRITER)
    assert users_of(writing, sub("a").id, frozenset())[digest("b's")] is WRITER
    assert digest("b's") not in users_of(states, sub("a").id, frozenset({(sub("a").id, sub("b").id)}))


def test_what_is_due_inside_is_due_outside() -> None:  # DOC-76
    states = graph(("a", "b"), ("b", "c"))
    assert not any(dues(states, lambda _: 1).values())
    spent = states | {sub("c").id: _spent(states[sub("c").id])}
    found = dues(spent, lambda _: 1)
    assert found[sub("c").id] == {DueReason.SPENT}
    assert found[sub("a").id] == found[sub("b").id] == {DueReason.INNER}
    grown = dues(states, lambda name: 2 if name == user("b's") else 1)
    assert grown[sub("b").id] == {DueReason.MEMBER}
    assert grown[sub("c").id] == frozenset()


def _spent(state: LogState) -> LogState:
    log = Log(member("gone"))
    log.add("gone", Action.LEAVE)
    return replace(state, phase=log.state.phase)


# --- with keys ----------------------------------------------------------------------------------------------


def nested(town: Town) -> tuple[bytes, bytes]:
    """Return a practice of alice, and inside it a team of alice with bob."""
    team = town.new("alice", "bob", name="team")
    practice = town.new("alice", name="practice")
    town.give("alice", town.at("alice").add(practice, [team]))
    for each in (team, practice):
        town.sync_all(each)
    return practice, team


def test_members_of_a_collection_inside_open() -> None:
    town = Town("alice", "bob", "carol")
    practice, team = nested(town)
    version = town.seal("alice", practice)
    assert town.readers(version) == {"alice", "bob"}
    town.give("alice", town.at("alice").add(team, ["carol"]))
    town.sync_all(team)
    assert town.readers(version) == {"alice", "bob", "carol"}


def test_who_is_removed_inside_opens_nothing_new_outside() -> None:  # DOC-76
    town = Town("alice", "bob", "carol")
    practice, team = nested(town)
    town.give("alice", town.at("alice").remove(team, ["bob"]))
    with pytest.raises(EpochDue):
        town.seal("alice", practice)
    town.upkeep("alice")
    version = town.seal("alice", practice)
    for each in (team, practice):
        town.sync_all(each)
    assert town.readers(version) == {"alice"}


def test_a_circle_that_two_admins_close_at_once() -> None:  # DOC-78
    town = Town("alice", "bob")
    one, other = town.new("alice", "bob"), town.new("bob", "alice")
    inner, outer = town.at("alice").add(one, [other]), town.at("bob").add(other, [one])
    town.give("alice", inner)
    town.give("bob", outer)
    for each in (one, other):
        town.sync_all(each)
    with pytest.raises(UsageError):
        town.at("alice").add(one, [other])
    for _ in range(4):
        for name in ("alice", "bob"):
            town.upkeep(name)
            for each in (one, other):
                town.sync_all(each)
    nested_in = [
        each.id for each in town.at("alice").all() if any(len(m.name.id) == 16 for m in each.members)
    ]
    assert len(nested_in) == 1
    assert all(not each.due for name in ("alice", "bob") for each in town.at(name).all())
    assert town.readers(town.seal("alice", one)) == {"alice", "bob"}
