"""The cases that are timed, over a pair of any library's sessions, and the line protocol of a worker.

    run CASE N    one line of JSON back: nanoseconds of N repetitions, and messages recovered of how many

Each repetition has a fresh pair, so that all do the same work; preparing the pair is not timed. Short calls
are repeated within one repetition, and the mean counts. Every plaintext that was sent is compared with what
came out.

This file runs in every peer's own environment: the standard library is all it may use.

Not here: how a library is called (the files beside), who runs which case when (rounds.py).
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from time import perf_counter_ns
from typing import Any, Final, NamedTuple, Protocol

MESSAGES: Final = 100
"""Messages of one repetition that go one way."""
TURNS: Final = 88
"""Turns of one repetition of ping-pong: 176 messages, two epochs of the post-quantum ratchets here."""
SKIPPED: Final = 999
STEPS: Final = 1_000
TEXT_BYTES: Final = 100
LARGE_BYTES: Final = 1024 * 1024
LARGE_MESSAGES: Final = 3
DURABLE: Final = 50
"""Messages in a row that each wait for the disk."""

Wire = Any
"""A library's message in transit: bytes, or its own message type."""


class Pair(Protocol):
    """Two sides of one library: ours has the bundle of theirs, and theirs knows nothing of ours."""

    def initiate(self) -> None:
        """Agree on a session from the bundle."""

    def send(self, text: bytes) -> Wire:
        """Ours encrypts."""

    def receive(self, wire: Wire) -> bytes:
        """Theirs decrypts; the first message builds its session."""

    def answer(self, text: bytes) -> Wire:
        """Theirs encrypts."""

    def hear(self, wire: Wire) -> bytes:
        """Ours decrypts."""


class Took(NamedTuple):
    """One repetition: nanoseconds for one message, and how many were recovered if some may be lost."""

    ns: float
    recovered: int | None = None


Make = Callable[[], Pair]
Case = Callable[[Make], Took]


def texts(count: int, size: int = TEXT_BYTES) -> list[bytes]:
    return [os.urandom(size) for _ in range(count)]


def require_same(came: object, sent: object) -> None:
    """Raise unless every text arrived; -O would remove an `assert`."""
    if came != sent:
        raise RuntimeError("what was decrypted is not what was encrypted")


def agreed(make: Make) -> Pair:
    """Return a pair in which ours has agreed on a session."""
    pair = make()
    pair.initiate()
    return pair


def spoken(make: Make) -> Pair:
    """Return a pair in which both sides have written three times."""
    pair = agreed(make)
    for text in texts(3):
        require_same(pair.receive(pair.send(text)), text)
        require_same(pair.hear(pair.answer(text)), text)
    return pair


def initiate(make: Make) -> Took:
    pair = make()
    begun = perf_counter_ns()
    pair.initiate()
    took = perf_counter_ns() - begun
    require_same(pair.receive(pair.send(b"first")), b"first")
    return Took(took)


def first_encrypt(make: Make) -> Took:
    pair, (text,) = make(), texts(1)
    begun = perf_counter_ns()
    pair.initiate()
    wire = pair.send(text)
    took = perf_counter_ns() - begun
    require_same(pair.receive(wire), text)
    return Took(took)


def first_decrypt(make: Make) -> Took:
    pair, (text,) = agreed(make), texts(1)
    wire = pair.send(text)
    begun = perf_counter_ns()
    came = pair.receive(wire)
    took = perf_counter_ns() - begun
    require_same(came, text)
    return Took(took)


def encrypt(make: Make) -> Took:
    pair, sent = spoken(make), texts(MESSAGES)
    begun = perf_counter_ns()
    wires = [pair.send(text) for text in sent]
    took = perf_counter_ns() - begun
    require_same([pair.receive(wire) for wire in wires], sent)
    return Took(took / MESSAGES)


def encrypt_decrypt(make: Make) -> Took:
    pair, sent = spoken(make), texts(MESSAGES)
    begun = perf_counter_ns()
    came = [pair.receive(pair.send(text)) for text in sent]
    took = perf_counter_ns() - begun
    require_same(came, sent)
    return Took(took / MESSAGES)


def ping_pong(make: Make) -> Took:
    pair, sent = spoken(make), texts(TURNS)
    begun = perf_counter_ns()
    came = [pair.hear(pair.answer(pair.receive(pair.send(text)))) for text in sent]
    took = perf_counter_ns() - begun
    require_same(came, sent)
    return Took(took / (2 * TURNS))


def _jumped(make: Make) -> tuple[Pair, list[bytes], list[Wire], int]:
    """Deliver the last of a thousand; return the pair, what is still on its way, and what the last took."""
    pair, sent = spoken(make), texts(SKIPPED + 1)
    wires = [pair.send(text) for text in sent]
    begun = perf_counter_ns()
    came = pair.receive(wires[-1])
    took = perf_counter_ns() - begun
    require_same(came, sent[-1])
    return pair, sent[:-1], wires[:-1], took


def skipped(make: Make) -> Took:
    return Took(_jumped(make)[-1])


def late(make: Make) -> Took:
    """Deliver the rest in reverse; those that open are counted, and they alone are timed."""
    pair, sent, wires, _ = _jumped(make)
    recovered = took = 0
    for text, wire in zip(reversed(sent), reversed(wires), strict=True):
        begun = perf_counter_ns()
        try:
            came = pair.receive(wire)
        except Exception:  # noqa: BLE001 - every library has errors of its own for a lost key
            continue
        took += perf_counter_ns() - begun
        require_same(came, text)
        recovered += 1
    return Took(took / max(recovered, 1), recovered)


def _large(make: Make) -> Iterator[tuple[int, int]]:
    pair = spoken(make)
    for text in texts(LARGE_MESSAGES + 1, LARGE_BYTES):
        begun = perf_counter_ns()
        wire = pair.send(text)
        between = perf_counter_ns()
        came = pair.receive(wire)
        done = perf_counter_ns()
        require_same(came, text)
        yield between - begun, done - between


def large_encrypt(make: Make) -> Took:
    return Took(min(sealing for sealing, _ in _large(make)))


def large_decrypt(make: Make) -> Took:
    return Took(min(opening for _, opening in _large(make)))


CASES: Final[dict[str, Case]] = {
    "initiate": initiate,
    "initiate-and-encrypt": first_encrypt,
    "first-decrypt": first_decrypt,
    "encrypt": encrypt,
    "encrypt-decrypt": encrypt_decrypt,
    "ping-pong": ping_pong,
    "skip-999": skipped,
    "late-999": late,
    "large-encrypt": large_encrypt,
    "large-decrypt": large_decrypt,
}


Own = Callable[[], float]
"""One repetition of a case without a pair; returns nanoseconds."""


def each_of(act: Callable[[], object], calls: int) -> Own:
    """Return a case that makes `calls` calls and gives the time of one."""

    def own() -> float:
        begun = perf_counter_ns()
        for _ in range(calls):
            act()
        return (perf_counter_ns() - begun) / calls

    return own


def chain(steps: Callable[[int], object]) -> dict[str, Own]:
    """Return the chain-step case of a library whose chain can be used alone; `steps` takes `count` steps."""

    def own() -> float:
        begun = perf_counter_ns()
        steps(STEPS)
        return (perf_counter_ns() - begun) / STEPS

    return {"chain-step": own}


def play(count: int, case: Case, make: Make) -> dict[str, object]:
    """Return what `run` answers."""
    took = [case(make) for _ in range(count)]
    recovered = [each.recovered for each in took if each.recovered is not None]
    return {"ns": [each.ns for each in took], "recovered": min(recovered, default=None)}


def serve(make: Make, versions: dict[str, str], own: Mapping[str, Own] | None = None) -> None:
    """Answer requests for the cases, with pairs from `make`, and for the library's own cases."""
    besides = own or {}

    def answer(case: str, count: int) -> dict[str, object]:
        if case in besides:
            return {"ns": [besides[case]() for _ in range(count)]}
        return play(count, CASES[case], make)

    listen({"cases": [*besides, *CASES], "versions": versions}, answer)


def serve_own(own: Mapping[str, Own], versions: dict[str, str]) -> None:
    """Answer requests for cases without pairs."""

    def answer(case: str, count: int) -> dict[str, object]:
        return {"ns": [own[case]() for _ in range(count)]}

    listen({"cases": [*own], "versions": versions}, answer)


def listen(hello: dict[str, object], answer_to: Callable[[str, int], dict[str, object]]) -> None:
    """Print what is offered, then answer lines until the input ends."""
    print(json.dumps(hello), flush=True)
    for line in sys.stdin:
        _, case, count = line.split()
        try:
            answer = answer_to(case, int(count))
        except Exception as error:  # noqa: BLE001 - the caller is told, and goes on with the other cases
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
