"""The fuzzing targets without the fuzzer: every committed input, and some hundred changed ones.

Each input is checked for the same properties as under atheris (tests/fuzz/harness.py), once with its steps
counted and once with its memory measured. The changes follow from fixed seeds, so a red run is red again.
"""

import hashlib
import random
import re
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import cbor2
import pytest

import letterlock
from fuzz import braid_samples, discretion, harness, tree
from fuzz.corpus import CORPUS, inputs
from fuzz.discretion import indiscretion
from fuzz.harness import Finding, attempt
from fuzz.peer import sealing_peers
from fuzz.stage import Stage
from fuzz.targets import NAMES, load
from letterlock._primitives.curve25519 import RatchetKeyPair
from letterlock._ratchet import braid
from letterlock._session import sealing
from letterlock._session.sealing import pad
from letterlock._session.session import Ended, Origin
from letterlock._wire import cbor
from letterlock._wire.envelope import Kind
from letterlock._wire.message import Header
from letterlock._wire.pq_header import PqHeader, PqType
from letterlock._wire.suite import Suite
from letterlock.errors import BraidFailed, LetterlockError, MalformedMessage, PeerError, TooManySkipped
from letterlock.limits import MAX_ARCHIVED_SESSIONS, MAX_SKIP, MAX_TRIAL_STEPS
from support.pair import ALICE, BOTH_SUITES, Pair, entropy_of
from support.step_counter import StepCounter, TooManySteps

MUTATIONS = {
    "cbor": 200, "bundle": 80, "initial": 50, "ratchet": 60, "record": 60, "armor": 300, "braid": 80,
    "erasure": 40, "content": 150, "entry": 100, "linking": 60, "relay": 25,
    "recovery": 20, "group": 60, "json": 120,
}  # fmt: skip
EVERY = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(autouse=True)
def no_texts_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count the texts of errors anew: a fuzzer's process has one target, and the bound is for that."""
    monkeypatch.setattr(discretion, "_seen", set())


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


@pytest.mark.slow
@EVERY
def test_every_input_of_the_corpus(name: str) -> None:
    for label, data in inputs(name).items():
        check(name, data, label)


@pytest.mark.slow
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
    assert sum(each.stat().st_size for each in files) < 680_000
    for each in files:
        digest = hashlib.sha1(each.read_bytes(), usedforsecurity=False).hexdigest()
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9_]+)*", each.name)
        assert not re.fullmatch(r"[0-9a-f]{12}", each.name) or digest.startswith(each.name)


@EVERY
def test_the_inputs_that_a_target_makes_are_the_committed_ones(name: str) -> None:
    """Keys come from seeds, so a message that an earlier release wrote still authenticates."""
    committed = inputs(name)
    for label, data in load(name).seeds().items():
        assert committed[label] == data, label


@EVERY
def test_some_inputs_are_accepted_and_some_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the properties of accepted inputs, or of inputs that contradict themselves, go unchecked."""
    errors: list[LetterlockError | None] = []
    ended: list[Origin] = []
    trial = harness.Trial.run

    def run(self: "harness.Trial[object]", meter: AbstractContextManager[object] | None = None) -> object:
        outcome = trial(self, meter)
        errors.append(outcome.error)
        return outcome

    def end(origin: Origin) -> Ended:
        ended.append(origin)
        return Ended(origin)

    monkeypatch.setattr(sealing, "Ended", end)
    monkeypatch.setattr(harness.Trial, "run", run)
    monkeypatch.setattr(harness, "_counted", lambda _, trial, __: trial.run())  # counted in the tests above
    for data in inputs(name).values():
        load(name).check(data)
    assert 0.03 < errors.count(None) / len(errors) < 0.97
    authentic = len(ended) + sum(isinstance(each, BraidFailed) for each in errors)
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


def looping(turns: int) -> Callable[[], int]:
    """Return a call that takes two steps a turn, as if a module of the package had the loop."""
    names: dict[str, Any] = {}
    code = f"def call():\n    turns = 0\n    while turns < {turns}:\n        turns += 1\n    return turns\n"
    exec(compile(code, letterlock.__file__, "exec"), names)
    loop: Callable[[], int] = names["call"]
    return loop


def test_a_call_that_takes_too_many_steps() -> None:
    most = harness.MESSAGE.steps.of(len(DATA))
    assert attempt(DATA, looping(most // 2 - 10), PeerError).accepted()
    with pytest.raises(Finding, match=f"steps for 100 bytes; at most {most}$"):
        attempt(DATA, looping(most // 2 + 10), PeerError)


def test_a_call_that_would_not_end_is_stopped() -> None:
    with pytest.raises(TooManySteps):
        attempt(DATA, looping(10**15), PeerError)


def test_steps_of_a_first_call_may_fill_a_cache() -> None:
    loops = [looping(1), looping(10**5)]
    assert attempt(DATA, lambda: loops.pop()(), PeerError).accepted() == 1  # noqa: PLW0108 - another each time


def test_a_call_that_parses_its_input_again_and_again() -> None:
    data = cbor2.dumps(bytes(4000))
    most = harness.MESSAGE.parsed.of(len(data))
    times = most // len(data)
    attempt(data, lambda: [cbor.decode(data) for _ in range(times)], PeerError)
    with pytest.raises(Finding, match=f"bytes parsed for 4003; at most {most}$"):
        attempt(data, lambda: [cbor.decode(data) for _ in range(times + 1)], PeerError)


def test_a_step_that_is_quadratic_in_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that looks at every byte once more for every 16 bytes."""
    decode = cbor.decode

    def slowly(data: bytes, *depth: int) -> object:
        looping(len(data) * len(data) // 16)()
        return decode(data, *depth)

    data = cbor2.dumps([0] * 1000)
    check("cbor", data, "an array")
    monkeypatch.setattr(cbor, "decode", slowly)
    with pytest.raises(Finding, match="steps for 1003 bytes"):
        check("cbor", data, "an array")


def test_counting_puts_everything_back() -> None:
    tracer, loads = sys.gettrace(), cbor2.loads
    with pytest.raises(ZeroDivisionError), StepCounter():
        raise ZeroDivisionError
    assert sys.gettrace() is tracer
    assert cbor2.loads is loads


def test_under_a_fuzzer_a_slow_call_is_a_finding_only_if_it_is_slow_every_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(harness, "watch_time", True)
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


# --- the most expensive inputs --------------------------------------------------------------------------


def refusal(stage: Stage, data: bytes) -> LetterlockError | None:
    """Decrypt within the budget of every message; return how it was refused."""
    return stage.decrypt(ALICE, data).error


@pytest.mark.slow
@pytest.mark.parametrize(("suite", "befores"), [(Suite.X3DH, (0, 3)), (Suite.PQXDH, (0, 1))])
def test_the_most_expensive_messages_stay_within_their_budget(suite: Suite, befores: tuple[int, ...]) -> None:
    """A full archive, and a key that no session knows: 8,000 steps, or 41 agreements and 7,995 steps."""
    pair = Pair(suites=BOTH_SUITES, seed="dear")
    for _ in range(MAX_ARCHIVED_SESSIONS + 1):
        pair.converse(suite)
        pair.turn()
    stage = Stage(pair.bob.account, pair.bob.store, harness.skipping(8))
    stranger = RatchetKeyPair.generate(entropy_of("stranger")).public
    each = MAX_TRIAL_STEPS // (MAX_ARCHIVED_SESSIONS + 1)
    for number in (0, each if suite is Suite.X3DH else each // 2, MAX_SKIP):
        pq_header = PqHeader(1, number + 1, 0, PqType.HDR, 0, bytes(2048)) if suite is Suite.PQXDH else None
        forged = Header(stranger, 0, number).encode_header(pq_header)
        assert isinstance(refusal(stage, cbor.complete_array(forged, bytes(60_000))), PeerError)
    peers = sealing_peers(pair.alice)
    # Each session that is tried before the right one spends steps. The limit leaves room for three, or for
    # one where each spends twice as many.
    for before in befores:
        assert refusal(stage, peers[before].say(pad(b"a text"), MAX_SKIP - 10, MAX_SKIP)) is None


@pytest.mark.slow
@pytest.mark.parametrize("item", [b"\x80", b"\xa0", b"\xf6", b"\x81\x80"])
def test_the_most_expensive_encodings_stay_within_their_budget(item: bytes) -> None:
    """Items of one or two bytes are the most that fit; a publication's are counted before they are built."""
    count = (harness.MAX_INPUT - 20) // len(item)
    many = b"\x9a" + count.to_bytes(4, "big") + item * count
    check("cbor", many, "an array")
    check("cbor", b"\xba" + (count // 2).to_bytes(4, "big") + item * count, "a map")
    check("bundle", b"\x88\x01" + bytes([Kind.PUBLICATION]) + b"\xf6" * 5 + many, "a publication")


def test_keys_that_were_chosen_to_collide_are_refused_before_they_are_hashed() -> None:
    """hash(-1) is hash(-2), so all arrays of twelve of these have one hash: a map of them would be a list.

    Hashing happens inside the parser, where steps are not counted. It would build every key first, so memory
    tells: a reader that stops at the first key takes none for the others.
    """
    keys = [bytes([0x8C, *(0x20 | n >> bit & 1 for bit in range(12))]) for n in range(2**12)]
    data = b"\xb9\x10\x00" + b"".join(key + b"\0" for key in keys)
    check("cbor", data, "colliding keys")
    few = harness.Budget(harness.Allowance(16 * 1024, 0))
    with weighed():
        outcome = attempt(data, lambda: cbor.decode(data), MalformedMessage, few)
    assert outcome.error is not None
