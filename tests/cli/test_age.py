"""Files that age encrypted, sealed without a plain copy: beside pyrage, and with the vectors of C2SP CCTV."""

import contextlib
import hashlib
import io
import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyrage
import pytest

from letterlock.cli import _output_file as output_file
from letterlock.cli._age_file import AgeFile
from letterlock.cli._age_identity import AgeIdentity, HybridIdentity, read_identities
from letterlock.errors import MalformedMessage, UsageError
from support import external
from support.cli_tools import Arguments, temporary_outputs
from support.document_cli import Readers

KEY = pyrage.x25519.Identity.generate()
OTHER = pyrage.x25519.Identity.generate()
HYBRID = "AGE-SECRET-KEY-PQ-1HZLGZUPT4ETPKDEV8HSGFDCYZ4E522W0A7PU2LHT8EH9W6YLNC3SW78XKG"
PASSPHRASE = b"""age-encryption.org/v1
-> scrypt ajMFur+EJLGaohv/dLRGnw 18
8SHBz/ldWnjyGFQqfjat6uNBarWqqEMDS7W8X7+Xq5Q
--- HK2NmOBN9Dpq0Gw6xMCuhFcQlQLvZ/wQUi/2scLG75s
"""
"""The header of a file that a passphrase opens."""
SIZES = [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000]


def identities(path: Path, *lines: str) -> list[AgeIdentity]:
    path.write_text("\n".join(["# created: today", "", *lines, ""]), encoding="ascii")
    return read_identities(path)


@pytest.fixture
def key(tmp_path: Path) -> list[AgeIdentity]:
    return identities(tmp_path / "key.txt", str(KEY))


def encrypted(content: bytes, *, armored: bool = False) -> bytes:
    sealed: bytes = pyrage.encrypt(content, [OTHER.to_public(), KEY.to_public()], armored=armored)
    return sealed


def text_of(data: bytes, keys: list[AgeIdentity]) -> bytes:
    with io.BufferedReader(AgeFile(io.BytesIO(data), keys)) as file:
        return file.read()


@pytest.mark.parametrize("armored", [False, True])
def test_what_pyrage_encrypts_is_read(key: list[AgeIdentity], armored: bool) -> None:
    for size in SIZES:
        content = os.urandom(size)
        assert text_of(encrypted(content, armored=armored), key) == content
    crlf = encrypted(b"hello", armored=True).replace(b"\n", b"\r\n")
    assert text_of(crlf, key) == b"hello"


@pytest.mark.parametrize("armored", [False, True])
def test_every_part_that_is_changed_or_cut_is_refused(key: list[AgeIdentity], armored: bool) -> None:
    whole = encrypted(os.urandom(66_000), armored=armored)
    end = whole.index(b"\n---") + 60 if not armored else 0
    places = [*range(0, end, 7), len(whole) // 2, 65_000, len(whole) - 40]
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 4
        with pytest.raises((MalformedMessage, UsageError)):
            text_of(bytes(changed), key)
    for cut in (whole[:-1], whole[:-500], whole[:66_000], whole[:100], whole[:30], b"", whole + b"x"):
        if armored and cut == whole[:-1]:
            continue  # only the last line break is missing
        with pytest.raises(MalformedMessage):
            text_of(cut, key)


def test_a_chunk_in_another_place_is_refused(key: list[AgeIdentity]) -> None:
    whole = encrypted(bytes(3 * 65_536))
    at = len(whole) - 3 * 65_552
    first, second, third = (whole[at + n * 65_552 : at + (n + 1) * 65_552] for n in range(3))
    for other in (first + second, second + first + third, first + third, first + second + third + third):
        with pytest.raises(MalformedMessage):
            text_of(whole[:at] + other, key)


def test_no_byte_of_a_chunk_is_given_out_before_its_tag(key: list[AgeIdentity]) -> None:
    changed = bytearray(encrypted(bytes(100_000)))
    changed[-1] ^= 1
    file = AgeFile(io.BytesIO(bytes(changed)), key)
    given, buffer = 0, bytearray(1000)
    with pytest.raises(MalformedMessage):
        while count := file.readinto(buffer):
            given += count
    assert given == 65_536


def test_others_identities_are_refused(tmp_path: Path) -> None:
    sealed = pyrage.encrypt(b"hello", [KEY.to_public()])
    for line in (str(OTHER), HYBRID):
        with pytest.raises(UsageError, match="identities"):
            text_of(sealed, identities(tmp_path / "other", line))
    assert text_of(sealed, identities(tmp_path / "both", HYBRID, str(OTHER), str(KEY))) == b"hello"
    with pytest.raises(UsageError, match="identities"):
        text_of(PASSPHRASE, identities(tmp_path / "key", str(KEY)))


def test_identity_files_that_are_wrong(tmp_path: Path) -> None:
    good = str(KEY)
    swapped = good[:-1] + ("Q" if good[-1] != "Q" else "P")
    wrong = ["", "x", good[:-1], good + "Q", swapped, good[:20].lower() + good[20:], "AGE-SECRET-KEY-1", "1"]
    wrong += [
        str(KEY.to_public()),
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "# " + good,
        "\u00e9",
        "A" * 70_000,
    ]
    for line in wrong:
        (tmp_path / "key").write_text(line, encoding="utf-8")
        with pytest.raises(UsageError) as refused:
            read_identities(tmp_path / "key")
        assert good[20:40] not in str(refused.value)
    assert good[20:40] not in repr(identities(tmp_path / "key", good.lower()))
    assert HYBRID[20:40] not in repr(identities(tmp_path / "key", HYBRID))
    assert isinstance(identities(tmp_path / "key", HYBRID)[0], HybridIdentity)


def test_published_vectors_of_post_quantum_identities(tmp_path: Path) -> None:
    """C2SP CCTV, age/testdata, the files with "hybrid" in their name."""
    found = sorted(external.path("cctv/age-hybrid/hybrid").parent.iterdir())
    successes = 0
    for path in found:
        head, _, data = path.read_bytes().partition(b"\n\n")
        lines = [line.split(": ", 1) for line in head.decode().splitlines()]
        said = dict(lines)
        data = zlib.decompress(data) if said.get("compressed") == "zlib" else data
        keys = identities(tmp_path / "key", *(value for name, value in lines if name == "identity"))
        if said["expect"] != "success":
            with pytest.raises((MalformedMessage, UsageError)):
                text_of(data, keys)
            continue
        successes += 1
        assert hashlib.sha256(text_of(data, keys)).hexdigest() == said["payload"], path.name
    assert (successes, len(found)) == (5, 19)


# --- taking over ------------------------------------------------------------------------------------------


def age_file(readers: Readers, content: bytes) -> tuple[Path, Path]:
    """Write a file that age encrypted, and its identity file."""
    identities(readers.path("key.txt"), str(KEY))
    return readers.plain("scan.jpg.age", encrypted(content)), readers.path("key.txt")


def test_a_file_is_taken_over(readers: Readers) -> None:
    content = os.urandom(300_000)
    source, key = age_file(readers, content)
    sealed = readers.path("scan.ll")
    readers.run("alice", "seal", source, "--age-identity", key, "--for", "bob", "-o", sealed).succeeded()
    shown = readers.json("bob", "open", sealed, "-o", readers.path("out"))
    assert (shown["name"], readers.path("out").read_bytes()) == ("scan.jpg", content)
    piped = readers.run("alice", "seal", "--age-identity", key, stdin=source.read_bytes()).succeeded()
    assert readers.run("alice", "open", "-", stdin=piped).succeeded() == content


def test_a_damaged_file_is_not_taken_over(readers: Readers) -> None:
    """The fault is at the end, when most of the document is sealed already."""
    source, key = age_file(readers, os.urandom(300_000))
    source.write_bytes(source.read_bytes()[:-1])
    before = readers.files()
    command: Arguments = ["seal", source, "--for", "bob", "-o", readers.path("scan.ll")]
    assert "changed or cut" in readers.run("alice", *command, "--age-identity", key).failed(3)
    assert "age" in readers.run("alice", *command, "--age-identity", source).failed(2)
    assert readers.files() == before
    assert temporary_outputs(readers.root) == []


def test_no_plain_text_is_written_anywhere(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one file that Python opens to write is the sealed one, and no file on disk holds the text."""
    line = b"this line of plain text must be nowhere\n"
    source, key = age_file(readers, line * 10_000)
    written = watch_writes(monkeypatch)
    sealed = readers.path("scan.ll")
    with opened_to_write() as names:
        readers.run("alice", "seal", source, "--age-identity", key, "-o", sealed).succeeded()
    assert [Path(each).name[:16] for each in names] == [".letterlock-new-"]
    assert len(written) >= 400_000
    assert line[:20] not in written
    for each in readers.root.rglob("*"):
        assert not each.is_file() or line[:20] not in each.read_bytes(), each
    readers.run("alice", "open", sealed, "-o", readers.path("plain")).succeeded()
    assert line in written  # so the watch sees what is written as plain text


@contextlib.contextmanager
def opened_to_write() -> Iterator[list[str]]:
    """Yield the names of all files that Python opens to write to. SQLite's are not among them."""
    found, active = list[str](), [True]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if active and writes and type(arguments[0]) is not int:
            found.append(str(arguments[0]))

    sys.addaudithook(hook)  # it stays until the process ends
    yield found
    active.clear()


def watch_writes(monkeypatch: pytest.MonkeyPatch) -> bytearray:
    """Return what goes to output files from now on."""
    written = bytearray()

    class Watched(io.FileIO):
        def write(self, data: Any, /) -> int:
            count = super().write(data)
            written.extend(memoryview(data)[:count])
            return count

    monkeypatch.setattr(output_file, "FileIO", Watched)
    return written


def test_memory_does_not_grow_with_the_file(key: list[AgeIdentity]) -> None:
    """The source is never asked for more than a chunk and one byte."""
    asked: list[int] = []

    class Source(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            asked.append(-1 if size is None else size)
            return super().read(size)

    file = AgeFile(Source(encrypted(bytes(8 << 20))), key)
    buffer, total = bytearray(1 << 19), 0
    while count := file.readinto(buffer):
        total += count
    assert total == 8 << 20
    assert 0 <= min(asked) <= max(asked) <= 65_553
