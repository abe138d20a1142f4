"""The rules of device lists: each broken alone, in a list that is signed and proved like a right one.

The positive cases stand beside the negative ones, because a rule that refused everything would pass the
latter.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DocumentKey, Snapshot
from letterlock.errors import UsageError
from letterlock.limits import MAX_DEVICES, MAX_REVOKED_DEVICES
from letterlock.user import InvalidDeviceList, ListChain
from letterlock.user._rules import may_revoke, rights
from support.list_changes import UNKNOWN, devices, family, follow, refuse, revoked, with_device
from support.user_tools import FULL, LIMITED, RECOVERY, Owner, document_key, keys, material


@pytest.fixture(scope="module")
def alice() -> Owner:
    return family()


# --- what is right ----------------------------------------------------------------------------------------


def test_a_chain_of_right_lists_verifies(alice: Owner) -> None:
    """USR-1: the hash of version 1 is the user id."""
    chain = alice.chain
    assert (chain.version, chain.user_id) == (4, alice.lists[0].hash)
    assert [each.id for each in chain.devices] == [1, 2, 3, 4, UNKNOWN]  # the recovery device gets nothing
    assert chain.newest == alice.lists[-1]


RIGHT: Final[dict[str, Callable[[Owner], DeviceList]]] = {
    "nothing but another time": lambda it: it.make(1),
    "by a newer device": lambda it: it.make(3),
    "by the recovery device": lambda it: it.make(9),
    "a new document key": lambda it: it.make(2, new_key=True),
    "a device added": lambda it: it.make(3, add=[(5, FULL)]),
    "many devices added": lambda it: it.make(1, add=[(id_, LIMITED) for id_ in range(100, 126)]),
    "revoked by itself": lambda it: it.make(3, revoke=(3,)),
    "revoked by an older device": lambda it: it.make(2, revoke=(3,)),
    "revoked by the oldest device": lambda it: it.make(1, revoke=(2, 3, 4, UNKNOWN)),
    "a limited device revoked by an older one": lambda it: it.make(2, revoke=(4,)),
    "the oldest device revoked by the recovery device": lambda it: it.make(9, revoke=(1,)),
    "all revoked by the recovery device, another added": lambda it: it.make(
        9, revoke=(1, 2, 3, 4, UNKNOWN), add=[(5, FULL)]
    ),
    "the recovery device replaced by itself": lambda it: it.make(9, revoke=(9,), add=[(10, RECOVERY)]),
    "revoked and added at once": lambda it: it.make(1, revoke=(3,), add=[(5, FULL)]),
    "the last version": lambda it: it.make(9, revoke=(1, 2, 3, 4, 9, UNKNOWN)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_list_follows(alice: Owner, name: str) -> None:
    assert follow(alice, RIGHT[name](alice)).version == 5


def test_a_single_device_may_add_a_recovery_device() -> None:
    """USR-12: it may revoke every other device, because there is none."""
    owner = Owner("single")
    assert follow(owner, owner.make(1, add=[(9, RECOVERY)])).version == 2


def test_the_oldest_device_may_add_a_recovery_device() -> None:
    """USR-12."""
    owner = Owner("oldest")
    owner.next(add=[(2, FULL)])
    assert follow(owner, owner.make(1, add=[(9, RECOVERY)])).version == 3


def test_a_revocation_frees_the_place_of_the_oldest() -> None:
    """USR-12: once the phone is revoked, the next device is the oldest."""
    owner = Owner("freed")
    owner.next(add=[(2, FULL)])
    owner.next(2, add=[(3, FULL)])
    owner.next(1, revoke=(1,))
    assert follow(owner, owner.make(2, add=[(9, RECOVERY)])).version == 5


def test_a_list_that_is_decoded_follows_too(alice: Owner) -> None:
    new = alice.make(1, revoke=(3,), add=[(5, FULL)])
    assert follow(alice, DeviceList.decode(new.encode())).newest == new


def test_rights_by_class(alice: Owner) -> None:
    """USR-4: a class that this release does not know has the rights of a limited device."""
    by_id = {each.id: each for each in alice.lists[-1].snapshot.devices}
    assert rights(by_id[1]) == (True, True, True, False)
    assert rights(by_id[4]) == (False, False, True, False)
    assert rights(by_id[9]) == (True, True, False, True)
    assert rights(by_id[UNKNOWN]) == rights(by_id[4])


def test_who_may_revoke_whom(alice: Owner) -> None:
    """USR-11."""
    by_id = {each.id: each for each in alice.lists[-1].snapshot.devices}
    allowed = {
        (one, other)
        for one in by_id
        for other in by_id
        if rights(by_id[one]).changes_list and may_revoke(by_id[one], by_id[other])
    }
    order = {1: 1, 9: 1, 2: 2, 3: 3, 4: 3, UNKNOWN: 4}
    expected = {(one, other) for one in (1, 2, 3) for other in by_id if order[one] < order[other]}
    assert allowed == expected | {(one, one) for one in (1, 2, 3)} | {(9, other) for other in by_id}


# --- every version ----------------------------------------------------------------------------------------


WRONG: Final[dict[str, tuple[Callable[[Owner], DeviceList], str]]] = {
    # USR-2
    "devices in another order": (lambda it: it.make(1, devices(lambda all_: all_[::-1])), "order of their"),
    "a device twice": (lambda it: it.make(1, devices(lambda all_: (all_[0], *all_))), "id occurs twice"),
    "revoked and listed": (lambda it: it.make(1, revoked((3, 5))), "id occurs twice"),
    "revoked twice": (lambda it: it.make(1, revoked((50, 5), (50, 5))), "id occurs twice"),
    "revoked in another order": (lambda it: it.make(1, revoked((51, 5), (50, 5))), "not in their order"),
    "revoked in another order of versions": (lambda it: it.make(1, revoked((50, 5), (51, 4))), "their order"),
    "revoked in a later version": (lambda it: it.make(1, revoked((50, 6))), "later version"),
    "added in a later version": (lambda it: it.make(1, with_device(3, added=6)), "later version"),
    "an identity key twice": (
        lambda it: it.make(1, with_device(3, identity=it.keys(2).identity.public)), "have one key",
    ),
    "an ed25519 key twice": (
        lambda it: it.make(1, with_device(3, ed25519=it.keys(2).signing.public.ed25519.data)), "have one key",
    ),
    "an ml-dsa key twice": (
        lambda it: it.make(1, with_device(3, ml_dsa_hash=it.keys(2).listed(2).ml_dsa_hash)), "have one key",
    ),
    # USR-3
    "a second recovery device": (lambda it: it.make(9, add=[(10, RECOVERY)]), "two recovery devices"),
    # USR-5
    "only devices that may not sign": (
        lambda it: it.make(9, revoke=(1, 2, 3, 9)), "no device may change the list",
    ),
    "no document key": (
        lambda it: it.make(1, lambda s: replace(s, document_key=None)), "document key is missing",
    ),
    "a document key without devices": (
        lambda it: it.make(
            9,
            lambda snapshot: replace(snapshot, document_key=DocumentKey(2, document_key("left"))),
            revoke=(1, 2, 3, 4, 9, UNKNOWN),
        ),
        "left over",
    ),
    # USR-7
    "the same version": (
        lambda it: it.make(1, lambda s: replace(s, version=4)), "version 4 does not follow 4",
    ),
    "a version skipped": (lambda it: it.make(1, lambda s: replace(s, version=6)), "version 6 does not"),
    "version 1 again": (lambda it: it.lists[0], "version 1 does not follow"),
    "an earlier version again": (lambda it: it.lists[2], "version 3 does not follow 4"),
    "the newest version again": (lambda it: it.lists[3], "version 4 does not follow 4"),
    "the hash of the version before that": (
        lambda it: it.make(1, lambda s: replace(s, previous=it.lists[2].hash)), "follows another version",
    ),
    "no hash before": (lambda it: it.make(1, lambda s: replace(s, previous=None)), "follows another version"),
    "another user": (
        lambda it: it.make(1, lambda s: replace(s, user_id=Owner("mallory").user_id)), "another user",
    ),
    "no user": (lambda it: it.make(1, lambda s: replace(s, user_id=None)), "another user"),
    # USR-8
    "by a limited device": (lambda it: it.make(4), "device 4 may not sign"),
    "by a device of an unknown class": (lambda it: it.make(UNKNOWN), "device 77 may not sign"),
    "by a device that was never listed": (lambda it: it.make(50), "device 50 may not sign"),
    "by the device that it adds": (lambda it: it.make(5, add=[(5, FULL)]), "device 5 may not sign"),
    # USR-9
    "another class": (lambda it: it.make(1, with_device(4, device_class=FULL)), "device 4 was changed"),
    "an earlier place": (lambda it: it.make(3, with_device(3, added=1)), "device 3 was changed"),
    "another identity key": (
        lambda it: it.make(1, with_device(3, identity=keys("stranger").identity.public)), "3 was changed",
    ),
    "another ed25519 key": (
        lambda it: it.make(1, with_device(3, ed25519=keys("stranger").listed(3).ed25519)), "3 was changed",
    ),
    "another ml-dsa key": (lambda it: it.make(1, with_device(3, ml_dsa_hash=bytes(32))), "3 was changed"),
    "a device that was there all along": (
        lambda it: it.make(1, with_device(5, added=4), add=[(5, FULL)]), "added without a word",
    ),
    "a device added under a listed id": (
        lambda it: it.make(1, with_device(3, added=5, identity=keys("stranger").identity.public)),
        "id of an earlier",
    ),
    "the keys of a revoked device under another id": (
        lambda it: it.make(
            1,
            devices(lambda all_: tuple(
                replace(each, identity=it.keys(3).identity.public) if each.id == 5 else each for each in all_
            )),
            revoke=(3,), add=[(5, FULL)],
        ),
        "has a used key",
    ),
    # USR-10
    "a device that vanishes": (
        lambda it: it.make(
            1, devices(lambda all_: tuple(each for each in all_ if each.id != 3)), new_key=True
        ),
        "revoked devices are others",
    ),
    "a revocation of an earlier version": (
        lambda it: it.make(1, revoked((3, 4)), revoke=(3,)), "revoked devices are others",
    ),
    "a revocation of a device that was not listed": (
        lambda it: it.make(1, revoked((50, 5))), "revoked devices are others",
    ),
    # USR-11
    "an older device revoked by a newer one": (lambda it: it.make(3, revoke=(2,)), "3 may not revoke 2"),
    "the oldest device revoked by a newer one": (lambda it: it.make(2, revoke=(1,)), "2 may not revoke 1"),
    "a device revoked by one that was added with it": (
        lambda it: it.make(3, revoke=(4,)), "3 may not revoke 4",
    ),
    "the recovery device revoked by one added with it": (
        lambda it: it.make(1, revoke=(9,)), "1 may not revoke 9",
    ),
    "one of several that it may not": (lambda it: it.make(2, revoke=(1, 3)), "2 may not revoke 1"),
    # USR-13
    "a revocation without a new document key": (
        lambda it: it.make(
            1, lambda s: replace(s, document_key=it.lists[-1].snapshot.document_key), revoke=(3,)
        ),
        "document key is not",
    ),
    "a new generation with the old document key": (
        lambda it: it.make(
            1,
            lambda s: replace(s, document_key=DocumentKey(2, it.lists[0].snapshot.document_key.public)),  # type: ignore[union-attr]
            revoke=(3,),
        ),
        "document key is not",
    ),
    "a new document key of the old generation": (
        lambda it: it.make(1, lambda s: replace(s, document_key=DocumentKey(1, document_key("other")))),
        "document key is not",
    ),
    "a generation skipped": (
        lambda it: it.make(1, lambda s: replace(s, document_key=DocumentKey(3, document_key("other")))),
        "document key is not",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_list_is_refused(alice: Owner, name: str) -> None:
    make, match = WRONG[name]
    refuse(alice, make(alice), match)


def test_a_newer_device_adds_no_recovery_device() -> None:
    """USR-12: a thief of device 2 would revoke device 1 with it."""
    owner = Owner("thief")
    owner.next(add=[(2, FULL)])
    refuse(owner, owner.make(2, add=[(9, RECOVERY)]), "2 may not add a recovery device")


def test_a_device_adds_no_recovery_device_beside_one_of_its_own_age() -> None:
    """USR-12."""
    owner = Owner("twins", [(1, FULL), (2, FULL)])
    refuse(owner, owner.make(1, add=[(9, RECOVERY)]), "1 may not add a recovery device")


def test_a_newer_device_does_not_replace_the_recovery_device() -> None:
    """USR-11 and USR-12, one after the other."""
    owner = Owner("replacing")
    owner.next(add=[(9, RECOVERY)])
    owner.next(add=[(2, FULL)])
    refuse(owner, owner.make(2, revoke=(9,), add=[(10, RECOVERY)]), "2 may not revoke 9")
    assert follow(owner, owner.make(1, revoke=(9,), add=[(10, RECOVERY)])).version == 4


def test_a_revoked_id_does_not_come_back() -> None:
    """USR-9."""
    owner = Owner("back")
    owner.next(add=[(2, FULL)])
    owner.next(revoke=(2,))
    label = keys("another device under id 2")

    def change(snapshot: Snapshot) -> Snapshot:
        new = replace(label.listed(2), added=snapshot.version)
        kept = tuple(each for each in snapshot.revoked if each.id != 2)
        return replace(snapshot, devices=(*snapshot.devices, new), revoked=kept)

    refuse(owner, owner.make(1, change), "id of an earlier one")


def test_a_revoked_device_signs_nothing() -> None:
    """USR-8."""
    owner = Owner("revoked")
    owner.next(add=[(2, FULL)])
    owner.next(revoke=(2,))
    refuse(owner, owner.make(2, add=[(3, FULL)]), "device 2 may not sign")


def test_nothing_follows_the_last_version() -> None:
    """USR-5, USR-8: a list without devices has no signer for the next one."""
    owner = Owner("ended")
    final = owner.next(revoke=(1,))
    assert (final.snapshot.devices, final.snapshot.document_key) == ((), None)
    assert owner.chain.devices == ()
    again = replace(
        Owner("ended").lists[0].snapshot, version=3, previous=final.hash, user_id=owner.user_id, devices=()
    )
    refuse(
        owner,
        owner.sign(replace(again, revoked=final.snapshot.revoked, document_key=None), 1),
        "1 may not sign",
    )
    with pytest.raises(UsageError, match="final"):
        owner.draft(add=[(2, FULL)])


def test_the_earliest_revoked_devices_make_room() -> None:
    """USR-10: a thief that adds and revokes devices cannot keep others from revoking it."""
    owner = Owner("full")
    for start in range(100, 100 + MAX_REVOKED_DEVICES + 20, 20):
        ids = range(start, start + 20)
        owner.next(add=[(id_, LIMITED) for id_ in ids])
        owner.next(revoke=tuple(ids))
    chain = owner.chain
    kept = [each.id for each in chain.newest.snapshot.revoked]
    assert kept == list(range(100 + 100 - MAX_REVOKED_DEVICES, 200))
    refuse(owner, owner.make(1, lambda s: replace(s, revoked=s.revoked[1:])), "revoked devices are others")


def test_32_devices_are_listed_and_33_are_not() -> None:
    owner = Owner("many", [(id_, FULL) for id_ in range(1, MAX_DEVICES + 1)])
    assert len(owner.chain.devices) == MAX_DEVICES
    from letterlock.errors import MalformedMessage

    more = owner.make(1, add=[(100, LIMITED)])
    with pytest.raises(MalformedMessage, match="devices"):
        DeviceList.decode(more.encode())


def test_a_chain_needs_its_first_version(alice: Owner) -> None:
    with pytest.raises(InvalidDeviceList, match="version 1"):
        ListChain.verify(alice.lists[1:])
    with pytest.raises(UsageError, match="ask the directory"):
        ListChain.verify([])


# --- drafts -----------------------------------------------------------------------------------------------


def test_a_draft_refuses_what_cannot_be(alice: Owner) -> None:
    with pytest.raises(UsageError, match="not listed"):
        alice.draft(revoke=(50,))
    from letterlock.user._drafts import next_snapshot

    with pytest.raises(UsageError, match="needs a new document key"):
        next_snapshot(alice.lists[-1], alice.user_id, 0, revoke=(3,))


def test_material_is_fixed() -> None:
    assert material("x", 4) == material("x", 4) != material("y", 4)
