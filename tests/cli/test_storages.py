"""`--store` and `--job` on the command line: sealed documents in a storage, and sealings that go on.

Not here: storages (tests/blobs); over a relay (tests/client/test_record_commands.py).
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from letterlock.cli import _blob_storage, _giving
from letterlock.documents._bodies import Bodies
from letterlock.errors import UsageError
from support.document_cli import CONTENT, Readers

ID = "0" * 32


def seals(readers: Readers, *arguments: str | Path) -> str:
    """Let Alice seal a file into a storage, and return its id."""
    shown = readers.json("alice", "seal", readers.plain(), "--store", readers.path("blobs"), *arguments)
    id_: str = shown["document"]
    assert (shown["store"], shown["file"]) == (str(readers.path("blobs")), None)
    return id_


def blobs(readers: Readers) -> list[Path]:
    return [each for each in readers.path("blobs").rglob("*") if each.is_file()]


def parts(readers: Readers, home: str = "alice") -> list[Path]:
    return list((readers.path(home) / "sealing").glob("*"))


def test_a_document_goes_to_a_storage_and_comes_from_there(readers: Readers) -> None:
    id_ = seals(readers)
    (blob,) = blobs(readers)
    assert CONTENT[:100] not in blob.read_bytes()
    assert id_ not in blob.name
    store = ("--store", readers.path("blobs"))
    assert readers.run("alice", "open", id_, *store).succeeded() == CONTENT
    shown = readers.json("alice", "open", id_, *store, "-o", readers.path("out"))
    assert (shown["name"], readers.path("out").read_bytes()) == ("report.pdf", CONTENT)
    assert readers.opens("alice", blob)


def test_a_reader_needs_the_grant_and_the_storage(readers: Readers) -> None:
    id_ = seals(readers)
    store = ("--store", readers.path("blobs"))
    readers.run("bob", "open", id_, *store).failed(2)
    readers.run("alice", "share", id_, "--for", "bob", "-o", readers.path("grants")).succeeded()
    readers.run("bob", "take", readers.path("grants")).succeeded()
    assert readers.run("bob", "open", id_, *store).succeeded() == CONTENT
    readers.run("carol", "open", id_, *store).failed(2)
    other = readers.run("bob", "open", id_, "--store", readers.path("elsewhere"))
    assert other.status != 0
    assert other.out == b""


def test_the_next_version_and_erasing(readers: Readers) -> None:
    id_ = seals(readers)
    store = ("--store", readers.path("blobs"))
    readers.plain(content=b"second")
    again = readers.json("alice", "seal", readers.path("report.pdf"), *store, "--replaces", id_)
    assert (again["document"], again["version"]) == (id_, 2)
    assert readers.run("alice", "open", id_, *store).succeeded() == b"second"
    assert len(blobs(readers)) == 2
    readers.run("alice", "erase", id_, *store, "--yes").succeeded()
    assert blobs(readers) == []
    assert "destroyed" in readers.run("alice", "open", id_, *store).failed(2)


def test_erasing_without_an_answer_deletes_nothing(readers: Readers) -> None:
    id_ = seals(readers)
    readers.run("alice", "erase", id_, "--store", readers.path("blobs")).failed(2)
    assert len(blobs(readers)) == 1


@pytest.mark.parametrize(
    "typed", ["s3:///x", "s3://", "http://host/x", "S3://bucket", "file:///tmp/x", "ftp+ssl://x"]
)
def test_what_is_no_storage(readers: Readers, typed: str) -> None:
    with pytest.raises(UsageError, match="no storage"):
        _blob_storage.storage_in(typed)
    before = readers.files()
    readers.plain()
    assert "no storage" in readers.run("alice", "seal", readers.path("report.pdf"), "--store", typed).failed(
        2
    )
    assert readers.files() == before | {"report.pdf"}


@pytest.mark.parametrize(
    ("typed", "bucket", "prefix"),
    [("s3://b", "b", ""), ("s3://b/", "b", ""), ("s3://b/x/y", "b", "x/y/"), ("s3://b/x/", "b", "x/")],
)
def test_a_bucket(monkeypatch: pytest.MonkeyPatch, typed: str, bucket: str, prefix: str) -> None:
    made: list[tuple[str, ...]] = []
    monkeypatch.setattr("letterlock.blobs.S3Blobs", lambda *given: made.append(given), raising=False)
    _blob_storage.storage_in(typed)
    assert made == [(bucket, prefix)]


@pytest.mark.parametrize("typed", ["report.ll", "0" * 31, "0" * 33, "G" * 32, "../" * 10 + "00", ""])
def test_what_is_no_id(readers: Readers, typed: str) -> None:
    assert "32 digits" in readers.run("alice", "open", typed, "--store", readers.path("blobs")).failed(2)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("seal", "PLAIN", "--store", "BLOBS", "-o", "OUT"), "--store or -o"),
        (("open", ID, "--all", "OUT", "--store", "BLOBS"), "leave --store out"),
        (("open", ID, "--store", "BLOBS"), "grant"),
        (("seal", "--job", "x", "-o", "OUT"), "plain file"),
        (("seal", "-", "--job", "x", "-o", "OUT"), "plain file"),
        (("seal", "PLAIN", "--job", "", "-o", "OUT"), "job"),
        (("seal", "PLAIN", "--job", "x" * 65, "-o", "OUT"), "job"),
        (("erase", ID, "--store", "BLOBS", "--yes"), "nothing to erase"),
        (("record", "open", ID, "--store", "BLOBS"), "grant"),
        (("record", "grants", ID, "--store", "BLOBS"), "grant"),
        (("record", "open", "PLAIN", "--store", "BLOBS"), "32 digits"),
    ],
)
def test_what_is_refused(readers: Readers, arguments: tuple[str, ...], word: str) -> None:
    readers.plain("PLAIN")
    places = {each: str(readers.path(each)) for each in ("PLAIN", "BLOBS", "OUT")}
    result = readers.run("alice", *(places.get(each, each) for each in arguments))
    assert word in result.failed(2)
    assert not readers.path("OUT").exists()
    assert not [each for each in readers.path("BLOBS").rglob("*") if each.is_file()]


def test_a_damaged_blob_gives_nothing(readers: Readers) -> None:
    id_ = seals(readers)
    (blob,) = blobs(readers)
    whole = blob.read_bytes()
    blob.chmod(0o600)
    for at in (0, 30, len(whole) // 3, len(whole) - 1):
        changed = bytearray(whole)
        changed[at] ^= 1
        blob.write_bytes(bytes(changed))
        result = readers.run("alice", "open", id_, "--store", readers.path("blobs"), "-o", readers.path("x"))
        assert result.status != 0
        assert not readers.path("x").exists()


# --- jobs ---------------------------------------------------------------------------------------------------


class KilledError(BaseException):
    """Stands for a kill: nothing that the program would tidy up is tidied up."""


def test_a_job_goes_on_where_it_was_interrupted(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytes(range(256)) * (1 << 17)  # two blocks
    readers.plain(content=content)
    command = ("seal", readers.path("report.pdf"), "-o", readers.path("x.ll"), "--job", "scan 17")
    written = Bodies.write

    def killed(self: Bodies, begun: Any, source: Any, target: Any, options: Any) -> Any:
        def progress(done: int, _: int | None) -> None:
            if done > 20 << 20:
                raise KilledError

        slow = replace(options, pace=replace(options.pace, progress=progress))
        return written(self, begun, source, target, slow)

    monkeypatch.setattr(Bodies, "write", killed)
    with pytest.raises(KilledError):
        readers.run("alice", *command)
    monkeypatch.setattr(Bodies, "write", written)
    (part,) = parts(readers)
    begun = part.read_bytes()
    assert 16 << 20 <= len(begun) < len(content)
    assert (part.stat().st_mode & 0o777, part.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert content[:100] not in begun
    readers.run("alice", *command).succeeded()
    assert readers.path("x.ll").read_bytes()[: 16 << 20] == begun[: 16 << 20]
    assert readers.run("alice", "open", readers.path("x.ll")).succeeded() == content
    assert parts(readers) == []


def test_a_job_whose_source_has_changed_is_refused(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    readers.plain(content=bytes(1 << 25))
    command = ("seal", readers.path("report.pdf"), "--store", readers.path("blobs"), "--job", "x")

    def full(*_: Any, **__: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(_giving, "put_sealed", full)
        with pytest.raises(KilledError):
            readers.run("alice", *command)
    readers.plain(content=b"x" * (1 << 25))
    assert "the source has changed" in readers.run("alice", *command).failed(2)
    assert not readers.path("blobs").exists() or not blobs(readers)
    readers.plain(content=bytes(1 << 25))
    shown = readers.json("alice", *command)
    assert len(blobs(readers)) == 1
    opened = readers.run("alice", "open", shown["document"], "--store", readers.path("blobs")).succeeded()
    assert opened == bytes(1 << 25)


def test_nobody_is_granted_what_did_not_reach_the_storage(
    readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers.plain()

    def full(*_: Any, **__: Any) -> None:
        raise KilledError

    monkeypatch.setattr(_giving, "put_sealed", full)
    kept: list[object] = []
    monkeypatch.setattr(Bodies, "keep", lambda *given: kept.append(given))
    with pytest.raises(KilledError):
        readers.run("alice", "seal", readers.path("report.pdf"), "--store", readers.path("blobs"))
    assert kept == []


# --- records ------------------------------------------------------------------------------------------------


def test_a_record_in_a_storage(readers: Readers) -> None:
    record = {"name": "Lind", "dose": 5}
    readers.plain("record.json", json.dumps(record).encode())
    readers.plain("sections.json", json.dumps({"a": {"fields": [""]}, "b": {"fields": ["/dose"]}}).encode())
    store = ("--store", readers.path("blobs"))
    command = ("record", "seal", readers.path("record.json"), "--sections", readers.path("sections.json"))
    id_ = readers.json("alice", *command, *store)["document"]
    assert json.loads(readers.run("alice", "record", "open", id_, *store).succeeded()) == record
    assert len(blobs(readers)) == 2
    readers.run("alice", "record", "share", id_, *store, "--section", "b", "--for", "bob").succeeded()
    assert {each["reader"] for each in readers.json("alice", "record", "grants", id_, *store)["b"]} == {
        "alice",
        "bob",
    }
    again = readers.json("alice", *command, *store, "--replaces", id_)
    assert again["version"] == 2
    granted = readers.json("alice", "record", "grants", id_, *store)
    assert [each["reader"] for each in granted["b"]] == ["alice", "bob"]
    revoked = ("record", "revoke", id_, *store, "--section", "b", "--for", "bob")
    readers.run("alice", *revoked).succeeded()
    assert "no grant of yours" in readers.run("alice", *revoked).failed(2)
    readers.run("bob", "record", "open", id_, *store).failed(2)


def test_the_next_version_of_a_record_keeps_its_readers(readers: Readers) -> None:
    readers.plain("record.json", b'{"name":"Lind","dose":5}')
    for name, readers_of in (("first", ["bob"]), ("second", None), ("third", [])):
        said: dict[str, Any] = {"fields": [""]} | ({} if readers_of is None else {"for": readers_of})
        readers.plain(f"{name}.json", json.dumps({"all": said}).encode())
    command = ("record", "seal", readers.path("record.json"), "--sections")
    first, second, third = (readers.path(each) for each in ("1.ll", "2.ll", "3.ll"))
    readers.run("alice", *command, readers.path("first.json"), "-o", first).succeeded()
    readers.run("alice", *command, readers.path("second.json"), "-o", second, "--replaces", first).succeeded()
    readers.run("bob", "record", "open", second).succeeded()
    readers.run("alice", *command, readers.path("third.json"), "-o", third, "--replaces", second).succeeded()
    readers.run("bob", "record", "open", third).failed(2)
    older = (*command, readers.path("first.json"), "-o", readers.path("4"), "--replaces", first)
    assert "a later version" in readers.run("alice", *older).failed(2)
    assert not readers.path("4").exists()
