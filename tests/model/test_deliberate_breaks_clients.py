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
from letterlock.client._queue import Queue
from letterlock.user import ContactEvent, ContactState, _contact
from support.clients_cast import Cast, country, make_cast
from support.clients_lies import shows_fork
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


@pytest.mark.parametrize("broken", BREAKS)
def test_the_same_story_of_a_sound_client_is_not(
    casts: dict[bool, Cast], tmp_path: Path, broken: str
) -> None:
    case = BREAKS[broken]
    played(casts[case.friends], tmp_path / "play", case.story)
