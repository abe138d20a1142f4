"""What two devices of one person exchange so that one of them adds the other to the device list.

    bundle  = [1, 10, IK, Ed25519 key, ML-DSA key, X-Wing key, SHA-256(nonce)]           new device, in clear
    code    = [1, 11, SHA-256(bundle), secret, expires, place]                           new device, shown
    offer   = [1, 12, snapshot, id]                                                      old device, sealed
    answer  = [1, 13, id, ML-DSA key, identity signature, signature, nonce]              new device, in clear
    package = [1, 14, [list ...], payload, signature]                                    old device, sealed

The code travels over a screen and a camera, or is typed; everything else over any channel.

Not here: sealing, and what each side checks (user/).
"""

import base64
import hashlib
from dataclasses import dataclass

from letterlock._primitives import composite, mldsa
from letterlock._primitives.composite import DeviceSigningKey
from letterlock._primitives.curve25519 import SIGNATURE_BYTES, IdentityKey
from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.mldsa import MlDsa65PublicKey
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock._primitives.xwing import XWingPublicKey
from letterlock._wire import cbor, qr
from letterlock._wire.device_list import DeviceList, DeviceProof
from letterlock._wire.device_snapshot import HASH_BYTES, Snapshot
from letterlock._wire.user_envelope import UserKind, read_user_envelope
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import (
    MAX_COUNTER,
    MAX_DEVICE_LIST,
    MAX_EVIDENCE_LISTS,
    MAX_ID,
    MAX_LINKING_CODE,
    MAX_LINKING_PACKAGE,
    MAX_PLACE_BYTES,
    MAX_SNAPSHOT,
    PROTOCOL_VERSION,
)

_CHECKSUM_BYTES = 4
_GROUP = 5


class LinkingSecret(Secret):
    """32 random bytes that only the two devices know, for one linking."""

    __slots__ = ()


class LinkingNonce(Secret):
    """32 random bytes that the new device reveals once it has the offer."""

    __slots__ = ()

    @property
    def commitment(self) -> bytes:
        """The 32-byte hash that binds the new device to the nonce before it reveals it."""
        return hashlib.sha256(self.expose()).digest()


class LinkingPayload(Secret):
    """What a new device is given: any bytes."""

    __slots__ = ()
    LENGTH = None


@dataclass(frozen=True, slots=True)
class LinkingBundle:
    """The public keys of a new device, and the hash of its nonce. About 3.3 KiB encoded."""

    identity: IdentityKey
    signing: DeviceSigningKey
    receiving: XWingPublicKey
    commitment: bytes

    def encode(self) -> bytes:
        """Return the bundle as bytes."""
        keys = [self.identity.data, self.signing.ed25519.data, self.signing.ml_dsa.data, self.receiving.data]
        return cbor.encode([PROTOCOL_VERSION, int(UserKind.LINKING_BUNDLE), *keys, self.commitment])

    @classmethod
    def decode(cls, data: bytes) -> "LinkingBundle":
        """Read what `encode` gives. Raises MalformedMessage, UnsupportedVersion, InvalidKey."""
        fields = read_user_envelope(data, UserKind.LINKING_BUNDLE)
        identity = IdentityKey(fields.blob("identity key", KEY_BYTES))
        edwards = Ed25519PublicKey(fields.blob("ed25519 key", KEY_BYTES))
        ml_dsa = MlDsa65PublicKey(fields.blob("ml-dsa key", mldsa.PUBLIC_BYTES))
        receiving = XWingPublicKey(fields.blob("x-wing key", XWingPublicKey.LENGTH))
        signing = DeviceSigningKey(ml_dsa, edwards)
        return cls(identity, signing, receiving, fields.blob("nonce hash", HASH_BYTES))


@dataclass(frozen=True, slots=True, repr=False)
class LinkingCode(Uncopyable):
    """What a new device shows, as a QR code or as text. Whoever sees it may try to interfere.

    `bundle_hash` has 32 bytes. `expires` is in seconds since 1970. `place` says in the application's own
    words where the two devices meet: at most 255 bytes of UTF-8.
    """

    bundle_hash: bytes
    secret: LinkingSecret
    expires: int
    place: str

    def encode(self) -> bytes:
        """Return the code as bytes, at most 350. Raises UsageError for a longer place."""
        if len(self.place.encode()) > MAX_PLACE_BYTES:
            raise UsageError(f"a meeting place has at most {MAX_PLACE_BYTES} bytes")
        head: list[cbor.Value] = [PROTOCOL_VERSION, int(UserKind.LINKING_CODE), self.bundle_hash]
        return cbor.encode([*head, self.secret.expose(), self.expires, self.place])

    @classmethod
    def decode(cls, data: bytes) -> "LinkingCode":
        """Read what `encode` gives. Raises MalformedMessage, UnsupportedVersion."""
        fields = read_user_envelope(data, UserKind.LINKING_CODE)
        bundle_hash = fields.blob("hash", HASH_BYTES)
        secret = LinkingSecret(fields.blob("secret", KEY_BYTES))
        expires, place = fields.uint("expiry", MAX_COUNTER), fields.text("place")
        if len(place.encode()) > MAX_PLACE_BYTES:
            raise fields.wrong("place", f"a text of at most {MAX_PLACE_BYTES} bytes")
        return cls(bundle_hash, secret, expires, place)

    def text(self) -> str:
        """Return the code for typing: groups of five letters and digits, with a checksum at the end."""
        data = self.encode()
        letters = base64.b32encode(data + _checksum(data)).decode().rstrip("=")
        return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))

    def qr_svg(self) -> str:
        """Return the code's QR code as an `<svg>` element. Raises UsageError if segno is not installed."""
        return qr.svg(self._letters())

    def qr_terminal(self) -> str:
        """Return the code's QR code as lines for a terminal, of 41 columns or more.

        Raises UsageError if segno is not installed.
        """
        return qr.terminal(self._letters())

    def _letters(self) -> str:
        return self.text().replace("-", "")

    @classmethod
    def from_text(cls, text: str) -> "LinkingCode":
        """Read what `text` gives, or what a camera read from the QR code.

        Case, spaces and hyphens do not matter, and 0, 1 and 8 are read as O, I and B.

        Raises MalformedMessage, also for a mistyped code, and UnsupportedVersion.
        """
        letters = "".join(text.split()).replace("-", "").upper().translate(_LOOK_ALIKES)
        if len(letters) > 2 * MAX_LINKING_CODE:
            raise MalformedMessage("the code is too long: it is not a linking code")
        data = _base32(letters)
        if data is None or _checksum(data[:-_CHECKSUM_BYTES]) != data[-_CHECKSUM_BYTES:]:
            raise MalformedMessage("the code is mistyped: compare it with the other screen")
        return cls.decode(data[:-_CHECKSUM_BYTES])


@dataclass(frozen=True, slots=True)
class LinkingOffer:
    """The snapshot that will add the new device, and the id that it has there."""

    snapshot: Snapshot
    device_id: int

    def encode(self) -> bytes:
        """Return the offer as bytes, to be sealed."""
        head: list[cbor.Value] = [PROTOCOL_VERSION, int(UserKind.LINKING_OFFER)]
        return cbor.encode([*head, self.snapshot.encode(), self.device_id])

    @classmethod
    def decode(cls, data: bytes) -> "LinkingOffer":
        """Read what `encode` gives. Raises MalformedMessage, UnsupportedVersion, InvalidKey."""
        fields = read_user_envelope(data, UserKind.LINKING_OFFER)
        snapshot = Snapshot.decode(fields.blob_between("snapshot", 1, MAX_SNAPSHOT))
        return cls(snapshot, fields.uint_between("id", 1, MAX_ID))


@dataclass(frozen=True, slots=True, repr=False)
class LinkingAnswer(Uncopyable):
    """The new device's proof for the offered snapshot, and its nonce."""

    proof: DeviceProof
    nonce: LinkingNonce

    def encode(self) -> bytes:
        """Return the answer as bytes."""
        proof = self.proof
        signatures: list[cbor.Value] = [proof.ml_dsa, proof.identity_signature, proof.signature]
        head: list[cbor.Value] = [PROTOCOL_VERSION, int(UserKind.LINKING_ANSWER), proof.device_id]
        return cbor.encode([*head, *signatures, self.nonce.expose()])

    @classmethod
    def decode(cls, data: bytes) -> "LinkingAnswer":
        """Read what `encode` gives. Raises MalformedMessage, UnsupportedVersion."""
        fields = read_user_envelope(data, UserKind.LINKING_ANSWER)
        proof = DeviceProof(
            fields.uint_between("id", 1, MAX_ID),
            fields.blob("ml-dsa key", mldsa.PUBLIC_BYTES),
            fields.blob("identity signature", SIGNATURE_BYTES),
            fields.blob("signature", composite.SIGNATURE_BYTES),
        )
        return cls(proof, LinkingNonce(fields.blob("nonce", KEY_BYTES)))


@dataclass(frozen=True, slots=True, repr=False)
class LinkingPackage(Uncopyable):
    """All device lists, with the new device in the last one, and what it is given; `signature` covers it."""

    lists: tuple[DeviceList, ...]
    payload: LinkingPayload
    signature: bytes

    def encode(self) -> bytes:
        """Return the package as bytes, to be sealed. Raises UsageError if they exceed 16 MiB."""
        head: list[cbor.Value] = [PROTOCOL_VERSION, int(UserKind.LINKING_PACKAGE)]
        lists: list[cbor.Value] = [each.encode() for each in self.lists]
        data = cbor.encode([*head, lists, self.payload.expose(), self.signature])
        if len(data) > MAX_LINKING_PACKAGE or len(lists) > MAX_EVIDENCE_LISTS:
            raise UsageError(f"package of {len(data)} bytes; at most {MAX_LINKING_PACKAGE}: send less")
        return data

    @classmethod
    def decode(cls, data: bytes) -> "LinkingPackage":
        """Read what `encode` gives. Raises MalformedMessage, UnsupportedVersion, InvalidKey."""
        fields = read_user_envelope(data, UserKind.LINKING_PACKAGE)
        lists = tuple(map(_list, fields.array("lists", MAX_EVIDENCE_LISTS)))
        if not lists:
            raise fields.wrong("lists", "the device lists from version 1 on")
        payload = LinkingPayload(fields.blob_between("payload", 0, MAX_LINKING_PACKAGE))
        return cls(lists, payload, fields.blob("signature", composite.SIGNATURE_BYTES))


_LOOK_ALIKES = str.maketrans("018", "OIB")


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:_CHECKSUM_BYTES]


def _base32(letters: str) -> bytes | None:
    try:
        return base64.b32decode(letters + "=" * (-len(letters) % 8))
    except ValueError:
        return None


def _list(item: object) -> DeviceList:
    if type(item) is not bytes or len(item) > MAX_DEVICE_LIST:
        raise MalformedMessage(f"a list of a package is not a byte string of at most {MAX_DEVICE_LIST} bytes")
    return DeviceList.decode(item)
