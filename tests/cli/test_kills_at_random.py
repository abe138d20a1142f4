"""Processes killed (SIGKILL) at random instants in a long conversation, and at visible events.

`LETTERLOCK_DEEP=1` kills 1,000 times instead of 60, `LETTERLOCK_SEED=2` plays another conversation, and
`LETTERLOCK_TEST_DIR=/tmp` puts the profiles on a disk. See also tests/cli/test_kills_at_every_step.py.
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

from letterlock._wire.message import decode_message
from letterlock.errors import MalformedMessage
from support.cli_forks import KILLED, TEXT, CiphertextLog, ForkServer, decrypt_arguments, needs_fork
from support.cli_tools import Profiles, environment, run, temporary_outputs

pytestmark = needs_fork

KILLS = 1000 if os.environ.get("LETTERLOCK_DEEP") == "1" else 60
SEED = int(os.environ.get("LETTERLOCK_SEED", "1"))


class Conversation:
    """Messages both ways. Each step is killed at a random instant and repeated until it succeeds."""

    def __init__(self, profiles: Profiles, fork_server: ForkServer, chance: random.Random) -> None:
        self.profiles, self.fork_server, self.chance = profiles, fork_server, chance
        self.kills = self.delivered = 0
        self.ciphertexts = CiphertextLog()
        self.waiting: list[tuple[str, Path, bytes]] = []
        self.lifetime = 0.02

    def run(self, *arguments: str | Path) -> int:
        """Run a command, and kill it at an instant up to a little after its usual end."""
        # Half of the kills come late in the run, where it writes files.
        earliest = self.chance.choice([0.0, 0.7])
        kill_after = self.lifetime * self.chance.uniform(earliest, 1.2)
        status = self.fork_server.run(*arguments, kill_after=kill_after)
        self.kills += status == KILLED
        # Follow the speed of the machine without a clock: a run that is always killed would never succeed.
        self.lifetime *= 1.1 if status == KILLED else 0.8
        return status

    def write(self, number: int, sender: str) -> None:
        recipient = "bob" if sender == "alice" else "alice"
        text = self.chance.randbytes(self.chance.choice([0, 1, 50, 1000, 20_000]))
        source, message = self.profiles.root / "text", self.profiles.root / "mail" / f"{number}.message"
        source.write_bytes(text)
        home = self.profiles.home(sender)
        while not message.exists():
            status = self.run("--home", home, "encrypt", "--to", recipient, source, "-o", message, "--force")
            assert status in {0, KILLED}
            assert message.exists() or status == KILLED
            self.ciphertexts.record(*message.parent.glob("*.message"), *self.complete_outputs(message.parent))
        self.waiting.append((sender, message, text))

    def complete_outputs(self, directory: Path) -> list[Path]:
        """Return the temporary outputs that hold a whole message. A kill may have cut one short."""
        return [path for path in temporary_outputs(directory) if is_whole_message(path.read_bytes())]

    def read(self) -> None:
        """Decrypt a random message until it is refused as a duplicate."""
        sender, message, text = self.waiting.pop(self.chance.randrange(len(self.waiting)))
        home = self.profiles.home("bob" if sender == "alice" else "alice")
        out = self.profiles.root / "inbox" / message.name
        deliveries = 0
        status = KILLED
        while status != 3:
            existed = out.exists()
            status = self.run("--home", home, "decrypt", "--from", sender, message, "-o", out)
            deliveries += out.exists() and not existed
            assert status in {0, 3, KILLED}
            # A success delivers, and only the whole text is ever delivered.
            assert status != 0 or not existed
            if out.exists():
                assert out.read_bytes() == text
            assert status != 3 or out.exists(), "refused, and never delivered"
        assert deliveries == 1
        second = out.with_suffix(".second")
        run("--home", home, "decrypt", "--from", sender, message, "-o", second).failed(3)
        assert not second.exists()
        self.delivered += 1

    def begin_new_session(self) -> None:
        """Let Alice add a new bundle of Bob's."""
        bundle = self.profiles.root / "bundle"
        bundle.unlink(missing_ok=True)
        while not bundle.exists():
            self.run("--home", self.profiles.bob, "bundle", "-o", bundle, "--force")
        while self.run("--home", self.profiles.alice, "add", "bob", bundle) != 0:
            pass


def is_whole_message(data: bytes) -> bool:
    try:
        decode_message(data)
    except MalformedMessage:
        return False
    return True


@pytest.mark.slow
def test_kills_at_random_instants(profiles: Profiles, fork_server: ForkServer) -> None:
    conversation = Conversation(profiles, fork_server, random.Random(SEED))
    for name in ("mail", "inbox"):
        (profiles.root / name).mkdir()
    profiles.decrypt(profiles.encrypt(b"hello"))
    for number in count():
        if conversation.kills >= KILLS:
            break
        if number % 8 == 7:
            conversation.begin_new_session()
        conversation.write(number, conversation.chance.choice(["alice", "bob"]))
        while len(conversation.waiting) > conversation.chance.randrange(6):
            conversation.read()
    while conversation.waiting:
        conversation.read()
    assert conversation.delivered == number
    assert temporary_outputs(profiles.root / "inbox") == []


EVENTS: dict[str, Callable[[Profiles], bool]] = {
    "the store is open": lambda profiles: (profiles.bob / "store.db-wal").exists(),
    "the text is being written": lambda profiles: temporary_outputs(profiles.root) != [],
    "the text is delivered": lambda profiles: (profiles.root / "out").exists(),
}
"""What can be seen from outside while a process decrypts, in this order."""


@pytest.mark.slow
@pytest.mark.parametrize("event", EVENTS)
def test_kill_of_an_interpreter_at_an_event(profiles: Profiles, event: str) -> None:
    """The same with an interpreter that was started as users start it."""
    out = profiles.root / "out"
    status = 0
    for attempt in count():
        message = profiles.message_file(TEXT, f"{attempt}.message")
        out.unlink(missing_ok=True)
        command = [sys.executable, "-m", "letterlock", *decrypt_arguments(profiles, message, out)]
        with subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and not EVENTS[event](profiles):
                time.sleep(0.0002)
            process.send_signal(signal.SIGKILL)
        status = process.returncode
        delivered = out.exists()
        assert status == KILLED or (status == 0 and delivered)
        assert run(*decrypt_arguments(profiles, message, out)).status == (3 if delivered else 0)
        assert out.read_bytes() == TEXT
        run(*decrypt_arguments(profiles, message, out)).failed(3)
        assert temporary_outputs(profiles.root) == []
        if status == KILLED:  # otherwise the process was faster than our look at it
            break
