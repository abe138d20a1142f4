"""Processes killed (SIGKILL) before and after every step, and what such a kill leaves behind.

These hold at every step: a text that was delivered to a file was delivered once and whole; no message is
lost; a second decryption is refused; no two messages that anybody could see share a ratchet key and a number;
a later run removes what a killed run left. The killed run is a process of its own. The runs that follow it
are ordinary runs in the test's process.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from letterlock._wire.address import Address
from letterlock.cli import _delivery as delivery
from letterlock.cli import _output_file as output_file
from letterlock.cli import _pending_delivery as pending_delivery
from letterlock.errors import StoreError
from support.cli_forks import (
    KILLED,
    TEXT,
    CiphertextLog,
    ForkServer,
    decrypt_arguments,
    kill_at_every_step,
    needs_fork,
)
from support.cli_tools import Arguments, Profiles, run, temporary_outputs

pytestmark = needs_fork


def with_an_archived_session(profiles: Profiles) -> Callable[[], None]:
    """Let both have an archived session. Return what puts the profiles back to that: each kill meets it."""
    bundle, kept = profiles.root / "second.bundle", profiles.root / "kept"
    run("--home", profiles.bob, "bundle", "-o", bundle).succeeded()
    profiles.decrypt(profiles.encrypt(TEXT))
    run("--home", profiles.alice, "add", "bob", bundle).succeeded()
    profiles.decrypt(profiles.encrypt(TEXT))
    homes = profiles.alice, profiles.bob
    for home in homes:
        shutil.copytree(home, kept / home.name)

    def restore() -> None:
        for home in homes:
            shutil.rmtree(home)
            shutil.copytree(kept / home.name, home)

    return restore


def decrypt_status(profiles: Profiles, message: Path, out: Path | None) -> int:
    """Let Bob decrypt a message from Alice, and return the exit status."""
    return run(*decrypt_arguments(profiles, message, out)).status


# --- one kill, at every step ----------------------------------------------------------------------


@pytest.mark.slow
def test_decrypt_killed_then_repeated(profiles: Profiles, fork_server: ForkServer) -> None:
    inbox = profiles.root / "inbox"
    inbox.mkdir()

    def scenario(step: int) -> bool:
        message, out = profiles.message_file(TEXT, f"{step}.message"), inbox / f"{step}"
        status = fork_server.run(*decrypt_arguments(profiles, message, out), kill_at=step)
        delivered = out.exists()
        assert delivered or status == KILLED
        # Either the killed run or this one delivers, never both.
        assert decrypt_status(profiles, message, out) == (3 if delivered else 0)
        assert out.read_bytes() == TEXT
        assert decrypt_status(profiles, message, inbox / "other") == 3
        assert decrypt_status(profiles, message, None) == 3
        assert temporary_outputs(inbox) == []
        return status == KILLED

    assert kill_at_every_step(scenario) > 6
    assert [path for path in inbox.iterdir() if not path.name.isdigit()] == []


@pytest.mark.slow
@pytest.mark.parametrize("route", ["file elsewhere", "standard output"])
def test_decrypt_killed_then_repeated_to_another_output(
    profiles: Profiles, fork_server: ForkServer, route: str
) -> None:
    here, there = profiles.root / "here", profiles.root / "there"
    here.mkdir()
    there.mkdir()

    def scenario(step: int) -> bool:
        message, out = profiles.message_file(TEXT, f"{step}.message"), here / "out"
        out.unlink(missing_ok=True)
        status = fork_server.run(*decrypt_arguments(profiles, message, out), kill_at=step)
        delivered = out.exists()
        other = there / f"{step}"
        if route == "standard output":
            second = run(*decrypt_arguments(profiles, message, None))
            second_status, text = second.status, second.out
        else:
            second_status = decrypt_status(profiles, message, other)
            text = other.read_bytes() if other.exists() else b""
        assert text == (TEXT if second_status == 0 else b"")
        third_status = decrypt_status(profiles, message, out)
        # One of the three delivers. What the first left must not appear after the second has delivered.
        assert [delivered, second_status == 0, third_status == 0].count(True) == 1
        assert text or out.read_bytes() == TEXT
        assert decrypt_status(profiles, message, out) == 3
        assert decrypt_status(profiles, message, other) == 3
        assert temporary_outputs(there) == []
        return status == KILLED

    assert kill_at_every_step(scenario) > 6


@pytest.mark.slow
def test_decrypt_killed_twice(profiles: Profiles, fork_server: ForkServer) -> None:
    inbox = profiles.root / "inbox"
    inbox.mkdir()

    def scenario(step: int) -> bool:
        message, out = profiles.message_file(TEXT, f"{step}.message"), inbox / f"{step}"
        status = fork_server.run(*decrypt_arguments(profiles, message, out), kill_at=step)
        delivered = out.exists()
        fork_server.run(*decrypt_arguments(profiles, message, out), kill_at=step // 2 + 2)
        assert out.exists() >= delivered
        delivered = out.exists()
        assert decrypt_status(profiles, message, out) == (3 if delivered else 0)
        assert out.read_bytes() == TEXT
        assert decrypt_status(profiles, message, out) == 3
        return status == KILLED

    assert kill_at_every_step(scenario) > 6
    assert temporary_outputs(inbox) == []


@pytest.mark.slow
def test_decrypt_to_standard_output_killed(profiles: Profiles, fork_server: ForkServer) -> None:
    def scenario(step: int) -> bool:
        message, printed = profiles.message_file(TEXT, f"{step}.message"), profiles.root / "printed"
        status = fork_server.run(*decrypt_arguments(profiles, message, None), kill_at=step, out=printed)
        text = printed.read_bytes()
        assert text in {b"", TEXT}
        second = run(*decrypt_arguments(profiles, message, None))
        # At least once: the second run is refused only if the first wrote the whole text.
        assert second.status == 0 or (second.status == 3 and text == TEXT)
        assert second.out == (TEXT if second.status == 0 else b"")
        assert decrypt_status(profiles, message, None) == 3
        return status == KILLED

    assert kill_at_every_step(scenario) > 3


@pytest.mark.slow
def test_encrypt_killed(profiles: Profiles, fork_server: ForkServer) -> None:
    (profiles.root / "text").write_bytes(TEXT)
    outbox, ciphertexts = profiles.root / "outbox", CiphertextLog()
    outbox.mkdir()
    arguments: Arguments = ["--home", profiles.alice, "encrypt", "--to", "bob", profiles.root / "text", "-o"]

    def scenario(step: int) -> bool:
        message, second = outbox / f"{step}.message", outbox / f"{step}-second.message"
        status = fork_server.run(*arguments, message, kill_at=step)
        ciphertexts.record(*outbox.glob("*.message"), *temporary_outputs(outbox))
        run(*arguments, second).succeeded()
        ciphertexts.record(*outbox.glob("*.message"), *temporary_outputs(outbox))
        if message.exists():
            assert profiles.decrypt(message.read_bytes()) == TEXT
        assert profiles.decrypt(second.read_bytes()) == TEXT
        return status == KILLED

    assert kill_at_every_step(scenario) > 5
    assert len(ciphertexts.by_key) > 10


@pytest.mark.slow
def test_bundle_killed(profiles: Profiles, fork_server: ForkServer) -> None:
    bundle, restore = profiles.root / "new.bundle", with_an_archived_session(profiles)
    make_bundle: Arguments = ["--home", profiles.bob, "bundle", "-o", bundle]

    def scenario(step: int) -> bool:
        restore()
        status = fork_server.run(*make_bundle, kill_at=step)
        if not bundle.exists():
            run(*make_bundle).succeeded()
        run("--home", profiles.alice, "add", "bob", bundle).succeeded()
        assert profiles.decrypt(profiles.encrypt(TEXT)) == TEXT
        bundle.unlink()
        return status == KILLED

    assert kill_at_every_step(scenario) > 5


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--discard-earlier"]], ids=["", "discard earlier"])
def test_add_killed(profiles: Profiles, fork_server: ForkServer, options: list[str]) -> None:
    bundle, said, restore = profiles.root / "new.bundle", set[bytes](), with_an_archived_session(profiles)
    add_bundle: Arguments = ["--home", profiles.alice, "add", "bob", bundle, *options]

    def scenario(step: int) -> bool:
        restore()
        run("--home", profiles.bob, "bundle", "-o", bundle, "--force").succeeded()
        status = fork_server.run(*add_bundle, kill_at=step)
        said.add(run(*add_bundle).succeeded()[:22])
        assert profiles.decrypt(profiles.encrypt(TEXT)) == TEXT
        return status == KILLED

    assert kill_at_every_step(scenario) > 2
    assert said == {b"", b"this bundle was added "}


# --- what a kill leaves, made by hand -------------------------------------------------------------


def interrupt_before_rename(
    profiles: Profiles, monkeypatch: pytest.MonkeyPatch, message: Path, out: Path
) -> None:
    """Decrypt, and stop between the commit and the rename."""

    def interrupt(*_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(delivery, "move_into_place", interrupt)
    assert decrypt_status(profiles, message, out) == 130
    monkeypatch.undo()
    assert len(temporary_outputs(out.parent)) == 1


def test_next_run_completes_a_pending_delivery(profiles: Profiles, monkeypatch: pytest.MonkeyPatch) -> None:
    message, out = profiles.message_file(TEXT), profiles.root / "out"
    interrupt_before_rename(profiles, monkeypatch, message, out)
    assert "in the same directory" in run(*decrypt_arguments(profiles, message, None)).failed(3)
    elsewhere = profiles.root / "other" / "x"
    elsewhere.parent.mkdir()
    assert "in the same directory" in run(*decrypt_arguments(profiles, message, elsewhere)).failed(3)
    # Another file name completes the delivery, but another sender does not.
    carol_out = profiles.root / "carol"
    run("--home", profiles.bob, "decrypt", "--from", "carol", message, "-o", carol_out).failed(3)
    assert run(*decrypt_arguments(profiles, message, profiles.root / "out2")).succeeded() == b""
    assert (profiles.root / "out2").read_bytes() == TEXT
    assert not out.exists()
    # The pending delivery is gone, so the message is an ordinary duplicate.
    assert "same directory" not in run(*decrypt_arguments(profiles, message, out)).failed(3)
    assert temporary_outputs(profiles.root) == []


def test_temporary_output_of_an_uncommitted_run_is_never_delivered(profiles: Profiles) -> None:
    message, out = profiles.message_file(TEXT), profiles.root / "out"
    purpose = delivery.message_id(Address("alice"), message.read_bytes())[:8].hex()
    torn = profiles.root / f".letterlock-{purpose}-{'00' * 8}.part"
    torn.write_bytes(TEXT[:100])
    unrelated = profiles.root / f".letterlock-{'ab' * 8}-{'00' * 8}.part"
    unrelated.write_bytes(b"for another message")
    run(*decrypt_arguments(profiles, message, out)).succeeded()
    assert out.read_bytes() == TEXT
    assert temporary_outputs(profiles.root) == [unrelated]
    assert "same directory" not in run(*decrypt_arguments(profiles, message, out)).failed(3)
    torn.write_bytes(TEXT)
    run(*decrypt_arguments(profiles, message, profiles.root / "again")).failed(3)
    assert not (profiles.root / "again").exists()


def test_another_run_renames_first(profiles: Profiles, monkeypatch: pytest.MonkeyPatch) -> None:
    message, out = profiles.message_file(TEXT), profiles.root / "out"

    def move_late(temporary: Path, target: Path) -> None:
        monkeypatch.undo()
        run(*decrypt_arguments(profiles, message, profiles.root / "faster")).succeeded()
        output_file.move_into_place(temporary, target)

    monkeypatch.setattr(delivery, "move_into_place", move_late)
    assert "another run" in run(*decrypt_arguments(profiles, message, out)).failed(3)
    assert (profiles.root / "faster").read_bytes() == TEXT
    assert not out.exists()


def test_a_text_that_arrived_is_no_failure(profiles: Profiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full once the text has its name."""
    message, out = profiles.message_file(TEXT), profiles.root / "out"

    def full(*_: bytes) -> None:
        raise StoreError("the store cannot be used: database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(pending_delivery.PendingDeliveries, "remove", full)
        run(*decrypt_arguments(profiles, message, out)).succeeded()
    assert out.read_bytes() == TEXT
    for again in (out, None):
        run(*decrypt_arguments(profiles, message, again)).failed(3)
    assert profiles.decrypt(profiles.encrypt(b"next")) == b"next"


def test_failure_to_record_a_pending_delivery_undoes_the_run(
    profiles: Profiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, out = profiles.message_file(TEXT), profiles.root / "out"

    def interrupt(*_: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pending_delivery.PendingDeliveries, "add", interrupt)
    assert decrypt_status(profiles, message, out) == 130
    monkeypatch.undo()
    assert temporary_outputs(profiles.root) == []
    run(*decrypt_arguments(profiles, message, out)).succeeded()
    assert out.read_bytes() == TEXT
