"""Fuzzing content and the bodies of its kinds: what a peer that is authenticated may still write."""

from dataclasses import replace
from functools import partial
from typing import Any, Final

import cbor2

from fuzz.harness import Finding, Target, attempt
from fuzz.tree import mutated
from letterlock._wire.content import Content, ContentKind, message_tag
from letterlock._wire.content_bodies import (
    HistoryKey,
    ListNotice,
    NewSeed,
    Receipt,
    RetryCause,
    RetryRequest,
    SyncCopy,
)
from letterlock._wire.group_bodies import GroupReceipt, GroupRequest, GroupSecret, HistoryLetter
from letterlock.errors import MalformedMessage, PeerError
from support.content_samples import BODIES, CONTENTS, COPY, ID, NOTICE, RETRY, TAG, TEXT, WITH_ATTACHMENTS

READERS: Final = {
    ContentKind.RECEIPT: Receipt,
    ContentKind.RETRY_REQUEST: RetryRequest,
    ContentKind.LIST_NOTICE: ListNotice,
    ContentKind.SYNC_COPY: SyncCopy,
    ContentKind.HISTORY_KEY: HistoryKey,
    ContentKind.DOCUMENT_SEED: NewSeed,
    ContentKind.GROUP_SECRET: GroupSecret,
    ContentKind.GROUP_REQUEST: GroupRequest,
    ContentKind.GROUP_RECEIPT: GroupReceipt,
    ContentKind.GROUP_HISTORY: HistoryLetter,
}


def check(data: bytes) -> None:
    tag = attempt(data, lambda: message_tag(data), MalformedMessage)
    if (tag.error is None) != (len(data) >= 16):
        raise Finding("a tag of too few bytes, or none of enough")
    found = attempt(data, lambda: Content.decode(data), PeerError)
    if found.error is None:
        _check_content(data, found.accepted())
    for reader in READERS.values():
        _check_body(data, reader)


def _check_content(data: bytes, content: Content) -> None:
    if content.encode() != data:
        raise Finding("content encodes to other bytes")
    if content.attachments and content.kind in READERS:
        raise Finding("a control kind has attachments")
    if any({"/", "\\", "\0"} & set(each.name) for each in content.attachments):
        raise Finding("an attachment's name leads elsewhere")
    reader = READERS.get(ContentKind(content.kind)) if content.kind in set(ContentKind) else None
    if reader is not None:
        _check_body(content.body, reader)


def _check_body(data: bytes, reader: Any) -> None:
    found = attempt(data, partial(reader.decode, data), PeerError)
    if found.error is not None:
        return
    body = found.accepted()
    # Causes of later releases are all read as the same one.
    is_later_cause = isinstance(body, RetryRequest) and body.cause is RetryCause.OTHER
    if body.encode() != data and not is_later_cause:
        raise Finding("a body encodes to other bytes")
    if isinstance(body, SyncCopy) and (body.content.kind in READERS or body.content.earlier):
        raise Finding("a sync copy of what no application sent")


def _unsigned(notice: ListNotice) -> ListNotice:
    """Return a notice without signatures: each signing gives other bytes, and reading verifies none."""
    return ListNotice(tuple(replace(each, proofs=(), signature=bytes(3373)) for each in notice.lists[:1]))


def seeds() -> dict[str, bytes]:
    found = {f"content-{at}": each.encode() for at, each in enumerate(CONTENTS)}
    bodies = (each if each is not NOTICE else _unsigned(NOTICE) for each in BODIES)
    for kind, body in zip(READERS, bodies, strict=True):
        name = kind.name.lower().replace("_", "-")
        if kind is not ContentKind.LIST_NOTICE:
            found[name] = body.encode()
        found[f"content-of-{name}"] = replace(TEXT, kind=kind, body=body.encode()).encode()
    elements = cbor2.loads(WITH_ATTACHMENTS.encode())
    return found | {
        "unknown-kind": replace(WITH_ATTACHMENTS, kind=2**32 - 1).encode(),
        "path-as-name": cbor2.dumps([*elements[:7], [["../x", "text/plain", b""]]]),
        "direction-in-name": cbor2.dumps([*elements[:7], [["exe.\u202etxt", "text/plain", b""]]]),
        "attachments-of-a-receipt": cbor2.dumps([2, *elements[1:]]),
        "tags-twice": cbor2.dumps([*elements[:5], [TAG, TAG], *elements[6:]]),
        "many-attachments": cbor2.dumps([*elements[:7], [["n", "m", b""]] * 33]),
        "empty-arrays": cbor2.dumps([*elements[:7], [[]] * 1000]),
        "later-cause": cbor2.dumps([RETRY.tag, 200]),
        "ids-twice": cbor2.dumps([ID + ID]),
        "copy-of-a-copy": cbor2.dumps(
            ["bob", COPY.user_id, replace(TEXT, kind=ContentKind.SYNC_COPY, body=COPY.encode()).encode()]
        ),
    }


TARGET: Final = Target(check, mutated, seeds)
"""Content, each body, and wrong ones of each kind of mistake."""
