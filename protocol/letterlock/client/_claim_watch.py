"""Claim watch: a granter's client learns of a claim when the person shows it to the granter.        [CLN-36]

What somebody shows there proves no claim, so both servers are asked. They answer its granter without a check
of identity, so nobody has to type a code.                                                          [PRV-14]

    nothing new on the shelf              nobody is asked
    something that nobody was asked for   both servers are asked once
    a server is away, or knows nothing    they are asked again when the shelf is read next, a few times

What a relay withholds, the application learns by `refresh`.

Not here: what is done about a claim (_client_addresses.py).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from letterlock._primitives.secret import Uncopyable
from letterlock.client._address_book import AddressBook
from letterlock.client._address_desk import AddressDesk, Asking
from letterlock.client._address_rows import Invited, InvitedState
from letterlock.client._address_values import NO_CHECKS
from letterlock.client._errors import RelayMisbehaves, RelayRefused, RelayUnavailable
from letterlock.errors import TrustError, UsageError
from letterlock.recovery import IdentityRefused, RecoveryRefused, ServerAtFault

_MOST_LOOKS: Final = 24
"""How often servers are asked again about one identity for what was shown of it: a day, at least."""

_MOST_AT_ONCE: Final = 32
"""Identities about which servers are asked in one look."""


@dataclass(frozen=True, slots=True)
class _Look:
    """For which grants both servers were asked about an identity, and how often they may be asked again."""

    shown: frozenset[bytes]
    left: int


class ClaimWatch(Uncopyable):
    """The looks of one client. It keeps in memory what it has asked."""

    __slots__ = ("_ask", "_book", "_desk", "_looks")

    def __init__(
        self,
        desk: AddressDesk,
        book: AddressBook,
        ask: Callable[[Asking, bytes, Invited, int], Awaitable[None]],
    ) -> None:
        self._desk = desk
        self._book = book
        self._ask = ask
        self._looks: dict[bytes, _Look] = {}

    async def look(self) -> bool:
        """Ask about what is new; return whether to look again when the shelf is read next."""
        office = self._desk.office
        shown = await office.run(self._book.claims_shown)
        self._looks = {id_: look for id_, look in self._looks.items() if id_ in shown}
        due = [id_ for id_, grants in shown.items() if self._left(id_, grants)]
        for id_ in due[:_MOST_AT_ONCE]:
            left = self._left(id_, shown[id_]) - 1 if await self._is_open(id_) else 0
            self._looks[id_] = _Look(shown[id_], left)
        return any(self._left(id_, grants) for id_, grants in shown.items())

    def _left(self, id_: bytes, shown: frozenset[bytes]) -> int:
        look = self._looks.get(id_)
        return _MOST_LOOKS if look is None or not shown <= look.shown else look.left

    async def _is_open(self, id_: bytes) -> bool:
        """Ask about an identity; return whether the servers are to be asked again."""
        office = self._desk.office
        try:
            row = await office.run(self._book.row, id_)
            async with self._desk.asking(NO_CHECKS, row.key_server) as asking:
                await self._ask(asking, id_, row, office.queue.tables.clock())
            row = await office.run(self._book.row, id_)
        except (RelayUnavailable, RelayMisbehaves, RelayRefused):
            return True
        except (ServerAtFault, RecoveryRefused, IdentityRefused, TrustError, UsageError):
            return False  # `refresh` says what it is
        return row.state is InvitedState.HALF and row.user_id is None  # the person goes on

    def __repr__(self) -> str:
        return "<ClaimWatch>"
