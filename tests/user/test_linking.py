"""Linking: a new device and an old one, with somebody between them who sees, changes and invents messages.

USR-19 to USR-22.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import cbor2
import pytest

from letterlock._primitives import hpke
from letterlock._wire.linking import (
    LinkingAnswer,
    LinkingBundle,
    LinkingCode,
    LinkingNonce,
    LinkingOffer,
    LinkingPackage,
    LinkingPayload,
    LinkingSecret,
)
from letterlock.errors import (
    AuthenticationFailed,
    InvalidKey,
    InvalidSignature,
    MalformedMessage,
    PeerError,
    UnsupportedVersion,
    UsageError,
)
from letterlock.user import InvalidDeviceList, LinkingRefused, ListChain
from letterlock.user import _linking as linking
from letterlock.user._drafts import next_snapshot
from letterlock.user._linking import CodeShown, DeviceKeys, OfferTaken, offer_link
from letterlock.user._signatures import prove_possession, sign_snapshot
from support.linking_samples import (
    ALICE,
    ANSWERED,
    CHAIN,
    LIST,
    NEW_ID,
    OFFERED,
    PACKAGE,
    PAYLOAD,
    SHOWN,
    TAKEN,
    new_device,
    package_of,
)
from support.pair import NOON, entropy_of, flipped
from support.user_tools import FULL, LIMITED, Owner

# --- as it should be --------------------------------------------------------------------------------------


def test_a_device_is_linked() -> None:
    """USR-21: the new device has the chain, which lists it, and what it was given."""
    linked = TAKEN.receive(PACKAGE)
    assert linked.chain == CHAIN.extended((LIST,))
    assert linked.chain.newest == LIST
    assert (linked.device_id, linked.payload) == (NEW_ID, PAYLOAD)
    assert [each.id for each in linked.chain.devices] == [1, 2, NEW_ID]


def test_both_screens_show_the_same_six_digits() -> None:
    """USR-19."""
    assert TAKEN.digits == ANSWERED.digits
    assert len(TAKEN.digits) == 6
    assert TAKEN.digits.isdigit()
    assert TAKEN.digits.isascii()


def test_the_linked_device_signs_the_next_version() -> None:
    linked = TAKEN.receive(PACKAGE)
    snapshot = next_snapshot(LIST, linked.chain.user_id, NOON)
    signed = sign_snapshot(snapshot, NEW_ID, linked.keys.signing)
    assert linked.chain.extended((signed,)).version == 4


def test_a_limited_device_is_linked() -> None:
    offered = offer_link(CHAIN, SHOWN.code, SHOWN.bundle, NOON, (NEW_ID, LIMITED))
    taken = SHOWN.receive(offered.sealed, NOON, entropy_of(1))
    new, package = offered.receive(taken.answer, NOON).confirm(1, ALICE.keys(1).signing, b"", NOON)
    assert new.snapshot.devices[-1].device_class == LIMITED
    assert taken.receive(package).payload == b""


def test_what_is_drawn() -> None:
    drawn: list[int] = []

    def entropy(length: int) -> bytes:
        drawn.append(length)
        return bytes([len(drawn)]) * length

    shown = CodeShown.begin(DeviceKeys.generate(entropy), NOON, "", entropy)
    assert drawn == [32, 64, 32, 32, 32]
    assert LinkingBundle.decode(shown.bundle).commitment == hashlib.sha256(shown.nonce.expose()).digest()
    shown.receive(offer_link(CHAIN, shown.code, shown.bundle, NOON, (8, FULL)).sealed, NOON, entropy)
    assert drawn[5:] == [64]


def test_nothing_is_signed_before_the_owner_confirms() -> None:
    """USR-22: until then the old device has made no device list that anybody could use."""
    for state in (OFFERED, ANSWERED):
        assert not [name for name in state.__slots__ if "list" in name or "signature" in name]


# --- somebody between the two -----------------------------------------------------------------------------

MALLORY: Final = new_device("mallory")


def test_another_bundle_than_the_codes_is_refused() -> None:
    """USR-20: keys that were exchanged on their way."""
    for bundle in (MALLORY.bundle, SHOWN.bundle + b"\0", flipped(SHOWN.bundle, 40), b""):
        with pytest.raises(LinkingRefused, match="not the one of the code"):
            offer_link(CHAIN, SHOWN.code, bundle, NOON, (NEW_ID, FULL))


def test_an_offer_without_the_secret_does_not_open() -> None:
    """Somebody who saw the bundle, and not the code, offers a device list of their own."""
    mallory = Owner("mallory")
    guess = replace(SHOWN.code, secret=LinkingSecret(bytes(32)))
    offered = offer_link(mallory.chain, guess, SHOWN.bundle, NOON, (NEW_ID, FULL))
    with pytest.raises(AuthenticationFailed):
        SHOWN.receive(offered.sealed, NOON, entropy_of(1))


def test_somebody_who_saw_the_code_meets_other_digits() -> None:
    """USR-19: Mallory links Bob's new device to herself, and her own to Alice, and the digits differ."""
    mallory = Owner("mallory")
    to_new = offer_link(mallory.chain, SHOWN.code, SHOWN.bundle, NOON, (NEW_ID, FULL))
    taken = SHOWN.receive(to_new.sealed, NOON, entropy_of(1))
    to_old = offer_link(CHAIN, MALLORY.code, MALLORY.bundle, NOON, (NEW_ID, FULL))
    answered = to_old.receive(MALLORY.receive(to_old.sealed, NOON, entropy_of(2)).answer, NOON)
    assert taken.digits != answered.digits


def test_the_digits_depend_on_bundle_offer_nonce_and_secret() -> None:
    """USR-19."""
    nonce = SHOWN.nonce
    other = offer_link(CHAIN, SHOWN.code, SHOWN.bundle, NOON, (NEW_ID, FULL)).sealed
    shown = {
        linking.linking_digits(SHOWN.code, OFFERED.sealed, nonce),
        linking.linking_digits(SHOWN.code, other, nonce),
        linking.linking_digits(SHOWN.code, OFFERED.sealed, LinkingNonce(bytes(32))),
        linking.linking_digits(replace(SHOWN.code, secret=LinkingSecret(bytes(32))), OFFERED.sealed, nonce),
        linking.linking_digits(replace(SHOWN.code, bundle_hash=bytes(32)), OFFERED.sealed, nonce),
    }
    assert len(shown) == 5


def test_another_nonce_than_the_announced_one_is_refused() -> None:
    """USR-19: whoever saw the offer cannot choose a nonce that gives the digits they want."""
    answer = LinkingAnswer.decode(TAKEN.answer)
    for nonce in (LinkingNonce(bytes(32)), MALLORY.nonce):
        with pytest.raises(LinkingRefused, match="nonce"):
            OFFERED.receive(LinkingAnswer(answer.proof, nonce).encode(), NOON)


def test_changed_answers_are_refused() -> None:
    for at in (
        *range(40),
        *range(40, len(TAKEN.answer), 53),
        *range(len(TAKEN.answer) - 40, len(TAKEN.answer)),
    ):
        with pytest.raises(PeerError):
            OFFERED.receive(flipped(TAKEN.answer, at), NOON)


def proof_of(**fields: Any) -> bytes:
    answer = LinkingAnswer.decode(TAKEN.answer)
    return LinkingAnswer(replace(answer.proof, **fields), answer.nonce).encode()


def test_an_answer_for_another_offer_or_device_is_refused() -> None:
    other = offer_link(CHAIN, SHOWN.code, SHOWN.bundle, NOON + 6, (NEW_ID, FULL))
    with pytest.raises(InvalidSignature):
        other.receive(TAKEN.answer, NOON)
    with pytest.raises(LinkingRefused, match="another device"):
        OFFERED.receive(proof_of(device_id=2), NOON)
    mallorys = LinkingAnswer.decode(MALLORY.receive(to_mallory().sealed, NOON, entropy_of(3)).answer).proof
    with pytest.raises(InvalidDeviceList):
        OFFERED.receive(proof_of(ml_dsa=mallorys.ml_dsa, signature=mallorys.signature), NOON)


def to_mallory() -> Any:
    return offer_link(CHAIN, MALLORY.code, MALLORY.bundle, NOON, (NEW_ID, FULL))


def sealed_offer(offer: LinkingOffer) -> bytes:
    return hpke.seal(SHOWN.keys.receiving.public, linking._offer_info(SHOWN.code), offer.encode())


OFFERS: Final[dict[str, Callable[[], LinkingOffer]]] = {
    "another id": lambda: replace(OFFERED.offer, device_id=2),
    "an id that is not listed": lambda: replace(OFFERED.offer, device_id=50),
    "a version that adds nobody": lambda: LinkingOffer(ALICE.draft(), NEW_ID),
    "keys of somebody else": lambda: to_mallory().offer,
    "an earlier place": lambda: LinkingOffer(
        replace(OFFERED.offer.snapshot, devices=tuple(
            replace(each, added=1) for each in OFFERED.offer.snapshot.devices)), NEW_ID,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OFFERS)
def test_an_offer_that_does_not_add_this_device_is_refused(name: str) -> None:
    with pytest.raises(LinkingRefused, match="does not add this device"):
        SHOWN.receive(sealed_offer(OFFERS[name]()), NOON, entropy_of(1))


def test_an_offer_of_no_well_formed_list_is_refused() -> None:
    devices = OFFERED.offer.snapshot.devices[::-1]
    offer = LinkingOffer(replace(OFFERED.offer.snapshot, devices=devices), NEW_ID)
    with pytest.raises(InvalidDeviceList):
        SHOWN.receive(sealed_offer(offer), NOON, entropy_of(1))


def test_changed_and_foreign_offers_are_refused() -> None:
    for at in range(0, len(OFFERED.sealed), 41):
        with pytest.raises(AuthenticationFailed):
            SHOWN.receive(flipped(OFFERED.sealed, at), NOON, entropy_of(1))
    for foreign in (to_mallory().sealed, PACKAGE):
        with pytest.raises(AuthenticationFailed):
            SHOWN.receive(foreign, NOON, entropy_of(1))
    with pytest.raises(MalformedMessage):
        SHOWN.receive(b"", NOON, entropy_of(1))


# --- the package ------------------------------------------------------------------------------------------


def sealed_package(package: LinkingPackage, taken: OfferTaken = TAKEN) -> bytes:
    """Return a package sealed by somebody who knows the code and saw everything."""
    transcript = linking._transcript(taken.code, taken.sealed_offer, taken.answer)
    info = linking._package_info(taken.code, transcript)
    return hpke.seal(taken.keys.receiving.public, info, package.encode())


def refused_package(package: LinkingPackage, error: type[PeerError]) -> None:
    with pytest.raises(error):
        TAKEN.receive(sealed_package(package))


def test_the_package_is_checked() -> None:
    """USR-21."""
    right = package_of((*ALICE.lists, LIST))
    assert TAKEN.receive(sealed_package(right)).payload == PAYLOAD
    refused_package(replace(right, payload=LinkingPayload(b"other seeds")), InvalidSignature)
    refused_package(replace(right, signature=bytes(3373)), InvalidSignature)
    refused_package(package_of((*ALICE.lists, LIST), signer=1), InvalidSignature)
    refused_package(package_of(ALICE.lists), LinkingRefused)
    refused_package(package_of(ALICE.lists[:1]), LinkingRefused)
    refused_package(package_of(ALICE.lists[1:]), InvalidDeviceList)
    refused_package(package_of((*ALICE.lists, replace(LIST, proofs=()))), InvalidDeviceList)
    refused_package(
        package_of((*ALICE.lists, replace(LIST, signature=ALICE.lists[1].signature))), InvalidSignature
    )
    refused_package(package_of((*ALICE.lists, ALICE.make(1, new_key=True))), LinkingRefused)
    refused_package(package_of(Owner("mallory").lists), LinkingRefused)
    refused_package(package_of(()), MalformedMessage)


def test_another_users_chain_is_refused() -> None:
    """The digits covered Alice's offer; a package of Mallory's, who knows the code, does not fit."""
    mallory = Owner("mallory")
    listed = OFFERED.offer.snapshot.devices[-1]
    snapshot = next_snapshot(mallory.lists[0], mallory.user_id, NOON, add=(listed,))
    proof = prove_possession(snapshot, NEW_ID, SHOWN.keys.identity, SHOWN.keys.signing, bytes(64))
    chain = (*mallory.lists, mallory.sign(snapshot, 1, (proof,)))
    assert ListChain.verify(chain).version == 2
    refused_package(package_of(chain), LinkingRefused)


def test_changed_and_foreign_packages_do_not_open() -> None:
    for at in range(0, len(PACKAGE), 997):
        with pytest.raises(AuthenticationFailed):
            TAKEN.receive(flipped(PACKAGE, at))
    again = SHOWN.receive(OFFERED.sealed, NOON, entropy_of("another nonce of the proof"))
    with pytest.raises(AuthenticationFailed):  # the package is bound to the answer
        again.receive(PACKAGE)
    with pytest.raises(AuthenticationFailed):
        TAKEN.receive(OFFERED.sealed)


def test_a_package_of_too_many_bytes_is_not_made() -> None:
    with pytest.raises(UsageError, match="send less"):
        ANSWERED.confirm(2, ALICE.keys(2).signing, bytes(16 * 1024 * 1024), NOON)


# --- encodings --------------------------------------------------------------------------------------------

DECODERS: Final[dict[str, tuple[Callable[[bytes], object], bytes]]] = {
    "bundle": (LinkingBundle.decode, SHOWN.bundle),
    "code": (LinkingCode.decode, SHOWN.code.encode()),
    "offer": (LinkingOffer.decode, OFFERED.offer.encode()),
    "answer": (LinkingAnswer.decode, TAKEN.answer),
    "package": (LinkingPackage.decode, package_of((*ALICE.lists, LIST)).encode()),
}


@pytest.mark.parametrize("name", DECODERS)
def test_another_shape_is_refused(name: str) -> None:
    decode, data = DECODERS[name]
    decode(data)
    elements = cbor2.loads(data)
    wrong_values: list[object] = [None, True, 1.5, -1, 2**32, [1], {}, b"\0", "\u00f8" * 128]
    for at in range(1, len(elements)):
        for wrong in wrong_values:
            if (name, at, wrong) == ("package", 3, b"\0"):
                continue  # a payload is any bytes
            with pytest.raises((MalformedMessage, InvalidKey)):
                decode(cbor2.dumps([*elements[:at], wrong, *elements[at + 1 :]]))
    with pytest.raises(UnsupportedVersion):
        decode(cbor2.dumps([2, *elements[1:]]))
    for wrong_bytes in (
        data[:-1],
        data + b"\0",
        b"",
        cbor2.dumps(elements[:-1]),
        cbor2.dumps([*elements, 1]),
    ):
        with pytest.raises(MalformedMessage):
            decode(wrong_bytes)


@pytest.mark.parametrize("name", DECODERS)
def test_each_kind_is_refused_as_every_other(name: str) -> None:
    for other, (decode, _) in DECODERS.items():
        if other != name:
            with pytest.raises(MalformedMessage):
                decode(DECODERS[name][1])


@pytest.mark.parametrize("at", [2, 3, 5])
def test_a_bundle_with_a_key_that_is_none_is_refused(at: int) -> None:
    elements = cbor2.loads(SHOWN.bundle)
    bad = b"\xff" * len(elements[at])
    with pytest.raises(InvalidKey):
        LinkingBundle.decode(cbor2.dumps([*elements[:at], bad, *elements[at + 1 :]]))
