"""A user whose messages travel through a relay: sent while offline too, and received once, whatever fails.

    Client          a user on this device, for asyncio; ClientPeople: its contacts
    SyncClient      the same without asyncio
    Message         a content that arrived, until the application has finished it
    RelayEvent      what happened between a client and its relay
    ClientDocuments, OpenDocument, ClientCollections      `client.documents`: sealed files, and who reads them
    ClientRecovery, RecoveryStatus       `client.recovery`: a password gets back who lost every device
    ClientSecondLock, SecondLockNews     `client.recovery.second_lock`: the same without the password
    ClientAddresses, PersonAddress      `client.documents.addresses`: people who have no account yet
    ClientJson      `client.documents.json`: JSON documents, whose sections have different readers

    async with await Client.create("alice.db", key=key, name="alice", relay="https://relay.example") as alice:
        await alice.send("bob", b"hello")
        async for message in alice.messages():
            print(message.sender, message.body)

The relay is not trusted: it delivers, withholds and delays, and everything that it says about people, devices
and keys is verified by the `User` inside. This module needs `pip install letterlock[client]`.

Not here: keys, sessions and device lists, which are a `User`'s; the relay itself (relay/).
"""

from typing import TYPE_CHECKING

from letterlock.client._address_values import (
    AddressShared,
    Claimed,
    PersonAddress,
    ServerChecks,
    SharedAddress,
)
from letterlock.client._client import Client
from letterlock.client._client_collections import ClientCollections
from letterlock.client._client_documents import ClientDocuments
from letterlock.client._client_json import ClientJson
from letterlock.client._enrolment_values import EnrolmentStopped, NewUser, NotEnrolled
from letterlock.client._errors import (
    AlreadyDone,
    HistoryRefused,
    NameTaken,
    NewPasswordNeeded,
    RecoveryOvertaken,
    RelayMisbehaves,
    RelayUnavailable,
    ServerUnavailable,
    TicketRefused,
    UnknownUser,
)
from letterlock.client._events import RelayEvent, RelayEventKind
from letterlock.client._open_document import OpenDocument
from letterlock.client._people import ClientPeople
from letterlock.client._recovery_values import (
    AnswerChallenge,
    IdentityAnswer,
    RecoveryLack,
    RecoveryServers,
    RecoveryStatus,
    ServerStanding,
)
from letterlock.client._returning import ClientReturn
from letterlock.client._second_lock_values import (
    SecondLockAsked,
    SecondLockNews,
    SecondLockNewsKind,
    SecondLockStanding,
    SecondLockStatus,
    SecondLockWait,
)
from letterlock.client._stores import StorePlace
from letterlock.client._sync import SyncClient
from letterlock.client._sync_addresses import SyncAddresses
from letterlock.client._sync_documents import SyncCollections, SyncDocuments
from letterlock.client._sync_json import SyncJson
from letterlock.client._sync_message import SyncMessage
from letterlock.client._sync_recovery import SyncRecovery
from letterlock.client._sync_second_lock import SyncSecondLock
from letterlock.client._values import Delivery, Message, Person
from letterlock.user import OwnDeviceRevoked

if TYPE_CHECKING:
    from letterlock.client._client_addresses import ClientAddresses
    from letterlock.client._client_recovery import ClientRecovery
    from letterlock.client._client_second_lock import ClientSecondLock
    from letterlock.client._enrolment import Enrolment
    from letterlock.recovery import Hardness

__all__ = [
    "AddressShared",
    "AlreadyDone",
    "AnswerChallenge",
    "Claimed",
    "Client",
    "ClientAddresses",
    "ClientCollections",
    "ClientDocuments",
    "ClientJson",
    "ClientPeople",
    "ClientRecovery",
    "ClientReturn",
    "ClientSecondLock",
    "Delivery",
    "Enrolment",
    "EnrolmentStopped",
    "Hardness",
    "HistoryRefused",
    "IdentityAnswer",
    "Message",
    "NameTaken",
    "NewPasswordNeeded",
    "NewUser",
    "NotEnrolled",
    "OpenDocument",
    "OwnDeviceRevoked",
    "Person",
    "PersonAddress",
    "RecoveryLack",
    "RecoveryOvertaken",
    "RecoveryServers",
    "RecoveryStatus",
    "RelayEvent",
    "RelayEventKind",
    "RelayMisbehaves",
    "RelayUnavailable",
    "SecondLockAsked",
    "SecondLockNews",
    "SecondLockNewsKind",
    "SecondLockStanding",
    "SecondLockStatus",
    "SecondLockWait",
    "ServerChecks",
    "ServerStanding",
    "ServerUnavailable",
    "SharedAddress",
    "StorePlace",
    "SyncAddresses",
    "SyncClient",
    "SyncCollections",
    "SyncDocuments",
    "SyncJson",
    "SyncMessage",
    "SyncRecovery",
    "SyncSecondLock",
    "TicketRefused",
    "UnknownUser",
]

_OF_RECOVERY = frozenset({"ClientAddresses", "ClientRecovery", "ClientSecondLock", "Enrolment", "Hardness"})


def __getattr__(name: str) -> object:
    """Import what needs the extra `recovery` when it is asked for."""
    if name not in _OF_RECOVERY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from letterlock.client import _client_addresses, _client_recovery, _enrolment  # noqa: PLC0415

    module = {"ClientAddresses": _client_addresses, "Enrolment": _enrolment}.get(name, _client_recovery)
    globals()[name] = found = getattr(module, name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
