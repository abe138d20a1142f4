"""The errors of the user layer. Like all others, their class says who is wrong.

    PeerError
    |-- InvalidDeviceList   a device list that breaks a rule, or does not follow the one on record
    `-- LinkingRefused      a linking code or message that is expired, or not of this linking
    UsageError
    `-- OwnDeviceRevoked    this device was revoked by its own user
    TrustError
    |-- ContactFrozen       device lists under one name contradict each other
    |-- DeviceRevoked       a message of a device that its user revoked
    `-- DeviceNotListed     a message of a device that is in no device list, or that gets and sends none

Not here: the errors that these are kinds of, and all others (errors.py).
"""

from typing import ClassVar

from letterlock.errors import Cause, PeerError, TrustError, UsageError


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


class OwnDeviceRevoked(UsageError):
    """The caller is wrong: this device was revoked by its own user, and neither sends nor receives any more.

    Link it again as a new device, with an empty store. What had arrived can still be read.
    """

    TEXT: ClassVar[str] = "this device was revoked: link it again as a new device, with an empty store"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class DeviceRevoked(TrustError):
    """The device was revoked by its user: lost, stolen, or no longer used. What it writes is not read.

    Discard the message. Whoever still uses the device has to link it again, as a new one, from another device
    of the same person.
    """

    cause = Cause.REVOKED

    TEXT: ClassVar[str] = "its user revoked this device: discard the message, or link the device again"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class DeviceNotListed(TrustError):
    """The device is in no device list that the directory shows, or is of a class that writes no messages.

    Discard the message. If its sender is honest, the directory hides their newest device list: ask them over
    another channel, and let another device of theirs write.
    """

    cause = Cause.NOT_LISTED

    TEXT: ClassVar[str] = "no device list of this user has the device: discard the message, or ask its sender"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)
