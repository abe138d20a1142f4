"""Deliberate breaks of the user layer: each test breaks one place, and the model must say what is wrong.

Each break has one short story, where a play would need many moves. So we notice when a check of the model can
no longer fail.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest

from letterlock._handshake.safety_number import SafetyNumber
from letterlock.user import (
    ContactEvent,
    ContactState,
    RetryCause,
    _chain,
    _contact,
    _fanout,
    _heads,
    _kinds,
    _learning,
    _receiving,
    _silence,
    _upkeep,
    _user_contact,
)
from letterlock.user._admission import Admission
from letterlock.user._inbox import Inbox
from letterlock.user._safety_number import user_safety_number
from support import users_stories as stories
from support.users_play import Play

Story = Callable[[Play], object]


def nothing(*_: object, **__: object) -> None:
    return None


def no(*_: object, **__: object) -> bool:
    return False


def nobody(*_: object, **__: object) -> tuple[()]:
    return ()


def the_same(first: Any, *_: object) -> Any:
    return first


def the_second(_before: object, _user_id: bytes, lists: Any) -> Any:
    return lists.snapshot.device(lists.signer)


def other(*_: object) -> RetryCause:
    return RetryCause.OTHER


def none_sent(*_: object) -> int:
    return 0


def foreign(*_: object, **__: object) -> None:
    raise KeyError("not an error of ours")


def both_user_ids(admission: Admission, address: Any, _identity: object) -> bytes:
    own = admission._book.own()
    contact = admission._book.contact(address.name)
    return own.pin.user_id + (own if contact is None else contact).pin.user_id


def of_nobody(ours: bytes, _theirs: bytes) -> SafetyNumber:
    return user_safety_number(ours, bytes(32))


@dataclass(frozen=True)
class Break:
    """`name` of `where` is replaced; when the story is played, the model fails with `says`."""

    where: object
    name: str
    instead: Any
    story: Story
    says: str


SENDS: Final = "sends what it must not"
TAKES: Final = "takes lists that it must refuse"
BREAKS: Final = {
    "frozen contacts get messages": Break(_fanout, "require_open", the_same, stories.forked, SENDS),
    "a fork is no contradiction": Break(
        _contact, "TRANSITIONS",
        {**_contact.TRANSITIONS, (ContactState.UNVERIFIED, ContactEvent.FORK): ContactState.UNVERIFIED},
        stories.forked, "does not freeze",
    ),
    "any bundle will do": Break(Admission, "admit", both_user_ids, stories.other_device, "with another"),
    "content ids not noted": Break(Inbox, "gave", no, stories.sent_again, "given a text twice"),
    "repeats not known": Break(Inbox, "has", no, stories.repeated, "does not know a repeat"),
    "rules not checked": Break(_chain, "check_successor", the_second, stories.unlawful, TAKES),
    "signatures not checked": Break(_chain, "verify_signatures", nothing, stories.unsigned, TAKES),
    "sessions not dropped": Break(_learning, "devices_changed", nothing, stories.revoked, "keeps sessions"),
    "a revoked device writes": Break(_fanout, "require_listed", nothing, stories.revoked, SENDS),
    "notices not read": Break(_learning, "IN_NOTICES", frozenset(), stories.told, "other lists of"),
    "notices not sent": Break(_heads, "send_notice", nothing, stories.told, "not told"),
    "heads not compared": Break(_heads, "expect_head", nothing, stories.linked, "does not ask for lists"),
    "our other devices forgotten": Break(_fanout, "own_others", nobody, stories.talk, "forgets devices"),
    "numbers of somebody else": Break(
        _user_contact, "user_safety_number", of_nobody, stories.to_the_end, "a safety number"
    ),
    "no receipts": Break(_upkeep, "send_receipts", none_sent, stories.to_the_end, "never acknowledged"),
    "nothing sent again": Break(_silence, "_send_again", nothing, stories.lost, "never acknowledged"),
    "nothing asked for": Break(_receiving, "unreadable", other, stories.damaged, "not sent again"),
    "requests not answered": Break(_kinds, "retry_requested", nothing, stories.damaged, "not sent again"),
    "silent sessions stay": Break(_silence, "renew", nothing, stories.unanswered, "never acknowledged"),
}  # fmt: skip


@pytest.mark.parametrize("broken", BREAKS)
def test_a_broken_user_layer_is_noticed(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    case = BREAKS[broken]
    stories.new_play()  # people are made before anything breaks
    monkeypatch.setattr(case.where, case.name, case.instead)
    with pytest.raises(AssertionError, match=case.says):
        case.story(stories.new_play())


@pytest.mark.parametrize("story", sorted({each.story.__name__ for each in BREAKS.values()}))
def test_the_same_story_of_a_sound_user_layer_is_not(story: str) -> None:
    getattr(stories, story)(stories.new_play())


def test_an_error_that_is_not_ours_escapes_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    play = stories.new_play()
    monkeypatch.setattr(_receiving, "compare_heads", foreign)
    with pytest.raises(KeyError):
        stories.talk(play)
