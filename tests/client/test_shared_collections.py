"""Collections through a relay: changes, races, and documents for teams. DOC-79, DOC-80, CLN-18."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_log import LogAnswer, LogAppendAnswer
from letterlock.client import Client, RelayEventKind, RelayMisbehaves
from letterlock.client._transport import Reply
from letterlock.documents import CollectionForked, EpochDue, NoEpochKey, NoGrant, Role
from letterlock.errors import UsageError
from support.blob_stores import MemoryBlobs
from support.client_documents import CONTENT, reads, sealed
from support.client_town import Asked, Town, happens, play, refusal


async def team(town: Town, role: Role = Role.WRITER) -> tuple[Client, Client, bytes]:
    """Return Alice, Bob, and a collection of theirs that both have the keys of."""
    alice, bob = await town.client("alice"), await town.client("bob")
    await alice.meet("bob")
    id_ = await alice.documents.collections.create("cardiology")
    assert await alice.documents.collections.add(id_, ["bob"], role)
    await alice.flush()
    await bob.documents.refresh()
    return alice, bob, id_


def changed(town: Town, call: str, client: str, lie: Callable[[Any, Any], Any]) -> None:
    """Have the relay change its answers to one call of a client."""
    kind: Any = {"log": LogAnswer, "log-append": LogAppendAnswer}[call]

    def change(asked: Asked, reply: Reply) -> Reply:
        if (asked.name, asked.client) != (call, client) or reply.status != 200:
            return reply
        return Reply(200, lie(kind.decode(reply.body), asked.request).encode(), 0)

    town.changes.append(change)


def test_a_team_reads_what_a_member_seals(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, team_id = await team(town)
        blobs = MemoryBlobs()
        assert (await bob.documents.collections.get(team_id)).name == "cardiology"
        id_ = await sealed(bob, blobs, team_id)
        await bob.flush()
        assert await reads(alice, id_, blobs) == CONTENT
        phone = await town.second(alice)
        assert await reads(phone, id_, blobs) == CONTENT
        assert await phone.documents.collections.rename(team_id, "heart")
        await bob.documents.refresh()
        (found,) = await bob.documents.collections.all()
        assert (found.name, found.role) == ("heart", Role.WRITER)

    play(tmp_path, story)


def test_a_member_who_comes_later_learns_the_others(tmp_path: Path) -> None:
    """Bob's document is signed by Bob, whom Carol does not know: the keys came with his name."""

    async def story(town: Town) -> None:
        alice, bob, team_id = await team(town)
        blobs, carol = MemoryBlobs(), await town.client("carol")
        id_ = await sealed(bob, blobs, team_id)
        await bob.flush()
        await alice.meet("carol")
        assert await alice.documents.collections.add(team_id, ["carol"])
        await alice.flush()
        await carol.documents.refresh()
        assert await reads(carol, id_, blobs) == CONTENT
        assert {each.name for each in await carol.contacts()} == {"alice", "bob"}

    play(tmp_path, story)


def test_who_was_removed_reads_no_later_version(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, team_id = await team(town, Role.READER)
        blobs = MemoryBlobs()
        id_ = await sealed(alice, blobs, team_id)
        await alice.flush()
        assert await reads(bob, id_, blobs) == CONTENT
        assert await alice.documents.collections.remove(team_id, ["bob"])
        assert await alice.documents.collections.old_documents(team_id) == (id_,)
        await sealed(alice, blobs, replaces=id_, content=b"second")
        await alice.flush()
        await bob.documents.refresh()
        with pytest.raises(NoGrant):
            await bob.documents.open(id_, blobs, 2)
        assert await reads(bob, id_, blobs) == CONTENT  # what was read stays read
        with pytest.raises((UsageError, NoEpochKey)):
            await sealed(bob, blobs, team_id)
        assert await reads(alice, id_, blobs) == b"second"

    play(tmp_path, story)


def test_two_admins_at_once(tmp_path: Path) -> None:
    """DOC-79: both changes end up in the log, whoever was faster."""

    async def story(town: Town) -> None:
        alice, bob, team_id = await team(town, Role.READER)
        for name in ("carol", "dave"):
            await town.client(name)
            await alice.meet(name)
            await bob.meet(name)
        collections = alice.documents.collections, bob.documents.collections
        assert await collections[0].set_role(team_id, ["bob"], Role.ADMIN)
        await bob.documents.refresh()
        done = await asyncio.gather(
            collections[0].add(team_id, ["carol"]), collections[1].add(team_id, ["dave"])
        )
        assert all(done)
        for each in (alice, bob):
            await each.documents.refresh()
            assert len((await each.documents.collections.get(team_id)).members) == 4

    play(tmp_path, story)


def test_a_change_that_is_made_offline_goes_when_the_relay_is_back(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, team_id = await team(town)
        town.is_down = True
        assert not await alice.documents.collections.rename(team_id, "heart")
        with pytest.raises(UsageError, match="under way"):
            await alice.documents.collections.rename(team_id, "again")
        town.is_down = False
        await alice.documents.refresh()
        await bob.documents.refresh()
        assert (await bob.documents.collections.get(team_id)).name == "heart"

    play(tmp_path, story)


def test_an_answer_to_a_change_that_is_lost_loses_no_keys(tmp_path: Path) -> None:
    """The entry is in the log, so the change is found there, and its grants go out then."""

    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        await alice.meet("bob")
        lost: list[bytes] = []

        def lose(asked: Asked, reply: Reply) -> Reply:
            if asked.name == "log-append" and asked.request.entry not in lost:
                lost.append(asked.request.entry)
                return Reply(503, b"", 0)
            return reply

        town.changes.append(lose)
        id_ = await alice.documents.collections.create("cardiology")
        await alice.documents.refresh()
        await alice.documents.collections.add(id_, ["bob"])
        await alice.documents.refresh()
        await alice.flush()
        await bob.documents.refresh()
        assert (await bob.documents.collections.get(id_)).name == "cardiology"
        assert len(lost) == 2

    play(tmp_path, story)


def test_what_cannot_be_done(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, team_id = await team(town, Role.READER)
        theirs = bob.documents.collections
        for call in (
            lambda: theirs.remove(team_id, ["alice"]),
            lambda: theirs.add(team_id, ["alice"]),
            lambda: theirs.rename(team_id, "mine"),
            lambda: theirs.close(bytes(16)),
            lambda: theirs.get(bytes(16)),
            lambda: sealed(bob, MemoryBlobs(), team_id),
        ):
            with pytest.raises(UsageError):
                await call()
        assert await theirs.leave(team_id)
        await alice.documents.refresh()
        with pytest.raises(UsageError):
            await sealed(bob, MemoryBlobs(), team_id)
        assert await alice.documents.collections.close(team_id)
        with pytest.raises((UsageError, EpochDue)):
            await sealed(alice, MemoryBlobs(), team_id)
        await alice.documents.collections.forget(team_id)
        assert await alice.documents.collections.all() == ()

    play(tmp_path, story)


# --- a relay that lies ------------------------------------------------------------------------------------


def test_an_old_log_does_not_bring_a_member_back(tmp_path: Path) -> None:
    """The relay hides the removal: what is on record stays, and nothing is sealed for the old members."""

    async def story(town: Town) -> None:
        alice, _, team_id = await team(town)
        blobs = MemoryBlobs()
        assert await alice.documents.collections.remove(team_id, ["bob"])
        before = await alice.documents.collections.get(team_id)
        changed(town, "log", "alice", lambda answer, _: replace(answer, newest=2, entries=()))
        town.rules.append(lambda asked: None)
        await alice.documents.refresh()
        assert await alice.documents.collections.get(team_id) == before
        id_ = await sealed(alice, blobs, team_id)
        granted = [each for each in await alice.documents.grants(id_) if each.reader_id == team_id]
        assert len(granted) == 1
        assert before.epoch == 2

    play(tmp_path, story)


@pytest.mark.parametrize(
    "lie",
    [
        lambda answer, _: replace(answer, newest=9, entries=(b"garbage",)),
        lambda answer, _: replace(answer, newest=9, entries=(bytes(3000),)),
        lambda answer, _: replace(answer, newest=9, entries=()),
        lambda answer, _: replace(answer, newest=9, entries=tuple(each[:-1] for each in answer.entries)),
    ],
    ids=["garbage", "zeros", "nothing", "cut"],
)
def test_entries_that_are_wrong_change_nothing(tmp_path: Path, lie: Any) -> None:
    async def story(town: Town) -> None:
        alice, bob, team_id = await team(town)
        before = await bob.documents.collections.get(team_id)
        changed(town, "log", "bob", lie)
        await alice.documents.collections.rename(team_id, "heart")
        await bob.documents.refresh()
        assert await bob.documents.collections.get(team_id) == before
        town.changes.clear()
        await bob.documents.refresh()
        assert (await bob.documents.collections.get(team_id)).name == "heart"

    play(tmp_path, story)


def test_a_log_of_another_collection_is_refused(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, team_id = await team(town)
        other = await alice.documents.collections.create("others")
        entries = await alice.run(alice._office.documents.collections.log, other)
        changed(town, "log", "bob", lambda answer, _: replace(answer, newest=9, entries=entries))
        await bob.documents.refresh()
        await happens(bob, RelayEventKind.MISBEHAVES)
        assert [each.id for each in await bob.documents.collections.all()] == [team_id]

    play(tmp_path, story)


@pytest.mark.parametrize("newest", [0, 2, 99])
def test_a_relay_that_takes_nothing(tmp_path: Path, newest: int) -> None:
    """It says that the entry is not taken, and shows nothing that stands in its way."""

    async def story(town: Town) -> None:
        alice, bob, team_id = await team(town)
        changed(town, "log-append", "alice", lambda _, __: LogAppendAnswer(False, newest, ()))
        with pytest.raises(RelayMisbehaves):
            await alice.documents.collections.rename(team_id, "heart")
        assert town.calls["log-append"] < 400
        town.changes.clear()
        await alice.documents.refresh()
        await bob.documents.refresh()
        assert (await bob.documents.collections.get(team_id)).name == "heart"

    play(tmp_path, story)


def test_a_fork_is_kept_as_evidence_and_nothing_is_sealed(tmp_path: Path) -> None:
    """DOC-80: the relay shows Bob a change that Alice signed for a log that others were not shown."""

    async def story(town: Town) -> None:
        alice, bob, team_id = await team(town)
        blobs = MemoryBlobs()
        hidden: list[bytes] = []

        def hide(asked: Asked) -> Reply | None:
            if asked.name == "log-append" and asked.client == "alice" and not hidden:
                hidden.append(asked.request.entry)
                return Reply(200, LogAppendAnswer(True, 3, ()).encode(), 0)
            return None

        town.rules.append(hide)
        phone = await town.second(alice)
        await phone.documents.refresh()
        assert await alice.documents.collections.rename(team_id, "one history")
        town.rules.append(lambda asked: Reply(503, b"", 0) if asked.client == "alice" else None)
        assert await phone.documents.collections.rename(team_id, "another")
        await bob.documents.refresh()
        changed(town, "log", "bob", lambda answer, _: replace(answer, newest=3, entries=(hidden[0],)))
        place = bob._office.documents
        forked = await bob.run(place.take_log, team_id, [hidden[0]])
        assert forked.number == 3
        with pytest.raises(CollectionForked):
            await sealed(bob, blobs, team_id)
        assert await bob.documents.collections.evidence(team_id)
        await bob.documents.refresh()
        await bob.documents.collections.keep(team_id)
        town.changes.clear()
        town.rules.clear()
        await sealed(bob, blobs, team_id)

    play(tmp_path, story)


def test_a_relay_that_forgot_a_log_is_given_it_again(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, team_id = await team(town)
        given: list[bytes] = []

        def forget(asked: Asked) -> Reply | None:
            if asked.client == "alice" and asked.name == "log":
                return refusal(RelayCode.UNKNOWN, 1)
            if asked.client == "alice" and asked.name == "log-append":
                given.append(asked.request.entry)
            return None

        town.rules.append(forget)
        await alice.documents.refresh()
        assert given[:2] == list(await alice.run(alice._office.documents.collections.log, team_id))
        town.rules.clear()
        del bob

    play(tmp_path, story)
