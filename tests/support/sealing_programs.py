"""A program that seals, shares and takes back until it has sealed enough, and is killed meanwhile.

    sealing_programs.py STORE FOLDER COUNT     goes on after what the store has; says `ready` and `done`

Document n has the content `content(n)`, is sealed as a job for Bob, and shared with Carol if n is even. Each
is followed by a record, and every third has its grant to Bob withdrawn.
"""

import io
import sys
import threading
from pathlib import Path
from typing import Final

from letterlock.blobs import DirectoryBlobs
from letterlock.client import SyncClient
from letterlock.documents import Readable, SealOptions, Section
from letterlock.documents._streams import Progress

KEY: Final = bytes(32)


class SlowBlobs(DirectoryBlobs):
    """A storage that takes its time, so that a kill often hits it."""

    def put(self, name: str, source: Readable, progress: Progress | None = None) -> int:
        threading.Event().wait(0.15)
        return super().put(name, source, progress)


def content(number: int) -> bytes:
    """Return the content of a document: its number, many times; once more than a block of segments."""
    return number.to_bytes(8, "big") * (2_200_000 if number == 1 else 5_000)


def one(client: SyncClient, blobs: DirectoryBlobs, number: int) -> None:
    """Seal and share what belongs to a number."""
    documents = client.documents
    options = SealOptions(job=b"job %d" % number)
    sealed = documents.seal(io.BytesIO(content(number)), blobs, ["bob"], options=options)
    if number % 2 == 0:
        documents.share(sealed.id, ["carol"])
    sections = [Section("number", [""], ["bob"]), Section("more", ["/more"], ["carol"])]
    documents.json.seal({"number": number, "more": "x"}, sections, blobs)
    if number % 3 == 0:
        grants = [each.hash for each in documents.grants(sealed.id) if each.reader == "bob"]
        documents.withdraw(grants)


def main() -> None:
    store, folder, count = sys.argv[1:]
    blobs = SlowBlobs(Path(folder) / "blobs")
    with SyncClient.open(store, key=KEY) as client:
        client.documents.spool = Path(folder)
        print("ready", flush=True)
        done = Path(folder) / "done"
        for number in range(len(done.read_text()) if done.exists() else 0, int(count)):
            one(client, blobs, number)
            with done.open("a") as file:
                file.write(".")
        client.flush(60)
        print("done", flush=True)


if __name__ == "__main__":
    main()
