"""Fuzzing what a store gives back: records of every kind, sealed values, the wrapped key.

A record that cannot be read must raise CorruptStore where it is decoded, and StoreError from every call of an
account that meets it. A record that reads but makes no sense may be refused with any error of ours.
"""

from collections.abc import Callable, Iterator
from dataclasses import astuple, replace
from functools import partial
from typing import Any, Final

import cbor2

from fuzz.conversation import SESSIONS, conversation
from fuzz.harness import ITEMS, Finding, Outcome, Target, attempt
from fuzz.stage import Stage
from fuzz.tree import mutated, parsed
from letterlock import hazmat
from letterlock._device.peer import Peer
from letterlock._primitives.aead import XNONCE_BYTES, seal_at_rest
from letterlock._primitives.curve25519 import SIGNATURE_BYTES, SignedPrekeyPair
from letterlock._primitives.mlkem import MlKem1024KeyPair
from letterlock._records.account import decode_account, encode_account
from letterlock._records.peer import decode_peer_and_used
from letterlock._records.prekey import decode_curve_prekey, decode_kem_prekey, encode_prekey
from letterlock._records.session import decode_session, encode_session
from letterlock._wire import cbor
from letterlock.account import Account
from letterlock.errors import CorruptStore, StoreError, WrongKey
from letterlock.limits import ARGON2_MAX_MEMLIMIT, ARGON2_MAX_OPSLIMIT
from letterlock.stores._interface import PrekeyRow, Record, SessionRow
from letterlock.stores._memory import MemoryStore
from letterlock.stores._sqlite.cipher import StoreCipher
from letterlock.stores._sqlite.format import encode
from letterlock.stores._sqlite.wrapped_key import DataKey, KeyOpener, Opener, PassphraseOpener, WrappedKey
from support.flat_record import TEXTS, fields_of, joined, number, with_text
from support.pair import ALICE, STORE_KEY, entropy_of
from support.store_tools import PASSPHRASE

_PAIR, _HELD = conversation("fuzzed records")
_BOB: Final = Stage(_PAIR.bob.account, _PAIR.bob.store, ITEMS)
_STORE: Final = _PAIR.bob.store

_DATA_KEY: Final = DataKey(bytes(range(32)))
_CIPHER: Final = StoreCipher(_DATA_KEY)
_TABLE: Final = b"sessions"
_COLUMNS: Final = 9
"""A sealed value and more clear columns than any table has. A file cannot choose their number."""


def check(data: bytes) -> None:
    record = Record(data)
    readable = {
        "session": _decoded(data, lambda: decode_session(record), lambda it: encode_session(it).expose()),
        "account": _decoded(data, lambda: decode_account(record), lambda it: encode_account(it).expose()),
        "peer": _decoded(data, lambda: decode_peer_and_used(record), _encode_peer),
        "prekey": _readable_prekey(data, record),
    }
    for part, place, call in _calls(data):
        _check_call(_BOB.use(data, call, first=place), readable[part], part)
    value = parsed(data)
    if not isinstance(value, list) or len(value) > _COLUMNS:
        return
    if all(not isinstance(each, int) or abs(each) < 2**63 for each in value):
        _check_cipher(data, value)


def _decoded(data: bytes, decode: Callable[[], Any], encode_again: Callable[[Any], bytes]) -> bool:
    """Decode, compare the encoding, and return whether the record reads."""
    outcome = attempt(data, decode, CorruptStore, ITEMS)
    if outcome.error is not None:
        return False
    if encode_again(outcome.accepted()) != data:
        raise Finding("a record encodes to other bytes")
    return True


def _encode_peer(read: tuple[Peer, tuple[bytes, ...]]) -> bytes:
    peer, used = read
    fields = [peer.address.fields(), peer.identity.data]
    return cbor.encode([2, *fields, b"".join(used)] if used else [1, *fields])


def _readable_prekey(data: bytes, record: Record) -> bool:
    """Return whether the record reads as a prekey with a secret of either length."""
    readers: tuple[Callable[[], Any], ...] = (
        partial(decode_curve_prekey, record, SignedPrekeyPair),
        partial(decode_kem_prekey, record),
    )
    return sum(_decoded(data, read, partial(_encode_prekey, data)) for read in readers) > 0


def _encode_prekey(data: bytes, pair: SignedPrekeyPair | MlKem1024KeyPair) -> bytes:
    """Encode a prekey in the format that it was read in: the earlier one has a signature."""
    if data[:1] != b"\x82":
        return encode_prekey(pair).expose()
    secret = pair.private if isinstance(pair, SignedPrekeyPair) else pair.seed
    return cbor.encode([secret.expose(), data[-SIGNATURE_BYTES:]])


def _check_call(outcome: Outcome[object], readable: bool, part: str) -> None:
    if readable:
        return
    if outcome.error is None:
        raise Finding(f"{part}: a record that does not read was used")
    if not isinstance(outcome.error, StoreError):
        raise Finding(f"{part}: {type(outcome.error).__name__} for a record that does not read")


# --- records in their places ----------------------------------------------------------------------------


def _calls(data: bytes) -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    """Yield the kind of record, what puts one into the store, and a call that then meets it."""
    bob = _PAIR.bob.account
    # A record is decoded by one function only, so each place has one of its own.
    place = partial(_as_session, Record(data))
    yield "session", place, lambda: bob.encrypt(ALICE, b"x")
    yield "session", place, lambda: bob.decrypt(ALICE, _HELD["next"])
    place = partial(_STORE.tables.account.save, Record(data))
    yield "account", place, lambda: _reopened().publish(0)
    place = partial(_STORE.tables.peers.save, ALICE.encode(), Record(data))
    yield "peer", place, bob.peers
    yield "peer", place, lambda: bob.safety_number(ALICE)
    yield "prekey", partial(_as_prekeys, Record(data)), lambda: bob.publish(0)


def _reopened() -> Account:
    return hazmat.open_account(_STORE, entropy_of("reopened"), clock=_PAIR.clock)


def _as_session(record: Record) -> None:
    for row in _STORE.tables.sessions.load(ALICE.encode(), 1):
        _STORE.tables.sessions.save(SessionRow(row.id, row.address, row.rank, record))


def _as_prekeys(record: Record) -> None:
    for row in _rows():
        _STORE.tables.prekeys.replace(replace(row, record=record))


def _rows() -> Iterator[PrekeyRow]:
    assert isinstance(_STORE, MemoryStore)
    for rows in _STORE._rows.prekeys.values():
        yield from list(rows.values())


# --- the cipher -----------------------------------------------------------------------------------------


def _check_cipher(data: bytes, columns: list[Any]) -> None:
    if columns:
        sealed, rest = columns[0], columns[1:]
        opened = attempt(data, lambda: _CIPHER.open(sealed, _TABLE, *rest), CorruptStore)
        if opened.error is None and _sealed(opened.accepted(), *rest, nonce=sealed[:XNONCE_BYTES]) != sealed:
            raise Finding("a value seals to other bytes")
    read = attempt(data, lambda: WrappedKey.read(tuple(columns)), CorruptStore)
    if read.error is None:
        _check_wrap(data, columns, read.accepted())


def _check_wrap(data: bytes, columns: list[Any], wrap: WrappedKey) -> None:
    if list(astuple(wrap)) != columns:
        raise Finding("a wrapped key reads as another one")
    for opener in (KeyOpener(STORE_KEY), PassphraseOpener(PASSPHRASE)):
        if opener.KIND == PassphraseOpener.KIND == wrap.kind and _is_expensive(wrap):
            continue
        opened = attempt(data, partial(wrap.open, opener), StoreError)
        if opened.error is None and opened.accepted() != _DATA_KEY:
            raise Finding("another data key was unwrapped")
        if not isinstance(opened.error, WrongKey | CorruptStore | None):
            raise Finding(f"{type(opened.error).__name__} for a wrapped key")


def _is_expensive(wrap: WrappedKey) -> bool:
    """Whether the parameters are allowed but too expensive for a fuzzer."""
    allowed = 1 <= wrap.opslimit <= ARGON2_MAX_OPSLIMIT and 8192 <= wrap.memlimit <= ARGON2_MAX_MEMLIMIT
    return allowed and wrap.opslimit * wrap.memlimit > 64 * 1024


def _sealed(record: Record, *columns: Any, nonce: bytes = bytes(XNONCE_BYTES)) -> bytes:
    """Seal as a store does, under a chosen nonce."""
    associated = encode(_TABLE, *columns)
    return nonce + seal_at_rest(_CIPHER._values.expose(), nonce, record.expose(), associated)


def _wrapped(opener: Opener, opslimit: int, memlimit: int) -> list[Any]:
    """Wrap the data key as a store does, under a chosen salt and nonce."""
    nonce = bytes(XNONCE_BYTES)
    empty = WrappedKey(opener.KIND, bytes(16), opslimit, memlimit, b"")
    key = opener.wrap_key(empty.salt, opslimit, memlimit).expose()
    wrapped = nonce + seal_at_rest(key, nonce, _DATA_KEY.expose(), empty.associated_data())
    return list(astuple(replace(empty, wrapped=wrapped)))


# --- inputs ---------------------------------------------------------------------------------------------


def seeds() -> dict[str, bytes]:
    found = _sessions()
    with _STORE.transaction():
        account, (peer,) = _STORE.tables.account.load(), _STORE.tables.peers.all()
        rows = {f"prekey-{row.kind.name.lower()}": row.record.expose() for row in _rows()}
    assert account is not None
    value = Record(b"a record")
    wraps = {
        "key": _wrapped(KeyOpener(STORE_KEY), 0, 0),
        "phrase": _wrapped(PassphraseOpener(PASSPHRASE), 1, 8192),
    }
    expensive = [*wraps["phrase"][:2], ARGON2_MAX_OPSLIMIT + 1, *wraps["phrase"][3:]]
    return found | _changed(found) | rows | {
        "account": account.expose(),
        "peer": peer.expose(),
        "account-of-format-zero": cbor2.dumps([0, *cbor2.loads(account.expose())[1:]]),
        "peer-of-format-zero": cbor2.dumps([0, *cbor2.loads(peer.expose())[1:]]),
        "value": cbor2.dumps([_sealed(value, 1, b"peer", None), 1, b"peer", None]),
        "value-moved": cbor2.dumps([_sealed(value, 1, b"peer", None), 2, b"peer", None]),
        "value-of-text": cbor2.dumps(["text", 1.5, "text"]),
        "wrap-by-key": cbor2.dumps(wraps["key"]),
        "wrap-by-passphrase": cbor2.dumps(wraps["phrase"]),
        "wrap-too-dear": cbor2.dumps(expensive),
    }  # fmt: skip


def _sessions() -> dict[str, bytes]:
    """Return the sessions of both sides, by the names of conversation.py."""
    found = {}
    for side, names in ((_PAIR.alice, ("unanswered", *SESSIONS)), (_PAIR.bob, SESSIONS)):
        with side.store.transaction():
            rows = side.store.tables.sessions.load(side.peer.encode(), len(names))
        suffix = "-of-alice" if side is _PAIR.alice else ""
        for name, row in zip(names, rows, strict=True):
            found[f"session-{name}" + (suffix if name in SESSIONS else "")] = row.record.expose()
    return found


def _changed(found: dict[str, bytes]) -> dict[str, bytes]:
    """Return records of sessions of which one field is another one."""
    active, unanswered, plain = (
        fields_of(found[f"session-{name}"]) for name in ("active", "unanswered", "plain")
    )
    flags, epoch, last = number(active, "flags"), number(active, "epoch"), 2**32 - 1
    other = {name: unanswered[name] for name in ("braid state", "epoch", "secret", "sent", *TEXTS)}
    other |= {f"{name} length": unanswered[f"{name} length"] for name in TEXTS}
    return {
        "session-promote-next": joined(active, flags=flags | 1),
        "session-promote-next-unanswered": joined(unanswered, flags=number(unanswered, "flags") | 1),
        "session-low-order": joined(plain, theirs=bytes(32)),
        "session-of-the-other-suite": joined(active, suite=1, flags=0),
        "session-plain-of-the-other-suite": joined(plain, suite=2),
        "session-of-another-epoch": joined(active, epoch=epoch + 1),
        "session-at-its-end": joined(active, n_sending=last, n_receiving=last, ns=last),
        "session-braid-of-another": joined(active | other),
        "session-of-format-one": joined(plain, format=1),
        "session-half-a-codeword": with_text(active, "incoming", bytes(33)),
        "session-with-more-behind": found["session-active"] + b"\0",
    }


TARGET: Final = Target(check, mutated, seeds)
