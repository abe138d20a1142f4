"""CBOR: encoding and strict decoding of messages, a bundle and a publication of 100.

The floor of decoding is one plain `cbor2.loads`, which accepts any CBOR.
"""

from functools import partial

import cbor2
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from case import Case, Cases, Side, run
from conversation import ALICE, BOB, PAYLOAD, SUITES, Conversation
from letterlock import Account, MemoryStore, PrekeyBundle, Publication, Suite
from letterlock._wire import cbor
from letterlock._wire.message import InitialMessage, RatchetMessage

CASES = Cases()


def encode_message(suite: Suite) -> tuple[Side, Side]:
    wire = Conversation(suite).messages(1)[0]
    message = RatchetMessage.decode(wire)

    def ours() -> bytes:
        return cbor.complete_array(message.header.encode_header(message.pq_header), message.sealed)

    assert ours() == wire
    return Side(ours), Side(partial(cbor2.dumps, cbor2.loads(wire)))


def decode_message(suite: Suite) -> tuple[Side, Side]:
    wire = Conversation(suite).messages(1)[0]
    return Side(partial(RatchetMessage.decode, wire)), Side(partial(cbor2.loads, wire))


def decode_initial(suite: Suite) -> tuple[Side, Side]:
    alice, bob = (Account.create(MemoryStore(), who, suites=SUITES) for who in (ALICE, BOB))
    alice.initiate(BOB, bob.bundle(), suite=suite)
    wire = alice.encrypt(BOB, PAYLOAD)

    def floor_() -> None:
        cbor2.loads(cbor2.loads(wire)[-1])

    return Side(partial(InitialMessage.decode, wire)), Side(floor_)


def bundle(decode: bool) -> tuple[Side, Side]:
    made = Account.create(MemoryStore(), BOB).bundle()
    wire = made.encode()
    if decode:
        return Side(partial(PrekeyBundle.decode, wire)), Side(partial(cbor2.loads, wire))
    return Side(made.encode), Side(partial(cbor2.dumps, cbor2.loads(wire)))


def publication(decode: bool) -> tuple[Side, Side]:
    made = Account.create(MemoryStore(), BOB).publish(100)
    wire = made.encode()
    if decode:
        return Side(partial(Publication.decode, wire)), Side(partial(cbor2.loads, wire))
    return Side(made.encode), Side(partial(cbor2.dumps, cbor2.loads(wire)))


for suite_ in Suite:
    end = suite_.name.lower()
    CASES.add(f"encode_message_{end}", partial(encode_message, suite_), loops=400)
    CASES.add(f"decode_message_{end}", partial(decode_message, suite_), loops=200)
    CASES.add(f"decode_initial_{end}", partial(decode_initial, suite_), loops=100)
CASES.add("encode_bundle", partial(bundle, False), loops=200)
CASES.add("decode_bundle", partial(bundle, True), loops=20)
CASES.add("encode_publication_100", partial(publication, False), loops=5)
CASES.add("decode_publication_100", partial(publication, True), loops=1)


@pytest.mark.parametrize("side", CASES.sides())
def test_wire(benchmark: BenchmarkFixture, side: tuple[Case, int]) -> None:
    run(benchmark, side)
