"""The last number and the last epoch that fit in a letter or a text: what names them ends nobody's client."""

from dataclasses import replace
from itertools import count
from pathlib import Path

from letterlock._groups._sending import handed_out
from letterlock._wire.content import ContentKind
from letterlock._wire.group_bodies import GroupRequest, Wanted
from letterlock._wire.group_text import GroupText
from letterlock.groups import Groups, InvalidGroupText
from letterlock.limits import MAX_COUNTER
from letterlock.stores import SqliteStore
from letterlock.user import Outcome, User
from support.group_lies import new_chain, sealed, tell
from support.group_town import GroupTown

ALICE, BOB = ("alice", 1), ("bob", 1)
KEY = bytes(32)


def test_a_text_after_which_none_can_follow_is_refused_and_the_store_stays_readable(tmp_path: Path) -> None:
    names = count()
    town = GroupTown("alice", "bob", store=lambda: SqliteStore(tmp_path / str(next(names)), key=KEY))
    team = town.new("alice", "bob")
    town.post("bob", team)
    town.process()
    last = replace(new_chain(town, "bob", team), number=MAX_COUNTER)
    tell(town, BOB, ALICE, ContentKind.GROUP_CHAIN, handed_out(last).encode())
    town.process()
    text = sealed(town, "bob", last, 1)
    incoming = town.at("alice").decrypt(team, text)
    assert (incoming.outcome, type(incoming.error)) == (Outcome.REFUSED, InvalidGroupText)

    user = town.user("alice")
    user._desk.book.store.close()
    again = User.open(SqliteStore(tmp_path / "0", key=KEY), clock=town.clock)
    assert again.user_id == user.user_id
    groups = Groups(again)
    assert groups.decrypt(team, text).outcome is Outcome.REFUSED
    groups.process()
    groups.upkeep()


def test_a_request_for_the_last_epoch_is_dropped() -> None:
    town = GroupTown("alice", "bob", "carol")
    team = town.new("alice", "bob", "carol")
    tell(town, BOB, ALICE, ContentKind.GROUP_REQUEST, GroupRequest(team, MAX_COUNTER, Wanted.SECRET).encode())
    assert not town.at("alice").process().outgoing
    # Letters of others are taken as before.
    post = town.post("carol", team)
    assert town.show("alice", post, team).outcome is Outcome.READ


def test_an_old_text_that_names_the_last_epoch_is_refused() -> None:
    town = GroupTown("alice", "bob", "carol")
    team = town.new("alice", "bob", "carol")
    post = town.post("bob", team)
    town.give("alice", town.at("alice").rename(team, "crew"))
    town.sync(team)
    text = GroupText.decode(post.text)
    place = replace(text.place, epoch=MAX_COUNTER)
    forged = GroupText.signed_with(place, text.sealed, text.signature).encoded
    incoming = town.at("alice").decrypt(team, forged)
    assert (incoming.outcome, type(incoming.error)) == (Outcome.REFUSED, InvalidGroupText)
    assert town.show("alice", post, team).outcome is Outcome.READ
