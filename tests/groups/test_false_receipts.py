"""Receipts that are made up, repeated, of strangers, or of members who went: none counts. GRP-45 GRP-47"""

from dataclasses import replace

import pytest

from letterlock._groups._sending import seal_text
from letterlock._primitives.entropy import system_entropy
from letterlock._records.group_delivery import ReadRecord
from letterlock._wire.content import ContentKind
from letterlock._wire.group_bodies import GroupReceipt
from letterlock._wire.group_content import Heard
from letterlock._wire.group_limits import MAX_READ_RUNS
from letterlock.errors import MalformedMessage
from letterlock.groups import GroupEvent, GroupEventKind, GroupPost
from letterlock.user import Outcome
from support.group_lies import chain_of, desk, tell
from support.group_town import GroupTown

RECEIPT = ContentKind.GROUP_RECEIPT


@pytest.fixture
def town() -> GroupTown:
    """Alice, Bob and Carol, and Dave who is in no group of theirs."""
    return GroupTown("alice", "bob", "carol", "dave")


@pytest.fixture
def team(town: GroupTown) -> bytes:
    """Return a group of Alice, Bob and Carol."""
    return town.new("alice", "bob", "carol")


@pytest.fixture
def post(town: GroupTown, team: bytes) -> GroupPost:
    """Return a text of Alice that nobody has read."""
    return town.post("alice", team)


def true_receipt(town: GroupTown, post: GroupPost, since: int | None = None) -> GroupReceipt:
    """Return what a device says that has read a text of Alice."""
    user = town.user("alice")
    with user.transaction():
        said = desk(user).deliveries.said(post.group, post.epoch, post.number)
    assert said is not None
    first = post.number if since is None else since
    return GroupReceipt(post.group, post.epoch, first, post.number, said.head)


def told(
    town: GroupTown, name: str, receipt: GroupReceipt | bytes, device: int = 1
) -> tuple[GroupEvent, ...]:
    """Have a device tell Alice something; return what her device reports."""
    body = receipt if isinstance(receipt, bytes) else receipt.encode()
    tell(town, (name, device), ("alice", 1), RECEIPT, body)
    return town.at("alice").process().events


def test_what_is_true_counts(town: GroupTown, post: GroupPost) -> None:
    assert told(town, "bob", true_receipt(town, post)) == ()
    assert town.delivered("alice", post) == {"bob"}


@pytest.mark.parametrize(
    ("epoch", "number"), [(0, 1), (0, 4_999), (1, 0), (2**32 - 2, 0), (0, 2**32 - 5_001)]
)
def test_texts_that_were_never_written_count_nothing(
    town: GroupTown, post: GroupPost, epoch: int, number: int
) -> None:
    head = true_receipt(town, post).head
    wrong = GroupReceipt(post.group, post.epoch + epoch, 0, post.number + number, head)
    assert told(town, "bob", wrong) == ()
    assert town.delivered("alice", post) == set()


def test_a_head_that_is_made_up_is_told(town: GroupTown, post: GroupPost) -> None:
    alice, bob = town.user("alice"), town.user("bob")
    wrong = GroupReceipt(post.group, post.epoch, 0, post.number, bytes(32))
    event = GroupEvent(GroupEventKind.DISAGREES, post.group, alice.user_id, 1, bob.user_id, 1)
    assert told(town, "bob", wrong) == (event,)
    assert town.delivered("alice", post) == set()


def test_the_head_of_another_text_is_no_receipt(town: GroupTown, team: bytes, post: GroupPost) -> None:
    later = town.post("alice", team)
    head = true_receipt(town, post).head
    assert told(town, "bob", GroupReceipt(team, later.epoch, 0, later.number, head)) != ()
    assert town.delivered("alice", later) == set()


def test_what_is_of_another_group_counts_nothing(town: GroupTown, post: GroupPost) -> None:
    other = town.new("alice", "bob", name="other")
    right = true_receipt(town, post)
    for group in (other, bytes(16)):
        wrong = GroupReceipt(group, right.epoch, right.since, right.number, right.head)
        assert told(town, "bob", wrong) == ()
    assert town.delivered("alice", post) == set()


def test_a_stranger_with_the_right_head_counts_nothing(town: GroupTown, post: GroupPost) -> None:
    assert told(town, "dave", true_receipt(town, post)) == ()
    found = town.at("alice").deliveries(post.group, post.epoch, post.number)
    assert [each.is_delivered for each in found] == [False, False]


def test_nobody_speaks_for_another_member(town: GroupTown, post: GroupPost) -> None:
    told(town, "carol", true_receipt(town, post))
    assert town.delivered("alice", post) == {"carol"}


def test_a_device_that_was_revoked_counts_nothing(town: GroupTown, team: bytes, post: GroupPost) -> None:
    town.people["bob"].add()
    town.learn()
    town.people["bob"].revoke(2)
    receipt = true_receipt(town, post)
    tell(town, ("bob", 2), ("alice", 1), RECEIPT, receipt.encode())
    town.learn("alice")
    assert town.at("alice").process().events == ()
    assert town.delivered("alice", post) == set()


def test_a_member_who_was_removed_counts_nothing(town: GroupTown, team: bytes, post: GroupPost) -> None:
    receipt = true_receipt(town, post)
    town.give("alice", town.at("alice").remove(team, ["carol"]))
    town.sync(team)
    assert told(town, "carol", receipt) == ()
    town.give("alice", town.at("alice").renew(team))
    town.give("alice", town.at("alice").add(team, ["carol"]))
    town.sync(team)
    found = town.at("alice").deliveries(team, post.epoch, post.number)
    assert {each.name: each.is_delivered for each in found} == {"bob": False, "carol": False}


def test_what_a_member_said_before_it_went_is_forgotten(  # GRP-47
    town: GroupTown, team: bytes, post: GroupPost
) -> None:
    told(town, "carol", true_receipt(town, post))
    told(town, "bob", true_receipt(town, post))
    town.give("alice", town.at("alice").remove(team, ["carol"]))
    town.sync(team)
    assert {each.name for each in town.at("alice").deliveries(team, post.epoch, post.number)} == {"bob"}
    town.give("alice", town.at("alice").renew(team))
    town.give("alice", town.at("alice").add(team, ["carol"]))
    town.sync(team)
    assert town.delivered("alice", post) == {"bob"}


def test_whoever_left_counts_nothing(town: GroupTown, team: bytes, post: GroupPost) -> None:
    told(town, "carol", true_receipt(town, post))
    town.give("carol", town.at("carol").leave(team))
    town.sync(team)
    assert town.delivered("alice", post) == set()


def test_a_letter_that_is_repeated_is_not_read_again(town: GroupTown, team: bytes, post: GroupPost) -> None:
    town.show("bob", post, team)
    found = town.at("bob").receipts()
    town.send(town.user("bob"), found.outgoing)
    town.process()
    (letter,) = found.outgoing
    assert town.user("alice").receive(town.user("bob").address, letter.message).outcome is not Outcome.READ
    town.at("alice").process()
    assert town.delivered("alice", post) == {"bob"}


def test_an_earlier_receipt_takes_nothing_back(town: GroupTown, team: bytes, post: GroupPost) -> None:
    later = town.post("alice", team)
    told(town, "bob", true_receipt(town, later, since=post.number))
    told(town, "bob", true_receipt(town, post))
    assert [town.delivered("alice", each) for each in (post, later)] == [{"bob"}, {"bob"}]


def test_a_body_that_is_no_receipt_is_refused(town: GroupTown, post: GroupPost) -> None:
    right = true_receipt(town, post)
    backwards = GroupReceipt(post.group, right.epoch, right.number + 1, right.number, right.head)
    for wrong in (b"", right.encode()[:-1], right.encode() + b"\0", backwards.encode()):
        incoming = tell(town, ("bob", 1), ("alice", 1), RECEIPT, wrong)
        assert (incoming.outcome, type(incoming.error)) == (Outcome.REFUSED, MalformedMessage)
    assert town.at("alice").process().events == ()


def test_a_fork_stops_receipts_on_both_sides(town: GroupTown, team: bytes, post: GroupPost) -> None:
    receipt = true_receipt(town, post)
    town.show("bob", post, team)
    for name in ("alice", "bob"):
        user = town.user(name)
        with user.transaction():
            at = desk(user)
            at.book.save_stand(team, replace(at.require(team), forked=True))
    assert town.receipts("bob") == 0
    assert told(town, "bob", receipt) == ()
    assert town.delivered("alice", post) == set()


def test_a_head_in_a_text_that_is_made_up_is_told(town: GroupTown, team: bytes, post: GroupPost) -> None:
    town.readers(town.post("bob", team))
    bob, chain = town.user("bob"), chain_of(town, "bob", team)
    alice = town.user("alice").user_id
    with bob.transaction():
        at = desk(bob)
        stand = at.require(team)
        index = at.place_of(team, stand, alice)
    assert index is not None
    for number, head in ((post.number, bytes(32)), (post.number + 1, true_receipt(town, post).head)):
        wrong = (Heard(index, 1, post.number, number, head),)
        lie = seal_text(chain, stand.number, stand.head, wrong, b"I read it", system_entropy)
        chain = lie.chain
        incoming = town.show("alice", lie.text, team)
        kinds = [each.kind for each in incoming.events]
        assert kinds == ([GroupEventKind.DISAGREES] if number == post.number else [])
    assert town.delivered("alice", post) == set()


# --- runs -------------------------------------------------------------------------------------------------


def test_runs_are_joined() -> None:
    read = ReadRecord()
    for since, number, runs in (
        (3, 5, ((3, 5),)),
        (9, 9, ((3, 5), (9, 9))),
        (6, 6, ((3, 6), (9, 9))),
        (3, 4, ((3, 6), (9, 9))),
        (7, 8, ((3, 9),)),
        (0, 1, ((0, 1), (3, 9))),
        (0, 20, ((0, 20),)),
    ):
        read = read.with_run(since, number)
        assert read.runs == runs
    assert [read.has(each) for each in (0, 20, 21)] == [True, True, False]


def test_runs_are_few() -> None:
    read = ReadRecord()
    for at in range(2 * MAX_READ_RUNS):
        read = read.with_run(2 * at, 2 * at)
    assert len(read.runs) == MAX_READ_RUNS
    assert not read.has(0)
    assert read.has(2 * (2 * MAX_READ_RUNS - 1))
