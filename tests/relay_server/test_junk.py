"""Strangers: junk that is nearly HTTP, and a flood without a token. The relay serves on, and stays small."""

import pytest

from letterlock import Address
from letterlock._wire.relay_calls import CALLS
from letterlock._wire.relay_login import ChallengeRequest, token_text
from support.relay_junk import BODIES, PATIENCE, junk, send, statuses, upgrade
from support.relay_server import Server, request, status_of, until

MIB = 1024 * 1024
COMMON = {400, 401, 404, 405, 413}
STATUSES = {0, 100, 101, 200, 400, 401, 403, 404, 405, 408, 413, 415, 426, 429, 503}
ASK = ChallengeRequest(Address("nobody", 1)).encode()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_junk_is_refused_and_costs_nothing(server: Server, seed: int) -> None:
    send(server, request(ASK))
    before = server.memory()
    seen: set[int] = set()
    for patience in PATIENCE:
        for number, data in enumerate(junk(seed, 400)):
            found = statuses(send(server, data, 1 + number % 3, 0 if number % 5 else patience))
            assert found <= STATUSES, (found, data)
            seen |= found
        if seen >= COMMON:
            break
    assert seen >= COMMON
    assert server.metrics()["letterlock_relay_faults_total"] == 0
    until(lambda: server.metrics()["letterlock_relay_body_bytes"] == 0)
    assert server.memory() - before < 32 * MIB
    assert "Traceback" not in server.written()
    assert [line for line in server.written().splitlines() if " info " not in line] == []
    assert status_of(server.talk(request(ASK))) == 200


def test_junk_after_an_upgrade_without_a_token(server: Server) -> None:
    for headers in ((), ("sec-websocket-extensions: permessage-deflate",), ("sec-websocket-protocol: x",)):
        assert statuses(send(server, upgrade(*headers) + b"\x82\x7f" + b"\xff" * 8)) <= {0, 400, 401}
    assert server.metrics()["letterlock_relay_faults_total"] == 0


def test_a_flood_without_a_token_leaves_the_relay_as_it_was(server: Server) -> None:
    send(server, request(ASK))
    before = server.memory()
    wrong = f"authorization: Bearer {token_text(bytes(90))}"
    for call in CALLS:
        for headers in ((), (wrong,)):
            one = request(BODIES[0], call.path, *headers).replace(b"connection: close\r\n", b"")
            last = request(BODIES[0], call.path, *headers)
            found = statuses(send(server, one * 40 + last, patience=PATIENCE[-1]))
            assert found <= {200, 400, 401, 429}, (call.name, found)
    assert server.memory() - before < 32 * MIB
    assert server.metrics()["letterlock_relay_faults_total"] == 0
    assert status_of(server.talk(request(ASK))) == 200
