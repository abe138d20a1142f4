"""A session to bytes and back, as every durable message does; the floor packs or unpacks the fields once."""

import struct
from collections.abc import Callable
from functools import partial
from typing import Final

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from case import Case, Cases, Side, run
from conversation import BareSession, Conversation
from letterlock import Suite
from letterlock._records.session import decode_session, encode_session
from letterlock.stores import Record

CASES = Cases()
HEAD: Final = "BBBBIQQ32s32s32s32s32sII32s32sII"
PART: Final = "32sQQQIIII32s32s32s32sQ32s32s64sHHHH"


def prepared(suite: Suite) -> tuple[BareSession, bytes, struct.Struct]:
    """Return a session, its record, and the layout of that record; its texts and handshake are one field."""
    alice, _ = Conversation(suite).bare_sessions()
    record = alice.record.expose()
    fixed = f">{HEAD}{PART if suite is Suite.PQXDH else ''}"
    return alice, record, struct.Struct(f"{fixed}{len(record) - struct.calcsize(fixed)}s")


def save(suite: Suite) -> tuple[Side, Side]:
    alice, record, layout = prepared(suite)
    return Side(partial(encode_session, alice.session)), Side(partial(layout.pack, *layout.unpack(record)))


def load(suite: Suite) -> tuple[Side, Side]:
    _, record, layout = prepared(suite)
    unpack: Callable[[bytes], object] = layout.unpack
    return Side(partial(decode_session, Record(record))), Side(partial(unpack, record))


for suite_ in Suite:
    CASES.add(f"save_session_{suite_.name.lower()}", partial(save, suite_), loops=200)
    CASES.add(f"load_session_{suite_.name.lower()}", partial(load, suite_), loops=100)


@pytest.mark.parametrize("side", CASES.sides())
def test_record(benchmark: BenchmarkFixture, side: tuple[Case, int]) -> None:
    run(benchmark, side)
