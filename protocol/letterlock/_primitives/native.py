"""The native module `letterlock_fast`: an optional distribution, found when letterlock is imported.

    NATIVE      its functions, or None: then everything is computed in Python
    INTERFACE   the number of the interface that this release asks for

Python defines every answer, and the native functions give the same ones. A module with another interface
number is not used; a warning says so. `LETTERLOCK_PURE=1` in the environment keeps any from being used.

Not here: what is computed natively (curve25519.py, ed25519.py, kdf.py, mlkem.py, mlkem_split.py,
_ratchet/erasure.py, _session/, _groups/).
"""

import os
import warnings
from typing import Final, Protocol, TypeAlias, cast

INTERFACE: Final = 6
PURE: Final = "LETTERLOCK_PURE"


Range: TypeAlias = tuple[bytes, int, bytes]
"""Keys of skipped messages in a row: name of their chain, number of the first message, 32 bytes for each."""
Halves: TypeAlias = tuple[list[Range], list[Range]]
"""What a message skipped in the double ratchet, and in the sparse one: the older chain first in each."""

Heard: TypeAlias = tuple[int, int, int, int, bytes]
"""A head in a text of a group: member, device, the first and the last text that were read, head."""
GroupText: TypeAlias = tuple[bytes, bytes, bytes, list[Heard], bytes]
"""What a text of a group leads to: the next chain key, the keys that it skipped, joined, the head before it,
heads of others, and the text itself."""


class KemKey(Protocol):
    """A key pair of ML-KEM-1024, expanded from its seed. It is wiped when Python lets go of it."""

    def public(self) -> bytes:
        """Return ek, 1,568 bytes."""
        ...

    def decapsulate(self, ciphertext: bytes, /) -> bytes:
        """Return K, 32 bytes, of a ciphertext of 1,568 bytes. A forged one gives another K."""
        ...


class Native(Protocol):
    """The functions of the module. They raise ValueError for arguments that no caller of ours gives."""

    INTERFACE: int

    def draws(self, record: bytes, /) -> list[int]:
        """Return how many random bytes the next message of a session draws, one draw after the other.

        Empty if `send` would return None.
        """
        ...

    def send(self, record: bytes, plaintext: bytes, entropy: bytes, /) -> tuple[bytes, bytes] | None:
        """Return the record of a session after its next message, and the message.

        `entropy` are the bytes of all draws in a row. None if it has to be done in Python.
        """
        ...

    def receive(self, record: bytes, message: bytes, /) -> tuple[bytes, bytes, Halves | None] | None:
        """Return the record after a message that is not late, its plaintext, and what it skipped.

        What it skipped is None for the very next message. All is None if the message is late or a forgery, or
        has to be read in Python.
        """
        ...

    def places(self, record: bytes, message: bytes, /) -> list[tuple[bytes, int]]:
        """Return where the keys of a late message are kept: name of the chain and number of each.

        In the PQXDH suite there are two, the double ratchet's first. Empty if the message is not late, or has
        to be read in Python.
        """
        ...

    def receive_late(
        self, record: bytes, message: bytes, double: bytes, sparse: bytes = ..., /
    ) -> tuple[bytes | None, bytes] | None:
        """Return the record after a late message, or None if it stays as it was, and the plaintext.

        The keys have 32 bytes each, and stand in the order of `places`. All is None if the message is a
        forgery, or has to be read in Python.
        """
        ...

    def open_group_text(
        self, public: bytes, number: int, key: bytes, text: bytes, entry_hash: bytes, /
    ) -> GroupText | None:
        """Return what a text of a group leads to. `number` and `key` are of the next text of its chain.

        None if the text is late or a forgery, or has to be read in Python.
        """
        ...

    def agree(self, private: bytes, public: bytes, /) -> bytes | None:
        """Return X25519, 32 bytes from two times 32, or None if it is all zero: see `curve25519.agree`."""
        ...

    def public_of(self, private: bytes, /) -> bytes:
        """Return the public half of a private key, 32 bytes from 32."""
        ...

    def verifies(self, public: bytes, message: bytes, signature: bytes, /) -> bool:
        """Return whether 64 bytes sign a message under an Edwards key of 32 bytes.

        False means that libsodium has to decide: see `ed25519.verify_edwards`.
        """
        ...

    def hkdf(self, salt: bytes, ikm: bytes, info: bytes, length: int, /) -> bytes:
        """Return 1 to 8,160 bytes: see `kdf.hkdf_sha256`."""
        ...

    def kem_key(self, seed: bytes, /) -> KemKey:
        """Return the key pair of ML-KEM-1024 that a seed of 64 bytes gives."""
        ...

    def is_kem_public(self, public: bytes, /) -> bool:
        """Return whether every coefficient of an ek of ML-KEM-1024, 1,568 bytes, is below q."""
        ...

    def encapsulate(self, public: bytes, m: bytes, /) -> tuple[bytes, bytes]:
        """Return K and a ciphertext of ML-KEM-1024. 1,568 and 32 bytes give 32 and 1,568."""
        ...

    def seal_at_rest(self, key: bytes, nonce: bytes, plaintext: bytes, associated_data: bytes, /) -> bytes:
        """Return ciphertext and tag: see `aead.seal_at_rest`."""
        ...

    def open_at_rest(
        self, key: bytes, nonce: bytes, sealed: bytes, associated_data: bytes, /
    ) -> bytes | None:
        """Return the plaintext, or None if the tag does not verify: see `aead.open_at_rest`."""
        ...

    def codewords(self, text: bytes, first: int, end: int, /) -> bytes:
        """Return the codewords of a text from one index up to another, joined: see `erasure.codewords`."""
        ...

    def restore(self, share: int, entries: bytes, /) -> bytes:
        """Return the text of `share` codewords; each entry is an index in two bytes and a codeword."""
        ...

    def encapsulate_header(self, header: bytes, m: bytes, /) -> tuple[bytes, bytes]:
        """Return K and ct1: see `mlkem_split.encapsulate_header`. 64 and 32 bytes give 32 and 960."""
        ...

    def encapsulate_vector(self, header: bytes, vector: bytes, m: bytes, /) -> bytes:
        """Return ct2: see `mlkem_split.encapsulate_vector`. 64, 1,152 and 32 bytes give 128."""
        ...


def find() -> Native | None:
    """Return the native module if it is installed, fits this release, and is not switched off."""
    if os.environ.get(PURE) == "1":
        return None
    try:
        import letterlock_fast  # pyright: ignore[reportMissingImports]  # noqa: PLC0415 - it may be absent
    except ModuleNotFoundError:
        return None
    except ImportError:
        warnings.warn(_BROKEN, RuntimeWarning, stacklevel=2)
        return None
    module = cast("Native", letterlock_fast)
    found = getattr(module, "INTERFACE", None)
    if found != INTERFACE:
        warnings.warn(_OTHER.format(found, INTERFACE), RuntimeWarning, stacklevel=2)
        return None
    return module


_BROKEN: Final = "letterlock-fast cannot be loaded, so it is not used: install it again"
_OTHER: Final = (
    "letterlock-fast has interface {}, and this letterlock asks for {}, so it is not used: "
    "install versions that belong together"
)

NATIVE: Final = find()
