"""Processes killed (SIGKILL) at every step and at random instants, and several at once.

Held at every instant: a text that was delivered to a file was delivered once, whole; no message is lost; a
second decryption is refused; no two ciphertexts that anybody could see share a ratchet key and a number; what
a killed run left is swept in the end.

`LETTERLOCK_KILLS=5000` makes the random test longer.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from cli_tools import (
    KILLED,
    Arguments,
    Forks,
    Homes,
    environment,
    fast_path,
    forking,
    forks,
    hidden,
    homes,
    process,
    run,
    template,
)
from letterlock.cli import delivery, files, undelivered
from letterlock.wire.address import Address
from letterlock.wire.envelope import Kind, peek_kind
from letterlock.wire.message import InitialMessage, RatchetMessage

__all__ = ["fast_path", "forks", "homes", "template"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks and SIGKILL")

KILLS = int(os.environ.get("LETTERLOCK_KILLS", "120"))
SEED = int(os.environ.get("LETTERLOCK_SEED", "1"))

TEXT = b"a text of some length, which no ciphertext has in it\n" * 20


class Seen:
    """Every ciphertext that was ever in a file, part files included."""

    def __init__(self) -> None:
        self.known: dict[tuple[bytes, int], bytes] = {}

    def look(self, *paths: Path) -> None:
        """Take in what is there. Two different ones under one key are the end."""
        for path in paths:
            data = path.read_bytes()
            if not data:
                continue
            initial = peek_kind(data) is Kind.INITIAL
            message = InitialMessage.decode(data).message if initial else RatchetMessage.decode(data)
            place = message.header.ratchet_key.data, message.header.number
            assert self.known.setdefault(place, data) == data, "a message key was used twice"


def decrypt(homes: Homes, letter: Path, out: Path | None) -> Arguments:
    more: Arguments = [] if out is None else ["-o", out]
    return ["--home", homes.bob, "decrypt", "--from", "alice", letter, *more]


def at_every_step(play: Callable[[int], bool]) -> int:
    """Play with a kill at step 1, 2, ... until it was not killed; return how often it was."""
    for step in count(1):
        if not play(step):
            return step - 1
    raise AssertionError


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


# --- several at once ------------------------------------------------------------------------------


def test_many_that_encrypt_at_once(homes: Homes) -> None:
    seen = Seen()
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "letterlock", "encrypt", "--to", "bob", "-o", homes.root / f"{number}"],
            stdin=subprocess.PIPE,
            env=environment(LETTERLOCK_HOME=str(homes.alice)),
        )
        for number in range(6)
    ]
    for number, one in enumerate(started):
        one.communicate(b"%d" % number)
        assert one.returncode == 0
    for number in random.Random(SEED).sample(range(6), 6):
        seen.look(homes.root / f"{number}")
        assert homes.open((homes.root / f"{number}").read_bytes()) == b"%d" % number
    assert len(seen.known) == 6


def test_two_that_encrypt_at_once_again_and_again(homes: Homes, forks: Forks) -> None:
    seen = Seen()
    (homes.root / "text").write_bytes(TEXT)
    letters = [homes.root / "1.letter", homes.root / "2.letter"]
    with forking() as others:
        for _ in range(15):
            for server, letter in zip((forks, others), letters, strict=True):
                server.start(
                    "--home", homes.alice, "encrypt", "--to", "bob", homes.root / "text", "-o", letter
                )
            assert (forks.wait(), others.wait()) == (0, 0)
            seen.look(*letters)
            for letter in letters:
                assert homes.open(letter.read_bytes()) == TEXT
    assert len(seen.known) == 30


@pytest.mark.parametrize("names", [("out", "out"), ("1", "2")])
def test_two_that_decrypt_one_message_at_once(homes: Homes, forks: Forks, names: tuple[str, str]) -> None:
    inbox = homes.root / "inbox"
    inbox.mkdir()
    with forking() as others:
        for attempt in range(15):
            letter = homes.letter(TEXT, f"{attempt}.letter")
            outs = [inbox / f"{attempt}-{name}" for name in names]
            for server, out in zip((forks, others), outs, strict=True):
                server.start(*decrypt(homes, letter, out))
            assert sorted([forks.wait(), others.wait()]) == [0, 3]
            assert [out.read_bytes() for out in set(outs) if out.exists()] == [TEXT]
    assert hidden(inbox) == []


# --- at random ------------------------------------------------------------------------------------


class Conversation:
    """Letters both ways, each step killed at a random instant and repeated until it is done."""

    def __init__(self, homes: Homes, forks: Forks, chance: random.Random) -> None:
        self.homes, self.forks, self.chance = homes, forks, chance
        self.kills = self.delivered = self.left = 0
        self.seen = Seen()
        self.waiting: list[tuple[str, Path, bytes]] = []
        self.began = 0.0
        self.usual = 0.02

    def run(self, *arguments: str | Path) -> int:
        """Run a command; kill it at an instant up to a little after its usual end."""
        # Half of them towards the end, where the files are.
        earliest = self.chance.choice([0.0, 0.7])
        status = self.forks.run(*arguments, after=self.usual * self.chance.uniform(earliest, 1.2))
        self.kills += status == KILLED
        # Follow the load of the machine: too short a life would never get anywhere.
        self.usual *= 1.1 if status == KILLED else 0.8
        return status

    def write(self, number: int, sender: str) -> None:
        recipient = "bob" if sender == "alice" else "alice"
        text = self.chance.randbytes(self.chance.choice([0, 1, 50, 1000, 20_000]))
        source, letter = self.homes.root / "text", self.homes.root / "mail" / f"{number}.letter"
        source.write_bytes(text)
        while not letter.exists():
            status = self.run(
                "--home", self.homes.home(sender), "encrypt", "--to", recipient, source, "-o", letter
            )  # fmt: skip
            assert status in {0, KILLED}
            assert letter.exists() or status == KILLED
            self.seen.look(*letter.parent.glob("*.letter"), *self.whole_parts(letter.parent))
        self.waiting.append((sender, letter, text))

    def whole_parts(self, directory: Path) -> list[Path]:
        """Return the part files that were written to their end: a message that is cut short has no number."""
        return [path for path in hidden(directory) if path.stat().st_size > 0]

    def read(self) -> None:
        """Decrypt any of the letters, until it is refused as a duplicate."""
        sender, letter, text = self.waiting.pop(self.chance.randrange(len(self.waiting)))
        recipient = "bob" if sender == "alice" else "alice"
        out = self.homes.root / "inbox" / letter.name
        arguments: Arguments = [
            "--home",
            self.homes.home(recipient),
            "decrypt",
            "--from",
            sender,
            letter,
            "-o",
        ]
        deliveries = 0
        status = KILLED
        while status != 3:
            before = out.exists()
            status = self.run(*arguments, out)
            self.left += bool(hidden(out.parent))
            deliveries += out.exists() and not before
            assert status in {0, 3, KILLED}
            # A success is a delivery, and a delivery is the whole text.
            assert status != 0 or not before
            if out.exists():
                assert out.read_bytes() == text
            assert status != 3 or out.exists(), "refused, and never delivered"
        assert deliveries == 1
        assert run(*arguments, out.with_suffix(".again")).failed(3)
        assert not out.with_suffix(".again").exists()
        self.delivered += 1

    def renew(self) -> None:
        """Let Alice begin another session, with kills on the way."""
        bundle = self.homes.root / "bundle"
        bundle.unlink(missing_ok=True)
        while not bundle.exists():
            self.run("--home", self.homes.bob, "bundle", "-o", bundle)
        while self.run("--home", self.homes.alice, "add", "bob", bundle) != 0:
            pass

    def measure(self) -> None:
        """Find out how long a decryption takes here, and now."""
        letter = self.homes.letter(TEXT)
        began = time.perf_counter()
        assert self.forks.run(*decrypt(self.homes, letter, self.homes.root / "measured")) == 0
        self.usual = time.perf_counter() - began


@pytest.mark.slow
def test_kills_at_random(homes: Homes, forks: Forks) -> None:
    conversation = Conversation(homes, forks, random.Random(SEED))
    conversation.measure()
    for name in ("mail", "inbox"):
        (homes.root / name).mkdir()
    homes.open(homes.seal(b"hello"))
    for number in count():
        if conversation.kills >= KILLS:
            break
        if number % 16 == 15:
            conversation.renew()
        conversation.write(number, conversation.chance.choice(["alice", "bob"]))
        while len(conversation.waiting) > conversation.chance.randrange(6):
            conversation.read()
    while conversation.waiting:
        conversation.read()
    assert conversation.delivered == number
    assert hidden(homes.root / "inbox") == []
    numbers = len(conversation.seen.known)
    print(
        f"{conversation.kills} kills, {conversation.left} of them left a part file, "
        f"{conversation.delivered} messages, {numbers} numbers"
    )


@pytest.mark.slow
def test_kills_of_whole_processes(homes: Homes) -> None:
    chance = random.Random(SEED)
    out, kills = homes.root / "out", 0
    letter = homes.letter(TEXT, "0.letter")
    began = time.perf_counter()
    process(*decrypt(homes, letter, out)).succeeded()
    usual = time.perf_counter() - began
    for attempt in count(1):
        if kills >= 10:
            break
        letter = homes.letter(TEXT, f"{attempt}.letter")
        out.unlink(missing_ok=True)
        while not out.exists():
            command = [sys.executable, "-m", "letterlock", *decrypt(homes, letter, out)]
            with subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL) as started:
                # Most of the life of a process is its start, which harms nobody.
                time.sleep(usual * chance.uniform(0.6, 1.1))
                started.send_signal(signal.SIGKILL)
            kills += started.returncode == KILLED
            usual *= 1.05 if started.returncode == KILLED else 0.9  # follow the load of the machine
        assert out.read_bytes() == TEXT
        run(*decrypt(homes, letter, out)).failed(3)
    assert hidden(homes.root) == []
    print(f"{kills} kills")
