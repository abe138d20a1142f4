"""A device list: a snapshot of a user's devices, and the signatures that make it one of the user's.

    device list = [1, 8, snapshot, [proof ...], signer id, ML-DSA key, signature]
    proof       = [id, ML-DSA key, identity signature, signature]

The snapshot is a byte string here, so that what is signed and what was parsed are the same bytes. A proof
shows that a device which this version adds holds its three private keys.

Not here: verifying (user/); the snapshot (device_snapshot.py).
"""

from dataclasses import dataclass, field

from letterlock._primitives import composite, mldsa
from letterlock._primitives.curve25519 import SIGNATURE_BYTES
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import Snapshot, snapshot_hash
from letterlock._wire.fields import Fields
from letterlock._wire.user_envelope import UserKind, read_user_envelope
from letterlock.limits import MAX_DEVICES, MAX_ID, MAX_SNAPSHOT, PROTOCOL_VERSION


@dataclass(frozen=True, slots=True)
class DeviceProof:
    """An added device's own signatures of the snapshot, with both kinds of its keys.

    `ml_dsa` is its ML-DSA key, 1,952 bytes; `identity_signature` has 64 bytes, `signature` 3,373.
    """

    device_id: int
    ml_dsa: bytes
    identity_signature: bytes
    signature: bytes

    def fields(self) -> cbor.Value:
        """Return the proof as it stands inside an encoding."""
        return [self.device_id, self.ml_dsa, self.identity_signature, self.signature]


@dataclass(frozen=True, slots=True)
class DeviceList:
    """One version of a user's device list, as it travels. Nothing in it was verified yet.

    `ml_dsa`, 1,952 bytes, and `signature`, 3,373 bytes, are those of the device `signer`, which the version
    before lists. Encoded, it has 7 KiB and 5 KiB more for each
    device that it adds. `ListChain` verifies it.
    """

    snapshot: Snapshot
    proofs: tuple[DeviceProof, ...]
    signer: int
    ml_dsa: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    encoded_snapshot: bytes = field(init=False, repr=False, compare=False)
    hash: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _keep_bytes(self, self.snapshot.encode())

    def encode(self) -> bytes:
        """Return the device list as bytes, at most 192 KiB."""
        return cbor.encode(
            [
                PROTOCOL_VERSION,
                int(UserKind.DEVICE_LIST),
                self.encoded_snapshot,
                [each.fields() for each in self.proofs],
                self.signer,
                self.ml_dsa,
                self.signature,
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> "DeviceList":
        """Read a device list. Raises MalformedMessage, UnsupportedVersion, InvalidKey."""
        fields = read_user_envelope(data, UserKind.DEVICE_LIST)
        encoded = fields.blob_between("snapshot", 1, MAX_SNAPSHOT)
        made = cls.__new__(cls)  # without `__init__`, which would encode the snapshot again
        for name, value in (
            ("snapshot", Snapshot.decode(encoded)),
            ("proofs", tuple(map(_proof, fields.array("proofs", MAX_DEVICES)))),
            ("signer", fields.uint_between("signer id", 1, MAX_ID)),
            ("ml_dsa", fields.blob("ml-dsa key", mldsa.PUBLIC_BYTES)),
            ("signature", fields.blob("signature", composite.SIGNATURE_BYTES)),
        ):
            object.__setattr__(made, name, value)
        _keep_bytes(made, encoded)
        return made


def _keep_bytes(made: DeviceList, encoded: bytes) -> None:
    object.__setattr__(made, "encoded_snapshot", encoded)
    object.__setattr__(made, "hash", snapshot_hash(encoded))


def _proof(value: object) -> DeviceProof:
    fields = Fields(value, 4, "a proof")
    return DeviceProof(
        fields.uint_between("id", 1, MAX_ID),
        fields.blob("ml-dsa key", mldsa.PUBLIC_BYTES),
        fields.blob("identity signature", SIGNATURE_BYTES),
        fields.blob("signature", composite.SIGNATURE_BYTES),
    )
