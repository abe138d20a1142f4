"""What arrived where: what this device read is told to whoever wrote it, and what others read is noted.

    note_read      a text was read: a receipt for its chain is due                                [GRP-46]
    give           receipts that are due go out, unless a text of this device said the same       [GRP-46]
    count          what another device says of this one's texts, if it holds                      [GRP-45]
    deliveries     to whom a text of this device was delivered                                    [GRP-47]

A receipt is of one chain and names its head, so it proves that its sender saw the texts; that it read them is
what it says. Nothing here tells more than that.

Every function runs inside the caller's transaction. Not here: heads in texts (_opening.py, _sending.py).
"""

from letterlock._groups._receiving import Agreement
from letterlock._records.group import StandRecord
from letterlock._records.group_chain import ChainRecord
from letterlock._records.group_delivery import ReceiptRecord
from letterlock._wire.content import ContentKind
from letterlock._wire.group_bodies import GroupReceipt
from letterlock._wire.group_limits import MAX_RECEIPTED, RECEIPT_PAUSE
from letterlock._wire.group_text import SenderName, TextPlace
from letterlock.errors import UsageError
from letterlock.groups._desk import GroupDesk
from letterlock.groups._history import role_after
from letterlock.groups._letters import send
from letterlock.groups._values import GroupDelivery
from letterlock.user._desk import Findings


def run_of(record: ChainRecord) -> tuple[int, int, bytes] | None:
    """Return the newest texts in a row that were read, by the first and the last, and the head after them."""
    if not record.chain.heads:
        return None
    after, head = record.chain.heads[-1]
    return (min(record.run, after - 1), after - 1, head) if after else None


def run_after(at: GroupDesk, found: ChainRecord, place: TextPlace, skipped: int) -> int:
    """Return the first of the texts in a row that were read, once one more was.

    A late text joins those after it. A text whose key is gone counts as read: that is so unless its sender
    skipped so many that keys had to go. [GRP-42]
    """
    if place.number >= found.chain.number:
        return place.number if skipped else found.run
    run = found.run
    while run > found.first and not _is_missing(at, place, run - 1):
        run -= 1
    return run


def _is_missing(at: GroupDesk, place: TextPlace, number: int) -> bool:
    return at.book.key(place.group_id, place.epoch, place.sender, number) is not None


# --- of what this device read -------------------------------------------------------------------------


def note_read(at: GroupDesk, stand: StandRecord, place: TextPlace) -> None:
    """Have a receipt sent for a text that was read: at once, or a while after the last one. [GRP-46]"""
    members = len(at.places(place.group_id, stand))
    if place.sender.user_id == at.user_id or members > MAX_RECEIPTED:
        return
    receipt, due = at.deliveries.receipt(place) or (ReceiptRecord(0), None)
    if due is None:
        now, pause = at.desk.now(), RECEIPT_PAUSE * members
        due = min(max(now, receipt.last + pause), now + pause)  # the clock may have been put back
        at.deliveries.save_receipt(place, receipt, due)


def give(at: GroupDesk, findings: Findings) -> None:
    """Send the receipts that are due. [GRP-46]"""
    now = at.desk.now()
    for place in at.deliveries.due_receipts(now):
        at.deliveries.save_receipt(place, ReceiptRecord(now), None)
        stand = at.book.stand(place.group_id)
        record = at.book.chain(place.group_id, place.epoch, place.sender, place.number)
        run = None if record is None else run_of(record)
        if stand is not None and run is not None and _is_owed(at, stand, place, run):
            body = GroupReceipt(place.group_id, place.epoch, *run).encode()
            device = {place.sender.user_id: frozenset({place.sender.device})}
            send(at, device, ContentKind.GROUP_RECEIPT, body, findings)


def _is_owed(at: GroupDesk, stand: StandRecord, place: TextPlace, run: tuple[int, int, bytes]) -> bool:
    """Return whether a receipt goes to a device: both users are members, and no text said it."""
    group, user_id = place.group_id, place.sender.user_id
    index = at.place_of(group, stand, user_id)
    if stand.forked or index is None or at.place_of(group, stand, at.user_id) is None:
        return False
    if len(at.places(group, stand)) > MAX_RECEIPTED or place.sender.device not in at.devices(user_id):
        return False
    named = {(each.member, each.device, each.number) for each in stand.heard if stand.told}
    return place.epoch != stand.epoch or (index, place.sender.device, run[1]) not in named


# --- of what others read ------------------------------------------------------------------------------


def count(at: GroupDesk, stand: StandRecord, reader: SenderName, told: GroupReceipt) -> Agreement:
    """Note what a device says that it has read of this one's texts, if it may say so. [GRP-45]

    DIFFERENT says that it was shown texts in our name that are not ours.
    """
    group = told.group_id
    if reader.user_id == at.user_id or at.place_of(group, stand, reader.user_id) is None:
        return Agreement.UNKNOWN
    said = at.deliveries.said(group, told.epoch, told.number)
    if said is None:
        return Agreement.UNKNOWN
    if said.head != told.head:
        return Agreement.DIFFERENT
    read = at.deliveries.read(group, told.epoch, reader)
    after = read.with_run(told.since, told.number)
    if after != read:
        at.deliveries.save_read(group, told.epoch, reader, after)
    return Agreement.SAME


def deliveries(at: GroupDesk, group: bytes, epoch: int, number: int) -> tuple[GroupDelivery, ...]:
    """Return to which members a text of this device was delivered. [GRP-47]"""
    stand, said = at.require(group), at.deliveries.said(group, epoch, number)
    if said is None:
        raise UsageError("this device wrote no such text in the last 30 days: there is nothing to tell of it")
    read = {reader.user_id for reader, found in at.deliveries.readers(group, epoch) if found.has(number)}
    return tuple(
        GroupDelivery(each, at.name(each), each in read)
        for each in _readers(at, stand, group, said.entry)
        if each != at.user_id
    )


def _readers(at: GroupDesk, stand: StandRecord, group: bytes, entry: int) -> tuple[bytes, ...]:
    """Return the members of now that were members after an entry, too."""
    members = at.places(group, stand)
    if entry == stand.number:
        return members
    return tuple(each for each in members if role_after(at, stand, group, entry, each) is not None)
