"""What the post-quantum ratchet costs in time, against X3DH; and the most expensive message of an epoch.

    python -m pytest bench/bench_triple.py -n0 --benchmark-enable    each alone
    python bench/bench_triple.py                                     both suites in turn, with ratios

Compare the suites by the second. It measures the processor's time, so other programs do not count, and sends
one message of each suite in turn.

Not here: bytes and messages until a session heals (healing.py).
"""

import os
import random
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import thread_time_ns
from typing import Final

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from conversation import ALICE, BOB, PAYLOAD, Conversation
from letterlock import Suite
from letterlock._handshake.x3dh import SharedSecret
from letterlock._primitives.curve25519 import SignedPrekeyPair
from letterlock._primitives.entropy import system_entropy
from letterlock._ratchet import triple
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.ratchet import Sent, nothing_kept
from letterlock._ratchet.triple import Triple
from letterlock._session.sealing import padded_length
from letterlock._wire.message import RatchetMessage

LONG: Final = os.urandom(20_000)
AD: Final = os.urandom(32)

MESSAGES: Final = 4_000
RATIO: Final = 1.5
"""How much more than one of X3DH a message of PQXDH may cost."""
MOST_EXPENSIVE: Final = 10.0
"""Milliseconds that the most expensive call of an epoch may take."""


class Ratchets:
    """Two triple ratchets without seals and stores."""

    def __init__(self) -> None:
        secret, signed = SharedSecret(os.urandom(32)), SignedPrekeyPair.generate(system_entropy)
        self.states = [
            triple.initiator(LETTERLOCK, secret, signed.public, system_entropy),
            triple.recipient(LETTERLOCK, secret, signed),
        ]

    def send(self, who: int, size: int) -> Sent[Triple]:
        sent = triple.send(LETTERLOCK, self.states[who], size, system_entropy)
        self.states[who] = sent.state
        return sent

    def receive(self, who: int, sent: Sent[Triple]) -> None:
        message = RatchetMessage(sent.header, sent.pq_header, b"", b"")
        found = triple.find_message_key(LETTERLOCK, self.states[who], message, None, nothing_kept, AD)
        after = found.commit().state
        assert isinstance(after, Triple)
        self.states[who] = after


# --- under pytest-benchmark ---------------------------------------------------------------------------


@pytest.mark.parametrize("suite", Suite, ids=lambda suite: suite.name)
def test_alternating(benchmark: BenchmarkFixture, suite: Suite) -> None:
    conversation = Conversation(suite)

    def turn() -> None:
        conversation.there(PAYLOAD)
        conversation.back(PAYLOAD)

    benchmark(turn)


@pytest.mark.parametrize("suite", Suite, ids=lambda suite: suite.name)
def test_one_way(benchmark: BenchmarkFixture, suite: Suite) -> None:
    benchmark(Conversation(suite).there, PAYLOAD)


def test_ratchets_alone(benchmark: BenchmarkFixture) -> None:
    ratchets = Ratchets()

    def turn() -> None:
        ratchets.receive(1, ratchets.send(0, 128))
        ratchets.receive(0, ratchets.send(1, 128))

    benchmark(turn)


# --- in one run, in turn --------------------------------------------------------------------------


@dataclass(frozen=True)
class MostExpensive:
    """The kind of call with the highest median over epochs, and the most expensive call of all."""

    typical: float
    worst: float
    what: str

    def __str__(self) -> str:
        return f"{self.what}, {self.typical:.2f} ms; the worst of all {self.worst:.2f} ms"


def alternating(conversation: Conversation) -> Iterator[int]:
    """Yield what each message costs, sealed and opened, in nanoseconds."""
    while True:
        for go in (conversation.there, conversation.back):
            begun = thread_time_ns()
            go(PAYLOAD)
            yield thread_time_ns() - begun


def one_way(conversation: Conversation) -> Iterator[int]:
    """The same, of messages that are not answered."""
    while True:
        begun = thread_time_ns()
        conversation.there(PAYLOAD)
        yield thread_time_ns() - begun


def compare(how: Callable[[Conversation], Iterator[int]]) -> dict[Suite, tuple[float, float]]:
    """Return median and mean of a message in microseconds, by suite; each message of both in turn."""
    costs: dict[Suite, list[int]] = {suite: [] for suite in Suite}
    runs = {suite: how(Conversation(suite)) for suite in Suite}
    for _ in range(MESSAGES):
        for suite, run in runs.items():
            costs[suite].append(next(run))
    return {
        suite: (statistics.median(each) / 1e3, statistics.fmean(each) / 1e3) for suite, each in costs.items()
    }


Calls = dict[tuple[int, str], float]
"""Milliseconds of the most expensive call of each kind, by epoch."""


def _note(calls: Calls, epoch: int, what: str, cost: float) -> None:
    calls[epoch, what] = max(cost, calls.get((epoch, what), 0.0))


def calls_of_ratchets(size: int, messages: int, loss: float) -> Calls:
    ratchets, calls, rng = Ratchets(), Calls(), random.Random(1)
    who = 0
    for _ in range(messages):
        begun = thread_time_ns()
        sent = ratchets.send(who, size)
        between = thread_time_ns()
        pq_header = sent.pq_header
        _note(calls, pq_header.epoch, f"send {pq_header.type.name}", (between - begun) / 1e6)
        if rng.random() < loss:
            continue  # and the same side writes again
        begun = thread_time_ns()
        ratchets.receive(1 - who, sent)
        _note(calls, pq_header.epoch, f"receive {pq_header.type.name}", (thread_time_ns() - begun) / 1e6)
        who = 1 - who
    return calls


def calls_of_accounts(text: bytes, messages: int, loss: float) -> Calls:
    conversation, calls, rng = Conversation(Suite.PQXDH), Calls(), random.Random(1)
    (ours, to), (theirs, of) = (conversation.alice, BOB), (conversation.bob, ALICE)
    for _ in range(messages):
        begun = thread_time_ns()
        message = ours.encrypt(to, text)
        between = thread_time_ns()
        pq_header = RatchetMessage.decode(message).pq_header
        assert pq_header is not None
        _note(calls, pq_header.epoch, f"encrypt {pq_header.type.name}", (between - begun) / 1e6)
        if rng.random() < loss:
            continue  # and the same side writes again
        begun = thread_time_ns()
        theirs.decrypt(of, message)
        _note(calls, pq_header.epoch, f"decrypt {pq_header.type.name}", (thread_time_ns() - begun) / 1e6)
        ours, to, theirs, of = theirs, of, ours, to
    return calls


def most_expensive(calls: Calls) -> MostExpensive:
    kinds = {what for _, what in calls}
    typical = {
        what: statistics.median(cost for (_, name), cost in calls.items() if name == what) for what in kinds
    }
    what = max(typical, key=typical.__getitem__)
    return MostExpensive(typical[what], max(calls.values()), what)


def main() -> None:
    for how in (alternating, one_way):
        (classical, mean), (triple_, triple_mean) = compare(how).values()
        ratio, mean_ratio = triple_ / classical, triple_mean / mean
        print(
            f"{how.__name__}: X3DH {classical:.0f} us, PQXDH {triple_:.0f} us; {ratio:.2f} (at most {RATIO})"
        )
        print(f"    means: {mean:.0f} us, {triple_mean:.0f} us, ratio {mean_ratio:.2f}")
    for loss in (0.0, 0.5):
        for what, size, messages in (("100 bytes", len(PAYLOAD), 2000), ("20 kB", len(LONG), 300)):
            of_ratchets = most_expensive(calls_of_ratchets(padded_length(size), messages, loss))
            of_accounts = most_expensive(calls_of_accounts(LONG[:size], messages, loss))
            print(f"most expensive of an epoch, {what}, {loss:.0%} lost (at most {MOST_EXPENSIVE} ms):")
            print(f"    ratchets alone: {of_ratchets}\n    accounts: {of_accounts}")


if __name__ == "__main__":
    main()
