"""The errors of the user layer. Like all others, their class says who is wrong.

    PeerError
    |-- InvalidDeviceList   a device list that breaks a rule, or does not follow the one on record
    `-- LinkingRefused      a linking code or message that is expired, or not of this linking
    TrustError
    `-- ContactFrozen       device lists under one name contradict each other

Not here: the errors that these are kinds of, and all others (errors.py).
"""

from typing import ClassVar

from letterlock.errors import Cause, PeerError, TrustError


class InvalidDeviceList(PeerError):
    """The user or the directory is wrong: a device list breaks a rule of the specification.

    Discard it, and keep the list on record. If it only does not follow that one, ask for all versions from
    the first. Signatures are checked last, and raise InvalidSignature.
    """


class LinkingRefused(PeerError):
    """The other device, or somebody between the two, is wrong: a linking code or message does not fit.

    Show a new code on the new device, and begin again. If it happens again, somebody interferes.
    """


class ContactFrozen(TrustError):
    """Device lists under this name contradict each other. Nothing is sent to the contact until you decide.

    `Contact.evidence` has them. Ask the contact over another channel, then call `Contact.keep` or
    `Contact.replace`.
    """

    cause = Cause.CONTRADICTION

    TEXT: ClassVar[str] = "device lists of this contact contradict each other: decide with keep or replace"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)
