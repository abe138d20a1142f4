"""ClientPeople: the calls of a client about its contacts, and how far a delivery to one has come.

Not here: what they do (_contacts.py).
"""

from letterlock._handshake.safety_number import SafetyNumber
from letterlock._primitives.secret import Uncopyable
from letterlock.client._contacts import Contacts
from letterlock.client._fetcher import Fetcher
from letterlock.client._office import Office
from letterlock.client._values import Delivery, Person
from letterlock.user import Evidence


class ClientPeople(Uncopyable):
    """What a `Client` tells of its contacts, and is told about them."""

    __slots__ = ("_contacts", "_fetcher")

    def __init__(self, office: Office) -> None:
        """Not for applications."""
        self._fetcher = Fetcher(office)
        self._contacts = Contacts(office)

    async def meet(self, name: str) -> Person:
        """Ask the relay for a name's device lists, so that the name becomes a contact, and return it.

        Raises UnknownUser, RelayUnavailable, RelayMisbehaves; UsageError inside `transaction()`.
        """
        await self._contacts.meet(self._fetcher, name)
        return await self._contacts.person(name)

    async def contacts(self) -> list[Person]:
        """Return all contacts, in order of their names."""
        return await self._contacts.all()

    async def contact(self, name: str) -> Person:
        """Return the contact of this name. Raises UsageError if there is none."""
        return await self._contacts.person(name)

    async def safety_number(self, name: str) -> SafetyNumber:
        """Return the number that both people see. New devices do not change it."""
        return await self._contacts.safety_number(name)

    async def verify(self, name: str, code: str | bytes) -> None:
        """Note that `code` is what the contact's own screen shows, as `UserContact.verify` does."""
        await self._contacts.verify(name, code)

    async def evidence(self, name: str) -> Evidence | None:
        """Return what contradicts a contact's lists on record, in state CONFLICTING."""
        return await self._contacts.evidence(name)

    async def keep(self, name: str) -> None:
        """End a conflict with the lists on record, as `UserContact.keep` does."""
        await self._contacts.decide(name, replaces=False)

    async def replace(self, name: str) -> None:
        """End a conflict with the other lists, as `UserContact.replace` does."""
        await self._contacts.decide(name, replaces=True)

    async def delivery(self, id_: bytes) -> Delivery | None:
        """Return what a content waits for; None if each device has acknowledged it, or it was given up."""
        return await self._contacts.delivery(id_)
