"""The registry: names, and the chains of device lists under them.

The relay decides nothing about who somebody is. The first chain under a name has it, unless the application's
own server signs that it may be replaced.

Not here: the rules of device lists (user/).
"""

from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_limits import MAX_CHAIN_BYTES, MAX_CHAIN_LISTS
from letterlock._wire.relay_lists import (
    AppendRequest,
    ListsAnswer,
    ListsRequest,
    RegisterRequest,
    UserRequest,
)
from letterlock._wire.relay_login import account_key
from letterlock._wire.relay_shelf import ShelfName
from letterlock._wire.relay_ticket import Ticket
from letterlock.errors import PeerError
from letterlock.limits import MAX_DEVICE_LIST
from letterlock.relay._means import NOT_THERE, Means
from letterlock.relay._reply import Refused
from letterlock.relay._session import Session
from letterlock.relay._store import Head
from letterlock.relay._verification import verify_chain, verify_successor


class Registry:
    """The calls `register`, `lists`, `user` and `append`."""

    __slots__ = ("_means",)

    def __init__(self, means: Means) -> None:
        self._means = means

    async def register(self, request: RegisterRequest, now: int) -> DoneAnswer:
        """Register a name. A second time with the same chain, or less of it, changes nothing. [RLY-9]"""
        means, account = self._means, account_key(request.name)
        ticket = self._ticket(request)
        means.limits.registrations.take(None if ticket is None else account, now)
        head = await means.run(lambda: verify_chain(request.lists))
        there = await means.heads.newest(account, now)
        if ticket is not None and ticket.not_after < now:
            # The ticket was good when this was first asked for, perhaps, and the answer was lost.
            if not await self._is_known(account, there, head, request.lists[-1]):
                raise Refused(RelayCode.TICKET)
            return DoneAnswer()
        may_replace = ticket is not None and ticket.may_replace
        if there is None or (may_replace and there.user_id != head.user_id):
            there = await self._create(request, head, ticket, now)
        if there is not None and not await self._is_known(account, there, head, request.lists[-1]):
            raise _not_the_chain(there, head)
        return DoneAnswer()

    async def _create(
        self, request: RegisterRequest, head: Head, ticket: Ticket | None, now: int
    ) -> Head | None:
        """Store an account, which may replace another one. Return None, or the head that is there. [RLY-9]

        A ticket that may replace is used up first: a second user id must never get in with it. Raises
        Refused, TICKET, if it was used before for another chain.
        """
        means, account = self._means, account_key(request.name)
        may_replace = ticket is not None and ticket.may_replace
        if (
            ticket is not None
            and may_replace
            and not await means.spend(account, ticket.nonce, ticket.not_after + 1, now)
        ):
            there = await means.heads.newest(account, now)  # the same request came twice at the same time
            if there is None or there.user_id != head.user_id:
                raise Refused(RelayCode.TICKET)
            return there
        there = await means.store.create(account, request.lists, head, replace=may_replace)
        means.heads.forget(account)
        return there

    def _ticket(self, request: RegisterRequest) -> Ticket | None:
        """Return the ticket, which may have ended; None where registration is open.

        Raises Refused, TICKET, unless the application's key signed it for this name. [RLY-9]
        """
        key = self._means.settings.ticket_key
        if key is None:
            return None
        try:
            ticket = Ticket.decode(request.ticket or b"")
            ticket.verify(Ed25519PublicKey(key))
        except PeerError:
            raise Refused(RelayCode.TICKET) from None
        if ticket.name != request.name:
            raise Refused(RelayCode.TICKET)
        return ticket

    async def _is_known(self, account: bytes, there: Head | None, head: Head, last: bytes) -> bool:
        """Return whether a chain is the one that is there, or the beginning of it."""
        if there is None or there.user_id != head.user_id or head.version > there.version:
            return False
        return await self._stored(account, head.version) == last

    async def lists(self, request: ListsRequest, session: Session, now: int) -> ListsAnswer:
        """Return the device lists of a name after a version: at most 20, and 4 MiB."""
        means, account = self._means, account_key(request.name)
        await means.check(session, now)
        if account != session.account:
            means.limits.target(session.requester, account, now)
        head = await means.heads.newest(account, now)
        if head is None:
            raise Refused(RelayCode.UNKNOWN, NOT_THERE)
        return await self._listed(account, head, request.after)

    async def user(self, request: UserRequest, session: Session, now: int) -> ListsAnswer:
        """Return the device lists of a user id after a version: logs of collections name ids. [RLY-43]"""
        means = self._means
        head, _ = await means.check_now(session, now)
        if request.user_id != head.user_id:
            means.limits.target(session.requester, ShelfName.of_user(request.user_id).key, now)
        found = await means.store.user(request.user_id)
        if found is None:
            raise Refused(RelayCode.UNKNOWN, NOT_THERE)
        return await self._listed(*found, request.after)

    async def _listed(self, account: bytes, head: Head, after: int) -> ListsAnswer:
        async with self._means.reads:
            lists = await self._means.store.lists(account, after, MAX_CHAIN_LISTS, MAX_CHAIN_BYTES)
        return ListsAnswer(head.version, tuple(lists))

    async def append(self, request: AppendRequest, session: Session, now: int) -> DoneAnswer:
        """Add the next version to the caller's own device list. [RLY-11]"""
        means, account, encoded = self._means, session.account, request.encoded
        head, _ = await means.check_now(session, now)
        before = await self._stored(account, head.version)
        if before == encoded:
            return DoneAnswer()
        if before is None:
            raise Refused(RelayCode.CONFLICT, head.version)  # another one came between the two reads
        means.limits.appends.take(account, now)
        newer = await means.run(lambda: verify_successor(before, head, encoded))
        there = await means.store.append(account, head, encoded, newer)
        means.heads.forget(account)
        if there is not None and there.hash != newer.hash:
            raise Refused(RelayCode.CONFLICT, there.version)
        return DoneAnswer()

    async def _stored(self, account: bytes, version: int) -> bytes | None:
        """Return one version of an account's list, or None if it has not come to that."""
        found = await self._means.store.lists(account, version - 1, 1, MAX_DEVICE_LIST)
        return found[0] if found else None


def _not_the_chain(there: Head, head: Head) -> Refused:
    """Return why a chain is refused that is not the one that is there, and not the beginning of it."""
    if there.user_id != head.user_id:
        return Refused(RelayCode.TAKEN)
    return Refused(RelayCode.CONFLICT, there.version)
