"""Processes killed (SIGKILL) before and after every step, and what such a kill leaves.

Held at every step: a text that was delivered to a file was delivered once, whole; no message is lost; a
second decryption is refused; no two ciphertexts that anybody could see share a ratchet key and a number; what
a killed run left is swept in the end.
"""

from pathlib import Path

import pytest

from letterlock._wire.address import Address
from letterlock.cli import _delivery as delivery
from letterlock.cli import _files as files
from letterlock.cli import _pending_delivery as undelivered
from support.cli_forks import KILLED, TEXT, Forks, Seen, at_every_step, decrypt, forks, needs_forks
from support.cli_tools import Arguments, Homes, fast_path, hidden, homes, run, template

__all__ = ["fast_path", "forks", "homes", "template"]

pytestmark = needs_forks


# --- one kill, at every step ----------------------------------------------------------------------


def test_decrypt_killed_at_every_step_and_repeated(homes: Homes, forks: Forks) -> None:
    inbox = homes.root / "inbox"
    inbox.mkdir()

    def play(step: int) -> bool:
        letter, out = homes.letter(TEXT, f"{step}.letter"), inbox / f"{step}"
        status = forks.run(*decrypt(homes, letter, out), step=step)
        delivered = out.exists()
        assert delivered or status == KILLED
        # Delivered by the killed run or by this one, and never by both.
        again = forks.run(*decrypt(homes, letter, out))
        assert again == (3 if delivered else 0)
        assert out.read_bytes() == TEXT
        assert forks.run(*decrypt(homes, letter, inbox / "other")) == 3
        assert forks.run(*decrypt(homes, letter, None)) == 3
        assert hidden(inbox) == []
        return status == KILLED

    assert at_every_step(play) > 20
    assert [path for path in inbox.iterdir() if not path.name.isdigit()] == []


@pytest.mark.parametrize("route", ["a file elsewhere", "standard output"])
def test_decrypt_killed_at_every_step_and_repeated_another_way(
    homes: Homes, forks: Forks, route: str
) -> None:
    here, there = homes.root / "here", homes.root / "there"
    here.mkdir()
    there.mkdir()

    def play(step: int) -> bool:
        letter, out = homes.letter(TEXT, f"{step}.letter"), here / "out"
        out.unlink(missing_ok=True)
        status = forks.run(*decrypt(homes, letter, out), step=step)
        delivered = out.exists()
        other, printed = there / f"{step}", homes.root / "printed"
        if route == "standard output":
            again = forks.run(*decrypt(homes, letter, None), out=printed)
            elsewhere = printed.read_bytes()
        else:
            again = forks.run(*decrypt(homes, letter, other))
            elsewhere = other.read_bytes() if other.exists() else b""
        assert elsewhere == (TEXT if again == 0 else b"")
        last = forks.run(*decrypt(homes, letter, out))
        # Once, by one of the three; what the first one left must not come back after the second.
        assert [delivered, again == 0, last == 0].count(True) == 1
        assert elsewhere or out.read_bytes() == TEXT
        assert forks.run(*decrypt(homes, letter, out)) == 3
        assert forks.run(*decrypt(homes, letter, other)) == 3
        assert hidden(there) == []
        return status == KILLED

    assert at_every_step(play) > 20


def test_decrypt_killed_at_every_step_twice(homes: Homes, forks: Forks) -> None:
    inbox = homes.root / "inbox"
    inbox.mkdir()

    def play(step: int) -> bool:
        letter, out = homes.letter(TEXT, f"{step}.letter"), inbox / f"{step}"
        status = forks.run(*decrypt(homes, letter, out), step=step)
        was = out.exists()
        forks.run(*decrypt(homes, letter, out), step=step // 2 + 2)
        assert out.exists() >= was
        was = out.exists()
        assert forks.run(*decrypt(homes, letter, out)) == (3 if was else 0)
        assert out.read_bytes() == TEXT
        assert forks.run(*decrypt(homes, letter, out)) == 3
        return status == KILLED

    assert at_every_step(play) > 20
    assert hidden(inbox) == []


def test_decrypt_to_standard_output_killed_at_every_step(homes: Homes, forks: Forks) -> None:
    def play(step: int) -> bool:
        letter, printed = homes.letter(TEXT, f"{step}.letter"), homes.root / "printed"
        status = forks.run(*decrypt(homes, letter, None), step=step, out=printed)
        got = printed.read_bytes()
        assert got in {b"", TEXT}
        again = forks.run(*decrypt(homes, letter, None), out=printed)
        # At least once: refused only if all of it was written before.
        assert again == 0 or (again == 3 and got == TEXT)
        assert printed.read_bytes() == (TEXT if again == 0 else b"")
        assert forks.run(*decrypt(homes, letter, None)) == 3
        return status == KILLED

    assert at_every_step(play) > 5


def test_encrypt_killed_at_every_step(homes: Homes, forks: Forks) -> None:
    (homes.root / "text").write_bytes(TEXT)
    outbox, seen = homes.root / "outbox", Seen()
    outbox.mkdir()

    def play(step: int) -> bool:
        letter = outbox / f"{step}.letter"
        arguments: Arguments = ["--home", homes.alice, "encrypt", "--to", "bob", homes.root / "text", "-o"]
        status = forks.run(*arguments, letter, step=step)
        seen.look(*outbox.glob("*.letter"), *hidden(outbox))
        forks.run(*arguments, outbox / f"{step}-again.letter")
        seen.look(*outbox.glob("*.letter"), *hidden(outbox))
        for path in (letter, outbox / f"{step}-again.letter"):
            assert path == letter or path.exists()
            if path.exists():
                assert homes.open(path.read_bytes()) == TEXT
        return status == KILLED

    assert at_every_step(play) > 8
    assert len(seen.known) > 10


@pytest.mark.parametrize("command", ["bundle", "add"])
def test_bundle_and_add_killed_at_every_step(homes: Homes, forks: Forks, command: str) -> None:
    bundle = homes.root / "again.bundle"
    asks: Arguments = ["--home", homes.bob, "bundle", "-o", bundle]
    adds: Arguments = ["--home", homes.alice, "add", "bob", bundle]

    def play(step: int) -> bool:
        killed = forks.run(*asks, step=step) if command == "bundle" else forks.run(*asks)
        if not bundle.exists():
            assert forks.run(*asks) == 0
        if command == "add":
            killed = forks.run(*adds, step=step)
        assert forks.run(*adds) == 0
        assert homes.open(homes.seal(TEXT)) == TEXT
        bundle.unlink()
        return killed == KILLED

    assert at_every_step(play) > 3


# --- what a kill leaves, made by hand -------------------------------------------------------------


def interrupted(homes: Homes, monkeypatch: pytest.MonkeyPatch, letter: Path, out: Path) -> None:
    """Decrypt, and stop between the commit and the rename."""

    def stop(*_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(delivery, "move", stop)
    assert run(*decrypt(homes, letter, out)).status == 130
    monkeypatch.undo()
    assert len(hidden(out.parent)) == 1


def test_an_undelivered_text_is_delivered_by_the_next_run(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter, out = homes.letter(TEXT), homes.root / "out"
    interrupted(homes, monkeypatch, letter, out)
    assert "in the same directory" in run(*decrypt(homes, letter, None)).failed(3)
    (homes.root / "other").mkdir()
    assert "in the same directory" in run(*decrypt(homes, letter, homes.root / "other" / "x")).failed(3)
    # Another name will do, but not another sender's.
    stranger: Arguments = [
        "--home",
        homes.bob,
        "decrypt",
        "--from",
        "carol",
        letter,
        "-o",
        homes.root / "carol",
    ]
    run(*stranger).failed(3)
    assert run(*decrypt(homes, letter, homes.root / "out2")).succeeded() == b""
    assert (homes.root / "out2").read_bytes() == TEXT
    assert not out.exists()
    # The note is gone: an ordinary duplicate.
    assert "same directory" not in run(*decrypt(homes, letter, out)).failed(3)
    assert hidden(homes.root) == []


def test_a_left_over_of_a_run_that_did_not_commit_is_never_a_text(homes: Homes) -> None:
    letter, out = homes.letter(TEXT), homes.root / "out"
    use = delivery.message_id(Address("alice"), letter.read_bytes())[:8].hex()
    torn = homes.root / f".letterlock-{use}-{'00' * 8}.part"
    torn.write_bytes(TEXT[:100])
    others = homes.root / f".letterlock-{'ab' * 8}-{'00' * 8}.part"
    others.write_bytes(b"somebody else's")
    run(*decrypt(homes, letter, out)).succeeded()
    assert out.read_bytes() == TEXT
    assert hidden(homes.root) == [others]
    assert "same directory" not in run(*decrypt(homes, letter, out)).failed(3)
    torn.write_bytes(TEXT)
    run(*decrypt(homes, letter, homes.root / "again")).failed(3)
    assert not (homes.root / "again").exists()


def test_a_rename_that_somebody_else_did(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    letter, out = homes.letter(TEXT), homes.root / "out"

    def slow(part: Path, target: Path) -> None:
        monkeypatch.undo()
        run(*decrypt(homes, letter, homes.root / "faster")).succeeded()
        files.move(part, target)

    monkeypatch.setattr(delivery, "move", slow)
    assert "another run" in run(*decrypt(homes, letter, out)).failed(3)
    assert (homes.root / "faster").read_bytes() == TEXT
    assert not out.exists()


def test_a_note_that_cannot_be_written_undoes_it_all(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    letter, out = homes.letter(TEXT), homes.root / "out"

    def full(*_: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(undelivered.Undelivered, "add", full)
    assert run(*decrypt(homes, letter, out)).status == 130
    monkeypatch.undo()
    assert hidden(homes.root) == []
    run(*decrypt(homes, letter, out)).succeeded()
    assert out.read_bytes() == TEXT
