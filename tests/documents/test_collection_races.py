"""Two admins at once: what the loser does by itself, and what a server can do with that."""

import pytest

from letterlock._records.collection_change import Asked, Wish
from letterlock._wire.collection_member import Role, RoleChange
from letterlock._wire.log_entry import Action
from letterlock.documents import ChangeOutcome, CollectionEvent, CollectionForked, InvalidEntry
from letterlock.documents._wishes import rest_of
from letterlock.errors import UsageError
from support.collection_logs import ADMIN, READER, WRITER, Log, digest, member, sealed_name, user
from support.collection_town import Town

# --- what remains of a wish [DOC-79] ------------------------------------------------------------------------


def log() -> Log:
    return Log(member("anna", ADMIN), member("writer", WRITER), member("reader"))


def test_adding_whom_somebody_else_added() -> None:  # DOC-79
    wish = Wish(Action.ADD, (Asked(user("new"), READER), Asked(user("other"), READER)), epoch=1)
    made = log()
    assert rest_of(wish, made.state, digest("alice")).asked == wish.asked
    made.add("anna", Action.ADD, member("new"))
    assert rest_of(wish, made.state, digest("alice")).asked == wish.asked[1:]
    made.add("anna", Action.ADD, member("other"))
    assert rest_of(wish, made.state, digest("alice")).is_met


def test_every_wish_is_met_by_somebody_elses_entry() -> None:  # DOC-79
    made = log()
    wishes = [
        Wish(Action.REMOVE, (Asked(user("reader")),), epoch=1),
        Wish(Action.ROLE, (Asked(user("writer"), READER),), epoch=1),
        Wish(Action.RENEW, epoch=1),
        Wish(Action.CLOSE, epoch=1),
    ]
    assert not any(rest_of(each, made.state, digest("alice")).is_met for each in wishes)
    made.add("anna", Action.ROLE, RoleChange(user("writer"), READER))
    made.add("anna", Action.REMOVE, user("reader"))
    made.add("anna", Action.CLOSE)
    assert all(rest_of(each, made.state, digest("alice")).is_met for each in wishes)
    assert not rest_of(Wish(Action.RENAME, name="x", epoch=1), made.state, digest("alice")).is_met


def test_a_wish_that_is_not_allowed_any_more() -> None:  # DOC-79
    made = log()
    made.add("anna", Action.ROLE, RoleChange(user("alice"), WRITER))
    wish = Wish(Action.ADD, (Asked(user("new"), READER),), epoch=1)
    assert rest_of(wish, made.state, digest("alice")).refused
    assert rest_of(Wish(Action.RENEW, epoch=1), made.state, digest("alice")).refused is None
    assert rest_of(Wish(Action.LEAVE, epoch=1), made.state, digest("alice")).refused is None
    made.add("anna", Action.REMOVE, user("alice"))
    assert rest_of(Wish(Action.LEAVE, epoch=1), made.state, digest("alice")).is_met
    made.add("writer", Action.LEAVE)
    assert rest_of(Wish(Action.RENAME, name="x"), made.state, digest("anna")).refused
    made.add("anna", Action.RENEW)
    made.add("anna", Action.RENAME, sealed_name())


# --- with a server ------------------------------------------------------------------------------------------


def two_admins(*members: str) -> tuple[Town, bytes]:
    town = Town("alice", "bob", "carol", "dave")
    team = town.new("alice", "bob", *members)
    town.give("alice", town.at("alice").set_role(team, ["bob"], Role.ADMIN))
    town.sync_all(team)
    return town, team


def test_both_add_somebody() -> None:
    town, team = two_admins()
    one, other = town.at("alice").add(team, ["carol"]), town.at("bob").add(team, ["dave"])
    assert one.number == other.number
    town.give("alice", one)
    town.give("bob", other)
    town.sync_all(team)
    assert len(town.at("dave").get(team).members) == 4
    assert town.readers(town.seal("bob", team)) == {"alice", "bob", "carol", "dave"}


def test_both_remove_the_same_person() -> None:
    town, team = two_admins("carol")
    one, other = town.at("alice").remove(team, ["carol"]), town.at("bob").remove(team, ["carol"])
    town.give("alice", one)
    taken = town.give("bob", other)
    assert taken.outcome is ChangeOutcome.MET
    assert town.at("bob").get(team).epoch == 2
    assert town.readers(town.seal("bob", team)) == {"alice", "bob"}


def test_an_addition_that_lost_to_a_removal_waits_for_the_new_keys() -> None:
    town, team = two_admins("carol")
    one, other = town.at("alice").remove(team, ["carol"]), town.at("bob").add(team, ["dave"])
    town.give("alice", one)
    bob = town.at("bob")
    taken = bob.take(team, town.server.logs[team][-1:])
    assert taken.outcome is ChangeOutcome.WAITING
    assert bob.pending() == ()
    with pytest.raises(UsageError, match="under way"):
        bob.rename(team, "other")
    town.take_grants("bob")
    later = bob.take(team, [])
    assert later.outcome is ChangeOutcome.MADE_AGAIN
    assert later.change is not None
    assert later.change.number == other.number + 1
    town.give("bob", later.change)
    town.sync_all(team)
    assert town.readers(town.seal("alice", team)) == {"alice", "bob", "dave"}


def test_whoever_was_removed_meanwhile_gives_up() -> None:
    town, team = two_admins("carol")
    one, other = town.at("alice").remove(team, ["bob"]), town.at("bob").remove(team, ["alice"])
    town.give("alice", one)
    taken = town.give("bob", other)
    assert taken.outcome is ChangeOutcome.REFUSED
    assert CollectionEvent.LEFT in taken.events
    version = town.seal("alice", team)
    town.sync_all(team)
    assert town.readers(version) == {"alice", "carol"}


def test_keys_that_lost_open_nothing() -> None:  # DOC-73
    """The server kept the grants of a removal that lost, and delivers them."""
    town, team = two_admins("carol", "dave")
    one, other = town.at("alice").remove(team, ["carol"]), town.at("bob").remove(team, ["dave"])
    town.server.grants += other.grants
    town.give("alice", one)
    town.give("bob", other)
    town.sync_all(team)
    version = town.seal("bob", team)
    assert town.readers(version) == {"alice", "bob"}
    assert town.at("alice").get(team).epoch == 3


def test_a_change_survives_a_restart() -> None:
    town, team = two_admins("carol")
    change = town.at("alice").remove(team, ["carol"])
    (again,) = town.at("alice").pending()
    assert again.entry == change.entry
    assert len(again.grants) == len(change.grants) == 2
    town.give("alice", again)  # with grants that were made again
    town.sync_all(team)
    assert town.readers(town.seal("bob", team)) == {"alice", "bob"}
    assert town.at("alice").pending() == ()


def test_grants_that_were_not_delivered_are_made_again() -> None:
    town, team = two_admins()
    change = town.at("alice").add(team, ["carol"])
    alice = town.at("alice")
    alice.accepted(change)
    town.server.logs[team].append(change.entry)
    (again,) = alice.pending()
    town.server.grants += again.grants
    alice.delivered(again)
    assert alice.pending() == ()
    town.sync_all(team)
    assert town.opens("carol", town.seal("alice", team))


def test_one_change_at_a_time() -> None:
    town, team = two_admins()
    change = town.at("alice").rename(team, "one")
    with pytest.raises(UsageError, match="under way"):
        town.at("alice").rename(team, "two")
    with pytest.raises(UsageError, match="not in the log"):
        town.at("alice").delivered(change)
    town.give("alice", change)
    town.give("alice", town.at("alice").rename(team, "two"))
    town.sync_all(team)
    assert town.at("bob").get(team).name == "two"


# --- forks [DOC-80] -----------------------------------------------------------------------------------------


def test_a_server_that_shows_a_loser_to_somebody() -> None:  # DOC-80
    town, team = two_admins("carol")
    one, other = town.at("alice").rename(team, "one"), town.at("bob").rename(team, "other")
    carol = town.at("carol")
    carol.take(team, [other.entry])
    town.give("alice", one)
    taken = carol.take(team, [one.entry])
    assert taken.events == (CollectionEvent.FORKED,)
    for act in (carol.leave, carol.reader):
        with pytest.raises(CollectionForked):
            act(team)
    with pytest.raises(CollectionForked):
        carol.take(team, [one.entry])
    assert carol.get(team).forked
    carol.keep(team)
    assert not carol.get(team).forked
    more = town.at("alice").rename(team, "more")
    with pytest.raises(InvalidEntry, match="from its first entry"):
        carol.take(team, [more.entry])
    carol.take(team, [*town.server.logs[team], more.entry])
    assert carol.get(team).forked
    carol.keep(team)
    assert carol.evidence(team) is None
    assert not carol.get(team).forked
