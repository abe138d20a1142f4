"""A session: what is kept for one conversation, and how it seals and opens messages.

    Initiated      the initial message's header is repeated until the peer answers
    Established    the peer has answered, or began

Pure functions: each returns the session to commit, or raises and nothing has happened.      [RAT-6]

Not here: which of several sessions a message belongs to (book.py); the phases' table (lifecycle.py).
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from letterlock.errors import PlaintextTooLong
from letterlock.handshake.agreement import Agreement, Initiation
from letterlock.limits import MAX_PLAINTEXT
from letterlock.primitives.curve25519 import RatchetKey, SignedPrekeyPair
from letterlock.primitives.entropy import Entropy
from letterlock.primitives.secret import Guarded
from letterlock.ratchet import double
from letterlock.ratchet.chain import MessageKey, SkippedKey
from letterlock.ratchet.double import Hearing, Opening, Speaking
from letterlock.ratchet.root import RootKey
from letterlock.session.sealing import open_, seal
from letterlock.wire import cbor
from letterlock.wire.message import SENT_NONCE_BYTES, InitialMessage, RatchetMessage
from letterlock.wire.suite import Suite


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a session comes from, for as long as it lives.

    `associated_data` are the 32 bytes of the transcript. `handshake` names the peer's initial message (32
    bytes), so that its repeats find their session; None if we initiated.
    """

    suite: Suite
    associated_data: bytes
    handshake: bytes | None


@dataclass(frozen=True, slots=True)
class Initiated(Guarded):
    """A session that the peer has not answered; `header` is the initial message up to its last element."""

    origin: Origin
    header: bytes
    ratchet: Opening


@dataclass(frozen=True, slots=True)
class Established(Guarded):
    """A session that both sides hold. `insists`: the peer used it although it yields to another."""

    origin: Origin
    ratchet: Hearing | Speaking
    insists: bool = False


Session: TypeAlias = Initiated | Established


@dataclass(frozen=True, slots=True)
class Opened(Guarded):
    """An authenticated message: its plaintext, and all that is now to be committed."""

    session: Established
    plaintext: bytes
    skipped: tuple[SkippedKey, ...]
    finished: RatchetKey | None

    def __repr__(self) -> str:
        return f"<Opened: {len(self.plaintext)} bytes, {len(self.skipped)} skipped keys>"


def initiated(initiation: Initiation, entropy: Entropy) -> Initiated:
    """Return the initiator's new session. Draws 32 bytes."""
    agreement, header = initiation.agreement, initiation.header
    root = RootKey(agreement.secret.expose())
    ratchet = double.initiator(root, initiation.signed_prekey, entropy)
    return Initiated(Origin(header.suite, agreement.associated_data, None), header.encode_open(), ratchet)


def accept(agreement: Agreement, signed: SignedPrekeyPair, initial: InitialMessage) -> Opened:
    """Open the first message of a handshake and return the recipient's new session with it.

    Raises AuthenticationFailed, TooManySkipped, InvalidKey, MalformedMessage; there is no session then.
    """
    waiting = double.recipient(RootKey(agreement.secret.expose()), signed)
    origin = Origin(initial.header.suite, agreement.associated_data, initial.id)
    return open_first(origin, waiting, initial.message)


def open_first(origin: Origin, waiting: double.Waiting, message: RatchetMessage) -> Opened:
    """Open the recipient's first message, whichever of the initiator's it is. Raises as `accept`."""
    return _open(origin, waiting, message)


def encrypt(session: Session, plaintext: bytes, entropy: Entropy) -> tuple[Session, bytes]:
    """Return the session after one more message, and the message. Draws 8 bytes, or 40 at a turn.

    Raises PlaintextTooLong above 16 MiB, UsageError when a chain is full.
    """
    if len(plaintext) > MAX_PLAINTEXT:
        raise PlaintextTooLong(len(plaintext), MAX_PLAINTEXT)
    sent = double.send(session.ratchet, entropy)
    message = seal(
        sent.key, session.origin.associated_data, sent.header, plaintext, entropy(SENT_NONCE_BYTES)
    )
    match session, sent.state:
        case Initiated(header=header), Opening() as state:
            return replace(session, ratchet=state), cbor.close(header, message)
        case Established(), Speaking() as state:
            return replace(session, ratchet=state), message
        case _:  # pragma: no cover - sending never changes who has answered
            raise AssertionError(type(sent.state).__name__)


def decrypt(session: Session, message: RatchetMessage) -> Opened:
    """Open a message that is not among the skipped ones.

    Raises AuthenticationFailed, DuplicateMessage, TooManySkipped, InvalidKey, MalformedMessage.
    """
    return _open(session.origin, session.ratchet, message)


def decrypt_late(session: Session, message: RatchetMessage, key: MessageKey) -> bytes:
    """Open a message whose key was kept when it was skipped. Raises AuthenticationFailed."""
    return open_(key, session.origin.associated_data, message)


def _open(origin: Origin, ratchet: double.State, message: RatchetMessage) -> Opened:
    received = double.receive(ratchet, message.header)
    plaintext = open_(received.key, origin.associated_data, message)
    # The tag has verified: from here on the message is the peer's.  RAT-6
    session = Established(origin, received.state)
    return Opened(session, plaintext, received.skipped_keys(), received.finished)


def yields(archived: Session, active: Session) -> bool:
    """Return whether a message in an archived session leaves the active one in place. [SES-4]

    It does if the active one is ours and not answered yet: we began anew on purpose, and a letter of the old
    session, late or held back by the network, must not undo that.

    And when both sides initiated at once there are two sessions that both hold. Each message would make the
    other side change to the one it came in, for ever if they keep writing at the same time. So of such a pair
    the one with the lower associated data stays active, until a second message in the other shows that the
    peer insists: it may have lost this one.
    """
    if isinstance(active, Initiated):
        return True
    crossed = (active.origin.handshake is None) != (archived.origin.handshake is None)
    insists = isinstance(archived, Established) and archived.insists
    return crossed and active.origin.associated_data < archived.origin.associated_data and not insists
