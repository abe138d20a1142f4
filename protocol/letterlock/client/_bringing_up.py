"""BringingUp: what a call about documents learns from the relay before it goes on.

    collections     their logs, so that what is sealed is for the members of today
    author          the device lists of whoever sealed something, if they are missing

Without the relay the call goes on with what is on record.

Not here: what the relay says by itself (_librarian.py).
"""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TypeVar

from letterlock._primitives.secret import Uncopyable
from letterlock.client._errors import RelayMisbehaves, RelayRefused, RelayUnavailable
from letterlock.client._librarian import Librarian
from letterlock.client._office import Office
from letterlock.documents import UnknownAuthor

T = TypeVar("T")


class BringingUp(Uncopyable):
    """Brings up to date what one client's calls about documents stand on."""

    __slots__ = ("_learn", "_librarian", "_office")

    def __init__(self, office: Office, librarian: Librarian, learn: Callable[[str], Awaitable[None]]) -> None:
        self._office = office
        self._librarian = librarian
        self._learn = learn

    async def collections(self, readers: Iterable[object]) -> None:
        """Read the logs of the collections among readers, if the relay is there."""
        if self._office.thread.is_inside or self._office.connection.is_up is False:
            return
        for each in readers:
            if isinstance(each, bytes):
                with suppress(RelayUnavailable, RelayMisbehaves, RelayRefused):
                    await self._librarian.read_collection(each)

    async def author(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something; if the author is not known, once more with newer device lists of its user."""
        try:
            return await work()
        except UnknownAuthor as unknown:
            if not await self._learned(unknown.user_id):
                raise
        return await work()

    async def _learned(self, user_id: bytes) -> bool:
        """Ask for the newer lists of a contact; return whether there is an answer."""
        for contact in await self._office.run(self._office.queue.user.contacts):
            if contact.user_id == user_id:
                with suppress(RelayUnavailable, RelayMisbehaves, RelayRefused):
                    await self._learn(contact.name)
                    return True
        return False
