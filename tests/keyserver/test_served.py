"""Both servers as processes: a relay that is server 1, and a key server with two workers."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from letterlock._keyserver._keys import ServerKeys
from letterlock._wire.recovery_calls import ShowLocks
from letterlock._wire.recovery_frame import RECOVERY_CALL_OF_REQUEST, RecoveryFrame
from letterlock._wire.relay_calls import CALL_OF_REQUEST
from letterlock._wire.relay_lists import RegisterRequest
from letterlock.recovery import EvaluateLock, LockEvaluated
from support.keyserver_boxes import by_recovery, given, put
from support.keyserver_served import FREE, HEADERS, Desk, key_file, post, town_of
from support.keyserver_town import DeskTown
from support.recovery_town import DECOYS
from support.relay_server import Server, served, until


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """A relay and a key server of different owners, who have the same decoy key."""
    folders = [tmp_path_factory.mktemp(name) for name in ("one", "two")]
    first, second = ServerKeys.generate(DECOYS), ServerKeys.generate(DECOYS)
    flags = ["--recovery-store", f"sqlite:///{folders[0]}/recovery.db"]
    flags += ["--recovery-keys", key_file(folders[0], first)]
    flags += ["--recovery-tickets", second.tickets.public.data.hex()]
    theirs = ["--keys", key_file(folders[1], second), *FREE, "--workers", "2", "--proxies", "1"]
    with ExitStack() as stack:
        servers = [
            stack.enter_context(served(folders[0], *flags)),
            stack.enter_context(served(folders[1], *theirs, kind="keyserver")),
        ]
        yield servers
        assert [each.stop() for each in servers] == [0, 0]  # all workers drained
        assert all("stopped" in each.written() for each in servers)


def logged(servers: list[Server]) -> str:
    return "".join(each.written() for each in servers)


async def register(relay: Server, name: str, town: DeskTown) -> None:
    """Have the directory of a relay know a user. [REC-49]"""
    call = RegisterRequest(name, town.lists)
    path = CALL_OF_REQUEST[RegisterRequest].path
    assert (await asyncio.to_thread(post, relay, path, call.encode())).status_code == 200


def test_a_user_comes_back_by_both_servers(both: list[Server]) -> None:
    async def play() -> DeskTown:
        town = town_of(*both)
        await register(both[0], "loses all", town)
        await town.set_up()
        await town.ask(1, put(town, 1))
        assert (await town.recover()).key == town.key
        return town

    town = asyncio.run(play())
    text = logged(both)  # REC-23
    for what in ("recovery: use", "recovery: opened", "recovery: changed", "recovery: box kept"):
        assert what in text
    assert town.user_id.hex() not in text
    assert "127.0.0.1" not in text.replace("address=127.0.0.1", "")  # its own, as it begins
    numbers = both[1].metrics()
    assert numbers['letterlock_keyserver_request_seconds_count{call="recovery/evaluate",code="OK"}'] == 1.0
    assert 'letterlock_relay_request_seconds_count{call="recovery/evaluate",code="OK"}' in both[0].metrics()


def test_a_fresh_client_gets_box_and_lists_with_the_recovery_key_alone(both: list[Server]) -> None:
    async def play() -> None:
        town = town_of(*both)
        await register(both[0], "comes back", town)
        await town.ask(1, put(town, 1))
        kept = await given(town, by_recovery(town, time=int(time.time())))
        assert (kept.box, kept.newest, kept.lists) == (b"box", 1, town.lists)

    asyncio.run(play())


def test_what_http_forbids_is_refused_before_the_body(both: list[Server]) -> None:
    call = RECOVERY_CALL_OF_REQUEST[ShowLocks]
    for server in both:
        url = f"{server.url}{call.path}"
        client = httpx.Client(trust_env=False, timeout=10)
        assert client.get(url).status_code == 405
        assert client.post(url, content=b"x").status_code == 415
        assert client.post(url, content=bytes(call.size + 1), headers=HEADERS).status_code == 413
        assert client.post(f"{url}x", content=b"x", headers=HEADERS).status_code == 404
        assert client.post(url, content=b"junk", headers=HEADERS).status_code == 400
        client.close()
        assert [server.get(path).status_code for path in ("/health", "/ready")] == [200, 200]


def test_a_key_server_is_no_relay(both: list[Server]) -> None:
    for path in ("/v1/challenge", "/v1/lists", "/v1/socket", "/"):
        assert post(both[1], path, b"x").status_code in {404, 405}


def test_both_have_a_page_for_people(both: list[Server]) -> None:
    relay, key_server = [each.get("/") for each in both]
    assert [each.status_code for each in (relay, key_server)] == [200, 200]
    assert "letterlock key server" in key_server.text
    same = ("content-security-policy", "content-type", "x-frame-options", "referrer-policy", "cache-control")
    assert [key_server.headers[each] for each in same] == [relay.headers[each] for each in same]


def test_addresses_are_those_that_the_proxy_saw(both: list[Server]) -> None:
    """The last one in the header is our proxy's; what stands before it is whatever the caller wrote."""
    call = RECOVERY_CALL_OF_REQUEST[EvaluateLock]
    url = f"{both[1].url}{call.path}"
    with httpx.Client(trust_env=False, timeout=10) as client:

        def status(address: str) -> int:
            headers = HEADERS | {"x-forwarded-for": f"203.0.113.9, {address}"}
            return client.post(url, content=b"junk", headers=headers).status_code

        until(lambda: status("198.51.100.1") == 429)
        assert {status("198.51.100.2") for _ in range(4)} == {400}


def test_uses_outlive_a_server_that_is_killed(tmp_path: Path, url: str) -> None:  # REC-9
    """Ten threads send guesses, and the server dies somewhere between. No answered use is back."""
    keys = key_file(tmp_path, ServerKeys.generate())
    flags = ["--keys", keys, *FREE, "--uses", "200", "--address-calls", "0", "--store", url]
    answers: list[bytes] = []

    def guess(request: EvaluateLock) -> None:
        call = RECOVERY_CALL_OF_REQUEST[EvaluateLock]
        try:
            reply = post(server, call.path, RecoveryFrame.of(request).encode())
        except httpx.HTTPError:
            return
        if reply.status_code == 200:
            evaluated = LockEvaluated.decode(reply.content)
            assert evaluated.evaluation is not None
            answers.append(evaluated.evaluation)
            if len(answers) == 20:
                server.kill()

    with served(tmp_path, *flags, kind="keyserver") as server:
        town = town_of(server)
        guesses = asyncio.run(town.guesses(100))
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(guess, guesses))
    assert 20 <= len(answers) < 100
    with served(tmp_path, *flags, kind="keyserver") as server:
        town.desks = [Desk(server)]  # type: ignore[list-item]
        left: Any = asyncio.run(town.ask(1, ShowLocks(town.user_id))).standing.uses_left
        assert 200 - len(answers) - 10 <= left <= 200 - len(answers)
        assert server.stop() == 0
    assert "stopped" in server.written()
