"""A disk that is full: the relay answers UNAVAILABLE, a client raises; nothing is lost or half stored.

PostgreSQL goes on by itself when there is room, or has to be started again. JetStream loses nothing where it
may store less than the disk has. Without such a limit, it turns itself off on a node whose disk is full, has
to be started again, and may have lost what it had acknowledged last: that the relay goes on is all that is
promised then.
"""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from letterlock import SqliteStore
from letterlock.client import SyncClient, SyncMessage
from letterlock.errors import StoreError
from support.fault_city import City
from support.fault_home import KEY
from support.relay_nats import NatsServers
from support.relay_postgresql import PostgresqlServer
from support.relay_process import RelayProcess

MIB = 1024 * 1024

pytestmark = pytest.mark.slow


class Disk:
    """A file system in memory of a few MiB."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        with self._filler.open("ab", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                return

    def free(self) -> None:
        self._filler.unlink()


@contextmanager
def small_disk(size: int) -> Iterator[Disk]:
    with tempfile.TemporaryDirectory(prefix="letterlock-disk-") as name:
        folder = Path(name, "disk")
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=1777", "tmpfs", str(folder)]
        try:
            mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            mounted = False
        if not mounted:
            pytest.skip("no small disk: this user may not mount one")
        Path(name).chmod(0o711)  # PostgreSQL runs as another user
        try:
            yield Disk(folder)
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def disk() -> Iterator[Disk]:
    with small_disk(8 * MIB) as made:
        yield made


def test_a_relay_goes_on_when_its_disk_has_room_again(disk: Disk) -> None:
    with City(f"sqlite:///{disk.folder}/relay.db", workers=1) as city:
        _fill_and_free(city, disk, lambda: None)
        city.require()


def test_a_relay_goes_on_when_the_disk_of_postgresql_has_room_again(tmp_path: Path) -> None:
    with small_disk(112 * MIB) as disk:
        server = PostgresqlServer(tmp_path, place=disk.folder, min_wal_size="32MB", max_wal_size="32MB")
        try:
            with City(server.fresh(), workers=1) as city:
                _fill_and_free(city, disk, server.revive)
                city.require()
        finally:
            server.stop()


def test_a_relay_goes_on_when_jetstream_may_store_more_again(tmp_path: Path) -> None:
    servers = NatsServers(tmp_path, most="16MB")
    try:
        with City(servers.fresh(), workers=1) as city:
            _fill_and_free(city, servers, lambda: None)
            city.require()
    finally:
        servers.stop()


def test_a_relay_goes_on_when_the_disks_of_nats_have_room_again() -> None:
    with small_disk(64 * MIB) as disk:
        servers = NatsServers(disk.folder)
        try:
            with City(servers.fresh(), workers=1) as city:
                _fill_and_free(city, disk, servers.restart)
                city.require_sound(city.tally())
        finally:
            servers.stop()


def _fill_and_free(city: City, disk: Disk | NatsServers, revive: Callable[[], None]) -> None:
    """Let people write while there is room, none, and room again."""
    city.begin_relay()
    city.settle("anna", "ben")
    city.wait_until_seen(4)
    disk.fill()
    city.wait_until_refused("UNAVAILABLE")
    disk.free()
    revive()
    city.wait_until_seen(city.seen + 6)
    city.be_quiet()


def test_a_client_goes_on_when_its_disk_has_room_again(disk: Disk, tmp_path: Path) -> None:
    """The client ends with StoreError, because it can keep nothing. What it had returned is there."""
    with RelayProcess(tmp_path) as relay:
        path = disk.folder / "anna.db"
        anna = SyncClient.create(path, key=KEY, name="anna", relay=relay.url)
        ben = SyncClient.create(tmp_path / "ben.db", key=KEY, name="ben", relay=relay.url)
        sent: list[bytes] = []
        with ben:
            with anna:
                anna.send("ben", b"hello")
                sent.append(b"hello")
                anna.flush()
                disk.fill()
                with pytest.raises(StoreError):
                    for number in range(1000):
                        anna.send("ben", b"%d" % number * 1000)
                        sent.append(b"%d" % number * 1000)
            disk.free()
            with SyncClient.open(path, key=KEY) as again:
                again.send("ben", b"end")
                again.flush()
                seen = [take(ben, message) for message in ben.messages(wait=2)]
        assert seen == [*sent, b"end"]
    with SqliteStore(path, key=KEY) as store, store.transaction():
        assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def take(client: SyncClient, message: SyncMessage) -> bytes:
    message.done()
    return message.body
