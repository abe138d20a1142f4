"""What may go wrong between a client and its relay.

    RelayUnavailable     the relay, or the network, cannot answer now        tried again
    ServerUnavailable    one of the two servers of recovery, likewise        try again
    RelayMisbehaves      the relay's answer breaks the specification         tried again, and reported
    HistoryRefused       the history that came with a linking is wrong  this device is linked without it
    NotAdmitted          the relay refuses the login                         tried again, and reported
    OwnDeviceRevoked     the user's own list no longer has this device  the client ends (user/)
    RelayRefused         the relay did not carry out a call                  what then depends on the code
    NewPasswordNeeded    the first login of a user who was enrolled    the caller chooses a password
    RecoveryOvertaken    another device list came first           the caller recovers again
    NameTaken, TicketRefused, UnknownUser, AlreadyDone                       the caller learns of these

Not here: errors of the user's own calls.
"""

from letterlock._wire.relay_error import RelayCode
from letterlock.errors import Cause, LetterlockError, PeerError, UsageError


class RelayUnavailable(LetterlockError):
    """Whoever runs the relay, or the network, is in the way: try again after `seconds`, or later.

    What was sent is kept, and goes when the relay is back.
    """

    def __init__(self, text: str, seconds: int = 0) -> None:
        super().__init__(f"{text}: what was sent is kept, and is tried again")
        self.seconds = seconds


class ServerUnavailable(RelayUnavailable):
    """One of the two servers of recovery cannot answer now: try again after `seconds`, or later.

    `server` is 1 for the relay, and 2 for the key server. What was begun goes on when the call is repeated.
    """

    def __init__(self, server: int, seconds: int = 0) -> None:
        which = "the relay" if server == 1 else "the key server"
        text = f"asks to come again in {seconds} seconds" if seconds else "gives no answer about recovery now"
        LetterlockError.__init__(self, f"{which} {text}: try again {'then' if seconds else 'later'}")
        self.server = server
        self.seconds = seconds


class NotAdmitted(RelayUnavailable):
    """The relay no longer knows this device, and does not take its user again. See RelayEventKind."""


class RelayMisbehaves(PeerError):
    """The relay is wrong: its answer breaks the specification, or contradicts another one.

    The answer was discarded. The call is made again later.
    """

    cause = Cause.WRONG_BYTES

    def __init__(self, text: str) -> None:
        super().__init__(f"the relay {text}: its answer was discarded; tell whoever runs it")


class HistoryRefused(RelayMisbehaves):
    """The relay is wrong: it changed or dropped the history that came with a linking. It was not kept.

    This device was linked all the same: open the store. To get the history too, revoke this device, and link
    it again.
    """

    TEXT = "has changed the history of a linking, which goes on without: open the store"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class RelayRefused(LetterlockError):
    """The relay did not carry out a call. `code` says why, and `number` is what goes with the code."""

    def __init__(self, code: RelayCode, number: int = 0) -> None:
        super().__init__(f"the relay refused a call: {code.name} {number}")
        self.code = code
        self.number = number


class NameTaken(UsageError):
    """The caller is wrong: somebody else has this name at the relay. Choose another one."""

    TEXT = "somebody else has this name at the relay: choose another one"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class TicketRefused(UsageError):
    """The caller is wrong: the relay asks for a ticket, or this one is wrong, used or too old.

    Get a new one from the application's server.
    """

    TEXT = "the relay asks for a ticket, or refuses this one: get a new one from the application's server"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class RecoveryOvertaken(UsageError):
    """Another device changed the device list before this recovery was at the relay. Recover again.

    Nobody knows the device that this recovery made. Its store is deleted if it was named by a path; empty
    any other one before you recover again. The password was right, so no use is spent. Where it was a second
    lock, a store that was named by a path keeps what was asked for: call `recover_forgotten` again. For any
    other store, the delay begins again. At a first login,
    somebody else has logged in first: perhaps the same person, on another device, whose password then brings
    this one in.
    """

    TEXT = "another device list came first, so nobody knows this device: recover again, into an empty store"
    FIRST_LOGIN = (
        "somebody has logged in as this user first: if it was you, recover with the password that you chose "
        "there, into an empty store; if not, tell whoever enrolled you"
    )

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class NewPasswordNeeded(UsageError):
    """This is the first login of a user whom an application enrolled: call `first_login`.

    Whoever made the password of the letter could read everything. No use is spent. A first login that was
    interrupted goes on by `first_login` as well.
    """

    TEXT = "whoever enrolled this user knows the password: call `first_login` with a new one"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class UnknownUser(UsageError):
    """The caller is wrong: the relay knows nobody of this name. Check the spelling."""

    TEXT = "the relay knows nobody of this name: check the spelling"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class AlreadyDone(UsageError):
    """This message was finished before, by this program or another one with the same store: skip it.

    Inside a transaction, this undoes what the application saved of it.
    """

    TEXT = "this message was finished before: skip it"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)
