"""Several processes that use one profile at the same time."""

import subprocess
import sys

import pytest

from support.cli_forks import TEXT, CiphertextLog, ForkServer, decrypt_arguments, needs_fork
from support.cli_tools import Profiles, environment, temporary_outputs

pytestmark = needs_fork


def test_four_interpreters_encrypt_at_once(profiles: Profiles) -> None:
    ciphertexts = CiphertextLog()
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "letterlock", "encrypt", "--to", "bob", "-o", profiles.root / f"{number}"],
            stdin=subprocess.PIPE,
            env=environment(LETTERLOCK_HOME=str(profiles.alice)),
        )
        for number in range(4)
    ]
    for number, process in enumerate(processes):
        process.communicate(b"%d" % number)
        assert process.returncode == 0
    for number in reversed(range(4)):
        ciphertexts.record(profiles.root / f"{number}")
        assert profiles.decrypt((profiles.root / f"{number}").read_bytes()) == b"%d" % number
    assert len(ciphertexts.by_key) == 4


def test_two_processes_encrypt_at_once_repeatedly(
    profiles: Profiles, fork_server: ForkServer, second_fork_server: ForkServer
) -> None:
    ciphertexts = CiphertextLog()
    (profiles.root / "text").write_bytes(TEXT)
    messages = [profiles.root / "1.message", profiles.root / "2.message"]
    for _ in range(15):
        for server, message in zip((fork_server, second_fork_server), messages, strict=True):
            message.unlink(missing_ok=True)
            server.start(
                "--home", profiles.alice, "encrypt", "--to", "bob", profiles.root / "text", "-o", message
            )
        assert (fork_server.wait(), second_fork_server.wait()) == (0, 0)
        ciphertexts.record(*messages)
        for message in messages:
            assert profiles.decrypt(message.read_bytes()) == TEXT
    assert len(ciphertexts.by_key) == 30


@pytest.mark.parametrize("names", [("same", "same"), ("1", "2")])
def test_two_processes_decrypt_one_message_at_once(
    profiles: Profiles, fork_server: ForkServer, second_fork_server: ForkServer, names: tuple[str, str]
) -> None:
    inbox = profiles.root / "inbox"
    inbox.mkdir()
    for attempt in range(15):
        message = profiles.message_file(TEXT, f"{attempt}.message")
        outs = [inbox / f"{attempt}-{name}" for name in names]
        for server, out in zip((fork_server, second_fork_server), outs, strict=True):
            server.start(*decrypt_arguments(profiles, message, out))
        assert sorted([fork_server.wait(), second_fork_server.wait()]) == [0, 3]
        assert [out.read_bytes() for out in set(outs) if out.exists()] == [TEXT]
    assert temporary_outputs(inbox) == []
