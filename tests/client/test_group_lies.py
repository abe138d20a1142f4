"""A relay that lies about groups: it repeats, reorders, hides, invents and refuses. Nobody is deceived."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from letterlock._wire.collection_fork import ForkEntries
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_group import GroupTextsAnswer, StoredText
from letterlock._wire.relay_log import LogAnswer, LogAppendAnswer
from letterlock.client import RelayEventKind
from letterlock.client._group_queue import GroupQueue
from letterlock.client._transport import Reply
from letterlock.groups import GroupEventKind, GroupProcessed, GroupRole
from support.client_emptied import emptied
from support.client_groups import all_read, founded, nothing_more, texts
from support.client_town import Asked, Town, happens, play, refusal, until
from support.pair import flipped

LATER_VERSION = 2
Edit = Callable[[tuple[StoredText, ...]], tuple[StoredText, ...]]


def shows(town: Town, client: str, edit: Edit) -> None:
    """Have a client shown other texts than there are."""

    def change(asked: Asked, reply: Reply) -> Reply:
        if (asked.name, asked.client, reply.status) != ("group-texts", client, 200):
            return reply
        answer = GroupTextsAnswer.decode(reply.body)
        changed = edit(answer.texts)
        newest = max([answer.newest, *(each.number for each in changed)])
        return replace(reply, body=GroupTextsAnswer(newest, changed).encode())

    town.changes.append(change)


def test_a_text_that_is_repeated_is_read_once(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")

        def again(found: tuple[StoredText, ...]) -> tuple[StoredText, ...]:
            return (*found, *(each._replace(number=each.number + 1000) for each in found))

        shows(town, "bob", again)
        await all_read(group, [alice, bob], b"one")
        await nothing_more(bob)

    play(tmp_path, story)


def test_texts_in_another_order_are_all_read(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        bob_is_away = [True]
        town.rules.append(lambda asked: Reply(503, b"") if bob_is_away and asked.client == "bob" else None)
        for each in (b"1", b"2", b"3"):
            await alice.groups.send(group, each)
        await alice.flush()

        def backwards(found: tuple[StoredText, ...]) -> tuple[StoredText, ...]:
            numbers = [each.number for each in found]
            return tuple(
                each._replace(number=number) for number, each in zip(numbers, found[::-1], strict=True)
            )

        shows(town, "bob", backwards)
        bob_is_away.clear()
        assert sorted(await texts(bob, 3)) == [("alice", b"1"), ("alice", b"2"), ("alice", b"3")]
        await nothing_more(bob)

    play(tmp_path, story)


def test_what_is_invented_or_changed_keeps_no_text_away(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")

        def junk(found: tuple[StoredText, ...]) -> tuple[StoredText, ...]:
            first = [
                each._replace(number=10 * each.number + at, text=text)
                for each in found
                for at, text in enumerate((os.urandom(200), flipped(each.text, -1), flipped(each.text, 60)))
            ]
            last = [each._replace(number=10 * each.number + 9) for each in found]
            return tuple(sorted((*first, *last), key=lambda each: each.number))

        shows(town, "bob", junk)
        await all_read(group, [alice, bob], b"one")
        await nothing_more(bob)

    play(tmp_path, story)


def test_a_text_of_a_later_version_keeps_no_text_away(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")

        def later(found: tuple[StoredText, ...]) -> tuple[StoredText, ...]:
            newer = bytes((LATER_VERSION,))
            texts = [(each, each.text[:1] + newer + each.text[2:]) for each in found]
            return tuple(
                each._replace(number=2 * each.number + at, text=text)
                for each, changed in texts
                for at, text in enumerate((changed, each.text))
            )

        shows(town, "bob", later)
        await all_read(group, [alice, bob], b"one")
        await nothing_more(bob)

    play(tmp_path, story)


def test_a_text_that_is_hidden_keeps_no_later_one_away(tmp_path: Path) -> None:
    """The texts after it are read all the same."""

    async def story(town: Town) -> None:
        group, (alice, bob, carol) = await founded(town, "alice", "bob", "carol")
        await all_read(group, [alice, bob, carol], b"before")
        shows(town, "bob", lambda found: tuple(each for each in found if each.number != 2))
        await alice.groups.send(group, b"hidden")
        assert await texts(carol, 1) == [("alice", b"hidden")]
        await alice.groups.send(group, b"shown")
        assert await texts(bob, 1) == [("alice", b"shown")]
        await nothing_more(bob)

    play(tmp_path, story)


@pytest.mark.parametrize("code", [RelayCode.STALE, RelayCode.UNKNOWN, RelayCode.REFUSED])
def test_a_text_that_is_refused_waits_and_goes_later(
    tmp_path: Path, code: RelayCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay that refuses for no reason is not asked without a pause, and nothing is lost."""

    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        refused, town.now = 0, town.clock()
        monkeypatch.setattr("support.client_town.SPEED", 0)  # time passes where the test says so

        def refuse(asked: Asked) -> Reply | None:
            nonlocal refused
            if asked.name != "group-send":
                return None
            refused += 1
            return refusal(code, 1)

        town.rules.append(refuse)
        await alice.groups.send(group, b"one")
        await alice.groups.send(group, b"two")
        await until(lambda: refused > 0)
        await alice.groups.refresh()
        before = refused
        await alice.groups.refresh()
        assert refused == before
        town.now += 60
        await alice.groups.refresh()
        assert refused > before
        town.rules.clear()
        town.now += 60
        assert await texts(bob, 2) == [("alice", b"one"), ("alice", b"two")]

    play(tmp_path, story)


def test_an_entry_that_the_relay_made_adds_nobody(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")

        def forge(asked: Asked, reply: Reply) -> Reply:
            if (asked.name, asked.client, reply.status) != ("log", "bob", 200):
                return reply
            answer = LogAnswer.decode(reply.body)
            entries = tuple(flipped(each, at * 7 % len(each)) for at, each in enumerate(answer.entries, 5))
            return replace(reply, body=LogAnswer(answer.newest, entries).encode())

        town.changes.append(forge)
        await alice.groups.rename(group, "other")
        await bob.groups.refresh()
        await happens(bob, RelayEventKind.MISBEHAVES)
        assert (await bob.groups.get(group)).number == 1
        town.changes.clear()
        await bob.groups.refresh()
        assert (await bob.groups.get(group)).name == "other"
        await all_read(group, [bob, alice], b"one")

    play(tmp_path, story)


def test_texts_that_were_not_asked_for_are_noticed(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        await all_read(group, [alice, bob], b"one")
        shows(town, "bob", lambda _: (StoredText(1, 0, b"text"),))
        bob._office.note_group(group)
        await happens(bob, RelayEventKind.MISBEHAVES)
        town.changes.clear()
        await all_read(group, [alice, bob], b"two")

    play(tmp_path, story)


def test_a_relay_that_lost_the_log_is_given_it_again(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        await all_read(group, [alice, bob], b"one")
        await alice.groups.rename(group, "other")
        await bob.groups.refresh()
        async with emptied(town, tmp_path):
            await all_read(group, [alice, bob], b"two")
            await all_read(group, [bob, alice], b"three")
            assert (await bob.groups.get(group)).name == "other"

    play(tmp_path, story)


def test_groups_that_letters_make_up_take_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes of groups that nobody has keeps no real group away, and makes few calls."""
    made_up = tuple(bytes([each]) * 16 for each in range(200))
    process = GroupQueue.process

    def with_letters(self: GroupQueue) -> GroupProcessed:
        done = process(self)
        return replace(done, unknown=(*done.unknown, *made_up))

    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        await bob.groups.refresh()
        monkeypatch.setattr(GroupQueue, "process", with_letters)
        asked = list[bytes]()
        town.rules.append(lambda call: asked.append(call.request.collection) if call.name == "log" else None)
        await bob.groups.refresh()
        assert (
            0 < sum(each in made_up for each in asked) <= 192
        )  # a task of its own may ask meanwhile, and again
        assert await bob._office.run(bob._office.groups.known) == [group]
        for _ in range(8):
            await bob.groups.refresh()
        assert set(made_up) <= set(asked)  # each has its turn
        assert max(map(asked.count, made_up)) < 9
        await all_read(group, [alice, bob], b"one")

    play(tmp_path, story)


def pretends(asked: Asked) -> Reply | None:
    """Say that an entry of Alice was taken, and take it not."""
    if (asked.name, asked.client) != ("log-append", "alice"):
        return None
    return Reply(200, LogAppendAnswer(is_taken=True, newest=3, entries=()).encode())


def test_a_log_of_which_two_members_are_shown_two_versions_is_frozen(tmp_path: Path) -> None:
    """The relay says that it took Alice's entry, gives it to nobody, and takes Bob's in its place."""

    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        await alice.groups.set_role(group, ["bob"], GroupRole.ADMIN)
        await bob.groups.refresh()

        town.rules.append(pretends)
        assert await alice.groups.rename(group, "of alice")
        town.rules.clear()
        for each in ("of bob", "of bob again"):
            assert await bob.groups.rename(group, each)
        await bob.groups.send(group, b"one")
        await happens(alice, GroupEventKind.FORKED)
        assert (await alice.groups.get(group)).forked
        evidence = await alice.groups.evidence(group)
        assert evidence is not None
        assert len(ForkEntries.decode(evidence).theirs) == 2
        await alice.groups.send(group, b"two")
        await nothing_more(alice)  # what Bob wrote waits, as does what Alice writes
        await nothing_more(bob)

    play(tmp_path, story)


def test_two_logs_that_differ_in_their_newest_entry_are_told_by_a_text(tmp_path: Path) -> None:
    """GRP-48. Nothing is appended after the two entries: the text alone leads to the evidence."""

    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        await alice.groups.set_role(group, ["bob"], GroupRole.ADMIN)
        await all_read(group, [bob, alice], b"before")

        town.rules.append(pretends)
        assert await alice.groups.rename(group, "of alice")
        town.rules.clear()
        assert await bob.groups.rename(group, "of bob")
        await bob.groups.send(group, b"one")
        found = await happens(alice, GroupEventKind.OTHER_LOG, GroupEventKind.FORKED)
        assert [each.kind for each in found].count(GroupEventKind.OTHER_LOG) == 1
        assert await alice.groups.evidence(group) is not None
        await nothing_more(alice)

    play(tmp_path, story)


def test_texts_that_are_made_up_tell_of_another_log_once(tmp_path: Path) -> None:
    """GRP-48. The log on record stays, and what is true is read."""

    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        await all_read(group, [alice, bob], b"before")
        await town.client("carol")

        def junk(found: tuple[StoredText, ...]) -> tuple[StoredText, ...]:
            made = [
                each._replace(number=100 * each.number + at, text=flipped(each.text, -1 - at))
                for each in found
                for at in range(20)
            ]
            true = [each._replace(number=100 * each.number + 50) for each in found]
            return tuple(sorted((*made, *true), key=lambda each: each.number))

        shows(town, "bob", junk)
        await alice.groups.send(group, b"one")
        assert await texts(bob, 1) == [("alice", b"one")]
        await nothing_more(bob)
        await alice.groups.add(group, ["carol"])
        found = await happens(bob, GroupEventKind.OTHER_LOG, GroupEventKind.MEMBERS)
        assert [each.kind for each in found].count(GroupEventKind.OTHER_LOG) == 1
        assert not (await bob.groups.get(group)).forked

    play(tmp_path, story)
