"""How the demonstration runs its steps: processes, letters as files, and the checks on both.

Nothing is read from what a step says on standard error; its exit status and its files tell.

Not here: what is played (demo_play.py).
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from secrets import SystemRandom
from typing import Final

from letterlock.cli._output import say
from letterlock.cli._parser import HOME_VARIABLE, PASSPHRASE_VARIABLE
from letterlock.errors import LetterlockError

DUPLICATE_OR_FORGED: Final = 3
"""The exit status that a peer's bytes give."""

_PATIENCE: Final = 60.0
"""Seconds after which a step hangs."""

chance: Final = SystemRandom()


class DemoFailed(LetterlockError):
    """Something was not as it should be."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a profile."""

    name: str
    home: Path


@dataclass(frozen=True, slots=True)
class Letter:
    """A text on its way: `path` is the message, `copy` where the recipient keeps the text."""

    number: int
    sender: Person
    recipient: Person
    text: bytes
    path: Path
    copy: Path

    @property
    def road(self) -> str:
        """Who writes to whom."""
        return f"{self.sender.name} -> {self.recipient.name}"

    @property
    def sizes(self) -> str:
        """Bytes of the text and of the message."""
        return f"{len(self.text):,} bytes of text, {self.path.stat().st_size:,} on the wire"

    @property
    def arrived(self) -> str:
        """What is said of a text that was compared."""
        return f"{len(self.text):,} bytes, as sent"


@dataclass(frozen=True, slots=True)
class Ran:
    """A process that has ended as expected: milliseconds, and what it printed."""

    time: float
    printed: bytes


def tell(who: str, what: str, sizes: str, time: float) -> None:
    """Print one line of the play."""
    say(f"  {who:<14} {what:<40} {sizes:<44} {time:>6,.0f} ms")


def check(holds: bool, what: str) -> None:  # noqa: FBT001 - an assertion that -O does not remove
    """Raise DemoFailed unless it holds."""
    if not holds:
        raise DemoFailed(f"the demonstration failed: {what}")


class Stage:
    """A directory with profiles and letters, and the processes that change them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._started = count(1)
        self.processes = 0
        hidden = {HOME_VARIABLE, PASSPHRASE_VARIABLE}
        self._environment = {name: value for name, value in os.environ.items() if name not in hidden}

    def person(self, name: str) -> Person:
        """Return somebody, who has no profile yet."""
        return Person(name, self.directory / name)

    def time_to_start(self) -> float:
        """Return the milliseconds that a process needs before it does anything; the first is slower."""
        return min(self._run(["--help"], 0).time for _ in range(2))

    def run(self, person: Person, *arguments: str | Path, expected: int = 0) -> Ran:
        """Run one command in a person's profile. Raises DemoFailed for another exit status."""
        return self._run(["--home", person.home, *arguments], expected)

    def letter(self, number: int, sender: Person, recipient: Person, text: bytes) -> Letter:
        """Return a letter that is not written yet."""
        base = self.directory / f"{sender.name}-{number}"
        return Letter(number, sender, recipient, text, base.with_suffix(".letter"), base.with_suffix(".copy"))

    def send(self, letter: Letter) -> Ran:
        """Let the sender encrypt a letter's text."""
        draft = letter.path.with_suffix(".draft")
        draft.write_bytes(letter.text)
        ran = self.run(letter.sender, "encrypt", "--to", letter.recipient.name, draft, "-o", letter.path)
        sealed = letter.path.read_bytes()
        check(len(sealed) > len(letter.text), "a message is shorter than its text")
        # A few letters turn up in random bytes; more of them do not.
        check(len(letter.text) < 8 or letter.text not in sealed, "a message shows its text")
        return ran

    def read(self, letter: Letter) -> Ran:
        """Let the recipient decrypt a letter, and compare."""
        ran = self.run(letter.recipient, *_decrypt(letter))
        check(letter.copy.read_bytes() == letter.text, "a text is not what was sent")
        return ran

    def refuse(self, letter: Letter, path: Path) -> Ran:
        """Let the recipient refuse a file in the letter's place, and see that nothing is changed by it."""
        before, nothing = _contents(letter.recipient), self.directory / "refused.copy"
        sender = letter.sender.name
        ran = self.run(
            letter.recipient, "decrypt", "--from", sender, path, "-o", nothing, expected=DUPLICATE_OR_FORGED
        )
        check(not nothing.exists(), "a refused message left a text")
        check(_contents(letter.recipient) == before, "a refused message changed the profile")
        return ran

    def forge(self, letter: Letter) -> Path:
        """Return a copy of a letter with one byte changed, anywhere."""
        forged = bytearray(letter.path.read_bytes())
        forged[chance.randrange(len(forged))] ^= chance.randrange(1, 256)
        path = letter.path.with_suffix(".forged")
        path.write_bytes(forged)
        return path

    def kill(self, letter: Letter) -> Ran:
        """Kill the recipient's process (SIGKILL) as soon as it is seen to work on a letter."""
        began = time.perf_counter()
        arguments = ["--home", letter.recipient.home, *_decrypt(letter)]
        with self._start(arguments) as process:
            while process.poll() is None and not any(self.directory.glob(".letterlock-*.part")):
                time.sleep(0.0005)
            process.kill()
            process.communicate()
        return Ran(1000 * (time.perf_counter() - began), b"")

    def read_after_kill(self, letter: Letter) -> Ran:
        """Let the recipient try again: the text is there already, or comes now."""
        ran = self.run(
            letter.recipient, *_decrypt(letter), expected=DUPLICATE_OR_FORGED if letter.copy.exists() else 0
        )
        check(letter.copy.read_bytes() == letter.text, "a text is not what was sent, after a kill")
        return ran

    def _run(self, arguments: list[str | Path], expected: int) -> Ran:
        began = time.perf_counter()
        with self._start(arguments) as process:
            try:
                printed, said = process.communicate(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                raise DemoFailed(f"the demonstration failed: a step took more than {_PATIENCE} s") from None
        ran = Ran(1000 * (time.perf_counter() - began), printed)
        if process.returncode != expected:
            sys.stderr.write(said.decode(errors="replace"))
            raise DemoFailed(
                f"the demonstration failed: a step ended with status {process.returncode}, not {expected}"
            )
        return ran

    def _start(self, arguments: list[str | Path]) -> subprocess.Popen[bytes]:
        self.processes = next(self._started)  # by two threads
        return subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "letterlock", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
        )


def _decrypt(letter: Letter) -> list[str | Path]:
    return ["decrypt", "--from", letter.sender.name, letter.path, "-o", letter.copy]


def _contents(person: Person) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in person.home.iterdir()}
