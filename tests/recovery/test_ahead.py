"""Users who are there before anybody logs in, and the first login, which ends what others can read."""

from dataclasses import replace

import pytest

from letterlock import MemoryStore
from letterlock._primitives.entropy import system_entropy
from letterlock.errors import AccountExists, UsageError
from letterlock.recovery import (
    BoxRefused,
    RecoveryKey,
    Remains,
    device_keys,
    enrol,
    enrol_ahead,
    first_login,
    recover_user,
    recovery_box,
)
from letterlock.recovery._ahead import is_ahead
from letterlock.recovery._recovered import open_box
from letterlock.user import DeviceClass, InvalidDeviceList, ListChain, User
from letterlock.user._document_seeds import document_key_pair


def key_of() -> RecoveryKey:
    return RecoveryKey(system_entropy(32))


def test_the_first_list_has_the_recovery_device_alone() -> None:
    made = enrol_ahead("ann", key_of())
    chain = ListChain.verify((made.device_list,))
    (device,) = chain.newest.snapshot.devices
    assert (device.id, device.device_class) == (1, DeviceClass.RECOVERY)
    assert is_ahead(chain)


def test_others_know_the_user_and_seal_for_a_key_that_is_in_the_box() -> None:
    key = key_of()
    made = enrol_ahead("ann", key)
    chain = ListChain.verify((made.device_list,))
    _, seeds = open_box(made.box, device_keys(key), chain)
    document_key = chain.newest.snapshot.document_key
    assert document_key is not None
    assert document_key_pair(seeds[0][1]).public.data == document_key.public
    bob = User.create(MemoryStore(), "bob")
    bob.learn("ann", (made.device_list,))


def test_the_first_login_takes_the_recovery_device_out() -> None:  # REC-52
    key = key_of()
    made = enrol_ahead("ann", key)
    back = first_login(MemoryStore(), key, Remains((made.device_list,), made.box))
    chain = ListChain.verify((made.device_list, back.device_list))
    (device,) = chain.newest.snapshot.devices
    assert (device.id, device.device_class) == (2, DeviceClass.FULL)
    before, after = (each.snapshot.document_key for each in chain.lists)
    assert before is not None
    assert after is not None
    assert after.generation == before.generation + 1
    assert back.user.name == "ann"
    assert back.user.user_id == made.device_list.hash


def test_the_key_of_the_application_opens_nothing_afterwards() -> None:  # REC-52
    """Not the box that follows, and no device of its own gets into the list."""
    key = key_of()
    made = enrol_ahead("ann", key)
    ann = first_login(MemoryStore(), key, Remains((made.device_list,), made.box)).user
    ann.learn("ann", ann.device_lists())
    enrolled = enrol(ann, key_of())
    ann.learn("ann", ann.device_lists())
    box, lists = recovery_box(ann, enrolled.card), ann.device_lists()
    with pytest.raises(BoxRefused):
        open_box(box, device_keys(key), ListChain.verify(lists))
    for again in (recover_user, first_login):
        with pytest.raises(InvalidDeviceList):
            again(MemoryStore(), key, Remains(lists, box))


def test_nobody_logs_in_first_a_second_time() -> None:  # REC-52
    key = key_of()
    made = enrol_ahead("ann", key)
    back = recover_user(MemoryStore(), key, Remains((made.device_list,), made.box))
    lists = made.device_list, back.device_list
    assert not is_ahead(ListChain.verify(lists))
    with pytest.raises(UsageError, match="logged in as this user before"):
        first_login(MemoryStore(), key, Remains(lists, made.box))


def test_what_does_not_belong_together_is_refused() -> None:
    key = key_of()
    made, other = enrol_ahead("ann", key), enrol_ahead("ann", key)
    remains = Remains((made.device_list,), made.box)
    with pytest.raises(InvalidDeviceList):
        first_login(MemoryStore(), key_of(), remains)
    with pytest.raises(BoxRefused):
        first_login(MemoryStore(), key, replace(remains, box=other.box))
    with pytest.raises(BoxRefused):
        first_login(MemoryStore(), key, replace(remains, lists=(other.device_list,)))
    store = MemoryStore()
    User.create(store, "bob")
    with pytest.raises(AccountExists):
        first_login(store, key, remains)


@pytest.mark.parametrize("name", ["", "x" * 1000])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        enrol_ahead(name, key_of())


def test_a_user_with_a_device_is_not_ahead() -> None:
    phone = User.create(MemoryStore(), "ann")
    assert not is_ahead(ListChain.verify(phone.device_lists()))
