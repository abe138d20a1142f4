"""A session: what is kept from one handshake on with one device of a peer, and how it begins.

    Initiated      we initiated; the initial message's header is repeated until the peer answers
    Established    the peer has answered, or the peer initiated
    Ended          an authentic message contradicted earlier ones, or nobody answered for 30 days:
                   the keys are deleted                                           [PQR-5] [SES-17]

The suite of a session decides its ratchet (_ratchet/suites.py).                                    [PQR-8]

Not here: sealing and opening messages (sealing.py); which of several sessions a message belongs to
(peer_sessions.py); the phases of a session among others (lifecycle.py).
"""

from typing import TypeAlias

from letterlock._handshake.agreement import Agreement, Initiation
from letterlock._primitives.curve25519 import SignedPrekeyPair
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._ratchet.ratchet import Ratchet
from letterlock._ratchet.suites import RATCHETS
from letterlock._wire.message import InitialMessage
from letterlock._wire.suite import Suite
from letterlock.errors import AuthenticationFailed


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a session comes from; it does not change while the session is kept.

    `associated_data` are the 32 bytes of the handshake's transcript. `handshake_id` (32 bytes) names the
    peer's initial message, so that its repeats find their session; it is None if we initiated. `born` is
    greater than that of every session with the peer that began before. It is 0 in a new session, and in one
    that was stored before `born` was.
    """

    suite: Suite
    associated_data: bytes
    handshake_id: bytes | None
    born: int = 0


@dataclass(frozen=True, slots=True)
class Initiated(Uncopyable):
    """A session that the peer has not answered.

    `header_bytes` are those of the initial message before its last element. `archived` is when the session
    began, or when another session took its place, in seconds since 1970; 0 if that is not recorded. [SES-17]
    """

    origin: Origin
    header_bytes: bytes
    ratchet: Ratchet
    archived: int = 0


@dataclass(frozen=True, slots=True)
class Established(Uncopyable):
    """A session that both sides hold.

    `yields`: how many more messages the peer must send here before a session that it crossed can no longer
    take its place.                                                                                 [SES-12]

    `promote_next`: the peer used this session while another one stayed active. Its next message here makes
    this one active.                                                                                 [SES-4]

    `archived`: when another session took its place, in seconds since 1970; 0 while it is active.    [SES-16]
    """

    origin: Origin
    ratchet: Ratchet
    promote_next: bool = False
    yields: int = 0
    archived: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """A session whose two sides disagree, or that was never answered. It can neither encrypt nor decrypt.

    It stays in its place among the sessions, so that no earlier session takes over and nothing is sent until
    a new session begins.
    """

    origin: Origin


Session: TypeAlias = Initiated | Established | Ended
Live: TypeAlias = Initiated | Established
"""The sessions that have a ratchet."""


def initiated(initiation: Initiation, entropy: Entropy) -> Initiated:
    """Return the initiator's new session. Draws 32 bytes."""
    agreement, header = initiation.agreement, initiation.header
    origin = Origin(header.suite, agreement.associated_data, None)
    beginning = RATCHETS[header.suite]
    ratchet = beginning.initiator(agreement.secret, initiation.signed_prekey, entropy)
    return Initiated(origin, header.encode_header(), ratchet)


def responded(agreement: Agreement, signed: SignedPrekeyPair, initial: InitialMessage) -> Established:
    """Return the recipient's new session. It exists once the message in `initial` has authenticated.

    Raises AuthenticationFailed if that is not of the peer's first chain.
    """
    origin = Origin(initial.header.suite, agreement.associated_data, initial.id)
    if initial.message.header.previous_length:  # SES-15
        raise AuthenticationFailed
    return Established(origin, RATCHETS[origin.suite].recipient(agreement.secret, signed))
