"""ClientCollections: the sets of readers that a user of a relay is in, for asyncio.

Each change is tried at once, and made anew while others are faster. If the relay is away, it stays here and
is offered when the relay is back.                                                                 [DOC-79]

Not here: the rules (documents/), the offers (_librarian.py).
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from letterlock._primitives.secret import Uncopyable
from letterlock.client._errors import RelayRefused, RelayUnavailable
from letterlock.client._librarian import Librarian
from letterlock.client._office import Office
from letterlock.documents import ChangeOutcome, Collection, CollectionChange, Role
from letterlock.errors import UsageError

Members = Iterable[str | bytes]
"""Names of contacts, or ids of collections."""


class ClientCollections(Uncopyable):
    """The collections of a client: `client.documents.collections`.

    A method that changes something returns whether the relay has the change in its log. False means that the
    change waits here: for the relay, or for keys or device lists that have to come first. Each raises what
    that of `Collections` raises, RelayMisbehaves, and UsageError inside `transaction()`; also UsageError if
    somebody else was faster and nothing of the change is possible any more.
    """

    __slots__ = ("_librarian", "_office", "_queue")

    def __init__(self, office: Office, librarian: Librarian) -> None:
        """Not for applications, which use `client.documents.collections`."""
        self._office = office
        self._queue = office.documents
        self._librarian = librarian

    async def create(self, name: str) -> bytes:
        """Make a collection with this user as its admin, and return its id, 16 bytes."""
        made: list[CollectionChange] = []

        def make() -> CollectionChange:
            made.append(self._queue.collections.create(name))
            return made[-1]

        await self._change(make)
        return made[-1].collection

    async def add(
        self, collection: bytes, members: Members, role: Role = Role.READER, *, history: bool = True
    ) -> bool:
        """Add members. Without `history` they read from the current epoch on."""
        add = self._queue.collections.add
        return await self._change(partial(add, collection, tuple(members), role, history=history), collection)

    async def remove(self, collection: bytes, members: Members, *, force: bool = False) -> bool:
        """Remove members, and begin a new epoch whose key they do not get."""
        remove = self._queue.collections.remove
        return await self._change(partial(remove, collection, tuple(members), force=force), collection)

    async def set_role(self, collection: bytes, members: Members, role: Role) -> bool:
        """Give members another role."""
        set_role = self._queue.collections.set_role
        return await self._change(partial(set_role, collection, tuple(members), role), collection)

    async def rename(self, collection: bytes, name: str) -> bool:
        """Give a collection another name."""
        return await self._change(partial(self._queue.collections.rename, collection, name), collection)

    async def renew(self, collection: bytes, *, force: bool = False) -> bool:
        """Begin a new epoch with the same members."""
        renew = self._queue.collections.renew
        return await self._change(partial(renew, collection, force=force), collection)

    async def leave(self, collection: bytes) -> bool:
        """Leave a collection."""
        return await self._change(partial(self._queue.collections.leave, collection), collection)

    async def close(self, collection: bytes) -> bool:
        """End a collection for good."""
        return await self._change(partial(self._queue.collections.close, collection), collection)

    # --- looking --------------------------------------------------------------------------------------

    async def all(self) -> tuple[Collection, ...]:
        """Return all collections on record, in the order of their ids."""
        return await self._office.run(self._queue.collections.all)

    async def get(self, collection: bytes) -> Collection:
        """Return a collection. Raises UsageError for an id that is unknown."""
        return await self._office.run(self._queue.collections.get, collection)

    async def old_documents(self, collection: bytes, limit: int = 1000) -> tuple[bytes, ...]:
        """Return ids of documents whose newest version is granted to an older epoch of a collection."""
        return await self._office.run(self._queue.collections.old_documents, collection, limit)

    async def evidence(self, collection: bytes) -> bytes | None:
        """Return evidence that the log was shown in two versions, or None."""
        return await self._office.run(self._queue.collections.evidence, collection)

    async def keep(self, collection: bytes) -> None:
        """Go on with the log on record, once the contradiction is explained."""
        await self._office.run(self._queue.collections.keep, collection)

    async def forget(self, collection: bytes) -> None:
        """Delete a collection from the store, with its log."""
        await self._office.run(self._queue.forget, collection)

    async def _change(self, make: Callable[[], CollectionChange], collection: bytes | None = None) -> bool:
        """Make a change of what the log is by now, and have it taken."""
        self._office.require_outside()
        if collection is not None and self._office.connection.is_up is not False:
            with suppress(RelayUnavailable, RelayRefused):  # else it is made of the log on record
                await self._librarian.read_collection(collection)
        change = await self._office.run(self._queue.changed, make)
        try:
            outcome = await self._librarian.offer(change)
        except (RelayUnavailable, RelayRefused):
            return False
        finally:
            self._office.wake_shelves()
        if outcome is ChangeOutcome.REFUSED:
            raise UsageError("somebody else was faster, and the change is not possible any more")
        return outcome is not ChangeOutcome.WAITING

    def __repr__(self) -> str:
        return "<ClientCollections>"
