"""MailCheck: a code goes to a mail address, and whoever can read the mailbox types it.             [REC-28]

The mail says for which service the code is. A person who asked two servers gets two mails, and a server that
was shown the other one's code could use it there.

aiosmtplib does the work: it is the maintained SMTP client for asyncio, has no dependencies, and can insist on
STARTTLS. The standard library's would need a thread for each mail, which nothing can stop.

Not here: the code (recovery/); addresses (_addresses.py); waiting (_outbox.py).
"""

from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import partial
from ssl import SSLContext
from typing import Final

import aiosmtplib

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Clock, system_clock
from letterlock._primitives.secret import Uncopyable
from letterlock.errors import MalformedMessage, UsageError
from letterlock.identity._addresses import canonical_address
from letterlock.identity._mail_server import MailSecurity, MailServer
from letterlock.identity._outbox import Outbox

_CODE: Final = "{code}"
_MAX_SUBJECT: Final = 120
_MAX_BODY: Final = 8 * 1024
_TIMEOUT: Final = 30
"""Seconds for one step of SMTP."""

_FOR_GOOD: Final = 500
"""The lowest answer of SMTP that means: never."""

_SUBJECT: Final = "Your code"
_BODY: Final = """\
Your code for {service} is

    {code}

Type it only where you have asked for a code of {service}. It is good for a few minutes.

If you did not ask for it, somebody else typed your address, perhaps by mistake. Nobody can
do anything with your address without this code. Do not tell it to anybody.
"""


@dataclass(frozen=True, slots=True)
class MailText:
    """What a mail says. `{code}` stands in `body` once, and not in `subject`. Raises UsageError."""

    subject: str
    body: str

    def __post_init__(self) -> None:
        if not self.subject.isprintable() or not 1 <= len(self.subject) <= _MAX_SUBJECT:
            raise UsageError(f"a subject is one line of 1 to {_MAX_SUBJECT} printable characters")
        if _CODE in self.subject:
            raise UsageError("no code in the subject: it shows on a locked phone")
        if self.body.count(_CODE) != 1 or len(self.body) > _MAX_BODY:
            raise UsageError(f"a mail has {_CODE} in it once, and at most {_MAX_BODY} characters")

    @classmethod
    def of(cls, service: str) -> "MailText":
        """Return an English text for a service, by the name that its users know."""
        return cls(_SUBJECT, _BODY.replace("{service}", service))


class MailCheck(Uncopyable):
    """Sends codes by mail. A `CodeCheck`. Close it when the server ends.

    `sender` is the address that mails come from. Raises UsageError if it is none.
    """

    __slots__ = ("_clock", "_outbox", "_sender", "_server", "_text", "_tls")

    def __init__(
        self,
        server: MailServer,
        sender: str,
        text: MailText,
        *,
        tls: SSLContext | None = None,
        outbox: Outbox | None = None,
        clock: Clock = system_clock,
    ) -> None:
        try:
            self._sender = canonical_address(sender.encode()).decode()
        except MalformedMessage:
            raise UsageError("the sender of mails needs a mail address") from None
        self._server = server
        self._text = text
        self._tls = tls
        self._outbox = Outbox() if outbox is None else outbox
        self._clock = clock

    def identity(self, claim: bytes) -> bytes:
        """Return the one form of an address. Raises MalformedMessage. [REC-28]"""
        return canonical_address(claim)

    async def deliver(self, identity: bytes, code: str) -> None:
        """Have a code sent soon. Raises CheckUnavailable if too many mails wait. [REC-26]"""
        self._outbox.put(partial(self._send, self._mail(identity.decode("ascii"), code)))

    async def close(self) -> None:
        """Send what waits, for ten seconds at most."""
        await self._outbox.close()

    def _mail(self, address: str, code: str) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._sender, address, self._text.subject
        mail["Date"] = formatdate(self._clock())
        mail["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"  # no mailbox answers it (RFC 3834)
        half = len(code) // 2
        mail.set_content(self._text.body.replace(_CODE, f"{code[:half]} {code[half:]}"))
        return mail

    async def _send(self, mail: EmailMessage) -> None:
        server, password = self._server, self._server.password
        try:
            await aiosmtplib.send(
                mail,
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=None if password is None else password.expose(),
                timeout=_TIMEOUT,
                use_tls=server.security is MailSecurity.TLS,
                start_tls=server.security is MailSecurity.STARTTLS,
                tls_context=self._tls,
            )
        except aiosmtplib.SMTPRecipientsRefused as refused:
            if any(each.code < _FOR_GOOD for each in refused.recipients):
                raise
            # No such mailbox, says the server: sending again would not help.

    def __repr__(self) -> str:
        return f"<MailCheck: from {self._sender}>"
