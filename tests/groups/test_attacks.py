"""Attacks on groups that are known from other systems, against real users and a relay that helps.

somebody who was removed or left, with all that its device had
a stolen device, before and after healing
two admins at once
texts that are shown again to half of the group, or to another group
a member that shows two others different texts
a server that adds a member
"""

import pytest

from letterlock._groups._sending import seal_text
from letterlock._primitives.entropy import system_entropy
from letterlock._records.group_chain import SendingRecord
from letterlock._wire.log_entry import LogEntry
from letterlock.documents import ChangeOutcome, InvalidEntry
from letterlock.errors import UsageError
from letterlock.groups import GroupEpochDue, GroupEventKind, GroupRole
from letterlock.limits import DAY
from letterlock.user import Outcome
from support.group_loot import Loot
from support.groups_world import Phone, Sealed, Town


def town_of(**devices: int) -> tuple[Town, bytes]:
    """Return people, and a group that the first of them began with all others."""
    town = Town(**devices)
    first, *others = devices
    return town, town.begin(first, *others)


def write(town: Town, group: bytes, name: str, body: str, device: int = 1) -> Sealed:
    """Let somebody write, and everybody read."""
    sealed = town.send(town.phone(name, device), group, body.encode())
    town.settle(group)
    return sealed


def openings(town: Town, group: bytes) -> dict[int, bytes]:
    """Return for each epoch the hash of the entry that began it."""
    entries = [LogEntry.decode(each) for each in town.relay.logs[group]]
    return {each.terms.epoch: each.hash for each in entries if each.terms.opening is not None}


def readers(town: Town, sealed: Sealed) -> set[str]:
    return {str(each) for each in town.phones.values() if sealed.body in each.read}


# --- somebody who was removed or left ---------------------------------------------------------------------


def test_who_was_removed_reads_nothing_with_all_its_keys() -> None:  # GRP-2
    town, group = town_of(alice=2, bob=1, carol=1)
    for name in ("alice", "bob", "carol"):
        write(town, group, name, f"first of {name}")
    loot = Loot.of(town.phone("bob"), group)
    before = write(town, group, "carol", "while bob is a member")
    assert loot.opens(before, openings(town, group))  # so the loot is what it should be
    phone = town.phone("alice")
    assert town.give(phone, phone.groups.remove(group, ["bob"]))
    town.settle(group)
    loot += Loot.of(town.phone("bob"), group)
    for name, device in (("alice", 1), ("alice", 2), ("carol", 1)):
        after = write(town, group, name, f"without bob, by {name} {device}", device)
        assert not loot.opens(after, openings(town, group))
        assert "bob.1" not in readers(town, after)
        assert len(readers(town, after)) == 2


def test_a_sender_who_was_not_told_of_a_removal_is_told_by_the_relay() -> None:
    town, group = town_of(alice=1, bob=1, carol=1)
    write(town, group, "carol", "first")
    loot = Loot.of(town.phone("bob"), group)
    phone, carol = town.phone("alice"), town.phone("carol")
    assert town.give(phone, phone.groups.remove(group, ["bob"]))
    stale = town.seal(carol, group, b"to bob too")
    assert not stale.is_posted  # it names an old entry
    assert loot.opens(stale, openings(town, group))  # carol could not know
    town.settle(group)
    again = write(town, group, "carol", "to alice alone")
    assert not loot.opens(again, openings(town, group))
    assert readers(town, again) == {"alice.1"}


def test_what_was_sealed_before_a_removal_was_known_is_read_by_who_stayed_and_marked_for_who_left() -> None:
    town, group = town_of(alice=1, bob=1, carol=1)
    write(town, group, "bob", "first")
    on_its_way = town.send(town.phone("bob"), group, b"on its way")
    phone = town.phone("alice")
    assert town.give(phone, phone.groups.remove(group, ["bob"]))
    carol = town.phone("carol")
    town.take(carol, group)
    town.deliver_mail()
    incoming = town.show(carol, group, on_its_way.text)
    assert incoming.outcome is Outcome.READ
    assert incoming.late


def test_who_left_reads_nothing_of_the_next_epoch_and_nothing_is_sealed_before_it() -> None:
    town, group = town_of(alice=1, bob=1, carol=1)
    write(town, group, "carol", "first")
    assert town.give(town.phone("bob"), town.groups("bob").leave(group))
    town.settle(group)
    loot = Loot.of(town.phone("bob"), group)
    for name in ("alice", "carol"):
        with pytest.raises(GroupEpochDue):
            town.groups(name).encrypt(group, b"for bob too")
    with pytest.raises(UsageError):
        town.groups("bob").renew(group)
    assert town.give(town.phone("carol"), town.groups("carol").renew(group))
    town.settle(group)
    for name in ("alice", "carol"):
        assert not loot.opens(write(town, group, name, f"without bob, by {name}"), openings(town, group))


# --- a newcomer -------------------------------------------------------------------------------------------


def test_who_is_added_reads_nothing_that_came_before() -> None:  # GRP-3
    town = Town(alice=1, bob=1, carol=1)
    group = town.begin("alice", "bob")
    early = [write(town, group, name, f"early, by {name}") for name in ("alice", "bob")]
    phone = town.phone("alice")
    assert town.give(phone, phone.groups.add(group, ["carol"]))
    town.settle(group)
    late = [write(town, group, name, f"late, by {name}") for name in ("alice", "bob")]
    loot = Loot.of(town.phone("carol"), group)
    for each in early:
        assert not loot.opens(each, openings(town, group))
        assert town.phone("carol").groups.decrypt(group, each.text).outcome is not Outcome.READ
    for each in late:
        assert each.body in town.phone("carol").read


def test_who_comes_back_reads_nothing_of_the_time_between() -> None:  # GRP-13
    """It has the seeds of chains from before, and gets the secret of an epoch that runs already."""
    town, group = town_of(alice=1, bob=1, carol=1)
    for name in ("alice", "bob", "carol"):
        write(town, group, name, f"first of {name}")
    loot, phone = Loot.of(town.phone("carol"), group), town.phone("alice")
    assert town.give(phone, phone.groups.remove(group, ["carol"]))
    town.settle(group)
    between = [write(town, group, "bob", "between")]
    with pytest.raises(UsageError):
        phone.groups.add(group, ["carol"])
    assert town.give(phone, phone.groups.renew(group))
    town.settle(group)
    between.append(write(town, group, "bob", "between, in the next epoch"))
    assert town.give(phone, phone.groups.add(group, ["carol"]))
    town.settle(group)
    write(town, group, "bob", "welcome back")
    loot += Loot.of(town.phone("carol"), group)
    assert loot.opens(write(town, group, "bob", "since then"), openings(town, group))
    for each in between:
        assert not loot.opens(each, openings(town, group))
        assert town.phone("carol").groups.decrypt(group, each.text).outcome is not Outcome.READ


def test_a_newcomer_helps_who_was_removed_to_nothing() -> None:  # GRP-13
    """One has the seeds, the other one a secret: together they have no chain of the time between."""
    town = Town(alice=1, bob=1, carol=1, dave=1)
    group = town.begin("alice", "bob", "carol")
    for name in ("alice", "bob", "carol"):
        write(town, group, name, f"first of {name}")
    removed, phone = Loot.of(town.phone("carol"), group), town.phone("alice")
    assert town.give(phone, phone.groups.remove(group, ["carol"]))
    assert town.give(phone, phone.groups.renew(group))
    town.settle(group)
    early = [write(town, group, name, f"early, by {name}") for name in ("alice", "bob")]
    assert town.give(phone, phone.groups.add(group, ["dave"]))
    town.settle(group)
    both = removed + Loot.of(town.phone("dave"), group)
    for each in early:
        assert not both.opens(each, openings(town, group))


# --- a stolen device --------------------------------------------------------------------------------------


def test_a_thief_reads_until_its_device_is_revoked_and_nothing_then() -> None:  # GRP-35
    town, group = town_of(alice=1, bob=2, carol=1)
    for name in ("alice", "bob", "carol"):
        write(town, group, name, f"first of {name}")
    thief = Loot.of(town.phone("bob", 2), group)
    assert thief.opens(write(town, group, "alice", "before healing"), openings(town, group))
    town.people["bob"].revoke(2)
    town.learn(*(each for each in town.phones.values() if str(each) != "bob.2"))
    for phone in (town.phone("alice"), town.phone("bob"), town.phone("carol")):
        town.upkeep(phone)  # whoever is an admin begins an epoch
    town.settle(group, town.phone("alice"), town.phone("bob"), town.phone("carol"))
    thief += Loot.of(town.phone("bob", 2), group)
    helped = thief.with_secrets(Loot.of(town.phone("alice"), group))
    for name in ("alice", "bob", "carol"):
        sealed = town.send(town.phone(name), group, f"after healing, by {name}".encode())
        town.settle(group, town.phone("alice"), town.phone("bob"), town.phone("carol"))
        assert not thief.opens(sealed, openings(town, group))
        # New seeds: the thief reads nothing even if it learns the secret of the epoch somewhere else.
        assert not helped.opens(sealed, openings(town, group))
        assert len(readers(town, sealed)) == 2


def test_a_device_that_was_copied_unnoticed_heals_within_a_week() -> None:  # GRP-4
    town, group = town_of(alice=1, bob=1, carol=1)
    for name in ("alice", "bob", "carol"):
        write(town, group, name, f"first of {name}")
    copy = Loot.of(town.phone("bob"), group)
    for name in ("alice", "carol"):
        assert copy.opens(write(town, group, name, f"soon, by {name}"), openings(town, group))
    town.clock.now += 7 * DAY + 1
    helped = copy.with_secrets(Loot.of(town.phone("alice"), group))
    for name in ("alice", "carol"):
        sealed = write(town, group, name, f"a week later, by {name}")
        assert not helped.opens(sealed, openings(town, group))
        assert sealed.body in town.phone("bob").read


# --- two admins at once -----------------------------------------------------------------------------------


def test_two_admins_who_act_at_once_both_get_what_they_want_in_one_history() -> None:  # DOC-79
    town, group = town_of(alice=1, bob=1, carol=1, dave=1)
    alice, bob = town.phone("alice"), town.phone("bob")
    assert town.give(alice, alice.groups.set_role(group, ["bob"], GroupRole.ADMIN))
    town.settle(group)
    loot = Loot.of(town.phone("carol"), group) + Loot.of(town.phone("dave"), group)
    one, two = alice.groups.remove(group, ["carol"]), bob.groups.remove(group, ["dave"])
    assert one.number == two.number
    assert town.give(alice, one)
    taken = town.take(bob, group)
    assert taken is not None
    assert taken.outcome is ChangeOutcome.MADE_AGAIN
    assert taken.change is not None
    assert taken.change.entry != two.entry
    assert town.give(bob, taken.change)
    town.settle(group)
    for phone in (alice, bob):
        assert {each.name for each in phone.groups.get(group).members if each.name} <= {"alice", "bob"}
        assert not phone.groups.get(group).forked
    for name in ("alice", "bob"):
        sealed = write(town, group, name, f"by {name}")
        assert len(readers(town, sealed)) == 1
        assert not loot.opens(sealed, openings(town, group))


def test_two_who_do_the_same_at_once_do_it_once() -> None:
    town, group = town_of(alice=1, bob=1, carol=1)
    alice, bob = town.phone("alice"), town.phone("bob")
    assert town.give(alice, alice.groups.set_role(group, ["bob"], GroupRole.ADMIN))
    town.settle(group)
    one, two = alice.groups.remove(group, ["carol"]), bob.groups.remove(group, ["carol"])
    assert town.give(alice, one)
    taken = town.take(bob, two.group)
    assert taken is not None
    assert taken.outcome is ChangeOutcome.MET
    assert len(town.relay.logs[group]) == one.number


def test_whoever_was_removed_first_loses_its_own_change() -> None:
    town, group = town_of(alice=1, bob=1, carol=1)
    alice, bob = town.phone("alice"), town.phone("bob")
    assert town.give(alice, alice.groups.set_role(group, ["bob"], GroupRole.ADMIN))
    town.settle(group)
    one, two = alice.groups.remove(group, ["bob"]), bob.groups.remove(group, ["alice"])
    assert town.give(alice, one)
    assert not town.give(bob, two)
    town.settle(group)
    with pytest.raises(InvalidEntry):
        alice.groups.take(group, [*alice.groups.log(group)[: two.number - 2], two.entry, two.entry])
    assert {str(each) for each in town.phones.values() if each.groups.get(group).role} == {
        "alice.1",
        "carol.1",
    }


# --- texts that are shown again ---------------------------------------------------------------------------


def test_a_text_that_is_shown_again_to_half_of_the_group_is_read_once() -> None:  # GRP-8
    town, group = town_of(alice=1, bob=2, carol=1, dave=1)
    texts = [write(town, group, "alice", f"text {at}") for at in range(4)]
    half = town.phone("bob", 2), town.phone("carol")
    for phone in half:
        for each in (*texts, *reversed(texts)):
            assert town.show(phone, group, each.text).outcome is Outcome.REPEATED
    assert town.give(town.phone("alice"), town.groups("alice").renew(group))
    town.settle(group)
    write(town, group, "alice", "in another epoch")
    for phone in half:
        for each in texts:
            assert town.show(phone, group, each.text).outcome is Outcome.REPEATED


def test_a_text_does_not_open_in_another_group() -> None:
    town, group = town_of(alice=1, bob=1)
    other = town.begin("alice", "bob")
    write(town, other, "alice", "in the other one")
    sealed = write(town, group, "alice", "here")
    bob = town.phone("bob")
    assert town.show(bob, other, sealed.text).outcome is Outcome.REFUSED
    moved = sealed.text.replace(group, other, 1)
    assert town.show(bob, other, moved).outcome is not Outcome.READ


# --- a member that shows two others different texts -------------------------------------------------------


def two_faced(town: Town, group: bytes, phone: Phone) -> tuple[Sealed, Sealed]:
    """Return two texts that a member sealed with one key; it goes on after the first of them."""
    with phone.user.transaction():
        at = phone.groups._desk()
        stand, sending = at.require(group), at.book.sending(group)
        assert sending is not None
        made = [
            seal_text(sending.chain, stand.number, stand.head, (), body, system_entropy)
            for body in (b"buy", b"sell")
        ]
        after = SendingRecord(sending.number, sending.head, sending.stamp, sending.own_lists, made[0].chain)
        at.book.save_sending(after)
    members = frozenset(each.name.id for each in town.states[stand.head].users)
    devices = frozenset(town.phones)
    texts = [
        Sealed(body, phone, group, stand.head, members, devices, each.text)
        for body, each in zip((b"buy", b"sell"), made, strict=True)
    ]
    town.sealed |= {each.body: each for each in texts}
    return texts[0], texts[1]


def test_two_histories_of_a_member_are_found_by_its_next_text() -> None:  # GRP-6
    town, group = town_of(bob=1, alice=1, carol=1)
    write(town, group, "bob", "honest so far")
    buy, sell = two_faced(town, group, town.phone("bob"))
    alice, carol = town.phone("alice"), town.phone("carol")
    assert town.show(alice, group, buy.text).outcome is Outcome.READ
    assert town.show(carol, group, sell.text).outcome is Outcome.READ
    write(town, group, "bob", "the next one")
    assert not alice.has_event(GroupEventKind.DISAGREES)
    assert carol.has_event(GroupEventKind.DISAGREES)


def test_two_histories_of_a_member_are_found_by_a_text_of_another() -> None:  # GRP-6
    town, group = town_of(bob=1, alice=1, carol=1)
    for name in ("bob", "alice", "carol"):
        write(town, group, name, f"honest so far, {name}")
    buy, sell = two_faced(town, group, town.phone("bob"))
    alice, carol = town.phone("alice"), town.phone("carol")
    assert town.show(alice, group, buy.text).outcome is Outcome.READ
    assert town.show(carol, group, sell.text).outcome is Outcome.READ
    write(town, group, "alice", "we shall buy")
    found = [each for each in carol.events if each.kind is GroupEventKind.DISAGREES]
    assert [each.user_id for each in found] == [town.user_id("bob")]


# --- a server that adds a member --------------------------------------------------------------------------


def test_nobody_seals_for_somebody_whom_the_server_added() -> None:
    town = Town(alice=1, bob=1, mallory=1)
    group = town.begin("alice", "bob")
    honest = list(town.relay.logs[group])
    mallory, alice = town.phone("mallory"), town.phone("alice")
    town.take(mallory, group)
    with pytest.raises(UsageError):
        mallory.groups.add(group, ["mallory"])
    own = mallory.groups.create("group", ["alice", "bob"])
    for wrong in ([own.entry], [*honest, own.entry], [own.entry, *honest[1:]]):
        with pytest.raises((InvalidEntry, UsageError)):
            alice.groups.take(group, wrong)
    post = alice.groups.encrypt(group, b"for bob")
    assert {each.address.name for each in post} <= {"bob"}
    assert mallory.groups.decrypt(group, post.text).outcome is not Outcome.READ
