"""One of everything of groups that holds a secret, for the table in secret_holders.py."""

from collections.abc import Callable
from typing import Any, Final

from letterlock._groups._epoch import EpochName
from letterlock._groups._receiving import Agreement, MemberChain, OpenedText
from letterlock._groups._sending import OwnChain, SealedText, SigningPairs
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._ratchet.keys import SkippedKeys
from letterlock._records.collection_change import ChangeRecord, Wish
from letterlock._records.group import GroupChangeRecord, GroupEpochRecord
from letterlock._records.group_chain import ChainRecord, SendingRecord
from letterlock._records.group_mail import GroupLetter, GroupMailRecord, LetterBody
from letterlock._wire.address import Address
from letterlock._wire.content import ContentKind
from letterlock._wire.group_bodies import EpochSecret, GroupSecret
from letterlock._wire.group_text import SenderName
from letterlock._wire.log_entry import Action
from letterlock._wire.sender_chain import ChainSeed, GroupChainKey, SenderChain
from letterlock.groups import Groups
from letterlock.groups._desk import GroupDesk, Places, group_desk
from letterlock.stores import MemoryStore
from letterlock.user import User
from letterlock.user._user import desk_behind
from letterlock_vectors.inputs import Input
from letterlock_vectors.operations.group_members import MemberPlayer
from letterlock_vectors.operations.groups import ReceiverPlayer
from support.secret_pq_holders import MATERIAL

GROUP_SECRETS: Final = ["ChainSeed", "EpochSecret", "GroupChainKey", "LetterBody", "SigningPairs"]

SECRET: Final = MATERIAL[:32]
EPOCH: Final = EpochName(bytes(16), 1, bytes(32))
SENDER: Final = SenderName(bytes(32), 1)
KEY, SEED = GroupChainKey(SECRET), ChainSeed(SECRET)


CHANGE: Final = ChangeRecord(Wish(Action.RENEW), SECRET)
LETTER: Final = GroupLetter(ContentKind.GROUP_SECRET, LetterBody(SECRET))


def desk() -> GroupDesk:
    user = User.create(MemoryStore(), "alice")
    with user.transaction():
        return group_desk(desk_behind(user), user.user_id, Places())


def own() -> OwnChain:
    return OwnChain(EPOCH, SENDER, 0, 0, KEY, SEED, SigningPairs(MATERIAL), bytes(32), 0, 0)


def member() -> MemberChain:
    return MemberChain(EPOCH, SENDER, 0, KEY, SEED, bytes(32), ())


def receiver_player() -> ReceiverPlayer:
    public = Ed25519KeyPair(Ed25519Seed(SECRET)).public.data
    chain = SenderChain(bytes(16), 1, bytes(32), 0, 0, KEY, SEED, public).encode()
    given = {"chain": chain.hex(), "user_id": SENDER.user_id.hex(), "device_id": SENDER.device}
    return ReceiverPlayer(Input(given))


def member_player() -> MemberPlayer:
    return MemberPlayer(Input({"now": 0, "user_id": SENDER.user_id.hex(), "group_id": EPOCH.group_id.hex()}))


GROUP_TABLE: Final[dict[str, tuple[Callable[[], Any], str]]] = {
    "MemberPlayer": (member_player, "{OBJECT}"),
    "ReceiverPlayer": (receiver_player, "{OBJECT}"),
    "SenderChain": (
        lambda: SenderChain(bytes(16), 1, bytes(32), 0, 0, KEY, SEED, bytes(32)),
        "<SenderChain: epoch 1, number 0>",
    ),
    "GroupSecret": (
        lambda: GroupSecret(bytes(16), 1, bytes(32), EpochSecret(SECRET)),
        "GroupSecret(group_id={ZEROS}, epoch=1)",
    ),
    "GroupEpochRecord": (
        lambda: GroupEpochRecord(1, bytes(32), bytes(32), EpochSecret(SECRET)),
        "GroupEpochRecord(number=1, secret=<EpochSecret: hidden>, ended=None, given=frozenset())",
    ),
    "GroupChangeRecord": (
        lambda: GroupChangeRecord(CHANGE, EpochSecret(SECRET)),
        f"GroupChangeRecord(change={CHANGE!r}, secret=<EpochSecret: hidden>)",
    ),
    "SendingRecord": (
        lambda: SendingRecord(1, bytes(32), 0, bytes(32), own()),
        f"SendingRecord(number=1, stamp=0, chain={own()!r})",
    ),
    "ChainRecord": (
        lambda: ChainRecord(member()),
        f"ChainRecord(chain={member()!r}, until=None, checked=0, index=0, first=0, before=0, run=0)",
    ),
    "Groups": (lambda: Groups(User.create(MemoryStore(), "alice")), "<Groups of alice.1>"),
    "GroupHistories": (
        lambda: Groups(User.create(MemoryStore(), "alice")).histories,
        "<GroupHistories of alice.1>",
    ),
    "GroupDesk": (desk, "{OBJECT}"),
    "GroupLetter": (lambda: LETTER, f"{LETTER!r}"),
    "GroupMailRecord": (
        lambda: GroupMailRecord(Address("bob", 7), bytes(32), (LETTER,)),
        f"GroupMailRecord(address=Address(name='bob', device_id=7), letters=({LETTER!r},))",
    ),
    "OwnChain": (own, "<OwnChain: epoch 1, number 0>"),
    "MemberChain": (member, "<MemberChain: epoch 1, number 0>"),
    "SealedText": (lambda: SealedText(own(), bytes(7)), "<SealedText: 7 bytes>"),
    "OpenedText": (
        lambda: OpenedText(member(), SECRET, (), Agreement.SAME, SkippedKeys(MATERIAL), 0),
        "<OpenedText: 32 bytes>",
    ),
}
