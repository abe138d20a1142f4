"""`open --all`: every sealed file as a plain file, under a safe name, whatever happens in between."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from letterlock.cli import _export_command as export_module
from letterlock.cli import _manifest as manifest_module
from letterlock.cli._manifest import Entry, Manifest
from letterlock.cli._plain_names import numbered, plain_name, same_name
from letterlock.errors import UsageError
from support.cli_tools import FullDisk, Result, temporary_outputs
from support.document_cli import Readers

ID = bytes(range(16))
PLAIN = f"document-{ID.hex()}"

NAMES: dict[str | None, str] = {
    "report.pdf": "report.pdf",
    None: PLAIN,
    "": PLAIN,
    ".": PLAIN,
    "..": PLAIN,
    "/": PLAIN,
    "...": PLAIN,
    " . ": PLAIN,
    chr(0xD800): PLAIN,
    "../../etc/passwd": "passwd",
    "/etc/passwd": "passwd",
    "..\\..\\boot.ini": "boot.ini",
    "C:\\Users\\a.txt": "a.txt",
    "C:a.txt": "C_a.txt",
    "a/b/": "b",
    "a.txt:stream": "a.txt_stream",
    "a\0b": "a_b",
    "a\nb\x1b[2J": "a_b_[2J",
    f"invoice{chr(0x202E)}fdp.exe": "invoice_fdp.exe",
    f"zero{chr(0x200B)}width": "zero_width",
    "con": "_con",
    "CON.txt": "_CON.txt",
    "nul .txt": "_nul .txt",
    "com1": "_com1",
    f"LPT{chr(0xB9)}.log": f"_LPT{chr(0xB9)}.log",
    "conin$": "_conin$",
    "console.txt": "console.txt",
    ".bashrc": "_bashrc",
    "-rf": "_rf",
    "~root": "_root",
    "trailing. . ": "trailing",
    'what?<>|*":': "what_______",
    f"u{chr(0x308)}.txt": f"{chr(0xFC)}.txt",
}


def test_a_name_becomes_plain() -> None:
    assert {name: plain_name(name, ID) for name in NAMES} == NAMES


def test_any_name_becomes_one_part_of_a_path(tmp_path: Path) -> None:
    for code in [*range(0x300), *range(0x2000, 0x2070), 0xFEFF, 0xFFFF, 0xE000, 0x10FFFF, 0x1F600]:
        for name in (chr(code), f"a{chr(code)}b", f"{chr(code)}.txt", f"a.{chr(code)}"):
            plain = plain_name(name, ID)
            assert Path(plain).name == plain
            assert not set(plain) & set('/\\:*?"<>|')
            assert not any(unicodedata.category(each)[0] == "C" for each in plain)
            assert plain == unicodedata.normalize("NFC", plain)
            assert plain not in {"", ".", ".."}
    for name in ("x" * 1024, "u" * 1000 + ".pdf", "x." + "y" * 1000, chr(0x1F600) * 256):
        plain = numbered(plain_name(name, ID), 999)
        assert len(plain.encode()) <= 255
        (tmp_path / plain).touch()
    assert plain_name(chr(0xFC) * 500 + ".pdf", ID).endswith(".pdf")


def test_names_that_a_file_system_takes_for_the_same() -> None:
    assert len({same_name(each) for each in (f"Stra{chr(0xDF)}e", "STRASSE", "strasse")}) == 1
    assert same_name(chr(0xFC)) == same_name(f"U{chr(0x308)}")
    assert same_name(f"{chr(0xFB01)}le") == same_name("file")
    assert [numbered("a.b.txt", each) for each in (1, 2)] == ["a.b.txt", "a.b (2).txt"]


# --- the command ------------------------------------------------------------------------------------------


def seal(readers: Readers, name: str, content: bytes) -> Path:
    """Let Alice seal something for Bob in the directory `in`."""
    target = readers.path("in") / f"{len(list(readers.path('in').iterdir()))}.ll"
    command = ("seal", "--for", "bob", "--name", name, "-o", target)
    readers.run("alice", *command, stdin=content).succeeded()
    return target


def seal_three(readers: Readers) -> None:
    for number in range(3):
        seal(readers, f"{number}.txt", b"%d" % number)


THREE = {"0.txt": b"0", "1.txt": b"1", "2.txt": b"2"}


@pytest.fixture
def folder(readers: Readers) -> Readers:
    """Return people with a directory for sealed files."""
    readers.path("in").mkdir()
    return readers


def export(readers: Readers, *sources: Path) -> Result:
    """Let Bob open everything, or these files."""
    return readers.run(
        "bob", "open", "--all", readers.path("out"), *(sources or [readers.path("in")]), "--json"
    )


def manifest(readers: Readers) -> list[dict[str, Any]]:
    text = (readers.path("out") / "manifest.jsonl").read_text(encoding="ascii")
    return [json.loads(line) for line in text.splitlines()]


def contents(readers: Readers) -> dict[str, bytes]:
    """Return the opened files, after a look at hashes and left-overs."""
    found = {each.name: each.read_bytes() for each in readers.path("out").iterdir()}
    lines = found.pop("SHA256SUMS").decode().splitlines()
    found.pop("manifest.jsonl")
    assert temporary_outputs(readers.path("out")) == []
    assert {line[66:]: line[:64] for line in lines} == {
        name: hashlib.sha256(data).hexdigest() for name, data in found.items()
    }
    return found


def test_everything_is_opened_under_plain_names(folder: Readers) -> None:
    seal(folder, "a.txt", b"one")
    seal(folder, "A.TXT", b"two")
    seal(folder, "../../a.txt", b"three")
    seal(folder, "manifest.jsonl", b"four")
    seal(folder, "sha256sums", b"five")
    assert json.loads(export(folder).succeeded())["opened"] == 5
    assert contents(folder) == {
        "a.txt": b"one",
        "A (2).TXT": b"two",
        "a (3).txt": b"three",
        "manifest (2).jsonl": b"four",
        "sha256sums (2)": b"five",
    }
    first = manifest(folder)[0]
    assert (first["file"], first["name"], first["author"]) == ("a.txt", "a.txt", "alice")
    assert first["sha256"] == hashlib.sha256(b"one").hexdigest()
    assert first["source"] == str(folder.path("in") / "0.ll")


def test_what_is_there_is_kept(folder: Readers) -> None:
    seal(folder, "a.txt", b"one")
    export(folder).succeeded()
    before = (folder.path("out") / "a.txt").stat().st_ino
    seal(folder, "b.txt", b"two")
    shown = json.loads(export(folder).succeeded())
    assert (shown["opened"], shown["kept"]) == (1, 1)
    assert (folder.path("out") / "a.txt").stat().st_ino == before
    assert contents(folder) == {"a.txt": b"one", "b.txt": b"two"}
    assert len(manifest(folder)) == 2


def test_what_was_changed_or_deleted_since_is_opened_again(folder: Readers) -> None:
    seal(folder, "a.txt", b"one")
    seal(folder, "b.txt", b"two")
    export(folder).succeeded()
    (folder.path("out") / "a.txt").write_bytes(b"changed")
    (folder.path("out") / "b.txt").unlink()
    export(folder).succeeded()
    assert (folder.path("out") / "a.txt").read_bytes() == b"changed"
    (folder.path("out") / "a.txt").unlink()
    assert contents(folder) == {"a (2).txt": b"one", "b.txt": b"two"}


@pytest.mark.parametrize("links", [True, False])
def test_files_of_others_are_never_replaced(
    folder: Readers, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """A memory card has no hard links, so a file gets its name in another way there."""
    if not links:
        refused = PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        monkeypatch.setattr(Path, "hardlink_to", Mock(side_effect=refused))
    seal(folder, "a.txt", b"one")
    seal(folder, "link", b"two")
    folder.path("out").mkdir()
    (folder.path("out") / "a.txt").write_bytes(b"mine")
    (folder.path("out") / "link").symlink_to(folder.path("elsewhere"))
    export(folder).succeeded()
    assert (folder.path("out") / "a.txt").read_bytes() == b"mine"
    assert (folder.path("out") / "a (2).txt").read_bytes() == b"one"
    assert (folder.path("out") / "link (2)").read_bytes() == b"two"
    assert not folder.path("elsewhere").exists()


def test_one_that_does_not_open_stops_no_other(folder: Readers) -> None:
    seal_three(folder)
    bad, junk = folder.path("in") / "1.ll", folder.path("in") / "junk.ll"
    whole = bad.read_bytes()
    bad.write_bytes(whole[:-100])
    junk.write_bytes(b"junk")
    result = export(folder)
    assert result.status == 3
    assert b"2 of 4 sealed files did not open" in result.err
    assert contents(folder) == {"0.txt": b"0", "2.txt": b"2"}
    assert [each["source"] for each in manifest(folder) if "error" in each] == [str(bad), str(junk)]
    bad.write_bytes(whole)
    junk.unlink()
    export(folder).succeeded()
    assert contents(folder) == THREE
    assert str(bad) not in [each["source"] for each in manifest(folder) if "error" in each]


def test_one_that_nobody_granted_is_the_user_s_error(folder: Readers) -> None:
    folder.run("alice", "seal", folder.plain(), "-o", folder.path("in") / "hers.ll").succeeded()
    result = export(folder, folder.path("in"), folder.path("nothing.ll"))
    assert result.status == 2
    assert b"nothing.ll" in result.err


def test_a_full_disk_ends_the_command_and_what_is_whole_stays(
    folder: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal_three(folder)
    with monkeypatch.context() as patch:
        full = FullDisk(export_module._Hashing.write, 1)
        patch.setattr(export_module._Hashing, "write", lambda *given: full(*given))  # noqa: PLW0108 - a method
        assert "make room" in export(folder).failed(6)
    assert [each["file"] for each in manifest(folder)] == ["0.txt"]
    export(folder).succeeded()
    assert contents(folder) == THREE


class Killed(BaseException):
    """Stands for a signal that ends the process."""


def kill(*_: object, **__: object) -> None:
    raise Killed


@pytest.mark.parametrize("place", ["before the name", "before the line", "in the line"])
def test_a_killed_command_goes_on(folder: Readers, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    seal_three(folder)
    with monkeypatch.context() as patch:
        if place == "before the name":
            patch.setattr(export_module, "link", kill)
            patch.setattr("letterlock.cli._output_file.TemporaryOutput.discard", lambda _: None)
        elif place == "before the line":
            patch.setattr(Manifest, "add", kill)
        else:
            patch.setattr(manifest_module, "name_in_errors", kill)
        with pytest.raises(Killed):
            export(folder)
    if place == "in the line":
        line = Entry("x.ll", "key", "0.txt", "0" * 64, 1).line()
        (folder.path("out") / "manifest.jsonl").write_bytes(line[:-20])
    export(folder).succeeded()
    assert contents(folder) == THREE


def test_two_commands_do_not_share_a_directory(tmp_path: Path) -> None:
    with (
        Manifest.opened(tmp_path, "open"),
        pytest.raises(UsageError, match="another command"),
        Manifest.opened(tmp_path, "open"),
    ):
        pass


def test_a_line_that_is_no_entry_is_passed_over() -> None:
    for line in (b"", b"{", b"[]", b"1", b"null", b'{"source": 1}', b'{"source": "a", "file": 1}', b"\xff"):
        assert Entry.read(line) is None


def test_a_manifest_names_no_file_outside(tmp_path: Path) -> None:
    """Whoever writes to the directory could otherwise let a wrong file count as kept."""
    (tmp_path / "secret").write_bytes(b"one")
    out = tmp_path / "out"
    out.mkdir()
    entry = Entry("a.ll", "key", "../secret", hashlib.sha256(b"one").hexdigest(), 3)
    (out / "manifest.jsonl").write_bytes(entry.line())
    with Manifest.opened(out, "open") as found:
        assert not found.holds("key")


@pytest.mark.skipif(sys.platform != "linux", reason="coreutils are those of Linux")
def test_the_hashes_are_those_that_coreutils_check(folder: Readers) -> None:
    seal(folder, f"{chr(0xFC)} (1).txt", b"one")
    export(folder).succeeded()
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    subprocess.run(command, cwd=folder.path("out"), check=True)


def test_the_time_of_a_file_is_kept(folder: Readers) -> None:
    plain = folder.plain()
    os.utime(plain, (1_000_000_000, 1_000_000_000))
    folder.run("alice", "seal", plain, "--for", "bob", "-o", folder.path("in") / "a.ll").succeeded()
    export(folder).succeeded()
    assert (folder.path("out") / "report.pdf").stat().st_mtime == 1_000_000_000
