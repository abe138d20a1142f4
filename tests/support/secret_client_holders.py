"""One of everything in the client that holds a secret, with what it prints.

Not here: the tests (tests/account/test_secrets.py).
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from letterlock import Address, MemoryStore
from letterlock._primitives.composite import CompositeSeed, DeviceSigningKeyPair
from letterlock._primitives.entropy import system_clock
from letterlock.client import Client, Enrolment, Hardness, Message, NewUser, OpenDocument, SyncClient
from letterlock.client._address_desk import Asking
from letterlock.client._address_rows import Invited
from letterlock.client._address_values import NO_CHECKS
from letterlock.client._admission import Admission
from letterlock.client._connection import Connection
from letterlock.client._enrolling import Enrolling
from letterlock.client._enrolment import _Many
from letterlock.client._halves_change import HalvesChange
from letterlock.client._http import RelayUrl
from letterlock.client._office import Office
from letterlock.client._opening import create
from letterlock.client._pace import Pace
from letterlock.client._password_desk import PasswordDesk
from letterlock.client._people import ClientPeople
from letterlock.client._recovery_calls import RecoveryCalls
from letterlock.client._recovery_desk import RecoveryDesk
from letterlock.client._recovery_keeper import RecoveryKeeper
from letterlock.client._recovery_rows import RecoveryChange
from letterlock.client._returning import ClientReturn
from letterlock.client._rows import Arrived
from letterlock.client._second_lock_calls import SecondLockCalls
from letterlock.client._second_lock_rows import AskingRecord, SecondLockChange
from letterlock.client._second_lock_watch import SecondLockWatch
from letterlock.client._sync_message import SyncMessage
from letterlock.client._thread import StoreThread
from letterlock.recovery import AskingKey, OwnerSecret, RecoveryKey
from support.secret_pq_holders import MATERIAL

URL: Final = RelayUrl("https://relay.example")


async def nothing() -> None:
    """Finish nothing."""


def nobody(*, is_up: bool) -> None:
    """Note nothing."""


def message() -> Message:
    return Message(Arrived(Address("alice"), 1, bytes(16), 2, MATERIAL), nothing)


def thread() -> StoreThread:
    made: Any = StoreThread.__new__(StoreThread)
    made._worker = SimpleNamespace(store=MemoryStore())
    return made  # type: ignore[no-any-return]


def connection() -> Connection:
    made = Connection(None, nobody)  # type: ignore[arg-type]
    made._token = MATERIAL
    return made


def office() -> Office:
    arrivals = create(MemoryStore(), "alice", URL.text, system_clock)
    return Office(arrivals, thread(), None, Pace(), "relay.example")  # type: ignore[arg-type]


def client() -> Client:
    return Client(office())


def sync_client() -> SyncClient:
    return SyncClient(client(), None)  # type: ignore[arg-type]


def desk() -> RecoveryDesk:
    return client().recovery._desk


def calls() -> RecoveryCalls:
    return RecoveryCalls(None, None, Pace())  # type: ignore[arg-type]


def enrolment() -> Enrolment:
    return Enrolment(thread(), (None, None), Hardness())  # type: ignore[arg-type]


def enrolling(whole: Enrolment) -> Enrolling:
    return Enrolling(NewUser("ann", "a password"), whole._thread, calls(), Hardness(), system_clock)


def second() -> SecondLockCalls:
    return SecondLockCalls(calls(), bytes(32), DeviceSigningKeyPair(CompositeSeed(MATERIAL[:64])))


CLIENT_TABLE: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "Message": (message, "<Message from alice>"),
    "SyncMessage": (lambda: SyncMessage(sync_client(), message()), "<SyncMessage from alice>"),
    "StoreThread": (thread, "<StoreThread>"),
    "Admission": (lambda: Admission(None), "{OBJECT}"),  # type: ignore[arg-type]
    "Connection": (connection, "{OBJECT}"),
    "Queue": (lambda: office().queue, "{OBJECT}"),
    "Arrivals": (lambda: office().arrivals, "{OBJECT}"),
    "Office": (office, "{OBJECT}"),
    "Client": (client, "<Client alice.1>"),
    "SyncClient": (sync_client, "<SyncClient alice.1>"),
    "DocumentQueue": (lambda: office().documents, "{OBJECT}"),
    "GroupNames": (lambda: office().groups.names, "<GroupNames>"),
    "Introduced": (lambda: office().documents.parcels_in.introduced, "<Introduced>"),
    "GroupOutbox": (lambda: office().groups.outbox, "<GroupOutbox>"),
    "GroupQueue": (lambda: office().groups, "{OBJECT}"),
    "ParcelsBack": (lambda: office().documents.parcels_back, "{OBJECT}"),
    "ParcelsIn": (lambda: office().documents.parcels_in, "{OBJECT}"),
    "ParcelsOut": (lambda: office().documents.parcels_out, "{OBJECT}"),
    "ClientDocuments": (lambda: client().documents, "<ClientDocuments>"),
    "ClientCollections": (lambda: client().documents.collections, "<ClientCollections>"),
    "ClientJson": (lambda: client().documents.json, "<ClientJson>"),
    "SyncJson": (lambda: sync_client().documents.json, "<SyncJson>"),
    "ClientGroups": (lambda: client().groups, "<ClientGroups>"),
    "SyncGroups": (lambda: sync_client().groups, "<SyncGroups>"),
    "ClientHistories": (lambda: client().groups.histories, "<ClientHistories>"),
    "SyncHistories": (lambda: sync_client().groups.histories, "<SyncHistories>"),
    "BringingUp": (lambda: client().documents._up, "{OBJECT}"),
    "SyncDocuments": (lambda: sync_client().documents, "<SyncDocuments>"),
    "SyncCollections": (lambda: sync_client().documents.collections, "<SyncCollections>"),
    "ClientPeople": (lambda: ClientPeople(office()), "{OBJECT}"),
    "ClientRecovery": (lambda: client().recovery, "<ClientRecovery>"),
    "SyncRecovery": (lambda: sync_client().recovery, "<SyncRecovery>"),
    "RecoveryDesk": (desk, "{OBJECT}"),
    "RecoveryKeeper": (lambda: RecoveryKeeper(desk()), "{OBJECT}"),
    "RecoveryBox": (lambda: desk().box, "{OBJECT}"),
    "RecoveryCalls": (calls, "{OBJECT}"),
    "Enrolment": (enrolment, "<Enrolment>"),
    "_Many": (lambda: _Many(enrolment().enrol, iter(()), (print, print)), "{OBJECT}"),
    "Enrolling": (lambda: enrolling(enrolment()), "{OBJECT}"),
    "LockChange": (lambda: desk().lock(calls()), "{OBJECT}"),
    "RecoveryChange": (
        lambda: RecoveryChange(RecoveryKey(MATERIAL[:32]), is_first=True),
        "<RecoveryChange>",
    ),
    "PasswordDesk": (lambda: PasswordDesk(desk()), "<PasswordDesk>"),
    "ClientSecondLock": (lambda: client().recovery.second_lock, "<ClientSecondLock>"),
    "SyncSecondLock": (lambda: sync_client().recovery.second_lock, "<SyncSecondLock>"),
    "ClientReturn": (ClientReturn, "{OBJECT}"),
    "SecondLockCalls": (second, "<SecondLockCalls>"),
    "SecondLockWatch": (lambda: SecondLockWatch(desk()), "{OBJECT}"),
    "HalvesChange": (lambda: HalvesChange(desk(), second()), "{OBJECT}"),
    "SecondLockChange": (
        lambda: SecondLockChange(RecoveryKey(MATERIAL[:32]), None),
        "<SecondLockChange>",
    ),
    "AskingRecord": (
        lambda: AskingRecord("alice", bytes(32), ("", ""), AskingKey(MATERIAL[:32])),
        "<AskingRecord>",
    ),
    "ClientAddresses": (lambda: client().documents.addresses, "<ClientAddresses>"),
    "SyncAddresses": (lambda: sync_client().documents.addresses, "<SyncAddresses>"),
    "AddressDesk": (lambda: client().documents.addresses._desk, "{OBJECT}"),
    "AddressBook": (lambda: client().documents.addresses._book, "{OBJECT}"),
    "ClaimWatch": (lambda: client().documents.addresses._watch, "<ClaimWatch>"),
    "Asking": (lambda: Asking(office(), NO_CHECKS, None, ("", {})), "{OBJECT}"),  # type: ignore[arg-type]
    "Invited": (lambda: Invited("mail", "dora@example.org", 1, OwnerSecret(MATERIAL[:32])), "<Invited>"),
    "OpenDocument": (lambda: OpenDocument(office(), None, None), "<OpenDocument>"),  # type: ignore[arg-type]
}
