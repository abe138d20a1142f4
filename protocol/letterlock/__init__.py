"""letterlock: Signal-style end-to-end encryption for Python programs that are rarely online together.

Each person holds an `Account` in a store. Bob leaves a prekey bundle on a server. Alice uses it to start a
session, and writes while Bob is away. Bob reads when he is back. Every message has a key of its own.

>>> from letterlock import Account, Address, MemoryStore, PrekeyBundle
>>> alice = Account.create(MemoryStore(), Address("alice"))
>>> bob = Account.create(MemoryStore(), Address("bob"))

Bob's bundle may travel through a server that he does not trust:

>>> on_the_server = bob.bundle().encode()

Alice initiates a session with it. This sends nothing; her first message carries the handshake.

>>> alice.initiate(bob.address, PrekeyBundle.decode(on_the_server))
>>> message = alice.encrypt(bob.address, b"the lab results are in")
>>> bob.decrypt(alice.address, message)
b'the lab results are in'

Bob answers without a bundle of Alice's. A message that is repeated or changed on its way is refused:

>>> answer = bob.encrypt(alice.address, b"thank you")
>>> alice.decrypt(bob.address, answer)
b'thank you'
>>> alice.decrypt(bob.address, answer)
Traceback (most recent call last):
letterlock.errors.DuplicateMessage: decrypted before, or key discarded: ignore it, unless its sender went back

Both compare their safety numbers once, twelve groups of digits, to know that nobody intercepts them:

>>> str(alice.safety_number(bob.address)) == str(bob.safety_number(alice.address))
True

Read next: `Account` for everything that an application needs, `letterlock.errors` for what can go wrong and
who is wrong, and `SqliteStore` for an account that outlives the process. `letterlock.hazmat` is for test
vectors and analysis; applications do not need it.
"""

import typing

from letterlock import stores
from letterlock._device.due import Due
from letterlock._device.peer import Peer
from letterlock._handshake.bundle_signature import verify_bundle, verify_publication
from letterlock._handshake.safety_number import SafetyNumber
from letterlock._primitives.curve25519 import IdentityKey, OneTimePrekey, PublicKey, SignedPrekey
from letterlock._primitives.entropy import Clock
from letterlock._primitives.mlkem import MlKem1024PublicKey
from letterlock._session.status import SessionStatus
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.inspection import Inspection
from letterlock._wire.inspection import inspect as inspect
from letterlock._wire.prekey import PrekeyKind, PublicPrekey
from letterlock._wire.publication import PrekeyPair, Publication
from letterlock._wire.suite import Suite
from letterlock.account import Account
from letterlock.errors import (
    AccountExists,
    AddressMismatch,
    AuthenticationFailed,
    BraidFailed,
    CorruptStore,
    DuplicateMessage,
    InvalidKey,
    InvalidSignature,
    LetterlockError,
    MalformedMessage,
    NoAccount,
    NoSession,
    PeerError,
    PlaintextTooLong,
    ReplayRecordFull,
    SafetyNumberMismatch,
    SessionEnded,
    StaleBundle,
    StoreBusy,
    StoreError,
    SuiteRefused,
    TooManySkipped,
    TrustError,
    UnknownPrekey,
    UnknownSession,
    UnsupportedStore,
    UnsupportedVersion,
    UntrustedIdentity,
    UsageError,
    WrongKey,
)
from letterlock.stores import MemoryStore, Store

if typing.TYPE_CHECKING:
    from letterlock.stores import SqliteStore

__version__ = "0.1.0"
"""Equal to the version in pyproject.toml; a test compares them. It is written here because asking
`importlib.metadata` would slow down every import, and would fail in a source tree that is not installed."""

# `inspect` is public but not listed here: `import *` must not replace the standard library's module.
__all__ = [
    "Account",
    "AccountExists",
    "Address",
    "AddressMismatch",
    "AuthenticationFailed",
    "BraidFailed",
    "Clock",
    "CorruptStore",
    "Due",
    "DuplicateMessage",
    "IdentityKey",
    "Inspection",
    "InvalidKey",
    "InvalidSignature",
    "LetterlockError",
    "MalformedMessage",
    "MemoryStore",
    "MlKem1024PublicKey",
    "NoAccount",
    "NoSession",
    "OneTimePrekey",
    "Peer",
    "PeerError",
    "PlaintextTooLong",
    "PrekeyBundle",
    "PrekeyKind",
    "PrekeyPair",
    "PublicKey",
    "PublicPrekey",
    "Publication",
    "ReplayRecordFull",
    "SafetyNumber",
    "SafetyNumberMismatch",
    "SessionEnded",
    "SessionStatus",
    "SignedPrekey",
    "SqliteStore",
    "StaleBundle",
    "Store",
    "StoreBusy",
    "StoreError",
    "Suite",
    "SuiteRefused",
    "TooManySkipped",
    "TrustError",
    "UnknownPrekey",
    "UnknownSession",
    "UnsupportedStore",
    "UnsupportedVersion",
    "UntrustedIdentity",
    "UsageError",
    "WrongKey",
    "verify_bundle",
    "verify_publication",
]


def __getattr__(name: str) -> object:
    """Return `SqliteStore`, which `letterlock.stores` imports when it is asked for."""
    if name != "SqliteStore":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return stores.SqliteStore


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
