"""Seeds of one sender that follow each other before their letters are taken: each reads its own texts."""

from letterlock._groups._sending import begin, handed_out, seal_text
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.content import ContentKind
from letterlock._wire.group_bodies import GroupSecret
from letterlock.groups import GroupKeyMissing, GroupPost, InvalidGroupText
from letterlock.user import Outcome
from support.group_lies import desk, new_chain, sealed, secret_of, tell
from support.group_town import GroupTown

DAY = 24 * 3600


def town_of_two() -> tuple[GroupTown, bytes]:
    town = GroupTown("alice", "bob")
    return town, town.new("alice", "bob")


def begin_seed(town: GroupTown, team: bytes, text: bytes) -> GroupPost:
    """Let bob post when his seed is over seven days old."""
    town.clock.now += 8 * DAY
    return town.at("bob").encrypt(team, text)


def deliver(town: GroupTown, post: GroupPost) -> None:
    town.send(town.user("bob"), post.outgoing, post.needs)


def renew(town: GroupTown, team: bytes) -> None:
    town.give("alice", town.at("alice").renew(team))
    town.take("bob", team)
    town.process()


def test_two_letters_of_one_epoch_open_the_texts_of_both_seeds() -> None:
    town, team = town_of_two()
    first = town.at("bob").encrypt(team, b"under the first seed")
    deliver(town, first)
    second = begin_seed(town, team, b"under the second seed")
    deliver(town, second)
    assert second.number - first.number >= 5_000
    for post in (first, second):
        assert town.show("alice", post, team).outcome is Outcome.READ


def test_texts_are_held_and_then_read_if_the_letter_of_the_seed_before_comes_late() -> None:
    """A seed that began in the epoch before is carried on, while its letter is on its way."""
    town, team = town_of_two()
    town.show("alice", town.post("bob", team), team)
    renew(town, team)
    late = begin_seed(town, team, b"in the second epoch")
    renew(town, team)
    carried = town.at("bob").encrypt(team, b"in the third epoch")
    deliver(town, carried)
    third = begin_seed(town, team, b"in the third epoch, under a third seed")
    deliver(town, third)
    assert town.show("alice", third, team).outcome is Outcome.READ
    for post in (late, carried):
        incoming = town.show("alice", post, team)
        assert (incoming.outcome, type(incoming.error)) == (Outcome.HELD, GroupKeyMissing)
    deliver(town, late)
    for post in (carried, late):
        assert town.show("alice", post, team).outcome is Outcome.READ


def test_a_thief_of_a_seed_is_refused_if_the_letter_of_the_next_seed_came_first() -> None:  # GRP-29
    town, team = town_of_two()
    bob, alice = town.user("bob"), town.at("alice")
    old = new_chain(town, "bob", team)
    with bob.transaction():
        (entry,) = desk(bob).log.entries(team, 0, 1)
    honest = seal_text(old, 1, entry.hash, (), b"honest", system_entropy)
    secret = secret_of(town, "bob", team, 1)
    new = begin(old.epoch, old.sender, secret, town.clock.now, system_entropy, honest.chain)
    theft = seal_text(honest.chain, 1, entry.hash, (), b"stolen", system_entropy)
    for chain in (new, old):
        tell(town, ("bob", 1), ("alice", 1), ContentKind.GROUP_CHAIN, handed_out(chain).encode())
        alice.process()
    incoming = alice.decrypt(team, theft.text)
    assert (incoming.outcome, type(incoming.error)) == (Outcome.REFUSED, InvalidGroupText)
    assert alice.decrypt(team, honest.text).outcome is Outcome.READ


def test_a_sender_that_swaps_seeds_makes_no_old_text_new() -> None:  # GRP-44
    town, team = town_of_two()
    alice, first, second = town.at("alice"), new_chain(town, "bob", team), new_chain(town, "bob", team)
    text = sealed(town, "bob", first, 1)
    for number, chain in enumerate((first, second, first)):
        tell(town, ("bob", 1), ("alice", 1), ContentKind.GROUP_CHAIN, handed_out(chain).encode())
        alice.process()
        expected = Outcome.READ if number == 0 else Outcome.REPEATED
        assert alice.decrypt(team, text).outcome is expected
        assert alice.decrypt(team, sealed(town, "bob", second, 1)).outcome is not Outcome.READ


def test_a_device_that_forgot_a_group_writes_in_it_again() -> None:  # GRP-36 GRP-44
    town, team = town_of_two()
    old = town.post("bob", team)
    assert town.show("alice", old, team).outcome is Outcome.READ
    with town.user("alice").transaction():
        record = desk(town.user("alice")).book.epoch(team, 1)
    assert record is not None
    town.at("bob").forget(team)
    town.take("bob", team)
    body = GroupSecret(team, 1, record.opening, secret_of(town, "alice", team, 1)).encode()
    tell(town, ("alice", 1), ("bob", 1), ContentKind.GROUP_SECRET, body)
    town.process()
    new = town.post("bob", team)
    assert new.number // 5_000 != old.number // 5_000
    assert town.show("alice", new, team).outcome is Outcome.READ
