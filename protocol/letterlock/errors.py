"""Everything that letterlock raises, and who is wrong.

    LetterlockError
    |-- UsageError              you: the call makes no sense, here and now
    |   |-- NoAccount           this store holds no account yet
    |   |-- AccountExists       this store holds one already
    |   |-- NoSession           nothing was agreed with this address
    |   `-- PlaintextTooLong    more than one message can carry
    |-- PeerError               the bytes you were given
    |   |-- MalformedMessage    not the one encoding the specification allows
    |   |-- UnsupportedVersion  made by a later (or no) version of the protocol
    |   |-- InvalidKey          a public key that is not canonical, or of low order
    |   |-- InvalidSignature    a prekey that its identity key did not sign
    |   |-- AddressMismatch     a bundle that belongs to somebody else
    |   |-- SuiteRefused        a handshake weaker than this account allows
    |   |-- AuthenticationFailed  forged, damaged, or for somebody else
    |   |-- DuplicateMessage    decrypted before
    |   |-- TooManySkipped      jumps over more messages than anyone may
    |   |-- BraidFailed         authentic, but its post-quantum part contradicts what came before
    |   |-- UnknownPrekey       for a prekey that is used up, expired or never ours
    |   |-- UnknownSession      no session to open it with
    |   `-- ReplayRecordFull    a prekey that has met too many strangers
    |-- TrustError
    |   |-- UntrustedIdentity   the peer's identity key is not the one you know
    |   `-- SafetyNumberMismatch  the peer's scanned code shows other keys
    `-- StoreError              the disk
        |-- WrongKey            the store key or passphrase does not fit
        |-- CorruptStore        what is stored is not what was saved
        |-- UnsupportedStore    not a store, or one of another version
        `-- StoreBusy           another process holds it

Nothing else may escape for anything that a peer or a file can cause; if it does, that is our bug.
A text never holds a key, a plaintext or a peer's bytes; numbers stand in attributes too.

Not here: which calls raise what; each public docstring says so.
"""

from typing import ClassVar


class LetterlockError(Exception):
    """The root of all errors of this package."""


# --- you ------------------------------------------------------------------------------------------


class UsageError(LetterlockError):
    """The call makes no sense: the caller is wrong."""


class NoAccount(UsageError):
    """The store holds no account; `Account.create` makes one."""


class AccountExists(UsageError):
    """The store holds an account already; `Account.open` opens it."""


class NoSession(UsageError):
    """Nothing was agreed with this address; `Account.initiate` needs the peer's prekey bundle."""


class PlaintextTooLong(UsageError):
    """The plaintext has `size` bytes; one message carries `limit`."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"plaintext of {size} bytes; one message carries at most {limit}: split it")
        self.size = size
        self.limit = limit


# --- the bytes you were given ---------------------------------------------------------------------


class PeerError(LetterlockError):
    """The bytes that came from outside are wrong. Nothing was changed by them."""


class MalformedMessage(PeerError):
    """Not the one encoding that the specification allows."""


class UnsupportedVersion(PeerError):
    """The bytes announce protocol version `version`, which this release does not speak."""

    def __init__(self, version: int, supported: int) -> None:
        super().__init__(f"protocol version {version}, but this release speaks {supported}: upgrade")
        self.version = version
        self.supported = supported


class InvalidKey(PeerError):
    """A public key is not canonical, is of low order, or gives an all-zero agreement."""


class InvalidSignature(PeerError):
    """A signature does not verify under the identity key beside it."""


class AddressMismatch(PeerError):
    """The bundle belongs to another address than the one it was presented for, or to ourselves."""


class SuiteRefused(PeerError):
    """The handshake suite is not one that this account allows, or the bundle cannot serve it."""


class AuthenticationFailed(PeerError):
    """The tag does not verify: forged, damaged in transit, or not for this session.

    Every such failure has the same text, so that nothing tells a wrong key from a wrong tag. [PRIM-8]
    """

    TEXT: ClassVar[str] = "message does not authenticate: forged, damaged, or for another session"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class DuplicateMessage(PeerError):
    """This message was decrypted before, or its key was given up as too old."""

    TEXT: ClassVar[str] = "this message was decrypted before, or its key was given up as too old"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class TooManySkipped(PeerError):
    """The message jumps over `skipped` others in one chain; `limit` are allowed."""

    def __init__(self, skipped: int, limit: int) -> None:
        super().__init__(f"message jumps over {skipped} others; at most {limit}: start a new session")
        self.skipped = skipped
        self.limit = limit


class BraidFailed(PeerError):
    """The message is the peer's, but its post-quantum keys contradict each other: one side was restored."""


class UnknownPrekey(PeerError):
    """The first message names a prekey that is used up, expired, or was never this account's."""


class UnknownSession(PeerError):
    """There is no session with this address; only a first message can be decrypted."""


class ReplayRecordFull(PeerError):
    """A reusable prekey has met `limit` strangers; publishing new prekeys makes room."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"prekey was used by {limit} first messages: publish new prekeys")
        self.limit = limit


# --- trust ----------------------------------------------------------------------------------------


class TrustError(LetterlockError):
    """The bytes are sound, but not from whom you think."""


class UntrustedIdentity(TrustError):
    """The peer's identity key differs from the recorded one.

    `address` is the peer's, `identity` the 32 bytes of the new key. Compare safety numbers over another
    channel, then call `Account.accept_identity(address, identity)`, or leave it refused.
    """

    TEXT: ClassVar[str] = (
        "the identity key of this address has changed: compare safety numbers, then accept it"
    )

    def __init__(self, address: object, identity: bytes) -> None:
        super().__init__(self.TEXT)
        self.address = address
        self.identity = identity


class SafetyNumberMismatch(TrustError):
    """The scanned code is not the one this conversation should have: somebody sits between the two."""


# --- the disk -------------------------------------------------------------------------------------


class StoreError(LetterlockError):
    """The store failed; what was not committed has not happened."""


class WrongKey(StoreError):
    """The store key or passphrase does not fit this store. Nothing was touched."""


class CorruptStore(StoreError):
    """What is stored is not what was saved: damaged, swapped or edited by someone without the key."""


class UnsupportedStore(StoreError):
    """Not a letterlock store, or one with a schema this release does not know."""


class StoreBusy(StoreError):
    """Another process kept the store locked for longer than the time-out; try again."""
