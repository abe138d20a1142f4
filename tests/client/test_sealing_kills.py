"""A client that seals, shares and takes back, and is killed at random: bodies and grants fit together.

CLN-17, CLN-20, BLB-2, DOC-51. Not here: a body alone (tests/documents/test_resuming.py).
"""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from letterlock._records.grant import decode_grant
from letterlock._wire.grant_subject import SubjectKind
from letterlock.blobs import DirectoryBlobs
from letterlock.client import SyncClient
from letterlock.documents import NoGrant
from letterlock.stores import EntryKind
from support import sealing_programs
from support.relay_process import RelayProcess, kill, program
from support.sealing_programs import KEY, content

PROGRAM = Path(sealing_programs.__file__)
COUNT = 8
KILLS = 6

pytestmark = pytest.mark.slow


@contextmanager
def people(relay: RelayProcess, folder: Path) -> Iterator[tuple[SyncClient, SyncClient, SyncClient]]:
    alice, bob, carol = (
        SyncClient.open(folder / f"{each}.db", key=KEY) for each in ("alice", "bob", "carol")
    )
    with alice, bob, carol:
        yield alice, bob, carol


def known(client: SyncClient, kind: SubjectKind) -> set[bytes]:
    """Return the ids of which grants are on record."""

    def find() -> set[bytes]:
        rows = client.store.tables.entries.all(EntryKind.GRANT)
        subjects = [each.record.decoded(decode_grant).grant.terms.subject for each in rows]
        return {each.id for each in subjects if each.kind == kind}

    return client.run(find)


def numbers(client: SyncClient, blobs: DirectoryBlobs) -> Counter[int]:
    """Open every document of which a grant is on record, and return their numbers; what is closed is -1."""
    found: Counter[int] = Counter()
    for document in known(client, SubjectKind.DOCUMENT):
        try:
            with client.documents.open(document, blobs) as file:
                text = file.read()
        except NoGrant:
            found[-1] += 1
            continue
        number = int.from_bytes(text[:8], "big")
        assert text == content(number)
        found[number] += 1
    return found


def records(client: SyncClient, blobs: DirectoryBlobs) -> list[dict[str, object]]:
    found = []
    for document in known(client, SubjectKind.SECTION):
        opened = client.documents.json.open(client.documents.json.fetch(document, blobs))
        found.append(dict(json.loads(opened.text)))
    return found


def killed(folder: Path, chance: random.Random) -> None:
    started = program(PROGRAM, str(folder / "alice.db"), str(folder), str(COUNT))
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    threading.Event().wait(chance.random() * 0.8)
    kill(started)


def test_bodies_and_grants_fit_together(tmp_path: Path) -> None:
    chance = random.Random(15)
    with RelayProcess(tmp_path) as relay:
        for name in ("alice", "bob", "carol"):
            SyncClient.create(tmp_path / f"{name}.db", key=KEY, name=name, relay=relay.url).close()
        with people(relay, tmp_path) as (alice, _, _):
            alice.meet("bob")
            alice.meet("carol")
        blobs = DirectoryBlobs(tmp_path / "blobs")
        for _ in range(KILLS):
            killed(tmp_path, chance)
            with people(relay, tmp_path) as (alice, bob, carol):
                for each in (alice, bob, carol):
                    each.documents.refresh()
                assert numbers(alice, blobs)[-1] == 0  # what she was granted is there, and opens
                for each in (bob, carol):
                    numbers(each, blobs)
                    records(each, blobs)
        ends = program(PROGRAM, str(tmp_path / "alice.db"), str(tmp_path), str(COUNT))
        assert ends.stdout is not None
        assert [ends.stdout.readline() for _ in range(2)] == ["ready\n", "done\n"]
        kill(ends)
        with people(relay, tmp_path) as found:
            at_the_end(tmp_path, found, blobs)


def at_the_end(folder: Path, found: tuple[SyncClient, SyncClient, SyncClient], blobs: DirectoryBlobs) -> None:
    """Check what is there once the program came to its end."""
    alice, bob, carol = found
    for _ in range(2):
        for each in found:
            each.documents.refresh()
    mine = numbers(alice, blobs)
    assert set(mine) == set(range(COUNT))
    assert sum(mine.values()) <= COUNT + KILLS  # a job that had just ended is sealed once more
    assert known(bob, SubjectKind.DOCUMENT) <= known(alice, SubjectKind.DOCUMENT)
    withdrawn = {each for each in range(COUNT) if each % 3 == 0}
    assert set(numbers(bob, blobs)) >= set(range(COUNT)) - withdrawn
    assert set(numbers(carol, blobs)) >= {each for each in range(COUNT) if each % 2 == 0}
    assert {each["number"] for each in records(bob, blobs)} == set(range(COUNT))
    assert len(records(carol, blobs)) == len(records(bob, blobs))
    rows = alice.run(
        lambda: [alice.store.tables.entries.count(each) for each in (EntryKind.SEALING, EntryKind.PARCEL)]
    )
    assert rows == [0, 0]
    assert list(folder.glob("*.part")) == []
