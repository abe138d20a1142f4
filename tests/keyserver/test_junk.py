"""Strangers at a key server: junk that is nearly HTTP, and calls that are nearly right. It serves on."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from fuzz.harness import MAX_INPUT
from fuzz.tree import mutated
from letterlock._keyserver._keys import ServerKeys
from letterlock._wire.recovery_calls import LocksShown, ShowLocks
from letterlock._wire.recovery_frame import RECOVERY_CALLS, RecoveryCall, RecoveryFrame
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock.relay import TicketKey
from support.keyserver_served import FREE, HEADERS, key_file, post
from support.recovery_town import DECOYS
from support.relay_junk import PATIENCE, junk, send, statuses
from support.relay_server import Server, request, served, status_of, until

MIB: Final = 1024 * 1024
CORPUS: Final = Path(__file__).parents[1] / "fuzz" / "corpus" / "recovery"
CALLS: Final = {each.name: each.read_bytes() for each in sorted(CORPUS.iterdir())}
INPUTS: Final = [*CALLS.values()]
COMMON: Final = {400, 404, 405, 413}
STATUSES: Final = {0, 100, 200, 400, 401, 403, 404, 405, 408, 409, 413, 415, 426, 429}
PATHS: Final = (*(call.path for call in RECOVERY_CALLS), "/", "/metrics", "/ready", "/v1/recovery/", "*")
ASK: Final = RecoveryFrame(ShowLocks(bytes(32)).encode()).encode()
REFUSED: Final = {
    RelayCode.MALFORMED,
    RelayCode.UNKNOWN,
    RelayCode.REFUSED,
    RelayCode.STALE,
    RelayCode.TOO_LARGE,
}


def flags(folder: Path) -> list[str]:
    ticket = TicketKey(bytes(range(32))).public_hex
    theirs = ["--keys", key_file(folder, ServerKeys.generate(DECOYS)), *FREE[2:]]
    return [*theirs, "--identity", f"ticket:{ticket}"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A key server with a check of identity, for which no address asks too often."""
    folder = tmp_path_factory.mktemp("junk")
    with served(folder, *flags(folder), "--address-calls", "0", kind="keyserver") as running:
        yield running


def serves_on(server: Server, before: int) -> None:
    """Check that nothing is left of what strangers did."""
    until(lambda: server.metrics()["letterlock_keyserver_body_bytes"] == 0)
    assert server.metrics()["letterlock_keyserver_faults_total"] == 0
    assert server.memory() - before < 48 * MIB
    written = server.written()
    assert "Traceback" not in written
    assert [line for line in written.splitlines() if " info " not in line] == []
    answer = post(server, "/v1/recovery/show", ASK)
    assert len(LocksShown.decode(answer.content).locks) == 1  # a decoy


def test_junk_is_refused_and_costs_nothing(server: Server) -> None:
    send(server, request(ASK, "/v1/recovery/show"))
    before = server.memory()
    seen: set[int] = set()
    for number, data in enumerate(junk(4, 250, PATHS, INPUTS)):
        found = statuses(send(server, data, 1 + number % 3, 0 if number % 5 else PATIENCE[0]))
        assert found <= STATUSES, (found, data)
        seen |= found
    assert seen >= COMMON
    serves_on(server, before)


def bodies(name: str, count: int) -> Iterator[bytes]:
    """Yield frames of a call that are nearly right, and right frames of calls that are nearly right."""
    draw = random.Random(name)
    for number in range(count):
        call = CALLS.get(name, b"\0") if number % 3 else draw.choice(INPUTS)
        lists = tuple(
            mutated(draw.choice(INPUTS), draw, 2000) or b"\0" for _ in range(draw.choice((0, 1, 3)))
        )
        changed = mutated(call, draw, MAX_INPUT) if number % 5 else call
        framed = RecoveryFrame(changed or b"\0", draw.randbytes(90), lists or None).encode()
        yield mutated(framed, draw, MAX_INPUT) if number % 4 == 0 else framed


def answered(server: Server, http: httpx.Client, call: RecoveryCall, body: bytes) -> set[RelayCode]:
    """Make a call. Return the code under which it is refused, if it is."""
    answer = http.post(f"{server.url}{call.path}", content=body, headers=HEADERS)
    if answer.status_code == 200:
        assert len(answer.content) <= call.answer_size
        call.answer.decode(answer.content)
        return set()
    error = ErrorAnswer.decode(answer.content)
    assert answer.status_code == error.code.status
    return {error.code}


def test_calls_that_are_nearly_right_are_answered_by_their_codes(server: Server) -> None:
    before, seen = server.memory(), set[RelayCode]()
    with httpx.Client(timeout=30, trust_env=False) as http:
        for call in RECOVERY_CALLS:
            for body in bodies(call.name, 25):
                found = answered(server, http, call, body)
                assert found <= REFUSED, (call.name, body.hex())
                seen |= found
    assert seen >= REFUSED - {RelayCode.STALE}
    serves_on(server, before)


def at_once(server: Server, data: bytes) -> set[int]:
    """Return the status of what is answered before the body has come. It takes longer on a busy machine."""
    found = {0}
    for patience in PATIENCE:
        if found == {0}:
            found = statuses(send(server, data, patience=patience))
    return found


def test_a_frame_that_is_too_long_is_not_read(server: Server) -> None:
    before = server.memory()
    by_size = sorted(RECOVERY_CALLS, key=lambda call: call.size)
    for call in (by_size[0], by_size[-1]):
        assert at_once(server, request(b"", call.path, length=call.size + 1)) == {413}, call.name
        assert at_once(server, request(b"", call.path, length=10**18)) <= {400, 413}, call.name
    serves_on(server, before)


def test_one_address_is_held_up_and_the_server_answers_others(tmp_path: Path) -> None:
    with served(tmp_path, *flags(tmp_path), "--address-calls", "5", kind="keyserver") as server:
        seen = [post(server, "/v1/recovery/evaluate", body).status_code for body in bodies("evaluate", 40)]
        assert 429 in seen  # REC-24: before anything is parsed
        assert status_of(server.talk(request(ASK, "/v1/recovery/show"))) == 200
