"""Prosody as a peer: an XMPP server that stores messages for accounts that are offline.

    Prosody     the server, with SQLite (synchronous=FULL) as its storage and no limits
    Stream      one account's connection: it logs in, sends, and receives what was stored

Its SQLite writes each message durably before the next, as a relay's does. TLS is off on both sides. Prosody
comes from Debian: apt-get install prosody lua-dbi-sqlite3

Not here: what is compared (mailboxes.py).
"""

import asyncio
import base64
import shutil
import subprocess
from pathlib import Path
from typing import Final, Self

from process import Server

HOST: Final = "localhost"
PASSWORD: Final = "secret"

_CONFIGURATION: Final = """
pidfile = "{folder}/prosody.pid"
data_path = "{folder}"
run_as_root = true
daemonize = false
modules_enabled = {{ "saslauth"; "offline"; "roster"; "disco"; "presence"; "message"; "iq"; "register"; }}
modules_disabled = {{ "s2s"; "limits"; "tls"; }}
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
allow_registration = true
authentication = "internal_plain"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
s2s_ports = {{ }}
storage = "sql"
sql = {{ driver = "SQLite3", database = "{folder}/prosody.sqlite" }}
sqlite_tune = "safe"
log = {{ warn = "{folder}/prosody.err" }}
VirtualHost "localhost"
"""


def is_here() -> bool:
    """Return whether Prosody is installed."""
    return shutil.which("prosody") is not None


def prosody(folder: Path, port: int, names: list[str]) -> Server:
    """Return the server, with accounts of these names."""
    path = folder / "prosody.cfg.lua"
    path.write_text(_CONFIGURATION.format(folder=folder, port=port))
    register(folder, names)
    return Server("prosody", ["prosody", "--config", str(path), "-F"], folder, port, None)


def register(folder: Path, names: list[str]) -> None:
    """Create accounts, before the server starts."""
    for name in names:
        command = ["prosodyctl", "--root", "--config", str(folder / "prosody.cfg.lua"), "register"]
        subprocess.run([*command, name, HOST, PASSWORD], check=True, stdout=subprocess.DEVNULL)


class Stream:
    """One connection, logged in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._seen = b""

    @classmethod
    async def open(cls, port: int, name: str) -> Self:
        """Connect and log in."""
        made = cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**22))
        secret = base64.b64encode(f"\0{name}\0{PASSWORD}".encode()).decode()
        await made._start("</stream:features>")
        made.write(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>")
        await made.until(b"<success")
        await made._start("</stream:features>")
        made.write("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        await made.until(b"</iq>")
        return made

    async def _start(self, end: str) -> None:
        self.write(
            f"<stream:stream to='{HOST}' version='1.0' xmlns='jabber:client' "
            "xmlns:stream='http://etherx.jabber.org/streams'>"
        )
        await self.until(end.encode())

    def write(self, text: str) -> None:
        """Send a stanza."""
        self._writer.write(text.encode())

    def message(self, to: str, body: bytes, number: int) -> None:
        """Send a message with a payload in base64, as OMEMO has it."""
        payload = base64.b64encode(body).decode()
        self.write(f"<message to='{to}@{HOST}' type='chat' id='m{number}'><body>{payload}</body></message>")

    async def ping(self) -> None:
        """Wait until everything that was sent before has been handled."""
        self.write(
            f"<iq type='get' id='p' to='{HOST}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        )
        await self.until(b"</iq>")

    async def receive(self, count: int) -> None:
        """Become available, and wait for so many messages that were stored."""
        self.write("<presence/>")
        for _ in range(count):
            await self.until(b"</message>")

    async def until(self, end: bytes) -> None:
        """Read up to the end of a stanza."""
        while end not in self._seen:
            part = await self._reader.read(65536)
            if not part:
                raise ConnectionError(f"prosody closed the stream after {self._seen[-200:]!r}")
            self._seen += part
        self._seen = self._seen[self._seen.index(end) + len(end) :]

    async def close(self) -> None:
        """Log out."""
        self.write("<presence type='unavailable'/></stream:stream>")
        await self._reader.read()
        self._writer.close()
