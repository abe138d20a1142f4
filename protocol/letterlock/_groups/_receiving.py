"""The chain of another device: it opens what that device sealed for the group.

    order     signature, chain key, tag, content; only then is anything committed                [GRP-7]

A text that is late is opened with the key that was kept for it. The heads that texts name are compared with
those on record: a difference means that the sender, or the sender and the relay together, showed different
texts to different members. [GRP-6]

Where the native module is installed, it opens what is not late (_in_order.py).

Not here: whether the sender is a member after the entry that a text names; stores.
"""

from enum import Enum
from itertools import repeat
from typing import Final, TypeAlias

from letterlock._groups._epoch import EpochName, begin_chain, first_head, next_head
from letterlock._groups._in_order import Step, step_natively
from letterlock._groups._sending import CHAIN, MESSAGE, NONCE_PREFIX, associated_data, require_next, to_sign
from letterlock._primitives import aead
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.ed25519 import verify_edwards
from letterlock._primitives.kdf import hmac_sha256, hmac_sha256_each, hmac_sha256_walk
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._ratchet.keys import MessageKey, SkippedKeys
from letterlock._session.sealing import unpad
from letterlock._wire.group_bodies import EpochSecret
from letterlock._wire.group_content import GroupContent, Heard
from letterlock._wire.group_limits import KEPT_HEADS, MAX_CHAIN_TEXTS, MAX_GROUP_SKIP
from letterlock._wire.group_text import GroupText, SenderName
from letterlock._wire.message import SENT_NONCE_BYTES
from letterlock._wire.sender_chain import ChainSeed, GroupChainKey, SenderChain
from letterlock.errors import AuthenticationFailed, DuplicateMessage, TooManySkipped

Heads: TypeAlias = tuple[tuple[int, bytes], ...]
"""Heads of a chain by how many texts they follow, in ascending order, at most 8."""

_NO_KEYS: Final = SkippedKeys(b"")


class Agreement(Enum):
    """What a head says that a member named, against the one on record."""

    UNKNOWN = "there is none on record to compare"
    SAME = "both saw the same texts"
    DIFFERENT = "they were shown different texts"


@dataclass(frozen=True, slots=True)
class MemberChain(Uncopyable):
    """The chain of another device.

    `number` is that of the next text in order. `public_keys` has 32 bytes an epoch.
    """

    epoch: EpochName
    sender: SenderName
    number: int
    key: GroupChainKey
    next_seed: ChainSeed
    public_keys: bytes
    heads: Heads

    def __repr__(self) -> str:
        return f"<MemberChain: epoch {self.epoch.number}, number {self.number}>"


@dataclass(frozen=True, slots=True)
class OpenedText(Uncopyable):
    """A text that is authentic, and what to commit with it.

    `skipped` are the keys of the texts from number `first_skipped` on that have not arrived. `agreement`
    compares what the sender says of its own earlier texts; `heard` is what it says of others.
    """

    chain: MemberChain
    text: bytes
    heard: tuple[Heard, ...]
    agreement: Agreement
    skipped: SkippedKeys
    first_skipped: int

    def __repr__(self) -> str:
        return f"<OpenedText: {len(self.text)} bytes>"


def taken(chain: SenderChain, sender: SenderName) -> MemberChain:
    """Return the chain that a device handed out inside its session. The session says who `sender` is."""
    epoch = EpochName(chain.group_id, chain.epoch, chain.opening)
    # Nothing came before the first text of the epoch: its head is known.
    is_first = chain.number in {0, MAX_CHAIN_TEXTS} and chain.before == 0
    heads = ((chain.number, first_head(epoch, sender)),) if is_first else ()
    return MemberChain(epoch, sender, chain.number, chain.key, chain.next_seed, chain.public_keys, heads)


def continued(chain: MemberChain, epoch: EpochName, secret: EpochSecret) -> MemberChain | None:
    """Return the chain in the epoch after its own, or None if its sender has to hand out a new one."""
    require_next(chain.epoch, epoch)
    public_keys = chain.public_keys[KEY_BYTES:]
    if not public_keys:
        return None
    key, seed = begin_chain(chain.next_seed, secret, epoch, chain.sender)
    heads = ((0, first_head(epoch, chain.sender)),)
    return MemberChain(epoch, chain.sender, 0, key, seed, public_keys, heads)


def open_text(
    chain: MemberChain, text: GroupText, entry_hash: bytes, kept: MessageKey | None = None
) -> OpenedText:
    """Open a text of this chain. `entry_hash` is that of the entry which the text names; `kept` its kept key.

    Raises InvalidSignature, DuplicateMessage, TooManySkipped, AuthenticationFailed; MalformedMessage if the
    sender sealed what is no content; ValueError for a text of another chain. Then nothing has happened.
    """
    place = text.place
    if (place.group_id, place.epoch) != (chain.epoch.group_id, chain.epoch.number):
        raise ValueError("a text of another epoch")
    if place.sender != chain.sender:
        raise ValueError("a text of another sender")
    public = chain.public_keys[:KEY_BYTES]
    step = step_natively(public, chain.number, chain.key, text, entry_hash)
    if step is None:
        verify_edwards(public, to_sign(entry_hash, text.signed), text.signature)
        step = _step(chain, text, entry_hash, kept)
    return _committed(chain, text, step)


def _step(chain: MemberChain, text: GroupText, entry_hash: bytes, kept: MessageKey | None) -> Step:
    """Return what a text leads to whose signature has verified. A late one moves no chain."""
    number = text.place.number
    if number < chain.number:
        if kept is None:  # GRP-8
            raise DuplicateMessage
        return chain.key, _NO_KEYS, _opened(kept, text, entry_hash)
    if number - chain.number > MAX_GROUP_SKIP:
        raise TooManySkipped(number - chain.number, MAX_GROUP_SKIP)
    *passed, own, after = hmac_sha256_walk(chain.key.expose(), repeat(CHAIN, number - chain.number + 1))
    content = _opened(MessageKey(hmac_sha256(own, MESSAGE)), text, entry_hash)
    # The tag has verified. Now the keys of what was skipped are worth deriving.  GRP-7
    skipped = SkippedKeys.join(hmac_sha256_each(passed, repeat(MESSAGE))) if passed else _NO_KEYS
    return GroupChainKey(after), skipped, content


def keys_until(chain: MemberChain, number: int) -> SkippedKeys:
    """Return the keys of the texts from the next one of a chain up to the one before `number`."""
    *passed, _ = hmac_sha256_walk(chain.key.expose(), repeat(CHAIN, number - chain.number))
    return SkippedKeys.join(hmac_sha256_each(passed, repeat(MESSAGE)))


def compare(chain: MemberChain, heard: Heard) -> Agreement:
    """Compare what another member heard of this chain with what arrived here."""
    known = dict(chain.heads).get(heard.number + 1)
    if known is None:
        return Agreement.UNKNOWN
    return Agreement.SAME if known == heard.head else Agreement.DIFFERENT


def _opened(key: MessageKey, text: GroupText, entry_hash: bytes) -> GroupContent:
    sealed = memoryview(text.sealed)
    nonce, ciphertext = bytes(sealed[:SENT_NONCE_BYTES]), sealed[SENT_NONCE_BYTES:]
    authenticated = associated_data(entry_hash, text.header)
    padded = aead.open_sealed(key.expose(), NONCE_PREFIX + nonce, ciphertext, authenticated)
    if padded is None:
        raise AuthenticationFailed
    return GroupContent.decode(unpad(padded))


def _committed(chain: MemberChain, text: GroupText, step: Step) -> OpenedText:
    key, skipped, content = step
    number = text.place.number
    known = dict(chain.heads)
    claims = {number: content.head_before, number + 1: next_head(content.head_before, text.hash())}
    compared = [known[each] == head for each, head in claims.items() if each in known]
    agreement = Agreement.UNKNOWN
    if compared:
        agreement = Agreement.SAME if all(compared) else Agreement.DIFFERENT
    # A head on record stays: it is the one that this device saw.
    heads = tuple(sorted({**claims, **known}.items()))[-KEPT_HEADS:]
    after = MemberChain(
        chain.epoch,
        chain.sender,
        max(chain.number, number + 1),
        key,
        chain.next_seed,
        chain.public_keys,
        heads,
    )
    return OpenedText(after, content.text, content.heard, agreement, skipped, chain.number)
