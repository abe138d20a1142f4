"""ClientAddresses: sharing with somebody who has no account yet, and claiming what was shared.

    share       `make` at both servers, a grant to both keys, and an invitation for the person     [CLN-32]
    refresh     who has claimed what: from then on it is granted to the user                        [PRV-8]
    withdraw    nobody claims it any more                                                           [PRV-6]
    claim       the person, who has become a user (_claiming.py)                                   [PRV-11]

Each of them can be called again after it was interrupted, and goes on.

Not here: what is in the store (_address_book.py); the calls (_address_desk.py).
"""

import contextlib
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.provisional_calls import IdentityMade
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.relay_body import DoneAnswer
from letterlock.client._address_book import AddressBook, Opened
from letterlock.client._address_desk import AddressDesk, Asking, Connect, Learn
from letterlock.client._address_rows import Invited, InvitedState
from letterlock.client._address_values import (
    NO_CHECKS,
    AddressShared,
    Claimed,
    PersonAddress,
    ServerChecks,
    SharedAddress,
)
from letterlock.client._claim_watch import ClaimWatch
from letterlock.client._claiming import claim
from letterlock.client._errors import RelayMisbehaves, RelayRefused, RelayUnavailable, ServerUnavailable
from letterlock.client._events import RelayEventKind
from letterlock.client._librarian import Librarian
from letterlock.client._office import Office
from letterlock.documents import Conditions, ProvisionalKeys, SubjectKind
from letterlock.documents._json_documents import section_key
from letterlock.documents._key_finding import require_subject_id
from letterlock.errors import TrustError, UsageError
from letterlock.recovery import IdentityRefused, RecoveryRefused, ServerAtFault


class ClientAddresses(Uncopyable):
    """People without an account: `client.documents.addresses`. Every method may raise StoreError.

    What calls the servers raises RelayUnavailable (ServerUnavailable for one of both), ServerAtFault,
    RecoveryRefused, IdentityRefused; and UsageError inside `transaction()`. What it had done by then is kept:
    call it again.
    """

    __slots__ = ("_book", "_desk", "_watch")

    def __init__(self, office: Office, librarian: Librarian, learn: Learn, connect: Connect) -> None:
        """Not for applications, which use `client.documents.addresses`."""
        self._desk = AddressDesk(office, librarian, learn, connect)
        self._book = AddressBook(office, self._desk.tables)
        self._watch = ClaimWatch(self._desk, self._book, self._refreshed)

    # --- the granter ----------------------------------------------------------------------------------

    async def share(
        self,
        document: bytes,
        address: PersonAddress,
        *,
        conditions: Conditions | None = None,
        version: int | None = None,
        checks: ServerChecks = NO_CHECKS,
    ) -> AddressShared:
        """Share a document with whoever has an address. Send the invitation of the result to the person.

        `valid_until` of the conditions is the last moment to claim it: by default 30 days from now, or that
        of what was shared with the address before. The answers in `checks` are this user's own: any identity
        will do. If the person is a user by now, the document is granted to the user, who has to be a contact.
        Raises NoGrant, and UsageError for what is no address, no end, or a user whom this one has not met.
        """
        opened = partial(self._book.document, require_subject_id(document), version)
        return await self._share(opened, address, conditions or Conditions(), checks)

    async def share_section(
        self,
        data: bytes,
        section: str,
        address: PersonAddress,
        *,
        conditions: Conditions | None = None,
        checks: ServerChecks = NO_CHECKS,
    ) -> AddressShared:
        """Share a section of a sealed JSON document, by its name, with whoever has an address.

        It is like `share`; one invitation has sections and documents. Raises what `JsonDocuments.share` does.
        """
        opened = partial(section_key, self._desk.office.documents.json, data, section)
        return await self._share(opened, address, conditions or Conditions(), checks)

    async def invitations(self, document: bytes) -> tuple[tuple[PersonAddress, bytes], ...]:
        """Return the invitations of a document that were not claimed, to send them again."""
        id_ = require_subject_id(document)

        def found() -> tuple[tuple[PersonAddress, bytes], ...]:
            book, kinds = self._desk.office.documents.shelf.book, (SubjectKind.DOCUMENT, SubjectKind.SECTION)
            hashes = {each.grant.hash for kind in kinds for each in book.of_subject(kind, id_)}
            return tuple(
                (each.address, self._book.invitation(each.id))
                for each in self._book.shown()
                if hashes & {*each.grants} and each.user_id is None and not each.is_withdrawn
            )

        return await self._desk.office.run(found)

    async def all(self) -> tuple[SharedAddress, ...]:
        """Return what this device has shared with addresses, as far as it knows. It asks nobody."""
        return await self._desk.office.run(self._book.shown)

    async def refresh(self, *, checks: ServerChecks = NO_CHECKS) -> tuple[SharedAddress, ...]:
        """Ask both servers who has claimed what; grant it to these users, and end what was withdrawn.

        Each claim that is new is told as a RelayEvent. What the servers dispute about one identity is raised
        when all others were looked at.
        """
        await self._at_each(await self._key_servers(checks), checks, self._refresh)
        return await self.all()

    async def withdraw(
        self,
        address: PersonAddress,
        *,
        document: bytes | None = None,
        reason: str = "",
        checks: ServerChecks = NO_CHECKS,
    ) -> tuple[bytes, ...]:
        """Take back what was shared with an address and is not claimed yet: all of it, or one document.

        It needs no answers in `checks`. One honest server is enough, so what the other one has not taken goes
        with the next `refresh`. What was claimed before stays with whoever has it:
        returns their user ids, 32 bytes each. Raises UsageError if nothing waits.
        """
        id_ = None if document is None else require_subject_id(document)
        self._desk.office.require_outside()
        servers, before = await self._key_servers(checks), list[bytes]()
        gone = await self._desk.office.run(self._book.withdrawn, address, id_, reason)
        self._desk.office.wake_shelves()

        async def end(asking: Asking) -> None:
            before.extend([await self._claimed_before(asking, each) for each in gone])
            await self._end(asking)

        await self._at_each(servers, checks, end)
        return tuple(dict.fromkeys(each for each in before if each))

    # --- the person -----------------------------------------------------------------------------------

    async def claim(self, invitations: Iterable[bytes] = (), *, checks: ServerChecks) -> Claimed:
        """Make this user's own what was shared with the address that the answers in `checks` prove.

        Both servers check it. What the invitations hold is granted to this user, kept on its shelf at the
        relay for its other devices, and then both servers are told. Interrupted after that it needs no
        invitations again. Raises NoGrant if they are for another address, were withdrawn or have ended, and
        MalformedMessage for what is no invitation.
        """
        given = tuple(invitations)
        async with self._desk.asking(checks) as asking:
            return await claim(self._desk, asking, given, checks)

    # --- inside ---------------------------------------------------------------------------------------

    async def _share(
        self, opened: Opened, address: PersonAddress, wanted: Conditions, checks: ServerChecks
    ) -> AddressShared:
        run, book = self._desk.office.run, self._book
        async with self._desk.asking(checks) as asking:
            for attempt in (1, 2):
                identity = await run(book.begun, address, wanted.valid_until, opened, asking.url)
                known = (await run(book.row, identity)).user_id
                try:
                    keys = known or await self._asked(asking, identity)
                except RecoveryRefused:
                    # One server names a user and the other one does not: another identity. [PRV-8]
                    if attempt == 2 or not await run(self._is_half, identity):
                        raise
                    continue
                if isinstance(keys, bytes):
                    return await self._shared_with(identity, keys, opened, wanted.purpose)
                return await self._granted(identity, keys, opened, wanted.purpose)
        raise AssertionError("unreachable")

    async def _key_servers(self, checks: ServerChecks) -> list[str]:
        """Return which key servers to ask: the named one, or all that hold something of this device."""
        if checks.key_server is not None:
            return [checks.key_server]
        return await self._desk.office.run(self._book.key_servers) or [""]

    async def _at_each(
        self, servers: Iterable[str], checks: ServerChecks, work: Callable[[Asking], Awaitable[None]]
    ) -> None:
        """Do something at each key server. Raises what one of them raised, after all were asked."""
        failed = None
        for url in servers:
            try:
                async with self._desk.asking(checks, url) as asking:
                    await work(asking)
            except (RelayUnavailable, ServerAtFault, IdentityRefused, TrustError) as error:
                failed = failed or error  # one server that is away or lies hides no other one
        if failed is not None:
            raise failed

    async def _refresh(self, asking: Asking) -> None:
        """Ask about everything at one key server, and end what was withdrawn there."""
        now, failed = self._desk.office.queue.tables.clock(), None
        await self._end(asking)
        for id_, row in await self._desk.office.run(self._book.rows):
            if row.key_server != asking.url:
                continue
            try:
                await self._refreshed(asking, id_, row, now)
            except (ServerAtFault, TrustError) as error:
                failed = failed or error  # one identity that is disputed hides no other
        if failed is not None:
            raise failed

    async def _refreshed(self, asking: Asking, id_: bytes, row: Invited, now: int) -> None:
        """Ask who has claimed one identity, or give on what waits for that."""
        if row.user_id is not None:
            if row.grants:
                await self._noted(id_, row.user_id)
        elif row.state is not InvitedState.WITHDRAWN and row.end >= now and row.keys:
            try:
                found = await self._asked(asking, id_)
            except RecoveryRefused:
                return  # half claimed: the person says it to the other server, too
            if isinstance(found, bytes):
                await self._noted(id_, found)

    async def _asked(self, asking: Asking, id_: bytes) -> ProvisionalKeys | bytes:
        """Ask both servers for an identity. Raises ServerAtFault, RecoveryRefused. [PRV-8]"""
        new = await self._desk.office.run(self._book.asked, id_)
        first, second = [await asking.passing(each, new.request, IdentityMade) for each in SERVERS]
        if (first.key is None) != (second.key is None):
            await self._desk.office.run(self._book.half_claimed, id_)
        return new.finish(first, second)

    async def _claimed_before(self, asking: Asking, id_: bytes) -> bytes:
        """Return who has claimed an identity that is withdrawn, if both servers say so; or no bytes."""
        row = dict(await self._desk.office.run(self._book.rows)).get(id_)
        if row is None or row.key_server != asking.url or row.told:
            return b""
        new = await self._desk.office.run(self._book.asked, id_)
        try:
            first, second = [await asking.at(each, new.request, IdentityMade) for each in SERVERS]
            found = new.finish(first, second)
        except (RelayUnavailable, ServerAtFault, RecoveryRefused, IdentityRefused):
            return b""  # it is ended whatever they say
        return found if isinstance(found, bytes) else b""

    def _is_half(self, id_: bytes) -> bool:
        return self._book.row(id_).state is InvitedState.HALF

    async def _granted(
        self, identity: bytes, keys: ProvisionalKeys, opened: Opened, purpose: str
    ) -> AddressShared:
        def grant() -> AddressShared:
            made = self._book.granted(identity, keys, opened, purpose)
            return AddressShared(made, self._book.invitation(identity), self._book.row(identity).end)

        made = await self._desk.office.run(grant)
        self._desk.office.wake_shelves()
        return made

    async def _shared_with(
        self, identity: bytes, user_id: bytes, opened: Opened, purpose: str
    ) -> AddressShared:
        """Grant something to the user who has claimed an identity."""
        reader = await self._noted(identity, user_id)
        if reader is None:
            raise UsageError(
                "the person is a user whom this one has not met: learn their name, meet them, and share again"
            )

        def grant() -> AddressShared:
            made = self._book.shared(opened, reader, Conditions(purpose))
            return AddressShared(made, None, self._book.row(identity).end, user_id, reader)

        made = await self._desk.office.run(grant)
        self._desk.office.wake_shelves()
        return made

    async def _noted(self, id_: bytes, user_id: bytes) -> str | None:
        """Note who has claimed an identity, and grant everything to that user; return the contact's name."""
        office = self._desk.office
        is_new = await office.run(self._book.claimed, id_, user_id)
        reader = await office.run(self._book.reader, user_id)
        introduced = (await office.run(office.documents.parcels_in.introduced.names)).get(user_id)
        if reader is None and introduced is not None:
            with contextlib.suppress(RelayUnavailable, RelayMisbehaves, RelayRefused):
                await self._desk.learn(introduced)
            reader = await office.run(self._book.reader, user_id)
        if is_new:
            office.tell(RelayEventKind.CLAIMED, reader)
        if reader is not None:
            await office.run(self._book.given_on, id_, reader)
            office.wake_shelves()
        return reader

    async def _end(self, asking: Asking) -> None:
        """End withdrawn identities at both servers. Raises what calls raise, after both were asked."""
        office, failed = self._desk.office, None
        for id_ in await office.run(self._book.ending, asking.url):
            row = await office.run(self._book.row, id_)
            calls = (await office.run(self._book.asked, id_)).withdraw()
            for server in SERVERS:
                if row.told & server:
                    continue
                try:
                    await asking.at(server, calls[server - 1], DoneAnswer)
                except RecoveryRefused:
                    pass  # it holds another identity of this id, and never ours
                except (ServerUnavailable, ServerAtFault, IdentityRefused) as error:
                    failed = failed or error
                    continue
                await office.run(self._book.ended, id_, server)
        if failed is not None:
            raise failed

    def __repr__(self) -> str:
        return "<ClientAddresses>"


async def look_for_claims(addresses: ClientAddresses) -> bool:
    """Ask about claims that somebody shows; return whether to look again later. For the client's tasks."""
    return await addresses._watch.look()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
