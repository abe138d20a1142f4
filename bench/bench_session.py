"""Messages of a session without a store: what the protocol itself costs.

A session is a pure function of its state, so each call begins from the same state, whatever was measured
before. Only `ping_pong` continues the conversation.
"""

import os
from functools import partial

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import floor
from case import Case, Cases, Side, run
from conversation import PAYLOAD, Conversation
from letterlock import Suite
from letterlock._ratchet.keys import MessageKey
from letterlock._session import sealing
from letterlock._session.sealing import padded_length
from letterlock._wire.message import RatchetMessage

CASES = Cases()
SKIPPED = 999


def least(suite: Suite) -> floor.Message:
    return floor.Message(padded_length(len(PAYLOAD)), triple=suite is Suite.PQXDH)


def encrypt(suite: Suite) -> tuple[Side, Side]:
    alice, _ = Conversation(suite).bare_sessions()
    return Side(partial(alice.seal, PAYLOAD)), Side(least(suite).encrypt)


def decrypt(suite: Suite) -> tuple[Side, Side]:
    alice, bob = Conversation(suite).bare_sessions()
    return Side(partial(bob.open, alice.seal(PAYLOAD))), Side(least(suite).decrypt)


def ping_pong(suite: Suite) -> tuple[Side, Side]:
    alice, bob = Conversation(suite).bare_sessions()

    def ours() -> None:
        bob.receive(alice.send(PAYLOAD))
        alice.receive(bob.send(PAYLOAD))

    message = least(suite)

    def floor_() -> None:
        message.ping_pong()
        message.ping_pong()

    return Side(ours), Side(floor_)


def skip(suite: Suite) -> tuple[Side, Side]:
    alice, bob = Conversation(suite).bare_sessions()
    wires = [alice.send(PAYLOAD) for _ in range(SKIPPED + 1)]
    return Side(partial(bob.open, wires[-1])), Side(partial(least(suite).decrypt_after, SKIPPED))


def late(suite: Suite) -> tuple[Side, Side]:
    """One of the messages that were skipped, without finding and deleting its key."""
    alice, bob = Conversation(suite).bare_sessions()
    wires = [alice.send(PAYLOAD) for _ in range(SKIPPED + 1)]
    bob.receive(wires[-1])
    wire, header = wires[500], RatchetMessage.decode(wires[500]).header
    key = MessageKey(bob.kept[header.ratchet_key.data, header.number])

    def ours() -> bytes:
        return sealing.decrypt(bob.session, RatchetMessage.decode(wire), bob.find, key).plaintext

    return Side(ours), Side(least(suite).decrypt_late)


def long(which: str) -> tuple[Side, Side]:
    """1 MiB; the floor is the AEAD alone, into an existing buffer."""
    text = os.urandom(1 << 20)
    alice, bob = Conversation(Suite.X3DH).bare_sessions()
    seal_into, open_into = floor.buffers(os.urandom(padded_length(len(text))))
    if which == "encrypt":
        return Side(partial(alice.seal, text)), Side(seal_into)
    return Side(partial(bob.open, alice.seal(text))), Side(open_into)


for suite_ in Suite:
    end = suite_.name.lower()
    CASES.add(f"encrypt_{end}", partial(encrypt, suite_), loops=50)
    CASES.add(f"decrypt_{end}", partial(decrypt, suite_), loops=50)
    CASES.add(f"ping_pong_{end}", partial(ping_pong, suite_), loops=8, units=2)
    CASES.add(f"skip_999_{end}", partial(skip, suite_), loops=1)
    CASES.add(f"late_{end}", partial(late, suite_), loops=50)
for which_ in ("encrypt", "decrypt"):
    CASES.add(f"{which_}_1mib", partial(long, which_), loops=3, steady=False)


@pytest.mark.parametrize("side", CASES.sides())
def test_session(benchmark: BenchmarkFixture, side: tuple[Case, int]) -> None:
    run(benchmark, side)
