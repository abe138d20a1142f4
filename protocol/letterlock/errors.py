"""Every error that letterlock raises. Its class says who is wrong.

    LetterlockError
    |-- UsageError                you: the call makes no sense in this state
    |   |-- NoAccount             this store holds no account yet
    |   |-- AccountExists         this store already holds an account
    |   |-- NoSession             no session with this address exists
    |   |   `-- SessionEnded      the peer's keys contradict each other, or the peer never answered
    |   `-- PlaintextTooLong      longer than one message can carry
    |-- PeerError                 the bytes that you were given
    |   |-- MalformedMessage      not in the one encoding that the specification allows
    |   |-- UnsupportedVersion    of a protocol version that this release does not speak
    |   |-- InvalidKey            a public key that is not canonical, or of low order
    |   |-- InvalidSignature      a bundle that its identity key did not sign
    |   |-- StaleBundle           a bundle that is too old, or of a time to come
    |   |-- AddressMismatch       a bundle that belongs to another address
    |   |-- SuiteRefused          a handshake suite that this account does not allow
    |   |-- AuthenticationFailed  forged, damaged, or meant for another session
    |   |-- DuplicateMessage      a message that was decrypted before
    |   |-- TooManySkipped        a message that skips more messages than the limit
    |   |-- BraidFailed           an authentic post-quantum header contradicts earlier ones; not by Account
    |   |-- UnknownPrekey         a message for a prekey that is used up, expired or not ours
    |   |-- UnknownSession        a message for which no session exists
    |   `-- ReplayRecordFull      a prekey that has accepted too many initial messages
    |-- TrustError                the peer's identity
    |   |-- UntrustedIdentity     the peer's identity key is not the one on record
    |   `-- SafetyNumberMismatch  the scanned code shows other identity keys
    `-- StoreError                the storage
        |-- WrongKey              the store key or passphrase is not the right one
        |-- CorruptStore          what is stored is not what was saved
        |-- UnsupportedStore      not a letterlock store, or one of another version
        `-- StoreBusy             another thread or process holds it

Any other exception that a peer or a stored file can cause is a bug in letterlock. An error's text never holds
a key, a plaintext or a peer's bytes; only AddressMismatch names a peer's address, as ASCII. Numbers in a text
are attributes too. Each error has a `cause`, for programs. It survives pickle and copy with its attributes.

Not here: which call raises what. Each public docstring lists its errors.
"""

from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from letterlock._wire.address import Address


class Cause(Enum):
    """What happened, as far as it can be known, for programs: `LetterlockError.cause`.

    A cause depends on what is in clear and on what is stored, never on what a key decides. So it tells a
    stranger nothing: a wrong key and a wrong tag have the same one. [PRIM-8] Two of them need words:

    * `OUR_STATE_WENT_BACK_PERHAPS`: the message claims a chain or an epoch that no session here knows, and
      does not authenticate. One such message may be forged, or of a deleted session. If all messages of a
      peer fail so, our store or the peer's was restored from a copy. The remedy for both is a new session:
      `Account.initiate(address, bundle, discard_earlier=True)`.
    * `REPEATED_OR_THEIR_STATE_WENT_BACK`: the message's place was used before. Ignore a repeat. If the bytes
      never came before, the peer's store was restored: its text is lost, and the remedy is the same.
    """

    WRONG_CALL = "wrong call"
    NO_SESSION = "no session with this address"
    WRONG_BYTES = "bytes that break the specification"
    OTHER_VERSION = "bytes or a store of another version"
    OTHER_ADDRESS = "of another address, or our own"
    OUT_OF_DATE = "too old or of a time to come, by this clock"
    NOT_ALLOWED = "not allowed by this account"
    FORGED_OR_DAMAGED = "claims a known chain, and does not authenticate"
    OUR_STATE_WENT_BACK_PERHAPS = "claims an unknown chain or epoch, and does not authenticate"
    REPEATED_OR_THEIR_STATE_WENT_BACK = "its place was used before"
    TOO_MANY_LOST = "more messages are missing than the limit allows"
    SESSION_BROKEN = "post-quantum keys contradict each other"
    PREKEY_GONE = "prekey used up, expired, or younger than a restored store"
    PREKEY_EXHAUSTED = "prekey accepted as many first messages as it may"
    OTHER_IDENTITY = "identity key is not the trusted one"
    CONTRADICTION = "device lists contradict each other"
    REVOKED = "of a device that its user revoked"
    NOT_LISTED = "of a device in no device list that the directory shows"
    NOT_OPENED = "two servers answered rightly, and the password opens nothing"
    STORAGE_FAILED = "storage failed; nothing was committed"
    STORE_BUSY = "somebody else holds the store"
    STORE_KEY = "store key or passphrase of another store"
    STORE_DAMAGED = "stored data is not what was saved"


class LetterlockError(Exception):
    """The root of all errors of this package."""

    cause: Cause = Cause.WRONG_CALL
    """What happened, as far as it can be known."""

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is rebuilt by `type(self)(*self.args)`. That fails where `__init__` takes numbers and
        # makes a text of them.
        return _rebuild, (type(self), self.args), self.__dict__ or None


def _rebuild(kind: type[LetterlockError], args: tuple[object, ...]) -> LetterlockError:
    """Return an error without calling its `__init__`; its attributes follow."""
    return kind.__new__(kind, *args)


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

    cause = Cause.NO_SESSION


class SessionEnded(NoSession):
    """The session with this address ended: the peer's keys contradict each other, or it never answered.

    An authentic message contradicted earlier ones, and its text was returned: one side was restored from a
    copy of its store, or the peer breaks the protocol. Or nobody answered our first message for 30 days.
    Nothing more can be sent or read in it. Initiate a new session, or wait until the peer does.
    """

    cause = Cause.SESSION_BROKEN

    TEXT: ClassVar[str] = "the session ended: keys contradict, or no answer for 30 days; initiate a new one"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


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

    cause = Cause.WRONG_BYTES


class MalformedMessage(PeerError):
    """The sender is wrong: the bytes are not in the one encoding that the specification allows.

    Discard them. If the peer runs an honest implementation, it has a bug, or the transport changed the bytes.
    """


class UnsupportedVersion(PeerError):
    """The bytes are of format version `version`; this release reads only `supported` for their kind.

    Upgrade letterlock, on whichever side is older. A bundle or publication of an older release has to be made
    again after its owner has upgraded: `Account.publish(rotate=True)`.
    """

    cause = Cause.OTHER_VERSION

    def __init__(self, version: int, supported: int) -> None:
        remedy = "upgrade letterlock" if version > supported else "its sender has to upgrade letterlock"
        super().__init__(f"format version {version}, but this release reads {supported}: {remedy}")
        self.version = version
        self.supported = supported


class InvalidKey(PeerError):
    """The sender is wrong: a public key is not canonical, or of low order. Discard what holds it."""


class InvalidSignature(PeerError):
    """The sender is wrong: a signature does not verify under the identity key beside it.

    Discard the bytes, and fetch the bundle again from a server that you trust more.
    """


class StaleBundle(PeerError):
    """Whoever delivered the bundle, or a clock, is wrong: the bundle is too old, or of a time to come.

    Its signed prekey was made on the day that begins at `made`, and this clock shows `now`, both in seconds
    since 1970 (UTC). If this clock is wrong, set it; otherwise ask the owner to publish and for a new bundle.
    """

    cause = Cause.OUT_OF_DATE

    def __init__(self, text: str, made: int, now: int) -> None:
        super().__init__(text)
        self.made = made
        self.now = now


class AddressMismatch(PeerError):
    """Whoever delivered the bundle or message is wrong: it belongs to another address, or to this account.

    Ask the owner of the address for the right one. `expected` and `found` are the two addresses, both None
    where our own address or identity key was found. The text shows them as ASCII, where look-alikes differ.
    """

    cause = Cause.OTHER_ADDRESS

    def __init__(self, text: str, expected: "Address | None" = None, found: "Address | None" = None) -> None:
        named = expected is not None and found is not None
        super().__init__(f"{text} (expected {_ascii(expected)}, found {_ascii(found)})" if named else text)
        self.expected = expected
        self.found = found


class SuiteRefused(PeerError):
    """The sender is wrong: its handshake suite is not allowed by this account, or its bundle lacks the keys.

    Ask the peer for a bundle with a post-quantum prekey, or allow the suite when opening the account.
    """

    cause = Cause.NOT_ALLOWED


class AuthenticationFailed(PeerError):
    """The sender or the transport is wrong: the message is forged, damaged, or for another session.

    Discard it, or ask the peer to send it again. If every message of a peer fails so, one side was restored
    from an older copy of its store: initiate a new session with `discard_earlier=True`. Each such failure has
    the same text, so that it does not tell a wrong key from a wrong tag. `cause` tells only whether the
    message claims a chain that is known here. [PRIM-8]
    """

    cause = Cause.FORGED_OR_DAMAGED

    TEXT: ClassVar[str] = (
        "message does not authenticate: forged, damaged, or for another session; if all fail, a store was "
        "restored from a copy: initiate(discard_earlier=True)"
    )

    def __init__(self, cause: Cause = Cause.FORGED_OR_DAMAGED) -> None:
        super().__init__(self.TEXT)
        self.cause = cause


class DuplicateMessage(PeerError):
    """The bytes are a repeat: this message was decrypted before, or its key was discarded as too old.

    Ignore them, if they came before. If they never came before, the peer was restored from an older copy of
    its store and repeats message numbers. Its text is lost, and a new session helps:
    `initiate(discard_earlier=True)`.
    """

    cause = Cause.REPEATED_OR_THEIR_STATE_WENT_BACK

    TEXT: ClassVar[str] = "decrypted before, or key discarded: ignore it, unless its sender went back"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class TooManySkipped(PeerError):
    """The sender is wrong: reading the message would take `skipped` chain steps, and `limit` are allowed.

    `skipped` is the number of messages that it skips in one chain. For a message that fits no chain, it is
    the cost of trying it in a session, and `limit` is what is left after other sessions were tried. Initiate
    a new session if the peer really sent so many messages that were lost.
    """

    cause = Cause.TOO_MANY_LOST

    def __init__(self, skipped: int, limit: int) -> None:
        super().__init__(f"message is {skipped} chain steps ahead; at most {limit}: initiate a new session")
        self.skipped = skipped
        self.limit = limit


class BraidFailed(PeerError):
    """The message is the peer's own, but its post-quantum keys contradict earlier ones.

    The ratchet raises this. No method of Account does: it returns the message's text and ends the session,
    and `Account.encrypt` raises SessionEnded.
    """

    cause = Cause.SESSION_BROKEN


class UnknownPrekey(PeerError):
    """The initial message names a prekey that is used up, expired, or was never this account's.

    Give the peer a new bundle, and let it initiate again.
    """

    cause = Cause.PREKEY_GONE


class UnknownSession(PeerError):
    """No session with this address exists. Initiate one, or ask the peer to initiate one."""

    cause = Cause.NO_SESSION


class ReplayRecordFull(PeerError):
    """A reusable prekey has accepted `limit` initial messages: further ones could not be told from replays.

    Publish new prekeys with `Account.publish(rotate=True)`, and let the peer initiate with the new bundle.
    """

    cause = Cause.PREKEY_EXHAUSTED

    def __init__(self, limit: int) -> None:
        super().__init__(f"prekey was used by {limit} initial messages: publish new ones with rotate=True")
        self.limit = limit


# --- trust ----------------------------------------------------------------------------------------


class TrustError(LetterlockError):
    """The bytes are sound, but they may not come from the person that you expect."""

    cause = Cause.OTHER_IDENTITY


class UntrustedIdentity(TrustError):
    """The peer's identity key is not the recorded one: the peer has a new device, or somebody intercepts.

    `address` is the peer's, and `identity` holds the 32 bytes of the new key. Compare safety numbers over
    another channel. If they agree, call `Account.accept_identity(address, identity)`; otherwise do nothing,
    and the key stays refused. `Account.encrypt` goes on to the old key meanwhile: if it stopped, a false
    message could silence a conversation.
    """

    TEXT: ClassVar[str] = (
        "the identity key of this address has changed: compare safety numbers, then accept it"
    )

    def __init__(self, address: "Address", identity: bytes) -> None:
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

    cause = Cause.STORAGE_FAILED


class WrongKey(StoreError):
    """The caller is wrong: this key or passphrase is not the store's, which is unchanged. Try another one."""

    cause = Cause.STORE_KEY


class CorruptStore(StoreError):
    """The storage was damaged or edited. Restore the whole store from a backup, and initiate new sessions."""

    cause = Cause.STORE_DAMAGED


class UnsupportedStore(StoreError):
    """The file is no letterlock store, or of a version that is unknown here. Check the path, or upgrade."""

    cause = Cause.OTHER_VERSION


class StoreBusy(StoreError):
    """Another thread or process kept the store locked for longer than the timeout. Try again."""

    cause = Cause.STORE_BUSY


def _ascii(address: "Address | None") -> str:
    """Return an address for a text. A valid name has no control characters; `ascii` escapes all others."""
    return "none" if address is None else f"{address.name!a}.{address.device_id}"
