"""content.*: what the devices of users encrypt for each other, the bodies of its kinds, and message tags."""

from collections.abc import Callable, Mapping
from typing import Final

from letterlock._wire.content import Attachment, Content, ContentKind, message_tag
from letterlock._wire.content_bodies import (
    HistoryKey,
    ListNotice,
    NewSeed,
    Receipt,
    RetryRequest,
    SyncCopy,
)
from letterlock._wire.group_bodies import GroupReceipt, GroupRequest, GroupSecret, HistoryLetter
from letterlock._wire.sender_chain import SenderChain
from letterlock.errors import UsageError
from letterlock.limits import HEAD_BYTES, MESSAGE_ID_BYTES
from letterlock_vectors.inputs import Input, Operation, Output, unhex
from letterlock_vectors.operations.groups import shown_chain


def _encode(given: Input) -> Output:
    content = Content(
        given.counter("kind"),
        given.sized("id", MESSAGE_ID_BYTES),
        given.counter("sent"),
        given.sized("own_head", HEAD_BYTES),
        given.sized("their_head", HEAD_BYTES),
        given.hex("body"),
        tuple(
            Attachment(each.text("name"), each.text("media_type"), each.hex("data"))
            for each in given.nested_list("attachments")
        ),
        tuple(unhex(each, "earlier") for each in given.items("earlier")),
    )
    return {"data": content.encode().hex()}


def _decode(given: Input) -> Output:
    return _content_fields(Content.decode(given.hex("data")))


def _content_fields(content: Content) -> Output:
    return {
        "kind": int(content.kind),
        "id": content.id.hex(),
        "sent": content.sent,
        "own_head": content.own_head.hex(),
        "their_head": content.their_head.hex(),
        "earlier": [each.hex() for each in content.earlier],
        "body": content.body.hex(),
        "attachments": [
            {"name": each.name, "media_type": each.media_type, "data": each.data.hex()}
            for each in content.attachments
        ],
        "for_application": content.is_for_application,
    }


def _read_receipt(body: bytes) -> Output:
    return {"ids": [each.hex() for each in Receipt.decode(body).ids]}


def _read_retry_request(body: bytes) -> Output:
    request = RetryRequest.decode(body)
    return {"tag": request.tag.hex(), "cause": int(request.cause)}


def _read_list_notice(body: bytes) -> Output:
    return {"hashes": [each.hash.hex() for each in ListNotice.decode(body).lists]}


def _read_sync_copy(body: bytes) -> Output:
    copy = SyncCopy.decode(body)
    return {"name": copy.name, "user_id": copy.user_id.hex(), "content": _content_fields(copy.content)}


def _read_history_key(body: bytes) -> Output:
    found = HistoryKey.decode(body)
    return {"archive_id": found.archive_id.hex(), "key": found.key.expose().hex()}


def _read_document_seed(body: bytes) -> Output:
    found = NewSeed.decode(body)
    return {"generation": found.generation, "seed": found.seed.expose().hex()}


def _read_group_secret(body: bytes) -> Output:
    found = GroupSecret.decode(body)
    return {
        "group_id": found.group_id.hex(),
        "epoch": found.epoch,
        "opening": found.opening.hex(),
        "secret": found.secret.expose().hex(),
    }


def _read_group_chain(body: bytes) -> Output:
    return shown_chain(SenderChain.decode(body))


def _read_group_request(body: bytes) -> Output:
    found = GroupRequest.decode(body)
    return {"group_id": found.group_id.hex(), "epoch": found.epoch, "what": int(found.what)}


def _read_group_receipt(body: bytes) -> Output:
    found = GroupReceipt.decode(body)
    return {
        "group_id": found.group_id.hex(),
        "epoch": found.epoch,
        "since": found.since,
        "number": found.number,
        "head": found.head.hex(),
    }


def _read_group_history(body: bytes) -> Output:
    found = HistoryLetter.decode(body)
    return {
        "group_id": found.group_id.hex(),
        "epoch": found.epoch,
        "entry": found.entry,
        "document": found.document.hex(),
    }


_READERS: Final[Mapping[int, Callable[[bytes], Output]]] = {
    ContentKind.RECEIPT: _read_receipt,
    ContentKind.RETRY_REQUEST: _read_retry_request,
    ContentKind.LIST_NOTICE: _read_list_notice,
    ContentKind.SYNC_COPY: _read_sync_copy,
    ContentKind.HISTORY_KEY: _read_history_key,
    ContentKind.DOCUMENT_SEED: _read_document_seed,
    ContentKind.GROUP_SECRET: _read_group_secret,
    ContentKind.GROUP_CHAIN: _read_group_chain,
    ContentKind.GROUP_REQUEST: _read_group_request,
    ContentKind.GROUP_RECEIPT: _read_group_receipt,
    ContentKind.GROUP_HISTORY: _read_group_history,
}


def _read_body(given: Input) -> Output:
    reader = _READERS.get(given.number("kind"))
    if reader is None:
        raise UsageError("`kind` must be one whose body is read: 2 to 7, or 9 to 12")
    return reader(given.hex("body"))


def _tag(given: Input) -> Output:
    return {"tag": message_tag(given.hex("message")).hex()}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "content.encode": _encode,
    "content.decode": _decode,
    "content.read_body": _read_body,
    "content.tag": _tag,
}
