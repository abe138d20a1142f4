"""Every command of the command line, as it is meant to be used."""

import json
import stat
from pathlib import Path

import pytest

from letterlock._wire.armor import is_armored
from letterlock._wire.bundle import PrekeyBundle
from letterlock.cli._program import COMMANDS, command
from letterlock.limits import MAX_PLAINTEXT
from support.cli_tools import Arguments, Homes, Stdin, environment, fast_path, homes, process, run, template

__all__ = ["fast_path", "homes", "template"]

TEXTS = [b"", b"x", b"hello\n", bytes(range(256)), "grüße, 世界".encode(), b"\r\n" * 40, b"a" * 100_000]


def test_every_command_in_the_help_exists() -> None:
    shown = run("--help").succeeded().decode()
    for name in COMMANDS:
        assert callable(command(name))
        if name.startswith("-"):
            assert f" [{name}] " in shown
            continue
        assert f"\n    {name.split()[0]}" in shown
        assert f"letterlock {name}" in run(*name.split(), "--help").succeeded().decode()


def test_the_help_lists_every_exit_status() -> None:
    shown = run("--help").succeeded().decode()
    assert [line.split()[0] for line in shown.partition("exit status:")[2].splitlines()[1:8]] == [
        "0", "1", "2", "3", "4", "5", "6",
    ]  # fmt: skip
    assert "  130  interrupted" in shown


def test_version() -> None:
    assert run("--version").succeeded().startswith(b"letterlock 0.")


def test_init_prints_the_name_and_the_identity_key(tmp_path: Path) -> None:
    printed = run("--home", tmp_path / "a", "init", "alice").succeeded().decode()
    name, key = printed.strip().split(", identity key ")
    assert name == "alice"
    assert len(bytes.fromhex(key)) == 32
    run("--home", tmp_path / "a", "bundle", "-o", tmp_path / "bundle").succeeded()
    assert PrekeyBundle.decode((tmp_path / "bundle").read_bytes()).identity.data.hex() == key


def test_a_profile_is_for_its_owner_only(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "profile"
    run("--home", home, "init", "alice").succeeded()
    assert {path.name for path in home.iterdir()} == {"store.db", "store.key"}
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (home, home / "store.db", home / "store.key")]
    assert modes == [0o700, 0o600, 0o600]


def test_home_before_or_after_the_command_or_in_the_environment(
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


def test_bundles_are_fresh_each_time(homes: Homes) -> None:
    first, second = (run("--home", homes.bob, "bundle").succeeded() for _ in range(2))
    bundles = [PrekeyBundle.decode(data) for data in (first, second)]
    assert bundles[0].one_time != bundles[1].one_time
    assert bundles[0].kem != bundles[1].kem


@pytest.mark.parametrize("text", TEXTS, ids=len)
def test_both_ways_through_streams(homes: Homes, text: bytes) -> None:
    assert homes.open(homes.seal(text)) == text
    answer = homes.seal(text, sender="bob", recipient="alice")
    assert homes.open(answer, sender="bob", recipient="alice") == text


@pytest.mark.parametrize("text", TEXTS, ids=len)
def test_both_ways_through_files(homes: Homes, text: bytes) -> None:
    (homes.root / "text").write_bytes(text)
    letter, copy = homes.root / "letter", homes.root / "copy"
    run("--home", homes.alice, "encrypt", "--to", "bob", homes.root / "text", "-o", letter).succeeded()
    run("--home", homes.bob, "decrypt", "--from", "alice", letter, "-o", copy).succeeded()
    assert copy.read_bytes() == text
    assert [stat.S_IMODE(path.stat().st_mode) for path in (letter, copy)] == [0o600, 0o600]
    assert {path.name for path in homes.root.iterdir()} == {
        "alice", "bob", "bob.bundle", "text", "letter", "copy",
    }  # fmt: skip


def test_the_longest_text(homes: Homes) -> None:
    text = bytes(MAX_PLAINTEXT)
    armored = run("--home", homes.alice, "encrypt", "--to", "bob", "--armor", stdin=text).succeeded()
    assert homes.open(armored) == text


def test_armor(homes: Homes) -> None:
    bundle = run("--home", homes.bob, "bundle", "--armor").succeeded()
    assert is_armored(bundle)
    (homes.root / "armored").write_bytes(b"Dear Alice,\r\n\r\n" + bundle.replace(b"\n", b"\r\n") + b"Bob\r\n")
    run("--home", homes.alice, "add", "bob", homes.root / "armored").succeeded()
    letter = homes.root / "letter.asc"
    run("--home", homes.alice, "encrypt", "--to", "bob", "--armor", "-o", letter, stdin=b"hello").succeeded()
    assert letter.read_bytes().isascii()
    assert homes.open(b"> see below\n\n" + letter.read_bytes()) == b"hello"


def test_a_dash_is_a_stream(homes: Homes) -> None:
    sealed = run("--home", homes.alice, "encrypt", "--to", "bob", "-", "-o", "-", stdin=b"hello").succeeded()
    opened = run("--home", homes.bob, "decrypt", "--from", "alice", "-", "-o", "-", stdin=sealed)
    assert opened.succeeded() == b"hello"
    bundle = run("--home", homes.bob, "bundle", "-o", "-").succeeded()
    run("--home", homes.alice, "add", "bob", "-", stdin=bundle).succeeded()
    assert json.loads(run("inspect", "-", "--json", stdin=bundle).succeeded())["kind"] == "prekey bundle"


def test_an_output_file_is_replaced_whole(homes: Homes) -> None:
    output = homes.root / "output"
    output.write_bytes(b"what was there" * 1000)
    kept = output.open("rb")
    run("--home", homes.alice, "encrypt", "--to", "bob", "-o", output, stdin=b"hello").succeeded()
    with kept:
        assert kept.read() == b"what was there" * 1000
    run("--home", homes.bob, "decrypt", "--from", "alice", output, "-o", output).succeeded()
    assert output.read_bytes() == b"hello"


def test_an_output_file_behind_a_link(homes: Homes) -> None:
    (homes.root / "elsewhere").mkdir()
    link = homes.root / "link"
    link.symlink_to(homes.root / "elsewhere" / "file")
    run("--home", homes.bob, "bundle", "-o", link).succeeded()
    assert link.is_symlink()
    assert PrekeyBundle.decode((homes.root / "elsewhere" / "file").read_bytes()).address.name == "bob"


def test_inspect_needs_no_profile(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LETTERLOCK_HOME", raising=False)
    letter = homes.letter(b"hello")
    shown = json.loads(run("inspect", letter, "--json").succeeded())
    assert shown["kind"] == "first message"
    assert shown["size"] == letter.stat().st_size
    assert shown["message"]["number"] == 0
    text = run("inspect", letter).succeeded().decode()
    assert text.startswith(f"first message, {letter.stat().st_size} bytes\n")
    assert shown["identity_key"] in text
    assert "name: bob" in run("inspect", homes.root / "bob.bundle").succeeded().decode()


def test_safety_numbers_agree(homes: Homes) -> None:
    homes.open(homes.seal(b"hello"))
    ours = run("--home", homes.alice, "safety-number", "bob").succeeded().decode()
    assert ours == run("--home", homes.bob, "safety-number", "alice").succeeded().decode()
    assert [len(group) for group in ours.split()] == [5] * 12
    assert ours.replace(" ", "").strip().isdecimal()


def test_peers(homes: Homes) -> None:
    assert run("--home", homes.bob, "peers").succeeded() == b""
    homes.open(homes.seal(b"hello"))
    alice = PrekeyBundle.decode(run("--home", homes.alice, "bundle").succeeded()).identity.data.hex()
    assert run("--home", homes.bob, "peers").succeeded() == f"alice\t{alice}\n".encode()


def test_a_name_may_be_composed_in_two_ways(tmp_path: Path) -> None:
    composed, decomposed = "zo\u00eb", "zoe\u0308"
    run("--home", tmp_path / "a", "init", "alice").succeeded()
    run("--home", tmp_path / "z", "init", decomposed).succeeded()
    run("--home", tmp_path / "z", "bundle", "-o", tmp_path / "bundle").succeeded()
    run("--home", tmp_path / "a", "add", composed, tmp_path / "bundle").succeeded()
    run("--home", tmp_path / "a", "encrypt", "--to", decomposed, stdin=b"hello").succeeded()
    assert run("--home", tmp_path / "a", "peers").succeeded().decode().startswith(composed)


# --- a changed identity ---------------------------------------------------------------------------


@pytest.fixture
def changed(homes: Homes) -> Homes:
    """Return two that have talked, and then Bob lost his profile and made another."""
    homes.open(homes.seal(b"hello"))
    for path in homes.bob.iterdir():
        path.unlink()
    run("--home", homes.bob, "init", "bob").succeeded()
    run("--home", homes.bob, "bundle", "-o", homes.root / "new.bundle").succeeded()
    return homes


def test_accept_a_bundle(changed: Homes) -> None:
    bundle = changed.root / "new.bundle"
    text = run("--home", changed.alice, "add", "bob", bundle).failed(4)
    assert "letterlock accept bob FILE" in text
    before = run("--home", changed.alice, "safety-number", "bob").succeeded().decode().strip()
    printed = run("--home", changed.alice, "accept", "bob", bundle, "--yes").succeeded().decode()
    after = run("--home", changed.alice, "safety-number", "bob").succeeded().decode().strip()
    assert after in printed
    assert before not in printed
    run("--home", changed.alice, "add", "bob", bundle).succeeded()
    assert changed.open(changed.seal(b"again")) == b"again"
    assert after == run("--home", changed.bob, "safety-number", "alice").succeeded().decode().strip()


def test_accept_a_first_message(changed: Homes) -> None:
    run("--home", changed.alice, "bundle", "-o", changed.root / "alice.bundle").succeeded()
    run("--home", changed.bob, "add", "alice", changed.root / "alice.bundle").succeeded()
    letter = changed.root / "letter"
    letter.write_bytes(changed.seal(b"new telephone", sender="bob", recipient="alice"))
    text = run("--home", changed.alice, "decrypt", "--from", "bob", letter).failed(4)
    assert "letterlock accept bob FILE" in text
    run("--home", changed.alice, "accept", "bob", letter, "--yes").succeeded()
    opened = run("--home", changed.alice, "decrypt", "--from", "bob", letter).succeeded()
    assert opened == b"new telephone"


def test_accept_asks_on_a_terminal(changed: Homes) -> None:
    bundle = changed.root / "new.bundle"
    for answer in (b"no\n", b"\n", b"", b"y\n"):
        done = run("--home", changed.alice, "accept", "bob", bundle, stdin=Stdin(answer, terminal=True))
        assert "nothing was changed" in done.failed(4)
        assert b"safety number with bob: " in done.out
    run("--home", changed.alice, "add", "bob", bundle).failed(4)
    done = run("--home", changed.alice, "accept", "bob", bundle, stdin=Stdin(b"Yes\n", terminal=True))
    assert b"is trusted" in done.succeeded()
    run("--home", changed.alice, "add", "bob", bundle).succeeded()


def test_accept_without_a_terminal_needs_yes(changed: Homes) -> None:
    done = run("--home", changed.alice, "accept", "bob", changed.root / "new.bundle", stdin=b"yes\n")
    assert "--yes" in done.failed(2)


def test_accept_what_is_known_already(changed: Homes) -> None:
    before = changed.contents("alice")
    done = run("--home", changed.alice, "accept", "bob", changed.root / "bob.bundle")
    assert b"already" in done.succeeded()
    assert changed.contents("alice") == before
    assert changed.seal(b"the session is still there")


def test_accept_refuses_what_brings_no_identity(changed: Homes) -> None:
    letter = changed.root / "letter"
    run("--home", changed.alice, "bundle", "-o", changed.root / "alice.bundle").succeeded()
    run("--home", changed.alice, "accept", "carol", changed.root / "new.bundle", "--yes").failed(3)
    bundle = bytearray((changed.root / "new.bundle").read_bytes())
    bundle[-1] ^= 1
    (changed.root / "forged").write_bytes(bundle)
    run("--home", changed.alice, "accept", "bob", changed.root / "forged", "--yes").failed(3)
    run("--home", changed.bob, "add", "alice", changed.root / "alice.bundle").succeeded()
    run("--home", changed.alice, "accept", "bob", changed.root / "new.bundle", "--yes").succeeded()
    first = changed.seal(b"first", sender="bob", recipient="alice")
    changed.open(first, sender="bob", recipient="alice")
    changed.open(changed.seal(b"answer"))
    letter.write_bytes(changed.seal(b"not a first message", sender="bob", recipient="alice"))
    run("--home", changed.alice, "accept", "bob", letter, "--yes").failed(3)


# --- as processes ---------------------------------------------------------------------------------


def test_a_conversation_of_processes(tmp_path: Path) -> None:
    alice, bob = str(tmp_path / "alice"), str(tmp_path / "bob")
    process("init", "alice", more={"LETTERLOCK_HOME": alice}).succeeded()
    process("init", "bob", more={"LETTERLOCK_HOME": bob}).succeeded()
    bundle = process("bundle", more={"LETTERLOCK_HOME": bob}).succeeded()
    process("add", "bob", "-", stdin=bundle, more={"LETTERLOCK_HOME": alice}).succeeded()
    sealed = process("encrypt", "--to", "bob", stdin=b"hello", more={"LETTERLOCK_HOME": alice}).succeeded()
    opened = process("decrypt", "--from", "alice", stdin=sealed, more={"LETTERLOCK_HOME": bob}).succeeded()
    assert opened == b"hello"
    assert "LETTERLOCK_HOME" not in environment()
