"""What a thief or somebody who was removed can do with all that a device had of a group.

    Loot      the chains and secrets of one device at one moment; `opens` tries everything on a text

It uses keys alone: no log, no list and no signature stands in its way, and a relay shows it all texts.

Not here: what a device itself would open (groups/).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from letterlock._groups._epoch import EpochName, begin_chain
from letterlock._groups._receiving import MemberChain
from letterlock._groups._sending import NONCE_PREFIX, associated_data
from letterlock._primitives import aead
from letterlock._primitives.kdf import hmac_sha256
from letterlock._wire.group_bodies import EpochSecret
from letterlock._wire.group_text import GroupText
from letterlock._wire.message import SENT_NONCE_BYTES
from letterlock._wire.sender_chain import ChainSeed, GroupChainKey
from support.groups_world import Phone, Sealed

MOST_TEXTS = 64
"""Texts of one chain in these tests."""


@dataclass(frozen=True)
class Loot:
    """All chains that a device had, by the numbers at which it had them, and the secrets of epochs."""

    chains: tuple[MemberChain, ...]
    secrets: Mapping[int, EpochSecret]

    @classmethod
    def of(cls, phone: Phone, group: bytes) -> "Loot":
        """Return what a device has now."""
        with phone.user.transaction():
            at = phone.groups._desk()
            epochs = {epoch: record for id_, epoch, record in at.book.epochs() if id_ == group}
            found = (
                at.book.chain(group, epoch, sender, first)
                for sender, _, first in at.book.all_newest(group)
                for epoch in epochs
            )
            chains = tuple(each.chain for each in found if each is not None)
        secrets = {epoch: each.secret for epoch, each in epochs.items() if each.secret is not None}
        return cls(chains, secrets)

    def __add__(self, other: "Loot") -> "Loot":
        return Loot(self.chains + other.chains, {**self.secrets, **other.secrets})

    def with_secrets(self, other: "Loot") -> "Loot":
        """Return this with all secrets of another one, and none of its chains."""
        return Loot(self.chains, {**self.secrets, **other.secrets})

    def opens(self, sealed: Sealed, openings: Mapping[int, bytes]) -> bool:
        """Return whether a text can be read. `openings` has the hash of the entry that began each epoch."""
        text = GroupText.decode(sealed.text)
        return any(_reads(key, first, text, sealed) for key, first in self._keys(text, openings))

    def _keys(self, text: GroupText, openings: Mapping[int, bytes]) -> Iterator[tuple[GroupChainKey, int]]:
        """Yield all chain keys that could be those of the text, with the numbers at which they are."""
        place = text.place
        for chain in self.chains:
            if chain.sender != place.sender:
                continue
            if chain.epoch.number == place.epoch:
                yield chain.key, chain.number
            seeds: list[ChainSeed] = [chain.next_seed]
            for epoch in range(chain.epoch.number + 1, place.epoch + 1):
                name = EpochName(place.group_id, epoch, openings[epoch])
                begun = [
                    begin_chain(seed, secret, name, chain.sender)
                    for seed in seeds
                    for secret in self._secrets_for(epoch)
                ]
                seeds = [seed for _, seed in begun]
                if epoch == place.epoch:
                    yield from ((key, 0) for key, _ in begun)

    def _secrets_for(self, epoch: int) -> list[EpochSecret]:
        """Return the secret of an epoch, or else all that there are: one might be used again."""
        known = self.secrets.get(epoch)
        return list(self.secrets.values()) if known is None else [known]


def _reads(key: GroupChainKey, first: int, text: GroupText, sealed: Sealed) -> bool:
    chain_key, number = key.expose(), text.place.number % 5000
    nonce, ciphertext = text.sealed[:SENT_NONCE_BYTES], text.sealed[SENT_NONCE_BYTES:]
    context = associated_data(sealed.head, text.header)
    for at in range(first % 5000, first % 5000 + MOST_TEXTS):
        message_key = hmac_sha256(chain_key, b"\x01")
        found = aead.open_sealed(message_key, NONCE_PREFIX + nonce, ciphertext, context)
        if found is not None:
            assert at == number
            return True
        chain_key = hmac_sha256(chain_key, b"\x02")
    return False
