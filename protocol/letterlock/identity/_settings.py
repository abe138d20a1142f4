"""What an operator writes about the checks of a server, in one line each.

    ticket:PUBLIC
    oidc:https://ISSUER?client=ID                                   &algorithms=RS256,ES256
    mail:smtp://HOST:587?from=ADDRESS&service=NAME                  &password-file=PATH, with USER@ in front
                                                                    of the host

    smtp            with STARTTLS                                                   port 587
    smtps           encrypted from the first byte                                   port 465
    smtp+plain      on this machine alone, without encryption                       port 25

The kind of a check is the word before the first colon.

Not here: flags and files of settings (cli/).
"""

import os
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from letterlock.errors import UsageError
from letterlock.identity._mail import MailCheck
from letterlock.identity._mail_server import MailPassword, MailSecurity, MailServer
from letterlock.identity._oidc import OidcCheck
from letterlock.identity._texts import MailText
from letterlock.identity._ticket import TicketCheck
from letterlock.recovery import CodeCheck, IdentityCheck

_SECURITY: Final = {
    "smtp": (MailSecurity.STARTTLS, 587),
    "smtps": (MailSecurity.TLS, 465),
    "smtp+plain": (MailSecurity.NONE, 25),
}
_LONGEST_PASSWORD: Final = 1024
_DEFAULT_ALGORITHMS: Final = "RS256,ES256"


def checks_of(texts: Iterable[str], server: int) -> dict[str, IdentityCheck]:
    """Return the checks that an operator names for server 1 or 2, by their kinds: one of a kind at most.

    Raises UsageError for a text that names no check, and what the checks raise; OSError for a password file.
    """
    checks = dict[str, IdentityCheck]()
    for text in texts:
        kind, _, rest = text.partition(":")
        if kind not in _MAKERS or not rest:
            raise UsageError("a check is mail:..., oidc:... or ticket:...: see the page on identity checks")
        if kind in checks:
            raise UsageError(f"two checks of the kind {kind}: a server has one of each at most")
        checks[kind] = _MAKERS[kind](rest, server)
    return checks


def named_identity(check: IdentityCheck, text: str) -> bytes:
    """Return the identity of a check that an operator names: an address, a subject, or an application's.

    It is what `Gate.release` takes. Raises MalformedMessage, UsageError.
    """
    if isinstance(check, OidcCheck):
        return check.identity_of(text)
    return check.identity(text.encode()) if isinstance(check, CodeCheck) else text.encode()


async def close_checks(checks: Mapping[str, IdentityCheck]) -> None:
    """End what `checks_of` began: mails that wait are sent, for ten seconds at most."""
    for each in checks.values():
        if isinstance(each, MailCheck | OidcCheck):
            await each.close()


def _ticket(text: str, server: int) -> TicketCheck:
    return TicketCheck(text, server)


def _oidc(text: str, _: int) -> OidcCheck:
    url = _url(text)
    said = _parameters(url, required={"client"}, optional={"algorithms"})
    issuer = urlunsplit(url._replace(query=""))
    algorithms = said.get("algorithms", _DEFAULT_ALGORITHMS).split(",")
    return OidcCheck(issuer, said["client"], algorithms=algorithms)


def _mail(text: str, _: int) -> MailCheck:
    url = _url(text)
    said = _parameters(url, required={"from", "service"}, optional={"password-file"})
    if url.scheme not in _SECURITY or url.path.strip("/") or url.password is not None:
        raise UsageError(
            "a mail server is smtp://HOST, smtps://HOST or smtp+plain://HOST, without a password"
        )
    security, port = _SECURITY[url.scheme]
    user = None if url.username is None else unquote(url.username)
    file = said.get("password-file")
    password = None if file is None else _password(Path(file))
    server = MailServer(url.hostname or "", url.port or port, security, user, password)
    return MailCheck(server, said["from"], MailText.of(said["service"]))


_MAKERS: Final[Mapping[str, Callable[[str, int], IdentityCheck]]] = {
    "ticket": _ticket,
    "oidc": _oidc,
    "mail": _mail,
}


def _url(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        _ = url.port  # it is read only now
    except ValueError:
        raise UsageError("the check has no url that can be read: see the page on identity checks") from None
    if url.fragment:
        raise UsageError("the url of a check has no #: write %23")
    return url


def _parameters(url: SplitResult, required: set[str], optional: set[str]) -> dict[str, str]:
    """Return the parameters of a URL. Raises UsageError for one that is missing, unknown, empty or twice."""
    try:
        pairs = parse_qsl(url.query, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        pairs = []
    said = dict(pairs)
    if (
        len(said) != len(pairs)
        or not required <= said.keys() <= required | optional
        or not all(said.values())
    ):
        wanted = ", ".join(sorted(required))
        raise UsageError(
            f"the check needs {wanted} after the ?, each once, and nothing that it does not know"
        )
    return said


def _password(path: Path) -> MailPassword:
    """Read a password's file. Raises UsageError, also if others may read it, and OSError."""
    with path.open("rb") as file:
        if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise UsageError(f"others may read {path.name}: run `chmod 600` on it, or change the password")
        data = file.read(_LONGEST_PASSWORD + 1).rstrip(b"\r\n")
    if not 1 <= len(data) <= _LONGEST_PASSWORD:
        raise UsageError(f"a password file has 1 to {_LONGEST_PASSWORD} bytes")
    return MailPassword(data)
