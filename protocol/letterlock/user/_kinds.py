"""Kinds: what each kind of content does once it is read.

    TEXT, 64 to 255    given to the application
    RECEIPT            the device's places in the contents that it names are dropped
    RETRY_REQUEST      see _repair.py
    LIST_NOTICE        learned as far as a notice can tell                                       [USR-35]
    SYNC_COPY          from a device of ours: given to the application, as what we sent          [USR-36]
    HISTORY_KEY        from a full device of ours: kept until the archive is read                 [USR-49]
    DOCUMENT_SEED      from a device of ours: kept if it is a listed document key's               [USR-48]
    GROUP_*            kept until groups take it                                                  [USR-67]
    any other          given to nobody                                                          [USR-24]

`TAKE` is this table, and the code looks every kind up in it.

Every function runs inside the caller's transaction. Not here: whether the message is taken at all
(_receiving.py).
"""

from collections.abc import Callable
from dataclasses import field
from typing import Final, TypeAlias

from letterlock._primitives.dataclass import dataclass
from letterlock._wire.address import Address
from letterlock._wire.content import Attachment, Content, ContentKind
from letterlock._wire.content_bodies import ListNotice, Receipt, SyncCopy
from letterlock.errors import MalformedMessage
from letterlock.user._desk import Desk, Findings
from letterlock.user._group_mail import keep_letter
from letterlock.user._heads import expect_head
from letterlock.user._history import take_key
from letterlock.user._learning import notice
from letterlock.user._own_learning import notice_own
from letterlock.user._repair import retry_requested
from letterlock.user._seed_delivery import take_seed
from letterlock.user._values import EventKind


@dataclass(frozen=True, slots=True)
class Delivered:
    """What the application gets of a content. `to` is the contact to whom a sync copy went."""

    kind: int | None = None
    id: bytes | None = None
    time: int | None = None
    body: bytes | None = field(default=None, repr=False)
    attachments: tuple[Attachment, ...] = ()
    to: str | None = None


Take: TypeAlias = Callable[[Desk, Address, Content, Findings], Delivered]


def take(desk: Desk, address: Address, content: Content, findings: Findings) -> Delivered:
    """Do what the kind of a content asks for. Raises MalformedMessage, UnsupportedVersion, InvalidKey."""
    if content.is_for_application:
        return _delivered(content)
    known = TAKE.get(content.kind)
    return _nothing(content) if known is None else known(desk, address, content, findings)


def _delivered(content: Content, to: str | None = None) -> Delivered:
    given = content.is_for_application
    body, attachments = (content.body, content.attachments) if given else (None, ())
    return Delivered(content.kind, content.id, content.sent, body, attachments, to)


def _nothing(content: Content) -> Delivered:
    return Delivered(content.kind, content.id, content.sent)


def _receipt(desk: Desk, address: Address, content: Content, _findings: Findings) -> Delivered:
    desk.outbox.acknowledge(address, Receipt.decode(content.body).ids)
    desk.notes.hear(address, desk.now())
    return _nothing(content)


def _retry_request(desk: Desk, address: Address, content: Content, findings: Findings) -> Delivered:
    retry_requested(desk, address, content, findings)
    return _nothing(content)


def _list_notice(desk: Desk, address: Address, content: Content, findings: Findings) -> Delivered:
    lists = ListNotice.decode(content.body).lists
    if address.name == desk.name:
        notice_own(desk, lists, findings)
    else:
        notice(desk, address.name, lists, findings)
    return _nothing(content)


def _sync_copy(desk: Desk, address: Address, content: Content, findings: Findings) -> Delivered:
    _require_ours(desk, address)
    copy = SyncCopy.decode(content.body)
    contact = desk.book.contact(copy.name)
    if contact is None:
        findings.need_lists(copy.name, 0)
    elif contact.pin.user_id != copy.user_id:
        # Our other device knows somebody else under this name.
        findings.event(EventKind.CONFLICT, copy.name)
    else:
        expect_head(desk, copy.name, copy.content.their_head, findings)
    return _delivered(copy.content, copy.name)


def _history_key(desk: Desk, address: Address, content: Content, _findings: Findings) -> Delivered:
    _require_ours(desk, address)
    take_key(desk, address, content)
    return _nothing(content)


def _document_seed(desk: Desk, address: Address, content: Content, _findings: Findings) -> Delivered:
    _require_ours(desk, address)
    take_seed(desk, address, content)
    return _nothing(content)


def _group_letter(desk: Desk, address: Address, content: Content, _findings: Findings) -> Delivered:
    keep_letter(desk, address, content)
    return _nothing(content)


def _require_ours(desk: Desk, address: Address) -> None:
    if address.name != desk.name:  # USR-36
        raise MalformedMessage("only a device of this user may send this kind of content: discard it")


TAKE: Final[dict[int, Take]] = {
    ContentKind.RECEIPT: _receipt,
    ContentKind.RETRY_REQUEST: _retry_request,
    ContentKind.LIST_NOTICE: _list_notice,
    ContentKind.SYNC_COPY: _sync_copy,
    ContentKind.HISTORY_KEY: _history_key,
    ContentKind.DOCUMENT_SEED: _document_seed,
    ContentKind.GROUP_SECRET: _group_letter,
    ContentKind.GROUP_CHAIN: _group_letter,
    ContentKind.GROUP_REQUEST: _group_letter,
    ContentKind.GROUP_RECEIPT: _group_letter,
    ContentKind.GROUP_HISTORY: _group_letter,
}
"""What takes each kind that the layer reads itself."""
