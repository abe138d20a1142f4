"""JSON documents through a relay: sealed into a storage, each section for its readers.

CLN-17, BLB-1, BLB-5, DOC-113. Not here: sections and their keys (tests/documents).
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from letterlock.blobs import BlobMissing, BlobsUnavailable
from letterlock.client import RelayEventKind
from letterlock.documents import (
    Conditions,
    EpochDue,
    LinkSecret,
    NoGrant,
    Role,
    Section,
)
from letterlock.errors import MalformedMessage, UsageError
from letterlock.stores import EntryKind
from support.blob_stores import MemoryBlobs
from support.client_documents import kept, sealed, waiting
from support.client_json import KEYS, OFFICE, POINTER, VALUE, couple, made_for_bob, reads, sections
from support.client_town import Town, happens, play


def test_each_reader_finds_its_sections(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await couple(town)
        made = await made_for_bob(alice, blobs)
        assert await reads(bob, made.id, blobs) == OFFICE
        assert RelayEventKind.SHARED in [each.kind for each in await happens(bob, RelayEventKind.SHARED)]
        phone = await town.second(bob)
        assert await reads(phone, made.id, blobs) == OFFICE
        laptop = await town.second(alice)
        assert await reads(laptop, made.id, blobs) == VALUE
        opened = await bob.documents.json.open(await bob.documents.json.fetch(made.id, blobs))
        assert (await bob.documents.json.author(opened), opened.hidden) == ("alice", (("/dose", "/note"),))

    play(tmp_path, story)


def test_a_reader_of_another_section_follows_a_pointer(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await couple(town)
        made = await alice.documents.json.seal(VALUE, sections([], ["bob"]), blobs)
        await alice.flush()
        assert await reads(bob, made.id, blobs) == {"dose": 5, "note": "allergic"}
        first, second = blobs.kept.items()  # in the order in which they were put
        assert (first[1], second[1]) == (made.data, POINTER + first[0].encode())

    play(tmp_path, story)


def test_the_next_version_and_what_is_shared_and_taken_back(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await couple(town)
        first, json = await made_for_bob(alice, blobs), alice.documents.json
        second = await json.seal(VALUE | {"name": "Berg"}, sections(), blobs, replaces=first.id)
        assert (second.id, second.version) == (first.id, 2)
        await json.share(second.data, "clinic", ["bob"], conditions=Conditions("visit"))
        await alice.flush()
        assert await reads(bob, first.id, blobs) == VALUE | {"name": "Berg"}
        assert await reads(bob, first.id, blobs, 1) == OFFICE
        granted = await json.grants(second.data)
        assert [each.purpose for each in granted["clinic"] if each.reader == "bob"] == ["visit"]
        assert [each.version for each in await json.versions(first.id)] == [1, 1, 2, 2]
        assert b"visit" in await json.access_record(first.id)
        (grant,) = [each.hash for each in granted["office"] if each.reader == "bob"]
        await alice.documents.withdraw([grant])
        await alice.flush()
        assert await reads(bob, first.id, blobs) == {"dose": 5, "note": "allergic"}

    play(tmp_path, story)


def test_named_readers_need_no_version_before(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await couple(town)
        made = await made_for_bob(alice, blobs)
        asked = len(blobs.asked)
        await alice.documents.json.seal(VALUE, sections([], []), blobs, replaces=made.id)
        assert len(blobs.asked) == asked
        blobs.kept.clear()
        with pytest.raises(BlobMissing):
            await alice.documents.json.seal(VALUE, sections(), blobs, replaces=made.id)
        with pytest.raises(UsageError, match="a later version"):
            await alice.documents.json.seal(VALUE, sections(), blobs, replaces=made.data)
        del bob

    play(tmp_path, story)


def test_erased_here_on_other_devices_and_in_the_storage(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await couple(town)
        laptop = await town.second(alice)
        made = await made_for_bob(alice, blobs)
        await alice.documents.json.seal(VALUE, sections(), blobs, replaces=made.id)
        await alice.flush()
        assert await reads(laptop, made.id, blobs) == VALUE
        assert await reads(bob, made.id, blobs) == OFFICE
        assert await alice.documents.json.erase(made.id, reason="asked for", blobs=blobs)
        await alice.flush()
        assert blobs.kept == {}
        for each, why in ((alice, "destroyed"), (laptop, "destroyed"), (bob, "withdrawn")):
            with pytest.raises(NoGrant, match=why):
                await reads(each, made.id, blobs)
        with pytest.raises(UsageError, match="nothing to erase"):
            await alice.documents.json.erase(bytes(16))

    play(tmp_path, story)


def test_for_a_collection_by_its_id(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await couple(town)
        team = await alice.documents.collections.create("heart")
        assert await alice.documents.collections.add(team, ["bob"], Role.READER)
        made = await alice.documents.json.seal(VALUE, sections([team], []), blobs)
        await alice.flush()
        assert await reads(bob, made.id, blobs) == OFFICE
        await alice.documents.collections.remove(team, ["bob"])
        assert await alice.documents.collections.old_documents(team) == (made.id,)
        await alice.documents.json.seal(VALUE, sections(), blobs, replaces=made.id)
        await alice.flush()
        assert await reads(bob, made.id, blobs) == OFFICE  # the version that was there for Bob
        assert await alice.documents.collections.old_documents(team) == ()
        with pytest.raises(NoGrant):
            await reads(bob, made.id, blobs, 2)
        with pytest.raises(UsageError):
            await alice.documents.json.seal(VALUE, sections([bytes(16)], []), blobs)

    play(tmp_path, story)


def test_an_epoch_that_is_due_keeps_everything_back(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await couple(town)
        team = await alice.documents.collections.create("heart")
        assert await alice.documents.collections.add(team, ["bob"], Role.WRITER)
        await alice.flush()
        await bob.documents.refresh()
        town.rules.append(lambda asked: None)
        await bob.documents.collections.leave(team)
        with pytest.raises((EpochDue, UsageError)):
            await bob.documents.json.seal(VALUE, sections([team], []), blobs)
        assert blobs.kept == {}

    play(tmp_path, story)


# --- what must not happen -----------------------------------------------------------------------------------


class Failing(MemoryBlobs):
    """A storage that fails at the second thing that is put."""

    def put(self, name: str, source: Any, progress: Any = None) -> int:
        if len(self.kept) >= 1:
            raise BlobsUnavailable("fails at the second")
        return super().put(name, source, progress)


def test_nobody_is_granted_what_is_not_in_the_storage(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, _ = await couple(town)
        before, failing = await kept(alice, *KEYS), Failing()
        with pytest.raises(BlobsUnavailable):
            await alice.documents.json.seal(VALUE, sections(["bob"], ["bob"]), failing)
        assert len(failing.kept) == 1
        assert await kept(alice, *KEYS) == before
        await bob.documents.refresh()
        assert await kept(bob, EntryKind.GRANT) == [0]

    play(tmp_path, story)


def test_a_cancelled_sealing_grants_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, _, blobs = await couple(town)
        before, put = await kept(alice, *KEYS), asyncio.Event()
        loop = asyncio.get_running_loop()

        class Cancelled(MemoryBlobs):
            def put(self, name: str, source: Any, progress: Any = None) -> int:
                loop.call_soon_threadsafe(put.set)
                while progress is not None:
                    progress(0, None)
                return super().put(name, source, progress)

        sealing = asyncio.create_task(alice.documents.json.seal(VALUE, sections(["bob"], []), Cancelled()))
        await put.wait()
        sealing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sealing
        assert await kept(alice, *KEYS) == before
        del blobs

    play(tmp_path, story)


def test_what_is_refused_leaves_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, _, blobs = await couple(town)
        before, json = await kept(alice, *KEYS), alice.documents.json
        wrong: list[tuple[Any, Any, Any, type[Exception]]] = [
            (b'{"a":1,"a":2}', sections(), None, MalformedMessage),
            (VALUE, [Section("clinic", ["/dose"])], None, UsageError),
            (VALUE, sections(["nobody"], []), None, UsageError),
            (VALUE, sections(), bytes(16), NoGrant),
            (VALUE, sections(), bytes(15), UsageError),
            (VALUE, sections(), bytes(300), MalformedMessage),
            (VALUE, [], None, UsageError),
        ]
        for content, parts, replaces, error in wrong:
            with pytest.raises(error):
                await json.seal(content, parts, blobs, replaces=replaces)
        assert (blobs.kept, await kept(alice, *KEYS)) == ({}, before)

    play(tmp_path, story)


def test_nothing_that_calls_others_happens_inside_a_transaction(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, _, blobs = await couple(town)
        made, json = await made_for_bob(alice, blobs), alice.documents.json
        async with alice.transaction():
            for work in (
                json.seal(VALUE, sections(), blobs),
                json.fetch(made.id, blobs),
                json.erase(made.id, blobs=blobs),
            ):
                with pytest.raises(UsageError, match="transaction"):
                    await work
            assert dict((await json.open(made.data)).value) == VALUE
            await json.share(made.data, "clinic", ["bob"])
        assert len(await alice.documents.json.versions(made.id)) == 2

    play(tmp_path, story)


def test_a_share_is_undone_with_its_transaction(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await couple(town)
        made = await made_for_bob(alice, blobs)
        before = await kept(alice, *KEYS)
        with pytest.raises(ZeroDivisionError):
            async with alice.transaction():
                await alice.documents.json.share(made.data, "clinic", ["bob"])
                raise ZeroDivisionError
        assert await kept(alice, *KEYS) == before
        assert await waiting(alice) == 0
        assert await reads(bob, made.id, blobs) == OFFICE

    play(tmp_path, story)


def test_others_find_and_open_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await couple(town)
        carol = await town.client("carol")
        made = await made_for_bob(alice, blobs)
        await bob.documents.refresh()
        with pytest.raises(NoGrant):
            await reads(carol, made.id, blobs)
        with pytest.raises(NoGrant):
            await carol.documents.json.open(made.data)
        with pytest.raises(NoGrant):
            await bob.documents.json.fetch(made.id, blobs, 2)
        with pytest.raises(UsageError, match="no section"):
            await bob.documents.json.share(made.data, "clinic", ["bob"])
        with pytest.raises(UsageError):
            await alice.documents.json.share(made.data, "clinic", "bob")

    play(tmp_path, story)


def test_a_file_is_no_json_document_and_the_other_way_round(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, _, blobs = await couple(town)
        file, made = await sealed(alice, blobs), await made_for_bob(alice, blobs)
        with pytest.raises(NoGrant):
            await alice.documents.json.fetch(file, blobs)
        with pytest.raises(NoGrant):
            await alice.documents.open(made.id, blobs)
        with pytest.raises(UsageError):
            await alice.documents.erase(made.id)
        with pytest.raises(UsageError):
            await alice.documents.json.erase(file)

    play(tmp_path, story)


def test_by_link(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, _, blobs = await couple(town)
        link = LinkSecret.generate()
        made = await alice.documents.json.seal(VALUE, sections([link], []), blobs)
        bob = await town.client("carol")
        await bob.meet("alice")
        opened = await bob.documents.json.open(made.data, secret=link)
        assert dict(opened.value) == OFFICE
        with pytest.raises(NoGrant):
            await bob.documents.json.open(made.data, secret=LinkSecret.generate())

    play(tmp_path, story)
