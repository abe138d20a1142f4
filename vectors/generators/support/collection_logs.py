"""Logs of collections written by hand from spec/collections.md.

    log = Log()
    log.add(ALICE, 1, [member(ALICE, 3), member(BOB, 2)], opening=opening(1))
    log.given()                     the input of log.follow

Not here: what a rule says (families/collections/).
"""

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, Self

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from generators.support.document_signers import Signer, signed_leaves
from generators.support.encoding import Value, encode
from generators.support.family import Json
from generators.support.labels import draw
from generators.support.sealed_documents import ISSUED

LABEL: Final = "letterlock-v1 collection entry"
CREATE, ADD, REMOVE, LEAVE, ROLE, RENAME, RENEW, CLOSE = range(1, 9)
READER, WRITER, ADMIN = 1, 2, 3


def epoch_key(epoch: int, label: str = "") -> bytes:
    """Return the key of an epoch."""
    return draw(f"epoch key {epoch}{label}", 32)


def history_key(epoch: int, label: str = "") -> bytes:
    """Return the history key of an epoch."""
    return draw(f"history key {epoch}{label}", 32)


def commitments(epoch: int, label: str = "") -> tuple[bytes, bytes]:
    """Return C_E and C_H."""
    number = epoch.to_bytes(4, "big")
    return (
        _mac(epoch_key(epoch, label), b"letterlock-v1 epoch key commitment" + number),
        _mac(history_key(epoch, label), b"letterlock-v1 history key commitment" + number),
    )


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def derived(key: bytes, label: bytes) -> bytes:
    """Return HKDF with an empty salt, 32 bytes."""
    return HKDF(SHA256(), 32, b"", label).derive(key)


def sealed_keys(epoch: int, earlier: int, text: bytes | None = None) -> bytes:
    """Return the keys of an earlier epoch, sealed under the history key of this one."""
    context = epoch.to_bytes(4, "big") + earlier.to_bytes(4, "big") + commitments(earlier)[0]
    both = epoch_key(earlier) + history_key(earlier) if text is None else text
    key = derived(history_key(epoch), b"letterlock-v1 epoch link")
    return ChaCha20Poly1305(key).encrypt(bytes(12), both, context)


def padded_name(name: bytes) -> bytes:
    """Return a name with its length in front and zeros behind, 256 bytes."""
    return (bytes([len(name)]) + name).ljust(256, b"\0")


def sealed_name(epoch: int, padded: bytes) -> bytes:
    """Return a name sealed under the key of an epoch."""
    nonce = draw(f"nonce of a name {epoch} {padded.hex()}", 12)
    key = derived(epoch_key(epoch), b"letterlock-v1 collection name")
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, padded, epoch.to_bytes(4, "big"))


def opening(epoch: int, label: str = "", **changes: Value) -> list[Value]:
    """Return the opening of an epoch, with a link to the one before."""
    link: Value = [epoch - 1, sealed_keys(epoch, epoch - 1)] if epoch > 1 else None
    usual: dict[str, Value] = {
        "commitment": commitments(epoch, label)[0], "history": commitments(epoch, label)[1], "link": link,
        "name": sealed_name(epoch, padded_name(b"team")), "renewed": [],
    }  # fmt: skip
    return list((usual | changes).values())


def user(signer: Signer) -> list[Value]:
    """Return the name of a user that is a member."""
    return [1, signer.user_id]


def member(signer: Signer, role: int, since: int = 0, generation: int = 1) -> list[Value]:
    """Return a user as a new member."""
    return [*user(signer), role, since, generation]


def in_order(*members: list[Value]) -> list[Value]:
    """Return changes in ascending order of kind and id."""
    return sorted(members, key=lambda each: (each[0], each[1]))  # type: ignore[arg-type, return-value]


@dataclass(frozen=True)
class Entry:
    """An entry of a log."""

    signer: Signer
    action: Value
    changes: Value
    number: Value
    collection: Value
    before: Value
    epoch: Value
    opening: Value = None
    issued: Value = ISSUED
    label: Value = LABEL
    kind: int = 20

    def terms(self) -> bytes:
        """Return the encoded terms."""
        return encode(
            [
                self.label, self.number, self.collection, self.before, self.issued, self.action, self.changes,
                self.epoch, self.opening,
            ]
        )  # fmt: skip

    def hash(self) -> bytes:
        """Return the hash that names the entry."""
        return hashlib.sha256(encode(self.signer.fields()) + self.terms()).digest()

    def leaf(self) -> bytes:
        """Return what is signed."""
        label = self.label if isinstance(self.label, str) else LABEL
        return label.encode() + hashlib.sha256(self.terms()).digest()

    def with_(self, **changes: Any) -> "Entry":
        """Return another entry."""
        return replace(self, **changes)

    def encode(
        self, signer: Signer | None = None, *, leaf: bytes | None = None, beside: bytes | None = None
    ) -> bytes:
        """Return the entry, signed."""
        leaves = [self.leaf() if leaf is None else leaf, *([] if beside is None else [beside])]
        places, by = signed_leaves(signer or self.signer, leaves)
        return encode([1, self.kind, self.terms(), places[0], by])

    def given(self) -> Json:
        """Return the entry as log.follow takes it."""
        signer = self.signer
        named = {
            "user_id": signer.user_id.hex(), "device_id": signer.device, "version": signer.version,
            "hash": signer.list_hash.hex(),
        }  # fmt: skip
        return {"terms": self.terms().hex(), "signer": named}


@dataclass
class Log:
    """Entries that follow each other."""

    entries: list[Entry] = field(default_factory=list)

    kept: ClassVar[dict[str, Any]] = {}
    """What every entry has."""

    def opening(self, epoch: int) -> list[Value]:
        """Return the usual opening of an epoch."""
        return opening(epoch)

    @property
    def id(self) -> bytes:
        """The collection id."""
        return self.entries[0].hash()[:16]

    @property
    def epoch(self) -> int:
        """The epoch of the newest entry."""
        epoch = self.entries[-1].epoch if self.entries else 0
        assert isinstance(epoch, int)
        return epoch

    def next(self, signer: Signer, action: int, changes: list[Value] | None = None, **more: Any) -> Entry:
        """Return the entry that would follow, with an opening if its action needs one."""
        opens = action in {CREATE, REMOVE, RENEW}
        epoch = self.epoch + opens
        usual: dict[str, Any] = {
            "number": len(self.entries) + 1,
            "collection": self.id if self.entries else None,
            "before": self.entries[-1].hash() if self.entries else None,
            "epoch": epoch,
            "opening": self.opening(epoch) if opens else None,
        }
        return Entry(signer, action, changes or [], **(usual | self.kept | more))

    def add(self, signer: Signer, action: int, changes: list[Value] | None = None, **more: Any) -> Self:
        """Return the log with one entry more."""
        return self.with_(self.next(signer, action, changes, **more))

    def with_(self, entry: Entry) -> Self:
        """Return the log with this entry behind it."""
        return type(self)([*self.entries, entry])

    def given(self) -> Json:
        """Return the input of log.follow."""
        return {"entries": [each.given() for each in self.entries]}

    def signed(self) -> list[bytes]:
        """Return the entries, each signed by its author."""
        return [each.encode() for each in self.entries]
