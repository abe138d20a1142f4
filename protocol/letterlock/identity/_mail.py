"""MailCheck: a code goes to a mail address, and whoever can read the mailbox types it.             [REC-28]

The mail says for which service the code is. A person who asked two servers gets two mails, and a server that
was shown the other one's code could use it there.

aiosmtplib does the work: it is the maintained SMTP client for asyncio, has no dependencies, and can insist on
STARTTLS. The standard library's would need a thread for each mail, which nothing can stop.

A notice of a second lock goes to the same address. Whoever sends it waits, and learns whether the mail server
has taken it.                                                                                       [REC-42]

Not here: the code (recovery/); addresses (_wire/mail_address.py); texts (_texts.py); waiting (_outbox.py).
"""

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from functools import partial
from ssl import SSLContext
from typing import Final

import aiosmtplib

from letterlock._primitives.entropy import Clock, system_clock
from letterlock._primitives.secret import Uncopyable
from letterlock._wire.mail_address import canonical_address
from letterlock.errors import MalformedMessage, UsageError
from letterlock.identity._mail_server import MailSecurity, MailServer
from letterlock.identity._outbox import Outbox
from letterlock.identity._texts import CODE, MailText
from letterlock.recovery import CheckUnavailable, SecondLockEvent

_TIMEOUT: Final = 30
"""Seconds for one step of SMTP."""

_FOR_GOOD: Final = 500
"""The lowest answer of SMTP that means: never."""


class MailCheck(Uncopyable):
    """Sends codes and notices by mail: a `CodeCheck` that `ReachesUsers`. Close it when the server ends.

    `sender` is the address that mails come from. Raises UsageError if it is not an address.
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
        half, text = len(code) // 2, self._text
        body = text.body.replace(CODE, f"{code[:half]} {code[half:]}")
        self._outbox.put(partial(self._send, self._mail(identity, text.subject, body)))

    async def notify(self, identity: bytes, event: SecondLockEvent) -> None:
        """Send a notice, and return when the mail server has taken it. [REC-42]

        Raises CheckUnavailable if it was surely not sent. After another exception it may have been.
        """
        notices = self._text.notices
        mail = self._mail(identity, notices.subject, notices.body(event))
        client = self._client()
        try:
            try:
                await client.connect()
                await client.mail(self._sender)
                await client.rcpt(identity.decode("ascii"))
            except (aiosmtplib.SMTPException, OSError):
                raise CheckUnavailable("the mail server takes no mail for this address now") from None
            try:
                await client.data(mail.as_bytes(policy=SMTP))
            except aiosmtplib.SMTPResponseException:
                raise CheckUnavailable("the mail server did not take this mail") from None
        finally:
            client.close()

    async def close(self) -> None:
        """Send what waits, for ten seconds at most."""
        await self._outbox.close()

    def _mail(self, identity: bytes, subject: str, body: str) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._sender, identity.decode("ascii"), subject
        mail["Date"] = formatdate(self._clock())
        mail["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"  # no mailbox answers it (RFC 3834)
        mail.set_content(body)
        return mail

    def _client(self) -> aiosmtplib.SMTP:
        server, password = self._server, self._server.password
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=None if password is None else password.expose(),
            timeout=_TIMEOUT,
            use_tls=server.security is MailSecurity.TLS,
            start_tls=server.security is MailSecurity.STARTTLS,
            tls_context=self._tls,
        )

    async def _send(self, mail: EmailMessage) -> None:
        try:
            async with self._client() as client:
                await client.send_message(mail)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            if any(each.code < _FOR_GOOD for each in refused.recipients):
                raise
            # No such mailbox, says the server: sending again would not help.

    def __repr__(self) -> str:
        return f"<MailCheck: from {self._sender}>"
