"""Shelves and their parcels in JetStream.

A parcel comes or goes in one batch with the records of the shelf, of its chunk and of whoever put it there.
Each of them must be as it was read, so what was decided from them still holds.

Not here: what the records are (shelf_records.py); whose shelf it is (relay/_shelves.py).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from letterlock.relay._jetstream import logs
from letterlock.relay._jetstream.connection import Message, Stored, Unsettled
from letterlock.relay._jetstream.retries import settle
from letterlock.relay._jetstream.shared import ANY_AGE, EMPTY_SECONDS, NEWEST, Shared
from letterlock.relay._jetstream.shelf_records import (
    CHUNK,
    Count,
    Ending,
    Line,
    ShelfRecord,
    decode_chunk,
    decode_number,
    encode_chunk,
    encode_number,
)
from letterlock.relay._jetstream.subjects import Place
from letterlock.relay._store import LogHead, Posted, Put, ShelfPage


@dataclass(frozen=True, slots=True)
class _Records:
    """The records that change with a parcel, each with the sequence of its last message."""

    shelf: ShelfRecord
    chunk: tuple[Line, ...]
    putter: Count
    stored: tuple[Stored, Stored, Stored]

    def messages(self, place: Place) -> list[Message]:
        """Return what stores them, if they are still as they were read."""
        data = self.shelf.encode(), encode_chunk(self.chunk), self.putter.encode()
        return [
            Message(place.stream, stored.subject, each, stored.sequence)
            for stored, each in zip(self.stored, data, strict=True)
        ]


async def _read(
    shared: Shared, place: Place, number: int | None, putter: bytes | None, age: float
) -> _Records:
    """Return the records for a number and a putter; for None, for the next number, or the number's putter."""
    first = await shared.read(place.stream, place.shelf, age)
    shelf = ShelfRecord.decode(first.data)
    at = (number or shelf.newest + 1) // CHUNK
    second = await shared.read(place.stream, place.chunk(at), age)
    chunk = decode_chunk(second.data)
    if putter is None:
        putter = next((each.putter for each in chunk if each.number == number), bytes(16))
    third = await shared.read(place.stream, place.putter(putter), age)
    return _Records(shelf, chunk, Count.decode(third.data), (first, second, third))


async def put(shared: Shared, put: Put) -> bool:
    """Store a parcel if it is not there and has room. Return whether it is there."""
    return await settle(partial(_put, shared, put)) is not None


async def shelved(shared: Shared, shelf: bytes, hash_: bytes) -> int | None:
    """Return the number of a parcel, or None if it is not there."""
    place = shared.names.of(shelf)
    known = await settle(partial(shared.nats.last, place.stream, place.parcel_number(hash_)))
    return decode_number(known.data) if known is not None and known.data else None


async def post(shared: Shared, put: Put, log: bytes, before: LogHead) -> Posted:
    """Store a parcel, unless it is there, if the newest entry of a log is this one."""

    async def attempt() -> Posted:
        stored = await logs.record_of(shared, log, before)
        if stored is None:
            return Posted(await shelved(shared, put.shelf, put.hash))
        number = await _put(shared, put, stored)
        return Posted(number, is_full=number is None)

    return await settle(attempt)


async def _put(shared: Shared, put: Put, unless_changed: Stored | None = None) -> int | None:
    """Return the number of a parcel, which is stored unless it is there; None if it has no room.

    A record of the same stream may have to be as it was read.
    """
    place = shared.names.of(put.shelf)
    # Read first: if the records are not as they were read, another one may have put it there meanwhile.
    known = await shared.nats.last(place.stream, place.parcel_number(put.hash))
    if known is not None and known.data:
        return decode_number(known.data)
    records = await _read(shared, place, None, put.putter, ANY_AGE)
    if not _has_room(records, put):
        records = await _read(shared, place, None, put.putter, NEWEST)
        if not _has_room(records, put):
            return None
    number = records.shelf.newest + 1
    subject = place.parcel_number(put.hash)
    parcel = Message(place.stream, place.parcel(number), put.parcel)
    if unless_changed is not None:
        parcel = replace(parcel, expected=unless_changed.sequence, of=unless_changed.subject)
    await shared.publish(
        # With `of` it is no record to remember.
        Message(
            place.stream,
            subject,
            encode_number(number),
            known.sequence if known is not None else 0,
            of=subject,
        ),
        parcel,
        *_ending(place, number, put),
        *_with(records, put).messages(place),
    )
    return number


def _ending(place: Place, number: int, put: Put) -> list[Message]:
    if put.time is None:
        return []
    return [Message(place.stream, place.ending(number), Ending(put.time, put.hash).encode())]


def _with(records: _Records, put: Put) -> _Records:
    """Return the records with one parcel more."""
    number, size = records.shelf.newest + 1, len(put.parcel)
    shelf = replace(records.shelf, newest=number, count=records.shelf.count.changed(1, size))
    return replace(
        records,
        shelf=shelf.with_chunk(number // CHUNK, is_empty=False),
        chunk=(*records.chunk, Line(number, put.putter, size)),
        putter=records.putter.changed(1, size),
    )


def _has_room(records: _Records, put: Put) -> bool:
    size = len(put.parcel)
    shelf, its = records.shelf.count.changed(1, size), records.putter.changed(1, size)
    of_shelf = shelf.parcels <= put.most_parcels and shelf.size <= put.most_bytes
    return of_shelf and its.parcels <= put.putter_parcels and its.size <= put.putter_bytes


async def shelf(shared: Shared, shelf: bytes, after: int, most: int, most_bytes: int) -> ShelfPage:
    """Return parcels after a number: at most so many and so many bytes, but one if there is one."""
    place = shared.names.of(shelf)

    async def attempt() -> ShelfPage:
        stored = await shared.read(place.stream, place.shelf, NEWEST)
        record = ShelfRecord.decode(stored.data)
        chosen = await _choose(shared, place, record, after, (most, most_bytes))
        subjects = [place.parcel(each.number) for each in chosen]
        found = await shared.nats.last_of_each(place.stream, subjects) if subjects else {}
        if not all(subject in found and found[subject].data for subject in subjects):
            # The replica that answered is behind, or what was chosen has been taken away meanwhile.
            raise Unsettled
        parcels = [(each.number, found[place.parcel(each.number)].data) for each in chosen]
        return ShelfPage(record.newest, tuple(parcels))

    return await settle(attempt)


async def _choose(
    shared: Shared, place: Place, record: ShelfRecord, after: int, limits: tuple[int, int]
) -> list[Line]:
    most, most_bytes = limits
    chosen = list[Line]()
    size = 0
    for at in (each for each in record.chunks if each >= (after + 1) // CHUNK):
        stored = await shared.read(place.stream, place.chunk(at), NEWEST)
        for line in decode_chunk(stored.data):
            if not after < line.number <= record.newest:
                continue
            size += line.size
            if len(chosen) == most or (chosen and size > most_bytes):
                return chosen
            chosen.append(line)
    return chosen


async def unshelve(shared: Shared, shelf: bytes, hashes: Sequence[bytes], putter: bytes | None) -> None:
    """Delete parcels that a user put there, or those of anybody for None."""
    place = shared.names.of(shelf)
    for each in hashes:
        await settle(partial(_take_away, shared, place, each, putter))


async def _take_away(shared: Shared, place: Place, hash_: bytes, putter: bytes | None) -> None:
    known = await shared.nats.last(place.stream, place.parcel_number(hash_))
    if known is None or not known.data:
        return
    number = decode_number(known.data)
    records = await _read(shared, place, number, None, NEWEST)
    line = next((each for each in records.chunk if each.number == number), None)
    if line is None or (putter is not None and line.putter != putter):
        return
    if not (records.shelf.count.covers(line.size) and records.putter.covers(line.size)):
        raise Unsettled  # another call took the parcel away while the three records were read
    chunk = tuple(each for each in records.chunk if each.number != number)
    shelf = replace(records.shelf, count=records.shelf.count.changed(-1, -line.size))
    changed = replace(
        records,
        shelf=shelf.with_chunk(number // CHUNK, is_empty=not chunk),
        chunk=chunk,
        putter=records.putter.changed(-1, -line.size),
    )
    await shared.publish(
        Message(place.stream, known.subject, b"", known.sequence, of=known.subject, seconds=EMPTY_SECONDS),
        Message(place.stream, place.parcel(number), b"", seconds=EMPTY_SECONDS),
        *changed.messages(place),
    )


async def expire(shared: Shared, ending: Stored) -> None:
    """Delete a parcel whose time is over, and then the message that said when it was put there."""
    prefix, _, _ = ending.subject.rpartition(".s.t.")
    place = Place(shared.names.stream(int(prefix.split(".")[1])), prefix)
    hash_ = Ending.decode(ending.data).hash
    await settle(partial(_take_away, shared, place, hash_, None))
    await shared.nats.purge(place.stream, [ending.subject])


async def clear(shared: Shared, shelf: bytes) -> None:
    """Delete a shelf with all that is on it."""
    place = shared.names.of(shelf)
    stored = await shared.read(place.stream, place.shelf, NEWEST)
    record = ShelfRecord.decode(stored.data)
    await shared.nats.purge(place.stream, [f"{place.shelf}.>", place.shelf])
    for subject in (place.shelf, *map(place.chunk, record.chunks)):
        shared.forget(subject)


async def check(shared: Shared, place: Place, stored: Stored) -> list[str]:
    """Return what contradicts itself on a shelf, each as a sentence without identities."""
    record = ShelfRecord.decode(stored.data)
    wrong = list[str]()
    putters: defaultdict[bytes, Count] = defaultdict(Count)
    for at in record.chunks:
        chunk = decode_chunk((await shared.read(place.stream, place.chunk(at), NEWEST)).data)
        if any(line.number > record.newest or line.number // CHUNK != at for line in chunk):
            wrong.append("parcels numbered beyond the newest of their shelf, or in a wrong record")
        for line in chunk:
            parcel = await shared.nats.last(place.stream, place.parcel(line.number))
            if parcel is None or len(parcel.data) != line.size:
                wrong.append("parcels that are not there, or of another length than noted")
            putters[line.putter] = putters[line.putter].changed(1, line.size)
    total = Count(sum(each.parcels for each in putters.values()), sum(each.size for each in putters.values()))
    if total != record.count:
        wrong.append("shelves with a wrong count of parcels")
    for putter, count in putters.items():
        if Count.decode((await shared.read(place.stream, place.putter(putter), NEWEST)).data) != count:
            wrong.append("wrong counts of what one user put on a shelf")
    return wrong
