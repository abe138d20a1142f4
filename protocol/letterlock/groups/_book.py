"""What a store holds of groups beside their logs: where they stand, epochs, chains, and what is under way.

    GROUP_STAND      id                                    what a text needs to know of the log
    GROUP_EPOCH      id || epoch                           how an epoch began, and its secret
    GROUP_CHANGE     id || number                          an entry that this device made
    GROUP_SENDING    id                                    this device's chain
    GROUP_AUDIENCE   id                                    who has it
    GROUP_CHAIN      id || epoch || sender || number       the chain of another device, from this number on
    GROUP_CHAINS     id || epoch || sender                 the first numbers of its chains
    GROUP_KEY        id || epoch || sender || number       the key of a text that was skipped
    GROUP_WANT       id || epoch || sender || what         what is to be asked for, and when
    GROUP_ANSWER     id || epoch || device || what         a request that was answered lately

Numbers have 4 bytes, and a sender is a user id and a device id. Every method runs inside the caller's
transaction.

Not here: logs (documents/_log_book.py); what arrived where (_delivery_book.py); what any of it means.
"""

from collections.abc import Iterator
from typing import Final

from letterlock._primitives.secret import KEY_BYTES
from letterlock._ratchet.keys import MessageKey, SkippedKeys
from letterlock._records.group import (
    GroupChangeRecord,
    GroupEpochRecord,
    StandRecord,
    decode_group_change,
    decode_group_epoch,
    decode_stand,
    encode_group_change,
    encode_group_epoch,
    encode_stand,
)
from letterlock._records.group_chain import (
    AudienceRecord,
    ChainRecord,
    SendingRecord,
    decode_audience,
    decode_chain,
    decode_sending,
    encode_audience,
    encode_chain,
    encode_sending,
)
from letterlock._wire.group_limits import CHAIN_EPOCHS, MAX_CHAIN_TEXTS, MAX_SENDER_CHAINS
from letterlock._wire.group_text import SenderName
from letterlock.groups._row_keys import (
    PLACE_BYTES,
    chain_key,
    place_key,
    read_place,
    read_sender,
    sender_bytes,
    text_key,
)
from letterlock.limits import KEPT_LIFETIME
from letterlock.stores import DeferredRecord, EntryKind, EntryRow, Record, Store

_DEVICE_AND_NUMBER: Final = 8
"""Bytes after the user id in the key of a text's key."""
_OF_GROUP: Final = (EntryKind.GROUP_STAND, EntryKind.GROUP_SENDING, EntryKind.GROUP_AUDIENCE)
_OF_EPOCH: Final = (
    EntryKind.GROUP_CHAIN,
    EntryKind.GROUP_CHAINS,
    EntryKind.GROUP_KEY,
    EntryKind.GROUP_WANT,
    EntryKind.GROUP_ANSWER,
    EntryKind.GROUP_SAID,
    EntryKind.GROUP_READ,
    EntryKind.GROUP_RECEIPT,
)


class GroupBook:
    """The groups in a store, apart from their logs."""

    __slots__ = ("_entries", "_user_id")

    def __init__(self, store: Store, user_id: bytes) -> None:
        self._entries = store.tables.entries
        self._user_id = user_id

    # --- where a group stands ---------------------------------------------------------------------

    def stand(self, group: bytes) -> StandRecord | None:
        """Return where a group stands, or None."""
        row = self._entries.load(EntryKind.GROUP_STAND, group)
        return None if row is None else row.record.decoded(decode_stand)

    def save_stand(self, group: bytes, stand: StandRecord) -> None:
        """Insert or replace where a group stands."""
        record = DeferredRecord(stand, encode_stand)
        self._entries.save(EntryRow(EntryKind.GROUP_STAND, group, None, record))

    # --- epochs -----------------------------------------------------------------------------------

    def epoch(self, group: bytes, epoch: int) -> GroupEpochRecord | None:
        """Return an epoch, or None if it is not on record, or not any more."""
        row = self._entries.load(EntryKind.GROUP_EPOCH, place_key(group, epoch))
        return None if row is None else row.record.decoded(decode_group_epoch)

    def save_epoch(self, group: bytes, epoch: int, record: GroupEpochRecord) -> None:
        """Insert or replace an epoch."""
        saved = DeferredRecord(record, encode_group_epoch)
        self._entries.save(EntryRow(EntryKind.GROUP_EPOCH, place_key(group, epoch), None, saved))

    def epochs(self) -> Iterator[tuple[bytes, int, GroupEpochRecord]]:
        """Yield all epochs on record, with the ids of their groups."""
        for row in list(self._entries.all(EntryKind.GROUP_EPOCH)):
            yield *read_place(row.key), row.record.decoded(decode_group_epoch)

    def delete_epochs(self, group: bytes, epochs: frozenset[int]) -> None:
        """Delete epochs with their chains, keys and requests."""
        for epoch in epochs:
            self._entries.delete(EntryKind.GROUP_EPOCH, place_key(group, epoch))
        for kind in _OF_EPOCH:
            for row in list(self._entries.all(kind)):
                if row.key.startswith(group) and read_place(row.key)[1] in epochs:
                    self._entries.delete(kind, row.key)

    # --- changes under way ------------------------------------------------------------------------

    def changes(self, group: bytes = b"") -> list[tuple[bytes, int, GroupChangeRecord]]:
        """Return the changes under way of a group, or of all: group, number of the entry, record."""
        rows = [each for each in self._entries.all(EntryKind.GROUP_CHANGE) if each.key.startswith(group)]
        rows.sort(key=lambda each: each.key)
        return [(*read_place(each.key), each.record.decoded(decode_group_change)) for each in rows]

    def save_change(self, group: bytes, number: int, change: GroupChangeRecord) -> None:
        """Insert or replace a change under way."""
        record = DeferredRecord(change, encode_group_change)
        self._entries.save(EntryRow(EntryKind.GROUP_CHANGE, place_key(group, number), None, record))

    def delete_change(self, group: bytes, number: int) -> None:
        """Delete a change, if it exists."""
        self._entries.delete(EntryKind.GROUP_CHANGE, place_key(group, number))

    # --- this device's chain ----------------------------------------------------------------------

    def sending(self, group: bytes) -> SendingRecord | None:
        """Return this device's chain, or None."""
        row = self._entries.load(EntryKind.GROUP_SENDING, group)
        if row is None:
            return None
        return row.record.decoded(lambda record: decode_sending(record, group, self._user_id))

    def save_sending(self, sending: SendingRecord) -> None:
        """Insert or replace this device's chain."""
        record, group = DeferredRecord(sending, encode_sending), sending.chain.epoch.group_id
        self._entries.save(EntryRow(EntryKind.GROUP_SENDING, group, None, record))

    def audience(self, group: bytes) -> AudienceRecord:
        """Return who has this device's chain."""
        row = self._entries.load(EntryKind.GROUP_AUDIENCE, group)
        return AudienceRecord({}) if row is None else row.record.decoded(decode_audience)

    def save_audience(self, group: bytes, audience: AudienceRecord) -> None:
        """Insert or replace who has this device's chain."""
        record = DeferredRecord(audience, encode_audience)
        self._entries.save(EntryRow(EntryKind.GROUP_AUDIENCE, group, None, record))

    # --- chains of others -------------------------------------------------------------------------

    def chain(self, group: bytes, epoch: int, sender: SenderName, number: int) -> ChainRecord | None:
        """Return the chain of a sender to which a number belongs, or None. [GRP-29]"""
        row = self._entries.load(EntryKind.GROUP_CHAIN, chain_key(group, epoch, sender, number))
        if row is None:
            return None
        return row.record.decoded(lambda record: decode_chain(record, group, epoch, sender))

    def save_chain(self, record: ChainRecord, number: int) -> None:
        """Insert or replace the chain of a sender to which a number belongs."""
        epoch, sender = record.chain.epoch, record.chain.sender
        key = chain_key(epoch.group_id, epoch.number, sender, number)
        self._entries.save(EntryRow(EntryKind.GROUP_CHAIN, key, None, DeferredRecord(record, encode_chain)))

    def newest_before(self, group: bytes, before: int, sender: SenderName) -> ChainRecord | None:
        """Return the newest chain of a sender in the epochs before one that may go on in it, or None."""
        for epoch in range(before - 1, max(0, before - CHAIN_EPOCHS), -1):
            row = self._entries.load(EntryKind.GROUP_CHAINS, place_key(group, epoch) + sender_bytes(sender))
            if row is not None:
                return self.chain(group, epoch, sender, _read_chains(row)[-1])
        return None

    def note_chain(self, group: bytes, sender: SenderName, epoch: int, number: int) -> None:
        """Note that a sender has a chain to which a number belongs, and delete its first if it has too many.

        The chain that came from the epoch before is not counted: it would come from there again. [GRP-43]
        """
        key = place_key(group, epoch) + sender_bytes(sender)
        row = self._entries.load(EntryKind.GROUP_CHAINS, key)
        chains = set[int]() if row is None else set(_read_chains(row))
        chains.add(number - number % MAX_CHAIN_TEXTS)
        over = sorted(chains - {0})[:-MAX_SENDER_CHAINS]
        for first in over:
            self._entries.delete(EntryKind.GROUP_CHAIN, chain_key(group, epoch, sender, first))
        record = Record(b"".join(each.to_bytes(4, "big") for each in sorted(chains.difference(over))))
        self._entries.save(EntryRow(EntryKind.GROUP_CHAINS, key, None, record))

    def all_newest(self, group: bytes) -> list[tuple[SenderName, int, int]]:
        """Return the senders with chains, with the newest epoch of each and the newest number in it."""
        rows = [each for each in self._entries.all(EntryKind.GROUP_CHAINS) if each.key.startswith(group)]
        rows.sort(key=lambda each: each.key)
        newest = {read_sender(each.key): (read_place(each.key)[1], _read_chains(each)[-1]) for each in rows}
        return [(sender, *place) for sender, place in newest.items()]

    # --- keys of skipped texts --------------------------------------------------------------------

    def key(self, group: bytes, epoch: int, sender: SenderName, number: int) -> MessageKey | None:
        """Return the key of a text that was skipped, or None."""
        row = self._entries.load(EntryKind.GROUP_KEY, text_key(group, epoch, sender, number))
        return None if row is None else MessageKey(row.record.expose()[:KEY_BYTES])

    def delete_key(self, group: bytes, epoch: int, sender: SenderName, number: int) -> None:
        """Delete the key of a text, if it exists."""
        self._entries.delete(EntryKind.GROUP_KEY, text_key(group, epoch, sender, number))

    def save_keys(self, record: ChainRecord, keys: SkippedKeys, first: int, now: int) -> None:
        """Keep the keys of texts in a row, from the number `first` on, for 30 days."""
        epoch, sender = record.chain.epoch, record.chain.sender
        for number, key in enumerate(keys.expose_each(), first):
            place = text_key(epoch.group_id, epoch.number, sender, number)
            self._entries.save(EntryRow(EntryKind.GROUP_KEY, place, now + KEPT_LIFETIME, Record(key)))

    def make_room(self, most: int) -> None:
        """Delete keys of skipped texts until there are at most `most`: all of whoever has the most first.

        A user pays for all of its devices and chains, in all groups. [GRP-42]
        """
        if (count := self._entries.count(EntryKind.GROUP_KEY)) <= most:
            return
        keys: dict[bytes, list[bytes]] = {}
        for row in self._entries.all(EntryKind.GROUP_KEY):
            keys.setdefault(row.key[PLACE_BYTES:-_DEVICE_AND_NUMBER], []).append(row.key)
        for each in sorted(keys.values(), key=len, reverse=True):
            if count <= most:
                return
            count -= len(each)
            for key in each:
                self._entries.delete(EntryKind.GROUP_KEY, key)

    # --- the end ----------------------------------------------------------------------------------

    def expire(self, now: int) -> None:
        """Delete what time ends: keys of skipped texts, notes of answers, and this device's texts."""
        for kind in (EntryKind.GROUP_KEY, EntryKind.GROUP_ANSWER, EntryKind.GROUP_SAID):
            self._entries.delete_due(kind, now)

    def forget(self, group: bytes, newest: int) -> None:
        """Delete everything about a group whose newest epoch this is."""
        for kind in _OF_GROUP:
            self._entries.delete(kind, group)
        for _, number, _ in self.changes(group):
            self.delete_change(group, number)
        self.delete_epochs(group, frozenset(range(1, newest + 1)))


def _read_chains(row: EntryRow) -> list[int]:
    """Return the first numbers of a sender's chains, the newest last. There is one at least."""
    data = row.record.expose()
    return [int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data), 4)]
