"""The rows of a client about addresses: entries of the store.

    INVITED   id of an identity     what this device shared with an address      due: when the row is deleted
    CLAIMED   id of an identity     what this user has claimed                    due: order

    invited   [1, kind, address, end, owner secret, state, told, digest of both keys / null, user id / null,
               [hash of a grant ...], key server]
    claimed   [1, whom, told]

`told` has a bit for each server that took the last word: the withdrawal, or that it is claimed. `whom` is the
digest of who was proven, because a server takes a claim for the address of its pass alone.           [PRV-11]

Not here: what is done with them (_address_book.py, _claiming.py).
"""

from dataclasses import replace
from enum import IntEnum
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.identity_calls import read_kind
from letterlock._wire.identity_limits import MAX_CLAIM
from letterlock._wire.recovery_limits import PROVISIONAL_LIFE
from letterlock._wire.relay_body import read_blobs
from letterlock.client._table import MICROSECONDS, Table
from letterlock.errors import MalformedMessage
from letterlock.limits import DAY
from letterlock.recovery import OwnerSecret
from letterlock.stores import EntryKind, Record, Store

MAX_INVITED_GRANTS: Final = 24
"""Grants to one identity: an invitation holds all of them, in the 220 KiB of a parcel."""

_MAX_URL: Final = 512

KEPT_AFTER_END: Final = 30 * DAY
"""Seconds for which a row outlives its end: a clock may be ahead, and the owner secret withdraws."""

BOTH: Final = 0b11
"""`told`, when both servers have taken it."""


class InvitedState(IntEnum):
    """What may still be done with an identity."""

    OPEN = 0
    """More can be granted to it."""
    HALF = 1
    """Only one server was told of a claim: nothing more is granted to it. [PRV-8]"""
    WITHDRAWN = 2
    """Nobody is to claim it any more. [PRV-6]"""


@dataclass(frozen=True, slots=True, repr=False)
class Invited(Uncopyable):
    """An identity that this device has asked for, or is about to."""

    kind: str
    address: str
    end: int
    owner: OwnerSecret
    state: InvitedState = InvitedState.OPEN
    told: int = 0
    keys: bytes | None = None
    user_id: bytes | None = None
    grants: tuple[bytes, ...] = ()
    key_server: str = ""

    def after_server(self, server: int) -> "Invited":
        """Return the row after a server has taken the withdrawal."""
        return replace(self, told=self.told | server)

    def __repr__(self) -> str:
        return "<Invited>"


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """An identity whose grants are this user's own, until both servers were told."""

    whom: bytes
    told: int = 0


class AddressTables:
    """Both kinds of rows of one client."""

    __slots__ = ("claimed", "invited")

    def __init__(self, store: Store) -> None:
        self.invited: Table[Invited] = Table(store, EntryKind.INVITED, encode_invited, decode_invited)
        self.claimed: Table[ClaimRow] = Table(store, EntryKind.CLAIMED, encode_claimed, decode_claimed)

    def claimed_rows(self, now: int) -> list[tuple[bytes, ClaimRow]]:
        """Return what was claimed and not told to both servers; forget what no server can have any more."""
        self.claimed.delete_due((now - PROVISIONAL_LIFE - KEPT_AFTER_END) * MICROSECONDS)
        return self.claimed.due()

    def save_invited(self, id_: bytes, row: Invited) -> None:
        """Insert or replace what was shared with an identity."""
        self.invited.save(id_, row, row.end + KEPT_AFTER_END)


def encode_invited(row: Invited) -> Record:
    """Return the record of an identity."""
    head = row.kind, row.address, row.end, row.owner.expose(), int(row.state), row.told
    return encode_entry(*head, row.keys, row.user_id, [*row.grants], row.key_server)


def decode_invited(record: Record) -> Invited:
    """Read what `encode_invited` gives. Raises CorruptStore."""
    return decode_entry(record, 10, "a record of an invitation", _invited)


def _invited(fields: Fields) -> Invited:
    kind, address = read_kind(fields), fields.text("address")
    if not 1 <= len(address.encode()) <= MAX_CLAIM:
        raise fields.wrong("address", f"a text of 1 to {MAX_CLAIM} bytes")
    end, owner = fields.uint("end", MAX_TIME - KEPT_AFTER_END), OwnerSecret(fields.blob("owner", KEY_BYTES))
    state = InvitedState(fields.uint("state", max(InvitedState)))
    told, keys = fields.uint("told", BOTH), fields.optional_blob("keys", 2 * HASH_BYTES)
    user_id = fields.optional_blob("user id", HASH_BYTES)
    grants = read_blobs(fields, "grants", MAX_INVITED_GRANTS, HASH_BYTES)
    if any(len(each) != HASH_BYTES for each in grants):
        raise MalformedMessage(f"grants of an invitation are named by {HASH_BYTES} bytes each")
    key_server = fields.text("key server")
    if len(key_server) > _MAX_URL:
        raise fields.wrong("key server", f"a text of up to {_MAX_URL} characters")
    return Invited(kind, address, end, owner, state, told, keys, user_id, grants, key_server)


def encode_claimed(row: ClaimRow) -> Record:
    """Return the record of a claim."""
    return encode_entry(row.whom, row.told)


def decode_claimed(record: Record) -> ClaimRow:
    """Read what `encode_claimed` gives. Raises CorruptStore."""
    return decode_entry(record, 2, "a record of a claim", _claimed)


def _claimed(fields: Fields) -> ClaimRow:
    return ClaimRow(fields.blob("whom", HASH_BYTES), fields.uint("told", BOTH))
