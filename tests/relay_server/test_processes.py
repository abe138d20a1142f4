"""The processes: drained, killed and started again, several workers, and what must not start."""

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest

from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_mail import FetchAnswer, FetchRequest
from support.cli_tools import run_process
from support.relay_server import ServedTown, Server, in_town, request, served, status_of, until
from support.relay_socket import line
from support.relay_town import Resident


def accepts(server: Server) -> bool:
    """Return whether the relay takes connections."""
    try:
        server.connect().close()
    except OSError:
        return False
    return True


# --- draining -------------------------------------------------------------------------------------------


def test_sigterm_ends_what_waits_with_an_answer(folder: Path) -> None:
    async def play(town: ServedTown) -> None:
        alice = await Resident(town, "alice").move_in()
        bob = await Resident(town, "bob").move_in()
        async with line(town.server, bob.tokens[1]) as open_line:
            written = asyncio.Event()

            async def trace(event: str, _: object) -> None:
                if event == "http11.send_request_body.complete":
                    written.set()

            town.trace = trace
            waiting = asyncio.create_task(town.ask(FetchRequest(1, 60), alice.tokens[1]))
            await written.wait()
            await asyncio.sleep(0.3)  # most often it waits by then; otherwise it is answered all the same
            town.server.process.send_signal(signal.SIGTERM)
            answer = await asyncio.wait_for(waiting, 20)
            assert isinstance(answer, FetchAnswer)
            assert answer.deliveries == ()
            assert await asyncio.wait_for(open_line.closed(), 20) == 1012

    with served(folder) as server:
        in_town(server, play)
        assert server.process.wait(timeout=30) == 0
        assert "Cancel" not in server.written()
        assert " info stopped" in server.written()
        with pytest.raises(OSError, match="refused"):
            server.connect()


def test_a_slow_client_does_not_hold_up_the_end_for_ever(folder: Path) -> None:
    with served(folder, "--drain-seconds", "1", "--body-seconds", "600") as server, server.connect() as slow:
        slow.sendall(request(b"\x84", length=100))
        until(lambda: server.metrics()["letterlock_relay_body_bytes"] == 1)
        assert server.stop() == 0


def test_a_second_signal_does_not_wait(folder: Path) -> None:
    patient = ["--drain-seconds", "600", "--body-seconds", "600"]
    with served(folder, *patient) as server, server.connect() as slow:
        slow.sendall(request(b"\x84", length=100))
        until(lambda: server.metrics()["letterlock_relay_body_bytes"] == 1)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: not accepts(server))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=30) == 0


# --- killed ---------------------------------------------------------------------------------------------


def test_nothing_is_lost_when_the_relay_is_killed(folder: Path) -> None:
    async def before(town: ServedTown) -> None:
        alice = await Resident(town, "alice").move_in()
        bob = await Resident(town, "bob").move_in()
        await bob.publish()
        await alice.sent(bob, {1: b"kept"})
        people.extend((alice, bob))
        town.server.kill()

    async def after(town: ServedTown) -> None:
        alice, bob = people
        alice.town = bob.town = town
        assert [each.message for each in await bob.fetched()] == [b"kept"]
        assert (await bob.state()).stock == 3
        await town.get(DoneAnswer, alice.send(bob, {1: b"kept"}), alice.tokens[1])
        assert len(await bob.fetched()) == 1

    people: list[Resident] = []
    with served(folder) as first:
        in_town(first, before)
    with served(folder) as second:
        in_town(second, after)


# --- several workers ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> object:
    with served(tmp_path_factory.mktemp("two"), "--workers", "2") as server:
        yield server
        assert server.stop() == 0


def test_two_workers_are_one_relay(two: Server) -> None:
    async def play(town: ServedTown) -> None:
        alice = await Resident(town, "alice").move_in()
        bob = await Resident(town, "bob").move_in()
        await asyncio.gather(*(alice.sent(bob, {1: b"%d" % each}, id_=str(each)) for each in range(20)))
        async with line(two, bob.tokens[1]) as open_line:
            assert len(await open_line.texts(20)) == 20
            for number in range(20, 30):
                async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
                    town.client = client
                    await alice.sent(bob, {1: b"%d" % number}, id_=str(number))
            assert len(await open_line.texts(10)) == 10

    in_town(two, play)


def test_a_newer_socket_displaces_one_of_another_worker(two: Server) -> None:
    async def play(town: ServedTown) -> None:
        carol = await Resident(town, "carol").move_in()
        for _ in range(8):
            async with line(two, carol.tokens[1]) as older, line(two, carol.tokens[1]):
                assert await asyncio.wait_for(older.closed(), 10) == 4409

    in_town(two, play)


def test_every_worker_answers_for_all(two: Server) -> None:
    name = 'letterlock_relay_request_seconds_count{call="challenge",code="MALFORMED"}'
    before = two.metrics().get(name, 0)
    for _ in range(20):
        two.talk(request(b"\x00"))
    assert {two.metrics()[name] for _ in range(8)} == {before + 20}


def test_a_worker_that_is_killed_is_replaced(two: Server) -> None:
    victim, other = two.children()
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(two.children()) == 2 and victim not in two.children())
    assert other in two.children()
    assert status_of(two.talk(request(b"\x00"))) == 400
    assert "worker ended" in two.written()


def test_workers_do_not_outlive_their_supervisor(folder: Path) -> None:
    with served(folder, "--workers", "2") as server:
        children = server.children()
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        until(lambda: not any(Path(f"/proc/{each}/cmdline").exists() for each in children))


# --- what does not start --------------------------------------------------------------------------------


def test_an_address_in_use_is_named(server: Server, folder: Path) -> None:
    address = f"{server.address[0]}:{server.address[1]}"
    text = run_process("relay", "serve", "--listen", address, "--store", f"sqlite:///{folder}/x").failed(6)
    assert address in text


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_store_that_cannot_be_used_ends_it_with_one_line(folder: Path, workers: str) -> None:
    (folder / "relay.db").write_bytes(b"not a database" * 100)
    result = run_process(
        "relay", "serve", "--listen", "127.0.0.1:0", "--store", f"sqlite:///{folder}/relay.db",
        "--workers", workers,
    )  # fmt: skip
    result.failed(5)
    assert result.out == b""


def test_wrong_settings_end_it_with_one_line(folder: Path) -> None:
    assert "--name" in run_process("relay", "serve", "--listen", "0.0.0.0:0").failed(2)
    assert "workers" in run_process("relay", "serve", "--workers", "0").failed(2)


def test_it_says_where_it_listens(folder: Path) -> None:
    with served(folder, fresh=True) as server:
        assert f"address=127.0.0.1:{server.address[1]} name=relay.example" in server.written()
