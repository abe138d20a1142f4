"""Servers that tests start: no port is given twice, and a start that fails leaves nothing running."""

import multiprocessing
import socket
import sys
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from letterlock.relay import open_store
from support import ports, relay_nats
from support.ports import Block, free_port, free_ports
from support.relay_nats import NODES, NatsServers
from support.relay_postgresql import PostgresqlServer
from support.relay_processes import Server

NODE = """#!{python}
import pathlib, sys, time
path = pathlib.Path(sys.argv[2])
if path.name == "{ends}.conf":
    sys.exit("cannot begin")
time.sleep(600)
"""
"""A node that neither answers nor ends, unless it is the one that ends at once."""


def children() -> set[int]:
    psutil: Any = import_module("psutil")
    return {each.pid for each in psutil.Process().children(recursive=True)}


def program(path: Path, text: str) -> Path:
    path.write_text(text, encoding="ascii")
    path.chmod(0o755)
    return path


def test_ports_are_different_until_the_block_is_used_up() -> None:
    with closing(Block()) as block:
        given = [block.port() for _ in range(ports._BLOCK - 1)]
        assert len(set(given)) == len(given)
        assert block.port() == given[0]


def test_two_blocks_share_no_port() -> None:
    with closing(Block()) as one, closing(Block()) as other:
        given = [block.port() for block in (one, other) for _ in range(ports._BLOCK - 1)]
    assert len(set(given)) == len(given)


def test_a_port_that_somebody_uses_is_passed_over() -> None:
    with closing(Block()) as block:
        first = block.port()
        with socket.create_server(("127.0.0.1", first + 1)):
            assert block.port() == first + 2


def test_the_system_gives_none_of_these_ports() -> None:
    """What asks for any port, as a proxy of the tests does, must not get one that was chosen for a server."""
    begins = ports._end()
    assert all(port < begins for port in free_ports(ports._BLOCK))
    with socket.create_server(("127.0.0.1", 0)) as any_port:
        assert any_port.getsockname()[1] >= begins


def test_another_process_and_a_fork_get_other_ports() -> None:
    here = {free_port() for _ in range(ports._BLOCK)}
    for way in ("fork", "spawn"):
        with multiprocessing.get_context(way).Pool(1) as pool:
            assert here.isdisjoint(pool.apply(free_ports, (ports._BLOCK,)))


def test_a_block_is_taken_until_its_process_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    block = Block()
    first = block.port() - 1
    monkeypatch.setattr(ports, "_FIRST", first)
    monkeypatch.setattr(ports, "_end", lambda: first + ports._BLOCK)
    with pytest.raises(AssertionError, match="other processes have all blocks"):
        Block()
    block.close()
    Block().close()


@pytest.mark.parametrize("ends", ["node0", "node1", "node2"])
def test_a_node_that_does_not_begin_leaves_no_other_one_running(
    ends: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = program(tmp_path / "nats-server", NODE.format(python=sys.executable, ends=ends))
    monkeypatch.setattr(relay_nats, "_program", lambda: node)
    monkeypatch.setattr(relay_nats, "accepts", lambda port: ends != "node0")
    before = children()
    with pytest.raises(AssertionError, match="cannot begin"):
        NatsServers(tmp_path)
    assert children() == before


def test_a_start_that_is_interrupted_leaves_nothing_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = program(tmp_path / "nats-server", NODE.format(python=sys.executable, ends="none"))
    monkeypatch.setattr(relay_nats, "_program", lambda: node)

    def interrupt(port: int) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(relay_nats, "accepts", interrupt)
    before = children()
    with pytest.raises(KeyboardInterrupt):
        NatsServers(tmp_path)
    assert children() == before


@pytest.mark.slow
async def test_a_cluster_begins_elsewhere_if_a_port_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node may have answered its clients before it finds the port of the cluster taken."""
    asked = list[int]()
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken: int = other.getsockname()[1]

        def ports_of(count: int) -> list[int]:
            given = free_ports(count)
            asked.append(count)
            if len(asked) == 2:
                given[1] = taken
            return given

        monkeypatch.setattr(relay_nats, "free_ports", ports_of)
        before = children()
        servers = NatsServers(tmp_path)
        try:
            assert len(asked) == 4
            assert len(children() - before) == NODES
            assert taken not in servers.ports
            store = open_store(servers.fresh())
            await store.open()
            await store.close()
        finally:
            servers.stop()


def test_a_database_that_does_not_answer_is_not_left_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = children()
    monkeypatch.setattr(Server, "wait_until", lambda *_: False)
    with pytest.raises(pytest.skip.Exception, match="does not start here"):
        PostgresqlServer(tmp_path)
    assert children() == before
