"""Signatures and proofs of device lists: each is checked, and none fits another list, device or user.

USR-14 and USR-15.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from letterlock._primitives import xeddsa
from letterlock._primitives.composite import CompositePublicKey
from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.labels import BUNDLE_SIGNATURE, DEVICE_PROOF, LIST_SIGNATURE
from letterlock._wire.device_list import DeviceList, DeviceProof
from letterlock._wire.device_snapshot import Snapshot
from letterlock.errors import InvalidKey, InvalidSignature, PeerError
from letterlock.user import InvalidDeviceList, ListChain
from letterlock.user._signatures import _ed25519_key, sign_snapshot
from support.pair import flipped
from support.user_tools import FULL, LIMITED, Owner, keys, material


def owner_of(name: str = "signer") -> Owner:
    owner = Owner(name)
    owner.next(add=[(2, FULL)])
    return owner


OWNER: Final = owner_of()
NEW: Final = OWNER.make(1, add=[(3, FULL), (4, LIMITED)])
MALLORY: Final = keys("mallory's device")


def proofs(*changes: DeviceProof) -> tuple[DeviceProof, ...]:
    """Return the proofs of NEW, with these in place of those for the same devices."""
    changed = {each.device_id: each for each in changes}
    return tuple(changed.get(each.device_id, each) for each in NEW.proofs)


def of(device_id: int, **fields: Any) -> DeviceProof:
    [found] = [each for each in NEW.proofs if each.device_id == device_id]
    return replace(found, **fields)


def test_the_list_verifies() -> None:
    assert OWNER.chain.extended((NEW,)).version == 3
    assert [each.device_id for each in NEW.proofs] == [3, 4]


other = OWNER.make(2, add=[(3, FULL), (4, LIMITED)], new_key=True)
as_proof = OWNER.keys(1).signing.sign(NEW.encoded_snapshot, DEVICE_PROOF)
as_list = OWNER.keys(3).signing.sign(NEW.encoded_snapshot, LIST_SIGNATURE)
of_bundles = xeddsa.sign(OWNER.keys(3).identity, BUNDLE_SIGNATURE + NEW.hash, material("n", 64))

WRONG: Final[dict[str, tuple[DeviceList, type[PeerError]]]] = {
    "signature of another list": (replace(NEW, signature=other.signature), InvalidSignature),
    "signature by another device": (
        replace(sign_snapshot(NEW.snapshot, 1, OWNER.keys(2).signing, NEW.proofs), ml_dsa=NEW.ml_dsa),
        InvalidSignature,
    ),
    "another device with its own key": (
        sign_snapshot(NEW.snapshot, 1, OWNER.keys(2).signing, NEW.proofs), InvalidDeviceList,
    ),
    "another signer's id": (replace(NEW, signer=2), InvalidDeviceList),
    "a stranger": (sign_snapshot(NEW.snapshot, 1, MALLORY.signing, NEW.proofs), InvalidDeviceList),
    "the proof's context": (replace(NEW, signature=as_proof), InvalidSignature),
    "the signature's ml-dsa half of a stranger": (
        replace(NEW, signature=MALLORY.signing.sign(NEW.encoded_snapshot, LIST_SIGNATURE)[:3309]
                + NEW.signature[3309:]), InvalidSignature,
    ),
    "the signature's ed25519 half of a stranger": (
        replace(NEW, signature=NEW.signature[:3309]
                + MALLORY.signing.sign(NEW.encoded_snapshot, LIST_SIGNATURE)[3309:]), InvalidSignature,
    ),
    "another snapshot under the signature": (
        replace(NEW, snapshot=replace(NEW.snapshot, issued=NEW.snapshot.issued + 1)), InvalidSignature,
    ),
    "no proofs": (replace(NEW, proofs=()), InvalidDeviceList),
    "a proof missing": (replace(NEW, proofs=NEW.proofs[:1]), InvalidDeviceList),
    "proofs in another order": (replace(NEW, proofs=NEW.proofs[::-1]), InvalidDeviceList),
    "a proof twice": (replace(NEW, proofs=(*NEW.proofs, NEW.proofs[1])), InvalidDeviceList),
    "a proof of a device that is not added": (
        replace(NEW, proofs=(OWNER.keys(2).prove(NEW.snapshot, 2), *NEW.proofs)), InvalidDeviceList,
    ),
    "proofs of two devices exchanged": (
        replace(NEW, proofs=(replace(NEW.proofs[1], device_id=3), replace(NEW.proofs[0], device_id=4))),
        InvalidDeviceList,
    ),
    "a proof of another list": (replace(NEW, proofs=other.proofs), InvalidSignature),
    "a proof with another ml-dsa key": (
        replace(NEW, proofs=proofs(of(3, ml_dsa=MALLORY.signing.public.ml_dsa.data))), InvalidDeviceList,
    ),
    "a proof signed as a list": (replace(NEW, proofs=proofs(of(3, signature=as_list))), InvalidSignature),
    "a proof by the signer": (
        replace(NEW, proofs=proofs(of(3, signature=as_proof))), InvalidSignature,
    ),
    "an identity signature under another label": (
        replace(NEW, proofs=proofs(of(3, identity_signature=of_bundles))), InvalidSignature,
    ),
    "an identity signature by another key": (
        replace(NEW, proofs=proofs(of(3, identity_signature=NEW.proofs[1].identity_signature))),
        InvalidSignature,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_it_is_refused(name: str) -> None:
    new, error = WRONG[name]
    chain = OWNER.chain
    with pytest.raises(error):
        chain.extended((new,))
    with pytest.raises(error):
        chain.extended((DeviceList.decode(new.encode()),))


def test_the_first_version_is_signed_and_proved_too() -> None:
    first = OWNER.lists[0]
    for wrong, error in (
        (replace(first, proofs=()), InvalidDeviceList),
        (replace(first, signature=NEW.signature), InvalidSignature),
        (sign_snapshot(first.snapshot, 1, MALLORY.signing, first.proofs), InvalidDeviceList),
    ):
        with pytest.raises(error):
            ListChain.verify([wrong])


# --- keys of other people ---------------------------------------------------------------------------------


def lists_with(change: Callable[[Snapshot], Snapshot], device: Any) -> DeviceList:
    """Return a list of Mallory's that adds device 2, changed, with the proof that `device` makes."""
    mallory = Owner("mallory")
    snapshot = change(mallory.draft(add=[(2, FULL)]))
    return mallory.sign(snapshot, 1, (device.prove(snapshot, 2),))


class Mixed:
    """A device with the identity key of one person and the signing key of another."""

    def __init__(self, identity: Any, signing: Any) -> None:
        self.identity, self.signing = identity, signing

    prove = type(MALLORY).prove
    label = "mixed"


def test_nobody_lists_a_device_of_somebody_else() -> None:
    """Mallory has no private key of Bob's, so she signs the proof with keys of her own."""
    bob = keys("bob 1")

    def whole(snapshot: Snapshot) -> Snapshot:
        listed = replace(bob.listed(2), added=2)
        return replace(snapshot, devices=(snapshot.devices[0], listed))

    def identity_only(snapshot: Snapshot) -> Snapshot:
        listed = replace(MALLORY.listed(2), identity=bob.identity.public, added=2)
        return replace(snapshot, devices=(snapshot.devices[0], listed))

    def signing_only(snapshot: Snapshot) -> Snapshot:
        listed = replace(bob.listed(2), identity=MALLORY.identity.public, added=2)
        return replace(snapshot, devices=(snapshot.devices[0], listed))

    chain = Owner("mallory").chain
    for change in (whole, identity_only, signing_only):
        with pytest.raises((InvalidSignature, InvalidDeviceList)):
            chain.extended((lists_with(change, MALLORY),))
    # With Bob's own proof for another list of hers it fails as well.
    bobs = Owner("bob").make(1, add=[(2, FULL)]).proofs
    mallory = Owner("mallory")
    with pytest.raises((InvalidSignature, InvalidDeviceList)):
        chain.extended((mallory.sign(whole(mallory.draft(add=[(2, FULL)])), 1, bobs),))


def test_only_the_identity_key_is_somebody_elses() -> None:
    """The proof's composite signature is right here, and the identity signature alone is wrong."""
    bob = keys("bob 1")
    chain = Owner("mallory").chain

    def change(snapshot: Snapshot) -> Snapshot:
        listed = replace(MALLORY.listed(2), identity=bob.identity.public, added=2)
        return replace(snapshot, devices=(snapshot.devices[0], listed))

    with pytest.raises(InvalidSignature, match="does not verify"):
        chain.extended((lists_with(change, Mixed(MALLORY.identity, MALLORY.signing)),))
    assert chain.extended((lists_with(change, Mixed(bob.identity, MALLORY.signing)),)).version == 2


def test_an_added_device_with_an_ed25519_key_of_low_order_is_refused() -> None:
    """PRIM-12: the key is checked when the proof is."""
    chain = Owner("mallory").chain

    def change(snapshot: Snapshot) -> Snapshot:
        listed = replace(MALLORY.listed(2), ed25519=b"\x01" + bytes(31), added=2)
        return replace(snapshot, devices=(snapshot.devices[0], listed))

    with pytest.raises(InvalidKey, match="prime order"):
        chain.extended((lists_with(change, MALLORY),))


# --- cost -------------------------------------------------------------------------------------------------


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by a word for each signature that is verified."""
    calls: list[str] = []
    composite, identity = CompositePublicKey.verify, xeddsa.verify

    def one(self: CompositePublicKey, *given: bytes) -> None:
        calls.append("composite")
        composite(self, *given)

    def other(*given: Any) -> None:
        calls.append("identity")
        identity(*given)

    monkeypatch.setattr(CompositePublicKey, "verify", one)
    monkeypatch.setattr(xeddsa, "verify", other)
    return calls


def test_a_list_of_32_devices_costs_one_signature_and_one_point(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = Owner("large", [(id_, FULL) for id_ in range(1, 33)])
    chain, new = owner.chain, owner.make(1).encode()
    points: list[bytes] = []
    check = Ed25519PublicKey.__post_init__

    def point(self: Ed25519PublicKey) -> None:
        points.append(self.data)
        check(self)

    monkeypatch.setattr(Ed25519PublicKey, "__post_init__", point)
    _ed25519_key.cache_clear()
    calls = counted(monkeypatch)
    chain.extended((DeviceList.decode(new),))
    assert (calls, len(points)) == (["composite"], 1)


def test_each_added_device_costs_two_more(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = OWNER.chain
    calls = counted(monkeypatch)
    chain.extended((NEW,))
    assert calls == ["composite", *["identity", "composite"] * 2]


def test_a_rule_is_checked_before_any_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    chain, wrong = OWNER.chain, OWNER.make(2, revoke=(1,))
    calls = counted(monkeypatch)
    with pytest.raises(InvalidDeviceList):
        chain.extended((wrong,))
    assert calls == []


def test_a_forged_signature_costs_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = OWNER.chain
    calls = counted(monkeypatch)
    with pytest.raises(InvalidSignature):
        chain.extended((replace(NEW, signature=flipped(NEW.signature, 3372)),))
    assert calls == ["composite"]


def test_an_error_shows_no_key_and_no_signature() -> None:
    for new, error in WRONG.values():
        with pytest.raises(error) as caught:
            OWNER.chain.extended((new,))
        for secret in (NEW.signature, NEW.hash, OWNER.keys(3).identity.public.data):
            assert secret.hex()[:8] not in str(caught.value)
