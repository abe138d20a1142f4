"""A secret that comes late: what was sealed meanwhile, under chains that go through its epoch, is read."""

from letterlock import Address
from letterlock.limits import DAY
from support.groups_world import Town

BOB = Address("bob", 1)


def test_a_secret_that_comes_after_a_day_and_six_epochs_carries_chains_on() -> None:  # GRP-41
    town = Town(alice=1, bob=1, carol=1)
    group = town.begin("alice", "bob", "carol")
    alice, bob, carol = (town.phone(each) for each in ("alice", "bob", "carol"))
    town.send(carol, group, b"in epoch 1")
    town.settle(group)
    town.give(alice, alice.groups.renew(group))
    town.flights = [each for each in town.flights if each[1].address != BOB]  # lost, until it is repeated
    for _ in range(6):
        town.settle(group)
        town.give(alice, alice.groups.renew(group))
    town.settle(group)
    town.clock.now += DAY + 1
    bob.groups.upkeep()
    town.upkeep(alice)
    town.settle(group)
    town.send(carol, group, b"in epoch 8")
    town.settle(group)
    assert bob.read == [b"in epoch 1", b"in epoch 8"]
    town.clock.now += DAY + 1
    bob.groups.upkeep()
    with bob.user.transaction():
        kept = [epoch for _, epoch, _ in bob.groups._desk().book.epochs()]
    assert sorted(kept) == [3, 4, 5, 6, 7, 8]
