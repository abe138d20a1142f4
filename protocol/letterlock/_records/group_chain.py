"""The records of sender chains: this device's own, to whom it was handed, and those of others.

    sending     [1, number, head, stamp, own lists, begun, sent, chain...]
    audience    [1, [[user id, [device id ...]] ...]]
    chain       [1, until / null, checked, index, first, before, run, opening, number, CK, next seed, keys,
                 [[number, head] ...]]

Group, epoch, sender and the first number of a chain's seed are in the key of its row.

Not here: what chains do (_groups/).
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from letterlock._groups._epoch import EpochName
from letterlock._groups._receiving import Heads, MemberChain
from letterlock._groups._sending import OwnChain, SigningPairs
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry, read_ascending
from letterlock._wire import cbor
from letterlock._wire.collection_limits import MAX_COLLECTION_LOG
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.group_limits import (
    CHAIN_EPOCHS,
    KEPT_HEADS,
    MAX_CHAIN_TEXTS,
    MAX_GROUP_MEMBERS,
)
from letterlock._wire.group_text import SenderName
from letterlock._wire.sender_chain import ChainSeed, GroupChainKey
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER, MAX_DEVICES, MAX_ID
from letterlock.stores import Record

_SENDING_FIELDS: Final = 15
_AUDIENCE_FIELDS: Final = 1
_CHAIN_FIELDS: Final = 12
_PAIR_BYTES: Final = 2 * KEY_BYTES


@dataclass(frozen=True, slots=True)
class SendingRecord(Uncopyable):
    """This device's chain, and for what it was handed to everybody: if all is the same, a text may follow.

    `number` and `head` are those of the newest entry then; `stamp` and `own_lists` say which device lists
    were on record.
    """

    number: int
    head: bytes = field(repr=False)
    stamp: int
    own_lists: bytes = field(repr=False)
    chain: OwnChain


@dataclass(frozen=True, slots=True)
class AudienceRecord:
    """Who has this device's chain: the ids of devices, by user id."""

    devices: Mapping[bytes, frozenset[int]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChainRecord(Uncopyable):
    """The chain of another device.

    `until` is the number from which on a later seed is in use, None while none is known. After the entry
    `checked` its user could write, and had the place `index` among the members; 0 for no entry. The keys of
    texts from number `first` on were handed out. From number `before` on, the chain before it is over.
    `run` is the first of the texts in a row, up to the last in order, all of which were read.
    """

    chain: MemberChain
    until: int | None = None
    checked: int = 0
    index: int = 0
    first: int = 0
    before: int = 0
    run: int = 0


def encode_sending(sending: SendingRecord) -> Record:
    """Return the record of this device's chain."""
    chain, epoch = sending.chain, sending.chain.epoch
    before: list[cbor.Value] = [sending.number, sending.head, sending.stamp, sending.own_lists]
    name: list[cbor.Value] = [epoch.number, epoch.opening, chain.number, chain.before, chain.head]
    keys: list[cbor.Value] = [chain.key.expose(), chain.next_seed.expose(), chain.pairs.expose()]
    return encode_entry(*before, chain.begun, chain.sent, *name, *keys, chain.sender.device)


def decode_sending(record: Record, group_id: bytes, user_id: bytes) -> SendingRecord:
    """Return the chain of this device of a user in a group. Raises CorruptStore."""

    def read(fields: Fields) -> SendingRecord:
        return _read_sending(fields, group_id, user_id)

    return decode_entry(record, _SENDING_FIELDS, "the record of a sender chain", read)


def encode_audience(audience: AudienceRecord) -> Record:
    """Return the record of who has this device's chain."""
    return encode_entry([(user_id, tuple(sorted(ids))) for user_id, ids in sorted(audience.devices.items())])


def decode_audience(record: Record) -> AudienceRecord:
    """Return who has this device's chain. Raises CorruptStore."""
    return decode_entry(record, _AUDIENCE_FIELDS, "the record of who has a sender chain", _read_audience)


def encode_chain(record: ChainRecord) -> Record:
    """Return the record of another device's chain."""
    chain = record.chain
    heads: list[cbor.Value] = [[number, head] for number, head in chain.heads]
    keys: list[cbor.Value] = [chain.key.expose(), chain.next_seed.expose(), chain.public_keys]
    place: list[cbor.Value] = [record.until, record.checked, record.index]
    numbers: list[cbor.Value] = [record.first, record.before, record.run]
    return encode_entry(*place, *numbers, chain.epoch.opening, chain.number, *keys, heads)


def decode_chain(record: Record, group_id: bytes, epoch: int, sender: SenderName) -> ChainRecord:
    """Return the chain of a sender in an epoch. Raises CorruptStore."""

    def read(fields: Fields) -> ChainRecord:
        return _read_chain(fields, group_id, epoch, sender)

    return decode_entry(record, _CHAIN_FIELDS, "the record of a member's chain", read)


def _read_sending(fields: Fields, group_id: bytes, user_id: bytes) -> SendingRecord:
    number, head = fields.uint_between("number", 1, MAX_COLLECTION_LOG), fields.blob("head", HASH_BYTES)
    stamp, own_lists = fields.uint("stamp", MAX_TIME), fields.blob("own lists", HASH_BYTES)
    begun, sent = fields.uint("begun", MAX_TIME), fields.uint("sent", MAX_CHAIN_TEXTS)
    name = EpochName(group_id, fields.uint_between("epoch", 1, MAX_COUNTER), _hash(fields))
    place, before = fields.uint("number of the text", MAX_COUNTER), fields.uint("before", MAX_COUNTER)
    text_head, key = fields.blob("head of texts", HASH_BYTES), GroupChainKey(fields.blob("key", KEY_BYTES))
    seed, pairs = ChainSeed(fields.blob("seed", KEY_BYTES)), _pairs(fields)
    sender = SenderName(user_id, fields.uint_between("device id", 1, MAX_ID))
    chain = OwnChain(name, sender, place, before, key, seed, pairs, text_head, sent, begun)
    return SendingRecord(number, head, stamp, own_lists, chain)


def _pairs(fields: Fields) -> SigningPairs:
    found = fields.blob_between("signing keys", _PAIR_BYTES, CHAIN_EPOCHS * _PAIR_BYTES)
    if len(found) % _PAIR_BYTES:
        raise MalformedMessage("signing keys are not whole pairs")
    return SigningPairs(found)


def _read_audience(fields: Fields) -> AudienceRecord:
    items = [Fields(each, 2, "a member's devices") for each in fields.array("members", MAX_GROUP_MEMBERS)]
    found = {each.blob("user id", HASH_BYTES): _devices(each) for each in items}
    if len(found) != len(items) or list(found) != sorted(found):
        raise MalformedMessage("members are not in their order")
    return AudienceRecord(found)


def _devices(fields: Fields) -> frozenset[int]:
    return frozenset(read_ascending(fields.array("device ids", MAX_DEVICES), MAX_ID))


def _read_chain(fields: Fields, group_id: bytes, epoch: int, sender: SenderName) -> ChainRecord:
    until = fields.any()
    if until is not None and not (type(until) is int and 0 <= until <= MAX_COUNTER):
        raise MalformedMessage("a chain ends at no number")
    checked, index = fields.uint("checked", MAX_COLLECTION_LOG), fields.uint("index", MAX_GROUP_MEMBERS - 1)
    first, before = fields.uint("first", MAX_COUNTER), fields.uint("before", MAX_COUNTER)
    run = fields.uint("run", MAX_COUNTER)
    name, number = (
        EpochName(group_id, epoch, fields.blob("opening", HASH_BYTES)),
        fields.uint("number", MAX_COUNTER),
    )
    key, seed = GroupChainKey(fields.blob("key", KEY_BYTES)), ChainSeed(fields.blob("seed", KEY_BYTES))
    keys = fields.blob_between("signing keys", KEY_BYTES, CHAIN_EPOCHS * KEY_BYTES)
    if len(keys) % KEY_BYTES:
        raise MalformedMessage("signing keys are not whole keys")
    heads: Heads = tuple(map(_head, fields.array("heads", KEPT_HEADS)))
    chain = MemberChain(name, sender, number, key, seed, keys, heads)
    return ChainRecord(chain, until, checked, index, first, before, run)


def _hash(fields: Fields) -> bytes:
    return fields.blob("hash", HASH_BYTES)


def _head(value: object) -> tuple[int, bytes]:
    fields = Fields(value, 2, "a head")
    return fields.uint("number", MAX_COUNTER), fields.blob("head", HASH_BYTES)
