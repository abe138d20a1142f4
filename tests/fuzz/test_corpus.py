"""The fuzzing targets without the fuzzer: every committed input, and some hundred changed ones.

Each goes through the same properties as under atheris (tests/fuzz/harness.py), once with a watch and once
with the memory measured. The changes follow from fixed seeds, so that a red run is red again.
"""

import hashlib
import random
import re
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cbor2
import pytest

from fuzz import braid_samples, harness, tree
from fuzz.corpus import CORPUS, inputs
from fuzz.discretion import indiscretion
from fuzz.harness import Finding, attempt
from fuzz.peer import sealing_peers
from fuzz.stage import Stage
from fuzz.targets import NAMES, load
from letterlock._primitives.curve25519 import RatchetKeyPair
from letterlock._ratchet import braid
from letterlock._wire import cbor
from letterlock._wire.envelope import Kind
from letterlock._wire.message import Header
from letterlock._wire.padding import pad
from letterlock._wire.pq_header import PqHeader, PqType
from letterlock._wire.suite import Suite
from letterlock.errors import BraidFailed, LetterlockError, MalformedMessage, PeerError, TooManySkipped
from letterlock.limits import MAX_ARCHIVED_SESSIONS, MAX_SKIP, MAX_TRIAL_STEPS
from support.pair import ALICE, BOTH_SUITES, Pair, entropy_of

MUTATIONS = {
    "cbor": 200, "bundle": 80, "initial": 50, "ratchet": 60, "record": 60, "armor": 300, "braid": 80,
    "erasure": 40,
}  # fmt: skip
EVERY = pytest.mark.parametrize("name", NAMES)


@contextmanager
def weighed() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def check(name: str, data: bytes, label: str) -> None:
    """Hold an input to all properties of its target; a finding names it."""
    try:
        load(name).check(data)
        with weighed():
            load(name).check(data)
    except Exception as error:
        error.add_note(f"{name}: {label}, {len(data)} bytes: {data[:2000].hex()}")
        raise


@EVERY
def test_every_input_of_the_corpus(name: str) -> None:
    for label, data in inputs(name).items():
        check(name, data, label)


@EVERY
def test_changed_inputs(name: str) -> None:
    rng, corpus = random.Random(f"letterlock {name}"), list(inputs(name).items())
    for n in range(MUTATIONS[name]):
        label, data = rng.choice(corpus)
        check(name, load(name).mutate(data, rng, harness.MAX_INPUT), f"change {n} of {label}")


# --- the corpus is what it should be --------------------------------------------------------------------


def test_the_corpus_is_small_and_named() -> None:
    files = [each for each in CORPUS.rglob("*") if each.is_file()]
    assert {each.parent.name for each in files} == set(NAMES)
    assert sum(each.stat().st_size for each in files) < 400_000
    for each in files:
        digest = hashlib.sha1(each.read_bytes(), usedforsecurity=False).hexdigest()
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9_]+)*", each.name)
        assert not re.fullmatch(r"[0-9a-f]{12}", each.name) or digest.startswith(each.name)


@EVERY
def test_the_inputs_that_a_target_makes_are_the_committed_ones(name: str) -> None:
    """Keys come from seeds, so a message written with an earlier release is still one that authenticates."""
    committed = inputs(name)
    for label, data in load(name).seeds().items():
        assert committed[label] == data, label


@EVERY
def test_some_inputs_are_accepted_and_some_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the properties of what is accepted would never be looked at, nor of what contradicts itself."""
    errors: list[LetterlockError | None] = []
    trial = harness.Trial.run

    def run(self: "harness.Trial[object]", measure: Callable[[], float]) -> tuple[object, float]:
        outcome, took = trial(self, measure)
        errors.append(outcome.error)
        return outcome, took

    monkeypatch.setattr(harness.Trial, "run", run)
    for data in inputs(name).values():
        load(name).check(data)
    assert 0.03 < errors.count(None) / len(errors) < 0.97
    authentic = sum(isinstance(each, BraidFailed) for each in errors)
    assert authentic >= 2 or name not in {"ratchet", "initial", "braid"}


def test_braids_in_every_state_are_fed() -> None:
    assert {type(each.state) for each in braid_samples.HELD.values()} == {*braid.SENDS}


# --- the properties themselves go red -------------------------------------------------------------------


def refuse(text: str) -> Callable[[], None]:
    def call() -> None:
        raise MalformedMessage(text)

    return call


DATA = bytes(range(156, 256))


def test_another_exception_escapes() -> None:
    with pytest.raises(ZeroDivisionError):
        attempt(DATA, lambda: 1 / 0, PeerError)
    with pytest.raises(MalformedMessage):
        attempt(DATA, refuse("no"), TooManySkipped)


def test_a_slow_call_is_a_finding_only_if_it_is_slow_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 1.0, 0.0, 1.0, 0.0, 0.01])
    for clock in ("perf_counter", "thread_time"):
        monkeypatch.setattr(harness, clock, lambda: next(now))
    assert attempt(DATA, lambda: "yes", PeerError).accepted() == "yes"
    now = iter([0.0, 1.0] * 4)
    with pytest.raises(Finding, match=r"1000\.0 ms for 100 bytes"):
        attempt(DATA, lambda: "yes", PeerError)
    assert next(now, None) is None


def test_memory_is_measured_at_its_peak() -> None:
    with weighed():
        attempt(DATA, lambda: len(bytes(2_000_000)), PeerError)
        with pytest.raises(Finding, match="bytes of memory for 100 bytes"):
            attempt(DATA, lambda: len(bytes(2_100_000)), PeerError)


@pytest.mark.parametrize(
    "text", [DATA[:4].hex(), str([*DATA[10:20]]), repr(DATA[50:60]), DATA[80:90].hex().upper(), "de1g"]
)
def test_an_error_that_tells_what_it_saw(text: str) -> None:
    assert indiscretion(LetterlockError("two arguments", DATA[7:17]), DATA)
    assert indiscretion(MalformedMessage(f"cannot read {text}!"), b"ab" + DATA + b"de1g")


@pytest.mark.parametrize("way", ["__cause__", "__context__"])
def test_an_error_behind_an_error_that_tells_what_it_saw(way: str) -> None:
    error, behind = MalformedMessage("an innocent text"), ValueError(f"{way} {DATA.hex()}")
    assert indiscretion(error, DATA) is None
    setattr(error, way, behind)
    assert indiscretion(error, DATA)


def test_a_refusal_that_changes_the_store() -> None:
    pair = Pair()
    stage = Stage(pair.bob.account, pair.bob.store)

    def call() -> None:
        with pair.bob.store.transaction():
            pair.bob.store.tables.prekeys.delete_expired(2**40)
            pair.bob.account.publish(1)
        raise MalformedMessage("no")

    with pytest.raises(Finding, match="the store has changed"):
        stage.use(DATA, call)
    stage.use(DATA, refuse("no"))


def test_a_message_that_is_accepted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair()
    stage = Stage(pair.bob.account, pair.bob.store)
    monkeypatch.setattr(type(pair.bob.account), "decrypt", lambda *_: b"a text")
    with pytest.raises(Finding, match="accepted twice"):
        stage.decrypt(ALICE, DATA)


# --- the mutator ----------------------------------------------------------------------------------------


def test_most_changes_are_sound_encodings_and_some_are_not() -> None:
    rng, data = random.Random(1), inputs("ratchet")["next"]
    changes = [tree.mutated(data, rng, 4096) for _ in range(500)]
    sound = [
        each for each in changes if (read := tree.parsed(each)) is not None and cbor2.dumps(read) == each
    ]
    assert 300 < len(sound) < 480
    assert len(set(changes)) > 350
    assert max(map(len, changes)) <= 4096
    again = random.Random(1)
    assert changes == [tree.mutated(data, again, 4096) for _ in range(500)]


# --- the dearest messages -------------------------------------------------------------------------------


def least(stage: Stage, data: bytes) -> LetterlockError | None:
    """Decrypt within the time that every message has; return how it was refused."""
    return stage.decrypt(ALICE, data).error


@pytest.mark.slow
@pytest.mark.parametrize(("suite", "befores"), [(Suite.X3DH, (0, 3)), (Suite.PQXDH, (0, 1))])
def test_the_dearest_messages_take_no_longer_than_others_may(suite: Suite, befores: tuple[int, ...]) -> None:
    """A full archive, and a key that no session knows: 8,000 steps, or 41 agreements and 7,995 steps."""
    pair = Pair(suites=BOTH_SUITES, seed="dear")
    for _ in range(MAX_ARCHIVED_SESSIONS + 1):
        pair.converse(suite)
        pair.turn()
    stage = Stage(pair.bob.account, pair.bob.store, lambda size: 8 * harness.MEGABYTE + 8 * size)
    stranger = RatchetKeyPair.generate(entropy_of("stranger")).public
    each = MAX_TRIAL_STEPS // (MAX_ARCHIVED_SESSIONS + 1)
    for number in (0, each if suite is Suite.X3DH else each // 2, MAX_SKIP):
        pq_header = PqHeader(1, number + 1, 0, PqType.HDR, 0, bytes(2048)) if suite is Suite.PQXDH else None
        forged = Header(stranger, 0, number).encode_header(pq_header)
        assert isinstance(least(stage, cbor.complete_array(forged, bytes(60_000))), PeerError)
    saying = sealing_peers(pair.alice)
    # Each session tried before the right one spends steps; three are what the limit leaves room for, and one
    # where each spends twice as many.
    for before in befores:
        assert least(stage, saying[before].say(pad(b"a text"), MAX_SKIP - 10, MAX_SKIP)) is None


@pytest.mark.parametrize("item", [b"\x80", b"\xa0", b"\xf6", b"\x81\x80"])
def test_the_dearest_encodings_take_no_longer_than_others_may(item: bytes) -> None:
    """Items of one or two bytes are the most that fit; a publication's are counted before they are built."""
    count = (harness.MAX_INPUT - 20) // len(item)
    many = b"\x9a" + count.to_bytes(4, "big") + item * count
    check("cbor", many, "an array")
    check("cbor", b"\xba" + (count // 2).to_bytes(4, "big") + item * count, "a map")
    check("bundle", b"\x88\x01" + bytes([Kind.PUBLICATION]) + b"\xf6" * 5 + many, "a publication")


def test_keys_that_were_chosen_to_collide_take_no_longer_than_others_may() -> None:
    """hash(-1) is hash(-2), so all arrays of twelve of these have one hash: a map of them would be a list."""
    keys = [bytes([0x8C, *(0x20 | n >> bit & 1 for bit in range(12))]) for n in range(2**12)]
    check("cbor", b"\xb9\x10\x00" + b"".join(key + b"\0" for key in keys), "colliding keys")
