"""A history whose giver lies, or gives what it should not: whoever gets it refuses it. GRP-53 GRP-54"""

import io

import pytest

from letterlock._wire import group_history
from letterlock._wire.content import ContentKind
from letterlock._wire.group_bodies import HistoryLetter
from letterlock._wire.group_history import HistoryHead, framed
from letterlock._wire.group_limits import MAX_HISTORIES
from letterlock._wire.group_text import SenderName
from letterlock.documents import DocumentDamaged, Documents, NoGrant
from letterlock.errors import MalformedMessage, UsageError
from letterlock.groups import (
    InvalidGroupHistory,
)
from letterlock.groups import _telling as telling
from letterlock.groups._log_taking import set_forked
from support.group_histories import Team, content, log_number, team, told
from support.group_lies import desk, tell


@pytest.fixture
def ours() -> Team:
    return team()


def test_a_history_of_a_stranger_is_dropped(ours: Team) -> None:
    given = ours.lie("dave", content(ours.head(), told(ours, "bob")))
    assert not ours.events("carol")
    assert ours.town.at("carol").histories.of(ours.id) == ()
    with pytest.raises(UsageError, match="nobody gave"):
        given.read()


def test_a_history_of_a_group_without_the_flag_is_dropped() -> None:
    ours = team(history=False)
    given = ours.lie("alice", content(ours.head(), told(ours, "bob")))
    assert not ours.events("carol")
    with pytest.raises(UsageError, match="nobody gave"):
        given.read()


def test_a_history_of_a_removed_member_is_dropped(ours: Team) -> None:
    ours.town.give("alice", ours.town.at("alice").remove(ours.id, ["bob"]))
    ours.town.sync(ours.id)
    given = ours.lie("bob", content(ours.head(), told(ours, "alice")))
    assert not ours.events("carol")
    with pytest.raises(UsageError, match="nobody gave"):
        given.read()


def test_a_history_for_somebody_who_is_out_is_dropped(ours: Team) -> None:
    ours.town.give("alice", ours.town.at("alice").remove(ours.id, ["carol"]))
    ours.town.sync(ours.id)
    ours.lie("bob", content(ours.head()))
    assert not ours.events("carol")


def test_a_user_gives_itself_no_history(ours: Team) -> None:
    carol = ours.town.user("carol")
    with carol.transaction():
        at = desk(carol)
        sender = SenderName(carol.user_id, 2)
        assert not telling.keep(at, at.require(ours.id), sender, HistoryLetter(ours.id, 1, 1, bytes(16)))
    assert ours.town.at("carol").histories.of(ours.id) == ()


def test_nothing_is_taken_while_the_log_is_in_two_versions(ours: Team) -> None:
    carol = ours.town.user("carol")
    with carol.transaction():
        set_forked(desk(carol), ours.id, forked=True)
    ours.lie("alice", content(ours.head()))
    assert not ours.events("carol")
    assert ours.town.at("carol").histories.of(ours.id) == ()


def test_a_document_that_nobody_told_is_no_history(ours: Team) -> None:
    target = io.BytesIO()
    body = content(ours.head(), told(ours, "bob"))
    Documents(ours.town.user("alice")).seal(io.BytesIO(body), target, ["carol"])
    file = Documents(ours.town.user("carol")).open(io.BytesIO(target.getvalue()))
    with pytest.raises(UsageError, match="nobody gave"):
        ours.town.at("carol").histories.read(ours.id, file)


def test_a_document_that_somebody_else_sealed_is_refused(ours: Team) -> None:
    """Bob cannot pass off what Alice sealed for another purpose, and Dave gets nothing in through Bob."""
    for sealer in ("alice", "dave"):
        given = ours.lie(sealer, content(ours.head(), told(ours, "alice")), teller="bob")
        assert len(ours.events("carol")) == 1
        with pytest.raises(InvalidGroupHistory, match="another user sealed it"):
            given.read()


def test_a_history_of_another_group_is_refused(ours: Team) -> None:
    other = ours.town.at("alice").create("other", ["bob"], history=True)
    ours.town.give("alice", other)
    given = ours.lie("alice", content(ours.head(other.group), told(ours, "bob")))
    assert len(ours.events("carol")) == 1
    with pytest.raises(InvalidGroupHistory, match="another group"):
        given.read()


def test_a_giver_with_another_log_is_refused(ours: Team) -> None:
    true = ours.head()
    later = HistoryHead(ours.id, true.entry + 1, true.entry_hash)
    other = HistoryHead(ours.id, true.entry, bytes(32))
    before = HistoryHead(ours.id, true.entry - 1, true.entry_hash)
    for head in (later, other, before):
        given = ours.lie("alice", content(head, told(ours, "bob")))
        ours.events("carol")
        with pytest.raises(InvalidGroupHistory, match="another log"):
            given.read()


@pytest.mark.parametrize("name", ["carol", "dave"])
def test_an_author_who_could_not_write_then_is_refused(ours: Team, name: str) -> None:
    given = ours.lie("alice", content(ours.head(), told(ours, "bob"), told(ours, name)))
    ours.events("carol")
    with pytest.raises(InvalidGroupHistory, match="could not write then"):
        given.read()


def test_somebody_who_came_later_is_no_author_of_what_was_before(ours: Team) -> None:
    ours.town.give("alice", ours.town.at("alice").add(ours.id, ["dave"]))
    ours.town.sync(ours.id)
    given = ours.lie("alice", content(ours.head(), told(ours, "dave")))
    ours.events("carol")
    with pytest.raises(InvalidGroupHistory, match="could not write then"):
        given.read()


def test_what_a_giver_alters_is_marked_as_the_givers_word(ours: Team) -> None:
    """Nothing tells that Bob never wrote this: the mark says that Alice alone vouches for it."""
    given = ours.lie("alice", content(ours.head(), told(ours, "bob", b"never written")))
    ours.events("carol")
    assert [(each.name, each.by_giver) for each in given.read()] == [("bob", False)]


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"\0",
        bytes(4),
        b"\0\0\0\1",
        b"\xff\xff\xff\xff" + bytes(100),
        (16 * 1024 * 1024 + 65).to_bytes(4, "big"),
        framed(b"\x83"),
    ],
)
def test_a_content_of_another_form_is_refused(ours: Team, wrong: bytes) -> None:
    given = ours.lie("alice", wrong)
    ours.events("carol")
    with pytest.raises(MalformedMessage):
        given.read()


def test_a_history_that_is_cut_short_is_refused(ours: Team) -> None:
    whole = content(ours.head(), told(ours, "bob"), told(ours, "alice"))
    first = len(content(ours.head()))
    second = len(content(ours.head(), told(ours, "bob")))
    for end in [*range(1, len(whole), 17), first + 1, first + 3, second - 1, second + 4, len(whole) - 1]:
        given = ours.lie("alice", whole[:end])
        ours.events("carol")
        with pytest.raises(MalformedMessage):
            given.read()


def test_a_giant_history_ends_at_the_bound(ours: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ours.lie("alice", content(ours.head(), *[told(ours, "bob")] * 5))
    ours.events("carol")
    assert len(given.read()) == 5
    monkeypatch.setattr(group_history, "MAX_HISTORY_TEXTS", 4)
    with pytest.raises(MalformedMessage, match="longer than any"):
        given.read()
    monkeypatch.undo()
    monkeypatch.setattr(group_history, "MAX_HISTORY_BYTES", 200)
    with pytest.raises(MalformedMessage, match="longer than any"):
        given.read()


def test_a_document_that_was_swapped_or_changed_on_the_way(ours: Team) -> None:
    given = ours.give("alice", "carol", [ours.said("bob", bytes(500))])
    ours.events("carol")
    other = ours.lie("alice", content(ours.head()), to="bob")
    with pytest.raises(NoGrant):
        type(given)(ours, given.id, other.sealed).read()
    changed = bytearray(given.sealed)
    changed[200] ^= 1
    with pytest.raises((DocumentDamaged, MalformedMessage, NoGrant)):
        type(given)(ours, given.id, bytes(changed)).read()


def test_a_giver_fills_no_store(ours: Team) -> None:
    ours.give("bob", "carol", [])
    ours.events("carol")
    ids = list[bytes]()
    for _ in range(MAX_HISTORIES + 3):
        ids.append(ours.give("alice", "carol", []).id)
        ours.events("carol")
    found = ours.town.at("carol").histories.of(ours.id)
    assert [each.name for each in found] == ["bob"] + ["alice"] * MAX_HISTORIES
    assert [each.document for each in found[1:]] == ids[-MAX_HISTORIES:]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x80",
        HistoryLetter(bytes(16), 1, 1, bytes(15)).encode(),
        HistoryLetter(bytes(16), 1, 0, bytes(16)).encode(),
        HistoryLetter(bytes(16), 0, 1, bytes(16)).encode(),
        HistoryLetter(bytes(15), 1, 1, bytes(16)).encode(),
        HistoryLetter(bytes(16), 1, 2**32, bytes(16)).encode(),
        HistoryLetter(bytes(16), 1, 1, bytes(16)).encode() + b"\0",
    ],
)
def test_letters_of_another_form(ours: Team, body: bytes) -> None:
    taken = tell(ours.town, ("alice", 1), ("carol", 1), ContentKind.GROUP_HISTORY, body)
    assert isinstance(taken.error, MalformedMessage)
    assert not ours.events("carol")


def test_a_letter_that_names_an_entry_for_which_nobody_waits(ours: Team) -> None:
    """It waits as long as any letter, and nothing is told of it."""
    ours.lie("alice", content(ours.head()), entry=log_number(ours, "carol") + 1)
    assert not ours.events("carol")
    assert ours.town.at("carol").histories.of(ours.id) == ()
