"""To whom a text was delivered, as members say in texts and in receipts. GRP-45 GRP-46 GRP-47"""

import pytest

from letterlock.errors import UsageError
from letterlock.groups import _receipts
from letterlock.limits import DAY, KEPT_LIFETIME
from letterlock.user import Outcome
from support.group_town import GroupTown

PAUSE = 30
"""Seconds between two receipts in a group of three."""


@pytest.fixture
def town() -> GroupTown:
    """Alice, Bob and Carol."""
    return GroupTown("alice", "bob", "carol")


@pytest.fixture
def team(town: GroupTown) -> bytes:
    """Return a group of the three."""
    return town.new("alice", "bob", "carol")


def linked(town: GroupTown, name: str, team: bytes) -> None:
    """Link a second device, which has the group then."""
    town.people[name].add()
    town.learn()
    town.sync(team)
    town.upkeep(name)
    town.process()


def test_whoever_is_silent_tells_it_in_a_letter(town: GroupTown, team: bytes) -> None:  # GRP-45
    post = town.post("alice", team)
    assert town.delivered("alice", post) == set()
    assert town.show("bob", post, team).outcome is Outcome.READ
    assert town.receipts("bob") == 1
    assert town.delivered("alice", post) == {"bob"}
    assert [each.name for each in town.at("alice").deliveries(team, post.epoch, post.number)] == sorted(
        ("bob", "carol"), key=lambda name: town.user(name).user_id
    )


def test_whoever_writes_tells_it_in_the_text(town: GroupTown, team: bytes) -> None:  # GRP-45 GRP-46
    posts = [town.post("alice", team) for _ in range(3)]
    for post in posts:
        town.show("bob", post, team)
    answer = town.post("bob", team, b"I read you")
    town.show("alice", answer, team)
    assert [town.delivered("alice", post) for post in posts] == [{"bob"}] * 3
    assert town.receipts("bob") == 0


def test_a_text_before_others_were_read_tells_nothing_of_them(town: GroupTown, team: bytes) -> None:  # GRP-46
    town.show("bob", town.post("alice", team), team)
    town.show("alice", town.post("bob", team), team)
    later = town.post("alice", team)
    town.show("bob", later, team)
    assert town.delivered("alice", later) == set()
    town.clock.now += PAUSE
    assert town.receipts("bob") == 1
    assert town.delivered("alice", later) == {"bob"}


def test_many_texts_lead_to_one_letter(town: GroupTown, team: bytes) -> None:  # GRP-46
    posts = [town.post("alice", team) for _ in range(20)]
    for post in posts:
        town.show("bob", post, team)
    assert town.receipts("bob") == 1
    assert town.receipts("bob") == 0
    assert all(town.delivered("alice", post) == {"bob"} for post in posts)


def test_the_next_letter_comes_a_while_later(town: GroupTown, team: bytes) -> None:  # GRP-46
    town.show("bob", town.post("alice", team), team)
    town.receipts("bob")
    posts = [town.post("alice", team) for _ in range(3)]
    for post in posts:
        town.show("bob", post, team)
    due = town.at("bob").next_receipt()
    assert due == town.clock.now + PAUSE
    town.clock.now += PAUSE - 1
    assert town.receipts("bob") == 0
    town.clock.now += 1
    assert town.receipts("bob") == 1
    assert town.at("bob").next_receipt() is None
    assert all(town.delivered("alice", post) == {"bob"} for post in posts)


def test_upkeep_sends_what_is_due(town: GroupTown, team: bytes) -> None:
    post = town.post("alice", team)
    town.show("bob", post, team)
    town.upkeep("bob")
    town.process()
    assert town.delivered("alice", post) == {"bob"}


def test_a_clock_that_was_put_back_delays_no_receipt(town: GroupTown, team: bytes) -> None:
    town.show("bob", town.post("alice", team), team)
    town.receipts("bob")
    later = town.post("alice", team)
    town.show("bob", later, team)
    town.clock.now -= DAY
    assert town.at("bob").next_receipt() == town.clock.now
    assert town.receipts("bob") == 1
    assert town.delivered("alice", later) == {"bob"}


def test_a_large_group_sends_no_letters(  # GRP-46
    town: GroupTown, team: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_receipts, "MAX_RECEIPTED", 2)
    post = town.post("alice", team)
    town.show("bob", post, team)
    assert town.at("bob").next_receipt() is None
    assert town.receipts("bob") == 0
    town.show("alice", town.post("bob", team), team)
    assert town.delivered("alice", post) == {"bob"}


def test_a_group_that_grew_large_sends_none_that_are_due(
    town: GroupTown, team: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.show("bob", town.post("alice", team), team)
    monkeypatch.setattr(_receipts, "MAX_RECEIPTED", 2)
    assert town.receipts("bob") == 0


def test_one_device_of_a_member_is_enough(town: GroupTown, team: bytes) -> None:
    linked(town, "bob", team)
    post = town.post("alice", team)
    assert town.show("bob", post, team, 2).outcome is Outcome.READ
    assert town.receipts("bob", 2) == 1
    assert town.delivered("alice", post) == {"bob"}


def test_a_device_of_our_own_says_nothing_of_others(town: GroupTown, team: bytes) -> None:
    linked(town, "alice", team)
    post = town.post("alice", team)
    assert town.show("alice", post, team, 2).outcome is Outcome.READ
    assert town.receipts("alice", 2) == 0
    found = town.at("alice").deliveries(team, post.epoch, post.number)
    assert {each.name for each in found} == {"bob", "carol"}


# --- texts that are missing -------------------------------------------------------------------------------


def test_a_text_that_was_withheld_is_not_delivered(town: GroupTown, team: bytes) -> None:
    posts = [town.post("alice", team) for _ in range(4)]
    for post in (posts[0], posts[2], posts[3]):
        town.show("bob", post, team)
    town.receipts("bob")
    assert [town.delivered("alice", post) for post in posts] == [set(), set(), {"bob"}, {"bob"}]
    town.show("bob", posts[1], team)
    town.clock.now += PAUSE
    town.receipts("bob")
    assert [town.delivered("alice", post) for post in posts] == [{"bob"}] * 4


def test_texts_in_any_order_are_told_of_once_all_are_read(town: GroupTown, team: bytes) -> None:
    posts = [town.post("alice", team) for _ in range(6)]
    for at in (3, 1, 5, 0, 4, 2):
        town.show("bob", posts[at], team)
    town.receipts("bob")
    assert all(town.delivered("alice", post) == {"bob"} for post in posts)


def test_a_newcomer_is_not_asked_for_earlier_texts(town: GroupTown) -> None:  # GRP-47
    team = town.new("alice", "bob")
    before = town.post("alice", team)
    town.give("alice", town.at("alice").add(team, ["carol"]))
    town.sync(team)
    after = town.post("alice", team)
    assert town.show("carol", after, team).outcome is Outcome.READ
    town.receipts("carol")
    names = [
        {each.name for each in town.at("alice").deliveries(team, 1, each.number)} for each in (before, after)
    ]
    assert names == [{"bob"}, {"bob", "carol"}]
    assert town.delivered("alice", after) == {"carol"}


def test_texts_of_earlier_epochs_are_told_of(town: GroupTown, team: bytes) -> None:
    post = town.post("alice", team)
    town.give("alice", town.at("alice").renew(team))
    town.sync(team)
    assert town.show("bob", post, team).outcome is Outcome.READ
    town.receipts("bob")
    assert town.delivered("alice", post) == {"bob"}


def test_a_new_seed_begins_new_texts(town: GroupTown, team: bytes) -> None:  # GRP-29
    first = town.post("alice", team)
    town.show("bob", first, team)
    town.clock.now += 8 * DAY
    second = town.post("alice", team)
    assert second.number - first.number >= 5_000
    town.show("bob", second, team)
    assert town.receipts("bob") == 2
    assert [town.delivered("alice", post) for post in (first, second)] == [{"bob"}, {"bob"}]


# --- what is asked for ------------------------------------------------------------------------------------


def test_only_texts_of_this_device_are_asked_for(town: GroupTown, team: bytes) -> None:
    post = town.post("bob", team)
    town.show("alice", post, team)
    for name, epoch, number in (
        ("alice", post.epoch, post.number),
        ("bob", post.epoch, post.number + 1),
        ("bob", post.epoch + 1, post.number),
    ):
        with pytest.raises(UsageError):
            town.at(name).deliveries(team, epoch, number)
    with pytest.raises(UsageError):
        town.at("bob").deliveries(bytes(16), post.epoch, post.number)


def test_old_texts_are_forgotten(town: GroupTown, team: bytes) -> None:
    post = town.post("alice", team)
    town.show("bob", post, team)
    town.receipts("bob")
    town.clock.now += KEPT_LIFETIME - 1
    town.upkeep("alice")
    assert town.delivered("alice", post) == {"bob"}
    town.clock.now += 1
    town.upkeep("alice")
    with pytest.raises(UsageError):
        town.delivered("alice", post)


def test_what_is_known_outlives_the_process(town: GroupTown, team: bytes) -> None:
    post = town.post("alice", team)
    town.show("bob", post, team)
    town.reopen("bob")
    town.receipts("bob")
    town.reopen("alice")
    assert town.delivered("alice", post) == {"bob"}


def test_a_group_that_was_forgotten_leaves_nothing(town: GroupTown, team: bytes) -> None:
    town.show("bob", town.post("alice", team), team)
    town.at("bob").forget(team)
    assert town.at("bob").next_receipt() is None
    assert town.receipts("bob") == 0
