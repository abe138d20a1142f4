"""Admission: how a client gets its token, and what it does when the relay gives it none.

    a login is refused        the device asks for the newer lists of its user: was it revoked?       [CLN-14]
    a list revokes it         OwnDeviceRevoked, for good
    no list does              the relay may have lost its database: it gets our lists once more      [CLN-10]
    it takes them             REGISTERED_AGAIN, and everything is published anew
    it wants a ticket         TICKET_NEEDED, until the application gives one with `use_ticket` [CLN-15]
    it does not               NOT_ADMITTED, and the next attempt is later each time, up to an hour

What a relay says counts only if a list proves it, and the lists go through the user.

Not here: what a token is for (_connection.py).
"""

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Final

from letterlock._primitives.composite import ed25519_half
from letterlock._primitives.secret import Uncopyable
from letterlock._wire.device_list import DeviceList
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_limits import MAX_CHAIN_LISTS
from letterlock._wire.relay_lists import ListsAnswer, RegisterRequest
from letterlock._wire.relay_login import (
    AuthenticateAnswer,
    AuthenticateRequest,
    ChallengeAnswer,
    ChallengeRequest,
    login_input,
)
from letterlock._wire.relay_newer import NewerRequest, newer_input
from letterlock.client._errors import (
    NameTaken,
    NotAdmitted,
    RelayMisbehaves,
    RelayRefused,
    RelayUnavailable,
    TicketRefused,
)
from letterlock.client._events import RelayEventKind
from letterlock.client._opening import register
from letterlock.errors import PeerError, TrustError, UsageError
from letterlock.limits import HOUR, MAX_EVIDENCE_LISTS
from letterlock.user import OwnDeviceRevoked

if TYPE_CHECKING:
    from letterlock.client._office import Office

_MAX_COUNTER: Final = 2**40
"""No store counts so far, one by one. A relay that claims more would have the counter used up. [CLN-3]"""
_FIRST_PAUSE: Final = 300
"""Seconds until a device that the relay does not admit tries again. It doubles each time, up to an hour."""
_DOUBLINGS: Final = 4


class Admission(Uncopyable):
    """One client's way to a token."""

    __slots__ = ("_closed_until", "_office", "_opened", "_refusal", "_ticket", "refusals")

    def __init__(self, office: "Office") -> None:
        self._office = office
        self._ticket: bytes | None = None
        self._refusal: RelayCode | None = None
        self._closed_until = 0.0
        self._opened = asyncio.Event()
        self.refusals = 0
        """How often in a row the relay did not admit this device."""

    async def login(self) -> AuthenticateAnswer:
        """Log in. Raises OwnDeviceRevoked, NotAdmitted, and what calls raise.

        A relay that forgot everybody gets our lists once more. RelayUnavailable is raised after that, so that
        every call is made anew from what the store holds.                                          [CLN-10]
        """
        office, queue = self._office, self._office.queue
        if monotonic() < self._closed_until:
            raise NotAdmitted("the relay did not admit this device a moment ago")
        if await office.run(queue.is_out_for_good):
            raise self._revoked()
        try:
            answer = await self._log_in()
        except RelayRefused as refused:
            if refused.code is not RelayCode.UNKNOWN:
                raise
        else:
            self._admitted()
            return answer
        await self._look_for_revocation()
        self._refusal = await self._register_again()
        if self._refusal is not None:
            raise self._not_admitted(self._refusal)
        try:
            await self._log_in()
        except RelayRefused as refused:
            if refused.code is not RelayCode.UNKNOWN:
                raise
            raise self._not_admitted(refused.code) from None
        await office.run(queue.renumber, 0)  # the bundles of what was kept may have been given out
        self._admitted()
        office.connection.note_registration()
        office.forgotten_at = monotonic()
        office.tell(RelayEventKind.REGISTERED_AGAIN)
        office.want_prekeys()
        raise RelayUnavailable("the relay had forgotten this user, and knows it again")

    async def register(self, ticket: bytes | None) -> None:
        """Register a new user. Raises NameTaken, TicketRefused, RelayUnavailable, RelayMisbehaves."""
        office, queue = self._office, self._office.queue
        lists = await office.run(queue.own_lists, 0)
        await register(office.connection, queue.user.name, lists, ticket)
        await office.run(queue.registered)

    # --- being kept out ---------------------------------------------------------------------------------

    def pause(self, refusals: int) -> int:
        """Return how many seconds to wait after so many refusals in a row."""
        return int(min(_FIRST_PAUSE * 2 ** min(refusals - 1, _DOUBLINGS), HOUR))

    def _not_admitted(self, code: RelayCode) -> NotAdmitted:
        self.refusals += 1
        self._closed_until = monotonic() + self._office.pace.about(self.pause(self.refusals))
        needs_ticket = code is RelayCode.TICKET
        self._ticket = None
        self._office.tell(RelayEventKind.TICKET_NEEDED if needs_ticket else RelayEventKind.NOT_ADMITTED)
        return NotAdmitted("the relay does not know this device")

    def _admitted(self) -> None:
        self.refusals, self._closed_until, self._ticket, self._refusal = 0, 0.0, None, None
        self._opened.set()

    async def wait(self) -> None:
        """Wait until the next attempt may be made."""
        self._opened.clear()
        try:
            async with asyncio.timeout(max(self._closed_until - monotonic(), 0.0)):
                await self._opened.wait()
        except TimeoutError:
            pass

    async def use(self, ticket: bytes) -> None:
        """Go on with a new ticket. Raises TicketRefused, NameTaken, and what calls raise."""
        office = self._office
        office.require_outside()
        if type(ticket) is not bytes:
            raise UsageError(f"ticket must be bytes, not {type(ticket).__name__}")
        self._ticket, self._closed_until = ticket, 0.0
        registered = office.forgotten_at
        try:
            await office.connection.token()
        except NotAdmitted:
            match self._refusal:
                case RelayCode.TICKET:
                    raise TicketRefused from None
                case RelayCode.TAKEN:
                    raise NameTaken from None
                case _:
                    raise
        except RelayUnavailable:
            if office.forgotten_at == registered:
                raise
        self._opened.set()

    # --- was this device revoked? -------------------------------------------------------------------------

    async def _look_for_revocation(self) -> None:
        """Ask for the lists after the newest one that the relay may have too. Raises OwnDeviceRevoked.

        Only a list that the user verified counts. Raises RelayMisbehaves for others.              [CLN-14]
        """
        office, queue = self._office, self._office.queue
        name = queue.user.name
        if await office.run(queue.is_listed):
            lists = await self._newer(await office.run(queue.known_version, name))
            try:
                if lists:
                    await office.run(queue.learn, name, lists)
            except (PeerError, TrustError, UsageError):
                raise RelayMisbehaves("shows device lists that are wrong") from None
        if not await office.run(queue.is_listed):
            raise self._revoked()

    def _revoked(self) -> OwnDeviceRevoked:
        self._office.is_revoked = True
        self._office.wake_all()
        return OwnDeviceRevoked()

    async def _newer(self, after: int) -> list[DeviceList]:
        """Return the lists that the relay shows after a version; none if it does not know us."""
        lists: list[DeviceList] = []
        while len(lists) < MAX_EVIDENCE_LISTS:
            try:
                answer = await self._ask(after + len(lists))
            except RelayRefused as refused:
                if refused.code is not RelayCode.UNKNOWN:
                    raise
                return lists
            try:
                lists += map(DeviceList.decode, answer.lists)
            except PeerError:
                raise RelayMisbehaves("shows device lists that cannot be read") from None
            if answer.version <= after + len(lists):
                return lists
            if not answer.lists:
                raise RelayMisbehaves("names a device list that it does not show")
        raise RelayMisbehaves("shows more device lists than there can be")

    async def _ask(self, after: int) -> ListsAnswer:
        queue, openly = self._office.queue, self._office.connection.call_openly
        address = queue.user.address
        challenge = (await openly(ChallengeRequest(address), ChallengeAnswer)).challenge
        signature = await self._sign(newer_input(self._office.relay_name, address, challenge, after))
        return await openly(NewerRequest(address, challenge, after, signature), ListsAnswer)

    # --- registering and logging in -----------------------------------------------------------------------

    async def _register_again(self) -> RelayCode | None:
        """Give the relay our own lists. Return None if it has them now, or why it does not take them."""
        office = self._office
        lists = await office.run(office.queue.own_lists, 0)
        request = RegisterRequest(office.queue.user.name, lists[:MAX_CHAIN_LISTS], self._ticket)
        try:
            await office.connection.call_openly(request, DoneAnswer)
        except RelayRefused as refused:
            if refused.code is RelayCode.SLOW_DOWN:  # as when a relay that was emptied is asked by all
                raise
            return refused.code
        await office.run(office.groups.rows.begin_again)
        return None

    async def _log_in(self) -> AuthenticateAnswer:
        """Show the relay who this is, and how far the store has come."""
        office, queue, openly = self._office, self._office.queue, self._office.connection.call_openly
        address = queue.user.address
        shown = await office.run(queue.user.count_for_witness)
        challenge = (await openly(ChallengeRequest(address), ChallengeAnswer)).challenge
        signature = await self._sign(login_input(office.relay_name, address, challenge, shown))
        answer = await openly(AuthenticateRequest(address, challenge, shown, signature), AuthenticateAnswer)
        if answer.highest > _MAX_COUNTER:
            raise RelayMisbehaves("shows a counter that no store has reached")
        if await office.run(queue.compare, shown, answer.highest):
            office.want_prekeys()
        office.relay_version = answer.version
        await self._compare_versions(answer.version)
        office.wake_all()
        return answer

    async def _sign(self, data: bytes) -> bytes:
        queue = self._office.queue
        return await self._office.run(lambda: ed25519_half(queue.signing_seed()).sign(data))

    async def _compare_versions(self, theirs: int) -> None:
        """Ask for our own lists if the relay has newer ones; the sender uploads ours."""
        queue = self._office.queue
        ours = await self._office.run(queue.known_version, queue.user.name)
        if theirs > ours:
            await self._office.run(queue.needs.lists, queue.user.name, ours)
