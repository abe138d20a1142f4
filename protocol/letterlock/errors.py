"""Every error that letterlock raises. Its class says who is wrong.

    LetterlockError
    |-- UsageError              you: the call makes no sense in this state
    |   |-- NoAccount           this store holds no account yet
    |   |-- AccountExists       this store already holds an account
    |   |-- NoSession           no session with this address exists
    |   `-- PlaintextTooLong    longer than one message can carry
    |-- PeerError               the bytes that you were given
    |   |-- MalformedMessage    not in the one encoding that the specification allows
    |   |-- UnsupportedVersion  of a protocol version that this release does not speak
    |   |-- InvalidKey          a public key that is not canonical, or of low order
    |   |-- InvalidSignature    a prekey that its identity key did not sign
    |   |-- AddressMismatch     a bundle that belongs to another address
    |   |-- SuiteRefused        a handshake suite that this account does not allow
    |   |-- AuthenticationFailed  forged, damaged, or meant for another session
    |   |-- DuplicateMessage    a message that was decrypted before
    |   |-- TooManySkipped      a message that skips more messages than the limit
    |   |-- BraidFailed         an authentic message whose post-quantum keys contradict earlier ones
    |   |-- UnknownPrekey       a message for a prekey that is used up, expired or not ours
    |   |-- UnknownSession      a message for which no session exists
    |   `-- ReplayRecordFull    a prekey that has accepted too many initial messages
    |-- TrustError              the peer's identity
    |   |-- UntrustedIdentity   the peer's identity key is not the one on record
    |   `-- SafetyNumberMismatch  the scanned code shows other identity keys
    `-- StoreError              the storage
        |-- WrongKey            the store key or passphrase is not the right one
        |-- CorruptStore        what is stored is not what was saved
        |-- UnsupportedStore    not a letterlock store, or one of another version
        `-- StoreBusy           another process holds the lock

Any other exception that a peer or a stored file can cause is a bug in letterlock. An error's text never holds
a key, a plaintext or a peer's bytes. Numbers in a text are attributes too.

Not here: which call raises what. Each public docstring lists its errors.
"""

from typing import ClassVar


class LetterlockError(Exception):
    """The root of all errors of this package."""


# --- you ------------------------------------------------------------------------------------------


class UsageError(LetterlockError):
    """The caller is wrong: the call makes no sense in this state. Correct the call."""


class NoAccount(UsageError):
    """The caller is wrong: the store holds no account. Make one with `Account.create`."""


class AccountExists(UsageError):
    """The caller is wrong: the store already holds an account. Open it with `Account.open`."""


class NoSession(UsageError):
    """The caller is wrong: no session with this address exists.

    Pass the peer's prekey bundle to `Account.initiate` first.
    """


class PlaintextTooLong(UsageError):
    """The caller is wrong: the plaintext has `size` bytes, and one message carries at most `limit`.

    Split it, or send it by other means and put its key into the message.
    """

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"plaintext of {size} bytes; one message carries at most {limit}: split it")
        self.size = size
        self.limit = limit


# --- the bytes that you were given ------------------------------------------------------------------


class PeerError(LetterlockError):
    """The bytes from outside are wrong. They have changed nothing. Discard them."""


class MalformedMessage(PeerError):
    """The sender is wrong: the bytes are not in the one encoding that the specification allows.

    Discard them. If the peer runs an honest implementation, it has a bug, or the transport changed the bytes.
    """


class UnsupportedVersion(PeerError):
    """The sender speaks protocol version `version`; this release speaks up to `supported`.

    Upgrade letterlock, on whichever side is older.
    """

    def __init__(self, version: int, supported: int) -> None:
        super().__init__(f"protocol version {version}, but this release speaks {supported}: upgrade")
        self.version = version
        self.supported = supported


class InvalidKey(PeerError):
    """The sender is wrong: a public key is not canonical, is of low order, or gives an all-zero agreement.

    Discard the bytes that hold it. An honest implementation never makes such a key.
    """


class InvalidSignature(PeerError):
    """The sender is wrong: a signature does not verify under the identity key beside it.

    Discard the bytes, and fetch the bundle again from a server that you trust more.
    """


class AddressMismatch(PeerError):
    """Whoever delivered the bundle or message is wrong: it belongs to another address, or to this account.

    Ask the owner of the address for the right one.
    """


class SuiteRefused(PeerError):
    """The sender is wrong: its handshake suite is not allowed by this account, or its bundle lacks the keys.

    Ask the peer for a bundle with a post-quantum prekey, or allow the suite when opening the account.
    """


class AuthenticationFailed(PeerError):
    """The sender or the transport is wrong: the message is forged, damaged, or for another session.

    Discard it, or ask the peer to send it again. Each such failure has the same text, so that it does not
    tell a wrong key from a wrong tag. [PRIM-8]
    """

    TEXT: ClassVar[str] = "message does not authenticate: forged, damaged, or for another session"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class DuplicateMessage(PeerError):
    """The bytes are a repeat: this message was decrypted before, or its key was discarded as too old.

    Ignore them.
    """

    TEXT: ClassVar[str] = "this message was decrypted before, or its key was discarded: ignore it"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class TooManySkipped(PeerError):
    """The sender is wrong: the message skips `skipped` others in one chain, and `limit` are allowed.

    Initiate a new session if the peer really sent so many messages that were lost.
    """

    def __init__(self, skipped: int, limit: int) -> None:
        super().__init__(f"message skips {skipped} others; at most {limit}: initiate a new session")
        self.skipped = skipped
        self.limit = limit


class BraidFailed(PeerError):
    """The message is the peer's own, but its post-quantum keys contradict earlier ones.

    One side was restored from an old copy of its store. Initiate a new session.
    """


class UnknownPrekey(PeerError):
    """The initial message names a prekey that is used up, expired, or was never this account's.

    Give the peer a new bundle, and let it initiate again.
    """


class UnknownSession(PeerError):
    """No session with this address exists, and only an initial message can begin one.

    Initiate a session, or ask the peer to initiate one.
    """


class ReplayRecordFull(PeerError):
    """A reusable prekey has accepted `limit` initial messages: further ones could not be told from replays.

    Publish new prekeys with `Account.publish(rotate=True)`.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(f"prekey was used by {limit} initial messages: publish new prekeys")
        self.limit = limit


# --- trust ----------------------------------------------------------------------------------------


class TrustError(LetterlockError):
    """The bytes are sound, but they may not come from the person that you expect."""


class UntrustedIdentity(TrustError):
    """The peer's identity key is not the recorded one: the peer has a new device, or somebody intercepts.

    `address` is the peer's, and `identity` holds the 32 bytes of the new key. Compare safety numbers over
    another channel. If they agree, call `Account.accept_identity(address, identity)`; otherwise do nothing,
    and the key stays refused.
    """

    TEXT: ClassVar[str] = (
        "the identity key of this address has changed: compare safety numbers, then accept it"
    )

    def __init__(self, address: object, identity: bytes) -> None:
        super().__init__(self.TEXT)
        self.address = address
        self.identity = identity


class SafetyNumberMismatch(TrustError):
    """The scanned code shows other identity keys than this conversation has: somebody may intercept it.

    Do not trust the conversation until both sides show the same safety number.
    """


# --- storage --------------------------------------------------------------------------------------


class StoreError(LetterlockError):
    """The storage failed. Whatever was not committed has not happened; solve the cause, and try again."""


class WrongKey(StoreError):
    """The caller is wrong: the store key or passphrase is not this store's. The store is unchanged.

    Try another key or passphrase.
    """


class CorruptStore(StoreError):
    """The storage is wrong: it was damaged, or somebody without the key swapped, edited or restored a part.

    Restore the whole store from a backup, and initiate new sessions.
    """


class UnsupportedStore(StoreError):
    """The file is not a letterlock store, or its schema is of a version that this release does not know.

    Check the path, or upgrade letterlock.
    """


class StoreBusy(StoreError):
    """Another process kept the store locked for longer than the timeout. Try again."""
