"""Matrix Synapse as a peer: it stores to-device messages, and hands out one-time keys.

    synapse     the server, with SQLite as its storage (WAL, synchronous=FULL) and no limits
    Device      one device: it sends to-device messages, syncs, uploads and claims keys

Synapse comes from PyPI into an environment of its own: python -m venv ENV; ENV/bin/pip install matrix-synapse

Not here: what is compared (mailboxes.py).
"""

import base64
import hashlib
import hmac
import itertools
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final, Self

from process import Server

from wire import Connection

HOST: Final = "localhost"
SECRET: Final = "secret"
KEYS: Final = 100

_LIMITS: Final = (
    "rc_message",
    "rc_registration",
    "rc_registration_token_validity",
    "rc_admin_redaction",
    "rc_key_requests",
    "rc_presence",
    "rc_delayed_event_mgmt",
)


def synapse(python: Path, folder: Path, port: int) -> Server:
    """Return the server."""
    never = {"per_second": 100_000, "burst_count": 100_000}
    configuration = {
        "server_name": HOST,
        "pid_file": str(folder / "synapse.pid"),
        "listeners": [
            {
                "port": port,
                "bind_addresses": ["127.0.0.1"],
                "type": "http",
                "tls": False,
                "resources": [{"names": ["client"], "compress": False}],
            }
        ],
        "database": {"name": "sqlite3", "args": {"database": str(folder / "synapse.sqlite")}},
        "log_config": str(folder / "synapse-log.yaml"),
        "media_store_path": str(folder / "media"),
        "signing_key_path": str(folder / "synapse.key"),
        "registration_shared_secret": SECRET,
        "macaroon_secret_key": SECRET,
        "form_secret": SECRET,
        "report_stats": False,
        "presence": {"enabled": False},
        "trusted_key_servers": [],
        "federation_domain_whitelist": [],
        "bcrypt_rounds": 4,
        "rc_login": {"address": never, "account": never, "failed_attempts": never},
    } | dict.fromkeys(_LIMITS, never)
    logging = {
        "version": 1,
        "handlers": {"console": {"class": "logging.StreamHandler", "level": "ERROR"}},
        "root": {"level": "ERROR", "handlers": ["console"]},
        "disable_existing_loggers": False,
    }
    (folder / "synapse-log.yaml").write_text(json.dumps(logging))
    path = folder / "homeserver.yaml"
    path.write_text(json.dumps(configuration))  # JSON is YAML
    command = [str(python), "-m", "synapse.app.homeserver", "-c", str(path)]
    subprocess.run([*command, "--generate-keys"], check=True, cwd=folder, stdout=subprocess.DEVNULL)
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return Server("synapse", command, folder, port, env=variables)


class Device:
    """One device, logged in, on one connection."""

    def __init__(self, connection: Connection, name: str, token: str, device: str) -> None:
        self._connection = connection
        self._token = token
        self._since = ""
        self._numbers = itertools.count()
        self.user = f"@{name}:{HOST}"
        self.device = device

    @classmethod
    async def register(cls, port: int, name: str) -> Self:
        """Create a user with one device, which has synced once."""
        connection = await Connection.open(port)
        path = "/_synapse/admin/v1/register"
        nonce = (await _ask(connection, "GET", path, None, ""))["nonce"]
        mac = hmac.new(SECRET.encode(), digestmod=hashlib.sha1)
        mac.update(b"\0".join((nonce.encode(), name.encode(), SECRET.encode(), b"notadmin")))
        body = {"nonce": nonce, "username": name, "password": SECRET, "admin": False, "mac": mac.hexdigest()}
        found = await _ask(connection, "POST", path, body, "")
        made = cls(connection, name, found["access_token"], found["device_id"])
        await made.sync()
        return made

    async def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Make a call of the client-server API that must succeed."""
        return await _ask(self._connection, method, f"/_matrix/client/v3/{path}", body, self._token)

    async def upload(self) -> None:
        """Upload device keys and one-time keys, with signatures of the right length."""
        signatures = {self.user: {f"ed25519:{self.device}": _random(64)}}
        names = {f"{kind}:{self.device}": _random(32) for kind in ("curve25519", "ed25519")}
        algorithms = ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"]
        device = {"user_id": self.user, "device_id": self.device, "algorithms": algorithms}
        keys = {
            f"signed_curve25519:{at:06}": {"key": _random(32), "signatures": signatures} for at in range(KEYS)
        }
        device_keys = device | {"keys": names, "signatures": signatures}
        await self.call("POST", "keys/upload", {"device_keys": device_keys, "one_time_keys": keys})

    async def send(self, to: "Device", message: bytes) -> None:
        """Send one to-device message."""
        content = {"ciphertext": base64.b64encode(message).decode()}
        path = f"sendToDevice/m.room.encrypted/{self.device}{next(self._numbers)}"
        await self.call("PUT", path, {"messages": {to.user: {to.device: content}}})

    async def sync(self) -> int:
        """Return how many to-device messages came. Those of the sync before are deleted."""
        since = f"&since={self._since}" if self._since else ""
        found = await self.call("GET", f"sync?timeout=0&set_presence=offline{since}")
        self._since = found["next_batch"]
        return len(found.get("to_device", {}).get("events", ()))

    async def claim(self, of: "Device") -> None:
        """Fetch somebody's device keys, and claim a one-time key."""
        await self.call("POST", "keys/query", {"device_keys": {of.user: []}})
        asked = {"one_time_keys": {of.user: {of.device: "signed_curve25519"}}}
        found = await self.call("POST", "keys/claim", asked)
        if not found["one_time_keys"][of.user][of.device]:
            raise ValueError(f"{of.user} has no one-time key left")

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()


def _random(length: int) -> str:
    return base64.b64encode(os.urandom(length)).decode().rstrip("=")


async def _ask(connection: Connection, method: str, path: str, body: object, token: str) -> dict[str, Any]:
    content = b"" if body is None else json.dumps(body).encode()
    headers = ["Content-Type: application/json", *([f"Authorization: Bearer {token}"] if token else [])]
    status, answer = await connection.call(method, path, headers, content)
    if status != 200:
        raise ValueError(f"{method} {path}: {status}, {answer[:200]!r}")
    found: dict[str, Any] = json.loads(answer)
    return found
