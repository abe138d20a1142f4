"""The chains of other devices on record: taken from their owners, and carried on into later epochs.

    keep_chain     what a device handed out                                                       [GRP-37]
    without_gap    a chain that was handed out late, filled up from an earlier letter
    find_chain     the chain to which a text belongs, carried on from an earlier epoch if it has to be
    keep_keys      keys of texts that were skipped                                               [GRP-42]
    missing        what a text lacks is noted, and asked for later                                [GRP-39]

Every function runs inside the caller's transaction. Not here: letters (_mail.py); what a text is opened with
(_opening.py).
"""

from dataclasses import replace

from letterlock._groups._epoch import EpochName
from letterlock._groups._receiving import MemberChain, continued, keys_until, taken
from letterlock._ratchet.keys import SkippedKeys
from letterlock._records.group_chain import ChainRecord
from letterlock._wire.group_bodies import Wanted
from letterlock._wire.group_limits import MAX_CHAIN_TEXTS, MAX_GROUP_KEYS, MAX_GROUP_SKIP
from letterlock._wire.group_text import SenderName, TextPlace
from letterlock._wire.sender_chain import SenderChain
from letterlock.groups._desk import GroupDesk
from letterlock.groups._wants import Want
from letterlock.limits import MAX_COUNTER


def keep_chain(at: GroupDesk, sent: SenderChain, sender: SenderName) -> None:
    """Keep the chain that a device handed out, and end the one before it. [GRP-29]

    Another seed in the place of a chain that opened texts is dropped: they would open again. [GRP-44]
    """
    group, epoch, chain = sent.group_id, sent.epoch, taken(sent, sender)
    known = at.book.chain(group, epoch, sender, sent.number)
    if known is not None:
        if known.chain.public_keys == sent.public_keys:
            _fill(at, known, chain)  # handed out again, perhaps a letter from before the one that came first
            return
        if known.chain.number != known.first:
            return
    first = sent.number - sent.number % MAX_CHAIN_TEXTS
    after = first + MAX_CHAIN_TEXTS
    later = at.book.chain(group, epoch, sender, after) if after <= MAX_COUNTER else None
    until = None if later is None else later.before  # its letter came first  GRP-29
    at.book.save_chain(_handed_out(chain, until, sent), sent.number)
    at.book.note_chain(group, sender, epoch, sent.number)
    at.wants.settle(Want(group, epoch, sender, Wanted.CHAIN))
    earlier = at.book.chain(group, epoch, sender, first - 1) if first else None
    if earlier is not None:
        at.book.save_chain(replace(earlier, until=sent.before), first - 1)


def _handed_out(chain: MemberChain, until: int | None, sent: SenderChain) -> ChainRecord:
    return ChainRecord(chain, until, first=sent.number, before=sent.before, run=sent.number)


def find_chain(at: GroupDesk, place: TextPlace) -> ChainRecord | None:
    """Return the chain to which a text belongs, or None. One that was carried on is not saved yet."""
    group, epoch, sender = place.group_id, place.epoch, place.sender
    found = at.book.chain(group, epoch, sender, place.number)
    if found is not None or place.number >= MAX_CHAIN_TEXTS:
        return found
    chain = _carried_into(at, place)
    if chain is None:
        return None
    after = at.book.chain(group, epoch, sender, MAX_CHAIN_TEXTS)
    return ChainRecord(chain, None if after is None else after.before)


def is_kept(at: GroupDesk, place: TextPlace) -> bool:
    """Return whether the chain to which a text belongs is on record in its epoch, and not only carried on."""
    return at.book.chain(place.group_id, place.epoch, place.sender, place.number) is not None


def without_gap(at: GroupDesk, found: ChainRecord, place: TextPlace) -> ChainRecord:
    """Return the chain of a text that comes before the first one whose key was handed out. [GRP-14]

    The chain of an epoch before gives the keys if its letter came since. That follows from letters alone, so
    a forged text moves nothing by it.
    """
    if place.number >= MAX_CHAIN_TEXTS:
        return found
    chain = _carried_into(at, place)
    if chain is None or chain.public_keys != found.chain.public_keys:
        return found
    return _fill(at, found, chain)


def carry(at: GroupDesk, place: TextPlace) -> None:
    """Save the chain to which a text belongs in the epochs up to the text's, if it was carried on. [GRP-7]

    Call it once the text was opened. The epochs between get theirs too, for texts that are late.
    """
    if place.number < MAX_CHAIN_TEXTS and not is_kept(at, place):
        _carry(at, place.group_id, place.sender, place.epoch)


def _carry(at: GroupDesk, group: bytes, sender: SenderName, epoch: int) -> None:
    """Save the chain of a sender in the epochs up to one, as far as secrets are here."""
    if at.book.chain(group, epoch, sender, 0) is not None:
        return
    newest = at.book.newest_before(group, epoch, sender)
    found = None if newest is None else newest.chain
    while found is not None and found.epoch.number < epoch:
        found = carried_on(at, found, found.epoch.number + 1)
        if found is not None:
            at.book.save_chain(ChainRecord(found), found.number)
            at.book.note_chain(group, sender, found.epoch.number, found.number)


def _carried_into(at: GroupDesk, place: TextPlace) -> MemberChain | None:
    """Return the chain of an earlier epoch, carried on into that of a text, or None."""
    newest = at.book.newest_before(place.group_id, place.epoch, place.sender)
    return None if newest is None else carried_on(at, newest.chain, place.epoch)


def keep_keys(at: GroupDesk, record: ChainRecord, keys: SkippedKeys, first: int) -> None:
    """Keep the keys of texts in a row, from the number `first` on, within the bound of a store. [GRP-42]"""
    at.book.save_keys(record, keys, first, at.desk.now())
    at.book.make_room(MAX_GROUP_KEYS)


def _fill(at: GroupDesk, known: ChainRecord, chain: MemberChain) -> ChainRecord:
    """Keep the keys between an earlier state of a chain and the one that was handed out first."""
    count = known.first - chain.number
    if not 0 < count <= MAX_GROUP_SKIP:
        return known
    keep_keys(at, known, keys_until(chain, known.first), chain.number)
    filled = replace(known, first=chain.number)
    at.book.save_chain(filled, known.first)
    return filled


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
    """Note what a text lacks: the secret of an epoch through which its chain goes, or the chain itself."""
    group, sender = place.group_id, place.sender
    newest = at.book.newest_before(group, place.epoch, sender) if place.number < MAX_CHAIN_TEXTS else None
    first = place.epoch if newest is None else newest.chain.epoch.number + 1
    for epoch in range(first, place.epoch + 1):
        record = at.book.epoch(group, epoch)
        if record is not None and record.secret is None:
            at.wants.note(Want(group, epoch, sender, Wanted.SECRET), at.desk.now())
            if epoch == place.epoch:
                return
            break
    at.wants.note(Want(group, place.epoch, sender, Wanted.CHAIN), at.desk.now())
