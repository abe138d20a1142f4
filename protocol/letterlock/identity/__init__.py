"""Checks of an identity, for the two servers of recovery: by mail, by a sign-on service, by the application.

    MailCheck       sends a code to a mail address
    OidcCheck       reads the ID token of a sign-on service (OpenID Connect)
    TicketCheck     reads a ticket that the application's server signed
    checks_of       the checks that an operator names in a line of text each

A `letterlock.recovery.Gate` takes any of them, and checks of an application's own. What each is worth against
whom is in the documentation: choose two that no one party can pass alone.

This module needs `pip install letterlock[identity]`.

Not here: codes, tries, passes and bindings (recovery/).
"""

from letterlock.identity._mail import MailCheck
from letterlock.identity._mail_server import MailPassword, MailSecurity, MailServer
from letterlock.identity._oidc import OidcCheck
from letterlock.identity._settings import checks_of, close_checks, named_identity
from letterlock.identity._texts import MailText, NoticeText
from letterlock.identity._ticket import TicketCheck

__all__ = [
    "MailCheck",
    "MailPassword",
    "MailSecurity",
    "MailServer",
    "MailText",
    "NoticeText",
    "OidcCheck",
    "TicketCheck",
    "checks_of",
    "close_checks",
    "named_identity",
]
