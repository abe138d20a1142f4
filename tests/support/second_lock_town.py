"""Two servers with a second lock each, a user, and time that passes at each server by itself.

SecondTown   lay, ask, take, stop and watch as bytes, as an honest client sends them
"""

from typing import Final, TypeVar

from letterlock import MemoryStore
from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.entropy import system_entropy
from letterlock._records.second_lock import HoursRecord, SecondLockRecord, decode_second_lock
from letterlock._wire.relay_body import RelayBody
from letterlock._wire.second_lock_calls import (
    AskForHalf,
    HalfAsked,
    HalfGiven,
    KeepDeposit,
    LayHalf,
    SecondLockShown,
    StopWait,
    TakeHalf,
    WaitShown,
    WatchSecondLock,
)
from letterlock.limits import DAY
from letterlock.recovery import (
    Asking,
    AskingKey,
    LaidHalves,
    RecoveryKey,
    Rows,
    SecondLockNotice,
    SecondLockServer,
    StoredRows,
    keep_deposit,
    lay_halves,
)
from letterlock.recovery._signing import UNSIGNED, signed_for
from letterlock.stores import EntryKind
from support.pair import NOON
from support.recovery_town import chain_of
from support.user_tools import keys

HOUR: Final = 3600
DELAY: Final = 24 * HOUR
Body = TypeVar("Body", bound=RelayBody)


class SecondTown:
    """A user with a phone and a recovery device. `now` has the time of each server's clock."""

    def __init__(self, rows: tuple[Rows, ...] = ()) -> None:
        self.now = {1: NOON, 2: NOON}
        self.seen: list[tuple[int, bytes]] = []
        self.notices: list[SecondLockNotice] = []
        self.key = RecoveryKey(system_entropy(32))
        self.chain = chain_of(self.key)
        self.rows = rows or (StoredRows(MemoryStore()), StoredRows(MemoryStore()))
        self.servers = {1: self.server(1), 2: self.server(2)}

    def server(self, number: int) -> SecondLockServer:
        """Return a server that begins again on what is stored."""
        return SecondLockServer(number, self.rows[number - 1], lambda: self.now[number], system_entropy)

    @property
    def user_id(self) -> bytes:
        return self.chain.user_id

    @property
    def phone(self) -> DeviceSigningKeyPair:
        return keys("alice phone").signing

    def record(self, server: int) -> SecondLockRecord:
        """Return what a server keeps of the user."""
        rows, kind = self.rows[server - 1], EntryKind.SECOND_LOCK
        found = rows.change(kind, self.user_id, lambda found: (found, found))
        return SecondLockRecord() if found is None else decode_second_lock(found)

    def cheat(self, server: int) -> None:
        """Let one server count three days at once, as whoever runs it can."""
        counted = self.servers[server].look() + 3 * DAY
        cheated = HoursRecord(self.now[server], counted).encode()
        self.rows[server - 1].change(EntryKind.HOURS, b"", lambda _: (cheated, None))

    def pass_hours(self, hours: int, *servers: int) -> None:
        """Let time pass at both servers or at some, whose owners look at the clock every hour."""
        for server in servers or (1, 2):
            for _ in range(hours):
                self.now[server] += HOUR
                self.servers[server].look()

    def sent(self, server: int, body: Body) -> Body:
        """Return a body as the other side reads it."""
        self.seen.append((server, body.encode()))
        return type(body).decode(body.encode())

    # --- the user's devices -------------------------------------------------------------------------------

    def watch(self) -> tuple[SecondLockShown, SecondLockShown]:
        return self.watch_at(1), self.watch_at(2)

    def watch_at(self, server: int) -> SecondLockShown:
        """Ask one server, as the phone."""
        call = signed_for(server, WatchSecondLock(self.user_id, UNSIGNED), self.phone)
        return self.sent(server, self.servers[server].watch(self.sent(server, call), self.chain))

    def halves(self, delay: int = DELAY, key: RecoveryKey | None = None) -> LaidHalves:
        """Make halves, without giving them to the servers."""
        return lay_halves(key or self.key, self.user_id, delay, self.watch(), system_entropy)

    def lay(self, server: int, call: LayHalf) -> None:
        self.servers[server].lay(self.sent(server, call), self.chain)

    def keep(self, server: int, call: KeepDeposit) -> None:
        self.servers[server].keep(self.sent(server, call), self.chain)

    def set_up(self, delay: int = DELAY, key: RecoveryKey | None = None) -> LaidHalves:
        """Make a second lock, and put it in force."""
        laid = self.halves(delay, key)
        for server in (1, 2):
            self.lay(server, laid.lay[server - 1])
        for server in (1, 2):
            self.keep(server, laid.keep[server - 1])
        return laid

    def resolve(self) -> None:
        """End a change that was interrupted."""
        for server, call in enumerate(keep_deposit(self.key, self.user_id, self.watch()), 1):
            self.keep(server, call)

    def stop_call(self, server: int, wait_id: bytes | None = None) -> StopWait:
        """Return what ends the wait of this id, signed by the phone; or what deletes the halves."""
        number = self.record(server).number
        return signed_for(server, StopWait(self.user_id, number, wait_id, UNSIGNED), self.phone)

    def stop(self, server: int) -> None:
        """Stop whoever waits, as the phone."""
        wait = self.watch_at(server).wait
        assert wait is not None
        notice = self.servers[server].stop(self.stop_call(server, wait.id), self.chain)
        assert notice is not None
        self.notices.append(notice)

    # --- whoever passed both checks -----------------------------------------------------------------------

    def asking(self) -> Asking:
        return Asking.begin(self.user_id, AskingKey(system_entropy(32)))

    def ask(self, server: int, asking: Asking, *, tell: bool = True) -> WaitShown:
        """Ask one server, and have the notice delivered."""
        call: AskForHalf = self.sent(server, asking.request)
        answer, notice = self.servers[server].ask(call, checked=True)
        asked: HalfAsked = self.sent(server, answer)
        if notice is not None and tell:
            self.notices.append(notice)
            self.servers[server].told(notice)
        return asked.wait

    def ask_both(self, asking: Asking) -> tuple[WaitShown, WaitShown]:
        return self.ask(1, asking), self.ask(2, asking)

    def take(self, server: int, asking: Asking, wait: WaitShown) -> HalfGiven:
        """Take a half, as far as the server gives it."""
        call: TakeHalf = self.sent(server, asking.take(wait))
        answer, notice = self.servers[server].take(call, checked=True)
        if notice is not None:
            self.notices.append(notice)
        return self.sent(server, answer)

    def recover(self, asking: Asking, waits: tuple[WaitShown, WaitShown]) -> RecoveryKey:
        """Take both halves, and put them together."""
        return asking.finish(*(self.take(server, asking, wait) for server, wait in enumerate(waits, 1)))
