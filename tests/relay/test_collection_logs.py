"""Logs of collections at a relay: the order of entries, races, and entries that must not enter."""

import asyncio
import os
from dataclasses import replace

from letterlock._wire.collection_member import MemberName, Role
from letterlock._wire.device_list import DeviceList
from letterlock._wire.log_entry import Action, LogEntry
from letterlock._wire.relay_calls import CALL_OF_REQUEST
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_log import LogAnswer, LogAppendAnswer, LogAppendRequest, LogRequest
from letterlock.documents._log import read_log
from letterlock.documents._signing import ListsGiven
from letterlock.user._chain import ListChain
from support.collection_logs import in_order, opened
from support.pair import flipped
from support.relay_logs import SignedLog, signed_entry, user_member
from support.relay_town import Resident, Town, family


async def append(caller: Resident, entry: LogEntry, device: int = 1) -> LogAppendAnswer:
    request = LogAppendRequest(entry.encode())
    return await caller.town.get(LogAppendAnswer, request, caller.tokens[device])


async def refuses(caller: Resident, entry: bytes, device: int = 1) -> None:
    await caller.town.refuses(RelayCode.REFUSED, LogAppendRequest(entry), caller.tokens[device])


async def logged(caller: Resident, log: SignedLog, after: int = 0) -> tuple[bytes, ...]:
    """Return the entries after a number as the relay shows them."""
    answer = await caller.town.get(LogAnswer, LogRequest(log.id, after), caller.tokens[1])
    assert answer.newest == len(log.entries)
    return answer.entries


async def begun(town: Town, *names: str) -> tuple[SignedLog, list[Resident]]:
    """Return a log that the first of some people began, with the others as members."""
    people = [await Resident(town, each).move_in() for each in names]
    log = SignedLog(people[0], *map(user_member, people[1:]))
    assert await append(people[0], log.entries[0]) == LogAppendAnswer(is_taken=True, newest=1, entries=())
    return log, people


# --- order ----------------------------------------------------------------------------------------------


async def test_a_log_grows_and_members_verify_it(town: Town) -> None:
    log, (alice, bob) = await begun(town, "alice", "bob")
    carol = await Resident(town, "carol").move_in()
    entries = [
        log.add(alice, user_member(carol, Role.WRITER)),
        log.keep(log.make(bob, Action.LEAVE)),
        log.keep(log.make(carol, Action.RENEW)),
    ]
    for author, entry in zip((alice, bob, carol), entries, strict=True):
        assert (await append(author, entry)).is_taken
    await town.restart()
    shown = await logged(carol, log)
    assert shown == log.encoded
    assert await logged(carol, log, 2) == log.encoded[2:]
    lists = ListsGiven(ListChain.verify(each.lists) for each in (alice, bob, carol))
    assert len(read_log(lists, None, map(LogEntry.decode, shown)).taken) == 4


async def test_a_log_that_nobody_began_is_unknown(town: Town) -> None:
    """RLY-44: its id is the only way to it."""
    log, (alice,) = await begun(town, "alice")
    await town.refuses(RelayCode.UNKNOWN, LogRequest(os.urandom(16), 0), alice.tokens[1], number=1)
    await town.refuses(RelayCode.UNKNOWN, LogRequest(log.id, 0), None, number=0)


async def test_an_entry_whose_answer_was_lost_is_taken(town: Town) -> None:
    """RLY-42: also when others have gone on from it."""
    log, (alice, bob) = await begun(town, "alice", "bob")
    entry = log.keep(log.make(bob, Action.LEAVE))
    for _ in range(2):
        assert await append(bob, entry) == LogAppendAnswer(is_taken=True, newest=2, entries=())
    assert (await append(alice, log.keep(log.make(alice, Action.RENEW)))).is_taken
    assert await append(bob, entry) == LogAppendAnswer(is_taken=True, newest=3, entries=())
    assert await append(alice, log.entries[0]) == LogAppendAnswer(is_taken=True, newest=3, entries=())
    assert await logged(alice, log) == log.encoded


async def test_of_sixteen_who_append_at_once_one_wins(town: Town) -> None:
    """RLY-42: and the others get what they lack."""
    log, (alice,) = await begun(town, "alice")
    newcomers = [await Resident(town, f"person {each}").move_in() for each in range(2)]
    entries = [
        log.make(alice, Action.ADD, *in_order(user_member(newcomers[each % 2])), issued=each)
        for each in range(16)
    ]
    answers = await asyncio.gather(*(append(alice, each) for each in entries))
    won = [at for at, each in enumerate(answers) if each.is_taken]
    assert len(won) == 1
    lacking = LogAppendAnswer(is_taken=False, newest=2, entries=(entries[won[0]].encode(),))
    assert [each for each in answers if not each.is_taken] == [lacking] * 15
    log.keep(entries[won[0]])
    assert await logged(alice, log) == log.encoded


async def test_whoever_is_behind_gets_all_that_is_newer(town: Town) -> None:
    log, (alice, bob) = await begun(town, "alice", "bob")
    late = log.make(bob, Action.LEAVE)
    for _ in range(3):
        await append(alice, log.keep(log.make(alice, Action.RENEW)))
    assert await append(bob, late) == LogAppendAnswer(is_taken=False, newest=4, entries=log.encoded[1:])


async def test_whoever_has_another_history_gets_the_entry_that_contradicts_it(town: Town) -> None:
    log, (alice, bob) = await begun(town, "alice", "bob")
    other = SignedLog(alice, user_member(bob))
    other.entries, other.state = list(log.entries), log.state
    await append(alice, log.keep(log.make(alice, Action.RENEW)))
    other.keep(other.make(alice, Action.RENEW))
    answer = await append(bob, other.make(bob, Action.LEAVE))
    assert answer == LogAppendAnswer(is_taken=False, newest=2, entries=log.encoded[1:])


async def test_an_entry_from_the_future_tells_what_the_relay_lacks(town: Town) -> None:
    """A relay that lost entries gets them again from their authors."""
    log, (alice, bob) = await begun(town, "alice", "bob")
    lost = log.keep(log.make(alice, Action.RENEW))
    entry = log.keep(log.make(bob, Action.LEAVE))
    assert await append(bob, entry) == LogAppendAnswer(is_taken=False, newest=1, entries=())
    assert (await append(alice, lost)).is_taken
    assert (await append(bob, entry)).is_taken


async def test_an_old_entry_again_changes_nothing(town: Town) -> None:
    log, (alice, bob) = await begun(town, "alice", "bob")
    old = log.make(alice, Action.REMOVE, MemberName.user(bob.user_id))
    for _ in range(2):
        await append(alice, log.keep(log.make(alice, Action.RENEW)))
    assert not (await append(alice, old)).is_taken
    assert await logged(bob, log) == log.encoded


# --- what must not enter --------------------------------------------------------------------------------


async def test_garbage_does_not_enter_a_log(town: Town) -> None:
    """RLY-41: bytes that are no entry, and entries that break a rule of logs."""
    log, (alice, bob) = await begun(town, "alice", "bob")
    carol = await Resident(town, "carol").move_in()
    for junk in (b"\0", os.urandom(200), b"\xff" * 70_000, log.encoded[0][:-1], log.encoded[0] + b"\0"):
        await refuses(alice, junk)
    newcomer = in_order(user_member(carol))
    for author, entry in (
        (bob, log.make(bob, Action.ADD, *newcomer)),
        (carol, log.make(carol, Action.LEAVE)),
        (alice, log.make(alice, Action.ADD)),
        (alice, log.make(alice, Action.ADD, user_member(bob))),
        (alice, log.make(alice, Action.LEAVE)),
        (alice, log.make(alice, Action.REMOVE, MemberName.user(carol.user_id))),
        (alice, log.make(alice, Action.RENEW, epoch=3)),
        (alice, log.make(alice, Action.RENEW, opening=None)),
        (alice, log.make(alice, Action.RENEW, opening=log.state.opening)),
    ):
        await refuses(author, entry.encode())
    assert await logged(alice, log) == log.encoded


async def test_an_entry_that_nobody_signed_does_not_enter(town: Town) -> None:
    """RLY-41: no byte of the signature, its key or its place can be changed."""
    log, (alice, bob) = await begun(town, "alice", "bob")
    good = log.make(alice, Action.RENEW)
    by = good.signed_by
    changed = [
        replace(by, signature=flipped(by.signature, 0)),
        replace(by, signature=flipped(by.signature, -1)),
        replace(by, ml_dsa=flipped(by.ml_dsa, 7)),
        replace(by, signature=bytes(3373)),
        replace(by, signer=replace(by.signer, device_id=2)),
        replace(by, signer=replace(by.signer, list_version=2)),
        replace(by, signer=replace(by.signer, list_hash=bytes(32))),
        log.make(bob, Action.LEAVE).signed_by,
        log.make(alice, Action.CLOSE).signed_by,
    ]
    for each in changed:
        await refuses(alice, LogEntry.of(good.encoded_terms, good.place, each).encode())
    wrong = replace(good.place, size=2, path=(bytes(32),))
    await refuses(alice, LogEntry.of(good.encoded_terms, wrong, by).encode())
    first = SignedLog(alice).entries[0]
    forged = replace(first.signed_by, signature=bytes(3373))
    await refuses(alice, LogEntry.of(first.encoded_terms, first.place, forged).encode())
    assert await logged(alice, log) == log.encoded


async def test_nobody_appends_what_somebody_else_signed(town: Town) -> None:
    """RLY-41: an entry that its author did not send stays out, and whoever shows one learns nothing by it."""
    log, (alice, bob) = await begun(town, "alice", "bob")
    await refuses(bob, log.make(alice, Action.RENEW).encode())
    await refuses(bob, SignedLog(alice).encoded[0])
    await refuses(bob, log.encoded[0])
    assert await logged(alice, log) == log.encoded


async def test_an_entry_of_a_device_that_was_revoked_does_not_enter(town: Town) -> None:
    """RLY-41: neither from that device, nor from another one of its user that passes it on."""
    alice = await family(town).move_in()
    log = SignedLog(alice)
    await append(alice, log.entries[0])
    stolen = signed_entry(log.terms(Action.RENEW), alice, device=2)
    alice.next(revoke=(2,))
    await alice.append()
    await town.refuses(RelayCode.UNKNOWN, LogAppendRequest(stolen.encode()), alice.tokens[2], number=0)
    await refuses(alice, stolen.encode())
    later = signed_entry(log.terms(Action.RENEW), alice, device=2)
    await refuses(alice, later.encode())
    assert (await append(alice, log.keep(log.make(alice, Action.RENEW)))).is_taken


async def test_an_entry_that_names_an_earlier_list_of_a_device_that_is_still_listed_enters(
    town: Town,
) -> None:
    alice = await family(town).move_in()
    log = SignedLog(alice, device=2)
    assert (await append(alice, log.entries[0])).is_taken
    named = signed_entry(log.terms(Action.RENEW), alice, version=3)
    alice.next(revoke=(2,))
    await alice.append()
    assert (await append(alice, log.keep(named))).is_taken
    older = signed_entry(log.terms(Action.RENEW), alice, version=2)
    await refuses(alice, older.encode())  # DOC-70


async def test_a_device_of_class_limited_appends_nothing(town: Town) -> None:
    alice = await family(town).move_in()
    log = SignedLog(alice)
    await refuses(alice, log.encoded[0], device=3)
    by_limited = SignedLog(alice, device=3)
    await refuses(alice, by_limited.encoded[0])


async def test_an_entry_cannot_move_to_another_collection(town: Town) -> None:
    log, (alice, bob) = await begun(town, "alice", "bob")
    other = SignedLog(alice, user_member(bob, Role.WRITER))
    await append(alice, other.entries[0])
    assert not (await append(alice, log.make(alice, Action.RENEW, before=None))).is_taken
    assert not (await append(alice, log.make(alice, Action.RENEW, log_id=None))).is_taken
    moved = log.make(alice, Action.RENEW, log_id=other.id)
    assert not (await append(alice, moved)).is_taken
    assert await logged(alice, other) == other.encoded


async def test_a_list_that_the_relay_does_not_have_is_no_proof(town: Town) -> None:
    """A device list that its user signed and did not give to the relay."""
    log, (alice,) = await begun(town, "alice")
    hidden: DeviceList = alice.next(add=[(2, 1)])
    assert hidden.snapshot.version == 2
    await refuses(alice, log.make(alice, Action.RENEW).encode())


# --- floods ---------------------------------------------------------------------------------------------


async def test_one_device_begins_so_many_logs_only(town: Town) -> None:
    alice = await Resident(town, "alice").move_in()
    entry = SignedLog(alice).entries[0]
    for _ in range(100):
        town.now += 5
        await append(alice, entry)
    town.now += 5
    await town.refuses(RelayCode.SLOW_DOWN, LogAppendRequest(entry.encode()), alice.tokens[1])


async def test_one_device_appends_so_fast_only(town: Town) -> None:
    log, (alice,) = await begun(town, "alice")
    for _ in range(99):
        await refuses(alice, b"junk")
    await town.refuses(RelayCode.SLOW_DOWN, LogAppendRequest(b"junk"), alice.tokens[1])
    town.now += 5
    assert (await append(alice, log.make(alice, Action.RENEW))).is_taken


async def test_an_entry_that_is_too_long_is_refused_before_it_is_read(town: Town) -> None:
    _, (alice,) = await begun(town, "alice")
    call = CALL_OF_REQUEST[LogAppendRequest]
    reply = await town.relay.handle(call, bytes(call.size + 1), alice.tokens[1], town.now)
    assert reply.status == RelayCode.TOO_LARGE.status


async def test_a_log_of_a_thousand_members_is_carried_on(town: Town) -> None:
    alice = await Resident(town, "alice").move_in()
    crowd = [replace(user_member(alice), name=MemberName.user(os.urandom(32))) for _ in range(999)]
    log = SignedLog(alice, *crowd)
    assert (await append(alice, log.entries[0])).is_taken
    assert (await append(alice, log.keep(log.make(alice, Action.RENEW, opening=opened(link=1))))).is_taken
    assert await logged(alice, log) == log.encoded
