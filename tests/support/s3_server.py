"""Servers with the S3 API: moto in a process of its own, and one that answers as a test says.

    moto          an address with an empty bucket `sealed`, for as long as the block runs
    Scripted      answers every request with what the test put into `answers`
    client_of     a client of boto3, which tries everything once

Not here: what is asked of them.
"""

import subprocess
import sys
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

import boto3
from botocore.config import Config

BUCKET: Final = "sealed"
_MOTO: Final = """
import os, sys
os.environ["S3_UPLOAD_PART_MIN_SIZE"] = "2048"
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("http://%s:%d" % server.get_host_and_port(), flush=True)
sys.stdin.read()
"""


def client_of(endpoint: str, **config: Any) -> Any:
    """Return a client for a server at an address."""
    settings = {
        "retries": {"mode": "standard", "total_max_attempts": 1},
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
        "read_timeout": 5,
    }
    keys = {"aws_access_key_id": "reader", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    made: Any = boto3.session.Session()
    return made.client("s3", endpoint_url=endpoint, config=Config(**{**settings, **config}), **keys)


@contextmanager
def moto() -> Generator[str]:
    """Run a server, make the bucket, and yield the address."""
    command = [sys.executable, "-W", "ignore", "-c", _MOTO]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as server:  # type: ignore[call-overload]
        try:
            endpoint = server.stdout.readline().strip()
            client_of(endpoint).create_bucket(Bucket=BUCKET)
            yield endpoint
        finally:
            server.kill()


@dataclass
class Answer:
    """What a scripted server sends: a status, headers and a body, of which it may send less than it says."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None


def error(status: int, code: str) -> Answer:
    """Return an answer that refuses a call."""
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>no</Message></Error>'
    return Answer(status, body.encode(), {"content-type": "application/xml"})


class Scripted:
    """A server that gives the answers of a test in their order, the last one again and again."""

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque()
        self.asked: list[str] = []
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                scripted.asked.append(f"{self.command} {self.headers.get('range', '')}".strip())
                answers = scripted.answers
                given = answers.popleft() if len(answers) > 1 else answers[0]
                self.send_response(given.status)
                for name, value in given.headers.items():
                    self.send_header(name, value)
                self.send_header(
                    "content-length", str(len(given.body) if given.length is None else given.length)
                )
                self.send_header("connection", "close")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(given.body)
                self.close_connection = True

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815 (the base class calls them so)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
