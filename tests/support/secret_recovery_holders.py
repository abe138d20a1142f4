"""One of everything of recovery that holds a secret, for the table in secret_holders.py."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from letterlock import MemoryStore
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._primitives.passphrase import PassphraseKey
from letterlock._primitives.voprf import Blinding, OprfPublicKey, OprfSeed, public_key
from letterlock._records.recovery import HeldLock, Meter, PendingLock, RecoveryRecord
from letterlock._wire.linking import LinkingPayload
from letterlock._wire.linking_payload import DocumentSeed
from letterlock._wire.recovery_box import BoxContents
from letterlock._wire.recovery_calls import BeginLock, EvaluateLock, LockOpened, ShowLocks
from letterlock._wire.recovery_lock import Hardness, Lock, LockName
from letterlock.identity import MailCheck, MailPassword, MailSecurity, MailServer, MailText
from letterlock.recovery import (
    Attempt,
    DecoyKey,
    Gate,
    GateKey,
    GateRow,
    LockTicketKey,
    NewLock,
    Opened,
    Recovered,
    RecoveryKey,
    RecoveryServer,
    StoredLocks,
    device_keys,
)
from letterlock.recovery._gate_keys import GateKeys
from letterlock.recovery._keys import LockKey, LockKeys
from letterlock.recovery._password import blind_for_both
from letterlock.recovery._plans import ServerPlans
from letterlock.recovery._recovered import _Drafted
from letterlock.recovery._signing import UNSIGNED
from letterlock.recovery._steps import Counted
from letterlock.stores import Record
from letterlock.user import ListChain, User
from support.gate_memory import MemoryGates
from support.gate_town import Letters
from support.secret_pq_holders import MATERIAL

RECOVERY_SECRETS: Final = [
    "DecoyKey",
    "GateCodeKey",
    "GateKey",
    "GateSealKey",
    "GateTagKey",
    "LockKey",
    "LockTicketKey",
    "MailPassword",
    "OprfOutput",
    "OprfSeed",
    "RecoveryKey",
]

SECRET: Final = MATERIAL[:32]
SEED: Final = OprfSeed(SECRET)
NAME: Final = LockName(bytes(32), bytes(16))


@cache
def public() -> OprfPublicKey:
    return public_key(SEED)


def mail_server() -> MailServer:
    return MailServer("mail.example", user="codes", password=MailPassword(SECRET))


def lock() -> Lock:
    return Lock(NAME, Hardness(), (public(), public()), bytes(80))


def login() -> Ed25519KeyPair:
    return Ed25519KeyPair(Ed25519Seed(SECRET))


def held() -> HeldLock:
    return HeldLock(SEED, lock(), login().public)


def record() -> RecoveryRecord:
    return RecoveryRecord(1, (held(),), None, Meter(10))


def blindings() -> tuple[Blinding, Blinding]:
    return blind_for_both(PassphraseKey(SECRET), NAME)


def new() -> NewLock:
    key, begin = RecoveryKey(SECRET), BeginLock(NAME, bytes(32), UNSIGNED)
    return NewLock(NAME, Hardness(), (begin, begin), key, device_keys(key).signing, blindings())


def attempt() -> Attempt:
    asked = EvaluateLock(NAME, bytes(32))
    return Attempt(lock(), (asked, asked), blindings())


def opened() -> Opened:
    told = LockOpened(NAME, bytes(32), bytes(64))
    return Opened(RecoveryKey(SECRET), (told, told))


def keys() -> LockKeys:
    seed = Ed25519Seed(SECRET)
    return LockKeys((seed, seed), LockKey(SECRET), SECRET)


def plans() -> ServerPlans:
    return ServerPlans(1, DecoyKey(SECRET), LockTicketKey(SECRET).public)


@cache
def user() -> User:
    return User.create(MemoryStore(), "recovered")


def drafted() -> _Drafted:
    chain = ListChain.verify(user().device_lists())
    device, made = chain.newest.snapshot.devices[0], device_keys(RecoveryKey(SECRET))
    return _Drafted(chain, device, made, (), DocumentSeed(SECRET), 0)


HELD: Final = (
    f"HeldLock(seed=<OprfSeed: hidden>, lock=Lock(name={NAME!r}, hardness={Hardness()!r},"
    f" public_keys=({public()!r}, {public()!r})), login={login().public!r})"
)

MAIL_SERVER: Final = (
    f"MailServer(host='mail.example', port=587, security={MailSecurity.STARTTLS!r}, user='codes',"
    " password=<MailPassword: hidden>)"
)

RECOVERY_TABLE: Final[dict[str, tuple[Callable[[], Any], str]]] = {
    "Attempt": (attempt, "<Attempt>"),
    "Blinding": (lambda: Blinding(SECRET), "<Blinding>"),
    "BoxContents": (
        lambda: BoxContents(1, bytes(1952), bytes(3373), LinkingPayload(SECRET)),
        "<BoxContents: of device 1>",
    ),
    "Counted": (lambda: Counted(SEED, bytes(32)), "<Counted>"),
    "Gate": (
        lambda: Gate(2, GateKey(SECRET), MemoryGates(), {"mail": Letters()}),
        "<Gate 2: mail>",
    ),
    "GateRow": (lambda: GateRow(Record(SECRET), 1), "GateRow(record=<Record: hidden>, until=1)"),
    "GateKeys": (lambda: GateKeys(GateKey(SECRET), 2), "<GateKeys: hidden>"),
    "HeldLock": (held, HELD),
    "LockKeys": (keys, "<LockKeys: hidden>"),
    "MailCheck": (
        lambda: MailCheck(mail_server(), "codes@service.example", MailText.of("service")),
        "<MailCheck: from codes@service.example>",
    ),
    "MailServer": (
        mail_server,
        MAIL_SERVER,
    ),
    "NewLock": (new, "<NewLock>"),
    "Opened": (opened, "<Opened>"),
    "PendingLock": (
        lambda: PendingLock(bytes(16), SEED, bytes(32)),
        f"PendingLock(lock_id={bytes(16)!r}, seed=<OprfSeed: hidden>, blinded={bytes(32)!r})",
    ),
    "RecoveryRecord": (
        record,
        f"RecoveryRecord(list_version=1, held=({HELD},), pending=None, meter={Meter(10)!r})",
    ),
    "Recovered": (lambda: Recovered(user(), user().device_lists()[0]), "<Recovered>"),
    "_Drafted": (drafted, "<_Drafted>"),
    "Plan": (lambda: plans().show(ShowLocks(SECRET)), "<Plan>"),
    "ServerPlans": (plans, "<ServerPlans 1>"),
    "RecoveryServer": (
        lambda: RecoveryServer(1, StoredLocks(MemoryStore()), DecoyKey(SECRET), LockTicketKey(SECRET).public),
        "<RecoveryServer 1>",
    ),
    "StoredLocks": (lambda: StoredLocks(MemoryStore()), "<StoredLocks>"),
}
