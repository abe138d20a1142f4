"""One of everything of the user layer that holds a secret, for the table in secret_holders.py."""

from collections.abc import Callable
from typing import Any, Final

from letterlock._primitives.composite import CompositeSeed, DeviceSigningKeyPair
from letterlock._primitives.curve25519 import IdentityKeyPair, PrivateKey
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._primitives.mldsa import MlDsa65KeyPair, MlDsaSeed
from letterlock._primitives.secretstream import FrameOpener, FrameSealer
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._records.history import HistoryRecord
from letterlock._records.link import LinkRecord
from letterlock._records.linking import LinkingRecord
from letterlock._records.pin import PinnedList
from letterlock._records.user import UserRecord
from letterlock._wire.address import Address
from letterlock._wire.content_bodies import ArchiveKey, HistoryKey, NewSeed
from letterlock._wire.linking import LinkingAnswer, LinkingNonce, LinkingPackage, LinkingPayload
from letterlock._wire.linking_payload import DocumentSeed, PayloadContents
from letterlock.relay import TicketKey
from letterlock.stores import MemoryStore
from letterlock.user._link import Link
from letterlock.user._linking import CodeShown, DeviceKeys, offer_link
from letterlock.user._new_device import NewDevice
from letterlock.user._user import User
from letterlock.user._user_contact import UserContact
from letterlock_vectors.operations.live_halves import LiveHalves
from letterlock_vectors.operations.live_recovery import LiveRecovery
from letterlock_vectors.operations.live_users import LiveUsers
from support.pair import NOON
from support.secret_pq_holders import MATERIAL
from support.user_tools import FULL, Owner

SIGNING_SECRETS: Final = [
    "ArchiveKey",
    "CompositeSeed",
    "DocumentSeed",
    "Ed25519Seed",
    "LinkingNonce",
    "LinkingPayload",
    "LinkingSecret",
    "MlDsaSeed",
    "XWingSeed",
]
SIGNING_ABSTRACT: Final = {"CompositeKeyPair", "_Stream"}

ml_dsa: Final = MlDsa65KeyPair(MlDsaSeed(MATERIAL[:32]))
edwards: Final = Ed25519KeyPair(Ed25519Seed(MATERIAL[32:]))
signing: Final = DeviceSigningKeyPair(CompositeSeed(MATERIAL))
xwing: Final = XWingKeyPair(XWingSeed(MATERIAL[:32]))
SECRET_PIN: Final = PinnedList(bytes(32), 2, bytes(32), b"", None, NOON)

SIGNING_TABLE: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "MlDsa65KeyPair": (lambda: ml_dsa, "<MlDsa65KeyPair: {DSA}>"),
    "XWingKeyPair": (lambda: xwing, "<XWingKeyPair: {XWING}>"),
    "UserRecord": (
        lambda: UserRecord(
            7, signing.seed, xwing.seed, SECRET_PIN, 1, ((1, DocumentSeed(MATERIAL[:32])),), MATERIAL[:8]
        ),
        (
            "UserRecord(device_id=7, signing=<CompositeSeed: hidden>, receiving=<XWingSeed: hidden>, "
            "pin={PIN}, shown=1, seeds=((1, <DocumentSeed: hidden>),), counter=0, restored=False, renew=(), "
            "discard=(), asked=0, withheld=0)"
        ),
    ),
    "HistoryKey": (
        lambda: HistoryKey(b"0123456789abcdef", ArchiveKey(MATERIAL[:32])),
        "HistoryKey(archive_id=b'0123456789abcdef')",
    ),
    "NewSeed": (lambda: NewSeed(2, DocumentSeed(MATERIAL[:32])), "NewSeed(generation=2)"),
    "Ed25519KeyPair": (lambda: edwards, "<Ed25519KeyPair: {ED}>"),
    "TicketKey": (lambda: TicketKey(MATERIAL[32:]), "<TicketKey: {ED}>"),
    "DeviceSigningKeyPair": (
        lambda: signing,
        "<DeviceSigningKeyPair: DeviceSigningKey(ml_dsa={DSA}, ed25519={ED})>",
    ),
}


def entropy(length: int) -> bytes:
    return (MATERIAL * 2)[:length]


def linking() -> dict[str, Any]:
    """Return every state of one linking, by the name of its class."""
    owner = Owner("secrets")
    keys = DeviceKeys(IdentityKeyPair.from_private(PrivateKey(MATERIAL[:32])), signing, xwing)
    shown = CodeShown.begin(keys, NOON, "here", entropy)
    offered = offer_link(owner.chain, shown.code, shown.bundle, NOON, (7, FULL))
    taken = shown.receive(offered.sealed, NOON, entropy)
    answered = offered.receive(taken.answer, NOON)
    _, package = answered.confirm(1, owner.keys(1).signing, MATERIAL, NOON)
    answer = LinkingAnswer(answered.proof, shown.nonce)
    states = (keys, shown, shown.code, taken, offered, answered, answer, taken.receive(package))
    return {
        type(each).__name__: each for each in (*states, LinkingPackage((), LinkingPayload(MATERIAL), b""))
    }


def state(name: str) -> Callable[[], object]:
    return lambda: linking()[name]


def linking_record() -> LinkingRecord:
    """Return what a new device keeps."""
    nonce = LinkingNonce(MATERIAL[:32])
    private = PrivateKey(MATERIAL[:32])
    return LinkingRecord(private, signing.seed, xwing.seed, nonce, linking()["LinkingCode"])


def link_record() -> LinkRecord:
    """Return what an old device keeps."""
    offered = linking()["Offered"]
    return LinkRecord(offered.code, offered.bundle, offered.offer, offered.sealed, b"answer", b"package")


LINKING: Final = (
    "DeviceKeys", "CodeShown", "LinkingCode", "OfferTaken", "Offered", "Answered", "LinkingAnswer", "Linked",
    "LinkingPackage",
)  # fmt: skip
SIGNING_TABLE["FrameSealer"] = (lambda: FrameSealer.begin(MATERIAL[:32], b"")[0], "<FrameSealer: hidden>")
SIGNING_TABLE["FrameOpener"] = (
    lambda: FrameOpener.begin(MATERIAL[:32], b"", bytes(24)),
    "<FrameOpener: hidden>",
)
SIGNING_TABLE["PayloadContents"] = (
    lambda: PayloadContents("alice", DocumentSeed(MATERIAL[:32]), (), ()),
    "{OBJECT}",
)
SIGNING_TABLE["NewDevice"] = (lambda: NewDevice.begin(MemoryStore()), "<NewDevice>")
SIGNING_TABLE["Link"] = (lambda: Link(User.create(MemoryStore(), "alice")._desk, b""), "<Link>")
SIGNING_TABLE["HistoryRecord"] = (
    lambda: HistoryRecord(Address("bob", 7), ArchiveKey(MATERIAL[:32])),
    "HistoryRecord(address=Address(name='bob', device_id=7))",
)
SIGNING_TABLE["LinkRecord"] = (link_record, "{OBJECT}")
SIGNING_TABLE["LinkingRecord"] = (linking_record, "{OBJECT}")
SIGNING_TABLE.update({name: (state(name), "{OBJECT}") for name in LINKING})


def signing_words() -> dict[str, str]:
    """What stands for public parts in the table."""
    return {
        "DSA": f"MlDsa65PublicKey({ml_dsa.public.data[:8].hex()}...)",
        "XWING": f"XWingPublicKey({xwing.public.data[:8].hex()}...)",
        "PIN": repr(SECRET_PIN),
        "ED": f"Ed25519PublicKey({edwards.public.data.hex()})",
    }


SIGNING_TABLE["User"] = (lambda: User.create(MemoryStore(), "alice"), "<User alice.1>")
SIGNING_TABLE["Desk"] = (lambda: User.create(MemoryStore(), "alice")._desk, "{OBJECT}")
SIGNING_TABLE["UserContact"] = (
    lambda: UserContact(User.create(MemoryStore(), "alice")._desk, "bob"),
    "<UserContact bob>",
)
SIGNING_TABLE["LiveUsers"] = (LiveUsers, "{OBJECT}")
SIGNING_TABLE["LiveRecovery"] = (lambda: LiveRecovery(LiveUsers()), "{OBJECT}")
SIGNING_TABLE["LiveHalves"] = (LiveHalves, "{OBJECT}")
