"""Signatures of device lists: the signer's, and each added device's proof that it holds its keys.

    signature             Composite(signer's key, snapshot, "letterlock-v1 list signature")         [USR-15]
    proof, signature      Composite(added device's key, snapshot, "letterlock-v1 device proof")     [USR-14]
    proof, identity       XEdDSA(its IK, "letterlock-v1 device proof" || hash of the snapshot)      [USR-14]

The identity key signs too. Otherwise somebody could list another person's identity key as a device of theirs,
and would seem to have written what that person writes.

Not here: the rules that cost no signature check (_rules.py).
"""

import hashlib
from functools import lru_cache

from letterlock._primitives import xeddsa
from letterlock._primitives.composite import DeviceSigningKey, DeviceSigningKeyPair
from letterlock._primitives.curve25519 import IdentityKey, IdentityKeyPair
from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.labels import DEVICE_PROOF, LIST_SIGNATURE
from letterlock._primitives.mldsa import MlDsa65PublicKey
from letterlock._wire.device_list import DeviceList, DeviceProof
from letterlock._wire.device_snapshot import ListedDevice, Snapshot, snapshot_hash
from letterlock.user._errors import InvalidDeviceList
from letterlock.user._rules import added_devices


def listed_device(
    device_id: int, identity: IdentityKey, signing: DeviceSigningKey, device_class: int, added: int
) -> ListedDevice:
    """Return a device as a snapshot lists it."""
    ml_dsa_hash = hashlib.sha256(signing.ml_dsa.data).digest()
    return ListedDevice(device_id, identity, signing.ed25519.data, ml_dsa_hash, device_class, added)


def sign_snapshot(
    snapshot: Snapshot, signer_id: int, signing: DeviceSigningKeyPair, proofs: tuple[DeviceProof, ...] = ()
) -> DeviceList:
    """Return the device list that `signer_id` makes of a snapshot."""
    signature = signing.sign(snapshot.encode(), LIST_SIGNATURE)
    return DeviceList(snapshot, proofs, signer_id, signing.public.ml_dsa.data, signature)


def prove_possession(
    snapshot: Snapshot,
    device_id: int,
    identity: IdentityKeyPair,
    signing: DeviceSigningKeyPair,
    nonce: bytes,
) -> DeviceProof:
    """Return the proof of a device that the snapshot adds. `nonce` is 64 fresh random bytes."""
    encoded = snapshot.encode()
    return DeviceProof(
        device_id,
        signing.public.ml_dsa.data,
        xeddsa.sign(identity, DEVICE_PROOF + snapshot_hash(encoded), nonce),
        signing.sign(encoded, DEVICE_PROOF),
    )


def verify_signatures(device_list: DeviceList, signer: ListedDevice) -> None:
    """Check the signature of the signer and the proofs of all added devices, and that there are no others.

    Raises InvalidDeviceList, InvalidSignature, InvalidKey.
    """
    added = added_devices(device_list.snapshot)
    proofs = device_list.proofs
    if [each.device_id for each in proofs] != [each.id for each in added]:  # USR-14
        raise InvalidDeviceList("the proofs are not those of the added devices, in their order: discard it")
    # USR-15
    verify_by(signer, device_list.ml_dsa, device_list.encoded_snapshot, device_list.signature, LIST_SIGNATURE)
    for proof, device in zip(proofs, added, strict=True):
        verify_proof(proof, device, device_list.encoded_snapshot)


def verify_proof(proof: DeviceProof, device: ListedDevice, snapshot: bytes) -> None:
    """Check the proof of an added device over the bytes of a snapshot. [USR-14]

    Raises InvalidDeviceList, InvalidSignature, InvalidKey.
    """
    _check_ml_dsa(device, proof.ml_dsa)
    xeddsa.verify(device.identity, DEVICE_PROOF + snapshot_hash(snapshot), proof.identity_signature)
    verify_by(device, proof.ml_dsa, snapshot, proof.signature, DEVICE_PROOF)


def verify_by(device: ListedDevice, ml_dsa: bytes, message: bytes, signature: bytes, context: bytes) -> None:
    """Check what a listed device signed. `ml_dsa` is the key of which the list holds the hash.

    Raises InvalidDeviceList for another key, InvalidSignature, InvalidKey.
    """
    _check_ml_dsa(device, ml_dsa)
    key = DeviceSigningKey(MlDsa65PublicKey(ml_dsa), _ed25519_key(device.ed25519))
    key.verify(message, signature, context)


def _check_ml_dsa(device: ListedDevice, ml_dsa: bytes) -> None:
    if hashlib.sha256(ml_dsa).digest() != device.ml_dsa_hash:
        raise InvalidDeviceList(f"the ml-dsa key is not the one listed for device {device.id}: discard it")


@lru_cache(maxsize=64)
def _ed25519_key(data: bytes) -> Ed25519PublicKey:
    # Cached because the check of the point costs as much as a verification, and a chain has few signers.
    return Ed25519PublicKey(data)
