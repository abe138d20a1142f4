"""The contacts of a client: who people are, and what the person here decides about them.

Not here: what a contact is (user/), asking the relay (_fetcher.py).
"""

from contextlib import suppress

from letterlock._handshake.safety_number import SafetyNumber
from letterlock._wire.relay_error import RelayCode
from letterlock.client._errors import RelayMisbehaves, RelayRefused, RelayUnavailable, UnknownUser
from letterlock.client._fetcher import AT_ONCE, Fetcher
from letterlock.client._office import Office
from letterlock.client._rows import Draft
from letterlock.client._values import Delivery, Person
from letterlock.errors import LetterlockError
from letterlock.user import ContactState, Evidence, UserContact
from letterlock.user._outbox import Outbox


class Contacts:
    """The contacts of one client."""

    __slots__ = ("_office",)

    def __init__(self, office: Office) -> None:
        self._office = office

    async def meet(self, fetcher: Fetcher, *names: str) -> None:
        """Fetch the lists of names. Raises UnknownUser, UsageError, RelayUnavailable, RelayMisbehaves."""
        self._office.require_outside()
        for at in range(0, len(names), AT_ONCE):
            for wrong in (await fetcher.refresh_all(names[at : at + AT_ONCE])).values():
                raise _as_told(wrong) from None

    async def send(self, fetcher: Fetcher, draft: Draft) -> bytes:
        """Send content, after asking for the lists of a name that is no contact yet; return its id."""
        office = self._office
        id_ = await office.run(office.queue.send, draft)
        if id_ is None and office.connection.is_up is not False and not office.thread.is_inside:
            with suppress(RelayUnavailable, RelayMisbehaves):  # else it waits, and the fetcher asks again
                await self.meet(fetcher, draft.name)
                id_ = await office.run(office.queue.send, draft)
        if id_ is None:
            id_ = await office.run(office.queue.draft, draft)
        office.wake_all()
        return id_

    async def all(self) -> list[Person]:
        """Return all contacts."""
        user = self._office.queue.user
        return await self._office.run(lambda: [_person(each) for each in user.contacts()])

    async def person(self, name: str) -> Person:
        """Return one contact. Raises UsageError."""
        user = self._office.queue.user
        return await self._office.run(lambda: _person(user.contact(name)))

    async def safety_number(self, name: str) -> SafetyNumber:
        """Return the safety number of a contact. Raises UsageError."""
        user = self._office.queue.user
        return await self._office.run(lambda: user.contact(name).safety_number())

    async def verify(self, name: str, code: str | bytes) -> None:
        """Compare a safety number. Raises SafetyNumberMismatch, ContactFrozen, UsageError."""
        user = self._office.queue.user
        await self._office.run(lambda: user.contact(name).verify(code))

    async def evidence(self, name: str) -> Evidence | None:
        """Return the evidence against a contact's lists. Raises UsageError."""
        user = self._office.queue.user
        return await self._office.run(lambda: user.contact(name).evidence)

    async def decide(self, name: str, *, replaces: bool) -> None:
        """End a conflict. Raises UsageError."""
        await self._office.run(self._office.queue.decide, name, replaces=replaces)
        self._office.wake_all()

    async def delivery(self, id_: bytes) -> Delivery | None:
        """Return what a content waits for."""
        return await self._office.run(_delivery, self._office, id_)


def _as_told(wrong: RelayMisbehaves | RelayRefused) -> LetterlockError:
    """Return the error that tells the application why there are no lists."""
    if isinstance(wrong, RelayMisbehaves):
        return wrong
    if wrong.code is RelayCode.UNKNOWN:
        return UnknownUser()
    return RelayUnavailable(f"the relay refused it ({wrong.code.name})", wrong.number)


def _delivery(office: Office, id_: bytes) -> Delivery | None:
    draft = office.queue.tables.drafts.load(id_)
    if draft is not None:
        return Delivery(draft.name, ())
    sent = Outbox(office.thread.store).load(id_)
    return None if sent is None else Delivery(sent.name, tuple(each.device for each in sent.places))


def _person(contact: UserContact) -> Person:
    state = contact.state
    devices = () if state is ContactState.CONFLICTING else contact.devices
    return Person(contact.name, contact.user_id, contact.version, state, devices)
