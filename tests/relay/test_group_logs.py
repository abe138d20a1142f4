"""Logs of groups at a relay: it orders them as those of collections, and keeps the two kinds apart."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from letterlock._wire.collection_member import MemberName, Role, RoleChange
from letterlock._wire.log_entry import Action, LogEntry
from letterlock._wire.log_opening import LogKind
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_log import LogAnswer, LogAppendAnswer, LogAppendRequest, LogRequest
from letterlock.documents._log import read_log
from letterlock.documents._signing import ListsGiven
from letterlock.user._chain import ListChain
from support.collection_logs import member, opened, opened_for, opened_group, sub
from support.relay_logs import SignedLog, signed_entry, user_member
from support.relay_town import Resident, Town


async def append(caller: Resident, entry: LogEntry) -> LogAppendAnswer:
    request = LogAppendRequest(entry.encode())
    return await caller.town.get(LogAppendAnswer, request, caller.tokens[1])


async def refuses(caller: Resident, entry: LogEntry) -> None:
    request = LogAppendRequest(entry.encode())
    await caller.town.refuses(RelayCode.REFUSED, request, caller.tokens[1])


async def logged(caller: Resident, log: SignedLog) -> tuple[bytes, ...]:
    answer = await caller.town.get(LogAnswer, LogRequest(log.id, 0), caller.tokens[1])
    return answer.entries


async def begun(town: Town, kind: LogKind = LogKind.GROUP) -> tuple[SignedLog, list[Resident]]:
    """Return a log that alice began, with bob as an admin, carol who writes and dave who reads."""
    people = [await Resident(town, each).move_in() for each in ("alice", "bob", "carol", "dave")]
    roles = Role.ADMIN, Role.WRITER, Role.READER
    members = [user_member(each, role) for each, role in zip(people[1:], roles, strict=True)]
    log = SignedLog(people[0], *members, kind=kind)
    assert (await append(people[0], log.entries[0])).is_taken
    return log, people


async def test_a_group_goes_through_its_life_and_members_verify_it(town: Town) -> None:
    log, (alice, bob, carol, dave) = await begun(town)
    erin = await Resident(town, "erin").move_in()
    plan: list[tuple[Resident, Action, tuple[Any, ...]]] = [
        (alice, Action.ADD, (user_member(erin, Role.WRITER),)),
        (alice, Action.ROLE, (RoleChange(MemberName.user(dave.user_id), Role.WRITER),)),
        (erin, Action.LEAVE, ()),
        (carol, Action.RENEW, ()),
        (bob, Action.REMOVE, (MemberName.user(alice.user_id),)),
        (bob, Action.CLOSE, ()),
    ]
    for author, action, changes in plan:
        entry = log.keep(log.make(author, action, *changes))
        assert (await append(author, entry)).is_taken
    await town.restart()
    lists = ListsGiven([ListChain(tuple(each.lists)) for each in (alice, bob, carol, dave, erin)])
    shown = [LogEntry.decode(each) for each in await logged(dave, log)]
    steps = read_log(lists, None, shown)
    assert steps.missing is None
    assert steps.taken[-1].after == log.state
    assert log.state.kind is LogKind.GROUP
    assert log.state.epoch == 3


async def test_of_two_admins_who_act_at_once_one_wins_and_the_other_is_shown_why(town: Town) -> None:
    log, (alice, bob, carol, dave) = await begun(town)
    one = log.make(alice, Action.REMOVE, MemberName.user(carol.user_id))
    two = log.make(bob, Action.REMOVE, MemberName.user(dave.user_id))
    answers = await asyncio.gather(append(alice, one), append(bob, two))
    assert sorted(each.is_taken for each in answers) == [False, True]
    loser = next(each for each in answers if not each.is_taken)
    winner = one if answers[0].is_taken else two
    assert loser.newest == 2
    assert loser.entries == (winner.encode(),)
    assert await logged(alice, log) == (log.encoded[0], winner.encode())


@pytest.mark.parametrize("kind", LogKind)
@pytest.mark.parametrize("action", [Action.ADD, Action.RENEW, Action.CLOSE])
async def test_a_log_takes_no_entry_of_the_other_kind(town: Town, kind: LogKind, action: Action) -> None:
    """Whoever signed it would have followed every other rule. [GRP-9]"""
    log, (alice, *_) = await begun(town, kind)
    erin = await Resident(town, "erin").move_in()
    other = LogKind.COLLECTION if kind is LogKind.GROUP else LogKind.GROUP
    changes = (user_member(erin),) if action is Action.ADD else ()
    opening = opened_for(other, 1) if action is Action.RENEW else None
    await refuses(alice, log.make(alice, action, *changes, kind=other, opening=opening))
    assert (await append(alice, log.make(alice, action, *changes))).is_taken


async def test_what_breaks_a_rule_of_groups_does_not_enter(town: Town) -> None:
    log, (alice, bob, carol, dave) = await begun(town)
    erin = await Resident(town, "erin").move_in()
    for author in (carol, dave, erin):
        await refuses(author, log.make(author, Action.ADD, user_member(erin)))
        await refuses(author, log.make(author, Action.REMOVE, MemberName.user(bob.user_id)))
    await refuses(dave, log.make(dave, Action.RENEW))
    for wrong in (member(sub("team")), member("late", since=1)):
        await refuses(alice, log.make(alice, Action.ADD, wrong))
    same = replace(opened_group(), commitment=log.state.opening.commitment)
    for opening in (same, opened_group(history=True), None):
        await refuses(alice, log.make(alice, Action.RENEW, opening=opening))
    assert await logged(alice, log) == log.encoded


async def test_a_removed_admin_appends_nothing_any_more(town: Town) -> None:
    log, (alice, bob, *_) = await begun(town)
    early = log.make(bob, Action.RENEW)
    removal = log.keep(log.make(alice, Action.REMOVE, MemberName.user(bob.user_id)))
    assert (await append(alice, removal)).is_taken
    answer = await append(bob, early)
    assert not answer.is_taken
    assert answer.entries == (removal.encode(),)
    for action in (Action.RENEW, Action.LEAVE, Action.CLOSE):
        await refuses(bob, log.make(bob, action))
    await refuses(bob, log.make(bob, Action.ADD, user_member(bob, Role.ADMIN)))


async def test_nobody_appends_what_an_admin_signed(town: Town) -> None:
    log, (alice, bob, *_) = await begun(town)
    await refuses(bob, log.make(alice, Action.RENEW))
    forged = log.make(alice, Action.RENEW)
    await refuses(alice, replace(forged, encoded_terms=log.terms(Action.RENEW).encode()))


async def test_an_entry_that_was_signed_under_the_other_label_is_no_entry(town: Town) -> None:
    """The leaf has the label of the kind: a signature serves for one of the two."""
    log, (alice, *_) = await begun(town)
    as_collection = signed_entry(log.terms(Action.RENEW, kind=LogKind.COLLECTION, opening=opened(1)), alice)
    as_group = log.make(alice, Action.RENEW)
    await refuses(alice, replace(as_group, signed_by=as_collection.signed_by))
