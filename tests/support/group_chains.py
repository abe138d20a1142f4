"""A sender of a group's texts, and a member who has its chain, without users, logs and stores."""

from dataclasses import dataclass

from letterlock._groups._epoch import EpochName
from letterlock._groups._receiving import MemberChain, OpenedText, open_text, taken
from letterlock._groups._sending import OwnChain, begin, handed_out, seal_text, to_sign
from letterlock._primitives.ed25519 import sign_with_pair
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.group_bodies import EpochSecret
from letterlock._wire.group_content import Heard
from letterlock._wire.group_limits import MAX_CHAIN_TEXTS
from letterlock._wire.group_text import GroupText, SenderName, TextPlace, signed_bytes
from letterlock._wire.sender_chain import SenderChain

GROUP, OPENING, ENTRY = b"g" * 16, b"o" * 32, b"e" * 32
EPOCH = EpochName(GROUP, 1, OPENING)
NEXT = EpochName(GROUP, 2, b"p" * 32)
ALICE, BOB = SenderName(b"a" * 32, 1), SenderName(b"b" * 32, 2)
SECRET, NEXT_SECRET = EpochSecret(b"s" * 32), EpochSecret(b"t" * 32)
FIRST = MAX_CHAIN_TEXTS
"""The number of the first text under a new seed. GRP-29"""
DAY = 86_400


@dataclass
class Pair:
    """A sender, and a member who has the sender's chain."""

    own: OwnChain
    member: MemberChain

    def send(self, text: bytes = b"hello", *heard: Heard, entry_hash: bytes = ENTRY) -> GroupText:
        sealed = seal_text(self.own, 1, entry_hash, heard, text, ENTROPY)
        self.own = sealed.chain
        return GroupText.decode(sealed.text)

    def read(self, text: GroupText, entry_hash: bytes = ENTRY) -> OpenedText:
        opened = open_text(self.member, text, entry_hash)
        self.member = opened.chain
        return opened


ENTROPY = system_entropy


def pair(sender: SenderName = ALICE) -> Pair:
    own = begin(EPOCH, sender, SECRET, 0, ENTROPY)
    return Pair(own, join(own))


def join(own: OwnChain) -> MemberChain:
    return taken(SenderChain.decode(handed_out(own).encode()), own.sender)


def resigned(own: OwnChain, text: GroupText, place: TextPlace) -> GroupText:
    """Return a text as its sender itself would have moved it: signed, but not sealed again."""
    signature = sign_with_pair(own.pairs.first(), to_sign(ENTRY, signed_bytes(place.header(), text.sealed)))
    return GroupText.signed_with(place, text.sealed, signature)
