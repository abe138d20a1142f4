"""Under which name a storage keeps a version of a document.

    name    HKDF(bytes(0), version key, "letterlock-v1 name of a blob" || id || BE4 version, 32), in base 16

So whoever can open a version finds it, and a storage sees nothing that two names have in common.  [BLB-1]

Not here: storages (blobs/).
"""

from letterlock._primitives import labels
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock.documents._shelf import Shelf
from letterlock.documents._version_key import VersionKey


def blob_name(key: VersionKey, id_: bytes, version: int) -> str:
    """Return the name of a version: 64 characters of 0 to 9 and a to f."""
    info = labels.BLOB_NAME + id_ + version.to_bytes(4, "big")
    return hkdf_sha256(b"", key.expose(), info, KEY_BYTES).hex()


def blob_names(shelf: Shelf, document: bytes, version: int | None) -> tuple[str, ...]:
    """Return the names that a version has by the keys on record, those of keys that were in use first.

    There is one, unless a granter gave a wrong key, which shows only in the document. Raises NoGrant.
    """
    first, key = shelf.first_key(SubjectKind.DOCUMENT, document, version)
    records = shelf.book.of_number(first.kind, document, first.number)
    subjects: dict[Subject, None] = dict.fromkeys([first, *(each.grant.terms.subject for each in records)])
    keys = [key, *(found for each in subjects for _, found in shelf.finder().keys(each))]
    fitting = [VersionKey(each.expose()) for each in keys if len(each.expose()) == KEY_BYTES]
    return tuple(dict.fromkeys(blob_name(each, document, first.number) for each in fitting))
