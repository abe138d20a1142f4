"""A document in a directory, shared through a relay. Bob's second device, linked later, reads it as well.

Prints:

    bob's laptop reads: blood pressure 120/80
    bob's phone reads: blood pressure 120/80
    the directory holds 1 sealed document
"""

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread

from letterlock.blobs import DirectoryBlobs
from letterlock.client import SyncClient
from letterlock.user import LinkingCode


def main(relay: str) -> None:
    blobs = DirectoryBlobs("sealed")  # or S3Blobs, or a storage of your own
    with new_user("alice", relay) as alice, new_user("bob", relay) as laptop:
        alice.meet("bob")
        report = io.BytesIO(b"blood pressure 120/80")
        document = alice.documents.seal(report, blobs, ["bob"]).id
        alice.flush()
        read(laptop, "laptop", document, blobs)
        with second_device(laptop, relay) as phone:
            read(phone, "phone", document, blobs)
    count = sum(each.is_file() for each in Path("sealed").rglob("*"))
    print(f"the directory holds {count} sealed document")


def new_user(name: str, relay: str) -> SyncClient:
    return SyncClient.create(f"{name}.db", key=os.urandom(32), name=name, relay=relay)


def read(client: SyncClient, device: str, document: bytes, blobs: DirectoryBlobs) -> None:
    client.documents.refresh()  # it also happens by itself, as soon as the relay says that there is something
    with client.documents.open(document, blobs) as content:
        print(f"{client.name}'s {device} reads: {content.read().decode()}")


def second_device(first: SyncClient, relay: str) -> SyncClient:
    """Link another device: in life, a person scans the code, and compares the digits on both screens."""
    codes: Queue[LinkingCode] = Queue()
    digits: Queue[str] = Queue()
    joined: Queue[SyncClient] = Queue()

    def join() -> None:
        key = os.urandom(32)
        joined.put(SyncClient.join("phone.db", key=key, relay=relay, show=codes.put, digits=digits.put))

    Thread(target=join).start()
    first.link(codes.get(), lambda shown: shown == digits.get())
    return joined.get()


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
        yield "http://" + process.stdout.readline().split()[2]  # listening on 127.0.0.1:8470 as ...
        process.terminate()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with running_relay() as url:
            main(url)
