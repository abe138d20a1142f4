"""Several processes on one profile at once."""

import subprocess
import sys

import pytest

from support.cli_forks import TEXT, Forks, Seen, decrypt, forking, forks, needs_forks
from support.cli_tools import Homes, environment, fast_path, hidden, homes, template

__all__ = ["fast_path", "forks", "homes", "template"]

pytestmark = needs_forks


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
    for number in reversed(range(6)):
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
