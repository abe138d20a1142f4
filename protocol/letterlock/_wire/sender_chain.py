"""A sender's chain, as a device hands it to each device of the members inside a session.

    chain     = [1, 29, group id, epoch, opening, number, before, chain key, next seed, signing keys]

From it a member reads the texts of this sender from `number` on, in this epoch and the next ones whose
secrets it gets. It opens nothing that was sent before. `signing keys` are one Ed25519 key for this epoch
and one for each of the next, joined. The bytes are secret: they travel inside a session and nowhere else.
[GRP-3]

Not here: the session; whose chain it is, which the session says.
"""

from dataclasses import field

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.group_limits import CHAIN_EPOCHS, GROUP_ID_BYTES
from letterlock._wire.user_envelope import UserKind, read_user_envelope
from letterlock.limits import MAX_COUNTER, PROTOCOL_VERSION


class ChainSeed(Secret):
    """The seed of a chain in the next epoch: nothing without that epoch's secret."""

    __slots__ = ()


class GroupChainKey(Secret):
    """CK of a group: it gives the key of one text and the next chain key."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SenderChain(Uncopyable):
    """What is handed over. `opening`, 32 bytes, is the hash of the log's entry that began the epoch.

    `before` is the number after the last text of this epoch under an earlier seed, 0 for none. [GRP-29]
    `public_keys` has 32 bytes for this epoch and for each later one in which the seed serves.
    """

    group_id: bytes
    epoch: int
    opening: bytes = field(repr=False)
    number: int
    before: int
    key: GroupChainKey
    next_seed: ChainSeed
    public_keys: bytes = field(repr=False)

    def __repr__(self) -> str:
        return f"<SenderChain: epoch {self.epoch}, number {self.number}>"

    def encode(self) -> bytes:
        """Return the bytes to seal in a session. They are secret."""
        fields: list[cbor.Value] = [PROTOCOL_VERSION, int(UserKind.SENDER_CHAIN), self.group_id, self.epoch]
        fields += [
            self.opening,
            self.number,
            self.before,
            self.key.expose(),
            self.next_seed.expose(),
            self.public_keys,
        ]
        return cbor.encode(fields)

    @classmethod
    def decode(cls, data: bytes) -> "SenderChain":
        """Read what `encode` gives. Raises UnsupportedVersion, MalformedMessage, InvalidKey, UsageError."""
        fields = read_user_envelope(data, UserKind.SENDER_CHAIN)
        group_id = fields.blob("group id", GROUP_ID_BYTES)
        epoch = fields.uint_between("epoch", 1, MAX_COUNTER)
        opening, number = fields.blob("opening", HASH_BYTES), fields.uint("number", MAX_COUNTER)
        before = fields.uint("number before", number)
        key = GroupChainKey(fields.blob("chain key", KEY_BYTES))
        seed = ChainSeed(fields.blob("seed", KEY_BYTES))
        keys = fields.blob_between("signing keys", KEY_BYTES, CHAIN_EPOCHS * KEY_BYTES)
        if len(keys) % KEY_BYTES:
            raise fields.wrong("signing keys", f"keys of {KEY_BYTES} bytes")
        for at in range(0, len(keys), KEY_BYTES):
            Ed25519PublicKey(keys[at : at + KEY_BYTES])  # a weak key would let others write in its name
        return cls(group_id, epoch, opening, number, before, key, seed, keys)
