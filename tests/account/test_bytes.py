"""Every single-byte change, truncation and extension of a message or bundle is refused.

The error is a PeerError, or UntrustedIdentity where the identity of a known peer changed. It contains none of
the bytes. The store does not change, and the untouched message still works.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cbor2
import pytest

from letterlock._primitives.secret import Secret, Uncopyable
from letterlock._ratchet.keys import ChainKey
from letterlock._ratchet.sparse import SparseChain
from letterlock._session.peer_sessions import PeerSessions
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.suite import Suite
from letterlock.account import Account
from letterlock.errors import LetterlockError, PeerError, UntrustedIdentity
from letterlock.stores._memory import MemoryStore
from support import reference
from support.pair import (
    ALICE,
    BOB,
    BOTH_SUITES,
    AnyStore,
    Pair,
    Side,
    dump,
    flipped,
    slots,
    snapshot,
    sqlite_stores,
)

TEXT = b"a text that no error may quote a word from"


@dataclass
class Report:
    """What happened while damaged forms of some bytes were tried."""

    refused: int = 0
    texts: set[str] = field(default_factory=set)
    distrusted: set[int | None] = field(default_factory=set)


def changed_bytes(data: bytes, step: int = 1) -> Iterator[tuple[int, bytes]]:
    """Yield forms with one byte changed: in its lowest bit, in its highest, and to some other value."""
    rng = random.Random(len(data))
    for at in range(0, len(data), step):
        other = rng.choice([mask for mask in range(2, 256) if mask != 0x80])
        for mask in (0x01, 0x80, other)[: 3 if step == 1 else 1]:
            yield at, flipped(data, at, mask)


def cut_and_lengthened(data: bytes, step: int = 1) -> Iterator[bytes]:
    yield from (data[:length] for length in range(0, len(data), step))
    for tail in (b"\0", b"\xff", b"\xf6", b"\0\0", b"\x01\x02", b"\0\0\0", data[-3:]):
        yield data + tail


def damaged_forms(data: bytes, step: int) -> Iterator[tuple[int | None, bytes]]:
    yield from changed_bytes(data, step)
    yield from ((None, each) for each in cut_and_lengthened(data, step))


def try_damaged(data: bytes, store: AnyStore, use: Callable[[bytes], object], *, step: int = 1) -> Report:
    """Use every damaged form of some bytes, and check that each is refused and changes nothing."""
    report, whole, before = Report(), dump(store), snapshot(store)
    for at, each in damaged_forms(data, step):
        try:
            use(each)
        except PeerError as error:
            report.texts |= error_texts(error)
        except UntrustedIdentity as error:
            report.texts |= error_texts(error)
            report.distrusted.add(at)
        else:
            pytest.fail(f"byte {at} of {len(data)}: accepted")
        report.refused += 1
        assert snapshot(store) == before, at
    assert dump(store) == whole
    return report


def error_texts(error: BaseException | None) -> set[str]:
    """Return the texts of an error and of every error that is shown as its cause."""
    texts: set[str] = set()
    while error is not None:
        texts |= {str(error), repr(error.args)}
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return texts


def assert_discreet(texts: set[str], *secrets: bytes) -> None:
    """Check that the texts contain no four bytes of a secret: as hex, escapes, numbers or characters."""
    assert texts
    whole = "\n".join(texts)
    for secret in secrets:
        size = 12 if secret is TEXT else 4  # any text may contain four characters of its words
        for start in range(len(secret) - size):
            fragment = secret[start : start + size]
            for form in (
                fragment.hex(),
                repr(fragment)[2:-1],
                str([*fragment])[1:-1],
                fragment.decode("latin-1"),
            ):
                assert form not in whole or fragment.isalpha()


# --- messages -------------------------------------------------------------------------------------------


def first_with_one_time() -> tuple[Pair, bytes]:
    pair = Pair()
    pair.alice.initiate()
    return pair, pair.alice.write(TEXT)


def first_with_last_resort() -> tuple[Pair, bytes]:
    pair = Pair()
    pair.alice.initiate(pair.bob.account.publish(0).last_resort_bundle())
    return pair, pair.alice.write(TEXT)


def first_in_x3dh() -> tuple[Pair, bytes]:
    pair = Pair(suites=BOTH_SUITES)
    pair.alice.initiate(suite=Suite.X3DH)
    return pair, pair.alice.write(TEXT)


def first_of_a_known_peer() -> tuple[Pair, bytes]:
    pair = Pair(suites=BOTH_SUITES)
    pair.converse(Suite.X3DH)
    pair.alice.initiate(suite=Suite.X3DH)
    return pair, pair.alice.write(TEXT)


def a_repeat() -> tuple[Pair, bytes]:
    pair = Pair(suites=BOTH_SUITES)
    pair.introduce(Suite.X3DH)
    return pair, pair.alice.write(TEXT)


def in_the_chain() -> tuple[Pair, bytes]:
    pair = Pair()
    pair.converse()
    pair.turn()
    pair.bob.read(pair.alice.write(b"before"))
    return pair, pair.alice.write(TEXT)


def with_a_turn() -> tuple[Pair, bytes]:
    pair = Pair()
    pair.converse()
    pair.turn()
    pair.turn()
    return pair, pair.alice.write(TEXT)


def late() -> tuple[Pair, bytes]:
    pair = Pair()
    pair.converse()
    message = pair.alice.write(TEXT)
    pair.bob.read(pair.alice.write(b"overtakes"))
    return pair, message


def in_the_archive() -> tuple[Pair, bytes]:
    pair = Pair()
    pair.converse()
    message = pair.alice.write(TEXT)
    for _ in range(2):
        pair.alice.initiate()
        pair.alice.say(b"newer")
        pair.bob.hear()
        pair.bob.say(b"yes")
        pair.alice.hear()
    return pair, message


CASES: dict[str, Callable[[], tuple[Pair, bytes]]] = {
    "first message, one-time prekeys": first_with_one_time,
    "first message, last resort": first_with_last_resort,
    "first message, x3dh": first_in_x3dh,
    "first message of a known peer": first_of_a_known_peer,
    "a repeated first message": a_repeat,
    "a message in the chain": in_the_chain,
    "a message with a turn": with_a_turn,
    "a late message": late,
    "a message in the archive": in_the_archive,
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_every_damaged_message_is_refused(case: str) -> None:
    """Of two first messages that have one form and are long, each byte of one and each third of the other."""
    pair, message = CASES[case]()
    step = 3 if case == "first message, last resort" else 1
    report = try_damaged(message, pair.bob.store, pair.bob.read, step=step)
    places = len(range(0, len(message), step))
    assert report.refused == (3 if step == 1 else 1) * places + places + 7
    known = case in {"first message of a known peer", "a repeated first message"}
    assert bool(report.distrusted) == known
    if known:
        identity = pair.alice.account.identity.data
        start = message.index(identity)
        assert report.distrusted <= set(range(start, start + 32))
    assert_discreet(report.texts, message, TEXT)
    assert pair.bob.read(message) == TEXT


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", ["first message, one-time prekeys", "a message with a turn", "a late message"]
)
def test_every_damaged_message_is_refused_on_disk(tmp_path: Path, case: str) -> None:
    pair = Pair(sqlite_stores(tmp_path))
    match case:
        case "first message, one-time prekeys":
            pair.alice.initiate()
        case _:
            pair.converse()
            pair.turn()
    message = pair.alice.write(TEXT)
    if case == "a late message":
        pair.bob.read(pair.alice.write(b"overtakes"))
    try_damaged(message, pair.bob.store, pair.bob.read, step=5 if len(message) > 500 else 2)
    pair.bob.reopen()
    assert pair.bob.read(message) == TEXT
    pair.close()


# --- bundles --------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("known", [False, True], ids=["unknown peer", "known peer"])
def test_every_damaged_bundle_is_refused(known: bool) -> None:
    pair = Pair()
    if known:
        pair.converse()
    bundle = pair.bob.account.bundle().encode()

    def initiate(data: bytes) -> None:
        pair.alice.account.initiate(BOB, PrekeyBundle.decode(data))

    report = try_damaged(bundle, pair.alice.store, initiate, step=3 if known else 1)
    assert report.distrusted == set()  # the signatures do not verify under another identity
    assert_discreet(report.texts, bundle)
    initiate(bundle)
    assert pair.bob.read(pair.alice.write(TEXT)) == TEXT


def test_an_intact_bundle_of_another_identity_is_untrusted() -> None:
    pair = Pair()
    pair.converse()
    other = Account.create(MemoryStore(), BOB, clock=pair.clock).bundle()
    before = pair.alice.dump()
    with pytest.raises(UntrustedIdentity) as caught:
        pair.alice.account.initiate(BOB, other)
    assert pair.alice.dump() == before
    assert_discreet(error_texts(caught.value), other.encode(), other.identity.data)
    with pytest.raises(UntrustedIdentity):
        pair.bob.account.initiate(ALICE, Account.create(MemoryStore(), ALICE, clock=pair.clock).bundle())


# --- texts of errors --------------------------------------------------------------------------------------


def test_error_texts_are_lower_case_and_one_line() -> None:
    pair, message = first_in_x3dh()
    report = try_damaged(message, pair.bob.store, pair.bob.read)
    for text in report.texts:
        if not text.startswith("("):
            assert text[0].islower() or text[0].isdigit() or text == ""
            assert "\n" not in text
            assert len(text) < 200


def private_bytes(side: Side) -> set[bytes]:
    """Return every secret key in the store, and the keys that its chains give next."""
    found: set[bytes] = set()
    with side.store.transaction():
        for stored in PeerSessions(side.store, side.peer, frozenset(Suite)).all():
            gather(stored.session, found)
        record = side.store.tables.account.load()
    assert record is not None
    found.add(cbor2.loads(record.expose())[2])
    for key, row in flat(side.dump()["prekeys"]):
        found.add(cbor2.loads(row[-1])[1])
        assert key == row[2]
    return found


def flat(tables: dict[Any, dict[Any, Any]]) -> list[tuple[Any, Any]]:
    return [item for table in tables.values() for item in table.items()]


def gather(value: object, found: set[bytes]) -> None:
    """Collect the secrets inside a state, and the keys that its chains give next."""
    if isinstance(value, Secret):
        found.add(value.expose())
        if isinstance(value, ChainKey):
            found.update(reference.kdf_ck(value.expose()))
    elif isinstance(value, SparseChain):
        found.update(reference.kdf_sparse(value.key.expose(), value.number + 1))
        for each in (value.key, value.following):
            gather(each, found)
    elif isinstance(value, Uncopyable):
        for name in slots(value):
            gather(getattr(value, name), found)


@pytest.mark.parametrize("encoded", [False, True], ids=["kept sessions", "encoded sessions"])
def test_no_traceback_holds_a_private_key_in_the_open(encoded: bool) -> None:
    """Crash reporters include local variables, so our frames hold secrets as Secret or not at all."""
    for make in (first_with_last_resort, first_of_a_known_peer, a_repeat, in_the_chain, with_a_turn, late):
        pair, message = make()
        if encoded:  # as in a file: each session is decoded from bytes
            pair.bob.reopen()
        secret = private_bytes(pair.bob)
        assert len(secret) >= 3
        for at in range(0, len(message), 11):
            with pytest.raises(LetterlockError) as caught:
                pair.bob.read(flipped(message, at))
            frame = caught.value.__traceback__
            while frame is not None:
                code = frame.tb_frame.f_code
                if "letterlock" in code.co_filename and "tests" not in code.co_filename:
                    values = [each for each in frame.tb_frame.f_locals.values() if isinstance(each, bytes)]
                    held = [each for each in values if any(key in each for key in secret)]
                    assert not held, f"{code.co_name} holds a secret in the open"
                frame = frame.tb_next
