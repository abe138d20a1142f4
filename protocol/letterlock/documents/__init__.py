"""Documents: files that are sealed once, shared by grants, and read for years.

    Documents           what a user seals, shares, reads and takes back
    Granted, Version, Shared, Taken      what it returns
    Conditions          why something is granted, and until when
    LinkSecret, Password, ProvisionalKeys, ProvisionalSeeds      readers without an account
    ItemSession         many small items under one grant
    verify_access_record, AccessRecord, AccessEntry      who was granted what, checked with device lists alone
    Standing            what the newest device list says of a device that signed
    NoGrant, DocumentDamaged, WrongGrantedKey, UnknownAuthor, SignerRevoked      its errors

Not here: sockets and paths. An application hands in file objects, and carries grants.
"""

from letterlock._wire.grant_recipient import RecipientKind
from letterlock._wire.grant_subject import SubjectKind
from letterlock.documents._access_record import AccessEntry, AccessRecord, verify_access_record
from letterlock.documents._documents import Documents
from letterlock.documents._errors import (
    DocumentDamaged,
    NoGrant,
    SignerRevoked,
    UnknownAuthor,
    WrongGrantedKey,
)
from letterlock.documents._granting import Conditions
from letterlock.documents._item_session import ItemSession
from letterlock.documents._secrets import LinkSecret, Password, ProvisionalKeys, ProvisionalSeeds
from letterlock.documents._signing import Standing
from letterlock.documents._values import Granted, Shared, Taken, Version

__all__ = [
    "AccessEntry",
    "AccessRecord",
    "Conditions",
    "DocumentDamaged",
    "Documents",
    "Granted",
    "ItemSession",
    "LinkSecret",
    "NoGrant",
    "Password",
    "ProvisionalKeys",
    "ProvisionalSeeds",
    "RecipientKind",
    "Shared",
    "SignerRevoked",
    "Standing",
    "SubjectKind",
    "Taken",
    "UnknownAuthor",
    "Version",
    "WrongGrantedKey",
    "verify_access_record",
]
