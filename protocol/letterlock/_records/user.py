"""The record of the user to whom this device belongs.

    user    [1, device id, signing seed, receiving seed, pin, [[generation, seed] ...], awaited / null,
             counter, restored, [device id ...], [device id ...], asked,
             shown, withheld]

The address and the identity key are in the account's record. Keys are kept as seeds: expanding one takes
longer than reading the record, and most calls need none.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from letterlock._primitives.composite import SEED_BYTES, CompositeSeed
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._primitives.xwing import XWingSeed
from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry, read_ascending, read_bool
from letterlock._records.pin import PinnedList
from letterlock._wire.fields import Fields
from letterlock._wire.linking_payload import DocumentSeed
from letterlock.errors import MalformedMessage
from letterlock.limits import HEAD_BYTES, MAX_COUNTER, MAX_DEVICES, MAX_ID, MAX_SEEDS_AHEAD
from letterlock.stores import Record

_FIELDS: Final = 13


@dataclass(frozen=True, slots=True)
class UserRecord(Uncopyable):
    """What this device keeps about its own user.

    `signing` gives the device's signing key, and `receiving` an X-Wing key of its own, to which other
    devices seal what is for this one. `pin` is the user's own device list. `seeds` are the document keys by
    generation, in ascending order; a device of class limited has none. `awaited` is a head of 8 bytes of our
    own chain that somebody named and we do not know. `counter` is what a witness keeps a copy of, and
    `restored` says that the store went back. `renew` are the ids of this user's other devices, in ascending
    order, whose sessions have to be replaced before anything is sent to them, and `discard` those of them
    whose sessions are deleted then, because the store went back. `asked` is when the application was asked
    for this user's own lists because of their age, in seconds since 1970 (UTC), 0 for never.

    `shown` is the newest version that others may have seen. Later ones were signed by this device, and the
    directory has not taken them yet. `withheld` is when it first answered without them, 0 if it did not.
    """

    device_id: int
    signing: CompositeSeed
    receiving: XWingSeed
    pin: PinnedList
    shown: int
    seeds: tuple[tuple[int, DocumentSeed], ...] = ()
    awaited: bytes | None = field(default=None, repr=False)
    counter: int = 0
    restored: bool = False
    renew: tuple[int, ...] = ()
    discard: tuple[int, ...] = ()
    asked: int = 0
    withheld: int = 0


def encode_user(user: UserRecord) -> Record:
    """Return the user's own record."""
    return encode_entry(
        user.device_id,
        user.signing.expose(),
        user.receiving.expose(),
        user.pin.fields(),
        [[generation, seed.expose()] for generation, seed in user.seeds],
        user.awaited,
        user.counter,
        int(user.restored),
        user.renew,
        user.discard,
        user.asked,
        user.shown,
        user.withheld,
    )


def decode_user(record: Record) -> UserRecord:
    """Return the user of a record. Raises CorruptStore."""
    return decode_entry(record, _FIELDS, "the user's own record", _read)


def _read(fields: Fields) -> UserRecord:
    device_id = fields.uint_between("device id", 1, MAX_ID)
    signing = CompositeSeed(fields.blob("signing seed", SEED_BYTES))
    receiving = XWingSeed(fields.blob("receiving seed", KEY_BYTES))
    pin = PinnedList.from_fields(fields.any())
    # A version begins one generation at most, and seeds may come before their device lists.
    seeds = tuple(map(_seed, fields.array("document seeds", pin.version + MAX_SEEDS_AHEAD)))
    generations = [generation for generation, _ in seeds]
    if generations != sorted(set(generations)):
        raise MalformedMessage("generations of document seeds are not in ascending order")
    rest: dict[str, Any] = {
        "awaited": fields.optional_blob("awaited head", HEAD_BYTES),
        "counter": fields.uint("counter", MAX_TIME),
        "restored": read_bool(fields, "restored"),
        "renew": read_ascending(fields.array("devices to renew", MAX_DEVICES), MAX_ID),
        "discard": read_ascending(fields.array("devices to discard", MAX_DEVICES), MAX_ID),
        "asked": fields.uint("time of the question", MAX_TIME),
        "shown": fields.uint_between("shown version", 1, pin.version),
        "withheld": fields.uint("time of the answer", MAX_TIME),
    }
    return UserRecord(device_id, signing, receiving, pin, seeds=seeds, **rest)


def _seed(value: object) -> tuple[int, DocumentSeed]:
    fields = Fields(value, 2, "a document seed")
    generation = fields.uint_between("generation", 1, MAX_COUNTER)
    return generation, DocumentSeed(fields.blob("seed", KEY_BYTES))
