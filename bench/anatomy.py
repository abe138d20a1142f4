"""Where the time of a message goes: each part of it timed alone, on the values of a real message.

    python bench/anatomy.py            prints the tables of README.md in Markdown

Accounts come first: with `letterlock-fast`, where it is installed, and in Python alone. Then come sessions,
which the native module does not know.

The whole less all parts is what the calls between the parts and the checks cost. The parts and the whole take
turns, and the fastest of many short repetitions counts.

Not here: the ratio to the floor (ratios.py), and to other libraries (compare.py).
"""

import argparse
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from comparison.tables import markdown
from conversation import ALICE, BOB, PAYLOAD, BareSession, Conversation
from letterlock import Address, Store, Suite
from letterlock._primitives import aead
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.kdf import hmac_sha256_pair
from letterlock._primitives.native import NATIVE, PURE
from letterlock._ratchet import braid, double, sparse
from letterlock._ratchet.double import Received, ReceivingChain, SendingChain, Speaking
from letterlock._ratchet.keys import ChainKey, MessageKey
from letterlock._ratchet.pq_keys import SparseMessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.ratchet import NONE_SKIPPED, Committed, Sent
from letterlock._ratchet.triple import Triple, max_codewords
from letterlock._session.sealing import Decrypted, Encrypted, pad, unpad
from letterlock._session.session import Established
from letterlock._wire import cbor
from letterlock._wire.message import Header, RatchetMessage
from letterlock.stores._any_store import calls_of

LOOPS: Final = 200
ROUNDS: Final = 40
READ_AHEAD: Final = 5 * LOOPS
"""Messages that are written at once. The rounds in which they are written are not the fastest."""

Part = Callable[[], object]


@dataclass(frozen=True)
class Anatomy:
    """One case: the whole of it, and its parts by name."""

    title: str
    whole: Part
    parts: dict[str, list[Part]] = field(default_factory=dict)

    def measure(self, rounds: int) -> "Measured":
        """Time the whole and its parts in turn."""
        sides: list[tuple[str, Part]] = [("", self.whole)]
        sides += [(name, pq_header) for name, several in self.parts.items() for pq_header in several]
        fastest = [float("inf")] * len(sides)
        empty = float("inf")
        for _ in range(rounds):
            empty = min(empty, _timed(lambda: None))
            for at, (_, pq_header) in enumerate(sides):
                fastest[at] = min(fastest[at], _timed(pq_header))
        # Each part is one call of a lambda, and so is the whole: subtract an empty call from each.
        costs = {name: 0.0 for name, _ in sides}
        for (name, _), took in zip(sides, fastest, strict=True):
            costs[name] += took - empty
        return Measured(self.title, costs.pop(""), costs)


@dataclass(frozen=True)
class Measured:
    """Microseconds of a case and of its parts."""

    title: str
    whole: float
    parts: dict[str, float]

    def rows(self) -> Iterator[tuple[str, ...]]:
        yield self.title, "us", "share"
        for name, took in [*self.parts.items(), ("calls and checks between", self.rest)]:
            yield name, f"{took:.2f}", f"{100 * took / self.whole:.0f} %"
        yield "**all**", f"**{self.whole:.2f}**", ""

    @property
    def rest(self) -> float:
        return self.whole - sum(self.parts.values())


def _timed(act: Part) -> float:
    """Return the microseconds of one call."""
    begun = perf_counter_ns()
    for _ in range(LOOPS):
        act()
    return (perf_counter_ns() - begun) / LOOPS / 1e3


def _speaking(bare: BareSession) -> Speaking:
    ratchet = bare.session.ratchet
    state = ratchet.double if isinstance(ratchet, Triple) else ratchet
    assert isinstance(state, Speaking)
    return state


def _hearing(bare: BareSession) -> Any:
    ratchet = bare.session.ratchet
    return ratchet.double if isinstance(ratchet, Triple) else ratchet


SESSION, STEP = "the session's own work", "the native step"
STORE = "the store: a transaction, a row each way"
KDF, AEAD, CBOR, STATES, RANDOM, PADDING = "KDF", "AEAD", "CBOR", "key and state objects", "nonce", "padding"


def sealing(suite: Suite) -> Anatomy:
    """One-way encrypt of a session."""
    bare, _ = Conversation(suite).bare_sessions()
    session, state = bare.session, _speaking(bare)
    name, key = session.origin.associated_data, state.sending.key.expose()
    wire = bare.seal(PAYLOAD)
    message = RatchetMessage.decode(wire)
    header, nonce, ciphertext = message.header, message.sealed[:8], message.sealed[8:]
    padded, twelve, associated = pad(PAYLOAD), bytes(4) + nonce, name + message.header_bytes
    chain = SendingChain(ChainKey(key), 3)

    def objects() -> None:
        ChainKey(key), MessageKey(key)
        SendingChain(chain.key, 4)
        after = Speaking(state.root, state.ours, chain, state.receiving, 3)
        Sent(after, Header(state.ours.public, 3, 3), None, MessageKey(key))
        Encrypted(Established(session.origin, session.ratchet), wire)

    parts: dict[str, list[Part]] = {
        KDF: [lambda: hmac_sha256_pair(key, b"\2", b"\1")],
        AEAD: [lambda: aead.seal(key, twelve, padded, associated)],
        CBOR: [
            lambda: header.encode_header(message.pq_header),
            lambda: cbor.complete_array(message.header_bytes, nonce, ciphertext),
        ],
        RANDOM: [lambda: system_entropy(8)],
        PADDING: [lambda: pad(PAYLOAD)],
        STATES: [objects],
    }
    ratchet = session.ratchet
    if isinstance(ratchet, Triple):
        kept = SparseMessageKey(key)
        parts |= {
            "hybrid KDF": [lambda: LETTERLOCK.hybrid(MessageKey(key), kept)],
            "sparse ratchet": [lambda: sparse.send(LETTERLOCK, ratchet.sparse, ratchet.braid.epoch - 1)],
            "braid": [lambda: braid.send(LETTERLOCK, ratchet.braid, max_codewords(128), system_entropy)],
        }
    return Anatomy(f"encrypt, session, {suite.name}", lambda: bare.seal(PAYLOAD), parts)


def opening(suite: Suite) -> Anatomy:
    """In-order decrypt of a session."""
    writer, bare = Conversation(suite).bare_sessions()
    session, state = bare.session, _hearing(bare)
    wire = writer.seal(PAYLOAD)
    message = RatchetMessage.decode(wire)
    name, key = session.origin.associated_data, state.receiving.key.expose()
    opened = bare.open(wire)
    padded, twelve, associated = pad(PAYLOAD), bytes(4) + message.sealed[:8], name + message.header_bytes
    sealing_key = bytes(32)
    ciphertext = aead.seal(sealing_key, twelve, padded, associated)
    chain = state.receiving

    def objects() -> None:
        ChainKey(key), MessageKey(key)
        ReceivingChain(chain.ratchet_key, chain.key, 4)
        double.Hearing(state.root, chain, 3)
        Received(state, MessageKey(key)), Committed(state)
        Decrypted(Established(session.origin, session.ratchet), opened, NONE_SKIPPED, None)

    parts: dict[str, list[Part]] = {
        KDF: [lambda: hmac_sha256_pair(key, b"\2", b"\1")],
        AEAD: [lambda: aead.open_sealed(sealing_key, twelve, ciphertext, associated)],
        f"{CBOR}, with the message's objects": [lambda: RatchetMessage.decode(wire)],
        PADDING: [lambda: unpad(padded)],
        STATES: [objects],
    }
    ratchet, pq_header = session.ratchet, message.pq_header
    if isinstance(ratchet, Triple) and pq_header is not None:
        kept, place = (
            SparseMessageKey(key),
            sparse.SparsePlace(pq_header.epoch - 1, pq_header.number, pq_header.previous),
        )
        parts |= {
            "hybrid KDF": [lambda: LETTERLOCK.hybrid(MessageKey(key), kept)],
            "sparse ratchet": [lambda: sparse.receive(LETTERLOCK, ratchet.sparse, place)],
            "braid": [lambda: braid.receive(LETTERLOCK, ratchet.braid, pq_header)],
        }
    return Anatomy(f"decrypt, session, {suite.name}", lambda: bare.open(wire), parts)


def writing(suite: Suite) -> Anatomy:
    """One-way encrypt of an account in memory. Python encodes no record there; the native step needs one."""
    conversation = Conversation(suite)
    bare, _ = conversation.bare_sessions()
    if NATIVE is None:
        parts: dict[str, list[Part]] = {SESSION: [lambda: bare.seal(PAYLOAD)]}
    else:
        fast, record = NATIVE, bare.record.expose()
        entropy = b"".join(map(system_entropy, fast.draws(record)))
        parts = {
            STEP: [lambda: fast.draws(record), lambda: fast.send(record, PAYLOAD, entropy)],
            RANDOM: [lambda: system_entropy(8)],
        }
    parts[STORE] = [_rows(conversation.stores[0], BOB)]
    return Anatomy(_title("encrypt", suite), lambda: conversation.alice.encrypt(BOB, PAYLOAD), parts)


def reading(suite: Suite) -> Anatomy:
    """In-order decrypt of an account in memory."""
    conversation = Conversation(suite)
    _, bare = conversation.bare_sessions()
    waiting = conversation.messages(READ_AHEAD)
    wire = waiting[0]
    waiting.reverse()

    def read() -> None:
        if not waiting:
            waiting.extend(reversed(conversation.messages(READ_AHEAD)))
        conversation.bob.decrypt(ALICE, waiting.pop())

    if NATIVE is None:
        parts: dict[str, list[Part]] = {SESSION: [lambda: bare.open(wire)]}
    else:
        fast, record = NATIVE, bare.record.expose()
        parts = {STEP: [lambda: fast.receive(record, wire)]}
    parts[STORE] = [_rows(conversation.stores[1], ALICE)]
    return Anatomy(_title("decrypt", suite), read, parts)


def _title(what: str, suite: Suite) -> str:
    return f"{what}, account in memory, {suite.name}, {'in Python' if NATIVE is None else 'fast'}"


def _rows(store: Store, peer: Address) -> Part:
    """Return a call of a store that reads a session's row and writes it."""
    calls = calls_of(store)

    def rows() -> None:
        row = calls.active(peer.encode())
        assert row is not None
        calls.save_active(row, row.record)

    return lambda: calls.run(rows)


def native(measured: Measured) -> str:
    """Estimate what one native function for chain step, padding and AEAD would take."""
    block = bytes(1 << 20)
    blocks = len(block) // 64
    hashing = min(_once(lambda: hashlib.sha256(block)) for _ in range(20)) / blocks
    key, nonce, text, associated = os.urandom(32), os.urandom(12), pad(PAYLOAD), os.urandom(76)
    cipher = ChaCha20Poly1305(key)
    sealing_ = min(_timed(lambda: cipher.encrypt(nonce, text, associated)) for _ in range(ROUNDS))
    compressions = 6  # two blocks of the key, and two more for each of the two HMACs
    step = compressions * hashing
    takes = step + sealing_
    replaced = sum(measured.parts[name] for name in (KDF, AEAD, PADDING))
    gain = replaced - takes
    return (
        f"SHA-256 takes {1e3 * hashing:.0f} ns a block, a chain step's {compressions} {step:.2f} us; a "
        f"call that seals under\na prepared key takes {sealing_:.2f} us. A native function that steps the "
        f"chain, pads and seals would take about\n{takes:.2f} us in place of {replaced:.2f}: it would gain "
        f"{gain:.2f} us of {measured.whole:.2f} us, {100 * gain / measured.whole:.0f} %.\n"
    )


def _once(act: Part) -> float:
    begun = perf_counter_ns()
    act()
    return (perf_counter_ns() - begun) / 1e3


def main() -> int:
    parser = argparse.ArgumentParser(description="Where the time of a message goes.")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    sessions = () if NATIVE is not None else (sealing, opening)
    for make in (writing, reading, *sessions):
        for suite in Suite:
            measured = make(suite).measure(rounds)
            print(markdown(measured.rows()))
            if make is sealing and suite is next(iter(Suite)):
                print(native(measured), flush=True)
    if NATIVE is None:
        return 0
    # The other mode needs another process.
    sys.stdout.flush()
    command = [sys.executable, __file__, "--rounds", str(rounds)]
    return subprocess.run(command, env={**os.environ, PURE: "1"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
