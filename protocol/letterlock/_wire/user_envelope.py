"""How the encodings of the user layer begin: an array whose first elements are the version and the kind.

    [version, kind, ...]        version 1; kind 8 to 17, 20 to 22, 24, 28, 29            [WIRE-1]

Size and number of items are checked before anything is parsed. [WIRE-3]

Not here: what accounts send to each other (envelope.py); the rest of each kind (device_list.py, evidence.py,
linking.py).
"""

from enum import IntEnum
from typing import Final, NamedTuple

from letterlock._wire import cbor
from letterlock._wire.cbor_heads import ARRAY, UINT
from letterlock._wire.collection_limits import MAX_COLLECTION_ENTRY, MAX_COLLECTION_FORK, MAX_FORK_ENTRIES
from letterlock._wire.envelope import check_items
from letterlock._wire.fields import Fields
from letterlock._wire.flat_array import read_head
from letterlock._wire.grant_limits import MAX_GRANT, MAX_GRANT_NOTE
from letterlock._wire.group_limits import MAX_GROUP_TEXT, MAX_SENDER_CHAIN
from letterlock._wire.json_limits import MAX_SEALED_JSON, MAX_SECTIONS
from letterlock._wire.relay_limits import MAX_PARCEL
from letterlock.errors import MalformedMessage, UnsupportedVersion, UsageError
from letterlock.limits import (
    MAX_DEVICE_LIST,
    MAX_DEVICES,
    MAX_EVIDENCE,
    MAX_EVIDENCE_LISTS,
    MAX_LINKING_ANSWER,
    MAX_LINKING_BUNDLE,
    MAX_LINKING_CODE,
    MAX_LINKING_PACKAGE,
    MAX_SNAPSHOT,
    PROTOCOL_VERSION,
)


class UserKind(IntEnum):
    """The second element. Kinds below 8 are those of envelope.py."""

    DEVICE_LIST = 8
    EVIDENCE = 9
    LINKING_BUNDLE = 10
    LINKING_CODE = 11
    LINKING_OFFER = 12
    LINKING_ANSWER = 13
    LINKING_PACKAGE = 14
    GRANT = 16
    GRANT_NOTE = 17
    COLLECTION_ENTRY = 20
    COLLECTION_FORK = 21
    PARCEL = 22
    JSON_DOCUMENT = 24
    GROUP_TEXT = 28
    SENDER_CHAIN = 29
    GROUP_ENTRY = 30


_KINDS: Final = {int(each): each for each in UserKind}


class _Form(NamedTuple):
    """What errors call a kind, its elements, and the most bytes and items that it may have."""

    name: str
    elements: int
    size: int
    items: int


_FORMS: Final = {
    UserKind.DEVICE_LIST: _Form("a device list", 7, MAX_DEVICE_LIST, 8 + 5 * MAX_DEVICES),
    UserKind.EVIDENCE: _Form("evidence", 6, MAX_EVIDENCE, 7 + MAX_EVIDENCE_LISTS),
    UserKind.LINKING_BUNDLE: _Form("a linking bundle", 7, MAX_LINKING_BUNDLE, 8),
    UserKind.LINKING_CODE: _Form("a linking code", 6, MAX_LINKING_CODE, 7),
    UserKind.LINKING_OFFER: _Form("a linking offer", 4, MAX_SNAPSHOT + 16, 5),
    UserKind.LINKING_ANSWER: _Form("a linking answer", 7, MAX_LINKING_ANSWER, 8),
    UserKind.LINKING_PACKAGE: _Form("a linking package", 5, MAX_LINKING_PACKAGE, 6 + MAX_EVIDENCE_LISTS),
    UserKind.GRANT: _Form("a grant", 6, MAX_GRANT, 48),
    UserKind.GRANT_NOTE: _Form("a note about grants", 5, MAX_GRANT_NOTE, 48),
    UserKind.COLLECTION_ENTRY: _Form("an entry of a collection", 5, MAX_COLLECTION_ENTRY, 48),
    UserKind.COLLECTION_FORK: _Form("evidence of a fork", 5, MAX_COLLECTION_FORK, 7 + MAX_FORK_ENTRIES),
    UserKind.PARCEL: _Form("a parcel", 5, MAX_PARCEL, 6),
    UserKind.GROUP_TEXT: _Form("a group text", 10, MAX_GROUP_TEXT, 11),
    UserKind.SENDER_CHAIN: _Form("a sender's chain", 10, MAX_SENDER_CHAIN, 11),
    UserKind.GROUP_ENTRY: _Form("an entry of a group", 5, MAX_COLLECTION_ENTRY, 48),
    UserKind.JSON_DOCUMENT: _Form("a json document", 8, MAX_SEALED_JSON, 9 + 3 * MAX_SECTIONS),
}


def read_user_envelope(data: bytes, kind: UserKind) -> Fields:
    """Check and parse an encoding of this kind; return the fields after the first two.

    Raises UsageError if `data` is not bytes, UnsupportedVersion, MalformedMessage.
    """
    if type(data) is not bytes:  # a bytearray could change after it was checked
        raise UsageError(f"what is decoded must be bytes, not {type(data).__name__}")
    form = _FORMS[kind]
    _check_version(data)
    if len(data) > form.size:
        raise MalformedMessage(f"{len(data)} bytes; {form.name} has at most {form.size}")
    check_items(data, form.items, form.name)
    fields = Fields(cbor.decode(data), form.elements, form.name)
    fields.uint("version", PROTOCOL_VERSION)
    fields.constant("kind", kind)
    return fields


def peek_user_kind(data: bytes) -> UserKind | None:
    """Return the kind that the bytes announce, or None for another one.

    Raises UsageError if `data` is not bytes, UnsupportedVersion, MalformedMessage.
    """
    if type(data) is not bytes:
        raise UsageError(f"what is decoded must be bytes, not {type(data).__name__}")
    _check_version(data)
    _, _, start = read_head(data, 0)
    _, _, start = read_head(data, start)
    major, number, _ = read_head(data, start)
    return _KINDS.get(number) if major == UINT else None


def _check_version(data: bytes) -> None:
    """Check the version before anything else, because another one may have other limits. [WIRE-1]"""
    array, _, start = read_head(data, 0)
    major, version, _ = read_head(data, start)
    if array != ARRAY or major != UINT:
        raise MalformedMessage("not of letterlock: no array that begins with a version")
    if version != PROTOCOL_VERSION:
        raise UnsupportedVersion(version, PROTOCOL_VERSION)
