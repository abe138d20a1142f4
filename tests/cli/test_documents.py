"""Documents on the command line, used as intended, and what is refused."""

import io
import json
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from letterlock.cli import _passphrase as passphrase_module
from letterlock.cli import main
from letterlock.documents import LinkSecret
from support.cli_tools import Arguments, Stdin, run, temporary_outputs
from support.document_cli import CONTENT, Readers, descriptor

LONG = "open, and then some more words than 64 characters have room for, as a purpose"


def test_a_sealed_file_opens_for_its_readers_alone(readers: Readers) -> None:
    sealed = readers.sealed("--for", "bob")
    assert [readers.opens(each, sealed) for each in ("alice", "bob", "carol")] == [True, True, False]
    assert CONTENT[:100] not in sealed.read_bytes()
    assert b"report.pdf" not in sealed.read_bytes()


def test_the_content_goes_to_a_file_or_to_standard_output(readers: Readers) -> None:
    sealed = readers.sealed("--for", "bob")
    shown = readers.json("bob", "open", sealed, "-o", readers.path("out"))
    assert readers.path("out").read_bytes() == CONTENT
    assert readers.path("out").stat().st_mode & 0o777 == 0o600
    assert (shown["name"], shown["media_type"], shown["bytes"]) == (
        "report.pdf",
        "application/pdf",
        len(CONTENT),
    )
    assert (shown["author"], shown["device"], shown["standing"]) == ("alice", 1, "listed")
    assert b"sealed by alice" in readers.run("bob", "open", sealed, "-o", readers.path("2")).succeeded()
    assert readers.run("bob", "open", "-", stdin=sealed.read_bytes()).succeeded() == CONTENT


def test_a_pipe_is_sealed_and_opened(readers: Readers) -> None:
    for content in (b"", b"x", CONTENT):
        sealed = readers.run("alice", "seal", "--for", "bob", stdin=content).succeeded()
        assert readers.run("bob", "open", "-", stdin=sealed).succeeded() == content


def test_existing_files_are_kept_unless_told(readers: Readers) -> None:
    plain, sealed = readers.plain(), readers.sealed("--for", "bob")
    before = sealed.read_bytes()
    assert "--force" in readers.run("alice", "seal", plain, "-o", sealed).failed(2)
    assert sealed.read_bytes() == before
    assert "--force" in readers.run("bob", "open", sealed, "-o", plain).failed(2)
    readers.run("bob", "open", sealed, "-o", plain, "--force").succeeded()
    readers.run("alice", "seal", plain, "-o", sealed, "--force").succeeded()
    assert not readers.opens("bob", sealed)


REFUSED: list[tuple[list[str], int, str]] = [
    (["seal", "PLAIN", "--for", "dave", "-o", "NEW"], 2, "no contact is called dave"),
    (["seal", "PLAIN", "--for", "team:heart", "-o", "NEW"], 2, "collection list"),
    (["seal", "PLAIN", "--link"], 2, "-o FILE"),
    (["seal", "PLAIN", "--for", "bob", "--until", "soon", "-o", "NEW"], 2, "2030-01-31"),
    (["seal", "PLAIN", "--for", "bob", "--purpose", LONG, "-o", "NEW"], 2, "64"),
    (["seal", "PLAIN", "--name", "x" * 1025, "-o", "NEW"], 2, "1024"),
    (["seal", "NOTHING", "-o", "NEW"], 6, "NOTHING"),
    (["seal", "HOME", "-o", "NEW"], 6, "directory"),
    (["seal", "PLAIN", "-o", "HOME"], 2, "directory"),
    (["seal", "PLAIN", "--password-fd", "999", "-o", "NEW"], 2, "descriptor"),
    (["seal", "PLAIN", "--replaces", "PLAIN", "-o", "NEW"], 3, "sealed document"),
    (["open", "PLAIN", "-o", "NEW"], 3, "sealed document"),
    (["open", "NOTHING", "-o", "NEW"], 6, "NOTHING"),
    (["open", "PLAIN", "PLAIN", "-o", "NEW"], 2, "--all"),
    (["open", "PLAIN", "--all", "NEW", "-o", "NEW"], 2, "-o"),
    (["open", "PLAIN", "--link-fd", "999"], 2, "descriptor"),
    (["share", "PLAIN", "--for", "bob"], 3, "sealed document"),
    (["share", "PLAIN"], 2, "--for"),
    (["share", "0" * 32, "--for", "bob"], 2, "-o"),
    (["share", "0" * 32, "--for", "bob", "-o", "NEW"], 2, "grants"),
    (["share", "0" * 31, "--for", "bob", "-o", "NEW"], 6, "0000"),
    (["take", "PLAIN"], 3, ""),
    (["grants", "PLAIN"], 3, "sealed document"),
    (["revoke"], 2, "--device"),
    (["revoke", "PLAIN", "--device", "2"], 2, "--device"),
    (["revoke", "PLAIN"], 2, "--for"),
    (["revoke", "PLAIN", "--for", "bob"], 3, "sealed document"),
    (["revoke", "--device", "2", "--for", "bob"], 2, "options"),
    (["erase", "0" * 32], 2, "--yes"),
    (["erase", "0" * 32, "--yes"], 2, "on record"),
    (["access-record", "0" * 32], 2, "on record"),
    (["check-access-record", "PLAIN"], 3, ""),
    (["check-access-record", "PLAIN", "--lists", "HOME"], 2, "device lists"),
]
"""Arguments, the exit status, and a word that stands in the error."""


def test_what_is_refused(readers: Readers) -> None:
    names = {"PLAIN": readers.plain(), "NEW": readers.path("new"), "HOME": readers.path("alice")}
    before = readers.files()
    for arguments, status, word in REFUSED:
        result = readers.run("alice", *(names.get(each, each) for each in arguments))
        assert word in result.failed(status), arguments
        assert readers.files() == before, arguments
        assert temporary_outputs(readers.root) == []


class Terminal(io.TextIOWrapper):
    """Standard output in memory that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_no_content(readers: Readers) -> None:
    sealed, screen, errors = readers.sealed("--for", "bob"), Terminal(io.BytesIO()), io.StringIO()
    with redirect_stdout(screen), redirect_stderr(errors):
        assert main(["--home", str(readers.path("bob")), "open", str(sealed)]) == 2
    assert "-o FILE" in errors.getvalue()
    assert screen.tell() == 0


def test_a_profile_is_needed_and_the_error_says_how_to_make_one(readers: Readers) -> None:
    assert "letterlock register" in readers.run("nobody", "seal", readers.plain()).failed(2)


# --- damage and strangers ---------------------------------------------------------------------------------


def test_a_damaged_file_gives_nothing(readers: Readers) -> None:
    sealed = readers.sealed("--for", "bob")
    whole = sealed.read_bytes()
    for place in (0, 30, 400, 70_000, -17_000, -12):
        data = bytearray(whole)
        data[place] ^= 1
        sealed.write_bytes(data)
        result = readers.run("bob", "open", sealed, "-o", readers.path("out"))
        assert result.status in {2, 3}  # 2: it is another document, which nobody granted
        assert not readers.path("out").exists()
        assert temporary_outputs(readers.root) == []


def test_a_cut_file_gives_nothing(readers: Readers) -> None:
    sealed = readers.sealed("--for", "bob")
    sealed.write_bytes(sealed.read_bytes()[:-30_000])
    readers.run("bob", "open", sealed, "-o", readers.path("out")).failed(3)
    assert not readers.path("out").exists()


def test_who_does_not_know_the_granter_is_told_what_to_do(readers: Readers) -> None:
    """Bob has never heard of Carol, who seals for nobody but herself."""
    readers.run("carol", "seal", readers.plain(), "-o", readers.path("hers.ll")).succeeded()
    assert "--from NAME" in readers.run("bob", "open", readers.path("hers.ll")).failed(2)
    assert "learn" in readers.run("bob", "take", readers.path("hers.ll")).failed(4)


# --- links and passwords ----------------------------------------------------------------------------------


def test_a_link_opens_and_is_printed_once(readers: Readers) -> None:
    link = readers.json("alice", "seal", readers.plain(), "--link", "-o", readers.path("x.ll"))["link"]
    for text in (link, f"https://files.example/x#{link}\n"):
        with descriptor(text.encode()) as number:
            assert readers.opens("carol", readers.path("x.ll"), "--link-fd", number)
    other = LinkSecret.generate().fragment()
    for text, status in ((other, 2), ("nothing", 3), (link[:-1], 3), ("", 2)):
        with descriptor(text.encode()) as number:
            readers.run("carol", "open", readers.path("x.ll"), "--link-fd", number).failed(status)
    stored = b"".join(each.read_bytes() for each in readers.path("alice").iterdir())
    assert link.encode() not in stored


def test_a_password_opens(readers: Readers, no_terminal: None) -> None:
    with descriptor(b"correct horse\nmore\n") as number:
        sealed = readers.sealed("--password-fd", number)
    with descriptor(b"correct horse") as number:
        assert readers.opens("carol", sealed, "--password-fd", number)
    for text in (b"correct  horse", b"\n", b"\xff", b"x" * 5000):
        with descriptor(text) as number:
            readers.run("carol", "open", sealed, "--password-fd", number).failed(2)


def test_a_password_is_typed_twice_without_echo(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase_module, "_has_terminal", lambda: True)
    typed = iter(["one", "two", "one", "one", "one"])
    monkeypatch.setattr(passphrase_module, "getpass", lambda _: next(typed))
    command: Arguments = ["seal", readers.plain(), "--password", "-o", readers.path("x.ll")]
    assert "differ" in readers.run("alice", *command).failed(2)
    readers.run("alice", *command).succeeded()
    assert readers.opens("carol", readers.path("x.ll"), "--password")


def test_without_a_terminal_a_password_is_not_asked_for(readers: Readers, no_terminal: None) -> None:
    sealed = readers.sealed("--for", "bob")
    command: Arguments = ["seal", readers.plain(), "--password", "-o", readers.path("x.ll")]
    assert "--password-fd" in readers.run("alice", *command).failed(2)
    assert "--link-fd" in readers.run("carol", "open", sealed, "--link").failed(2)


def test_a_link_and_a_password_at_once_are_refused(readers: Readers) -> None:
    sealed = readers.sealed("--for", "bob")
    with descriptor(b"one") as one, descriptor(b"two") as two:
        refused = readers.run("carol", "open", sealed, "--link-fd", one, "--password-fd", two).failed(2)
    assert "one of them" in refused


def test_a_claimed_link_is_not_needed_again(readers: Readers) -> None:
    link = readers.json("alice", "seal", readers.plain(), "--link", "-o", readers.path("x.ll"))["link"]
    with descriptor(link.encode()) as number:
        readers.run("carol", "take", readers.path("x.ll"), "--link-fd", number).succeeded()
    assert readers.opens("carol", readers.path("x.ll"))


# --- sharing and taking back ------------------------------------------------------------------------------


def test_a_document_is_shared_later_in_its_file(readers: Readers) -> None:
    sealed = readers.sealed()
    sealed.chmod(0o640)
    assert not readers.opens("bob", sealed)
    shown = readers.json("alice", "share", sealed, "--for", "bob", "--until", "2099-01-31")
    assert [each["reader"] for each in shown["grants"]] == ["bob"]
    assert shown["grants"][0]["valid_until"] == 4073587199
    assert readers.opens("bob", sealed)
    assert sealed.stat().st_mode & 0o777 == 0o640


def test_a_reader_shares_further(readers: Readers) -> None:
    sealed = readers.sealed("--for", "bob")
    link = readers.json("bob", "share", sealed, "--link")["link"]
    readers.run("alice", "grants", sealed).succeeded()
    with descriptor(link.encode()) as number:  # Carol does not know Bob, who granted
        assert "--from" in readers.run("carol", "open", sealed, "--link-fd", number).failed(2)


def test_grants_travel_in_a_file_of_their_own(readers: Readers) -> None:
    sealed = readers.sealed()
    id_ = readers.json("alice", "grants", sealed)["document"]
    readers.run("alice", "share", id_, "--for", "bob", "-o", readers.path("grants")).succeeded()
    readers.run("bob", "take", readers.path("grants")).succeeded()
    assert readers.opens("bob", sealed)
    assert readers.json("bob", "take", readers.path("grants")) == {"grants": 0, "withdrawn": 0}


def test_grants_are_listed(readers: Readers) -> None:
    sealed = readers.sealed("--for", "bob", "--purpose", "treatment")
    listed = readers.run("bob", "grants", sealed).succeeded().decode()
    assert "version 1 for bob, by alice" in listed
    assert ", treatment" in listed
    (grant,) = [each for each in readers.json("bob", "grants", sealed)["grants"] if each["reader"] == "bob"]
    assert (grant["granter"], grant["purpose"], grant["withdrawn"]) == ("alice", "treatment", None)


@pytest.mark.parametrize("way", ["reader", "hash"])
def test_a_grant_is_taken_back(readers: Readers, way: str) -> None:
    sealed = readers.sealed("--for", "bob")
    copy = readers.path("copy.ll")
    copy.write_bytes(sealed.read_bytes())
    assert readers.opens("bob", copy)
    found = readers.json("alice", "grants", sealed)["grants"]
    hash_ = next(each["hash"] for each in found if each["reader"] == "bob")
    named = ["--for", "bob"] if way == "reader" else ["--grant", hash_[:8]]
    readers.run("alice", "revoke", sealed, *named, "-o", readers.path("note")).succeeded()
    assert "no grant of yours" in readers.run("alice", "revoke", sealed, *named).failed(2)
    readers.run("bob", "take", readers.path("note")).succeeded()
    assert not readers.opens("bob", sealed)
    assert not readers.opens("bob", copy)
    assert readers.opens("alice", sealed)


def test_only_own_grants_to_others_are_taken_back(readers: Readers) -> None:
    sealed = readers.sealed("--for", "bob")
    found = readers.json("bob", "grants", sealed)["grants"]
    before = sealed.read_bytes()
    for each in found:
        readers.run("bob", "revoke", sealed, "--grant", each["hash"]).failed(2)
    readers.run("alice", "revoke", sealed, "--for", "alice").failed(2)
    readers.run("alice", "revoke", sealed, "--grant", found[0]["hash"][:7]).failed(2)
    assert sealed.read_bytes() == before


def test_the_next_version_goes_to_the_same_readers(readers: Readers) -> None:
    first = readers.sealed("--for", "bob")
    second = readers.path("second.ll")
    shown = readers.json("alice", "seal", readers.plain(), "--replaces", first, "-o", second)
    assert shown["version"] == 2
    assert readers.opens("bob", second)
    readers.run("alice", "revoke", second, "--for", "bob").succeeded()
    third = readers.path("third.ll")
    readers.run("alice", "seal", readers.plain(), "--replaces", second, "-o", third).succeeded()
    assert not readers.opens("bob", third)


def test_a_grant_ends(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = readers.sealed("--for", "bob", "--until", "2099-01-31T12:00")
    assert readers.opens("bob", sealed)
    monkeypatch.setattr(time, "time", lambda: 4073587200.0)
    assert readers.opens("alice", sealed)


def test_what_is_erased_opens_no_more(readers: Readers) -> None:
    sealed = readers.sealed("--for", "bob")
    assert readers.opens("bob", sealed)
    readers.run("alice", "erase", sealed, "--yes", "-o", readers.path("certificate")).succeeded()
    assert not readers.opens("alice", sealed)
    readers.run("bob", "take", readers.path("certificate")).succeeded()
    assert not readers.opens("bob", sealed)


def test_erasing_asks(readers: Readers) -> None:
    sealed = readers.sealed()
    command = ("--home", readers.path("alice"), "erase", sealed, "-o", readers.path("certificate"))
    assert run(*command, stdin=Stdin(b"no\n", terminal=True)).status == 2
    assert readers.opens("alice", sealed)
    assert run(*command, stdin=Stdin(b"yes\n", terminal=True)).status == 0
    assert not readers.opens("alice", sealed)


# --- records ----------------------------------------------------------------------------------------------


def test_an_access_record_is_checked_without_a_profile(readers: Readers) -> None:
    sealed, record, lists = readers.sealed("--for", "bob"), readers.path("record.json"), readers.path("lists")
    readers.run("alice", "revoke", sealed, "--for", "bob").succeeded()
    readers.run("alice", "access-record", sealed, "--lists", lists, "-o", record).succeeded()
    shown = json.loads(run("check-access-record", record, "--lists", lists, "--json").succeeded())
    assert [each["user"] for each in shown["grants"]] == ["alice", "bob"]
    assert [each["withdrawn"] is None for each in shown["grants"]] == [True, False]
    assert b"version 1 for bob, by alice" in run("check-access-record", record, "--lists", lists).succeeded()
    readers.run("bob", "check-access-record", record).succeeded()
    for old, new in ((b'"alice"', b'"carol"'), (b'"version":1', b'"version":2')):
        changed = record.read_bytes().replace(old, new, 1)
        if changed != record.read_bytes():
            readers.plain("changed", changed)
            run("check-access-record", readers.path("changed"), "--lists", lists).failed(3)
    for each in (lists / "lists" / "alice").iterdir():
        each.unlink()
    (lists / "lists" / "alice").rmdir()
    assert "device list" in run("check-access-record", record, "--lists", lists).failed(4)


def test_inspect_shows_what_a_server_sees(readers: Readers) -> None:
    sealed = readers.sealed("--for", "bob", "--purpose", "treatment")
    shown = json.loads(run("inspect", sealed, "--json").succeeded())
    assert (shown["kind"], shown["version"], shown["grants"]) == ("sealed document", 1, 2)
    assert {shown["grant_1"]["for"], shown["grant_2"]["for"]} == {"user"}
    assert run("inspect", "-", stdin=sealed.read_bytes()).succeeded() == run("inspect", sealed).succeeded()
    for word in (b"report", b"alice", b"bob"):
        assert word not in run("inspect", sealed).succeeded()
    cut: Path = readers.plain("cut.ll", sealed.read_bytes()[:100])
    run("inspect", cut).failed(3)


def test_a_reader_without_a_profile_opens_by_a_link(readers: Readers, no_profile: None) -> None:
    sealed, lists = readers.path("x.ll"), readers.path("lists")
    command = ("seal", readers.plain(), "--link", "--lists", lists, "-o", sealed)
    link = readers.json("alice", *command)["link"]
    with descriptor(link.encode()) as number:
        opened = run("open", sealed, "--link-fd", number, "--lists", lists)
    assert opened.succeeded() == CONTENT
    with descriptor(link.encode()) as number:
        assert "--home" in run("open", sealed, "--link-fd", number).failed(2)
    run("open", sealed, "--lists", lists).failed(2)
    with descriptor(LinkSecret.generate().fragment().encode()) as number:
        run("open", sealed, "--link-fd", number, "--lists", lists).failed(2)
    for directory, status in ((readers.path("folder"), 0), (readers.path("nothing"), 2)):
        with descriptor(link.encode()) as number:  # an exchange folder has the lists too
            assert run("open", sealed, "--link-fd", number, "--lists", directory).status == status
