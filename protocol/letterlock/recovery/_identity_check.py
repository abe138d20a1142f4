"""What a check of an identity does, from the outside. There are two forms:

    CodeCheck       sends a code to whom is claimed: the gate makes the code, and compares what comes back
    TokenCheck      reads a statement of somebody else, which names the identity

An application with a check of its own implements one of them.

Not here: codes, challenges, passes and tries, which are alike for all checks (_gate.py).
"""

from typing import Protocol, runtime_checkable


@runtime_checkable
class CodeCheck(Protocol):
    """Reaches somebody under a name, such as a mail address. No name may take longer than others."""

    def identity(self, claim: bytes) -> bytes:
        """Return the one form of what was claimed, 1 to 320 bytes: `Anna@EXAMPLE.org` is one with another.

        Only the form of `claim` decides. Raises MalformedMessage if it is no such name.
        """
        ...

    async def deliver(self, identity: bytes, code: str) -> None:
        """Take over a code that is to be sent, and return before it is. [REC-26]

        Raises CheckUnavailable if nothing can be sent now, whoever it is for.
        """
        ...


class TokenCheck(Protocol):
    """Verifies statements about identities: of a sign-on service, or of an application."""

    async def identity(self, proof: bytes, nonce: bytes, now: int) -> bytes:
        """Return the identity that a proof names, 1 to 320 bytes. The nonce must stand in it. [REC-30]

        Raises IdentityRefused for a proof that is not good, CheckUnavailable if that cannot be known now.
        """
        ...


IdentityCheck = CodeCheck | TokenCheck
"""A check of either form."""
