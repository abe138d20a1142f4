"""Mail about groups: what a device sent is kept until groups take it, and given to nobody before.  [USR-67]

    keep_letter     the newest of a kind, group and epoch takes the place of the one before
    all_mail        everything that is kept
    save_mail       what groups leave of the mail of a device
    forget_chains   of this device, when its store went back

Every function runs inside the caller's transaction. Not here: what any of it means (groups/).
"""

from letterlock._records.group_mail import (
    GroupLetter,
    GroupMailRecord,
    LetterBody,
    decode_group_mail,
    encode_group_mail,
)
from letterlock._wire.address import Address
from letterlock._wire.content import Content, ContentKind
from letterlock._wire.group_bodies import peek_group
from letterlock._wire.group_limits import MAX_GROUP_LETTERS, MAX_GROUP_MAILS
from letterlock.limits import KEPT_LIFETIME
from letterlock.stores import DeferredRecord, EntryKind, EntryRow
from letterlock.user._desk import Desk


def keep_letter(desk: Desk, address: Address, content: Content) -> None:
    """Keep what a device sent. Raises MalformedMessage, UnsupportedVersion, InvalidKey. [USR-67]"""
    peek_group(content.kind, content.body)
    entries, user_id = desk.book.store.tables.entries, _user_id(desk, address)
    row = entries.load(EntryKind.GROUP_MAIL, address.encoded)
    if row is None and entries.count(EntryKind.GROUP_MAIL) >= MAX_GROUP_MAILS:
        return
    kept = () if row is None else _of_user(row, user_id)
    letter = GroupLetter(ContentKind(content.kind), LetterBody(content.body))
    others = [each for each in kept if each.slot != letter.slot]
    save_mail(desk, GroupMailRecord(address, user_id, (*others, letter)[-MAX_GROUP_LETTERS:]))


def all_mail(desk: Desk) -> list[GroupMailRecord]:
    """Return what is kept, a record for each device that sent something."""
    rows = list(desk.book.store.tables.entries.all(EntryKind.GROUP_MAIL))
    return [each.record.decoded(decode_group_mail) for each in rows]


def save_mail(desk: Desk, mail: GroupMailRecord) -> None:
    """Replace what is kept of a device, or delete it if no letter is left."""
    entries, key = desk.book.store.tables.entries, mail.address.encoded
    if mail.letters:
        record = DeferredRecord(mail, encode_group_mail)
        entries.save(EntryRow(EntryKind.GROUP_MAIL, key, desk.now() + KEPT_LIFETIME, record))
    else:
        entries.delete(EntryKind.GROUP_MAIL, key)


def forget_chains(desk: Desk) -> None:
    """Forget this device's chains in all groups, because the store went back. It begins new ones. [GRP-36]"""
    entries = desk.book.store.tables.entries
    for row in list(entries.all(EntryKind.GROUP_SENDING)):
        entries.delete(EntryKind.GROUP_SENDING, row.key)


def _of_user(row: EntryRow, user_id: bytes) -> tuple[GroupLetter, ...]:
    """Return the letters, unless another user had this address."""
    found = row.record.decoded(decode_group_mail)
    return found.letters if found.user_id == user_id else ()


def _user_id(desk: Desk, address: Address) -> bytes:
    if address.name == desk.name:
        return desk.book.own().pin.user_id
    return desk.book.require_contact(address.name).pin.user_id
