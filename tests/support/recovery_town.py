"""A user with a recovery device, and two servers: for tests of recovery.

Town        both servers on stores in memory, a clock, and what passes between them and the client
cheap       makes Argon2id cheap, for tests in which its cost is not the point
"""

from typing import Final

import pytest

from letterlock import MemoryStore
from letterlock._primitives.entropy import system_entropy
from letterlock._records.recovery import RecoveryRecord
from letterlock._wire import recovery_lock
from letterlock.recovery import (
    Attempt,
    BeginLock,
    DecoyKey,
    EvaluateLock,
    FinishLock,
    Hardness,
    LockBegun,
    LockEvaluated,
    LockName,
    LocksShown,
    LockTicketKey,
    MadeLock,
    NewLock,
    Opened,
    Policy,
    RecoveryKey,
    RecoveryServer,
    RecoveryStore,
    ShowLocks,
    StoredLocks,
    choose,
    device_keys,
    keep_only,
)
from letterlock.user import DeviceClass, ListChain
from letterlock.user._drafts import first_snapshot
from letterlock.user._signatures import listed_device, prove_possession, sign_snapshot
from support.pair import NOON
from support.user_tools import document_key, keys

PASSWORD: Final = "correct horse"
FLOORS: Final = {"MIN_PASSES": 1, "MIN_MEMORY": 8192}
DECOYS: Final = DecoyKey(bytes(range(32)))
TICKETS: Final = LockTicketKey(bytes(range(64, 96)))
FREELY: Final = Policy(uses=1000, uses_a_day=1000, pause=0)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower the floors of Argon2id, so that a test takes no seconds."""
    for floor, value in FLOORS.items():
        monkeypatch.setattr(recovery_lock, floor, value)


def chain_of(key: RecoveryKey, label: str = "alice") -> ListChain:
    """Return a user with one phone, and the recovery device of a key."""
    phone, recovery = keys(f"{label} phone"), device_keys(key)
    listed = (
        phone.listed(1),
        listed_device(9, recovery.identity.public, recovery.signing.public, DeviceClass.RECOVERY, 1),
    )
    snapshot = first_snapshot(listed, document_key(label), NOON)
    proofs = (
        phone.prove(snapshot, 1),
        prove_possession(snapshot, 9, recovery.identity, recovery.signing, bytes(64)),
    )
    return ListChain.verify([sign_snapshot(snapshot, 1, phone.signing, proofs)])


class Town:
    """Two servers and one user. `clock` is the time of both; `seen` has every body that travelled."""

    def __init__(
        self, policy: Policy = FREELY, stores: tuple[RecoveryStore, ...] = (), *, tickets: bool = False
    ) -> None:
        self.now = NOON
        self.seen: list[tuple[int, bytes]] = []
        self.begun: list[tuple[BeginLock, LockBegun]] = []
        self.key = RecoveryKey(system_entropy(32))
        self.chain = chain_of(self.key)
        self.stores = stores or (StoredLocks(MemoryStore()), StoredLocks(MemoryStore()))
        both = (TICKETS.public, TICKETS) if tickets else (None, None)
        self.servers = tuple(
            RecoveryServer(number, store, DECOYS, tickets, policy, lambda: self.now)
            for number, (store, tickets) in enumerate(zip(self.stores, both, strict=True), 1)
        )

    @property
    def user_id(self) -> bytes:
        return self.chain.user_id

    def record(self, server: int) -> RecoveryRecord:
        """Return what a server keeps of the user."""
        record = self.stores[server - 1].load(self.user_id)
        assert record is not None
        return record

    # --- the client's calls -------------------------------------------------------------------------------

    def make(self, password: str = PASSWORD, key: RecoveryKey | None = None) -> MadeLock:
        """Make a lock, without giving it to the servers."""
        new = NewLock.begin(password, key or self.key, self.user_id, self.hardness, system_entropy)
        answers = self.begin(new)
        self.begun = list(zip(new.requests, answers, strict=True))
        for at, (request, answer) in enumerate(self.begun, 1):
            self.seen += [(at, request.encode()), (at, answer.encode())]
        return new.finish(*answers)

    def begin(self, new: NewLock) -> list[LockBegun]:
        """Begin a lock at both servers."""
        both = zip(self.servers, new.requests, strict=True)
        return [server.begin(request, self.chain) for server, request in both]

    @property
    def hardness(self) -> Hardness:
        """The cheapest one that is allowed now."""
        return Hardness(*(vars(recovery_lock)[each] for each in FLOORS))

    def set_up(self, password: str = PASSWORD, key: RecoveryKey | None = None) -> MadeLock:
        """Make a lock, and put it in force."""
        made = self.make(password, key)
        for at, server in enumerate(self.servers):
            server.settle(made.settle[at], self.chain)
            self.seen.append((at + 1, made.settle[at].encode()))
        for at, server in enumerate(self.servers):
            server.finish(made.finish[at], self.chain)
        return made

    def shown(self) -> tuple[LocksShown, LocksShown]:
        """Return what both servers show."""
        first, second = (server.show(ShowLocks(self.user_id)) for server in self.servers)
        return first, second

    def attempt(self, password: str = PASSWORD) -> Attempt:
        return Attempt.begin(password, choose(self.user_id, *self.shown()))

    def keep_only(self, name: LockName | None = None) -> tuple[FinishLock, FinishLock]:
        """Return what ends a change: the calls for this lock, or for the newest that both hold."""
        shown = self.shown()
        return keep_only(self.key, name or choose(self.user_id, *shown).name, *shown)

    def ask(self, attempt: Attempt) -> tuple[LockEvaluated, LockEvaluated]:
        """Send both requests, as bytes, to server 2 first."""
        second = self.evaluate(2, attempt.requests[1])
        first = attempt.requests[0] if second.evaluation is None else attempt.first(second)
        return self.evaluate(1, first), second

    def evaluate(self, server: int, request: EvaluateLock) -> LockEvaluated:
        """Send one request, as bytes."""
        sent = request.encode()
        answer = self.servers[server - 1].evaluate(EvaluateLock.decode(sent)).encode()
        self.seen += [(server, sent), (server, answer)]
        return LockEvaluated.decode(answer)

    def recover(self, password: str = PASSWORD) -> Opened:
        """Open the lock, and tell both servers."""
        attempt = self.attempt(password)
        opened = attempt.finish(*self.ask(attempt))
        for at, (server, success) in enumerate(zip(self.servers, opened.successes, strict=True), 1):
            self.seen.append((at, success.encode()))
            server.succeed(success)
        return opened


def unknown_lock(user_id: bytes) -> LockName:
    """Return the name of a lock that nobody has."""
    return LockName(user_id, system_entropy(16))
