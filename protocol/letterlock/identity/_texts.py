"""What the mails of a server say. An operator puts other words in, or another language.

Not here: sending them (_mail.py).
"""

from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock.errors import UsageError
from letterlock.recovery import SecondLockEvent

CODE: Final = "{code}"
_MAX_SUBJECT: Final = 120
_MAX_BODY: Final = 8 * 1024
_SERVICE: Final = "{service}"

_SUBJECT: Final = "Your code"
_BODY: Final = """\
Your code for {service} is

    {code}

Type it only where you have asked for a code of {service}. It is good for a few minutes.

If you did not ask for it, somebody else typed your address, perhaps by mistake. Nobody can
do anything with your address without this code. Do not tell it to anybody.
"""

_ASKED: Final = """\
Somebody has asked {service} for a way back into your account without the password. They have
passed the check that you chose for this, for example because they can read your mail.

If it was you, there is nothing to do. Come back when the delay that you chose is over.

If it was not you, open {service} on any of your devices and stop it there. If nobody stops it,
they get into your account when the delay is over, one to three days from now.
"""

_GIVEN: Final = """\
{service} has given out its half of the key to your account, because somebody asked for it and
nobody stopped them while the delay ran.

If it was you, there is nothing to do.

If it was not you, somebody may read your account now. Open {service} on any of your devices,
and look at once which devices your account has.
"""

_STOPPED: Final = """\
Somebody had asked {service} for a way back into your account without the password. One of your
devices has stopped it. Nobody can ask again for a week.

If it was not you who stopped it, open {service} on any of your devices, and look which devices
your account has.
"""


def _require_subject(subject: str) -> None:
    if not subject.isprintable() or not 1 <= len(subject) <= _MAX_SUBJECT:
        raise UsageError(f"a subject is one line of 1 to {_MAX_SUBJECT} printable characters")


@dataclass(frozen=True, slots=True)
class NoticeText:
    """What the mails about a second lock say: one subject, and a body for each event. Raises UsageError."""

    subject: str = "About your account"
    asked: str = _ASKED.replace(_SERVICE, "the service")
    given: str = _GIVEN.replace(_SERVICE, "The service")
    stopped: str = _STOPPED.replace(_SERVICE, "the service")

    def __post_init__(self) -> None:
        _require_subject(self.subject)
        for each in (self.asked, self.given, self.stopped):
            if not each.strip() or len(each) > _MAX_BODY:
                raise UsageError(f"a notice has 1 to {_MAX_BODY} characters")

    @classmethod
    def of(cls, service: str) -> "NoticeText":
        """Return an English text for a service, by the name that its users know."""
        asked, given, stopped = (each.replace(_SERVICE, service) for each in (_ASKED, _GIVEN, _STOPPED))
        return cls("Somebody asked for a way back into your account", asked, given, stopped)

    def body(self, event: SecondLockEvent) -> str:
        """Return what is said of an event."""
        return {
            SecondLockEvent.ASKED: self.asked,
            SecondLockEvent.GIVEN: self.given,
            SecondLockEvent.STOPPED: self.stopped,
        }[event]


@dataclass(frozen=True, slots=True)
class MailText:
    """What a mail with a code says. `{code}` stands in `body` once, and not in `subject`. Raises UsageError.

    `notices` are the mails about a second lock, which have no code.
    """

    subject: str
    body: str
    notices: NoticeText = NoticeText()

    def __post_init__(self) -> None:
        _require_subject(self.subject)
        if CODE in self.subject:
            raise UsageError("no code in the subject: it shows on a locked phone")
        if self.body.count(CODE) != 1 or len(self.body) > _MAX_BODY:
            raise UsageError(f"a mail has {CODE} in it once, and at most {_MAX_BODY} characters")

    @classmethod
    def of(cls, service: str) -> "MailText":
        """Return an English text for a service, by the name that its users know."""
        return cls(_SUBJECT, _BODY.replace(_SERVICE, service), NoticeText.of(service))
