"""Checks as an operator writes them, in a line of text each."""

from pathlib import Path
from typing import Final

import pytest

from letterlock.errors import UsageError
from letterlock.identity import MailCheck, MailSecurity, OidcCheck, TicketCheck, checks_of, close_checks
from letterlock.relay import TicketKey
from support.gate_town import run

PUBLIC: Final = TicketKey(bytes(range(32))).public_hex
MAIL: Final = "mail:smtp://mail.example?from=codes@service.example&service=Anna%27s%20notes"
OIDC: Final = "oidc:https://login.example/realm?client=key-server"


def test_one_of_each_kind() -> None:
    checks = checks_of([MAIL, OIDC, f"ticket:{PUBLIC}"], 2)
    assert [(kind, type(each)) for kind, each in checks.items()] == [
        ("mail", MailCheck),
        ("oidc", OidcCheck),
        ("ticket", TicketCheck),
    ]
    assert repr(checks["oidc"]) == "<OidcCheck: https://login.example/realm>"
    assert repr(checks["ticket"]).startswith("<TicketCheck: server 2")
    run(close_checks(checks))


@pytest.mark.parametrize(
    ("text", "host", "port", "security"),
    [
        (MAIL, "mail.example", 587, MailSecurity.STARTTLS),
        (MAIL.replace("smtp:", "smtps:"), "mail.example", 465, MailSecurity.TLS),
        (MAIL.replace("mail.example", "mail.example:2525"), "mail.example", 2525, MailSecurity.STARTTLS),
        (MAIL.replace("smtp://mail.example", "smtp+plain://127.0.0.1"), "127.0.0.1", 25, MailSecurity.NONE),
        (MAIL.replace("mail.example", "[::1]"), "::1", 587, MailSecurity.STARTTLS),
    ],
)
def test_a_mail_server(text: str, host: str, port: int, security: MailSecurity) -> None:
    check = checks_of([text], 2)["mail"]
    assert isinstance(check, MailCheck)
    server = check._server
    assert (server.host, server.port, server.security, server.user) == (host, port, security, None)
    assert "Anna's notes" in check._text.body


def test_a_mail_server_with_a_password(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"hunter2\n")
    file.chmod(0o600)
    text = MAIL.replace("//", "//codes%40service.example@") + f"&password-file={file}"
    check = checks_of([text], 2)["mail"]
    assert isinstance(check, MailCheck)
    assert check._server.user == "codes@service.example"
    assert check._server.password is not None
    assert check._server.password.expose() == b"hunter2"


@pytest.mark.parametrize(
    ("content", "mode"), [(b"hunter2", 0o644), (b"", 0o600), (b"\n", 0o600), (b"x" * 1025, 0o600)]
)
def test_a_password_file_that_is_not_taken(tmp_path: Path, content: bytes, mode: int) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    file.chmod(mode)
    with pytest.raises(UsageError):
        checks_of([MAIL.replace("//", "//codes@") + f"&password-file={file}"], 2)


@pytest.mark.parametrize(
    "texts",
    [
        ["phone:1"],
        ["ticket"],
        ["ticket:"],
        ["ticket:00"],
        [""],
        ["none"],
        [MAIL, MAIL],
        ["mail:"],
        ["mail:mail.example"],
        ["mail:smtp://mail.example"],
        [MAIL.replace("smtp:", "http:")],
        [MAIL.replace("smtp:", "smtp+plain:")],
        [MAIL.replace("mail.example", "mail.example:99999")],
        [MAIL.replace("mail.example", "mail.example:port")],
        [MAIL.replace("mail.example", "mail.example/path")],
        [MAIL.replace("//", "//codes@")],
        [MAIL.replace("//", "//codes:hunter2@")],
        [MAIL.replace("from=codes@service.example", "from=codes")],
        [MAIL.replace("from=", "sender=")],
        [MAIL + "&service=again"],
        [MAIL + "&color=red"],
        [MAIL.replace("service=Anna%27s%20notes", "service=")],
        [MAIL.replace("service=Anna%27s%20notes", "service")],
        [MAIL.replace("%27", "%ff")],
        [MAIL + "#x"],
        [MAIL.replace("service=Anna%27s%20notes", "service=%7Bcode%7D")],
        ["oidc:https://login.example"],
        ["oidc:http://login.example?client=a"],
        ["oidc:https://[login?client=a"],
        ["oidc:https://login.example?client="],
        [OIDC + "&algorithms=HS256"],
        [OIDC + "&algorithms=RS256,none"],
        [OIDC + "&client=b"],
    ],
)
def test_a_text_that_names_no_check(texts: list[str]) -> None:
    with pytest.raises(UsageError) as raised:
        checks_of(texts, 2)
    assert "hunter2" not in str(raised.value)
