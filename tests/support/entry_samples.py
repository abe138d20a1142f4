"""Records of entries: one of each kind and more, with how each is written and read."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from letterlock import Address
from letterlock._groups._epoch import EpochName
from letterlock._groups._receiving import MemberChain
from letterlock._groups._sending import OwnChain, SigningPairs
from letterlock._primitives.composite import CompositeSeed
from letterlock._primitives.curve25519 import PrivateKey
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._records.collection import CollectionPhase, LogState, decode_log, encode_log
from letterlock._records.collection_change import (
    Asked,
    ChangeRecord,
    EpochRecord,
    Wish,
    decode_change,
    decode_epoch,
    encode_change,
    encode_epoch,
)
from letterlock._records.contact import (
    ContactRecord,
    ContactState,
    NamesRecord,
    decode_contact,
    decode_names,
    encode_contact,
    encode_names,
)
from letterlock._records.device import DeviceRecord, decode_device, encode_device
from letterlock._records.grant import (
    GrantRecord,
    NumberRecord,
    SubjectRecord,
    decode_grant,
    decode_number,
    decode_subject,
    encode_grant,
    encode_number,
    encode_subject,
)
from letterlock._records.group import (
    GroupChangeRecord,
    GroupEpochRecord,
    StandRecord,
    decode_group_change,
    decode_group_epoch,
    decode_stand,
    encode_group_change,
    encode_group_epoch,
    encode_stand,
)
from letterlock._records.group_chain import (
    AudienceRecord,
    ChainRecord,
    SendingRecord,
    decode_audience,
    decode_chain,
    decode_sending,
    encode_audience,
    encode_chain,
    encode_sending,
)
from letterlock._records.group_delivery import (
    ReadRecord,
    ReceiptRecord,
    SaidRecord,
    decode_read,
    decode_receipt,
    decode_said,
    encode_read,
    encode_receipt,
    encode_said,
)
from letterlock._records.group_mail import (
    GroupLetter,
    GroupMailRecord,
    LetterBody,
    decode_group_mail,
    encode_group_mail,
)
from letterlock._records.history import HistoryRecord, decode_history, encode_history
from letterlock._records.link import LinkRecord, decode_link, encode_link
from letterlock._records.linking import LinkingRecord, decode_linking, encode_linking
from letterlock._records.pin import PinnedList
from letterlock._records.received import ReceivedRecord, decode_received, encode_received
from letterlock._records.retry import RetryRecord, decode_retry, encode_retry
from letterlock._records.sent import SentPlace, SentRecord, decode_sent, encode_sent
from letterlock._records.user import UserRecord, decode_user, encode_user
from letterlock._wire.collection_member import Role
from letterlock._wire.content import ContentKind
from letterlock._wire.content_bodies import ArchiveKey, RetryCause
from letterlock._wire.group_content import Heard
from letterlock._wire.group_text import SenderName
from letterlock._wire.linking import (
    LinkingBundle,
    LinkingCode,
    LinkingNonce,
    LinkingOffer,
    LinkingSecret,
)
from letterlock._wire.linking_payload import DocumentSeed
from letterlock._wire.log_entry import Action
from letterlock.documents._collection_book import of_collection
from letterlock.limits import HEAD_BYTES
from letterlock.stores import Record
from support.collection_logs import Log, opening_at, sub, user
from support.collection_logs import member as collection_member
from support.content_samples import (
    GROUP_CHAIN,
    GROUP_REQUEST,
    GROUP_SECRET,
    ID,
    OTHER_TAG,
    OWNER,
    TAG,
    TEXT,
    WITH_ATTACHMENTS,
)
from support.grant_samples import grant_sample
from support.pair import NOON
from support.user_tools import keys, material

HEAD: Final = material("a head", HEAD_BYTES)
BOB: Final = Address("bøb", 7)


def pin(version: int = len(OWNER.lists)) -> PinnedList:
    """Return what is pinned of the owner of the sample lists."""
    lists = OWNER.lists[:version]
    heads = b"".join(each.hash[:HEAD_BYTES] for each in lists)
    return PinnedList(OWNER.user_id, version, lists[-1].hash, heads, lists[-1].snapshot, NOON)


PIN: Final = pin()
BARE_PIN: Final = replace(PIN, heads=b"", snapshot=None)

USER: Final = UserRecord(
    1,
    CompositeSeed(material("signing", 64)),
    XWingSeed(material("receiving", 32)),
    PIN,
    2,
    ((1, DocumentSeed(material("one", 32))), (2, DocumentSeed(material("two", 32)))),
    HEAD,
    2**63 - 1,
    restored=True,
    renew=(2, 3),
    discard=(3,),
    asked=NOON,
    withheld=NOON,
)
CONTACT: Final = ContactRecord("bøb", PIN, ContactState.VERIFIED, None, HEAD, (1, 7), (7,), NOON)
FROZEN: Final = replace(CONTACT, state=ContactState.CONFLICTING, evidence=b"evidence")
SENT: Final = SentRecord(
    "bøb", WITH_ATTACHMENTS, (SentPlace(BOB), SentPlace(Address("alice", 2), TAG, 255, (OTHER_TAG, ID)))
)
RECEIVED: Final = ReceivedRecord(BOB, ID, owed=True)
RETRY: Final = RetryRecord(BOB, 255, RetryCause.RESTORED, NOON, ID)
DEVICE: Final = DeviceRecord(
    BOB,
    (NOON, NOON, NOON + 1),
    (0, 2**63 - 1),
    3,
    reported=True,
    noticed=2,
    heard=NOON,
    session=7,
    since=NOON,
)

SHOWN: Final = LinkingRecord(
    PrivateKey(material("identity", 32)),
    CompositeSeed(material("signing", 64)),
    XWingSeed(material("receiving", 32)),
    LinkingNonce(material("nonce", 32)),
    LinkingCode(material("hash", 32), LinkingSecret(material("secret", 32)), NOON, "here"),
)

LINK_KEYS: Final = keys("a device to link")
LINK: Final = LinkRecord(
    SHOWN.code,
    LinkingBundle(
        LINK_KEYS.identity.public,
        LINK_KEYS.signing.public,
        XWingKeyPair(SHOWN.receiving).public,
        SHOWN.nonce.commitment,
    ),
    LinkingOffer(OWNER.lists[-1].snapshot, 1),
    bytes(2000),
)

HISTORY: Final = HistoryRecord(BOB, ArchiveKey(material("archive", 32)))

GROUP_MAIL: Final = GroupMailRecord(
    BOB,
    material("user id", 32),
    (
        GroupLetter(ContentKind.GROUP_SECRET, LetterBody(GROUP_SECRET.encode())),
        GroupLetter(ContentKind.GROUP_REQUEST, LetterBody(GROUP_REQUEST.encode())),
        GroupLetter(ContentKind.GROUP_CHAIN, LetterBody(GROUP_CHAIN.encode())),
    ),
)

GRANT: Final = GrantRecord(grant_sample())

LOG: Final = Log(
    collection_member("bob", since=1), collection_member(sub("team"), Role.WRITER), opening=opening_at(0)
)
COLLECTION: Final = LOG.add("alice", Action.ADD, collection_member("carol", generation=7))
ASKED: Final = (Asked(user("bob"), Role.READER, history=False), Asked(sub("team")))
CHANGE: Final = ChangeRecord(
    Wish(Action.ADD, ASKED, "n", 3), LOG.entries[-1].encode(), (user("bob"),), accepted=True
)

GROUP_EPOCH: Final = GroupEpochRecord(
    7,
    material("opening", 32),
    material("commitment", 32),
    GROUP_SECRET.secret,
    NOON,
    frozenset({material("owed", 32)}),
    frozenset({2, 7}),
)
STAND: Final = StandRecord(
    9,
    material("head", 32),
    2,
    material("opening", 32),
    CollectionPhase.OPEN,
    may_send=True,
    forked=False,
    heard=(Heard(1, 2, 3, 5, material("heard", 32)),),
    told=True,
)
SENDER: Final = SenderName(material("user id", 32), 7)
EPOCH_NAME: Final = EpochName(material("group", 16), 3, material("opening", 32))
SENDING: Final = SendingRecord(
    9,
    material("head", 32),
    5,
    material("own lists", 32),
    OwnChain(
        EPOCH_NAME,
        SENDER,
        5_007,
        3,
        GROUP_CHAIN.key,
        GROUP_CHAIN.next_seed,
        SigningPairs(material("pairs", 128)),
        material("head of texts", 32),
        7,
        NOON,
    ),
)
MEMBER_CHAIN: Final = ChainRecord(
    MemberChain(
        EPOCH_NAME,
        SENDER,
        5_007,
        GROUP_CHAIN.key,
        GROUP_CHAIN.next_seed,
        GROUP_CHAIN.public_keys,
        ((5_006, material("one", 32)), (5_007, material("two", 32))),
    ),
    until=5_009,
    checked=9,
    index=1,
    first=5_001,
    before=7,
    run=5_004,
)

Codec = tuple[Callable[[Any], Record], Callable[[Record], Any]]
CODECS: Final[dict[type, Codec]] = {
    UserRecord: (encode_user, decode_user),
    ContactRecord: (encode_contact, decode_contact),
    NamesRecord: (encode_names, decode_names),
    SentRecord: (encode_sent, decode_sent),
    ReceivedRecord: (encode_received, decode_received),
    RetryRecord: (encode_retry, decode_retry),
    DeviceRecord: (encode_device, decode_device),
    LinkingRecord: (encode_linking, decode_linking),
    LinkRecord: (encode_link, decode_link),
    HistoryRecord: (encode_history, decode_history),
    GroupMailRecord: (encode_group_mail, decode_group_mail),
    GroupEpochRecord: (encode_group_epoch, decode_group_epoch),
    StandRecord: (encode_stand, decode_stand),
    GroupChangeRecord: (encode_group_change, decode_group_change),
    AudienceRecord: (encode_audience, decode_audience),
    SendingRecord: (
        encode_sending,
        lambda record: decode_sending(record, EPOCH_NAME.group_id, SENDER.user_id),
    ),
    ChainRecord: (
        encode_chain,
        lambda record: decode_chain(record, EPOCH_NAME.group_id, EPOCH_NAME.number, SENDER),
    ),
    SaidRecord: (encode_said, decode_said),
    ReadRecord: (encode_read, decode_read),
    ReceiptRecord: (encode_receipt, decode_receipt),
    GrantRecord: (encode_grant, decode_grant),
    SubjectRecord: (encode_subject, decode_subject),
    NumberRecord: (encode_number, decode_number),
    LogState: (encode_log, decode_log),
    EpochRecord: (encode_epoch, decode_epoch),
    ChangeRecord: (encode_change, decode_change),
}
ENTRIES: Final[dict[str, Any]] = {
    "user": USER,
    "user of class limited": replace(
        USER,
        pin=pin(1),
        seeds=(),
        awaited=None,
        counter=0,
        restored=False,
        renew=(),
        discard=(),
        asked=0,
        withheld=0,
        shown=1,
    ),
    "contact": CONTACT,
    "new contact": ContactRecord("b", pin(1)),
    "contact of another device": ContactRecord("b", BARE_PIN),
    "frozen contact": FROZEN,
    "names": NamesRecord(("b", "bob")),
    "sent": SENT,
    "sent everywhere": replace(SENT, content=TEXT, places=()),
    "received": RECEIVED,
    "acknowledged": replace(RECEIVED, owed=False),
    "retry": RETRY,
    "retry that waits": RetryRecord(BOB, 0, RetryCause.OTHER),
    "device": DEVICE,
    "quiet device": DeviceRecord(BOB),
    "linking": SHOWN,
    "linking with an offer": replace(SHOWN, taken=(bytes(2000), b"answer")),
    "history": HISTORY,
    "mail about groups": GROUP_MAIL,
    "where a group stands": STAND,
    "group that may not be written in": replace(
        STAND, phase=CollectionPhase.SPENT, may_send=False, forked=True, heard=()
    ),
    "epoch of a group": GROUP_EPOCH,
    "epoch without a secret": replace(
        GROUP_EPOCH, secret=None, ended=None, owed=frozenset(), given=frozenset()
    ),
    "change of a group": GroupChangeRecord(CHANGE, GROUP_SECRET.secret),
    "change of a group that waits": GroupChangeRecord(ChangeRecord(Wish(Action.RENEW, epoch=2), b""), None),
    "own chain": SENDING,
    "audience": AudienceRecord({material("a", 32): frozenset({1, 7}), material("b", 32): frozenset({2})}),
    "nobody": AudienceRecord({}),
    "chain of a member": MEMBER_CHAIN,
    "newest chain of a member": replace(MEMBER_CHAIN, until=None),
    "text of this device": SaidRecord(9, material("head", 32)),
    "what a device has read": ReadRecord(((0, 3), (5, 5), (5_000, 5_007))),
    "receipt": ReceiptRecord(NOON),
    "receipt that was never sent": ReceiptRecord(0),
    "link": LINK,
    "grant": GRANT,
    "grant that was withdrawn": replace(GRANT, revoked=True, checked=True, withdrawn=7),
    "subject of grants": SubjectRecord((1, 7), (bytes(32), b"n" * 32)),
    "erased subject": SubjectRecord(erased=True),
    "version of a document": NumberRecord(b"l" * 32, (bytes(32),), (b"o" * 32, b"p" * 32)),
    "version without grants": NumberRecord(),
    "collection": COLLECTION,
    "forked collection": replace(COLLECTION, phase=CollectionPhase.CLOSED, forked=True),
    "epoch": EpochRecord(of_collection(COLLECTION.opening), COLLECTION.writers, frozenset({user("bob")})),
    "change": CHANGE,
    "change that waits": ChangeRecord(Wish(Action.RENEW, epoch=2), b""),
    "link with an answer": replace(LINK, answer=b"answer"),
    "link with a package": replace(LINK, answer=b"answer", package=b"package"),
}


def encoded(entry: object) -> bytes:
    """Return the bytes of an entry's record."""
    return CODECS[type(entry)][0](entry).expose()


def decoded(kind: type, data: bytes) -> Any:
    """Return the entry of a kind that a record of these bytes holds. Raises CorruptStore."""
    return CODECS[kind][1](Record(data))
