"""The one form of a mail address, so that servers and clients agree which addresses are one person's.

    local part      atoms of RFC 5322 with dots between, at most 64 characters
    domain          labels of letters, digits and hyphens with dots between; with `xn--` for other letters
    both            in small letters, at most 254 characters

Quoted local parts, comments, literal domains and everything else that RFC 5322 allows are refused: hardly
anybody has such an address, and each of them is a way to smuggle something into a mail. [REC-28]

Not here: whether there is such a mailbox. The mail shows it.
"""

import re
from typing import Final

from letterlock.errors import MalformedMessage

MAIL: Final = "mail"
"""The kind of the check that sends a code to a mail address."""

_MAX_ADDRESS: Final = 254
_ATOM: Final = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS: Final = re.compile(rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}")


def canonical_address(claim: bytes) -> bytes:
    """Return an address in its one form: ASCII, in small letters. Raises MalformedMessage. [REC-28]"""
    if len(claim) > _MAX_ADDRESS or not claim.isascii():
        raise MalformedMessage(f"a mail address has at most {_MAX_ADDRESS} characters of ASCII")
    address = claim.decode("ascii").strip(" ").lower()
    if _ADDRESS.fullmatch(address) is None:
        raise MalformedMessage("not a mail address")
    return address.encode("ascii")


def one_form(kind: str, address: str) -> str:
    """Return the form in which a client compares addresses of a kind: no other kind has one.     [PRV-13]

    What is no mail address stays as it is, and the servers refuse it.
    """
    if kind != MAIL or not address.isascii():
        return address
    try:
        return canonical_address(address.encode("ascii")).decode("ascii")
    except MalformedMessage:
        return address
