"""What happens to a group between two moments of a client: before a text goes, and while it is offline."""

from contextlib import suppress
from pathlib import Path

from letterlock._wire.group_text import GroupText
from letterlock.client import RelayUnavailable
from letterlock.client._transport import Reply
from support.client_groups import all_read, founded, nothing_more, texts
from support.client_town import Asked, Town, play, until


def test_a_text_that_waits_for_its_letters_is_sealed_for_the_members_of_now(tmp_path: Path) -> None:
    """CLN-22: what was sealed before a removal was learned never goes to the relay, which could keep it."""

    async def story(town: Town) -> None:
        group, (alice, bob, eve) = await founded(town, "alice", "bob", "eve")
        asked, entries = list[str](), list[int]()

        def away(call: Asked) -> Reply | None:
            if call.client != "bob":
                return None
            if call.name == "group-send":
                entries.append(GroupText.decode(call.request.text).place.entry)
            if call.name != "send" or not town.changes:
                return None
            asked.append(call.name)
            return Reply(503, b"")

        town.changes.append(lambda _, reply: reply)
        town.rules.append(away)
        await bob.groups.send(group, b"not for eve")
        await until(lambda: bool(asked))
        assert await alice.groups.remove(group, ["eve"])
        while (await bob.groups.get(group)).number == 1:
            await bob.groups.refresh()
        town.changes.clear()
        assert await texts(alice, 1) == [("bob", b"not for eve")]
        assert entries == [2]
        await nothing_more(eve)

    play(tmp_path, story)


def test_who_was_removed_and_added_while_offline_reads_what_came_before(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob, carol) = await founded(town, "alice", "bob", "carol")
        bob_is_away = [True]
        town.rules.append(lambda asked: Reply(503, b"") if bob_is_away and asked.client == "bob" else None)
        await all_read(group, [alice, carol], b"with him")
        assert await alice.groups.remove(group, ["bob"])
        await all_read(group, [alice, carol], b"without him")
        assert await alice.groups.add(group, ["bob"])
        bob_is_away.clear()
        await all_read(group, [alice, carol], b"again")
        assert await texts(bob, 2) == [("alice", b"with him"), ("alice", b"again")]
        await nothing_more(bob)

    play(tmp_path, story)


def test_a_text_of_somebody_who_was_removed_since_is_late(tmp_path: Path) -> None:
    """GRP-38: an honest member had sent it before; the application is told all the same."""

    async def story(town: Town) -> None:
        group, (alice, bob, carol) = await founded(town, "alice", "bob", "carol")
        await all_read(group, [carol, alice, bob], b"before")
        is_away = [True]

        def no_texts(call: Asked) -> Reply | None:
            return Reply(503, b"") if is_away and (call.client, call.name) == ("bob", "group-texts") else None

        town.rules.append(no_texts)
        await all_read(group, [carol, alice], b"under way")
        assert await alice.groups.remove(group, ["carol"])
        await alice.groups.send(group, b"without her")
        while (await bob.groups.get(group)).number == 1:
            with suppress(RelayUnavailable):
                await bob.groups.refresh()
        is_away.clear()
        found = dict[bytes, bool]()
        async for message in bob.messages():
            found[message.body] = message.is_late
            await message.done()
            if len(found) == 2:
                break
        assert found == {b"under way": True, b"without her": False}

    play(tmp_path, story)
