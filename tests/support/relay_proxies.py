"""nginx and haproxy as docs/pages/how-to/run-a-relay.md configures them, before a relay on this machine.

Paths and ports of the page are replaced by some of this test, and nothing else is.

Not here: what travels through them (tests/relay_server).
"""

import datetime as dt
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PAGE: Final = Path(__file__).parents[2] / "docs" / "pages" / "how-to" / "run-a-relay.md"

_NGINX: Final = """\
{user}
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
access_log off;
client_body_temp_path {folder}/body;
proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi;
uwsgi_temp_path {folder}/uwsgi;
scgi_temp_path {folder}/scgi;
{block}
}}
"""


def block(begins: str) -> str:
    """Return the configuration on the page that begins with these words."""
    found = re.search(
        rf"^```text\n({re.escape(begins)}.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found, f"the page has no block that begins with {begins}"
    return found[1]


def certify(folder: Path) -> tuple[Path, Path]:
    """Make a key and a certificate for 127.0.0.1. Return its file, and the key's, which is in both."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay.example")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName("relay.example")])
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=2))
    certificate = built.add_extension(names, critical=False).sign(key, hashes.SHA256())
    encoding, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(encoding, private, serialization.NoEncryption())
    both, alone = folder / "relay.pem", folder / "relay.key"
    both.write_bytes(certificate.public_bytes(encoding) + secret)
    alone.write_bytes(secret)
    return both, alone


def nginx(folder: Path, port: int, relay: int) -> list[str]:
    """Write nginx's configuration. Return the command that runs it."""
    pem, key = certify(folder)
    text = block("limit_req_zone")
    for before, after in (
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("127.0.0.1:8470", f"127.0.0.1:{relay}"),
        ("/etc/ssl/relay.example.pem", str(pem)),
        ("/etc/ssl/private/relay.example.key", str(key)),
    ):
        assert before in text
        text = text.replace(before, after)
    path = folder / "nginx.conf"
    # Started by root, its workers would be another user's, who may not write into this folder.
    user = "user root;" if os.geteuid() == 0 else ""
    path.write_text(_NGINX.format(user=user, folder=folder, block=text), encoding="utf-8")
    return ["nginx", "-c", str(path), "-p", str(folder), "-e", "stderr"]


def haproxy(folder: Path, port: int, relay: int) -> list[str]:
    """Write haproxy's configuration. Return the command that runs it."""
    pem, _ = certify(folder)
    text = block("frontend relay")
    for before, after in (
        ("bind :443", f"bind 127.0.0.1:{port}"),
        ("127.0.0.1:8470", f"127.0.0.1:{relay}"),
        ("/etc/haproxy/relay.example.pem", str(pem)),
    ):
        assert before in text
        text = text.replace(before, after)
    path = folder / "haproxy.cfg"
    path.write_text(text, encoding="utf-8")
    return ["haproxy", "-f", str(path)]


def complaints(command: list[str]) -> str:
    """Return what a proxy says of its configuration, if that is not that it is right."""
    flag = "-t" if command[0] == "nginx" else "-c"
    found = subprocess.run([*command, flag], capture_output=True, text=True, timeout=60, check=False)
    said = found.stdout + found.stderr
    return said if found.returncode or re.search(r"warn|error|emerg", said, re.IGNORECASE) else ""


@contextmanager
def running(command: list[str]) -> Iterator[None]:
    """Run a proxy."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)
