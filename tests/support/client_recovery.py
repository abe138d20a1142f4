"""Both servers of recovery in this process, for clients of a town.

Servers             RecoveryServer 1 and 2, and the boxes of server 1, behind the town's transport
Servers.pauses      functions that let a call go when they return
Servers.rules       functions that see each call before a server does, and may answer in its place
Servers.changes     functions that see each answer before the client does, and may change it
lost                a user with documents, contacts and a lock, whose devices are gone
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from letterlock import MemoryStore
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import RECOVERY_KEEPING
from letterlock._records.second_lock import decode_second_lock
from letterlock._wire.device_list import DeviceList
from letterlock._wire.recovery_find import FindUser, UserFound
from letterlock._wire.recovery_frame import RECOVERY_CALL_OF_PATH, RECOVERY_CALL_OF_REQUEST, RecoveryFrame
from letterlock._wire.recovery_kept import BoxKept, GetBox, PutBox
from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_login import account_key
from letterlock._wire.second_lock_notices import NoticePlace, NotifyAt
from letterlock.client import Client, RecoveryServers, RelayUnavailable
from letterlock.client._http import RelayUrl
from letterlock.client._opening import World
from letterlock.client._transport import Reply
from letterlock.errors import PeerError
from letterlock.limits import HOUR
from letterlock.recovery import (
    AskForHalf,
    BeginLock,
    BindIdentity,
    Deposit,
    EvaluateLock,
    FinishLock,
    Gate,
    HalfGiven,
    Hardness,
    Identify,
    IdentityRefused,
    KeepDeposit,
    LayHalf,
    LockOpened,
    Policy,
    Prove,
    RecoveryRefused,
    RecoveryServer,
    SecondLockNotice,
    SecondLockServer,
    SettleLock,
    ShowLocks,
    StopWait,
    StoredLocks,
    StoredRows,
    TakeHalf,
    WatchSecondLock,
)
from letterlock.recovery._enrolment import require_card
from letterlock.stores import EntryKind
from letterlock.user import ListChain
from letterlock.user._signatures import verify_by
from support.client_town import QUICK, RELAY, Town, TownTransport
from support.recovery_town import DECOYS, FREELY, PASSWORD, TICKETS

KEY_SERVER: Final = "https://keys.example"
BOTH: Final = RecoveryServers(RELAY, KEY_SERVER)


@dataclass(frozen=True)
class RecoveryAsked:
    """A call on its way to one of the servers."""

    server: int
    request: Any
    client: str

    @property
    def name(self) -> str:
        """The name of the call."""
        return RECOVERY_CALL_OF_REQUEST[type(self.request)].name


class StaleLists(RecoveryRefused):
    """A server has seen a newer device list."""

    def __init__(self, newest: int) -> None:
        super().__init__("an older device list")
        self.newest = newest


Rule = Callable[[RecoveryAsked], Reply | None]
Change = Callable[[RecoveryAsked, RelayBody], RelayBody]


class Servers:
    """Both servers behind a town's transport."""

    def __init__(self, town: Town, policy: Policy = FREELY) -> None:
        self.town = town
        self.pauses: list[Callable[[RecoveryAsked], Awaitable[None]]] = []
        self.rules: list[Rule] = []
        self.changes: list[Change] = []
        self.calls: Counter[tuple[int, str]] = Counter()
        self.down: set[int] = set()
        self.gates: dict[int, Gate] = {}
        self.notices: list[SecondLockNotice] = []
        self.tells = {1, 2}
        self.names: set[str] = set()
        self.boxes: dict[bytes, PutBox] = {}
        self.known: dict[tuple[int, bytes], tuple[DeviceList, ...]] = {}
        self.stores = StoredLocks(MemoryStore()), StoredLocks(MemoryStore())
        one, other = self.stores
        self.both = (
            RecoveryServer(1, one, DECOYS, TICKETS.public, policy, town.clock),
            RecoveryServer(2, other, DECOYS, TICKETS, policy, town.clock),
        )
        self.halves = {
            number: SecondLockServer(number, StoredRows(MemoryStore()), town.clock) for number in (1, 2)
        }

    def kind(self, name: str) -> type[Client]:
        """Return a class of clients that reach both servers, under a name for the rules."""
        servers = self

        class RecoveryClient(Client):
            __slots__ = ()
            _world = World(lambda url: Transport(servers, url, name), QUICK, servers.town.clock)

        return RecoveryClient

    async def client(self, name: str, store: Any = None) -> Client:
        """Return a new client that is entered, until the town ends."""
        self.names.add(name)
        made = await self.kind(name).create(MemoryStore() if store is None else store, name=name, relay=RELAY)
        return await self.town.stack.enter_async_context(made)

    # --- what the servers do --------------------------------------------------------------------------------

    async def answer(self, server: int, path: str, body: bytes, client: str) -> Reply:
        """Return what a server answers to a call, perhaps after a rule and a change."""
        call = RECOVERY_CALL_OF_PATH[path]
        frame = RecoveryFrame.decode(body)
        asked = RecoveryAsked(server, call.request.decode(frame.call), client)
        self.calls[server, call.name] += 1
        if server in self.down:
            raise RelayUnavailable("down")
        for pause in list(self.pauses):
            await pause(asked)
        for rule in list(self.rules):
            if (found := rule(asked)) is not None:
                return found
        lists = tuple(map(DeviceList.decode, frame.lists or ()))
        try:
            given = await self._gated(asked, frame, lists)
        except IdentityRefused:
            return refused(RelayCode.UNKNOWN)
        except StaleLists as stale:
            return refused(RelayCode.STALE, stale.newest)
        except PeerError:
            return refused(RelayCode.REFUSED)
        for change in list(self.changes):
            given = change(asked, given)
        return Reply(200, given.encode())

    async def _gated(
        self, asked: RecoveryAsked, frame: RecoveryFrame, lists: tuple[DeviceList, ...]
    ) -> RelayBody:
        gate = self.gates.get(asked.server)
        match asked.request:
            case Identify() | Prove() | BindIdentity() if gate is None:
                raise IdentityRefused("no check here")
            case Identify() if gate is not None:
                return await gate.identify(asked.request)
            case Prove() if gate is not None:
                return await gate.prove(asked.request)
            case BindIdentity() if gate is not None:
                await gate.bind(asked.request, self._chain(asked.server, lists))
                return DoneAnswer()
            case EvaluateLock(name) if gate is not None:
                await gate.require(frame.pass_, name.user_id)
            case LayHalf() if gate is None:
                raise IdentityRefused("no check here")
            case NotifyAt(place=place) if gate is not None and place is not None:
                if gate.proven(frame.pass_).tag != gate.claimed(place.kind, place.address):
                    raise IdentityRefused("the pass is for another address")
            case AskForHalf(user_id) | TakeHalf(user_id):
                if gate is None:
                    raise IdentityRefused("no check here")
                await gate.require(frame.pass_, user_id)
            case _:
                pass
        return await self._given(asked, lists)

    async def _given(  # noqa: PLR0911 (a call each)
        self, asked: RecoveryAsked, lists: tuple[DeviceList, ...]
    ) -> RelayBody:
        server, request = self.both[asked.server - 1], asked.request
        match request:
            case FindUser(name):
                found = await self.lists(name)
                return UserFound(found[0].hash if found else hkdf_sha256(b"", bytes(32), name.encode(), 32))
            case ShowLocks():
                return server.show(request)
            case EvaluateLock():
                return server.evaluate(request)
            case LockOpened():
                return server.succeed(request)
            case GetBox():
                return await self._box(request)
            case AskForHalf() | TakeHalf():
                return self._waited(asked.server, request)
            case _:
                return self._changed(asked, self._chain(asked.server, lists))

    def _changed(self, asked: RecoveryAsked, chain: ListChain) -> RelayBody:
        server, request = self.both[asked.server - 1], asked.request
        match request:
            case BeginLock():
                return server.begin(request, chain)
            case SettleLock():
                server.settle(request, chain)
            case FinishLock():
                server.finish(request, chain)
            case LayHalf():
                self.halves[asked.server].lay(request, chain)
            case KeepDeposit():
                self.halves[asked.server].keep(request, chain)
            case StopWait():
                self._note(self.halves[asked.server].stop(request, chain))
            case NotifyAt():
                halves = self.halves[asked.server]
                halves.plans().notify(request, chain).carry_out(halves.rows)
            case WatchSecondLock():
                return self.halves[asked.server].watch(request, chain)
            case _:
                self._put(request, chain)
        return DoneAnswer()

    def _waited(self, server: int, request: AskForHalf | TakeHalf) -> RelayBody:
        halves, answer = self.halves[server], HalfGiven(None, ())
        if isinstance(request, TakeHalf):
            answer, notice = halves.take(request, checked=True)
            self._note(notice)
            return answer
        asked, notice = halves.ask(request, checked=True)
        if notice is None or server not in self.tells:
            return asked
        self._note(notice)
        halves.told(notice)
        return halves.ask(request, checked=True)[0]

    def _note(self, notice: SecondLockNotice | None) -> None:
        if notice is not None:
            self.notices.append(notice)

    def deposits(self, server: int, user_id: bytes) -> tuple[Deposit, ...]:
        """Return what a server holds of a second lock."""
        rows = self.halves[server].rows
        found = rows.change(EntryKind.SECOND_LOCK, user_id, lambda record: (record, record))
        return () if found is None else tuple(each.deposit for each in decode_second_lock(found).held)

    def place(self, server: int, user_id: bytes) -> NoticePlace | None:
        """Return where a server sends notices."""
        rows = self.halves[server].rows
        found = rows.change(EntryKind.SECOND_LOCK, user_id, lambda record: (record, record))
        return None if found is None else decode_second_lock(found).place

    def pass_hours(self, hours: int, *servers: int) -> None:
        """Let time pass for everybody. Servers that are not named do not look at their clock meanwhile."""
        for _ in range(hours):
            self.town.now += HOUR
            for server in servers or (1, 2):
                self.halves[server].look()

    def _chain(self, server: int, lists: tuple[DeviceList, ...]) -> ListChain:
        chain = ListChain.verify(lists)
        known = self.known.get((server, chain.user_id), ())
        if chain.lists == known[: len(chain.lists)] != known:
            raise StaleLists(len(known))
        if chain.lists[: len(known)] != known:
            raise RecoveryRefused("another device list")
        self.known[server, chain.user_id] = chain.lists
        return chain

    def _put(self, request: PutBox, chain: ListChain) -> None:
        before = self.boxes.get(request.user_id)
        if before is not None and before.signed(1) == request.signed(1):
            return  # the same again changes nothing
        if request.number != (before.number if before else 0) + 1:
            raise RecoveryRefused("the number is taken")
        device = chain.newest.snapshot.device(request.device_id)
        assert device is not None
        verify_by(device, request.by.ml_dsa, request.signed(1), request.by.signature, RECOVERY_KEEPING)
        require_card(request.card, chain)
        self.boxes[request.user_id] = request

    async def _box(self, request: GetBox) -> BoxKept:
        kept, lists = self.boxes.get(request.user_id), tuple[DeviceList, ...]()
        if request.device_id is None and (kept is None or kept.card.by.ml_dsa != request.by.ml_dsa):
            raise IdentityRefused("the recovery device of another card")
        for name in self.names:
            found = await self.lists(name)
            if found and found[0].hash == request.user_id:
                lists = found[request.after :]
        number, card, box = (0, None, None) if kept is None else (kept.number, kept.card, kept.box)
        newest = request.after + len(lists)
        return BoxKept(number, card, box, newest, tuple(each.encode() for each in lists[:20]))

    async def lists(self, name: str) -> tuple[DeviceList, ...]:
        """Return the device lists that the relay has of a name."""
        store = self.town.relay._means.store
        return tuple(map(DeviceList.decode, await store.lists(account_key(name), 0, 100, 2**24)))


class Transport(TownTransport):
    """The way to one of the servers: the relay, which has calls of its own, or the key server."""

    def __init__(self, servers: Servers, url: RelayUrl, client: str) -> None:
        super().__init__(servers.town, url, client)
        self._servers = servers
        self._server = 1 if url.text == RELAY else 2
        self._name = client

    async def post(self, path: str, body: bytes, token: bytes | None, most: int, wait: int) -> Reply:
        """Answer a call of recovery here, and give all others to the town."""
        if path not in RECOVERY_CALL_OF_PATH:
            assert self._server == 1
            return await super().post(path, body, token, most, wait)
        await asyncio.sleep(0)
        assert token is None
        return await self._servers.answer(self._server, path, body, self._name)


def refused(code: RelayCode, number: int = 0) -> Reply:
    """Return the answer of a server that refuses."""
    return Reply(code.status, ErrorAnswer(code, number).encode())


def hardness() -> Hardness:
    """Return the cheapest that is allowed now."""
    return Hardness(1, 8192)


async def lost(servers: Servers, password: str = PASSWORD) -> Client:
    """Return a client that set recovery up, and whose device is gone."""
    alice = await servers.client("alice")
    await alice.recovery.setup(password, KEY_SERVER, hardness=hardness())
    await alice.close()
    return alice


async def back(servers: Servers, store: Any = None, password: str = PASSWORD, **options: Any) -> Client:
    """Recover alice on a fresh machine, and return the client, which is not entered."""
    place = MemoryStore() if store is None else store
    kind = servers.kind("fresh")
    both = options.pop("both", BOTH)
    return await kind.recover(place, name="alice", password=password, servers=both, **options)


async def linked(servers: Servers, old: Client, store: Any = None) -> Client:
    """Link a second device that reaches both servers."""
    town = servers.town
    plain, town.kind = town.kind, servers.kind  # type: ignore[method-assign]
    try:
        return await town.second(old, store=store)
    finally:
        town.kind = plain  # type: ignore[method-assign]
