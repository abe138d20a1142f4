"""One message in a session: how it is encrypted, and how it is decrypted.

    padded     = plaintext || 0x80 || 0x00 ...      to PADME(len + 1), at least 32 bytes    [WIRE-9]
    nonce      = 4 zero bytes || 8 random bytes; the 8 are sent                             [SES-1]
    sealed     = 8 bytes || ChaCha20-Poly1305(MK, nonce, padded, AD || header bytes)
    AD         = 32 bytes of the handshake's transcript
    header bytes = the message's bytes before `sealed`                                      [RAT-8]

PADME keeps the first few bits of a length and rounds the rest up: at most 12 % more, and O(log log n) bits of
the length remain visible. Opening accepts exactly what sealing makes: one padding for one plaintext. Source:
Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs" (2019),
algorithm 1.

Every key seals once. The random nonce protects a store that was restored from an older copy, where a key can
come twice: under a constant nonce the two ciphertexts would reveal the sum of the two plaintexts.

Pure functions: each returns the session to commit, or raises and nothing has happened.     [RAT-6]

Not here: keys (_ratchet/); which session a message belongs to (peer_sessions.py).
"""

from typing import Final

from letterlock._primitives import aead
from letterlock._primitives.curve25519 import RatchetKey
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._ratchet.keys import MessageKey
from letterlock._ratchet.ratchet import NONE_SKIPPED, FindKept, Skipped, nothing_kept
from letterlock._session.session import Ended, Established, Initiated, Live, Origin
from letterlock._wire import cbor
from letterlock._wire.message import SENT_NONCE_BYTES, Header, RatchetMessage
from letterlock._wire.pq_header import PqHeader
from letterlock.errors import AuthenticationFailed, BraidFailed, MalformedMessage, PlaintextTooLong
from letterlock.limits import MAX_PLAINTEXT, MIN_PADDED

_LONG: Final = 4096
"""From this many bytes on, a view of a ciphertext is cheaper than a copy."""
_MARK: Final = b"\x80"
_WRONG_PADDING: Final = "padding is not what sealing makes: discard the message"
_NONCE_PREFIX: Final = bytes(aead.NONCE_BYTES - SENT_NONCE_BYTES)


@dataclass(frozen=True, slots=True)
class Encrypted(Uncopyable):
    """A message to send, and the session to commit with it."""

    session: Live
    message: bytes

    def __repr__(self) -> str:
        return f"<Encrypted: {len(self.message)} bytes>"


@dataclass(frozen=True, slots=True)
class Decrypted(Uncopyable):
    """An authenticated message: its plaintext, and all that is now to be committed.

    `session` is Ended if the message's post-quantum header contradicts earlier ones.
    """

    session: Established | Ended
    plaintext: bytes
    skipped: Skipped = NONE_SKIPPED
    finished: RatchetKey | None = None

    def __repr__(self) -> str:
        return f"<Decrypted: {len(self.plaintext)} bytes, {self.skipped.count} skipped keys>"


def encrypt(session: Live, plaintext: bytes, entropy: Entropy) -> Encrypted:
    """Return one more message. Draws as `Ratchet.next_message`, then 8 bytes.

    Raises PlaintextTooLong above 16 MiB, UsageError when a chain is full.
    """
    if len(plaintext) > MAX_PLAINTEXT:
        raise PlaintextTooLong(len(plaintext), MAX_PLAINTEXT)
    origin, padded = session.origin, pad(plaintext)
    repeated = b"" if isinstance(session, Established) else session.header_bytes
    sent = session.ratchet.next_message(len(repeated) + len(padded), entropy)
    nonce = entropy(SENT_NONCE_BYTES)
    message = _seal(
        sent.key, origin.associated_data, sent.header.encode_header(sent.pq_header), padded, nonce
    )
    if isinstance(session, Established):
        after = Established(origin, sent.state, session.promote_next, session.yields, session.archived)
        return Encrypted(after, message)
    return Encrypted(
        Initiated(origin, repeated, sent.state, session.archived), cbor.complete_array(repeated, message)
    )


def decrypt(
    session: Live,
    message: RatchetMessage,
    find: FindKept = nothing_kept,
    kept: MessageKey | None = None,
) -> Decrypted:
    """Return the plaintext of a message; `kept` is its double-ratchet key if that was kept when skipped.

    `find` finds the sparse key of a message that is late.

    Raises AuthenticationFailed, DuplicateMessage, TooManySkipped, InvalidKey, MalformedMessage.
    """
    origin = session.origin
    found = session.ratchet.find_message_key(message, kept, find, origin.associated_data)
    plaintext = open_message(found.key, origin.associated_data, message)
    # The tag has verified: from here on the message is the peer's.  RAT-6
    try:
        committed = found.commit()
    except BraidFailed:  # PQR-5: its text is the peer's all the same
        return Decrypted(Ended(origin), plaintext)
    except BaseException:
        del plaintext  # a reporter of errors may show the variables of every frame
        raise
    # A late message does not tell which session the peer uses now, so it leaves `promote_next` unchanged.
    promote_next, yields = False, 0
    if isinstance(session, Established):
        promote_next, yields = kept is not None and session.promote_next, session.yields
    after = Established(origin, committed.state, promote_next, yields, session.archived)
    return Decrypted(after, plaintext, committed.skipped, committed.finished)


def is_as_sent(origin: Origin, header: Header, *, in_initial: bool) -> bool:
    """Return whether a message of a session arrived as its author sends it: in an initial message, or alone.

    In a session that the peer began, the messages of its first chain come in initial messages, and no others
    do. PN is 0 in these alone, because the first chain has at least one message.                  [SES-15]
    """
    return in_initial is (origin.handshake_id is not None and header.previous_length == 0)


def seal_message(
    key: MessageKey,
    associated_data: bytes,
    header: Header,
    plaintext: bytes,
    nonce: bytes,
    pq_header: PqHeader | None = None,
) -> bytes:
    """Return an encoded message; with a `pq_header` a triple message. `nonce` is 8 fresh random bytes."""
    return _seal(key, associated_data, header.encode_header(pq_header), pad(plaintext), nonce)


def _seal(key: MessageKey, associated_data: bytes, header_bytes: bytes, padded: bytes, nonce: bytes) -> bytes:
    ciphertext = aead.seal(key.expose(), _NONCE_PREFIX + nonce, padded, associated_data + header_bytes)
    return cbor.complete_array(header_bytes, nonce, ciphertext)


def open_message(key: MessageKey, associated_data: bytes, message: RatchetMessage) -> bytes:
    """Return the plaintext. Raises AuthenticationFailed; MalformedMessage if the peer padded wrongly."""
    sealed: bytes | memoryview = message.sealed
    nonce = message.sealed[:SENT_NONCE_BYTES]
    if len(sealed) > _LONG:
        sealed = memoryview(sealed)
    ciphertext = sealed[SENT_NONCE_BYTES:]
    authenticated = associated_data + message.header_bytes
    padded = aead.open_sealed(key.expose(), _NONCE_PREFIX + nonce, ciphertext, authenticated)
    if padded is None:
        raise AuthenticationFailed
    length = _unpadded_length(padded)
    if length is None:
        del padded  # a reporter of errors may show the variables of every frame
        raise MalformedMessage(_WRONG_PADDING)
    return padded[:length]


def padded_length(length: int) -> int:
    """Return the length in bytes to which `length` bytes of plaintext are padded."""
    needed = max(length + len(_MARK), MIN_PADDED)
    exponent = needed.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (needed + mask) & ~mask


def pad(plaintext: bytes) -> bytes:
    """Return plaintext, mark and zeros."""
    length = len(plaintext)
    # One join copies a long plaintext once; adding would copy it again for each sum.
    return b"".join((plaintext, _MARK, bytes(padded_length(length) - length - len(_MARK))))


def unpad(padded: bytes) -> bytes:
    """Return the plaintext. Raises MalformedMessage if `pad` would not have made this.

    The input has been authenticated, so the time this takes tells a stranger nothing.
    """
    length = _unpadded_length(padded)
    if length is None:
        del padded
        raise MalformedMessage(_WRONG_PADDING)
    return padded[:length]


def _unpadded_length(padded: bytes) -> int | None:
    """Return the plaintext's length in bytes, or None if `pad` would not have made this."""
    length = padded.rfind(_MARK)
    # There are only zeros behind the mark. They are counted where they stand, without copying a long text.
    zeros = padded.count(0, length) if length >= 0 else -1
    if length + len(_MARK) + zeros != len(padded) or length > MAX_PLAINTEXT:
        return None
    return length if padded_length(length) == len(padded) else None
