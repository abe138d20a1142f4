"""What whoever runs a relay asks of its streams.

    expire    walks each stream from its oldest messages on, until some hundred of them are young
    counts    reads some hundred records of each stream, and multiplies

Not here: what clients ask (accounts.py and its neighbours). Backups are JetStream's own: `nats
stream backup`.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final

from letterlock.errors import CorruptStore
from letterlock.relay._claims import ClaimState
from letterlock.relay._head_record import decode_head
from letterlock.relay._jetstream import logs, shelves
from letterlock.relay._jetstream.connection import Part, Stored, Unsettled
from letterlock.relay._jetstream.mail import delete, mailbox
from letterlock.relay._jetstream.records import Mailbox, decode_mail, read
from letterlock.relay._jetstream.retries import settle
from letterlock.relay._jetstream.shared import NEWEST, Shared
from letterlock.relay._jetstream.shelf_records import Ending
from letterlock.relay._jetstream.subjects import DevicePlace, Place
from letterlock.relay._store import Counts, Expired

_AT_ONCE: Final = 200
"""Messages that are read together."""

_QUESTIONS: Final = 3
"""A server answers itself if it has a replica; otherwise another one answers each time."""

_MOST: Final = 500
"""Messages of one stream that one call of `expire` deletes."""


async def _walk(shared: Shared, number: int, rest: str, sequence: int) -> Part:
    """Return some messages of a stream, from a sequence on."""
    stream = shared.names.stream(number)
    return await settle(
        partial(shared.nats.after, stream, shared.names.all(number, rest), sequence, _AT_ONCE)
    )


async def _catch_up(shared: Shared, number: int) -> None:
    """Wait until replicas have what was stored before. A walk that is behind would pass over the newest."""

    async def attempt() -> None:
        stream = shared.names.stream(number)
        info = await shared.nats.call(f"STREAM.INFO.{stream}", {})
        if "error" in info:
            raise Unsettled
        for _ in range(_QUESTIONS):
            if await shared.nats.up_to(stream, shared.names.version(number)) < info["state"]["last_seq"]:
                raise Unsettled

    await settle(attempt)


async def expire(shared: Shared, now: int, mail_before: int) -> Expired:
    """Delete mail stored before a time, and what is over; a bounded number of messages at a time."""
    messages = other = 0
    more = False
    for number in range(shared.names.streams):
        await _catch_up(shared, number)
        of_mail = await _expire(
            shared, number, "d.*.m.*", lambda data: decode_mail(0, data).time < mail_before
        )
        of_spent = await _expire(shared, number, "v.*", lambda data: bool(read(data, 1)[0] <= now))
        of_places = await _expire(shared, number, "p", lambda data: bool(read(data, 2)[1] <= now))
        of_parcels = await _expire(
            shared, number, "s.t.*", lambda data: Ending.decode(data).time < mail_before
        )
        messages += of_mail
        other += of_spent + of_places + of_parcels
        more = more or max(of_mail, of_spent, of_places, of_parcels) >= _MOST
    return Expired(messages, other, more)


async def _expire(shared: Shared, number: int, rest: str, is_over: Callable[[bytes], bool]) -> int:
    """Delete what is over among the oldest messages of a stream that end in `rest`, and return how many."""
    sequence = 1
    count = 0
    while count < _MOST:
        found = await _walk(shared, number, rest, sequence)
        over = [each for each in found.messages if each.data and is_over(each.data)]
        count += await _delete(shared, over) if over else 0
        if not found.left or not over:
            break
        sequence = found.messages[-1].sequence + 1
    return count


async def _delete(shared: Shared, over: Iterable[Stored]) -> int:
    """Delete messages, each mailbox in one step; what else is over by itself."""
    mailboxes: defaultdict[str, list[Stored]] = defaultdict(list)
    count = 0
    for stored in over:
        head, _, last = stored.subject.rpartition(".m.")
        if head and last:
            mailboxes[head].append(stored)
        elif ".s.t." in stored.subject:
            count += 1
            await shelves.expire(shared, stored)
        else:
            count += 1
            number = int(stored.subject.split(".")[1])
            filters = [stored.subject]
            if stored.subject.endswith(".p"):
                filters.append(f"{stored.subject.removesuffix('.p')}.q.>")
            await shared.nats.purge(shared.names.stream(number), filters)
            shared.forget(stored.subject)
    for prefix, its in mailboxes.items():
        count += await settle(partial(_delete_mail, shared, prefix, its))
    return count


async def _delete_mail(shared: Shared, prefix: str, its: list[Stored]) -> int:
    stream = shared.names.stream(int(prefix.split(".")[1]))
    count = await delete(shared, DevicePlace(stream, prefix), [decode_mail(0, each.data).id for each in its])
    # What no mailbox names any more is left of a device that was revoked.
    await shared.nats.purge(stream, [each.subject for each in its] if not count else [])
    return count


async def counts(shared: Shared) -> Counts:
    """Return how much there is: exactly if no stream has more than some hundred records of a kind."""
    for number in range(shared.names.streams):
        await _catch_up(shared, number)
    accounts, devices, _ = await _sum(shared, "h", lambda data: (len(decode_head(data).devices), 0))
    _, bundles, _ = await _sum(shared, "d.*.c", lambda data: (ClaimState.decode(data).stock, 0))
    _, messages, size = await _sum(shared, "d.*.x", _count_mail)
    return Counts(accounts, devices, bundles, messages, size)


def _count_mail(record: bytes) -> tuple[int, int]:
    box = Mailbox.decode(record)
    return len(box.entries), box.size


async def _sum(shared: Shared, rest: str, count: Callable[[bytes], tuple[int, int]]) -> tuple[int, int, int]:
    """Return how many records end in `rest`, and the sums of two numbers in each."""
    records = first = second = 0
    for number in range(shared.names.streams):
        part = await _walk(shared, number, rest, 1)
        if part.messages:
            read_ = len(part.messages)
            counted = [count(each.data) for each in part.messages]
            records += read_ + part.left
            first += sum(one for one, _ in counted) * (read_ + part.left) // read_
            second += sum(two for _, two in counted) * (read_ + part.left) // read_
    return records, first, second


async def check(shared: Shared) -> list[str]:
    """Return what contradicts itself, each as a sentence without identities. It reads all accounts."""
    found = Counter[str]()
    for number in range(shared.names.streams):
        await _catch_up(shared, number)
        for rest, its in (("h", _check_account), ("s", _check_shelf), ("g", _check_log)):
            await _check_all(shared, number, rest, its, found)
    return [f"{count} {what}" for what, count in found.items()]


_Check = Callable[[Shared, int, Stored], Awaitable[Iterable[str]]]


async def _check_all(shared: Shared, number: int, rest: str, its: _Check, found: Counter[str]) -> None:
    """Check each record of a stream that ends in `rest`."""
    sequence = 1
    while True:
        part = await _walk(shared, number, rest, sequence)
        for stored in part.messages:
            try:
                found.update(await its(shared, number, stored))
            except CorruptStore:
                found["records that are damaged"] += 1
        if not part.left:
            return
        sequence = part.messages[-1].sequence + 1


async def _check_shelf(shared: Shared, number: int, stored: Stored) -> Iterable[str]:
    place = Place(shared.names.stream(number), stored.subject.removesuffix(".s"))
    return await settle(partial(shelves.check, shared, place, stored))


async def _check_log(shared: Shared, number: int, stored: Stored) -> Iterable[str]:
    place = Place(shared.names.stream(number), stored.subject.removesuffix(".g"))
    return await logs.check(shared, place, stored.data)


async def _check_account(shared: Shared, number: int, stored: Stored) -> Iterable[str]:
    head = decode_head(stored.data)
    place = Place(shared.names.stream(number), stored.subject.removesuffix(".h"))
    wrong = list[str]()
    newest = await settle(partial(shared.nats.last, place.stream, place.list(head.user_id, head.version)))
    if newest is None:
        wrong.append("accounts whose newest list is not there")
    for listed in head.devices:
        its = place.device(head, listed.device)
        if its is not None:
            wrong += await settle(partial(_check_device, shared, its))
    return wrong


async def _check_device(shared: Shared, place: DevicePlace) -> list[str]:
    wrong = list[str]()
    box, _ = await mailbox(shared, place, NEWEST)
    if any(entry.number >= box.next for entry in box.entries):
        wrong.append("mailboxes with messages numbered beyond the next one")
    for entry in box.entries:
        stored = await shared.nats.last(place.stream, place.mail(entry.number))
        if stored is None or not stored.data:
            wrong.append("messages that a mailbox names and that are not there")
        elif len(decode_mail(0, stored.data).message) != entry.size:
            wrong.append("messages of another length than noted")
    record = await shared.read(place.stream, place.claims, NEWEST)
    if record.sequence:
        ClaimState.decode(record.data)
        if await shared.nats.last(place.stream, place.last_resort) is None:
            wrong.append("devices whose last-resort bundle is not there")
    return wrong
