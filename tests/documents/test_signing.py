"""Who signed: DOC-30 and DOC-31. A signature fits one signer, one message and one context."""

from dataclasses import replace
from typing import Final

import pytest

from letterlock._primitives.labels import DEVICE_PROOF, GRANT_SIGNATURE
from letterlock._wire import cbor
from letterlock._wire.signed_by import SignedBy, Signer
from letterlock.documents import Standing, UnknownAuthor
from letterlock.documents._signing import (
    ListsGiven,
    ListsOnRecord,
    sign,
    signed_bytes,
    signer_of,
    verify,
)
from letterlock.errors import Cause, InvalidSignature, MalformedMessage, UsageError
from letterlock.user import ContactFrozen, DeviceClass, ListChain, User
from support.user_devices import Person, World, own_record, world

MESSAGE: Final = b"32 bytes or any other number of them"


@pytest.fixture
def people() -> World:
    return world()


def signed(user: User, message: bytes = MESSAGE) -> SignedBy:
    with user.transaction():
        return sign(user._desk, GRANT_SIGNATURE, message)


def standing(
    reader: User, by: SignedBy, message: bytes = MESSAGE, context: bytes = GRANT_SIGNATURE
) -> Standing:
    with reader.transaction():
        return verify(ListsOnRecord(reader._desk.book), context, message, by)


def given(person: Person) -> ListsGiven:
    return ListsGiven([ListChain.verify(person.lists)])


def test_a_contact_and_the_user_itself_verify(people: World) -> None:
    by = signed(people.alice.first)
    assert standing(people.bob.first, by) is Standing.LISTED
    assert standing(people.alice.first, by) is Standing.LISTED
    assert verify(given(people.alice), GRANT_SIGNATURE, MESSAGE, by) is Standing.LISTED


def test_the_signer_is_the_device_in_its_newest_list(people: World) -> None:
    phone = people.alice.add()
    phone.learn("alice", people.alice.lists)
    by = signed(phone)
    newest = people.alice.lists[-1]
    assert by.signer == Signer(people.alice.first.user_id, 2, 2, newest.hash)
    with phone.transaction():
        assert signer_of(phone._desk) == by.signer


def test_an_encoding_is_read_back(people: World) -> None:
    by = signed(people.alice.first)
    assert SignedBy.from_fields(cbor.decode(cbor.encode(by.fields()))) == by
    assert Signer.from_fields(cbor.decode(cbor.encode(by.signer.fields()))) == by.signer


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("wrong", [None, 0, b"", b"\0" * 31, "text", [], 2**32])
def test_an_element_of_another_form(people: World, at: int, wrong: object) -> None:
    elements = cbor.decode(cbor.encode(signed(people.alice.first).fields()))
    assert isinstance(elements, list)
    elements[at] = wrong
    with pytest.raises(MalformedMessage):
        SignedBy.from_fields(elements)
    for count in (elements[:5], [*elements, 0], elements[:4]):
        with pytest.raises(MalformedMessage):
            SignedBy.from_fields(count)


# --- a signature fits nothing else ------------------------------------------------------------------------


def test_another_message_context_or_half(people: World) -> None:
    by = signed(people.alice.first)
    bob = people.bob.first
    for message in (MESSAGE[:-1], MESSAGE + b"\0", b""):
        with pytest.raises(InvalidSignature):
            standing(bob, by, message)
    with pytest.raises(InvalidSignature):
        standing(bob, by, context=DEVICE_PROOF)
    other = signed(people.alice.first, b"other")
    for mixed in (
        by.signature[:3309] + other.signature[3309:],
        other.signature[:3309] + by.signature[3309:],
        bytes(3373),
    ):
        with pytest.raises(InvalidSignature):
            standing(bob, replace(by, signature=mixed))


def test_another_version_of_the_same_list(people: World) -> None:
    """Both versions list the device, and the signature still fits one of them. [DOC-30]"""
    people.alice.add()
    people.bob.first.learn("alice", people.alice.lists)
    by = signed(people.alice.first)
    assert by.signer.list_version == 2
    first = people.alice.lists[0]
    moved = replace(by, signer=replace(by.signer, list_version=1, list_hash=first.hash))
    with pytest.raises(InvalidSignature):
        standing(people.bob.first, moved)


def test_another_user_or_device(people: World) -> None:
    phone = people.alice.add()
    phone.learn("alice", people.alice.lists)
    people.bob.first.learn("alice", people.alice.lists)
    by = signed(people.alice.first)
    with pytest.raises(InvalidSignature):
        standing(people.bob.first, replace(by, signer=replace(by.signer, device_id=2)))
    with pytest.raises(InvalidSignature, match="may not sign"):
        standing(people.bob.first, replace(by, signer=replace(by.signer, device_id=9)))
    bobs = signed(people.bob.first)
    for forged in (
        replace(by, signer=bobs.signer),
        replace(by, ml_dsa=bobs.ml_dsa),
        replace(bobs, signer=by.signer),
    ):
        with pytest.raises(InvalidSignature):
            standing(people.bob.first, forged)


# --- which device list ------------------------------------------------------------------------------------


def test_a_user_who_is_no_contact(people: World) -> None:
    carol = Person("carol", people.clock)
    by = signed(carol.first)
    with pytest.raises(UnknownAuthor) as caught:
        standing(people.bob.first, by)
    assert (caught.value.user_id, caught.value.version) == (carol.first.user_id, 1)
    assert caught.value.cause is Cause.NOT_LISTED
    people.bob.first.learn("carol", carol.lists)
    assert standing(people.bob.first, by) is Standing.LISTED
    with pytest.raises(UnknownAuthor):
        verify(given(people.alice), GRANT_SIGNATURE, MESSAGE, by)


def test_a_version_that_is_not_on_record_yet(people: World) -> None:
    phone = people.alice.add()
    by = signed(phone)
    with pytest.raises(UnknownAuthor, match="learn the author's device lists") as caught:
        standing(people.bob.first, by)
    assert caught.value.version == 2
    people.bob.first.learn("alice", people.alice.lists)
    assert standing(people.bob.first, by) is Standing.LISTED


def test_another_list_of_the_same_version(people: World) -> None:
    """A directory showed the author one list, and this reader another one."""
    people.alice.add()
    by = signed(people.alice.first)
    people.bob.first.learn("alice", people.alice.fork())
    with pytest.raises(UnknownAuthor) as caught:
        standing(people.bob.first, by)
    assert caught.value.cause is Cause.CONTRADICTION


def test_a_frozen_contact(people: World) -> None:
    people.alice.add()
    by = signed(people.alice.first)
    people.bob.first.learn("alice", people.alice.lists)
    people.bob.first.learn("alice", people.alice.fork())
    with pytest.raises(ContactFrozen):
        standing(people.bob.first, by)
    people.bob.first.contact("alice").keep()
    assert standing(people.bob.first, by) is Standing.LISTED


def test_a_contact_whose_lists_were_not_fetched(people: World) -> None:
    """Linking hands over a pin of each contact, and no lists."""
    phone = people.bob.add()
    by = signed(people.alice.first)
    with pytest.raises(UnknownAuthor):
        standing(phone, by)
    phone.learn("alice", people.alice.lists)
    assert standing(phone, by) is Standing.LISTED


# --- which device -----------------------------------------------------------------------------------------


def test_a_device_that_was_revoked_since(people: World) -> None:
    phone = people.alice.add()
    by = signed(phone)
    people.alice.revoke(2)
    people.bob.first.learn("alice", people.alice.lists)
    assert standing(people.bob.first, by) is Standing.REVOKED_SINCE
    assert standing(people.alice.first, by) is Standing.REVOKED_SINCE
    # It does not know yet, and names the version that has it: nobody can tell when it signed.
    assert standing(people.bob.first, signed(phone)) is Standing.REVOKED_SINCE
    # In the version that revoked it, it is no device.
    newest = people.alice.lists[-1]
    claimed = replace(by.signer, list_version=3, list_hash=newest.hash)
    pair = people.alice.signing(2)
    forged = SignedBy(claimed, by.ml_dsa, pair.sign(signed_bytes(claimed, MESSAGE), GRANT_SIGNATURE))
    with pytest.raises(InvalidSignature, match="may not sign"):
        standing(people.bob.first, forged)


def test_a_revoked_device_that_knows_it_signs_nothing(people: World) -> None:
    phone = people.alice.add()
    people.alice.revoke(2)
    phone.learn("alice", people.alice.lists)
    with pytest.raises(UsageError, match="was revoked"):
        signed(phone)


def test_a_limited_device_signs_nothing(people: World) -> None:
    """It reads no documents, and nobody takes a signature from it. [DOC-31]"""
    bot = people.alice.add(device_class=DeviceClass.LIMITED)
    bot.learn("alice", people.alice.lists)
    with pytest.raises(UsageError, match="full device"):
        signed(bot)
    people.bob.first.learn("alice", people.alice.lists)
    newest, pair = people.alice.lists[-1], people.alice.signing(2)
    signer = Signer(people.alice.first.user_id, 2, 2, newest.hash)
    signature = pair.sign(signed_bytes(signer, MESSAGE), GRANT_SIGNATURE)
    with pytest.raises(InvalidSignature, match="may not sign"):
        standing(people.bob.first, SignedBy(signer, pair.public.ml_dsa.data, signature))


def test_a_version_that_the_directory_has_not_taken_is_not_named(people: World) -> None:
    """Another device may be faster, and then this version never was."""
    alice = people.alice.first
    people.alice.add()
    people.alice.lists.append(alice.revoke(2).device_list)
    assert own_record(alice).pin.version == 3
    by = signed(alice)
    assert by.signer.list_version == 2
    assert standing(alice, by) is Standing.LISTED
    alice.learn("alice", people.alice.lists)
    assert signed(alice).signer.list_version == 3


def test_lists_that_a_reader_was_given(people: World) -> None:
    by = signed(people.alice.first)
    later = replace(by, signer=replace(by.signer, list_version=2))
    with pytest.raises(UnknownAuthor):
        verify(given(people.alice), GRANT_SIGNATURE, MESSAGE, later)
