"""Every command, used as intended."""

import json
import re
import stat
from pathlib import Path

import pytest

from letterlock._wire.armor import is_armored
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.prekey import PrekeyKind
from letterlock.cli._main import COMMANDS, load_command
from letterlock.limits import MAX_PLAINTEXT
from support.cli_tools import (
    Arguments,
    Profiles,
    Stdin,
    environment,
    run,
    run_process,
)

TEXTS = [b"", b"x", b"hello\n", bytes(range(256)), "grüße, 世界".encode(), b"\r\n" * 40, b"a" * 100_000]


def test_help_lists_every_command() -> None:
    shown = run("--help").succeeded().decode()
    for name in COMMANDS:
        assert callable(load_command(name))
        if name.startswith("-"):
            assert f" [{name}] " in shown
            continue
        assert f"\n    {name.split()[0]}" in shown
        assert f"letterlock {name}" in run(*name.split(), "--help").succeeded().decode()


def test_help_lists_every_exit_status() -> None:
    _, _, shown = run("--help").succeeded().decode().partition("exit status:")
    assert re.findall(r"^  (\d+)  ", shown, re.MULTILINE) == ["0", "1", "2", "3", "4", "5", "6", "130"]


def test_version() -> None:
    assert run("--version").succeeded().startswith(b"letterlock 0.")


def test_init_prints_the_name_and_the_identity_key(tmp_path: Path) -> None:
    printed = run("--home", tmp_path / "a", "init", "alice").succeeded().decode()
    name, key = printed.strip().split(", identity key ")
    assert name == "alice"
    assert len(bytes.fromhex(key)) == 32
    run("--home", tmp_path / "a", "bundle", "-o", tmp_path / "bundle").succeeded()
    assert PrekeyBundle.decode((tmp_path / "bundle").read_bytes()).identity.data.hex() == key


def test_profile_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "profile"
    run("--home", home, "init", "alice").succeeded()
    assert {path.name for path in home.iterdir()} == {"store.db", "store.key"}
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (home, home / "store.db", home / "store.key")]
    assert modes == [0o700, 0o600, 0o600]


def test_home_stands_before_or_after_the_command_or_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("--home", tmp_path / "a", "init", "alice").succeeded()
    run("init", "--home", tmp_path / "b", "bob").succeeded()
    monkeypatch.setenv("LETTERLOCK_HOME", str(tmp_path / "c"))
    run("init", "carol").succeeded()
    monkeypatch.setenv("LETTERLOCK_HOME", str(tmp_path / "a"))
    ways: tuple[Arguments, ...] = (["--home", tmp_path / "b", "bundle"], ["bundle", "--home", tmp_path / "b"])
    for arguments in ways:
        assert PrekeyBundle.decode(run(*arguments).succeeded()).address.name == "bob"
    assert PrekeyBundle.decode(run("bundle").succeeded()).address.name == "alice"


def test_every_bundle_is_fresh(profiles: Profiles) -> None:
    first, second = (run("--home", profiles.bob, "bundle").succeeded() for _ in range(2))
    bundles = [PrekeyBundle.decode(data) for data in (first, second)]
    assert bundles[0].one_time != bundles[1].one_time
    assert bundles[0].kem != bundles[1].kem


def test_a_last_resort_bundle_serves_many_peers(profiles: Profiles) -> None:
    first, second = (run("--home", profiles.bob, "bundle", "--last-resort").succeeded() for _ in range(2))
    bundle = PrekeyBundle.decode(first)
    assert first[:-66] == second[:-66]  # each is signed anew, with 64 bytes behind their head
    assert (bundle.one_time, bundle.kem and bundle.kem.kind) == (None, PrekeyKind.KEM_LAST_RESORT)
    for name in ("carol", "dave"):
        home = profiles.root / name
        run("--home", home, "init", name).succeeded()
        run("--home", home, "add", "bob", "-", stdin=first).succeeded()
        message = run("--home", home, "encrypt", "--to", "bob", stdin=b"hi").succeeded()
        done = run("--home", profiles.bob, "decrypt", "--from", name, "-", stdin=message)
        assert done.succeeded() == b"hi"
        run("--home", profiles.bob, "decrypt", "--from", "zoe", "-", stdin=message).failed(3)


def test_a_bundle_can_rotate_the_prekeys(profiles: Profiles) -> None:
    options: list[Arguments] = [[], ["--rotate"], [], ["--last-resort", "--rotate"], ["--last-resort"]]
    signed = [
        PrekeyBundle.decode(run("--home", profiles.bob, "bundle", *each).succeeded()).signed.id
        for each in options
    ]
    assert signed[0] < signed[1] == signed[2] < signed[3] == signed[4]


@pytest.mark.parametrize("text", TEXTS, ids=len)
def test_conversation_through_streams(profiles: Profiles, text: bytes) -> None:
    assert profiles.decrypt(profiles.encrypt(text)) == text
    answer = profiles.encrypt(text, sender="bob", recipient="alice")
    assert profiles.decrypt(answer, sender="bob", recipient="alice") == text


@pytest.mark.parametrize("text", TEXTS, ids=len)
def test_conversation_through_files(profiles: Profiles, text: bytes) -> None:
    (profiles.root / "text").write_bytes(text)
    message, copy = profiles.root / "message", profiles.root / "copy"
    run("--home", profiles.alice, "encrypt", "--to", "bob", profiles.root / "text", "-o", message).succeeded()
    run("--home", profiles.bob, "decrypt", "--from", "alice", message, "-o", copy).succeeded()
    assert copy.read_bytes() == text
    assert [stat.S_IMODE(path.stat().st_mode) for path in (message, copy)] == [0o600, 0o600]
    assert {path.name for path in profiles.root.iterdir()} == {
        "alice", "bob", "bob.bundle", "text", "message", "copy",
    }  # fmt: skip


def test_longest_text(profiles: Profiles) -> None:
    text = bytes(MAX_PLAINTEXT)
    armored = run("--home", profiles.alice, "encrypt", "--to", "bob", "--armor", stdin=text).succeeded()
    assert profiles.decrypt(armored) == text


def test_armor(profiles: Profiles) -> None:
    bundle = run("--home", profiles.bob, "bundle", "--armor").succeeded()
    assert is_armored(bundle)
    (profiles.root / "armored").write_bytes(
        b"Dear Alice,\r\n\r\n" + bundle.replace(b"\n", b"\r\n") + b"Bob\r\n"
    )
    run("--home", profiles.alice, "add", "bob", profiles.root / "armored").succeeded()
    message = profiles.root / "message.asc"
    run(
        "--home", profiles.alice, "encrypt", "--to", "bob", "--armor", "-o", message, stdin=b"hello"
    ).succeeded()
    assert message.read_bytes().isascii()
    assert profiles.decrypt(b"> see below\n\n" + message.read_bytes()) == b"hello"


def test_dash_means_a_standard_stream(profiles: Profiles) -> None:
    message = run(
        "--home", profiles.alice, "encrypt", "--to", "bob", "-", "-o", "-", stdin=b"hello"
    ).succeeded()
    text = run("--home", profiles.bob, "decrypt", "--from", "alice", "-", "-o", "-", stdin=message)
    assert text.succeeded() == b"hello"
    bundle = run("--home", profiles.bob, "bundle", "-o", "-").succeeded()
    run("--home", profiles.alice, "add", "bob", "-", stdin=bundle).succeeded()
    assert json.loads(run("inspect", "-", "--json", stdin=bundle).succeeded())["kind"] == "prekey bundle"


def test_output_file_is_replaced_whole(profiles: Profiles) -> None:
    output = profiles.root / "output"
    output.write_bytes(b"what was there" * 1000)
    kept = output.open("rb")
    run(
        "--home", profiles.alice, "encrypt", "--to", "bob", "--force", "-o", output, stdin=b"hello"
    ).succeeded()
    with kept:
        assert kept.read() == b"what was there" * 1000
    run("--home", profiles.bob, "decrypt", "--from", "alice", output, "-o", output, "--force").succeeded()
    assert output.read_bytes() == b"hello"


def test_output_through_a_symbolic_link(profiles: Profiles) -> None:
    (profiles.root / "elsewhere").mkdir()
    link = profiles.root / "link"
    link.symlink_to(profiles.root / "elsewhere" / "file")
    run("--home", profiles.bob, "bundle", "-o", link).succeeded()
    assert link.is_symlink()
    assert PrekeyBundle.decode((profiles.root / "elsewhere" / "file").read_bytes()).address.name == "bob"


def test_inspect_needs_no_profile(profiles: Profiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LETTERLOCK_HOME", raising=False)
    message = profiles.message_file(b"hello")
    shown = json.loads(run("inspect", message, "--json").succeeded())
    assert shown["kind"] == "first message"
    assert shown["size"] == message.stat().st_size
    assert shown["message"]["number"] == 0
    text = run("inspect", message).succeeded().decode()
    assert text.startswith(f"first message, {message.stat().st_size} bytes\n")
    assert shown["identity_key"] in text
    assert "name: bob" in run("inspect", profiles.root / "bob.bundle").succeeded().decode()


def test_safety_numbers_agree(profiles: Profiles) -> None:
    profiles.decrypt(profiles.encrypt(b"hello"))
    ours = run("--home", profiles.alice, "safety-number", "bob").succeeded().decode()
    assert ours == run("--home", profiles.bob, "safety-number", "alice").succeeded().decode()
    assert [len(group) for group in ours.split()] == [5] * 12
    assert ours.replace(" ", "").strip().isdecimal()


def test_peers_lists_names_and_keys(profiles: Profiles) -> None:
    assert run("--home", profiles.bob, "peers").succeeded() == b""
    profiles.decrypt(profiles.encrypt(b"hello"))
    alice = PrekeyBundle.decode(run("--home", profiles.alice, "bundle").succeeded()).identity.data.hex()
    assert run("--home", profiles.bob, "peers").succeeded() == f"alice\t{alice}\n".encode()


def test_composed_and_decomposed_names_are_the_same(tmp_path: Path) -> None:
    composed, decomposed = "zo\u00eb", "zoe\u0308"
    run("--home", tmp_path / "a", "init", "alice").succeeded()
    run("--home", tmp_path / "z", "init", decomposed).succeeded()
    run("--home", tmp_path / "z", "bundle", "-o", tmp_path / "bundle").succeeded()
    run("--home", tmp_path / "a", "add", composed, tmp_path / "bundle").succeeded()
    run("--home", tmp_path / "a", "encrypt", "--to", decomposed, stdin=b"hello").succeeded()
    assert run("--home", tmp_path / "a", "peers").succeeded().decode().startswith(composed)


# --- a changed identity ---------------------------------------------------------------------------


@pytest.fixture
def changed(profiles: Profiles) -> Profiles:
    """Return profiles that have exchanged a message, after which Bob lost his and made another."""
    profiles.decrypt(profiles.encrypt(b"hello"))
    for path in profiles.bob.iterdir():
        path.unlink()
    run("--home", profiles.bob, "init", "bob").succeeded()
    run("--home", profiles.bob, "bundle", "-o", profiles.root / "new.bundle").succeeded()
    return profiles


def test_accept_a_bundle(changed: Profiles) -> None:
    bundle = changed.root / "new.bundle"
    text = run("--home", changed.alice, "add", "bob", bundle).failed(4)
    assert "letterlock accept bob FILE" in text
    before = run("--home", changed.alice, "safety-number", "bob").succeeded().decode().strip()
    printed = run("--home", changed.alice, "accept", "bob", bundle, "--yes").succeeded().decode()
    after = run("--home", changed.alice, "safety-number", "bob").succeeded().decode().strip()
    assert after in printed
    assert before not in printed
    run("--home", changed.alice, "add", "bob", bundle).succeeded()
    assert changed.decrypt(changed.encrypt(b"again")) == b"again"
    assert after == run("--home", changed.bob, "safety-number", "alice").succeeded().decode().strip()


def test_accept_a_first_message(changed: Profiles) -> None:
    run("--home", changed.alice, "bundle", "-o", changed.root / "alice.bundle").succeeded()
    run("--home", changed.bob, "add", "alice", changed.root / "alice.bundle").succeeded()
    message = changed.root / "message"
    message.write_bytes(changed.encrypt(b"new telephone", sender="bob", recipient="alice"))
    error = run("--home", changed.alice, "decrypt", "--from", "bob", message).failed(4)
    assert "letterlock accept bob FILE" in error
    run("--home", changed.alice, "accept", "bob", message, "--yes").succeeded()
    text = run("--home", changed.alice, "decrypt", "--from", "bob", message).succeeded()
    assert text == b"new telephone"


def test_accept_asks_on_a_terminal(changed: Profiles) -> None:
    bundle = changed.root / "new.bundle"
    for answer in (b"no\n", b"\n", b"", b"y\n"):
        done = run("--home", changed.alice, "accept", "bob", bundle, stdin=Stdin(answer, terminal=True))
        assert "nothing was changed" in done.failed(4)
        assert b"safety number with bob: " in done.out
    run("--home", changed.alice, "add", "bob", bundle).failed(4)
    done = run("--home", changed.alice, "accept", "bob", bundle, stdin=Stdin(b"Yes\n", terminal=True))
    assert b"is trusted" in done.succeeded()
    run("--home", changed.alice, "add", "bob", bundle).succeeded()


def test_accept_without_a_terminal_needs_yes(changed: Profiles) -> None:
    done = run("--home", changed.alice, "accept", "bob", changed.root / "new.bundle", stdin=b"yes\n")
    assert "--yes" in done.failed(2)


def test_accept_a_key_that_is_already_trusted(changed: Profiles) -> None:
    before = changed.contents("alice")
    done = run("--home", changed.alice, "accept", "bob", changed.root / "bob.bundle")
    assert b"already" in done.succeeded()
    assert changed.contents("alice") == before
    assert changed.encrypt(b"the session is still there")


def test_accept_refuses_files_without_a_valid_identity(changed: Profiles) -> None:
    message = changed.root / "message"
    run("--home", changed.alice, "bundle", "-o", changed.root / "alice.bundle").succeeded()
    run("--home", changed.alice, "accept", "carol", changed.root / "new.bundle", "--yes").failed(3)
    bundle = bytearray((changed.root / "new.bundle").read_bytes())
    bundle[-1] ^= 1
    (changed.root / "forged").write_bytes(bundle)
    run("--home", changed.alice, "accept", "bob", changed.root / "forged", "--yes").failed(3)
    run("--home", changed.bob, "add", "alice", changed.root / "alice.bundle").succeeded()
    run("--home", changed.alice, "accept", "bob", changed.root / "new.bundle", "--yes").succeeded()
    first = changed.encrypt(b"first", sender="bob", recipient="alice")
    changed.decrypt(first, sender="bob", recipient="alice")
    changed.decrypt(changed.encrypt(b"answer"))
    message.write_bytes(changed.encrypt(b"not a first message", sender="bob", recipient="alice"))
    run("--home", changed.alice, "accept", "bob", message, "--yes").failed(3)


# --- in interpreters ---------------------------------------------------------------------------------


def test_conversation_of_interpreters(tmp_path: Path) -> None:
    alice, bob = str(tmp_path / "alice"), str(tmp_path / "bob")
    run_process("init", "alice", extra_environment={"LETTERLOCK_HOME": alice}).succeeded()
    run_process("init", "bob", extra_environment={"LETTERLOCK_HOME": bob}).succeeded()
    bundle = run_process("bundle", extra_environment={"LETTERLOCK_HOME": bob}).succeeded()
    run_process("add", "bob", "-", stdin=bundle, extra_environment={"LETTERLOCK_HOME": alice}).succeeded()
    message = run_process(
        "encrypt", "--to", "bob", stdin=b"hello", extra_environment={"LETTERLOCK_HOME": alice}
    ).succeeded()
    text = run_process(
        "decrypt", "--from", "alice", stdin=message, extra_environment={"LETTERLOCK_HOME": bob}
    ).succeeded()
    assert text == b"hello"
    assert "LETTERLOCK_HOME" not in environment()
