"""The ML-KEM Braid (revision 1): both sides agree on fresh ML-KEM-768 secrets, by codewords in messages.

    state                  sends      on                      becomes
    --------------------   --------   ---------------------   ------------------------------------
    KeysUnsampled          Hdr        sending                 KeysSampled
    KeysSampled            Hdr        Ct1                     HeaderSent
    HeaderSent             Ek         Ct1, the last of it     Ct1Received
    Ct1Received            EkCt1Ack   Ct2                     EkSentCt1Received
    EkSentCt1Received      Ct1Ack     Ct2, the last of it     NoHeaderReceived, with a secret
    NoHeaderReceived       None       Hdr, the last of it     HeaderReceived
    HeaderReceived         Ct1        sending                 Ct1Sampled, with a secret
    Ct1Sampled             Ct1        Ek, the last of it      EkReceivedCt1Sampled
    Ct1Sampled             Ct1        EkCt1Ack                Ct1Acknowledged
    Ct1Sampled             Ct1        EkCt1Ack, the last      Ct2Sampled
    EkReceivedCt1Sampled   Ct1        Ct1Ack, EkCt1Ack        Ct2Sampled
    Ct1Acknowledged        None       Ek, EkCt1Ack, the last  Ct2Sampled
    Ct2Sampled             Ct2        the next epoch          KeysUnsampled

NoHeaderReceived and KeysUnsampled begin the next epoch, with the roles changed. A message that brings a whole
text goes through two rows at once. Any other message changes nothing.

`receive` is called for authenticated messages only. A message that contradicts itself is refused all the same
(BraidFailed): one of the two sides was restored from a copy, or the peer is not what it says.       [PQR-5]

Differences from the text: the vector is hashed before the seed, as FIPS 203 does, because the secrets would
never agree otherwise [PRIM-10]. ct2 is made as soon as the vector is complete, so that m can be dropped
earlier. Codewords of the vector without an acknowledgement are of use in Ct1Acknowledged. A message may carry
several codewords.

Not here: the sparse chains that the secrets go to (sparse.py); the MACs (authenticator.py).
"""

import hmac
import struct
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.mlkem import SEED_BYTES, KemSeed, MlKem768KeyPair
from letterlock._primitives.mlkem_split import (
    FIRST_BYTES,
    HEADER_BYTES,
    SECOND_BYTES,
    VECTOR_BYTES,
    EncapsulationRandomness,
    encapsulate_header,
    encapsulate_vector,
    split,
)
from letterlock._primitives.secret import Uncopyable
from letterlock._ratchet.authenticator import BraidKdf
from letterlock._ratchet.braid_states import (
    CT2_TEXT,
    ENTRY_BYTES,
    HEADER_TEXT,
    INDEX_BYTES,
    Braid,
    Ct1Acknowledged,
    Ct1Received,
    Ct1Sampled,
    Ct2Sampled,
    EkReceivedCt1Sampled,
    EkSentCt1Received,
    HeaderReceived,
    HeaderSent,
    KeysSampled,
    KeysUnsampled,
    NoHeaderReceived,
)
from letterlock._ratchet.erasure import Codeword, Collected, codewords
from letterlock._ratchet.pq_keys import EpochSecret, PqSharedSecret
from letterlock._wire.pq_header import PqHeader, PqType
from letterlock.errors import AuthenticationFailed, BraidFailed, Cause, InvalidKey
from letterlock.limits import CODEWORD_BYTES, MAX_CODEWORD_INDEX, MAX_CODEWORDS

Sending: TypeAlias = KeysSampled | HeaderSent | Ct1Received | Ct1Sampled | EkReceivedCt1Sampled | Ct2Sampled
"""The states that send codewords of `outgoing`."""

SENDS: Final[Mapping[type[Braid], PqType]] = {
    KeysUnsampled: PqType.HDR,
    KeysSampled: PqType.HDR,
    HeaderSent: PqType.EK,
    Ct1Received: PqType.EK_CT1_ACK,
    EkSentCt1Received: PqType.CT1_ACK,
    NoHeaderReceived: PqType.NONE,
    HeaderReceived: PqType.CT1,
    Ct1Sampled: PqType.CT1,
    EkReceivedCt1Sampled: PqType.CT1,
    Ct1Acknowledged: PqType.NONE,
    Ct2Sampled: PqType.CT2,
}
"""What each state sends: the table above, its first two columns."""

_WITHOUT_CODEWORDS: Final[Mapping[type[Sending], PqType]] = {
    KeysSampled: PqType.NONE,
    HeaderSent: PqType.NONE,
    Ct1Received: PqType.CT1_ACK,
    Ct1Sampled: PqType.NONE,
    EkReceivedCt1Sampled: PqType.NONE,
    Ct2Sampled: PqType.NONE,
}
"""What a state sends in a message that spares the codewords: an acknowledgement goes on.  [PQR-9]"""


@dataclass(frozen=True, slots=True)
class BraidSent(Uncopyable):
    """What sending returns: the next state, the codewords to send, and a secret if it made one.

    `epoch` is the one being agreed on; the message's key belongs to the epoch before it.
    """

    state: Braid
    epoch: int
    type: PqType
    first: int = 0
    codewords: bytes = b""
    secret: EpochSecret | None = None


@dataclass(frozen=True, slots=True)
class BraidReceived(Uncopyable):
    """What receiving returns: the next state, and the secret of `epoch` if it completed one."""

    state: Braid
    epoch: int = 0
    secret: EpochSecret | None = None


def initiator(kdf: BraidKdf, shared: PqSharedSecret) -> KeysUnsampled:
    """Return the initiator's first state: it sends the first KEM key, in epoch 1."""
    return KeysUnsampled(1, kdf.authenticator(shared))


def recipient(kdf: BraidKdf, shared: PqSharedSecret) -> NoHeaderReceived:
    """Return the recipient's first state."""
    return NoHeaderReceived(1, kdf.authenticator(shared))


# --- sending ----------------------------------------------------------------------------------------


def send(
    kdf: BraidKdf,
    state: Braid,
    max_codewords: int,
    entropy: Entropy,
    max_computed: int = MAX_CODEWORDS,
) -> BraidSent:
    """Return the next codewords to send, at most `max_codewords` (1 or more).

    At most `max_computed` of them (0 or more) lie beyond the pieces of the text. If that leaves none, the
    message has a type without codewords. Draws 64 bytes for a key, 32 for ct1.
    """
    match state:
        case KeysUnsampled():
            return _send_first_header(kdf, state, max_codewords, entropy)
        case HeaderReceived():
            return _send_first_ct1(kdf, state, max_codewords, entropy)
        case EkSentCt1Received() | NoHeaderReceived() | Ct1Acknowledged():
            return BraidSent(state, state.epoch, SENDS[type(state)])
        case _:
            return _send_more(state, max_codewords, max_computed)


def _send_first_header(
    kdf: BraidKdf, state: KeysUnsampled, max_codewords: int, entropy: Entropy
) -> BraidSent:
    epoch, authenticator = state.epoch, state.authenticator
    seed = KemSeed(entropy(SEED_BYTES))
    header, _ = split(MlKem768KeyPair(seed).public)
    text = header + kdf.header_mac(authenticator, epoch, header)
    data, sent = _codewords(text, 0, max_codewords)
    return BraidSent(KeysSampled(epoch, authenticator, seed, text, sent), epoch, PqType.HDR, 0, data)


def _send_first_ct1(kdf: BraidKdf, state: HeaderReceived, max_codewords: int, entropy: Entropy) -> BraidSent:
    epoch, header = state.epoch, state.kept
    m = EncapsulationRandomness.generate(entropy)
    shared, ct1 = encapsulate_header(header, m)
    secret = kdf.epoch_secret(shared, epoch)
    data, sent = _codewords(ct1, 0, max_codewords)
    after = Ct1Sampled(epoch, kdf.update(state.authenticator, epoch, secret), m, ct1, sent, b"", header)
    return BraidSent(after, epoch, PqType.CT1, 0, data, secret)


def _send_more(state: Sending, max_codewords: int, max_computed: int) -> BraidSent:
    if max_computed == 0 and state.sent >= len(state.outgoing) // CODEWORD_BYTES:
        return BraidSent(state, state.epoch, _WITHOUT_CODEWORDS[type(state)])  # PQR-9
    data, sent = _codewords(state.outgoing, state.sent, max_codewords, max_computed)
    return BraidSent(state.after_sending(sent), state.epoch, SENDS[type(state)], state.sent, data)


def _codewords(
    text: bytes, first: int, max_codewords: int, max_computed: int = MAX_CODEWORDS
) -> tuple[bytes, int]:
    """Return codewords from an index on, and the index after them. Index 0 follows the last index."""
    share = len(text) // CODEWORD_BYTES
    last = min(max(first, share) + max_computed, MAX_CODEWORD_INDEX + 1)
    end = min(first + min(max_codewords, share), last)
    return codewords(text, first, end), end % (MAX_CODEWORD_INDEX + 1)


# --- receiving --------------------------------------------------------------------------------------


def check_epoch(state: Braid, pq_header: PqHeader) -> None:
    """Raise AuthenticationFailed, before any derivation, for an epoch that no honest peer is in. [PQR-4]"""
    ahead = 1 if isinstance(state, Ct2Sampled) else 0
    if pq_header.epoch > state.epoch + ahead:
        raise AuthenticationFailed(Cause.OUR_STATE_WENT_BACK_PERHAPS)


def receive(kdf: BraidKdf, state: Braid, pq_header: PqHeader) -> BraidReceived:
    """Return what an authenticated message changes. Raises BraidFailed.

    The caller has called `check_epoch`. A message of an earlier epoch, or of no use in this state, changes
    nothing.
    """
    if isinstance(state, Ct2Sampled) and pq_header.epoch == state.epoch + 1:
        return BraidReceived(KeysUnsampled(pq_header.epoch, state.authenticator))
    on = RECEIVES.get((type(state), pq_header.type))
    if on is None or pq_header.epoch != state.epoch:
        return BraidReceived(state)
    return on(kdf, state, pq_header)


def _begin_ct1(kdf: BraidKdf, state: KeysSampled, pq_header: PqHeader) -> BraidReceived:
    _, vector = split(MlKem768KeyPair(state.seed).public)
    return _more_ct1(kdf, HeaderSent(state.epoch, state.authenticator, state.seed, vector, 0, b""), pq_header)


def _more_ct1(_: BraidKdf, state: HeaderSent, pq_header: PqHeader) -> BraidReceived:
    incoming, ct1 = _collect(FIRST_BYTES, state.incoming, pq_header)
    epoch, authenticator, seed, vector, sent = (
        state.epoch, state.authenticator, state.seed, state.outgoing, state.sent,
    )  # fmt: skip
    if ct1 is None:
        return BraidReceived(HeaderSent(epoch, authenticator, seed, vector, sent, incoming))
    return BraidReceived(Ct1Received(epoch, authenticator, seed, vector, sent, ct1))


def _begin_ct2(kdf: BraidKdf, state: Ct1Received, pq_header: PqHeader) -> BraidReceived:
    begun = EkSentCt1Received(state.epoch, state.authenticator, state.seed, b"", state.kept)
    return _more_ct2(kdf, begun, pq_header)


def _more_ct2(kdf: BraidKdf, state: EkSentCt1Received, pq_header: PqHeader) -> BraidReceived:
    incoming, text = _collect(CT2_TEXT, state.incoming, pq_header)
    epoch, ct1 = state.epoch, state.kept
    if text is None:
        return BraidReceived(EkSentCt1Received(epoch, state.authenticator, state.seed, incoming, ct1))
    ciphertext, mac = ct1 + text[:SECOND_BYTES], text[SECOND_BYTES:]
    secret = kdf.epoch_secret(MlKem768KeyPair(state.seed).decapsulate(ciphertext), epoch)
    authenticator = kdf.update(state.authenticator, epoch, secret)
    _check(mac, kdf.ciphertext_mac(authenticator, epoch, ciphertext))
    return BraidReceived(NoHeaderReceived(epoch + 1, authenticator), epoch, secret)


def _more_header(kdf: BraidKdf, state: NoHeaderReceived, pq_header: PqHeader) -> BraidReceived:
    incoming, text = _collect(HEADER_TEXT, state.incoming, pq_header)
    epoch, authenticator = state.epoch, state.authenticator
    if text is None:
        return BraidReceived(NoHeaderReceived(epoch, authenticator, incoming))
    header, mac = text[:HEADER_BYTES], text[HEADER_BYTES:]
    _check(mac, kdf.header_mac(authenticator, epoch, header))
    return BraidReceived(HeaderReceived(epoch, authenticator, header))


def _more_vector(kdf: BraidKdf, state: Ct1Sampled | Ct1Acknowledged, pq_header: PqHeader) -> BraidReceived:
    incoming, vector = _collect(VECTOR_BYTES, state.incoming, pq_header)
    epoch, authenticator, m, header = state.epoch, state.authenticator, state.m, state.kept
    # While we send ct1 we still have it. Later m can make it again.
    ct1 = state.outgoing if isinstance(state, Ct1Sampled) else None
    is_acknowledged = ct1 is None or pq_header.type is PqType.EK_CT1_ACK
    if vector is not None:
        text = _second(kdf, state, vector, ct1)
        if isinstance(state, Ct1Sampled) and not is_acknowledged:
            return BraidReceived(EkReceivedCt1Sampled(epoch, authenticator, state.outgoing, state.sent, text))
        return BraidReceived(Ct2Sampled(epoch, authenticator, text, 0))
    if isinstance(state, Ct1Sampled) and not is_acknowledged:
        return BraidReceived(
            Ct1Sampled(epoch, authenticator, m, state.outgoing, state.sent, incoming, header)
        )
    return BraidReceived(Ct1Acknowledged(epoch, authenticator, m, incoming, header))


def _second(kdf: BraidKdf, state: Ct1Sampled | Ct1Acknowledged, vector: bytes, ct1: bytes | None) -> bytes:
    """Return ct2 with the MAC of ct1 || ct2. Raises BraidFailed if vector and header do not fit.  PRIM-11"""
    header = state.kept
    try:
        ct2 = encapsulate_vector(header, vector, state.m)
    except InvalidKey:
        raise BraidFailed(_CONTRADICTION) from None
    if ct1 is None:
        # Not before the vector is checked: a peer that repeats a wrong vector must not make us compute.
        _, ct1 = encapsulate_header(header, state.m)
    return ct2 + kdf.ciphertext_mac(state.authenticator, state.epoch, ct1 + ct2)


def _acknowledged(_: BraidKdf, state: EkReceivedCt1Sampled, __: PqHeader) -> BraidReceived:
    return BraidReceived(Ct2Sampled(state.epoch, state.authenticator, state.kept, 0))


def _collect(length: int, incoming: bytes, pq_header: PqHeader) -> tuple[bytes, bytes | None]:
    """Return the codewords collected so far, or none and the text once it is complete.   RAT-12"""
    got, data = indices_in(incoming), pq_header.codewords
    missing = length // CODEWORD_BYTES - len(got)
    new = [
        index.to_bytes(INDEX_BYTES, "big") + data[at : at + CODEWORD_BYTES]
        for index, at in enumerate(range(0, len(data), CODEWORD_BYTES), pq_header.first)
        if index not in got
    ]
    collected = b"".join((incoming, *new[:missing]))
    if len(new) < missing:
        return collected, None
    entries = (collected[at : at + ENTRY_BYTES] for at in range(0, len(collected), ENTRY_BYTES))
    known = [Codeword(int.from_bytes(each[:INDEX_BYTES], "big"), each[INDEX_BYTES:]) for each in entries]
    return b"", Collected(length).add(known).text()


_each_index: Final = struct.Struct(f">H{CODEWORD_BYTES}x").iter_unpack


def indices_in(incoming: bytes) -> list[int]:
    """Return the indices of collected codewords, in order of arrival."""
    return [index for (index,) in _each_index(incoming)]


def _check(mac: bytes, expected: bytes) -> None:
    if not hmac.compare_digest(mac, expected):
        raise BraidFailed(_CONTRADICTION)


_CONTRADICTION: Final = "the peer's post-quantum keys contradict each other: initiate a new session"

RECEIVES: Final[Mapping[tuple[type[Braid], PqType], Callable[..., BraidReceived]]] = {
    (KeysSampled, PqType.CT1): _begin_ct1,
    (HeaderSent, PqType.CT1): _more_ct1,
    (Ct1Received, PqType.CT2): _begin_ct2,
    (EkSentCt1Received, PqType.CT2): _more_ct2,
    (NoHeaderReceived, PqType.HDR): _more_header,
    (Ct1Sampled, PqType.EK): _more_vector,
    (Ct1Sampled, PqType.EK_CT1_ACK): _more_vector,
    (Ct1Acknowledged, PqType.EK): _more_vector,
    (Ct1Acknowledged, PqType.EK_CT1_ACK): _more_vector,
    (EkReceivedCt1Sampled, PqType.CT1_ACK): _acknowledged,
    (EkReceivedCt1Sampled, PqType.EK_CT1_ACK): _acknowledged,
}
"""What each state does with which type of message. Ct2Sampled reacts to any message of the next epoch."""
