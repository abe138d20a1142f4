"""Where a storage keeps a JSON document: under one name for each section, so that readers of any find it.

    name       HKDF(bytes(0), section key, "letterlock-v1 name of json" || id || BE4 version, 32), in base 16
    document   under the name of the first section                                                 [BLB-5]
    pointer    "letterlock-v1 json at" || 0A || that name, under the names of the others

The document is put first, so whoever finds a pointer finds what it points to.

Not here: storages (blobs/); keys (_json_keys.py).
"""

import re
from collections.abc import Sequence
from typing import Final

from letterlock._primitives import labels
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire.grant_subject import SubjectKind
from letterlock._wire.json_document import JsonDocument
from letterlock._wire.json_limits import MAX_SEALED_JSON
from letterlock.documents._json_keys import JsonKey
from letterlock.documents._shelf import Shelf
from letterlock.errors import MalformedMessage

MOST_BYTES: Final = MAX_SEALED_JSON
"""Bytes of a blob that a reader looks at; what is longer is none of a JSON document."""
_START: Final = b"letterlock-v1 json at\n"
_POINTER: Final = re.compile(re.escape(_START) + rb"([0-9a-f]{64})")


def json_name(key: JsonKey, id_: bytes, version: int) -> str:
    """Return the name of a section: 64 characters of 0 to 9 and a to f."""
    info = labels.JSON_NAME + id_ + version.to_bytes(4, "big")
    return hkdf_sha256(b"", key.expose(), info, KEY_BYTES).hex()


def json_names(shelf: Shelf, document: bytes, version: int | None) -> tuple[int, tuple[str, ...]]:
    """Return a version, by default the newest, and its names by the keys on record. Raises NoGrant.

    Those of keys that were in use come first.
    """
    first, _ = shelf.first_key(SubjectKind.SECTION, document, version)
    records = shelf.book.of_number(first.kind, document, first.number)
    subjects = dict.fromkeys([first, *(each.grant.terms.subject for each in records)])
    finder = shelf.finder()
    keys = (key for each in subjects for _, key in finder.keys(each))
    names = (json_name(JsonKey(each.expose()), document, first.number) for each in keys)
    return first.number, tuple(dict.fromkeys(names))


def placed(names: Sequence[str], data: bytes) -> list[tuple[str, bytes]]:
    """Return what a storage keeps under each name, in the order in which it is put there."""
    pointer = _START + names[0].encode()
    return [(names[0], data), *((each, pointer) for each in names[1:])]


def pointed_at(blob: bytes) -> str | None:
    """Return the name that a pointer leads to, or None if the blob is none."""
    found = _POINTER.fullmatch(blob)
    return None if found is None else found[1].decode()


def is_document(data: bytes, place: tuple[bytes, int]) -> bool:
    """Return whether data is a sealed JSON document of an id and a version. Nothing of it was verified."""
    try:
        document = JsonDocument.decode(data)
    except MalformedMessage:
        return False
    return (document.id, document.version) == place
