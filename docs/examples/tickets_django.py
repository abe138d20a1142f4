"""A server with Django that knows its people, and signs the tickets with which they register at a relay.

The relay asks for a ticket of this server's key. So nobody takes a name that the server did not give out.

Prints:

    the relay refuses whoever has no ticket
    the server answers a stranger with status 401
    alice is registered
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client as Browser
from django.urls import path

from letterlock.client import SyncClient, TicketRefused
from letterlock.relay import TicketKey

KEY = TicketKey.generate()  # keep secret_bytes() where the server keeps its passwords
SESSIONS = {"a session of this server": "alice"}  # however the server knows who somebody is

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"], SECRET_KEY=os.urandom(32).hex())
django.setup()


def ticket(request: HttpRequest) -> HttpResponse:
    name = SESSIONS.get(request.headers.get("session", ""))
    if name is None:
        return HttpResponse(status=401)
    return HttpResponse(KEY.sign(name), content_type="application/octet-stream")


urlpatterns = [path("ticket", ticket)]


def main(relay: str) -> None:
    key, http = os.urandom(32), Browser()
    try:
        SyncClient.create("alice.db", key=key, name="alice", relay=relay)
    except TicketRefused:
        print("the relay refuses whoever has no ticket")
    stranger = http.post("/ticket", headers={"session": "somebody else's"})
    print("the server answers a stranger with status", stranger.status_code)
    answer = http.post("/ticket", headers={"session": "a session of this server"})
    with SyncClient.create("alice.db", key=key, name="alice", relay=relay, ticket=answer.content) as alice:
        print(alice.name, "is registered")


@contextmanager
def running_relay(*options: str) -> Iterator[str]:
    """Start a relay on this machine, and yield its URL."""
    command = [sys.executable, "-m", "letterlock", "relay", "serve", "--listen", "127.0.0.1:0", *options]
    with subprocess.Popen(
        [*command, "--store", "sqlite:///relay.db"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield "http://" + process.stdout.readline().split()[2]
        process.terminate()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with running_relay("--registration", f"ticket:{KEY.public_hex}") as url:
            main(url)
