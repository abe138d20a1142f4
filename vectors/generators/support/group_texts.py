"""Sender chains and texts of groups, written by hand from spec/groups.md.

    writer = Writer("alice")        a device that writes in epochs 1, 2, 3 ...
    writer.chain()                  its chain, as it hands it out before its first text
    writer.said(1, 2)               its text 2 of epoch 1, after its texts 0 and 1

Not here: logs (group_logs.py); what an operation is told (families/groups/).
"""

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from generators.support.encoding import Value, encode, head
from generators.support.family import Json
from generators.support.group_logs import epoch_secret
from generators.support.labels import draw
from generators.support.padding import pad

GROUP: Final = draw("a group", 16)
TEXT_LABEL: Final = b"letterlock-v1 text of a group"
SIGNATURE_LABEL: Final = b"letterlock-v1 signature of a group text"


def opening_hash(epoch: int) -> bytes:
    """Return the hash of the entry that began an epoch."""
    return draw(f"the entry that began epoch {epoch}", 32)


def entry_hash(entry: int) -> bytes:
    """Return the hash of an entry."""
    return draw(f"entry {entry} of a group", 32)


def begun(seed: bytes, secret: bytes, bound: bytes) -> tuple[bytes, bytes]:
    """Return the first chain key in an epoch, and the next seed."""
    both = HKDF(SHA256(), 64, secret, b"letterlock-v1 chain of a group" + bound).derive(seed)
    return both[:32], both[32:]


@cache
def walked(key: bytes, steps: int) -> bytes:
    """Return a chain key after some texts."""
    for _ in range(steps):
        key = hmac.digest(key, b"\2", "sha256")
    return key


@dataclass(frozen=True)
class Writer:
    """A device that writes. Its keys follow from its label."""

    label: str
    device: int = 1
    group: bytes = GROUP
    secrets: dict[int, bytes] = field(default_factory=dict[int, bytes], hash=False)
    """Other secrets than those of the group, by their epochs."""
    openings: dict[int, bytes] = field(default_factory=dict[int, bytes], hash=False)
    """The entries that began epochs, where a log has them."""
    user: bytes = b""
    """The id of its user, if that is not made of the label."""
    begun: int = 1
    """The epoch in which its seed was made."""

    @property
    def user_id(self) -> bytes:
        """The id of its user."""
        return self.user or draw(f"user {self.label}", 32)

    def opening(self, epoch: int) -> bytes:
        """Return the hash of the entry that began an epoch."""
        return self.openings.get(epoch) or opening_hash(epoch)

    def with_(self, **changes: Any) -> "Writer":
        """Return another device."""
        return replace(self, **changes)

    def bound(self, epoch: int) -> bytes:
        """Return what keys of an epoch are bound to."""
        name = self.group + epoch.to_bytes(8, "big") + self.opening(epoch)
        return name + self.user_id + self.device.to_bytes(4, "big")

    def keys(self, epoch: int) -> tuple[bytes, bytes]:
        """Return the first chain key in an epoch, and the seed of the next one."""
        is_first = epoch == self.begun
        seed = draw(f"seed of {self.label} {self.device}", 32) if is_first else self.keys(epoch - 1)[1]
        return begun(seed, self.secrets.get(epoch, epoch_secret(epoch)), self.bound(epoch))

    def message_key(self, epoch: int, number: int) -> bytes:
        """Return the key of a text."""
        return hmac.digest(walked(self.keys(epoch)[0], number), b"\1", "sha256")

    def signing_seed(self, epoch: int) -> bytes:
        """Return the private half of the signing key of an epoch."""
        return draw(f"signing key of {self.label} {self.device} in epoch {epoch}", 32)

    def signing_key(self, epoch: int) -> bytes:
        """Return the public half."""
        pair = Ed25519PrivateKey.from_private_bytes(self.signing_seed(epoch))
        return pair.public_key().public_bytes_raw()

    def chain(
        self, number: int = 0, epoch: int = 1, epochs: int = 16, changes: dict[str, Value] | None = None
    ) -> bytes:
        """Return the chain as it is handed out before a text."""
        key, seed = self.keys(epoch)
        usual: dict[str, Value] = {
            "format": 1, "kind": 29, "group": self.group, "epoch": epoch, "opening": self.opening(epoch),
            "number": number, "before": 0, "key": walked(key, number), "seed": seed,
            "signing": b"".join(self.signing_key(epoch + at) for at in range(epochs)),
        }  # fmt: skip
        return encode(list((usual | (changes or {})).values()))

    def first_head(self, epoch: int) -> bytes:
        """Return the head of a chain without texts."""
        return hashlib.sha256(b"letterlock-v1 head of a group chain" + self.bound(epoch)).digest()

    def head(self, epoch: int, number: int) -> bytes:
        """Return the head before a text that `said` gives."""
        found = self.first_head(epoch)
        for at in range(number):
            found = next_head(found, self.said(epoch, at))
        return found

    def said(self, epoch: int, number: int) -> bytes:
        """Return a text of an epoch, which has the head of those before."""
        return _said(self.label, self.device, epoch, number)

    def text(self, epoch: int, number: int, **changes: Any) -> bytes:
        """Return a text. See Text."""
        return Text(self, epoch, number, **changes).encode()


@cache
def _said(label: str, device: int, epoch: int, number: int) -> bytes:
    writer = Writer(label, device)
    return writer.text(epoch, number, before=writer.head(epoch, number))


def next_head(before: bytes, text: bytes) -> bytes:
    """Return the head after a text."""
    return hashlib.sha256(before + hashlib.sha256(text).digest()).digest()


@dataclass(frozen=True)
class Text:
    """A text, and everything that can be wrong with it."""

    writer: Writer
    epoch: int
    number: int
    entry: Value = 1
    entry_hash: bytes = entry_hash(1)
    before: bytes = bytes(32)
    heard: Value = field(default_factory=list[Value])
    said: bytes | None = None
    content: bytes | None = None
    padding: bytes | None = None
    """The content with its padding."""
    key: bytes | None = None
    signing_seed: bytes | None = None
    header_changes: dict[str, Value] = field(default_factory=dict[str, Value])
    sealed_for: bytes | None = None
    """What is authenticated beside the content."""
    signed: bytes | None = None
    """What is signed."""

    def header(self) -> bytes:
        """Return the encoding before what is sealed."""
        usual: dict[str, Value] = {
            "format": 1, "kind": 28, "group": self.writer.group, "epoch": self.epoch, "entry": self.entry,
            "user": self.writer.user_id, "device": self.writer.device, "number": self.number,
        }  # fmt: skip
        return head(4, 10) + b"".join(encode(each) for each in (usual | self.header_changes).values())

    def sealed(self) -> bytes:
        """Return the nonce and what is sealed."""
        said = f"text {self.number}".encode() if self.said is None else self.said
        content = encode([self.before, self.heard, said]) if self.content is None else self.content
        text = pad(content) if self.padding is None else self.padding
        nonce = draw(f"nonce of {self.writer.label} {self.epoch} {self.number} {text.hex()}", 8)
        key = self.key or self.writer.message_key(self.epoch, self.number)
        beside = TEXT_LABEL + self.entry_hash + self.header() if self.sealed_for is None else self.sealed_for
        return nonce + ChaCha20Poly1305(key).encrypt(bytes(4) + nonce, text, beside)

    def encode(self) -> bytes:
        """Return the text."""
        before = self.header() + encode(self.sealed())
        covered = SIGNATURE_LABEL + self.entry_hash + before if self.signed is None else self.signed
        seed = self.signing_seed or self.writer.signing_seed(self.epoch)
        return before + encode(Ed25519PrivateKey.from_private_bytes(seed).sign(covered))


def opened(text: bytes, entry: bytes = entry_hash(1)) -> Json:
    """Return a step that opens a text."""
    return {"do": "open", "text": text.hex(), "entry_hash": entry.hex()}


def moved(epoch: int, secret: bytes | None = None, opening: bytes | None = None) -> Json:
    """Return a step that goes on in an epoch."""
    return {
        "do": "next_epoch", "secret": (secret or epoch_secret(epoch)).hex(),
        "opening": (opening or opening_hash(epoch)).hex(),
    }  # fmt: skip


def compared(epoch: int, number: int, head_: bytes) -> Json:
    """Return a step that compares a head."""
    return {"do": "compare", "epoch": epoch, "number": number, "head": head_.hex()}


def played(writer: Writer, steps: list[Json], chain: bytes | None = None) -> Json:
    """Return the input of group.play."""
    return {
        "user_id": writer.user_id.hex(), "device_id": writer.device,
        "chain": (writer.chain() if chain is None else chain).hex(), "steps": steps,
    }  # fmt: skip
