"""Settings: flags before environment before file, and nothing misspelt or out of bounds.

`Settings` are read as `letterlock relay serve` reads them.
"""

import re
import socket
from pathlib import Path

import pytest

from letterlock.cli._options import Option
from letterlock.cli._parser import build_parser
from letterlock.cli._relay_options import OPTIONS, RELAY
from letterlock.cli._relay_settings import read_settings, settings_of
from letterlock.errors import UsageError
from letterlock.relay._jetstream.connection import Message
from letterlock.relay._server._address import Listen, bind, is_loopback
from letterlock.relay._server._settings import Settings

KEY = "5f" * 32


def settings(*flags: str, environment: dict[str, str] | None = None) -> Settings:
    given = dict(zip((each.removeprefix("--") for each in flags[::2]), flags[1::2], strict=True))
    return read_settings(given, environment or {})


def in_file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "relay.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_defaults_are_those_of_the_table() -> None:
    made = settings()
    assert {option.attribute: getattr(made, option.attribute) for option in OPTIONS} == {
        option.attribute: option.default for option in OPTIONS
    }
    assert made.ticket_key is None
    assert made.metrics_address is None


def test_a_flag_precedes_the_environment_which_precedes_the_file(tmp_path: Path) -> None:
    path = in_file(tmp_path, 'workers = 2\nmail-days = 3\nlog-format = "json"\nstatus-page = false\n')
    environment = {"LETTERLOCK_RELAY_CONFIG": path, "LETTERLOCK_RELAY_MAIL_DAYS": "4", "HOME": "/"}
    made = settings("--log-format", "text", environment=environment)
    assert (made.workers, made.mail_days, made.log_format, made.status_page) == (2, 4, "text", False)
    assert settings("--config", path, "--mail-days", "5", environment=environment).mail_days == 5


def test_the_file_that_a_flag_names_precedes_the_one_in_the_environment(tmp_path: Path) -> None:
    path = in_file(tmp_path, "workers = 7")
    assert settings("--config", path, environment={"LETTERLOCK_RELAY_CONFIG": "/nowhere"}).workers == 7


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_each_option_is_a_flag_a_variable_and_a_key(tmp_path: Path, option: object) -> None:
    assert isinstance(option, Option)
    default = (
        {True: "on", False: "off"}.get(option.default, option.default)
        if isinstance(option.default, bool)
        else option.default
    )
    text = f'"{default}"' if isinstance(default, str) else str(default)
    path = in_file(tmp_path, f"{option.name} = {text}")
    expected = settings()
    assert settings("--config", path) == expected
    assert settings(environment={RELAY.variable(option): str(default)}) == expected
    parsed = build_parser().parse_args(["relay", "check", "--store", "sqlite:///x"])
    assert settings_of(parsed).store == "sqlite:///x"


@pytest.mark.parametrize(
    ("name", "text", "remedy"),
    [
        ("workers", "0", "from 1 to 64"),
        ("workers", "65", "from 1 to 64"),
        ("workers", "two", "whole number"),
        ("workers", "1.5", "whole number"),
        ("workers", "-1", "whole number"),
        ("workers", "٣", "whole number"),
        ("workers", "1" * 5000, "whole number"),
        ("workers", "", "whole number"),
        ("mail-days", "366", "from 1 to 365"),
        ("mailbox-bytes", "1", "from 1048576"),
        ("status-page", "yes", "on or off"),
        ("log-format", "xml", "text, json"),
        ("log-level", "trace", "debug, info, warning, error"),
        ("listen", "8470", "HOST:PORT"),
        ("listen", "localhost:", "HOST:PORT"),
        ("listen", ":8470", "HOST:PORT"),
        ("listen", "::1:8470", "HOST:PORT"),
        ("listen", "localhost:99999", "port above 65535"),
        ("listen", "0.0.0.0:80", "--name"),
        ("listen", "[::]:80", "--name"),
        ("metrics-listen", "9464", "HOST:PORT"),
        ("metrics-listen", "127.0.0.1:8470", "another port"),
        ("name", "https://relay.example", "host of the clients' URL"),
        ("name", "relay.example/", "host of the clients' URL"),
        ("name", "Relay.example", "lower case"),
        ("name", "a b", "host of the clients' URL"),
        ("name", "a" * 264, "host of the clients' URL"),
        ("name", "relay.example,", "host of the clients' URL"),
        ("registration", "closed", "ticket:"),
        ("registration", "ticket:", "64 hexadecimal digits"),
        ("registration", f"ticket:{KEY[:-1]}", "64 hexadecimal digits"),
        ("registration", f"ticket:{KEY[:-1]}g", "64 hexadecimal digits"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_a_remedy(name: str, text: str, remedy: str) -> None:
    with pytest.raises(UsageError, match=re.escape(remedy)):
        settings(f"--{name}", text)


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("workers = true", "whole number"),
        ('workers = "x"', "whole number"),
        ("workers = 1.0", "whole number"),
        ("store = 1", "quotes"),
        ("status-page = 1", "on or off"),
        ("workrs = 2", "did you mean workers?"),
        ("config = 'x'", "unknown key 'config'"),
        ("[limits]\nworkers = 2", "unknown key 'limits'"),
        ("workers 2", "is not TOML"),
        ("zzz = 1", "see `letterlock relay serve --help`"),
    ],
)
def test_a_wrong_file_is_refused_with_a_remedy(tmp_path: Path, line: str, remedy: str) -> None:
    with pytest.raises(UsageError, match=re.escape(remedy)):
        settings("--config", in_file(tmp_path, line))


def test_a_file_of_other_bytes_is_no_toml(tmp_path: Path) -> None:
    path = tmp_path / "relay.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="TOML"):
        settings("--config", str(path))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        settings("--config", str(tmp_path / "nowhere.toml"))


def test_a_misspelt_variable_is_refused() -> None:
    with pytest.raises(UsageError, match=r"did you mean LETTERLOCK_RELAY_WORKERS\?"):
        settings(environment={"LETTERLOCK_RELAY_WORKER": "2"})
    assert settings(environment={"LETTERLOCK_RELAY": "https://relay.example"}).workers == 1


def test_names_keys_and_addresses_are_read() -> None:
    assert settings("--name", "relay.example, other.example:8443").names == (
        "relay.example",
        "other.example:8443",
    )
    made = settings(
        "--name", "relay.example:8443", "--registration", f"ticket:{KEY.upper()}", "--listen", "[::1]:1"
    )
    assert made.ticket_key == bytes.fromhex(KEY)
    assert Listen.parse("listen", made.listen) == Listen("::1", 1)
    assert str(Listen("::1", 1)) == "[::1]:1"
    assert settings("--metrics-listen", "off").metrics_address is None
    assert settings("--metrics-listen", "10.0.0.1:9464").metrics_address == Listen("10.0.0.1", 9464)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("x", False),
        (None, False),
    ],
)
def test_loopback(host: str | None, local: bool) -> None:
    assert is_loopback(host) is local


def test_answers_are_not_held_back() -> None:
    """asyncio sets TCP_NODELAY on a connection only where its listening socket names the protocol."""
    with bind(Listen("127.0.0.1", 0)) as found:
        assert found.proto == socket.IPPROTO_TCP


def test_neither_passwords_nor_contents_are_printed() -> None:
    url = "postgresql://relay:the-password@db/relay"
    message = Message("stream", "subject", b"the-contents")
    for each in (settings("--store", url), message):
        assert "the-" not in repr(each)
