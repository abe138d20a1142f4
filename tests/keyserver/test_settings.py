"""Settings and secrets of the servers of recovery: what is read, and what is refused first."""

import json
from pathlib import Path
from typing import Any

import pytest

from letterlock._keyserver._keys import ServerKeys
from letterlock._keyserver._server._settings import KeyServerSettings
from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock.cli._identity_checks import checks_named
from letterlock.cli._keyserver_options import KEYSERVER, KEYSERVER_OPTIONS
from letterlock.cli._relay_recovery import recovery_of
from letterlock.cli._relay_settings import read_settings
from letterlock.cli._settings_reader import read_values
from letterlock.errors import UsageError
from letterlock.recovery import Policy
from letterlock.relay import TicketKey
from support.cli_tools import run

NAMES = {option.name for option in KEYSERVER_OPTIONS}


def settings(environment: Any = None, **given: str) -> KeyServerSettings:
    flags: dict[str, str | None] = {name.replace("_", "-"): value for name, value in given.items()}
    return KeyServerSettings(**read_values(KEYSERVER, flags, environment or {}))  # type: ignore[arg-type]


@pytest.fixture
def keys(tmp_path: Path) -> str:
    path = tmp_path / "keys"
    path.touch(mode=0o600)
    path.write_text(ServerKeys.generate().text(), encoding="ascii")
    return str(path)


CHECK = f"ticket:{TicketKey(bytes(range(32))).public_hex}"


def checks() -> Any:
    return {}


# --- a key server -----------------------------------------------------------------------------------------


def test_no_identity_check_has_to_be_asked_for(keys: str) -> None:  # REC-18
    with pytest.raises(UsageError, match="--identity none"):
        settings(keys=keys)
    assert settings(keys=keys, identity="none").recovery(None).checks is None


def test_a_check_that_is_not_there_is_refused(keys: str) -> None:  # REC-18
    with pytest.raises(UsageError, match="no identity is checked by 'mail'"):
        settings(keys=keys, identity="mail").recovery(None)
    with pytest.raises(UsageError):
        settings(keys=keys, identity="none").recovery(checks)
    assert settings(keys=keys, identity="mail").recovery(checks).checks is checks


def test_secrets_have_to_be_named() -> None:
    with pytest.raises(UsageError, match="keyserver keys"):
        settings(identity="none")


def test_the_policy_is_the_operators(keys: str) -> None:
    made = settings(keys=keys, identity="none", uses="7", uses_a_day="5", pause="0", rest_days="1")
    assert made.recovery(None).policy == Policy(7, 5, 0, 86_400)
    assert settings(keys=keys, identity="none").recovery(None).policy == Policy()


def test_flags_precede_the_environment_which_precedes_the_file(tmp_path: Path, keys: str) -> None:
    file = tmp_path / "keyserver.toml"
    file.write_text('identity = "none"\nuses = 5\npause = 7\nworkers = 3\n', encoding="utf-8")
    environment = {"LETTERLOCK_KEYSERVER_USES": "6", "LETTERLOCK_KEYSERVER_PAUSE": "8"}
    made = settings(environment, config=str(file), keys=keys, pause="9")
    assert (made.uses, made.pause, made.workers) == (6, 9, 3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"uses": "0"},
        {"uses": "1001"},
        {"pause": "-1"},
        {"rest_days": "367"},
        {"proxies": "9"},
        {"listen": "nowhere"},
        {"listen": "127.0.0.1:1", "metrics_listen": "127.0.0.1:1"},
        {"workers": "0"},
    ],
)
def test_values_out_of_range_are_refused(keys: str, wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        settings(keys=keys, identity="none", **wrong)


def test_what_is_misspelt_is_refused(tmp_path: Path, keys: str) -> None:
    file = tmp_path / "keyserver.toml"
    file.write_text("us = 5\n", encoding="utf-8")
    with pytest.raises(UsageError, match="did you mean uses"):
        settings(config=str(file), keys=keys)
    with pytest.raises(UsageError, match="did you mean LETTERLOCK_KEYSERVER_USES"):
        settings({"LETTERLOCK_KEYSERVER_USE": "5"}, keys=keys)


# --- a relay that is server 1 -----------------------------------------------------------------------------


def of_relay(**given: str) -> Any:
    return recovery_of(read_settings({name.replace("_", "-"): value for name, value in given.items()}, {}))


def test_a_relay_without_a_store_of_recovery_is_no_server_1(keys: str) -> None:
    assert of_relay() is None
    for lone in ({"recovery_keys": keys}, {"recovery_tickets": "none"}, {"recovery_identity": CHECK}):
        with pytest.raises(UsageError, match="recovery-store"):
            of_relay(**lone)


def test_server_1_knows_the_tickets_of_server_2(keys: str) -> None:  # REC-15
    public = ServerKeys.read(Path(keys)).tickets.public
    made = of_relay(recovery_store="sqlite:///x", recovery_keys=keys, recovery_tickets=public.data.hex())
    assert (made.number, made.tickets) == (1, public)
    assert isinstance(made.tickets, Ed25519PublicKey)


def test_to_evaluate_for_everybody_has_to_be_asked_for(keys: str) -> None:  # REC-15, REC-18
    made = of_relay(recovery_store="sqlite:///x", recovery_keys=keys, recovery_tickets="none")
    assert made.tickets is None
    for wrong in ("", "abc", "00" * 31, "00" * 33, "ff" * 32):
        with pytest.raises(UsageError, match="recovery-tickets"):
            of_relay(recovery_store="sqlite:///x", recovery_keys=keys, recovery_tickets=wrong)
    with pytest.raises(UsageError, match="recovery-keys"):
        of_relay(recovery_store="sqlite:///x", recovery_tickets="none")


# --- secrets ----------------------------------------------------------------------------------------------


def test_secrets_are_read_as_they_were_written() -> None:
    made = ServerKeys.generate()
    assert ServerKeys.parse(made.text()).text() == made.text()
    assert made.text().count("\n") == 5


def test_secrets_that_others_may_read_are_refused(keys: str) -> None:  # REC-20
    Path(keys).chmod(0o640)
    with pytest.raises(UsageError, match="chmod 600"):
        ServerKeys.read(Path(keys))


GOOD = ServerKeys.generate().text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "letterlock keyserver keys 2\n" + GOOD.partition("\n")[2],
        GOOD.partition("\n")[2],
        GOOD.replace("decoys", "sealing"),
        GOOD.replace("sealing ", "sealing  "),
        GOOD[:-3],
        GOOD + GOOD,
        GOOD + "more " + "0" * 64,
        GOOD.upper(),
        "junk\0" * 500,
    ],
)
def test_a_file_that_is_none_of_secrets_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        ServerKeys.parse(text)
    for line in GOOD.split("\n")[1:5]:
        assert line.partition(" ")[2] not in str(caught.value)


def test_the_command_makes_secrets_and_shows_the_public_key(tmp_path: Path) -> None:
    path = tmp_path / "second"
    out = run("keyserver", "keys", path, "--json").succeeded()
    made = ServerKeys.read(path)
    assert json.loads(out) == {"tickets": made.tickets.public.data.hex()}
    assert path.stat().st_mode & 0o777 == 0o600
    for secret in made.text().split()[5::2]:
        assert secret.encode() not in out


def test_the_command_takes_the_decoy_key_of_the_other_server(tmp_path: Path) -> None:  # REC-12
    one, other = tmp_path / "one", tmp_path / "other"
    run("keyserver", "keys", one).succeeded()
    run("keyserver", "keys", other, "--decoys", one).succeeded()
    first, second = ServerKeys.read(one), ServerKeys.read(other)
    assert first.decoys == second.decoys
    assert first.sealing != second.sealing
    assert first.tickets != second.tickets
    (tmp_path / "none").write_text("tickets 00\n", encoding="ascii")
    third = tmp_path / "third"
    assert "decoys" in run("keyserver", "keys", third, "--decoys", tmp_path / "none").failed(2)
    assert not third.exists()


def test_the_command_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "there"
    path.write_text("mine", encoding="ascii")
    assert "exists" in run("keyserver", "keys", path).failed(2)
    assert path.read_text(encoding="ascii") == "mine"


# --- checks of identity -----------------------------------------------------------------------------------


def test_checks_stand_with_blanks_between() -> None:
    mail = "mail:smtp://mail.example?from=codes@keys.example&service=Keys"
    make = checks_named(f"{CHECK} {mail}", 2)
    assert make is not None
    assert [*make()] == ["ticket", "mail"]
    assert make() is not make()  # each process has checks of its own


@pytest.mark.parametrize("text", ["", "none"])
def test_no_check_is_none(text: str) -> None:
    assert checks_named(text, 2) is None


@pytest.mark.parametrize("text", ["mail", "none none", f"{CHECK} {CHECK}", f"none {CHECK}", " "])
def test_a_check_that_cannot_be_read_is_refused_before_anything_is_served(text: str) -> None:
    with pytest.raises(UsageError):
        checks_named(text, 2)


def test_a_relay_is_told_its_checks(keys: str) -> None:
    tickets = ServerKeys.generate().tickets.public.data.hex()
    told = {"recovery_store": "sqlite:///x", "recovery_keys": keys, "recovery_tickets": tickets}
    made = of_relay(**told, recovery_identity=CHECK)
    assert made is not None
    assert made.checks is not None
    assert repr(made.checks()["ticket"]).startswith("<TicketCheck: server 1")
    with pytest.raises(UsageError):
        of_relay(**told, recovery_identity="mail")
