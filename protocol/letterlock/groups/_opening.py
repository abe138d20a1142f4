"""Opening a text that the relay showed: what becomes of it, before and after it is decrypted.

    it names an entry that is not here                    HELD, the log is needed               [GRP-39]
    its user could not write after that entry             REFUSED                               [GRP-38]
    its device is not listed                              REFUSED
    its secret or chain is not here                       HELD, and noted as wanted             [GRP-39]
    its signature does not hold                           REFUSED, and reported                   [GRP-48]
    its tag does not hold, or it skips too many           REFUSED
    its number is below the first that was handed out     HELD                                     [GRP-14]
    it was opened before, or is of this device            REPEATED                                [GRP-8]
    none of these                                         READ

Whatever a sender or a server can cause is a value and no exception, because an exception would undo the note.

Every function runs inside the caller's transaction. Not here: chains themselves (_groups/_receiving.py).
"""

from dataclasses import replace
from typing import Final

from letterlock._groups._receiving import Agreement, OpenedText, compare, open_text
from letterlock._primitives.dataclass import dataclass
from letterlock._ratchet.keys import MessageKey
from letterlock._records.group import StandRecord
from letterlock._records.group_chain import ChainRecord
from letterlock._wire.collection_member import Role
from letterlock._wire.group_bodies import GroupReceipt
from letterlock._wire.group_content import Heard
from letterlock._wire.group_limits import MAX_HEARD
from letterlock._wire.group_text import GroupText, SenderName, TextPlace
from letterlock.errors import (
    DuplicateMessage,
    InvalidSignature,
    LetterlockError,
    MalformedMessage,
    PeerError,
)
from letterlock.groups._chains import carry, find_chain, is_kept, keep_keys, missing, without_gap
from letterlock.groups._desk import GroupDesk
from letterlock.groups._errors import GroupEntryMissing, GroupForked, GroupKeyMissing, InvalidGroupText
from letterlock.groups._history import epoch_after, hash_of, role_after
from letterlock.groups._receipts import count, note_read, run_after, run_of
from letterlock.groups._values import GroupEvent, GroupEventKind, GroupIncoming
from letterlock.limits import MAX_COUNTER
from letterlock.user import ContactFrozen, DeviceNotListed, DeviceRevoked, Outcome

_NO_WRITER: Final = "its user may not write in the group after the entry that it names: discard the text"
_OTHER_EPOCH: Final = "it is not of the epoch of its entry, or of one that is over for long: discard the text"
_NOT_OURS: Final = "this user was no member after the entry that it names: discard the text"
_LAST_NUMBER: Final = "it has a number after which no text can follow: discard the text"
_OLD_SEED: Final = "it is of a seed that was replaced: discard the text"


def decrypt(at: GroupDesk, group: bytes, data: bytes) -> GroupIncoming:
    """Return what a text turned out to be. Raises UsageError for a group that is unknown."""
    stand = at.require(group)
    try:
        text = GroupText.decode(data)
        if text.place.group_id != group:
            raise MalformedMessage("a text of another group: give it where it belongs")
    except PeerError as error:
        return GroupIncoming(Outcome.REFUSED, group, error=error)
    try:
        opened = _open(at, stand, text)
    except (GroupForked, GroupEntryMissing, GroupKeyMissing, ContactFrozen) as error:
        return _not_read(text.place, Outcome.HELD, error)
    except DuplicateMessage:
        return _not_read(text.place, Outcome.REPEATED, None)
    except LetterlockError as error:
        if not isinstance(error, PeerError | DeviceRevoked | DeviceNotListed):
            raise
        refused = _not_read(text.place, Outcome.REFUSED, error)
        if not isinstance(error, InvalidSignature):
            return refused
        # It was sealed for another entry than ours of this number, or by nobody who has the key.  GRP-48
        event = GroupEvent(GroupEventKind.OTHER_LOG, group, refused.user_id, refused.device)
        return replace(refused, events=(event,))
    return _read(at, text.place, opened)


def _not_read(place: TextPlace, outcome: Outcome, error: LetterlockError | None) -> GroupIncoming:
    sender = place.sender
    where = (place.group_id, sender.user_id, sender.device, place.entry, place.number)
    return GroupIncoming(outcome, *where, error=error)


# --- before it is decrypted -------------------------------------------------------------------------------


def _open(at: GroupDesk, stand: StandRecord, text: GroupText) -> "_Opened":
    """Open a text, and commit what it moves. Raises what becomes of it otherwise."""
    place = text.place
    if place.sender == at.sender:
        raise DuplicateMessage
    if stand.forked:
        raise GroupForked
    if place.entry > stand.number:
        raise GroupEntryMissing(place.entry)
    _require_epoch(at, stand, place)
    if place.number >= MAX_COUNTER:  # a chain could not go on after it
        raise InvalidGroupText(_LAST_NUMBER)
    found = find_chain(at, place)
    _require_writer(at, stand, place, found)
    _require_listed(at, place.sender)
    if found is None:
        _require_ours(at, stand, place)
        missing(at, place)  # GRP-39
        raise GroupKeyMissing
    if found.until is not None and place.number >= found.until:  # GRP-29
        raise InvalidGroupText(_OLD_SEED)
    kept = None
    if place.number < found.chain.number:
        if place.number < found.first:
            found = without_gap(at, found, place)
        kept = at.book.key(place.group_id, place.epoch, place.sender, place.number)
    return _committed(at, stand, place, found, _opened(at, stand, found, text, kept))


def _opened(
    at: GroupDesk, stand: StandRecord, found: ChainRecord, text: GroupText, kept: MessageKey | None
) -> OpenedText:
    """Return what a text holds. Raises what becomes of it otherwise."""
    place = text.place
    entry_hash = stand.head if place.entry == stand.number else hash_of(at, place.group_id, place.entry)
    try:
        return open_text(found.chain, text, entry_hash, kept)
    except DuplicateMessage:
        if place.number >= found.first:
            raise
        _require_ours(at, stand, place)
        raise GroupKeyMissing from None  # it was not opened before: its letter may be on its way
    except InvalidSignature:
        if is_kept(at, place):
            raise
        # Its sender may have begun another seed in an epoch before, whose letter is on its way.
        missing(at, place)
        raise GroupKeyMissing from None


def _require_ours(at: GroupDesk, stand: StandRecord, place: TextPlace) -> None:
    """Raise InvalidGroupText if a text was sealed when this user was no member."""
    if role_after(at, stand, place.group_id, place.entry, at.user_id) is None:
        raise InvalidGroupText(_NOT_OURS)


def _require_epoch(at: GroupDesk, stand: StandRecord, place: TextPlace) -> None:
    """Raise InvalidGroupText unless a text is of the epoch in which its entry leaves the group. [GRP-38]"""
    if place.entry == stand.number:
        if place.epoch == stand.epoch:
            return
    elif place.epoch <= stand.epoch and epoch_after(at, place.group_id, place.epoch, place.entry):
        return
    raise InvalidGroupText(_OTHER_EPOCH)


def _require_writer(at: GroupDesk, stand: StandRecord, place: TextPlace, found: ChainRecord | None) -> None:
    """Raise InvalidGroupText unless the sender's user may write after the entry. [GRP-38]"""
    if found is not None and found.checked == place.entry:
        return
    role = role_after(at, stand, place.group_id, place.entry, place.sender.user_id)
    if role is None or role < Role.WRITER:
        raise InvalidGroupText(_NO_WRITER)


def _require_listed(at: GroupDesk, sender: SenderName) -> None:
    """Raise DeviceRevoked, DeviceNotListed or ContactFrozen unless a device is listed, if lists are here."""
    snapshot = at.snapshot(sender.user_id)
    if snapshot is None or snapshot.device(sender.device) is not None:
        return
    if any(each.id == sender.device for each in snapshot.revoked):
        raise DeviceRevoked
    raise DeviceNotListed


# --- after it was decrypted -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Opened:
    """What was read, and what the heads in it contradict."""

    text: bytes
    events: tuple[GroupEvent, ...]
    late: bool


def _committed(
    at: GroupDesk, stand: StandRecord, place: TextPlace, found: ChainRecord, opened: OpenedText
) -> _Opened:
    """Save the chain, and the keys that were skipped; delete the key that was used. [GRP-7]"""
    if opened.skipped.count:
        keep_keys(at, found, opened.skipped, opened.first_skipped)
    elif place.number < found.chain.number:
        at.book.delete_key(place.group_id, place.epoch, place.sender, place.number)
    index = found.index
    if found.checked != place.entry and place.entry == stand.number:
        index = at.place_of(place.group_id, stand, place.sender.user_id) or 0
    checked = found.checked if place.entry != stand.number else place.entry
    carry(at, place)
    run = run_after(at, found, place, opened.skipped.count)
    record = replace(found, chain=opened.chain, checked=checked, index=index, run=run)
    at.book.save_chain(record, place.number)
    note_read(at, stand, place)
    events = _disagreements(at, stand, place, opened)
    if place.entry == stand.number:
        _hear(at, stand, place, record)
    role = (
        None if place.entry == stand.number else at.log.require(place.group_id).role_of(place.sender.user_id)
    )
    late = place.entry != stand.number and (role is None or role < Role.WRITER)
    return _Opened(opened.text, events, late)


def _hear(at: GroupDesk, stand: StandRecord, place: TextPlace, record: ChainRecord) -> None:
    """Note the head of the sender's chain, for the next text of ours. [GRP-6]"""
    run, device = run_of(record), place.sender.device
    if run is None:
        return
    heard = Heard(record.index, device, *run)
    others = [each for each in stand.heard if (each.member, each.device) != (record.index, device)]
    kept = in_order((*others, heard)[-MAX_HEARD:])
    at.book.save_stand(place.group_id, replace(stand, heard=kept, told=False))


def in_order(heard: tuple[Heard, ...]) -> tuple[Heard, ...]:
    """Return heads in the order in which a text names them."""
    return tuple(sorted(heard, key=lambda each: (each.member, each.device)))


def _disagreements(
    at: GroupDesk, stand: StandRecord, place: TextPlace, opened: OpenedText
) -> tuple[GroupEvent, ...]:
    """Return who was shown other texts than this device, or showed them, and whose text says so. [GRP-6]"""
    found = [place.sender] if opened.agreement is Agreement.DIFFERENT else []
    if opened.heard and place.entry == stand.number:
        members = at.places(place.group_id, stand)
        known = [(members[each.member], each) for each in opened.heard if each.member < len(members)]
        found += [
            SenderName(who, each.device) for who, each in known if _differs(at, stand, place, who, each)
        ]
    kind, group = GroupEventKind.DISAGREES, place.group_id
    said = (place.sender.user_id, place.sender.device)
    return tuple(GroupEvent(kind, group, each.user_id, each.device, *said) for each in dict.fromkeys(found))


def _differs(at: GroupDesk, stand: StandRecord, place: TextPlace, user_id: bytes, heard: Heard) -> bool:
    sender = SenderName(user_id, heard.device)
    if sender == at.sender:
        told = GroupReceipt(place.group_id, place.epoch, heard.since, heard.number, heard.head)
        return count(at, stand, place.sender, told) is Agreement.DIFFERENT
    record = at.book.chain(place.group_id, place.epoch, sender, heard.number)
    return record is not None and compare(record.chain, heard) is Agreement.DIFFERENT


def _read(at: GroupDesk, place: TextPlace, opened: _Opened) -> GroupIncoming:
    sender = place.sender
    name = None if sender.user_id == at.user_id else at.name(sender.user_id)
    return GroupIncoming(
        Outcome.READ,
        place.group_id,
        sender.user_id,
        sender.device,
        place.entry,
        place.number,
        name,
        opened.text,
        late=opened.late,
        events=opened.events,
    )
