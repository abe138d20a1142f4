"""Processes killed (SIGKILL) at random instants, in a long conversation; see tests/cli/test_crashes.py.

`LETTERLOCK_KILLS=5000` makes it longer, `LETTERLOCK_SEED=2` another one, and `LETTERLOCK_TEST_DIR=/tmp` puts
it on a disk.
"""

import os
import random
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest

from letterlock._wire.message import decode_message
from letterlock.errors import MalformedMessage
from support.cli_forks import KILLED, TEXT, Forks, Seen, decrypt, forks, needs_forks
from support.cli_tools import Arguments, Homes, environment, fast_path, hidden, homes, process, run, template

__all__ = ["fast_path", "forks", "homes", "template"]

pytestmark = needs_forks

KILLS = int(os.environ.get("LETTERLOCK_KILLS", "120"))
SEED = int(os.environ.get("LETTERLOCK_SEED", "1"))


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
        """Return the part files that were written to their end: a message that is cut short has no number.

        A write is cut short where the kill meets it between two pages, which is seldom.
        """
        return [path for path in hidden(directory) if is_whole(path.read_bytes())]

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


def is_whole(data: bytes) -> bool:
    try:
        decode_message(data)
    except MalformedMessage:
        return False
    return True


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
