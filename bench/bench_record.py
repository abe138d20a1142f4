"""A session to bytes and back, as every message does; the floor is one `cbor2.dumps` or `cbor2.loads`."""

from functools import partial

import cbor2
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from case import Case, Cases, Side, run
from conversation import Conversation
from letterlock import Suite
from letterlock._records.session import decode_session, encode_session

CASES = Cases()


def save(suite: Suite) -> tuple[Side, Side]:
    alice, _ = Conversation(suite).bare_sessions()
    elements = cbor2.loads(alice.record.expose())
    return Side(partial(encode_session, alice.session)), Side(partial(cbor2.dumps, elements))


def load(suite: Suite) -> tuple[Side, Side]:
    alice, _ = Conversation(suite).bare_sessions()
    return Side(partial(decode_session, alice.record)), Side(partial(cbor2.loads, alice.record.expose()))


for suite_ in Suite:
    CASES.add(f"save_session_{suite_.name.lower()}", partial(save, suite_), loops=200)
    CASES.add(f"load_session_{suite_.name.lower()}", partial(load, suite_), loops=100)


@pytest.mark.parametrize("side", CASES.sides())
def test_record(benchmark: BenchmarkFixture, side: tuple[Case, int]) -> None:
    run(benchmark, side)
