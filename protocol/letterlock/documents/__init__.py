"""Documents: files that are sealed once, shared by grants, and read for years.

    Documents           what a user seals, shares, reads and takes back
    DocumentFile        the content of a sealed document, to read from at any place
    Sealed, Opened, Granted, Version, Shared, Taken      what else it returns
    DocumentMetadata, SealOptions, Pace      what sealing is told
    DocumentStatement, SignedBy, Signer      what an author signed, and who that is
    Readable, Seekable, Writable, Resumable      the file objects that an application hands in
    Conditions          why something is granted, and until when
    LinkSecret, Password, ProvisionalKeys, ProvisionalSeeds      readers without an account
    ItemSession         many small items under one grant
    JsonDocuments       JSON sealed section by section for different readers: Section, SealedJson, OpenedJson
    decode_json, encode_json      JSON that every program reads as the same value: JsonObject
    BlindIndex          tokens by which a server finds documents without learning the value
    verify_access_record, AccessRecord, AccessEntry      who was granted what, checked with device lists alone
    Collections         sets of readers that a user is in: Collection, Member, Role
    CollectionChange, CollectionTaken, CollectionUpkeep      what it returns
    CollectionFork      evidence that a log was shown in two versions, for others to check
    Standing            what the newest device list says of a device that signed
    NoGrant, DocumentDamaged, WrongGrantedKey, UnknownAuthor, SignerRevoked      errors
    EpochDue, NoEpochKey, InvalidEntry, WrongEpochKey, CollectionForked      errors of collections

Not here: sockets and paths. An application hands in file objects, and carries grants.
"""

from letterlock._records.collection import CollectionPhase
from letterlock._wire.collection_member import Member, MemberKind, MemberName, Role
from letterlock._wire.document_header import DocumentMetadata
from letterlock._wire.document_trailer import DocumentStatement
from letterlock._wire.grant_recipient import RecipientKind
from letterlock._wire.grant_subject import SubjectKind
from letterlock._wire.json_text import JsonObject, decode_json, encode_json
from letterlock._wire.signed_by import SignedBy, Signer
from letterlock.documents._access_record import AccessEntry, AccessRecord, verify_access_record
from letterlock.documents._blind_index import BlindIndex
from letterlock.documents._bodies import Sealed, SealOptions
from letterlock.documents._changes import CollectionChange
from letterlock.documents._collection_errors import (
    CollectionForked,
    EpochDue,
    InvalidEntry,
    NoEpochKey,
    WrongEpochKey,
)
from letterlock.documents._collection_fork import CollectionFork
from letterlock.documents._collection_values import (
    ChangeOutcome,
    Collection,
    CollectionEvent,
    CollectionTaken,
    CollectionUpkeep,
    MissingLists,
)
from letterlock.documents._collections import Collections
from letterlock.documents._documents import Documents
from letterlock.documents._dues import DueReason
from letterlock.documents._errors import (
    DocumentDamaged,
    NoGrant,
    SignerRevoked,
    UnknownAuthor,
    WrongGrantedKey,
)
from letterlock.documents._file import DocumentFile
from letterlock.documents._granting import Conditions
from letterlock.documents._item_session import ItemSession
from letterlock.documents._json_documents import JsonDocuments
from letterlock.documents._json_opening import OpenedJson
from letterlock.documents._json_sealing import SealedJson, Section
from letterlock.documents._opening import Opened
from letterlock.documents._resuming import Resumable
from letterlock.documents._sealing import Pace
from letterlock.documents._secrets import LinkSecret, Password, ProvisionalKeys, ProvisionalSeeds
from letterlock.documents._signing import Standing
from letterlock.documents._streams import Readable, Seekable, Writable
from letterlock.documents._targets import CollectionKey
from letterlock.documents._values import Granted, Shared, Taken, Version

__all__ = [
    "AccessEntry",
    "AccessRecord",
    "BlindIndex",
    "ChangeOutcome",
    "Collection",
    "CollectionChange",
    "CollectionEvent",
    "CollectionFork",
    "CollectionForked",
    "CollectionKey",
    "CollectionPhase",
    "CollectionTaken",
    "CollectionUpkeep",
    "Collections",
    "Conditions",
    "DocumentDamaged",
    "DocumentFile",
    "DocumentMetadata",
    "DocumentStatement",
    "Documents",
    "DueReason",
    "EpochDue",
    "Granted",
    "InvalidEntry",
    "ItemSession",
    "JsonDocuments",
    "JsonObject",
    "LinkSecret",
    "Member",
    "MemberKind",
    "MemberName",
    "MissingLists",
    "NoEpochKey",
    "NoGrant",
    "Opened",
    "OpenedJson",
    "Pace",
    "Password",
    "ProvisionalKeys",
    "ProvisionalSeeds",
    "Readable",
    "RecipientKind",
    "Resumable",
    "Role",
    "SealOptions",
    "Sealed",
    "SealedJson",
    "Section",
    "Seekable",
    "Shared",
    "SignedBy",
    "Signer",
    "SignerRevoked",
    "Standing",
    "SubjectKind",
    "Taken",
    "UnknownAuthor",
    "Version",
    "Writable",
    "WrongEpochKey",
    "WrongGrantedKey",
    "decode_json",
    "encode_json",
    "verify_access_record",
]
