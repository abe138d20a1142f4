"""A device that joins the newcomer later is told of histories by the other devices of its user. GRP-55"""

import pytest

from letterlock._wire.content import ContentKind
from letterlock._wire.group_bodies import HistoryLetter
from letterlock._wire.group_text import SenderName
from letterlock.groups import GroupEvent, GroupEventKind, InvalidGroupHistory
from support.group_histories import Team, content, team, told
from support.group_lies import tell


@pytest.fixture
def ours() -> Team:
    return team()


def joined(ours: Team) -> None:
    """Link a second device of Carol, which has the log, and was told nothing of histories."""
    ours.town.people["carol"].add()
    ours.town.learn()
    ours.town.take("carol", ours.id, 2)


def events(ours: Team, device: int = 2) -> list[GroupEvent]:
    """Let a device of Carol process letters, and return what it tells of histories."""
    found = ours.town.at("carol", device).process()
    return [each for each in found.events if each.kind is GroupEventKind.HISTORY]


def documents(ours: Team, device: int = 2) -> list[bytes]:
    return [each.document for each in ours.town.at("carol", device).histories.of(ours.id)]


def passed_on(
    ours: Team, giver: SenderName | None, document: bytes = bytes(16), sender: str = "carol"
) -> None:
    """Have a device tell Carol's second one of a history, whatever is in the letter."""
    body = HistoryLetter(ours.id, 1, 1, document, giver).encode()
    tell(ours.town, (sender, 1), ("carol", 2), ContentKind.GROUP_HISTORY, body)


def is_told(ours: Team, device: int = 1) -> bool:
    """Let a device of Carol do what is due; return whether it wrote to another one."""
    found = ours.town.at("carol", device).upkeep()
    ours.town.send(ours.town.user("carol", device), found.outgoing, found.needs)
    named = [each.address.name for each in found.outgoing] + [each.name for each in found.needs]
    return "carol" in named


def member(ours: Team, name: str) -> SenderName:
    return SenderName(ours.user_id(name), 1)


def test_a_device_that_joins_later_learns_of_it_and_reads(ours: Team) -> None:
    given = ours.give("alice", "carol", [ours.said("bob", b"one"), ours.said("alice", b"two")])
    assert len(events(ours, 1)) == 1
    joined(ours)
    assert documents(ours) == []
    ours.town.upkeep("carol")
    (event,) = events(ours)
    assert (event.user_id, event.device) == (ours.user_id("alice"), 1)  # the giver, and not who passed it on
    (kept,) = ours.town.at("carol", 2).histories.of(ours.id)
    assert (kept.document, kept.user_id, kept.name) == (given.id, ours.user_id("alice"), "alice")
    found = given.read("carol", 2)
    assert [(each.text, each.by_giver) for each in found] == [(b"one", False), (b"two", True)]


def test_it_is_told_once(ours: Team) -> None:
    ours.give("alice", "carol", [])
    events(ours, 1)
    joined(ours)
    assert is_told(ours)
    assert not is_told(ours)
    assert len(events(ours)) == 1
    assert not is_told(ours, 2)  # whoever told it knows it


def test_two_histories_of_two_givers_are_both_passed_on(ours: Team) -> None:
    ids = {ours.give(each, "carol", []).id for each in ("alice", "bob")}
    events(ours, 1)
    joined(ours)
    ours.town.upkeep("carol")
    assert len(events(ours)) == 2
    assert {*documents(ours)} == ids


def test_a_giver_who_left_meanwhile_is_passed_on_too(ours: Team) -> None:
    given = ours.give("bob", "carol", [ours.said("bob", b"bye")])
    events(ours, 1)
    ours.town.give("alice", ours.town.at("alice").remove(ours.id, ["bob"]))
    ours.town.sync(ours.id, "alice", "carol")
    joined(ours)
    ours.town.upkeep("carol")
    assert len(events(ours)) == 1
    assert [each.text for each in given.read("carol", 2)] == [b"bye"]


def test_a_device_that_dies_before_its_commit_tells_it_again(ours: Team) -> None:
    """The letter, and that it was sent, are one commit."""

    class PowerError(Exception):
        pass

    ours.give("alice", "carol", [])
    events(ours, 1)
    joined(ours)
    user = ours.town.user("carol")

    def dies() -> None:
        with user.transaction():
            ours.town.at("carol").upkeep()
            raise PowerError

    with pytest.raises(PowerError):
        dies()
    ours.town.reopen("carol")
    ours.town.upkeep("carol")
    assert len(events(ours)) == 1


def test_a_device_that_dies_while_it_is_told_takes_the_letter_again(ours: Team) -> None:
    class PowerError(Exception):
        pass

    ours.give("alice", "carol", [])
    events(ours, 1)
    joined(ours)
    ours.town.upkeep("carol")
    user = ours.town.user("carol", 2)

    def dies() -> None:
        with user.transaction():
            assert ours.town.at("carol", 2).process().events
            raise PowerError

    with pytest.raises(PowerError):
        dies()
    ours.town.reopen("carol", 2)
    assert len(events(ours)) == 1
    assert len(documents(ours)) == 1


def test_a_letter_that_comes_before_the_log_waits_for_it(ours: Team) -> None:
    ours.give("alice", "carol", [])
    events(ours, 1)
    ours.town.people["carol"].add()
    ours.town.learn()
    ours.town.upkeep("carol")
    assert events(ours) == []
    ours.town.take("carol", ours.id, 2)
    assert len(events(ours)) == 1


# --- lies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("giver", ["dave", "carol", None])
def test_what_nobody_in_the_group_gave_is_dropped(ours: Team, giver: str | None) -> None:
    """A stranger, the user itself, and a letter that names nobody."""
    joined(ours)
    passed_on(ours, None if giver is None else member(ours, giver))
    assert events(ours) == []
    assert documents(ours) == []


@pytest.mark.parametrize("sender", ["alice", "dave"])
def test_nobody_else_names_a_giver(ours: Team, sender: str) -> None:
    """A member would have Bob say what Bob never said, and a stranger would be a member's voice."""
    joined(ours)
    passed_on(ours, member(ours, "bob"), sender=sender)
    assert events(ours) == []
    assert documents(ours) == []


def test_a_group_without_the_flag_takes_none() -> None:
    ours = team(history=False)
    joined(ours)
    passed_on(ours, member(ours, "alice"))
    assert events(ours) == []
    assert documents(ours) == []


def test_a_user_who_is_out_takes_none(ours: Team) -> None:
    ours.town.give("alice", ours.town.at("alice").remove(ours.id, ["carol"]))
    ours.town.sync(ours.id)
    joined(ours)
    passed_on(ours, member(ours, "alice"))
    assert events(ours) == []


def test_a_document_of_another_signer_than_the_giver_is_refused(ours: Team) -> None:
    """A device of the user that lies can name a giver, and puts no word into that giver's mouth."""
    joined(ours)
    given = ours.lie("alice", content(ours.head(), told(ours, "bob")))
    passed_on(ours, member(ours, "bob"), given.id)
    assert len(events(ours)) == 1
    with pytest.raises(InvalidGroupHistory, match="another user sealed it"):
        given.read("carol", 2)


def test_a_revoked_device_is_told_nothing(ours: Team) -> None:
    ours.give("alice", "carol", [])
    events(ours, 1)
    joined(ours)
    ours.town.people["carol"].revoke(2)
    ours.town.learn("carol")
    assert not is_told(ours)


def test_many_of_one_giver_leave_four(ours: Team) -> None:
    joined(ours)
    for at in range(10):
        passed_on(ours, member(ours, "alice"), bytes([at]) * 16)
    events(ours)
    assert documents(ours) == [bytes([at]) * 16 for at in (6, 7, 8, 9)]
