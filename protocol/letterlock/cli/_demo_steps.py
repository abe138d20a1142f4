"""The demonstration's steps: one participant writes, reads or refuses one message, and the result is checked.

Not here: their order (_demo_conversation.py), running processes (_demo_processes.py).
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from secrets import SystemRandom
from typing import Final

from letterlock.cli._demo_processes import DemoProcesses, Finished, Process, check

REFUSED: Final = 3
"""The exit status for a message that is forged or a duplicate."""

_POLL_INTERVAL: Final = 0.0005
"""Seconds between two looks at whether a process has begun to write."""

random_source: Final = SystemRandom()


@dataclass(frozen=True, slots=True)
class Participant:
    """A person with a profile in the directory `home`."""

    name: str
    home: Path


@dataclass(frozen=True, slots=True)
class Message:
    """A message from one participant to the other.

    `text` is what the sender writes, `path` the encrypted message, `copy` the file that the recipient
    decrypts it to.
    """

    number: int
    sender: Participant
    recipient: Participant
    text: bytes
    path: Path
    copy: Path

    @property
    def route(self) -> str:
        """Who writes to whom."""
        return f"{self.sender.name} -> {self.recipient.name}"

    @property
    def sizes(self) -> str:
        """The sizes of the text and of the encrypted message."""
        return f"{len(self.text):,} bytes of text, {self.path.stat().st_size:,} on the wire"

    @property
    def received(self) -> str:
        """What the demonstration prints about a text that arrived unchanged."""
        return f"{len(self.text):,} bytes, as sent"


class Steps:
    """The steps, in a directory that holds profiles and messages."""

    def __init__(self, directory: Path, processes: DemoProcesses) -> None:
        self.directory = directory
        self._processes = processes

    def participant(self, name: str) -> Participant:
        """Return a participant, who has no profile yet."""
        return Participant(name, self.directory / name)

    def message(self, number: int, sender: Participant, recipient: Participant, text: bytes) -> Message:
        """Return a message that is not written yet."""
        base = self.directory / f"{sender.name}-{number}"
        return Message(
            number, sender, recipient, text, base.with_suffix(".message"), base.with_suffix(".copy")
        )

    def run(self, participant: Participant, *arguments: str | Path, expected_status: int = 0) -> Finished:
        """Run one command on a participant's profile. Raises DemoFailed for another exit status."""
        return self._start(participant, arguments).finish(expected_status)

    def _start(self, participant: Participant, arguments: Iterable[str | Path]) -> Process:
        return self._processes.start(["--home", participant.home, *arguments])

    def write(self, message: Message) -> Callable[[], Finished]:
        """Let the sender begin to encrypt a message.

        Return what waits for the end and checks that the result hides its text.
        """
        draft = message.path.with_suffix(".draft")
        draft.write_bytes(message.text)
        arguments = ("encrypt", "--to", message.recipient.name, draft, "-o", message.path)
        process = self._start(message.sender, arguments)

        def finish() -> Finished:
            finished = process.finish()
            encrypted = message.path.read_bytes()
            check(len(encrypted) > len(message.text), "a message is shorter than its text")
            # Random bytes may hold a text of a few bytes by chance, but not a longer one.
            check(len(message.text) < 8 or message.text not in encrypted, "a message shows its text")
            return finished

        return finish

    def read(self, message: Message) -> Callable[[], Finished]:
        """Let the recipient begin to decrypt a message. Return what waits and compares the text."""
        process = self._start(message.recipient, _decrypt_arguments(message))

        def finish() -> Finished:
            finished = process.finish()
            check(message.copy.read_bytes() == message.text, "a text is not what was sent")
            return finished

        return finish

    def refuse(self, message: Message, path: Path) -> Finished:
        """Present the file `path` in a message's place: it must be refused and must change nothing."""
        before, output = _contents(message.recipient), self.directory / "refused.copy"
        finished = self.run(
            message.recipient,
            *("decrypt", "--from", message.sender.name, path, "-o", output),
            expected_status=REFUSED,
        )
        check(not output.exists(), "a refused message left a text")
        check(_contents(message.recipient) == before, "a refused message changed the profile")
        return finished

    def forge(self, message: Message) -> Path:
        """Return a copy of a message with one random byte changed."""
        forged = bytearray(message.path.read_bytes())
        forged[random_source.randrange(len(forged))] ^= random_source.randrange(1, 256)
        path = message.path.with_suffix(".forged")
        path.write_bytes(forged)
        return path

    def kill_while_reading(self, message: Message) -> float:
        """Kill the recipient's process (SIGKILL) as soon as it writes the text; return the milliseconds."""
        process = self._start(message.recipient, _decrypt_arguments(message))
        while process.is_running() and not any(self.directory.glob(".letterlock-*.part")):
            time.sleep(_POLL_INTERVAL)
        return process.kill()

    def read_after_kill(self, message: Message) -> Finished:
        """Let the recipient try again: the text is delivered now, unless it was delivered before the kill."""
        finished = self.run(
            message.recipient,
            *_decrypt_arguments(message),
            expected_status=REFUSED if message.copy.exists() else 0,
        )
        check(message.copy.read_bytes() == message.text, "a text is not what was sent, after a kill")
        return finished


def _decrypt_arguments(message: Message) -> list[str | Path]:
    return ["decrypt", "--from", message.sender.name, message.path, "-o", message.copy]


def _contents(participant: Participant) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in participant.home.iterdir()}
