"""The chain of this device: it seals texts for all members of a group.

    MK, CK'   = HMAC(CK, 0x01), HMAC(CK, 0x02)
    sealed    = 8 bytes || ChaCha20-Poly1305(MK, nonce, padded content, label || entry hash || header)
    signature = Ed25519 over label || entry hash || header || sealed

A seed serves for 5,000 texts, 16 epochs or seven days, whichever ends first, and never beyond the
revocation of a device. Then the device begins with a new one and hands it out: whoever stole the old one is
out. [GRP-4]

Not here: receiving (_receiving.py); the clock; when a device was revoked.
"""

from typing import Final

from letterlock._groups._epoch import EpochName, begin_chain, first_head, next_head
from letterlock._primitives import aead
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.ed25519 import Ed25519KeyPair, sign_with_pair
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.kdf import hmac_sha256_pair
from letterlock._primitives.labels import GROUP_SIGNATURE, GROUP_TEXT
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock._ratchet.keys import MessageKey
from letterlock._session.sealing import pad
from letterlock._wire.group_bodies import EpochSecret
from letterlock._wire.group_content import GroupContent, Heard
from letterlock._wire.group_limits import CHAIN_EPOCHS, MAX_CHAIN_TEXTS, MAX_HEARD
from letterlock._wire.group_text import GroupText, SenderName, TextPlace, signed_bytes
from letterlock._wire.message import SENT_NONCE_BYTES
from letterlock._wire.sender_chain import ChainSeed, GroupChainKey, SenderChain
from letterlock.errors import PlaintextTooLong, UsageError
from letterlock.limits import MAX_PLAINTEXT

MESSAGE: Final = b"\x01"
CHAIN: Final = b"\x02"
NONCE_PREFIX: Final = bytes(aead.NONCE_BYTES - SENT_NONCE_BYTES)
SEED_SECONDS: Final = 7 * 24 * 3600
"""How long a seed serves."""

_PAIR_BYTES: Final = 2 * KEY_BYTES


class SigningPairs(Secret):
    """Key pairs of this epoch and of later ones, a seed and a public key for each, joined."""

    __slots__ = ()
    LENGTH = None

    def first(self) -> bytes:
        """Return the pair, 64 bytes, of this epoch, for a signature and nothing else."""
        return self.expose()[:_PAIR_BYTES]

    def public_keys(self) -> bytes:
        """Return the public keys, 32 bytes each."""
        pairs = self.expose()
        return b"".join(pairs[at + KEY_BYTES : at + _PAIR_BYTES] for at in range(0, len(pairs), _PAIR_BYTES))

    def later(self) -> "SigningPairs | None":
        """Return the pairs without that of this epoch; None if no other is left."""
        rest = self.expose()[_PAIR_BYTES:]
        return SigningPairs(rest) if rest else None


@dataclass(frozen=True, slots=True)
class OwnChain(Uncopyable):
    """The chain of this device.

    `number` is that of its next text in the epoch, and `before` the number after the last text of the epoch
    under an earlier seed. `sent` counts texts under the seed.

    `begun` is when the seed was made, in seconds since 1970.
    """

    epoch: EpochName
    sender: SenderName
    number: int
    before: int
    key: GroupChainKey
    next_seed: ChainSeed
    pairs: SigningPairs
    head: bytes
    sent: int
    begun: int

    def __repr__(self) -> str:
        return f"<OwnChain: epoch {self.epoch.number}, number {self.number}>"


def begin(
    epoch: EpochName,
    sender: SenderName,
    secret: EpochSecret,
    now: int,
    entropy: Entropy,
    earlier: OwnChain | None = None,
) -> OwnChain:
    """Return a chain with a new seed, after an earlier one of this epoch if there is one. [GRP-29]

    Draws 32 bytes, and 32 for each of 16 signing keys.
    """
    before, head = (0, first_head(epoch, sender)) if earlier is None else (earlier.number, earlier.head)
    number = (before // MAX_CHAIN_TEXTS + 1) * MAX_CHAIN_TEXTS
    key, seed = begin_chain(ChainSeed(entropy(KEY_BYTES)), secret, epoch, sender)
    made = [Ed25519KeyPair.generate(entropy) for _ in range(CHAIN_EPOCHS)]
    pairs = SigningPairs(b"".join(each.seed.expose() + each.public.data for each in made))
    return OwnChain(epoch, sender, number, before, key, seed, pairs, head, 0, now)


def continued(chain: OwnChain, epoch: EpochName, secret: EpochSecret) -> OwnChain | None:
    """Return the chain in the epoch after its own, or None if its seed has served in all its epochs."""
    require_next(chain.epoch, epoch)
    pairs = chain.pairs.later()
    if pairs is None:
        return None
    key, seed = begin_chain(chain.next_seed, secret, epoch, chain.sender)
    head = first_head(epoch, chain.sender)
    return OwnChain(epoch, chain.sender, 0, 0, key, seed, pairs, head, chain.sent, chain.begun)


def is_worn(chain: OwnChain, now: int) -> bool:
    """Return whether a new seed is due before the next text.

    A clock that went back does not count. [GRP-4]
    """
    return chain.sent >= MAX_CHAIN_TEXTS or now - chain.begun >= SEED_SECONDS


def handed_out(chain: OwnChain) -> SenderChain:
    """Return what another device needs to read the texts from the next one on."""
    epoch = chain.epoch
    return SenderChain(
        epoch.group_id,
        epoch.number,
        epoch.opening,
        chain.number,
        chain.before,
        chain.key,
        chain.next_seed,
        chain.pairs.public_keys(),
    )


@dataclass(frozen=True, slots=True)
class SealedText(Uncopyable):
    """A text for the relay, and the chain to commit with it."""

    chain: OwnChain
    text: bytes

    def __repr__(self) -> str:
        return f"<SealedText: {len(self.text)} bytes>"


def seal_text(
    chain: OwnChain,
    entry: int,
    entry_hash: bytes,
    heard: tuple[Heard, ...],
    text: bytes,
    entropy: Entropy,
) -> SealedText:
    """Seal a text. `entry` and `entry_hash` name the newest entry of the log that this device has.

    Draws 8 bytes. Raises PlaintextTooLong above 16 MiB less what the content adds, UsageError if a new seed
    is due.
    """
    if chain.sent >= MAX_CHAIN_TEXTS:
        raise UsageError("the chain of this device is worn out: begin one with a new seed")
    if len(heard) > MAX_HEARD:
        raise UsageError(f"{len(heard)} heads of others; at most {MAX_HEARD}")
    content = GroupContent(chain.head, heard, text).encode()
    if len(content) > MAX_PLAINTEXT:
        raise PlaintextTooLong(len(text), MAX_PLAINTEXT - (len(content) - len(text)))
    next_key, message_key = hmac_sha256_pair(chain.key.expose(), CHAIN, MESSAGE)
    place = TextPlace(chain.epoch.group_id, chain.epoch.number, entry, chain.sender, chain.number)
    made = _sealed(chain, place, entry_hash, MessageKey(message_key), pad(content), entropy(SENT_NONCE_BYTES))
    after = OwnChain(
        chain.epoch,
        chain.sender,
        chain.number + 1,
        chain.before,
        GroupChainKey(next_key),
        chain.next_seed,
        chain.pairs,
        next_head(chain.head, made.hash()),
        chain.sent + 1,
        chain.begun,
    )
    return SealedText(after, made.encoded)


def _sealed(
    chain: OwnChain, place: TextPlace, entry_hash: bytes, key: MessageKey, padded: bytes, nonce: bytes
) -> GroupText:
    header = place.header()
    ciphertext = aead.seal(key.expose(), NONCE_PREFIX + nonce, padded, associated_data(entry_hash, header))
    sealed = nonce + ciphertext
    signature = sign_with_pair(chain.pairs.first(), to_sign(entry_hash, signed_bytes(header, sealed)))
    return GroupText.signed_with(place, sealed, signature)


def associated_data(entry_hash: bytes, header: bytes) -> bytes:
    """Return what the tag of a text authenticates beside its content."""
    return GROUP_TEXT + entry_hash + header


def to_sign(entry_hash: bytes, signed: bytes) -> bytes:
    """Return what the signature of a text signs."""
    return GROUP_SIGNATURE + entry_hash + signed


def require_next(before: EpochName, after: EpochName) -> None:
    """Raise ValueError unless one epoch of a group follows the other."""
    if (after.group_id, after.number) != (before.group_id, before.number + 1):
        raise ValueError("not the next epoch of this group")
