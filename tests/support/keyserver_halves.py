"""Both servers of the second lock as desks with gates, and a user whose address is bound at each.

HalvesTown   lay, keep, ask, take, stop and watch in frames, as an honest client sends them
"""

from collections.abc import Sequence
from typing import Any, Final

from letterlock._keyserver._desk import Desk
from letterlock._keyserver._limits import AddressLimits
from letterlock._keyserver._rows import SealedRows
from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.recovery_frame import RECOVERY_CALL_OF_REQUEST, RecoveryFrame
from letterlock._wire.relay_body import RelayBody
from letterlock._wire.second_lock_calls import (
    HalfGiven,
    SecondLockShown,
    StopWait,
    WaitShown,
    WatchSecondLock,
)
from letterlock.limits import DAY
from letterlock.recovery import (
    Asking,
    AskingKey,
    LaidHalves,
    NoticePlace,
    bind_identity,
    lay_halves,
    notify_at,
)
from letterlock.recovery._signing import UNSIGNED, signed_for
from support.gate_town import ANNA, GateTown
from support.keyserver_town import DeskTown
from support.second_lock_town import HOUR
from support.user_tools import keys

DELAY: Final = DAY


class HalvesTown(DeskTown):
    """Both servers, each with a gate. `audits` is what they log."""

    def __init__(self, rows: Sequence[SealedRows], *, address_calls: int = 0) -> None:
        self.gates = GateTown()
        self.audits: list[tuple[str, int]] = []
        self._calls = address_calls
        super().__init__(rows)
        self.begin_again()

    def another(self, server: int) -> Desk:
        """Return another process of a server."""
        limits = AddressLimits(self._calls) if self._calls else None
        beside: dict[str, Any] = {
            "gate": self.gates.gates[server - 1],
            "limits": limits,
            "audit": lambda *each: self.audits.append(each),
            "reaches": {"mail": self.gates.letters[server - 1]},
        }
        return self.desk(server, **beside)

    def begin_again(self) -> None:
        """Begin both servers again on what is stored."""
        self.desks = [self.another(server) for server in (1, 2)]

    # --- time -------------------------------------------------------------------------------------------

    def set_ahead(self, seconds: int) -> None:
        """Set the clocks of both servers, while nothing passes."""
        self.now += seconds
        self.leap += seconds

    async def upkeep(self) -> None:
        for each in self.desks:
            await each.upkeep()

    async def pass_hours(self, hours: int) -> None:
        for _ in range(hours):
            self.now += HOUR
            await self.upkeep()
            await self.sent()

    async def sent(self) -> None:
        """Wait until both servers have sent what they had to."""
        for each in self.desks:
            await each.notices.sent()

    async def end(self) -> None:
        for each in self.desks:
            await each.close()

    # --- whoever passes both checks ---------------------------------------------------------------------

    async def passes(self, claim: bytes = ANNA) -> list[bytes]:
        """Prove an address at both servers."""
        proven = [await self.gates.proven(claim, server) for server in (1, 2)]
        return [each.pass_ or b"" for each in proven]

    async def call(self, server: int, request: RelayBody, pass_: bytes | None) -> Any:
        """Send a call with a pass, and return the answer. Raises Answered."""
        return await self.ask(server, request, RecoveryFrame.of(request, pass_))

    def asking(self) -> Asking:
        return Asking.begin(self.user_id, AskingKey(system_entropy(32)))

    async def ask_both(self, asking: Asking) -> list[WaitShown]:
        passes = await self.passes()
        return [(await self.call(at, asking.request, passes[at - 1])).wait for at in (1, 2)]

    async def take_both(self, asking: Asking, waits: list[WaitShown]) -> list[HalfGiven]:
        passes = await self.passes()
        return [await self.call(at, asking.take(waits[at - 1]), passes[at - 1]) for at in (1, 2)]

    # --- the user's devices -----------------------------------------------------------------------------

    def frame(self, request: RelayBody, pass_: bytes | None = None) -> RecoveryFrame:
        """Return the frame that a device of the user makes now."""
        lists = self.lists if RECOVERY_CALL_OF_REQUEST[type(request)].has_lists else None
        return RecoveryFrame.of(request, pass_, lists)

    async def bind(self, claim: bytes = ANNA) -> None:
        """Bind an address of the user at both servers, in the place of the one before."""
        for server, pass_ in enumerate(await self.passes(claim), 1):
            await self.ask(server, bind_identity(server, self.user_id, pass_, 1, keys("alice phone").signing))

    async def halves(self, delay: int = DELAY) -> LaidHalves:
        """Make halves, without giving them to the servers."""
        first, second = await self.watch_at(1), await self.watch_at(2)
        return lay_halves(self.key, self.user_id, delay, (first, second), system_entropy)

    async def turn_on(self, delay: int = DELAY) -> LaidHalves:
        """Bind an address, make a second lock, and put it in force."""
        await self.bind()
        laid = await self.halves(delay)
        for calls in (laid.lay, laid.keep):
            for server, each in enumerate(calls, 1):
                await self.ask(server, each)
        return laid

    async def name_place(
        self, server: int, laid: LaidHalves, address: bytes | None = ANNA, pass_: bytes | None = None
    ) -> None:
        """Have notices sent to an address that was proven just now, or with another pass."""
        pass_ = pass_ or (await self.passes(address or ANNA))[server - 1]
        place = None if address is None else NoticePlace("mail", address)
        call = notify_at(self.key, self.user_id, server, laid.lay[server - 1].number, place)
        await self.ask(server, call, self.frame(call, pass_))

    async def watch_at(self, server: int, signing: DeviceSigningKeyPair | None = None) -> SecondLockShown:
        call = WatchSecondLock(self.user_id, UNSIGNED)
        shown: SecondLockShown = await self.ask(
            server, signed_for(server, call, signing or keys("alice phone").signing)
        )
        return shown

    def stop_call(self, server: int, number: int, wait_id: bytes | None) -> StopWait:
        call = StopWait(self.user_id, number, wait_id, UNSIGNED)
        return signed_for(server, call, keys("alice phone").signing)
