"""record.* and store.*: stored records, and their encryption in the SQLite store.

Not here: transactions and tables, which are tested without vectors.
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives.curve25519 import OneTimePrekeyPair, SignedPrekeyPair
from letterlock._ratchet.triple import Triple
from letterlock._records.account import decode_account
from letterlock._records.peer import decode_peer
from letterlock._records.prekey import decode_curve_prekey, decode_kem_prekey
from letterlock._records.session import decode_session
from letterlock._session.session import Ended, Established, Initiated, Session
from letterlock._wire.prekey import KEM, PrekeyKind
from letterlock.errors import UsageError
from letterlock.stores._interface import Record
from letterlock.stores._sqlite.cipher import StoreCipher
from letterlock.stores._sqlite.format import Column
from letterlock.stores._sqlite.wrapped_key import DataKey, KeyOpener, PassphraseOpener, WrappedKey
from letterlock_vectors.inputs import Input, Operation, Output, unhex
from letterlock_vectors.operations.bundles import prekey_kind, private_key
from letterlock_vectors.operations.decoding import address_fields
from letterlock_vectors.operations.plays import double_of


def account(given: Input) -> Output:
    """Return the fields of an account's record."""
    profile = decode_account(Record(given.hex("record")))
    return {
        "address": address_fields(profile.party.address),
        "private": profile.party.identity.private.expose().hex(),
        "public": profile.party.identity.public.data.hex(),
        "next_id": profile.next_id,
        "signed_id": profile.signed_id,
        "last_resort_id": profile.last_resort_id,
        "rotated": profile.rotated,
    }


def peer(given: Input) -> Output:
    """Return the fields of a peer's record."""
    known = decode_peer(Record(given.hex("record")))
    return {"address": address_fields(known.address), "identity": known.identity.data.hex()}


def prekey(given: Input) -> Output:
    """Return the fields of a prekey's record of either format; the public half of a curve prekey alone."""
    kind, record = prekey_kind(given), Record(given.hex("record"))
    if kind in KEM:
        return {"secret": decode_kem_prekey(record).seed.expose().hex(), "public": None}
    pair: SignedPrekeyPair | OneTimePrekeyPair
    if kind is PrekeyKind.SIGNED:
        pair = decode_curve_prekey(record, SignedPrekeyPair)
    else:
        pair = decode_curve_prekey(record, OneTimePrekeyPair)
    return {"secret": pair.private.expose().hex(), "public": pair.public.data.hex()}


def session(given: Input) -> Output:
    """Return the origin and the state in a session's record."""
    kept = decode_session(Record(given.hex("record")))
    handshake = kept.header_bytes if isinstance(kept, Initiated) else kept.origin.handshake_id or b""
    return {
        "suite": int(kept.origin.suite),
        "associated_data": kept.origin.associated_data.hex(),
        "handshake": handshake.hex(),
        "promote_next": isinstance(kept, Established) and kept.promote_next,
        **_states(kept),
    }


def _states(kept: Session) -> Output:
    if isinstance(kept, Ended):
        return {"state": "Ended", "braid": None}
    ratchet = kept.ratchet
    braid = type(ratchet.braid).__name__ if isinstance(ratchet, Triple) else None
    return {"state": type(double_of(ratchet)).__name__, "braid": braid}


def unwrap(given: Input) -> Output:
    """Return the data key."""
    kind, passes, memory = (given.number(name) for name in ("kind", "passes", "memory"))
    wrap = WrappedKey.read((kind, given.hex("salt"), passes, memory, given.hex("wrapped")))
    key = given.optional_hex("key")
    opener = PassphraseOpener(given.text("passphrase")) if key is None else KeyOpener(key)
    return {"data_key": wrap.open(opener).expose().hex()}


def open_(given: Input) -> Output:
    """Return the record in a row's encrypted value."""
    record = _cipher(given).open(given.hex("value"), _ascii(given, "table"), *_columns(given, "columns"))
    return {"record": record.expose().hex()}


def tag(given: Input) -> Output:
    """Return the tag that stands for the given columns."""
    return {"tag": _cipher(given).tag(_ascii(given, "use"), *_columns(given, "columns")).hex()}


def _cipher(given: Input) -> StoreCipher:
    return StoreCipher(DataKey(private_key(given, "data_key").expose()))


def _ascii(given: Input, name: str) -> bytes:
    text = given.text(name)
    if not text.isascii():
        raise UsageError(f"`{name}` must be in ascii")
    return text.encode("ascii")


def _columns(given: Input, name: str) -> list[Column]:
    return [_column(each, name) for each in given.items(name)]


def _column(value: object, name: str) -> Column:
    if value is None:
        return None
    if type(value) is int and -(2**63) <= value < 2**63:
        return value
    return unhex(value, name)


OPERATIONS: Final[Mapping[str, Operation]] = {
    "record.account": account,
    "record.peer": peer,
    "record.prekey": prekey,
    "record.session": session,
    "store.unwrap": unwrap,
    "store.open": open_,
    "store.tag": tag,
}
