"""A mail server in the process of a test, by aiosmtpd: what it took lies in `taken`."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


class Post:
    """Takes mail, or refuses it with the answers in `refusals`, one after the other."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], EmailMessage]] = []
        self.refusals: list[str] = []
        self.refused_names: set[str] = set()
        self.logins: list[tuple[bytes, bytes]] = []
        self.port = 0
        self.connections = 0
        self.arrived = asyncio.Event()
        self.data_refusals: list[str] = []
        self.hangs_up = False
        """Ends the connection over each mail, which it may have taken."""
        self.goes_on = asyncio.Event()
        """Holds each mail until it is set."""
        self.goes_on.set()
        self.held = asyncio.Event()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.connections += 1
        if address in self.refused_names:
            return "550 no such mailbox"
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the same
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        mail: Message = message_from_bytes(content if isinstance(content, bytes) else b"", policy=default)
        assert isinstance(mail, EmailMessage)
        self.held.set()
        await self.goes_on.wait()
        if self.data_refusals:
            return self.data_refusals.pop(0)
        self.taken.append((list(envelope.rcpt_tos), mail))
        self.arrived.set()
        if self.hangs_up:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 taken"

    def login(self, server: SMTP, session: Session, envelope: Envelope, kind: str, data: Any) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=True)


@asynccontextmanager
async def mail_server(post: Post, **settings: Any) -> AsyncGenerator[int]:
    """Serve `post`, and yield the port. `implicit_tls` is a context for connections that begin encrypted."""
    implicit = settings.pop("implicit_tls", None)
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        return SMTP(post, loop=loop, hostname="mail.test", **settings)

    server = await loop.create_server(protocol, HOST, 0, ssl=implicit)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@cache
def certificate() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a server's context for 127.0.0.1, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "both.pem"
        file.write_bytes(
            pem
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=pem.decode())
