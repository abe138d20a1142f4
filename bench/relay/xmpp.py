"""Prosody and ejabberd as peers: XMPP servers that store messages for accounts that are offline.

    prosody, ejabberd   the servers, with SQLite as their storage and no limits
    Stream              one account's connection: it logs in, sends, receives what was stored, and has OMEMO
                        devices and bundles published and fetched (XEP-0384 over PEP)

Both write to SQLite with synchronous=FULL, each message durably before the next, as a relay does. TLS is off
on all sides. Both come from Debian: apt-get install prosody lua-dbi-sqlite3 ejabberd erlang-p1-sqlite3

Not here: what is compared (mailboxes.py).
"""

import asyncio
import base64
import os
import shutil
from pathlib import Path
from typing import Final, Self

from process import Server

HOST: Final = "localhost"
PASSWORD: Final = "secret"

_PREKEYS: Final = 100
"""Prekeys in a bundle, of which a sender picks one at random; XEP-0384 wants about a hundred."""

_PUBSUB: Final = "http://jabber.org/protocol/pubsub"
_OMEMO: Final = "urn:xmpp:omemo:2"

_CONFIGURATION: Final = """
pidfile = "{folder}/prosody.pid"
data_path = "{folder}"
run_as_root = true
daemonize = false
modules_enabled = {{
    "saslauth"; "offline"; "roster"; "disco"; "presence"; "message"; "iq"; "register"; "pep";
}}
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


_EJABBERD: Final = """
hosts: [localhost]
loglevel: warning
log_rotate_count: 0
default_db: sql
sql_type: sqlite
sql_database: "{folder}/ejabberd.sqlite"
auth_method: internal
auth_password_format: plain
listen:
  - port: {port}
    ip: 127.0.0.1
    module: ejabberd_c2s
    max_stanza_size: 1048576
    starttls: false
shaper_rules:
  max_offline: 10000
modules:
  mod_caps: {{}}
  mod_disco: {{}}
  mod_offline: {{access_max_user_messages: max_offline}}
  mod_pubsub:
    plugins: [flat, pep]
    force_node_config:
      "{omemo}:*": {{access_model: open, max_items: 10}}
  mod_register: {{access: all, ip_access: all, registration_watchers: [], password_strength: 0}}
registration_timeout: infinity
"""


def is_here(name: str) -> bool:
    """Return whether a server is installed: `prosody` or `ejabberd`."""
    return shutil.which({"ejabberd": "ejabberdctl"}.get(name, name)) is not None


def prosody(folder: Path, port: int) -> Server:
    """Return the server."""
    path = folder / "prosody.cfg.lua"
    path.write_text(_CONFIGURATION.format(folder=folder, port=port))
    return Server("prosody", ["prosody", "--config", str(path), "-F"], folder, port, None)


def ejabberd(folder: Path, port: int) -> Server:
    """Return the server, as Debian's ejabberdctl starts it, but as a node without a name."""
    path = folder / "ejabberd.yml"
    path.write_text(_EJABBERD.format(folder=folder, port=port, omemo=_OMEMO))
    flags = ["-noinput", "+K", "true", "+P", "250000", "-mnesia", "dir", f'"{folder}/mnesia"']
    variables = {
        "EJABBERD_CONFIG_PATH": str(path),
        "EJABBERD_LOG_PATH": str(folder / "ejabberd-own.log"),
        "ERL_LIBS": "/usr/lib/x86_64-linux-gnu",
        "ERL_CRASH_DUMP": str(folder / "erl_crash.dump"),
        "HOME": str(folder),
    }
    command = ["erl", *flags, "-s", "ejabberd"]
    return Server("ejabberd", command, folder, port, None, env=os.environ | variables)


class Stream:
    """One connection, logged in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._seen = b""

    @classmethod
    async def register(cls, port: int, name: str) -> None:
        """Create an account."""
        made = cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**22))
        await made._start("</stream:features>")
        account = f"<username>{name}</username><password>{PASSWORD}</password>"
        made.write(f"<iq type='set' id='r'><query xmlns='jabber:iq:register'>{account}</query></iq>")
        await made.answer()
        made._writer.close()

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
        await made.answer()
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
        await self.answer()

    async def publish(self, length: int) -> None:
        """Publish a device list with one device, and its bundle; `length` is that of a public key."""
        key = base64.b64encode(os.urandom(length)).decode()
        keys = "".join(f"<pk id='{at}'>{key}</pk>" for at in range(1, _PREKEYS + 1))
        devices = f"<devices xmlns='{_OMEMO}'><device id='1'/></devices>"
        bundle = (
            f"<bundle xmlns='{_OMEMO}'><spk id='1'>{key}</spk><spks>{key}{key}</spks><ik>{key}</ik>"
            f"<prekeys>{keys}</prekeys></bundle>"
        )
        for node, item, content in (("devices", "current", devices), ("bundles", "1", bundle)):
            options = f"{_PUBSUB}#publish-options"
            self.write(
                f"<iq type='set' id='o'><pubsub xmlns='{_PUBSUB}'><publish node='{_OMEMO}:{node}'>"
                f"<item id='{item}'>{content}</item></publish><publish-options>"
                "<x xmlns='jabber:x:data' type='submit'>"
                f"<field var='FORM_TYPE' type='hidden'><value>{options}</value></field>"
                "<field var='pubsub#access_model'><value>open</value></field>"
                "</x></publish-options></pubsub></iq>"
            )
            await self.answer()

    async def fetch(self, name: str) -> None:
        """Fetch somebody's device list and the bundle of its device, as before a first message."""
        for node in ("devices", "bundles"):
            self.write(
                f"<iq type='get' id='g' to='{name}@{HOST}'><pubsub xmlns='{_PUBSUB}'>"
                f"<items node='{_OMEMO}:{node}'/></pubsub></iq>"
            )
            if b"<item " not in await self.answer():
                raise ConnectionError(f"{name} has no {node}")

    async def answer(self) -> bytes:
        """Return the answer to an iq."""
        found = await self.until(b"</iq>", b"/>")
        if b"type='error'" in found or b'type="error"' in found:
            raise ConnectionError(f"the server refused: {found!r}")
        return found

    async def receive(self, count: int) -> None:
        """Become available, and wait for so many messages that were stored."""
        self.write("<presence/>")
        for _ in range(count):
            await self.until(b"</message>")

    async def until(self, end: bytes, empty: bytes = b"") -> bytes:
        """Read up to the end of a stanza, or of one that begins with `<iq` and is empty."""
        while end not in self._seen and not self._is_empty_iq(empty):
            part = await self._reader.read(65536)
            if not part:
                raise ConnectionError(f"the server closed the stream after {self._seen[-200:]!r}")
            self._seen += part
        if self._is_empty_iq(empty):
            end = empty
        at = self._seen.index(end) + len(end)
        found, self._seen = self._seen[:at], self._seen[at:]
        return found

    def _is_empty_iq(self, empty: bytes) -> bool:
        at = self._seen.find(b"<iq")
        return bool(empty) and at >= 0 and self._seen.find(b">", at) == self._seen.find(empty, at) + 1 > 0

    async def close(self) -> None:
        """Log out."""
        self.write("<presence type='unavailable'/></stream:stream>")
        await self._reader.read()
        self._writer.close()
