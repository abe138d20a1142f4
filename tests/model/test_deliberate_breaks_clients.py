"""Deliberate breaks of clients: each test breaks one place, and the model must say what is wrong.

Each break has one short story, where a play would need many moves. So we notice when a check of the model can
no longer fail.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from letterlock import Address
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock.client import _sender
from letterlock.client._admission import Admission
from letterlock.client._arrivals import Arrivals
from letterlock.client._posts import Posts, Sendable
from letterlock.client._queue import Queue
from letterlock.client._receiver import Receiver
from letterlock.client._sender import Sender
from letterlock.client._transport import Reply
from letterlock.user import ContactEvent, ContactState, _contact
from support.client_town import Asked, refusal, until
from support.clients_cast import Cast, country, make_cast
from support.clients_lies import Honest, Lie, LyingRelay, is_lost, shows_fork
from support.clients_phones import Phone, pass_time
from support.clients_play import Play
from support.clients_settling import settle

pytestmark = pytest.mark.slow

Story = Callable[[Play], Awaitable[None]]


def some_id(*_: object) -> bytes:
    return bytes(16)


# --- stories ----------------------------------------------------------------------------------------------


def phone(play: Play, label: str) -> Phone:
    return next(each for each in play.phones if each.label == label)


async def write(play: Play, label: str, name: str) -> None:
    writer = phone(play, label)
    assert writer.client is not None
    await play.write(writer, writer.client, name)


async def forked(play: Play) -> None:
    """The relay shows Alice what the thief signed."""
    play.liar.always["lists alice1"] = shows_fork
    alice = phone(play, "alice1")
    assert alice.client is not None
    await alice.client.meet("bob")
    pass_time(play.phones, play.country, 61)
    assert (await alice.client.contact("bob")).state is ContactState.CONFLICTING, "a fork is not noticed"
    await settle(play, (0, 61))


async def stranger_offline(play: Play) -> None:
    """Carol writes to a name that she has never met, without a network."""
    play.country.dead.add("carol1")
    await write(play, "carol1", "bob")
    assert play.texts[b"text 0"].due == {Address("bob", 1)}
    await settle(play, (0, 61))


async def said(play: Play) -> None:
    """Bob writes to Alice."""
    await write(play, "bob1", "alice")
    await settle(play, (0, 61))


async def stranger(play: Play) -> None:
    """Carol writes to a name that she has never met, and whose owner has never heard of her."""
    await write(play, "carol1", "bob")
    await settle(play, (0, 61))


async def slowed(play: Play) -> None:
    """The relay takes no message of Bob's for a while."""
    await hindered(play, "send bob1", slow_down)


async def lost(play: Play) -> None:
    """What Bob sends is lost on the way for a while."""
    await hindered(play, "send bob1", is_lost)


async def hindered(play: Play, call: str, lie: Lie) -> None:
    told: list[Asked] = []
    play.liar.always[call] = counted(lie, told)
    await write(play, "bob1", "alice")
    await until(lambda: "alice" in {each.request.name for each in told})
    await asyncio.sleep(0.2)  # receipts go to her too, perhaps before the text
    await settle(play, (0, 61))


async def refused(play: Play) -> None:
    """The relay pretends not to know one of Alice's phones."""
    phone_, told = phone(play, "alice2"), list[Asked]()
    for call in ("authenticate", "newer", "fetch", "publish"):
        play.liar.always[f"{call} alice2"] = counted(unknown, told)
    assert phone_.client is not None
    phone_.client._office.connection.forget_token(None)
    await until(lambda: "authenticate" in {each.name for each in told})
    for _ in range(20):
        assert not phone_.is_out, "alice2 believes that it was revoked"
        await asyncio.sleep(0.02)
    await settle(play, (0, 61))


async def revoked(play: Play) -> None:
    """One of Alice's phones is revoked while it has no network."""
    alice, away = phone(play, "alice1"), phone(play, "alice2")
    play.country.dead.add("alice2")
    await play.revoke(alice, away.address.device_id)
    await until(lambda: away not in play.listed("alice"))
    play.country.dead.clear()
    for _ in range(400):
        if away.is_out:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("a phone that was revoked is not told")


# --- lies -------------------------------------------------------------------------------------------------


def counted(lie: Lie, told: list[Asked]) -> Lie:
    """Return a lie that notes each call to which it is told."""

    async def noted(liar: LyingRelay, asked: Asked, honest: Honest) -> Reply:
        told.append(asked)
        return await lie(liar, asked, honest)

    return noted


async def slow_down(_: LyingRelay, __: Asked, ___: Honest) -> Reply:
    return refusal(RelayCode.SLOW_DOWN, 1)


async def unknown(_: LyingRelay, __: Asked, ___: Honest) -> Reply:
    return refusal(RelayCode.UNKNOWN)


# --- breaks -----------------------------------------------------------------------------------------------


def nothing(*_: object) -> None:
    pass


async def no_step(*_: object) -> None:
    pass


async def gives_up(self: Sender, _: object, __: str, left: list[Sendable]) -> bool:
    await self._office.run(self._office.queue.posts.done, [left[0].id])
    return True


async def deletes_first(self: Sender, _: str, posts: list[Sendable]) -> None:
    await self._office.run(self._office.queue.posts.done, [each.id for each in posts])
    for each in posts:
        await self._office.call(_sender._request(each), DoneAnswer)


async def believes(self: Admission) -> None:
    raise self._revoked()


@dataclass(frozen=True)
class Break:
    """`name` of `where` is replaced; when the story is played, the model fails with `says`."""

    where: object
    name: str
    instead: Any
    story: Story
    says: str
    friends: bool = True


BREAKS: Final = {
    "a fork is no contradiction": Break(
        _contact, "TRANSITIONS",
        {**_contact.TRANSITIONS, (ContactState.UNVERIFIED, ContactEvent.FORK): ContactState.UNVERIFIED},
        forked, "a fork is not noticed",
    ),
    "what is acknowledged was not read": Break(Arrivals, "receive", nothing, said, "lacks text 0"),
    "what is acknowledged was not looked at": Break(Receiver, "_take", no_step, said, "lacks text 0"),
    "messages are not kept until they are sent": Break(Posts, "add", nothing, said, "lacks text 0"),
    "what cannot be judged is dropped": Break(
        Arrivals, "_hold", nothing, stranger, "lacks text 0", friends=False
    ),
    "what is held is never judged again": Break(
        Arrivals, "judge_held", nothing, stranger, "lacks text 0", friends=False
    ),
    "a message that is refused for now is given up": Break(
        Sender, "_handle", gives_up, slowed, "lacks text 0"
    ),
    "a message is deleted before the answer": Break(
        Sender, "_send_all", deletes_first, lost, "lacks text 0"
    ),
    "a relay's word revokes a phone": Break(
        Admission, "_look_for_revocation", believes, refused, "believes that it was revoked"
    ),
    "a revoked phone never looks at the lists": Break(
        Admission, "_look_for_revocation", no_step, revoked, "is not told"
    ),
    "drafts are not kept": Break(Queue, "draft", some_id, stranger_offline, "lacks text 0", friends=False),
}  # fmt: skip


@pytest.fixture(scope="module")
def casts(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Cast]:
    return {each: make_cast(tmp_path_factory.mktemp("cast"), friends=each) for each in (False, True)}


def played(cast: Cast, folder: Path, story: Story) -> None:
    async def main() -> None:
        async with asyncio.timeout(200), country(cast.copied(folder), cast.now) as made:
            play = Play(1, made, folder, cast)
            try:
                await play.begin()
                await story(play)
            finally:
                for each in play.phones:
                    await each.stop()

    asyncio.run(main())


@pytest.mark.parametrize("broken", BREAKS)
def test_a_broken_client_is_noticed(
    monkeypatch: pytest.MonkeyPatch, casts: dict[bool, Cast], tmp_path: Path, broken: str
) -> None:
    case = BREAKS[broken]
    monkeypatch.setattr(case.where, case.name, case.instead)
    with pytest.raises(AssertionError, match=case.says):
        played(casts[case.friends], tmp_path / "play", case.story)


STORIES: Final = {(each.story, each.friends): None for each in BREAKS.values()}


@pytest.mark.parametrize(("story", "friends"), STORIES, ids=lambda each: getattr(each, "__name__", ""))
def test_the_same_story_of_a_sound_client_is_not(
    casts: dict[bool, Cast], tmp_path: Path, story: Story, friends: bool
) -> None:
    played(casts[friends], tmp_path / "play", story)
