"""Groups through a relay: people talk, come and go, are offline, and have several devices."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from letterlock.client import Client, RelayEventKind, UnknownUser
from letterlock.client._transport import Reply
from letterlock.errors import PlaintextTooLong, UsageError
from letterlock.groups import CollectionPhase, GroupEventKind, GroupRole
from letterlock.user import DeviceClass, OwnDeviceRevoked
from support.client_groups import all_read, founded, in_group, nothing_more, texts
from support.client_town import RELAY, Asked, Town, happens, play, until

KEY: Final = bytes(32)


def test_people_who_did_not_know_each_other_talk(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, people = await founded(town, "alice", "bob", "carol")
        for each in people:
            assert (await each.groups.get(group)).name == "team"
            await each.groups.send(group, b"from " + each.name.encode())
        for each in people:
            others = [one.name for one in people if one is not each]
            assert sorted(await texts(each, 2)) == [(one, b"from " + one.encode()) for one in others]
            await nothing_more(each)

    play(tmp_path, story)


def test_a_text_says_whose_it_is_and_where_it_was_sent(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        await alice.groups.send(group, b"one")
        await alice.send("bob", b"for you alone")
        seen = set[tuple[object, ...]]()
        async for message in bob.messages():
            seen.add((message.sender, message.device, message.group, message.user_id, message.body))
            if len(seen) == 2:
                await message.done()
                break
        device = alice.address.device_id
        assert seen == {
            ("alice", device, group, alice.user_id, b"one"),
            ("alice", device, None, None, b"for you alone"),
        }

    play(tmp_path, story)


def test_a_text_is_given_until_the_application_has_finished_it(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        await alice.groups.send(group, b"one")
        for _ in range(3):
            async for message in bob.messages():
                assert message.body == b"one"
                break
        assert await texts(bob, 1) == [("alice", b"one")]
        await nothing_more(bob)

    play(tmp_path, story)


def test_texts_of_one_sender_come_in_their_order(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        bodies = [b"%d" % each for each in range(20)]
        for each in bodies:
            await alice.groups.send(group, each)
        assert await texts(bob, 20) == [("alice", each) for each in bodies]

    play(tmp_path, story)


# --- coming and going -----------------------------------------------------------------------------------


def test_a_newcomer_reads_from_then_on(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        await all_read(group, [alice, bob], b"before")
        carol = await town.client("carol")
        assert await alice.groups.add(group, ["carol"])
        for each in (alice, bob, carol):
            await in_group(each, group, "alice", "bob", "carol")
        await all_read(group, [bob, alice, carol], b"after")
        await all_read(group, [carol, alice, bob], b"thanks")
        await nothing_more(carol)

    play(tmp_path, story)


def test_whoever_was_removed_reads_and_sends_nothing_more(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob, carol) = await founded(town, "alice", "bob", "carol")
        await all_read(group, [carol, alice, bob], b"all of us")
        assert await alice.groups.remove(group, ["carol"])
        await in_group(bob, group, "alice", "bob")
        await all_read(group, [bob, alice], b"the two of us")
        await carol.groups.send(group, b"and me?")
        found = await happens(carol, RelayEventKind.GROUP_GIVEN_UP)
        assert GroupEventKind.LEFT in {each.kind for each in found}
        await nothing_more(carol)
        await nothing_more(alice)
        assert (await carol.groups.get(group)).role is None

    play(tmp_path, story)


def test_after_somebody_left_the_next_text_begins_a_new_epoch(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob, carol) = await founded(town, "alice", "bob", "carol")
        assert await carol.groups.leave(group)
        await all_read(group, [bob, alice], b"without carol")
        now = await alice.groups.get(group)
        assert (now.phase, now.epoch, len(now.members)) == (CollectionPhase.PARTED, 2, 2)
        await nothing_more(carol)

    play(tmp_path, story)


def test_roles_and_names_change_for_everybody(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        assert await alice.groups.set_role(group, ["bob"], GroupRole.READER)
        assert await alice.groups.rename(group, "readers")
        await bob.groups.refresh()
        now = await bob.groups.get(group)
        assert (now.name, now.role, now.may_send) == ("readers", GroupRole.READER, False)
        await bob.groups.send(group, b"not taken")
        await happens(bob, RelayEventKind.GROUP_GIVEN_UP)
        assert await alice.groups.set_role(group, ["bob"], GroupRole.MEMBER)
        await bob.groups.refresh()
        await all_read(group, [bob, alice], b"taken")
        assert await alice.groups.close(group)
        await bob.groups.refresh()
        assert (await bob.groups.get(group)).phase is CollectionPhase.CLOSED
        await bob.groups.send(group, b"too late")
        await happens(bob, RelayEventKind.GROUP_GIVEN_UP)

    play(tmp_path, story)


def test_events_tell_what_happened(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        found = await happens(bob, GroupEventKind.JOINED)
        assert found[-1].group == group
        await town.client("carol")
        await alice.groups.add(group, ["carol"])
        await bob.groups.refresh()
        await happens(bob, GroupEventKind.MEMBERS)

    play(tmp_path, story)


def test_of_two_admins_at_once_both_changes_are_made(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        assert await alice.groups.set_role(group, ["bob"], GroupRole.ADMIN)
        await bob.groups.refresh()
        await town.client("carol")
        await town.client("dave")
        done = await asyncio.gather(alice.groups.add(group, ["carol"]), bob.groups.add(group, ["dave"]))
        assert all(done)
        for each in (alice, bob):
            await in_group(each, group, "alice", "bob", "carol", "dave")

    play(tmp_path, story)


# --- offline, and again ---------------------------------------------------------------------------------


def test_what_is_sent_offline_goes_when_the_relay_is_back(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        town.is_down = True
        ids = [await alice.groups.send(group, b"%d" % each) for each in range(3)]
        assert not await alice.groups.rename(group, "offline")
        await happens(alice, RelayEventKind.DOWN)
        assert [await alice.groups.is_sent(each) for each in ids] == [False] * 3
        town.is_down = False
        assert await texts(bob, 3) == [("alice", b"0"), ("alice", b"1"), ("alice", b"2")]
        await alice.flush()
        assert [await alice.groups.is_sent(each) for each in ids] == [True] * 3
        while (await bob.groups.get(group)).name != "offline":
            await bob.groups.refresh()

    play(tmp_path, story)


def test_a_text_that_waited_is_sealed_for_the_members_of_now(tmp_path: Path) -> None:
    """CLN-22: whoever was removed meanwhile is not shown it, and whoever came is."""

    async def story(town: Town) -> None:
        group, (alice, bob, carol) = await founded(town, "alice", "bob", "carol")
        asked = list[bytes]()

        def away(call: Asked) -> Reply | None:
            if call.name != "group-send" or call.client != "bob":
                return None
            asked.append(call.request.text)
            return Reply(503, b"")

        town.rules.append(away)
        await bob.groups.send(group, b"waits")
        await until(lambda: bool(asked))
        dave = await town.client("dave")
        assert await alice.groups.remove(group, ["carol"])
        assert await alice.groups.add(group, ["dave"])
        town.rules.remove(away)
        assert await texts(alice, 1) == [("bob", b"waits")]
        assert await texts(dave, 1) == [("bob", b"waits")]
        await nothing_more(carol)

    play(tmp_path, story)


@pytest.mark.parametrize("call", ["group-send", "log-append", "send"])
def test_an_answer_that_is_lost_doubles_nothing(tmp_path: Path, call: str) -> None:
    async def story(town: Town) -> None:
        lost = dict.fromkeys(("alice", "bob"), 2)

        def lose(asked: Asked, reply: Reply) -> Reply:
            if asked.name == call and lost.get(asked.client, 0):
                lost[asked.client] -= 1
                return Reply(503, b"")
            return reply

        group, (alice, bob) = await founded(town, "alice", "bob")
        town.changes.append(lose)
        await alice.groups.send(group, b"one")
        await alice.groups.rename(group, "other")
        await alice.groups.send(group, b"two")
        assert await texts(bob, 2) == [("alice", b"one"), ("alice", b"two")]
        await all_read(group, [bob, alice], b"three")
        await nothing_more(bob)

    play(tmp_path, story)


@pytest.mark.parametrize("is_before", [True, False])
@pytest.mark.parametrize("moment", ["group-send", "group-texts", "log-append", "send", "fetch"])
def test_a_client_that_dies_in_the_middle_goes_on(tmp_path: Path, moment: str, *, is_before: bool) -> None:
    """CLN-23: before the relay hears of a call, and after it: nothing is lost, and nothing comes twice."""

    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        path, dying = tmp_path / "carol.db", asyncio.Event()

        def die(asked: Asked, reply: Reply | None = None) -> Reply | None:
            if asked.client == "carol" and asked.name == moment:
                dying.set()
                return Reply(503, b"")
            return reply

        kind = town.kind("carol")
        async with await kind.create(path, key=KEY, name="carol", relay=RELAY) as carol:
            await alice.groups.add(group, ["carol"])
            await in_group(carol, group, "alice", "bob", "carol")
            await carol.groups.send(group, b"one")
            await carol.flush()
            (town.rules if is_before else town.changes).append(die)  # type: ignore[arg-type]
            await carol.groups.send(group, b"two")
            await alice.groups.send(group, b"for you")
            with suppress(UsageError):
                await carol.groups.renew(group)
            await dying.wait()
            await killed(carol)
        town.rules.clear()
        town.changes.clear()
        again = await town.stack.enter_async_context(await kind.open(path, key=KEY))
        assert await texts(alice, 2) == [("carol", b"one"), ("carol", b"two")]
        assert await texts(again, 1) == [("alice", b"for you")]
        assert len(await texts(bob, 3)) == 3
        await again.groups.refresh()
        for each in (alice, bob, again):
            await nothing_more(each)

    play(tmp_path, story)


async def killed(client: Client) -> None:
    """End a client's tasks as they are, so that the end of its block sends nothing."""
    runner = client._runner
    assert runner is not None
    runner.cancel()
    await asyncio.wait([runner])


def test_without_sockets_groups_are_asked_from_time_to_time(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        town.sockets = False
        group, people = await founded(town, "alice", "bob")
        await all_read(group, people, b"one")
        await all_read(group, people[::-1], b"two")

    play(tmp_path, story)


# --- devices --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("device_class", [DeviceClass.FULL, DeviceClass.LIMITED])
def test_a_new_device_joins_silently(tmp_path: Path, device_class: DeviceClass) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        second = await town.second(alice, device_class=device_class)
        await in_group(second, group, "alice", "bob")
        await bob.meet("alice")
        await all_read(group, [bob, alice, second], b"for both")
        await second.groups.send(group, b"from the second")
        assert await texts(bob, 1) == [("alice", b"from the second")]
        assert await texts(alice, 1) == [("alice", b"from the second")]
        await alice.groups.send(group, b"from the first")
        assert await texts(second, 1) == [("alice", b"from the first")]
        assert (await bob.groups.get(group)).number == 1

    play(tmp_path, story)


def test_a_device_that_was_revoked_is_out(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        second = await town.second(alice)
        await in_group(second, group, "alice", "bob")
        await bob.meet("alice")
        await all_read(group, [bob, alice, second], b"for both")
        await alice.revoke(second.address.device_id)
        await alice.flush()
        await bob.meet("alice")
        await all_read(group, [bob, alice], b"for one")
        with pytest.raises(OwnDeviceRevoked):
            async for message in second.messages():
                assert message.body != b"for one"

    play(tmp_path, story)


# --- what an application does wrong -----------------------------------------------------------------------


def test_what_is_wrong_is_refused(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice = await town.client("alice")
        with pytest.raises(UnknownUser):
            await alice.groups.create("team", ["nobody"])
        with pytest.raises(UsageError):
            await alice.groups.create("team", "bob")
        group = await alice.groups.create("alone")
        for wrong in (b"", bytes(16), "group"):
            with pytest.raises(UsageError):
                await alice.groups.send(wrong, b"text")  # type: ignore[arg-type]
        with pytest.raises(UsageError):
            await alice.groups.send(group, "text")  # type: ignore[arg-type]
        with pytest.raises(PlaintextTooLong):
            await alice.groups.send(group, bytes(640 * 1024 + 1))
        with pytest.raises(UsageError):
            async with alice.transaction():
                await alice.groups.rename(group, "inside")
        await alice.groups.send(group, bytes(640 * 1024))
        await alice.flush()

    play(tmp_path, story)


def test_a_text_is_part_of_a_transaction(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        with pytest.raises(ZeroDivisionError):
            async with alice.transaction():
                await alice.groups.send(group, b"undone")
                raise ZeroDivisionError
        async with alice.transaction():
            await alice.groups.send(group, b"kept")
        assert await texts(bob, 1) == [("alice", b"kept")]

    play(tmp_path, story)
