"""What a check of an identity does, from the outside. There are two forms:

    CodeCheck       sends a code to whom is claimed: the gate makes the code, and compares what comes back
    TokenCheck      reads a statement of somebody else, which names the identity

An application with a check of its own implements one of them. One that sends codes may send notices as well
(ReachesUsers).

Not here: codes, challenges, passes and tries, which are alike for all checks (_gate.py).
"""

from typing import Protocol, runtime_checkable

from letterlock.recovery._notice_steps import SecondLockEvent


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


@runtime_checkable
class ReachesUsers(Protocol):
    """A check that can tell somebody of a second lock under the same name: most that send codes can."""

    def identity(self, claim: bytes) -> bytes:
        """Return the one form of a name, as a `CodeCheck` does."""
        ...

    async def notify(self, identity: bytes, event: SecondLockEvent) -> None:
        """Send a notice, and return when it is on its way: somebody else answers for it now. [REC-42]

        Raises CheckUnavailable if it was surely not sent. After any other exception it may have been.
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
