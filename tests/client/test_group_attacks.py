"""Attacks on a group whose people use clients and a relay: replays, two faces, thieves, races.

tests/groups/test_attacks.py plays the same without clients. Here the relay gives away whatever it has.
"""

import asyncio
from pathlib import Path

import pytest

from letterlock import MemoryStore
from letterlock._groups._sending import seal_text
from letterlock._primitives.entropy import system_entropy
from letterlock._records.group_chain import SendingRecord
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_group import GroupSendAnswer, GroupSendRequest, GroupTextsAnswer, StoredText
from letterlock.client import Client, RelayEventKind
from letterlock.client._errors import RelayRefused
from letterlock.client._transport import Reply
from letterlock.groups import GroupEventKind, GroupIncoming, GroupRole, Groups
from letterlock.user import Outcome, User
from support.client_groups import all_read, founded, in_group, nothing_more, texts
from support.client_town import Asked, Town, happens, play
from support.group_lies import desk
from support.memory_copies import copy_of


class Copy:
    """A copy of all that a device had, in other hands, and a relay that shows it everything."""

    def __init__(self, town: Town, store: MemoryStore) -> None:
        self._user = User.open(store, clock=town.clock)
        self.groups = Groups(self._user)

    @classmethod
    async def of(cls, town: Town, client: Client) -> "Copy":
        """Return a copy of a client's store."""
        return cls(town, await client._office.thread.run(copy_of, client.store))

    async def shown(self, group: bytes, helper: Client, sent: list[bytes]) -> list[GroupIncoming]:
        """Show the copy the whole log, and texts. Return what it makes of them."""
        known = self.groups.get(group).number
        log = await helper.run(lambda: Groups(helper._office.queue.user).log(group, known))
        if log:
            self.groups.take(group, log)
        return [self.groups.decrypt(group, each) for each in sent]

    def sealed(self, group: bytes, body: bytes) -> bytes:
        """Return a text that the copy seals by what it knows."""
        return self.groups.encrypt(group, body).text


def overheard(town: Town) -> list[bytes]:
    """Return the texts that the relay is given from now on, as a list that grows."""
    found: list[bytes] = []

    def note(asked: Asked) -> None:
        if asked.name == "group-send":
            text = GroupSendRequest.decode(asked.body).text
            if text not in found:
                found.append(text)

    town.rules.append(note)
    return found


async def in_epoch(client: Client, group: bytes, epoch: int) -> None:
    """Wait until a client knows of an epoch."""
    while (await client.groups.get(group)).epoch < epoch:
        await client.groups.refresh()
        await asyncio.sleep(0.01)


# --- texts that are shown again to half of the group --------------------------------------------------------


def test_half_of_the_group_is_shown_everything_again_and_reads_it_once(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob, carol, dave) = await founded(town, "alice", "bob", "carol", "dave")
        sent = overheard(town)
        replayed = 0

        def again(asked: Asked, reply: Reply) -> Reply:
            nonlocal replayed
            if asked.name != "group-texts" or asked.client not in {"carol", "dave"} or reply.status != 200:
                return reply
            answer = GroupTextsAnswer.decode(reply.body)
            if not answer.texts or asked.request.most == 1:
                return reply
            # Behind what is new comes every text there ever was, and the newest twice.
            first = answer.newest + 1_000 + replayed
            old = [StoredText(first + at, 0, text) for at, text in enumerate([*sent, sent[-1]])]
            replayed += len(old)
            whole = GroupTextsAnswer(old[-1].number, (*answer.texts, *old))
            return Reply(200, whole.encode())

        town.changes.append(again)
        people = [alice, bob, carol, dave]
        await all_read(group, people, b"one")
        await all_read(group, [bob, alice, carol, dave], b"two")
        assert await alice.groups.renew(group)
        for each in people:
            await in_epoch(each, group, 2)
        await all_read(group, people, b"three")
        assert replayed > 6
        town.changes.clear()
        for each in people:
            await nothing_more(each)

    play(tmp_path, story)


# --- a member that shows two others different texts ---------------------------------------------------------


def two_faced(user: User, group: bytes) -> tuple[bytes, bytes]:
    """Return two texts that a member seals with one key. It goes on after the first one."""
    with user.transaction():
        at = desk(user)
        stand, sending = at.require(group), at.book.sending(group)
        assert sending is not None
        made = [
            seal_text(sending.chain, stand.number, stand.head, (), body, system_entropy)
            for body in (b"buy", b"sell")
        ]
        place = (sending.number, sending.head, sending.stamp, sending.own_lists)
        at.book.save_sending(SendingRecord(*place, made[0].chain))
    return made[0].text, made[1].text


def test_a_member_with_two_faces_is_found_out_by_the_next_text_of_another(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob, carol) = await founded(town, "alice", "bob", "carol")
        for people in ([bob, alice, carol], [alice, bob, carol], [carol, alice, bob]):
            await all_read(group, people, b"honest so far")
        buy, sell = await bob._office.thread.run(two_faced, bob._office.queue.user, group)

        def other_face(asked: Asked, reply: Reply) -> Reply:
            if (asked.name, asked.client, reply.status) != ("group-texts", "carol", 200):
                return reply
            answer = GroupTextsAnswer.decode(reply.body)
            shown = tuple(each._replace(text=sell) if each.text == buy else each for each in answer.texts)
            return Reply(200, GroupTextsAnswer(answer.newest, shown).encode())

        town.changes.append(other_face)
        posted = await bob._office.connection.call(GroupSendRequest(buy), GroupSendAnswer)
        assert posted.number == 4
        assert await texts(alice, 1) == [("bob", b"buy")]
        assert await texts(carol, 1) == [("bob", b"sell")]
        await alice.groups.send(group, b"bob says to buy")
        assert await texts(carol, 1) == [("alice", b"bob says to buy")]
        event = (await happens(carol, GroupEventKind.DISAGREES))[-1]
        assert (event.user_id, event.said_by) == (bob.user_id, alice.user_id)
        await carol.groups.send(group, b"bob says to sell")
        assert await texts(alice, 1) == [("carol", b"bob says to sell")]
        event = (await happens(alice, GroupEventKind.DISAGREES))[-1]
        assert (event.user_id, event.said_by) == (bob.user_id, carol.user_id)

    play(tmp_path, story)


# --- a stolen device ----------------------------------------------------------------------------------------


def test_a_thief_reads_until_the_group_has_healed(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob, carol) = await founded(town, "alice", "bob", "carol")
        second = await town.second(bob)
        await in_group(second, group, "alice", "bob", "carol")
        for each in (alice, carol):
            await each.meet("bob")
        for people in ([alice, bob, second, carol], [carol, alice, bob, second], [bob, alice, second, carol]):
            await all_read(group, people, b"for all devices")
        thief = await Copy.of(town, second)
        sent = overheard(town)
        for people in ([alice, bob, second, carol], [carol, alice, bob, second]):
            await all_read(group, people, b"before")
        before = await thief.shown(group, alice, sent)
        assert [each.text for each in before] == [b"before"] * 2

        await bob.revoke(second.address.device_id)
        await bob.flush()
        for each in (alice, carol):
            await each.meet("bob")
        for each in (alice, bob, carol):
            await in_epoch(each, group, 2)
        sent.clear()
        for people in ([alice, bob, carol], [carol, alice, bob], [bob, alice, carol]):
            await all_read(group, people, b"after")
        after = await thief.shown(group, alice, sent)
        assert len(after) == 3
        assert {each.outcome for each in after} <= {Outcome.HELD, Outcome.REFUSED}
        assert all(each.text is None for each in after)

    play(tmp_path, story)


# --- two admins at once -------------------------------------------------------------------------------------


def test_two_admins_who_remove_each_other_leave_one_history(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob, carol) = await founded(town, "alice", "bob", "carol")
        assert await alice.groups.set_role(group, ["bob"], GroupRole.ADMIN)
        await bob.groups.refresh()
        done = await asyncio.gather(
            alice.groups.remove(group, ["bob"]), bob.groups.remove(group, ["alice"]), return_exceptions=True
        )
        assert done.count(True) == 1
        winner, loser = (alice, bob) if done[0] is True else (bob, alice)
        await in_group(carol, group, winner.name, "carol")
        await loser.groups.refresh()
        assert (await loser.groups.get(group)).role is None
        heads = {(await each.groups.get(group)).head for each in (alice, bob, carol)}
        assert len(heads) == 1
        await all_read(group, [winner, carol], b"the two of us")
        await all_read(group, [carol, winner], b"indeed")
        await loser.groups.send(group, b"and me?")
        await happens(loser, RelayEventKind.GROUP_GIVEN_UP)
        for each in (alice, bob, carol):
            await nothing_more(each)

    play(tmp_path, story)


# --- who was removed, with all that it had ------------------------------------------------------------------


def test_who_was_removed_reads_nothing_with_its_full_old_state(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob, carol) = await founded(town, "alice", "bob", "carol")
        for people in ([alice, bob, carol], [bob, alice, carol], [carol, alice, bob]):
            await all_read(group, people, b"all of us")
        old, before = await Copy.of(town, carol), await Copy.of(town, carol)
        sent = overheard(town)
        assert await alice.groups.remove(group, ["carol"])
        for each in (alice, bob):
            await in_group(each, group, "alice", "bob")
        for people in ([alice, bob], [bob, alice]):
            await all_read(group, people, b"the two of us")

        def shows_all(asked: Asked) -> Reply | None:
            if (asked.name, asked.client) != ("group-texts", "carol"):
                return None
            found = tuple(StoredText(100 + at, 0, text) for at, text in enumerate(sent))
            kept = tuple(each for each in found if each.number > asked.request.after)
            return Reply(200, GroupTextsAnswer(found[-1].number, kept[: asked.request.most]).encode())

        town.rules.append(shows_all)
        await carol.groups.refresh()
        await nothing_more(carol)
        assert (await carol.groups.get(group)).role is None
        town.rules.remove(shows_all)

        shown = await old.shown(group, alice, sent)
        assert len(shown) == 2
        assert all(each.outcome is not Outcome.READ for each in shown)
        copied = old.groups.get(group)
        assert (copied.role, copied.may_send) == (None, False)
        # An older copy still may write by its log, and the relay takes nothing of it.
        text = before.sealed(group, b"and me?")
        with pytest.raises(RelayRefused) as refused:
            await carol._office.connection.call(GroupSendRequest(text), GroupSendAnswer)
        assert refused.value.code is RelayCode.UNKNOWN
        for each in (alice, bob):
            await nothing_more(each)

    play(tmp_path, story)
