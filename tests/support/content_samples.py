"""Contents, and the bodies of the control kinds: right ones, from which tests make wrong ones."""

from dataclasses import replace
from typing import Final, TypeAlias

from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._wire.content import Attachment, Content, ContentKind
from letterlock._wire.content_bodies import (
    ArchiveKey,
    HistoryKey,
    ListNotice,
    NewSeed,
    Receipt,
    RetryCause,
    RetryRequest,
    SyncCopy,
)
from letterlock._wire.group_bodies import (
    EpochSecret,
    GroupReceipt,
    GroupRequest,
    GroupSecret,
    HistoryLetter,
    Wanted,
)
from letterlock._wire.linking_payload import DocumentSeed
from letterlock._wire.sender_chain import ChainSeed, GroupChainKey, SenderChain
from support.pair import NOON
from support.user_tools import FULL, Owner, material

Body: TypeAlias = (
    Receipt
    | RetryRequest
    | ListNotice
    | SyncCopy
    | HistoryKey
    | NewSeed
    | GroupSecret
    | GroupRequest
    | GroupReceipt
    | HistoryLetter
)

ID: Final = material("content id", 16)
TAG: Final = material("tag", 16)
OTHER_TAG: Final = material("other tag", 16)

TEXT: Final = Content(
    ContentKind.TEXT, ID, NOON, material("own head", 8), material("their head", 8), b"hello bob"
)
PICTURE: Final = Attachment("grüße 2 👋🏽.png", "image/png", b"\x89PNG\r\n\x1a\n")
WITH_ATTACHMENTS: Final = replace(
    TEXT,
    attachments=(PICTURE, Attachment("note", "text/plain; charset=utf-8", b"")),
    earlier=(TAG, OTHER_TAG),
)
CONTENTS: Final = (TEXT, WITH_ATTACHMENTS)

OWNER: Final = Owner("content", [(1, FULL)])
OWNER.next(add=[(2, FULL)])

RECEIPT: Final = Receipt((ID, TAG))
RETRY: Final = RetryRequest(TAG, RetryCause.UNREADABLE)
NOTICE: Final = ListNotice(tuple(OWNER.lists))
COPY: Final = SyncCopy("bob", material("user id", 32), TEXT)
HISTORY: Final = HistoryKey(ID, ArchiveKey(material("archive", 32)))
SEED: Final = NewSeed(2, DocumentSeed(material("document seed", 32)))
GROUP_SECRET: Final = GroupSecret(
    material("group", 16), 3, material("opening", 32), EpochSecret(material("epoch secret", 32))
)
GROUP_REQUEST: Final = GroupRequest(material("group", 16), 3, Wanted.CHAIN)
GROUP_RECEIPT: Final = GroupReceipt(material("group", 16), 3, 5, 7, material("head", 32))
GROUP_HISTORY: Final = HistoryLetter(material("group", 16), 3, 5, material("document", 16))
GROUP_CHAIN: Final = SenderChain(
    material("group", 16),
    3,
    material("opening", 32),
    7,
    0,
    GroupChainKey(material("chain key", 32)),
    ChainSeed(material("chain seed", 32)),
    Ed25519KeyPair(Ed25519Seed(material("signing", 32))).public.data,
)
BODIES: Final[tuple[Body, ...]] = (
    RECEIPT,
    RETRY,
    NOTICE,
    COPY,
    HISTORY,
    SEED,
    GROUP_SECRET,
    GROUP_REQUEST,
    GROUP_RECEIPT,
    GROUP_HISTORY,
)
