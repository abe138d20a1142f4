"""Chains whose letters come late, in another order, or not at all. What was sealed is read in the end."""

from letterlock import Address
from letterlock.groups import GroupKeyMissing, InvalidGroupText
from letterlock.user import Outcome, Outgoing
from support.groups_world import Phone, Sealed, Town

BOB = Address("bob", 1)


def town_of_three() -> tuple[Town, bytes, Phone, Phone]:
    """Return a group of alice, bob and carol, and the phones of the first two."""
    town = Town(alice=1, bob=1, carol=1)
    return town, town.begin("alice", "bob", "carol"), town.phone("alice"), town.phone("bob")


def keep_back(town: Town, to: Address = BOB) -> list[tuple[Address, Outgoing]]:
    """Take what is on its way to a device, and deliver the rest."""
    kept = [each for each in town.flights if each[1].address == to]
    town.flights = [each for each in town.flights if each[1].address != to]
    town.deliver_mail()
    return kept


def arrive(town: Town, flights: list[tuple[Address, Outgoing]]) -> None:
    town.flights += flights
    while town.deliver_mail():
        pass


def asks(town: Town, group: bytes, phone: Phone) -> None:
    """Let a phone wait for a minute, ask for what is missing, and get the answer."""
    town.clock.now += 61
    town.process(phone)
    arrive(town, [])
    town.retry(phone, group)


def outcomes(phone: Phone, group: bytes, texts: list[Sealed]) -> list[Outcome]:
    return [phone.groups.decrypt(group, each.text).outcome for each in texts]


def test_a_letter_that_comes_after_the_answer_opens_what_came_before() -> None:  # GRP-14
    town, group, alice, bob = town_of_three()
    texts = [town.send(alice, group, b"one")]
    late = keep_back(town)
    texts.append(town.send(alice, group, b"two"))
    town.sync(bob, group)
    assert bob.read == []
    asks(town, group, bob)
    texts.append(town.send(alice, group, b"three"))
    town.sync(bob, group)
    assert bob.read == [b"three"]
    # They were never opened: not repeated, and not refused either.
    assert outcomes(bob, group, texts) == [Outcome.HELD, Outcome.HELD, Outcome.REPEATED]
    arrive(town, late)
    town.sync(bob, group)
    assert sorted(bob.read) == [b"one", b"three", b"two"]
    assert outcomes(bob, group, texts) == [Outcome.REPEATED] * 3


def test_a_letter_of_an_epoch_before_opens_what_the_answer_left_out() -> None:  # GRP-14
    town, group, alice, bob = town_of_three()
    texts = [town.send(alice, group, b"one")]
    late = keep_back(town)
    for epoch in (2, 3):
        town.give(alice, alice.groups.renew(group))
        arrive(town, [])
        for phone in (bob, town.phone("carol")):
            town.take(phone, group)
        texts += [town.send(alice, group, b"%d in epoch %d" % (number, epoch)) for number in (1, 2)]
        arrive(town, [])
    town.sync(bob, group)
    assert bob.read == []
    asks(town, group, bob)
    texts.append(town.send(alice, group, b"last"))
    town.sync(bob, group)
    assert bob.read == [b"last"]
    arrive(town, late)
    town.sync(bob, group)
    assert sorted(bob.read) == sorted(each.body for each in texts)
    assert outcomes(bob, group, texts) == [Outcome.REPEATED] * len(texts)


def test_a_new_seed_hides_nothing_that_the_one_before_sealed_in_the_epoch() -> None:  # GRP-29
    town = Town(alice=1, bob=1, carol=2)
    group = town.begin("alice", "bob", "carol")
    alice, bob = town.phone("alice"), town.phone("bob")
    town.send(alice, group, b"in epoch 1")
    town.settle(group)
    town.give(alice, alice.groups.renew(group))
    arrive(town, [])
    town.take(bob, group)
    old = town.send(alice, group, b"by the old seed")
    town.people["carol"].revoke(2)
    town.learn(alice, bob, town.phone("carol"))
    new = town.send(alice, group, b"by the new one")
    arrive(town, [])
    assert town.show(bob, group, new.text).outcome is Outcome.READ
    assert town.show(bob, group, old.text).outcome is Outcome.READ


def test_a_text_of_a_seed_that_is_unknown_is_held_and_not_refused() -> None:
    """Its chain was begun anew in the epoch before, and the letter is on its way."""
    town = Town(alice=1, bob=1, carol=2)
    group = town.begin("alice", "bob", "carol")
    alice, bob = town.phone("alice"), town.phone("bob")
    town.send(alice, group, b"in epoch 1")
    town.settle(group)
    town.people["carol"].revoke(2)
    town.learn(alice, bob, town.phone("carol"))
    between = town.send(alice, group, b"by the new seed")
    late = keep_back(town)
    town.give(alice, alice.groups.renew(group))
    arrive(town, [])
    town.take(bob, group)
    after = town.send(alice, group, b"in epoch 2")
    arrive(town, [])
    for each in (between, after):
        assert town.show(bob, group, each.text).outcome is Outcome.HELD
    arrive(town, late)
    town.retry(bob, group)
    assert {between.body, after.body} <= set(bob.read)


def test_what_was_sealed_for_others_is_refused_and_not_held() -> None:
    town = Town(alice=1, bob=1)
    group = town.begin("alice")
    alice, bob = town.phone("alice"), town.phone("bob")
    early = town.send(alice, group, b"before bob came")
    town.give(alice, alice.groups.add(group, ["bob"]))
    town.settle(group)
    own = town.send(alice, group, b"for bob")
    town.settle(group)
    assert own.body in bob.read
    incoming = bob.groups.decrypt(group, early.text)
    assert (incoming.outcome, type(incoming.error)) == (Outcome.REFUSED, InvalidGroupText)


def test_a_forged_text_below_the_first_key_is_refused() -> None:
    town, group, alice, bob = town_of_three()
    first = town.send(alice, group, b"one")
    late = keep_back(town)
    town.sync(bob, group)
    asks(town, group, bob)
    incoming = bob.groups.decrypt(group, first.text)
    assert isinstance(incoming.error, GroupKeyMissing)
    forged = first.text[:-1] + bytes([first.text[-1] ^ 1])
    assert bob.groups.decrypt(group, forged).outcome is Outcome.REFUSED
    arrive(town, late)
    assert bob.groups.decrypt(group, forged).outcome is Outcome.REFUSED
    assert bob.read == [first.body]


def test_who_comes_back_is_given_the_chains_again() -> None:  # GRP-34
    town, group, alice, bob = town_of_three()
    town.send(alice, group, b"first")
    town.settle(group)
    carol = town.phone("carol")
    for change in (carol.groups.leave, alice.groups.renew, alice.groups.renew):
        town.give(carol if change == carol.groups.leave else alice, change(group))
        town.settle(group)
    town.give(alice, alice.groups.add(group, ["carol"]))
    town.settle(group)
    back = town.send(alice, group, b"for carol again")
    town.settle(group)
    assert back.body in carol.read
    assert back.body in bob.read


def test_a_secret_between_is_asked_for_where_a_chain_goes_through_its_epoch() -> None:  # GRP-39
    town, group, alice, bob = town_of_three()
    town.send(alice, group, b"in epoch 1")
    town.settle(group)
    town.give(alice, alice.groups.renew(group))
    keep_back(town)  # the secret of epoch 2 is lost
    town.give(alice, alice.groups.renew(group))
    arrive(town, [])
    town.take(bob, group)
    text = town.send(alice, group, b"in epoch 3")
    arrive(town, [])
    assert town.show(bob, group, text.text).outcome is Outcome.HELD
    asks(town, group, bob)
    assert text.body in bob.read


def test_a_chain_that_overtakes_the_entry_which_adds_its_sender_waits() -> None:  # GRP-37
    town = Town(alice=1, bob=1, carol=1)
    group = town.begin("alice", "bob")
    alice, bob, carol = (town.phone(each) for each in ("alice", "bob", "carol"))
    town.give(alice, alice.groups.add(group, ["carol"]))
    arrive(town, [])
    town.sync(carol, group)
    text = town.send(carol, group, b"one")
    arrive(town, [])
    town.process(bob)  # by his log, carol is a stranger
    assert outcomes(bob, group, [text]) == [Outcome.HELD]
    town.sync(bob, group)
    assert bob.read == [b"one"]
