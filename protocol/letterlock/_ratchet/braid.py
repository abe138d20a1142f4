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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, assert_never

from letterlock._primitives.entropy import Entropy
from letterlock._primitives.fast_init import fast_init
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
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._ratchet.authenticator import BraidKdf
from letterlock._ratchet.braid_states import (
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
from letterlock._ratchet.side_data import Append, Clear, Read, Slot, Write
from letterlock._wire.pq_header import PqHeader, PqType
from letterlock.errors import AuthenticationFailed, BraidFailed, Cause, CorruptStore, InvalidKey
from letterlock.limits import CODEWORD_BYTES, MAX_CODEWORD_INDEX, MAX_CODEWORDS

_HEADER_TEXT: Final = HEADER_BYTES + KEY_BYTES
_CT2_TEXT: Final = SECOND_BYTES + KEY_BYTES
_INDEX_BYTES: Final = 2

Sending: TypeAlias = KeysSampled | HeaderSent | Ct1Received | Ct1Sampled | EkReceivedCt1Sampled | Ct2Sampled
"""The states that send the text in OUTGOING."""

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

_SENDS_BYTES: Final[Mapping[type[Sending], int]] = {
    KeysSampled: _HEADER_TEXT,
    HeaderSent: VECTOR_BYTES,
    Ct1Received: VECTOR_BYTES,
    Ct1Sampled: FIRST_BYTES,
    EkReceivedCt1Sampled: FIRST_BYTES,
    Ct2Sampled: _CT2_TEXT,
}
"""The length in bytes of the text in OUTGOING."""

_WITHOUT_CODEWORDS: Final[Mapping[type[Sending], PqType]] = {
    KeysSampled: PqType.NONE,
    HeaderSent: PqType.NONE,
    Ct1Received: PqType.CT1_ACK,
    Ct1Sampled: PqType.NONE,
    EkReceivedCt1Sampled: PqType.NONE,
    Ct2Sampled: PqType.NONE,
}
"""What a state sends in a message that spares the codewords: an acknowledgement goes on.  [PQR-9]"""


@fast_init
@dataclass(frozen=True, slots=True)
class BraidSent(Uncopyable):
    """What sending returns: the next state, the writes, the codewords to send, and a secret if it made one.

    `epoch` is the one being agreed on; the message's key belongs to the epoch before it.
    """

    state: Braid
    epoch: int
    type: PqType
    first: int = 0
    codewords: bytes = b""
    writes: tuple[Write, ...] = ()
    secret: EpochSecret | None = None


@fast_init
@dataclass(frozen=True, slots=True)
class BraidReceived(Uncopyable):
    """What receiving returns: the next state, the writes, and the secret of `epoch` if it completed one."""

    state: Braid
    writes: tuple[Write, ...] = ()
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
    read: Read,
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
            return _send_first_ct1(kdf, state, max_codewords, entropy, read)
        case EkSentCt1Received() | NoHeaderReceived() | Ct1Acknowledged():
            return BraidSent(state, state.epoch, SENDS[type(state)])
        case _:
            return _send_more(state, max_codewords, read, max_computed)


def _send_first_header(
    kdf: BraidKdf, state: KeysUnsampled, max_codewords: int, entropy: Entropy
) -> BraidSent:
    epoch, authenticator = state.epoch, state.authenticator
    seed = KemSeed(entropy(SEED_BYTES))
    header, _ = split(MlKem768KeyPair(seed).public)
    text = header + kdf.header_mac(authenticator, epoch, header)
    data, sent = _codewords(text, 0, max_codewords)
    after = KeysSampled(epoch, authenticator, seed, sent)
    return BraidSent(after, epoch, PqType.HDR, 0, data, (Append(Slot.OUTGOING, text),))


def _send_first_ct1(
    kdf: BraidKdf, state: HeaderReceived, max_codewords: int, entropy: Entropy, read: Read
) -> BraidSent:
    epoch = state.epoch
    header = _held(read, Slot.KEPT, HEADER_BYTES)
    m = EncapsulationRandomness.generate(entropy)
    shared, ct1 = encapsulate_header(header, m)
    secret = kdf.epoch_secret(shared, epoch)
    data, sent = _codewords(ct1, 0, max_codewords)
    after = Ct1Sampled(epoch, kdf.update(state.authenticator, epoch, secret), m, sent)
    return BraidSent(after, epoch, PqType.CT1, 0, data, (Append(Slot.OUTGOING, ct1),), secret)


def _send_more(state: Sending, max_codewords: int, read: Read, max_computed: int) -> BraidSent:
    if max_computed == 0 and state.sent >= _SENDS_BYTES[type(state)] // CODEWORD_BYTES:
        return BraidSent(state, state.epoch, _WITHOUT_CODEWORDS[type(state)])  # PQR-9
    text = _held(read, Slot.OUTGOING, _SENDS_BYTES[type(state)])
    data, sent = _codewords(text, state.sent, max_codewords, max_computed)
    return BraidSent(replace(state, sent=sent), state.epoch, SENDS[type(state)], state.sent, data)


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


def receive(kdf: BraidKdf, state: Braid, pq_header: PqHeader, read: Read) -> BraidReceived:
    """Return what an authenticated message changes. Raises BraidFailed.

    The caller has called `check_epoch`. A message of an earlier epoch, or of no use in this state, changes
    nothing.
    """
    if isinstance(state, Ct2Sampled) and pq_header.epoch == state.epoch + 1:
        return BraidReceived(KeysUnsampled(pq_header.epoch, state.authenticator), (Clear(Slot.OUTGOING),))
    on = RECEIVES.get((type(state), pq_header.type))
    if on is None or pq_header.epoch != state.epoch:
        return BraidReceived(state)
    return on(kdf, state, pq_header, read)


def _begin_ct1(kdf: BraidKdf, state: KeysSampled, pq_header: PqHeader, read: Read) -> BraidReceived:
    _, vector = split(MlKem768KeyPair(state.seed).public)
    begun = HeaderSent(state.epoch, state.authenticator, state.seed, 0, ())
    after = _more_ct1(kdf, begun, pq_header, read)
    return replace(after, writes=(Clear(Slot.OUTGOING), Append(Slot.OUTGOING, vector), *after.writes))


def _more_ct1(_: BraidKdf, state: HeaderSent, pq_header: PqHeader, read: Read) -> BraidReceived:
    got, new, text = _collect(FIRST_BYTES, state.got, pq_header, read)
    if text is None:
        return BraidReceived(replace(state, got=got), new)
    after = Ct1Received(state.epoch, state.authenticator, state.seed, state.sent)
    return BraidReceived(after, (Clear(Slot.INCOMING), Append(Slot.KEPT, text)))


def _begin_ct2(kdf: BraidKdf, state: Ct1Received, pq_header: PqHeader, read: Read) -> BraidReceived:
    begun = EkSentCt1Received(state.epoch, state.authenticator, state.seed, ())
    after = _more_ct2(kdf, begun, pq_header, read)
    return replace(after, writes=(Clear(Slot.OUTGOING), *after.writes))


def _more_ct2(kdf: BraidKdf, state: EkSentCt1Received, pq_header: PqHeader, read: Read) -> BraidReceived:
    got, new, text = _collect(_CT2_TEXT, state.got, pq_header, read)
    if text is None:
        return BraidReceived(replace(state, got=got), new)
    epoch = state.epoch
    ct1 = _held(read, Slot.KEPT, FIRST_BYTES)
    ciphertext, mac = ct1 + text[:SECOND_BYTES], text[SECOND_BYTES:]
    secret = kdf.epoch_secret(MlKem768KeyPair(state.seed).decapsulate(ciphertext), epoch)
    authenticator = kdf.update(state.authenticator, epoch, secret)
    _check(mac, kdf.ciphertext_mac(authenticator, epoch, ciphertext))
    after = NoHeaderReceived(epoch + 1, authenticator)
    return BraidReceived(after, (Clear(Slot.INCOMING), Clear(Slot.KEPT)), epoch, secret)


def _more_header(kdf: BraidKdf, state: NoHeaderReceived, pq_header: PqHeader, read: Read) -> BraidReceived:
    got, new, text = _collect(_HEADER_TEXT, state.got, pq_header, read)
    if text is None:
        return BraidReceived(replace(state, got=got), new)
    header, mac = text[:HEADER_BYTES], text[HEADER_BYTES:]
    _check(mac, kdf.header_mac(state.authenticator, state.epoch, header))
    after = HeaderReceived(state.epoch, state.authenticator)
    return BraidReceived(after, (Clear(Slot.INCOMING), Append(Slot.KEPT, header)))


def _more_vector(
    kdf: BraidKdf, state: Ct1Sampled | Ct1Acknowledged, pq_header: PqHeader, read: Read
) -> BraidReceived:
    got, new, vector = _collect(VECTOR_BYTES, state.got, pq_header, read)
    sent: tuple[Write, ...] = ()
    is_sending = isinstance(state, Ct1Sampled)
    if isinstance(state, Ct1Sampled) and pq_header.type is PqType.EK_CT1_ACK:
        # ct1 has arrived, so its text gives way to the codewords of the vector; m can make it again.
        state, sent = Ct1Acknowledged(state.epoch, state.authenticator, state.m, state.got), (_SENT,)
    if vector is None:
        return BraidReceived(replace(state, got=got), sent + new)
    # While we send ct1 it lies in OUTGOING, even if this very message acknowledges it.
    ct1 = _held(read, Slot.OUTGOING, FIRST_BYTES) if is_sending else None
    text = _second(kdf, state, vector, ct1, read)
    gone = (Clear(Slot.INCOMING), Clear(Slot.KEPT))
    match state:
        case Ct1Sampled(epoch, authenticator):
            after = EkReceivedCt1Sampled(epoch, authenticator, state.sent)
            return BraidReceived(after, (*gone, Append(Slot.KEPT, text)))
        case Ct1Acknowledged(epoch, authenticator):
            writes = (*gone, *sent, Append(Slot.OUTGOING, text))
            return BraidReceived(Ct2Sampled(epoch, authenticator, 0), writes)
        case _:
            assert_never(state)


def _second(
    kdf: BraidKdf, state: Ct1Sampled | Ct1Acknowledged, vector: bytes, ct1: bytes | None, read: Read
) -> bytes:
    """Return ct2 with the MAC of ct1 || ct2. Raises BraidFailed if vector and header do not fit.  PRIM-11"""
    header = _held(read, Slot.KEPT, HEADER_BYTES)
    try:
        ct2 = encapsulate_vector(header, vector, state.m)
    except InvalidKey:
        raise BraidFailed(_CONTRADICTION) from None
    if ct1 is None:
        # Not before the vector is checked: a peer that repeats a wrong vector must not make us compute.
        _, ct1 = encapsulate_header(header, state.m)
    return ct2 + kdf.ciphertext_mac(state.authenticator, state.epoch, ct1 + ct2)


def _acknowledged(_: BraidKdf, state: EkReceivedCt1Sampled, __: PqHeader, read: Read) -> BraidReceived:
    text = _held(read, Slot.KEPT, _CT2_TEXT)
    after = Ct2Sampled(state.epoch, state.authenticator, 0)
    return BraidReceived(after, (Clear(Slot.OUTGOING), Clear(Slot.KEPT), Append(Slot.OUTGOING, text)))


def _collect(
    length: int, got: tuple[int, ...], pq_header: PqHeader, read: Read
) -> tuple[tuple[int, ...], tuple[Write, ...], bytes | None]:
    """Return the indices collected so far, the writes, and the text once it is complete.   RAT-12"""
    missing = length // CODEWORD_BYTES - len(got)
    pieces = (
        pq_header.codewords[at : at + CODEWORD_BYTES]
        for at in range(0, len(pq_header.codewords), CODEWORD_BYTES)
    )
    new = [Codeword(i, piece) for i, piece in enumerate(pieces, pq_header.first) if i not in got][:missing]
    if len(new) < missing:
        entry = b"".join(each.index.to_bytes(_INDEX_BYTES, "big") + each.data for each in new)
        return (*got, *(each.index for each in new)), (Append(Slot.INCOMING, entry),) if new else (), None
    earlier = b"".join(read(Slot.INCOMING)) if got else b""
    size = _INDEX_BYTES + CODEWORD_BYTES
    entries = (earlier[at : at + size] for at in range(0, len(earlier), size))
    known = [Codeword(int.from_bytes(each[:_INDEX_BYTES], "big"), each[_INDEX_BYTES:]) for each in entries]
    if len(earlier) != len(got) * size or tuple(each.index for each in known) != got:
        raise CorruptStore(_DAMAGED)
    return (), (), Collected(length).add([*known, *new]).text()


def _held(read: Read, slot: Slot, length: int) -> bytes:
    """Return the one entry of a slot. Raises CorruptStore, because a thief with the disk can delete rows."""
    entries = read(slot)
    if [len(each) for each in entries] != [length]:
        raise CorruptStore(_DAMAGED)
    return entries[0]


def _check(mac: bytes, expected: bytes) -> None:
    if not hmac.compare_digest(mac, expected):
        raise BraidFailed(_CONTRADICTION)


_DAMAGED: Final = "side data of a session is missing or damaged: restore the store from a copy"

_CONTRADICTION: Final = "the peer's post-quantum keys contradict each other: initiate a new session"

_SENT: Final = Clear(Slot.OUTGOING)

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
