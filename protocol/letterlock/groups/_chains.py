"""The chains of other devices on record: taken from their owners, and carried on into later epochs.

    keep_chain     what a device handed out                                                       [GRP-37]
    find_chain     the chain to which a text belongs, carried on from an earlier epoch if it has to be
    missing        what a text lacks is noted, and asked for later                                [GRP-39]

Every function runs inside the caller's transaction. Not here: letters (_mail.py); what a text is opened with
(_opening.py).
"""

from dataclasses import replace

from letterlock._groups._epoch import EpochName
from letterlock._groups._receiving import MemberChain, continued, taken
from letterlock._records.group_chain import ChainRecord
from letterlock._wire.group_bodies import Wanted
from letterlock._wire.group_limits import MAX_CHAIN_TEXTS
from letterlock._wire.group_text import SenderName, TextPlace
from letterlock._wire.sender_chain import SenderChain
from letterlock.groups._desk import GroupDesk
from letterlock.groups._wants import Want


def keep_chain(at: GroupDesk, sent: SenderChain, sender: SenderName) -> None:
    """Keep the chain that a device handed out, and end the one before it. [GRP-29]"""
    group, epoch = sent.group_id, sent.epoch
    known = at.book.chain(group, epoch, sender, sent.number)
    if known is not None and known.chain.public_keys == sent.public_keys:
        return  # handed out again: the one on record opens no less
    at.book.save_chain(ChainRecord(taken(sent, sender)), sent.number)
    at.book.note_newest(group, sender, epoch, sent.number)
    at.wants.settle(Want(group, epoch, sender, Wanted.CHAIN))
    first = sent.number - sent.number % MAX_CHAIN_TEXTS
    earlier = at.book.chain(group, epoch, sender, first - 1) if first else None
    if earlier is not None:
        at.book.save_chain(replace(earlier, until=sent.before), first - 1)


def find_chain(at: GroupDesk, place: TextPlace) -> ChainRecord | None:
    """Return the chain to which a text belongs, or None. One that was carried on is not saved yet."""
    group, epoch, sender = place.group_id, place.epoch, place.sender
    found = at.book.chain(group, epoch, sender, place.number)
    if found is not None or place.number >= MAX_CHAIN_TEXTS:
        return found
    earlier = _newest_before(at, group, epoch, sender)
    chain = None if earlier is None else carried_on(at, earlier, epoch)
    if chain is None:
        return None
    after = at.book.chain(group, epoch, sender, MAX_CHAIN_TEXTS)
    return ChainRecord(chain, None if after is None else 0)


def carry(at: GroupDesk, place: TextPlace) -> None:
    """Save the chain to which a text belongs in the epochs up to the text's, if it was carried on. [GRP-7]

    Call it once the text was opened. The epochs between get theirs too, for texts that are late.
    """
    group, sender = place.group_id, place.sender
    if place.number >= MAX_CHAIN_TEXTS or at.book.chain(group, place.epoch, sender, place.number) is not None:
        return
    found = _newest_before(at, group, place.epoch, sender)
    while found is not None and found.epoch.number < place.epoch:
        found = carried_on(at, found, found.epoch.number + 1)
        if found is not None:
            at.book.save_chain(ChainRecord(found), found.number)
            at.book.note_newest(group, sender, found.epoch.number, found.number)


def _newest_before(at: GroupDesk, group: bytes, before: int, sender: SenderName) -> MemberChain | None:
    """Return the newest chain of a sender, if it is of an epoch before one."""
    newest = at.book.newest(group, sender)
    if newest is None or newest[0] >= before:
        return None
    record = at.book.chain(group, newest[0], sender, newest[1])
    return None if record is None else record.chain


def carried_on(at: GroupDesk, chain: MemberChain, epoch: int) -> MemberChain | None:
    """Return a chain in a later epoch, or None if a secret is missing or its seed does not serve."""
    group, found = chain.epoch.group_id, chain
    while found.epoch.number < epoch:
        number = found.epoch.number + 1
        record = at.book.epoch(group, number)
        if record is None or record.secret is None:
            return None
        after = continued(found, EpochName(group, number, record.opening), record.secret)
        if after is None:
            return None
        found = after
    return found


def missing(at: GroupDesk, place: TextPlace) -> None:
    """Note what a text lacks: the secret of its epoch, or its chain."""
    record = at.book.epoch(place.group_id, place.epoch)
    what = Wanted.SECRET if record is not None and record.secret is None else Wanted.CHAIN
    at.wants.note(Want(place.group_id, place.epoch, place.sender, what), at.desk.now())
