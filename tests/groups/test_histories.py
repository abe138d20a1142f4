"""What was written before: given to a newcomer as a document, and read. GRP-52 GRP-53

Not here: givers who lie (test_lying_givers.py).
"""

import io
from collections.abc import Iterator

import pytest

from letterlock.documents import Documents
from letterlock.errors import UsageError
from letterlock.groups import (
    GroupEventKind,
    GroupForked,
    GroupHistory,
    GroupRole,
    HistoryText,
)
from letterlock.groups import _telling as telling
from letterlock.groups._log_taking import set_forked
from support.group_histories import NOW, Team, team
from support.group_lies import desk


@pytest.fixture
def ours() -> Team:
    return team()


# --- what is right ----------------------------------------------------------------------------------------


def test_a_newcomer_reads_who_is_said_to_have_written_what(ours: Team) -> None:
    texts = [ours.said("bob", b"one", NOW), ours.said("alice", b"two", NOW + 1), ours.said("bob", b"")]
    given = ours.give("alice", "carol", texts)
    (event,) = ours.events("carol")
    assert (event.kind, event.group) == (GroupEventKind.HISTORY, ours.id)
    assert (event.user_id, event.device) == (ours.user_id("alice"), 1)
    (kept,) = ours.town.at("carol").histories.of(ours.id)
    assert kept == GroupHistory(ours.id, given.id, ours.user_id("alice"), 1, "alice", kept.time)
    assert given.read() == [
        HistoryText(ours.user_id("bob"), NOW, b"one", "bob", by_giver=False),
        HistoryText(ours.user_id("alice"), NOW + 1, b"two", "alice", by_giver=True),
        HistoryText(ours.user_id("bob"), NOW, b"", "bob", by_giver=False),
    ]


def test_every_member_may_give_and_only_the_givers_own_texts_are_certain(ours: Team) -> None:
    texts = [ours.said("bob", b"mine"), ours.said("alice", b"hers")]
    given = ours.give("bob", "carol", texts)
    assert len(ours.events("carol")) == 1
    assert [(each.name, each.by_giver) for each in given.read()] == [("bob", True), ("alice", False)]


def test_texts_of_somebody_who_left_are_part_of_it() -> None:
    ours = team(newcomer="dave")
    ours.town.give("alice", ours.town.at("alice").remove(ours.id, ["bob"]))
    ours.town.give("alice", ours.town.at("alice").renew(ours.id))
    ours.town.give("alice", ours.town.at("alice").add(ours.id, ["carol"]))
    ours.town.sync(ours.id)
    given = ours.give("alice", "carol", [ours.said("bob", b"bye"), ours.said("dave", b"hello")])
    assert len(ours.events("carol")) == 1
    assert [each.name for each in given.read()] == ["bob", "dave"]


def test_texts_are_taken_one_at_a_time(ours: Team) -> None:
    asked = list[int]()

    def texts() -> Iterator[HistoryText]:
        for each in range(50):
            asked.append(each)
            yield ours.said("bob", bytes(1000))

    source = ours.town.at("alice").histories.source(ours.id, "carol", texts())
    assert not asked
    buffer = bytearray(100)
    source.readinto(buffer)
    source.readinto(buffer)
    assert len(asked) <= 2
    given = ours.give("alice", "carol", texts())
    ours.events("carol")
    file = Documents(ours.town.user("carol")).open(io.BytesIO(given.sealed))
    found = ours.town.at("carol").histories.read(ours.id, file)
    next(found)
    assert file.tell() < 2500


def test_a_letter_that_comes_before_the_log_waits_for_it() -> None:
    ours = team(newcomer="dave")
    ours.town.give("alice", ours.town.at("alice").add(ours.id, ["carol"]))
    given = ours.give("alice", "carol", [ours.said("bob", b"one")])
    assert not ours.events("carol")
    ours.town.take("carol", ours.id)
    assert len(ours.events("carol")) == 1
    assert [each.text for each in given.read()] == [b"one"]


def test_a_letter_that_names_a_later_entry_of_the_epoch_waits_for_it(ours: Team) -> None:
    ours.town.give("alice", ours.town.at("alice").add(ours.id, ["dave"]))
    ours.give("alice", "carol", [])
    assert not ours.events("carol")
    ours.town.take("carol", ours.id)
    assert len(ours.events("carol")) == 1


def test_whoever_comes_again_gets_what_was_written_meanwhile(ours: Team) -> None:
    alice = ours.town.at("alice")
    ours.town.give("alice", alice.add(ours.id, ["dave"]))
    ours.town.give("alice", alice.remove(ours.id, ["carol"]))
    ours.town.give("alice", alice.renew(ours.id))
    ours.town.give("alice", alice.add(ours.id, ["carol"]))
    ours.town.sync(ours.id)
    given = ours.give("alice", "carol", [ours.said("dave", b"one"), ours.said("carol", b"her own")])
    ours.events("carol")
    assert [each.name for each in given.read()] == ["dave", "carol"]


def test_two_histories_that_come_together(ours: Team) -> None:
    ids = [ours.give("alice", "carol", []).id for _ in range(2)]
    assert len(ours.town.at("carol").histories.of(ours.id)) == 0
    ours.events("carol")
    assert [each.document for each in ours.town.at("carol").histories.of(ours.id)] == ids


def test_a_history_is_told_once(ours: Team) -> None:
    given = ours.give("alice", "carol", [])
    assert len(ours.events("carol")) == 1
    made = ours.town.at("alice").histories.letter(ours.id, "carol", given.id)
    ours.town.send(ours.town.user("alice"), made.outgoing, made.needs)
    assert not ours.events("carol")


def test_a_group_that_is_forgotten_takes_its_histories_along(ours: Team) -> None:
    ours.give("alice", "carol", [])
    ours.events("carol")
    ours.town.at("carol").forget(ours.id)
    ours.town.take("carol", ours.id)
    assert ours.town.at("carol").histories.of(ours.id) == ()


# --- whoever gives is refused -----------------------------------------------------------------------------


def test_a_group_without_the_flag_gives_nothing() -> None:
    ours = team(history=False)
    with pytest.raises(UsageError, match="without `history`"):
        ours.give("alice", "carol", [])
    with pytest.raises(UsageError, match="without `history`"):
        ours.town.at("alice").histories.letter(ours.id, "carol", bytes(16))


@pytest.mark.parametrize("member", ["dave", "alice", "nobody"])
def test_it_goes_to_another_member_only(ours: Team, member: str) -> None:
    with pytest.raises(UsageError):
        ours.give("alice", member, [])


def test_whoever_is_out_gives_nothing(ours: Team) -> None:
    ours.town.give("alice", ours.town.at("alice").remove(ours.id, ["bob"]))
    ours.town.sync(ours.id)
    with pytest.raises(UsageError, match="no member"):
        ours.give("bob", "carol", [])


def test_a_member_who_goes_while_it_is_sealed_is_told_nothing(ours: Team) -> None:
    histories = ours.town.at("alice").histories
    source = histories.source(ours.id, "carol", [])
    ours.town.give("alice", ours.town.at("alice").remove(ours.id, ["carol"]))
    sealed = Documents(ours.town.user("alice")).seal(source, io.BytesIO(), ["carol"])
    with pytest.raises(UsageError, match="another member"):
        histories.letter(ours.id, "carol", sealed.id)


@pytest.mark.parametrize("name", ["carol", "dave"])
def test_authors_are_those_who_could_write_before(ours: Team, name: str) -> None:
    with pytest.raises(UsageError, match="could write before"):
        ours.give("alice", "carol", [ours.said("bob", b"one"), ours.said(name, b"two")])


def test_a_reader_is_no_author() -> None:
    ours = team(newcomer="dave")
    ours.town.give("alice", ours.town.at("alice").remove(ours.id, ["dave"]))
    ours.town.give("alice", ours.town.at("alice").renew(ours.id))
    ours.town.give("alice", ours.town.at("alice").add(ours.id, ["carol"], GroupRole.READER))
    ours.town.give("alice", ours.town.at("alice").add(ours.id, ["dave"]))
    ours.town.sync(ours.id)
    with pytest.raises(UsageError, match="could write before"):
        ours.give("alice", "dave", [ours.said("carol", b"from a reader")])


@pytest.mark.parametrize(
    "wrong",
    [
        b"a text",
        HistoryText(b"short", NOW, b""),
        HistoryText(bytes(32), NOW, b""),
        HistoryText(bytes(32), -1, b""),
        HistoryText(bytes(32), 2**32, b""),
        HistoryText(bytes(32), True, b""),
        HistoryText(bytes(32), NOW, "text"),  # type: ignore[arg-type]
    ],
)
def test_texts_of_another_form(ours: Team, wrong: HistoryText) -> None:
    with pytest.raises(UsageError):
        ours.give("alice", "carol", [wrong])


@pytest.mark.parametrize(("texts", "size"), [(2, 2**32), (10, 300)])
def test_a_history_is_bounded(ours: Team, monkeypatch: pytest.MonkeyPatch, texts: int, size: int) -> None:
    monkeypatch.setattr(telling, "MAX_HISTORY_TEXTS", texts)
    monkeypatch.setattr(telling, "MAX_HISTORY_BYTES", size)
    with pytest.raises(UsageError, match="at most"):
        ours.give("alice", "carol", [ours.said("bob", bytes(50))] * 3)


def test_a_group_whose_log_is_in_two_versions_gives_and_shows_nothing(ours: Team) -> None:
    given = ours.give("alice", "carol", [])
    ours.events("carol")
    for name in ("alice", "carol"):
        user = ours.town.user(name)
        with user.transaction():
            at = desk(user)
            set_forked(at, ours.id, forked=True)
    with pytest.raises(GroupForked):
        ours.give("alice", "carol", [])
    with pytest.raises(GroupForked):
        given.read()
