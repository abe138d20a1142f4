"""One body of each kind that relays and clients exchange, beside the array that it is encoded as."""

from typing import Any, Final

from letterlock import Address
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_lists import AppendRequest, ListsAnswer, ListsRequest, RegisterRequest
from letterlock._wire.relay_login import (
    AuthenticateAnswer,
    AuthenticateRequest,
    ChallengeAnswer,
    ChallengeRequest,
)
from letterlock._wire.relay_mail import (
    AckRequest,
    Delivery,
    FetchAnswer,
    FetchRequest,
    MailFrame,
    SendRequest,
)
from letterlock._wire.relay_newer import NewerRequest
from letterlock._wire.relay_place import GetAnswer, GetRequest, OpenPlaceRequest, PutRequest, Step
from letterlock._wire.relay_prekeys import (
    ClaimAnswer,
    ClaimRequest,
    PublishAnswer,
    PublishRequest,
    StateAnswer,
    StateRequest,
)
from letterlock._wire.relay_ticket import Ticket

ALICE: Final = Address("alice", 7)
ID: Final = bytes(range(16))
OTHER_ID: Final = bytes(range(1, 17))
HEAD: Final = bytes(range(8))
TIME: Final = 1_800_000_000
KEY: Final = Ed25519KeyPair(Ed25519Seed(bytes(range(32))))
TICKET: Final = Ticket.sign(KEY, "alice", TIME, ID, may_replace=True)
_SIGNATURE: Final = bytes(range(64))
_DELIVERIES: Final = (Delivery(ID, TIME, ALICE, b"one"), Delivery(OTHER_ID, TIME, Address("bob"), b"two"))
_DELIVERED: Final = [[ID, TIME, "alice", 7, b"one"], [OTHER_ID, TIME, "bob", 1, b"two"]]

BODIES: Final[list[tuple[RelayBody, list[Any]]]] = [
    (ChallengeRequest(ALICE), [1, 1, "alice", 7]),
    (ChallengeAnswer(b"challenge"), [1, b"challenge"]),
    (AuthenticateRequest(ALICE, b"c", 5, _SIGNATURE), [1, 2, "alice", 7, b"c", 5, _SIGNATURE]),
    (AuthenticateAnswer(b"token", 3600, 4, 2), [1, b"token", 3600, 4, 2]),
    (RegisterRequest("alice", (b"l1", b"l2"), b"t"), [1, 3, "alice", [b"l1", b"l2"], b"t"]),
    (RegisterRequest("alice", (b"l1",)), [1, 3, "alice", [b"l1"], None]),
    (ListsRequest("alice", 0), [1, 4, "alice", 0]),
    (ListsAnswer(2, (b"l2",)), [1, 2, [b"l2"]]),
    (AppendRequest(b"l3"), [1, 5, b"l3"]),
    (PublishRequest(9, b"publication"), [1, 6, 9, b"publication"]),
    (PublishAnswer(100), [1, 100]),
    (ClaimRequest(ID, "alice", 2, HEAD, (7, 8)), [1, 7, ID, "alice", 2, HEAD, [7, 8]]),
    (ClaimAnswer((b"bundle", None)), [1, [b"bundle", None]]),
    (
        SendRequest(ID, "alice", 2, HEAD, ((7, b"m"), (8, b"n"))),
        [1, 8, ID, "alice", 2, HEAD, [[7, b"m"], [8, b"n"]]],
    ),
    (FetchRequest(100, 60, (ID, OTHER_ID)), [1, 9, 100, 60, [ID, OTHER_ID]]),
    (FetchAnswer(3, _DELIVERIES), [1, 3, _DELIVERED]),
    (MailFrame(3, _DELIVERIES), [1, 9, 3, _DELIVERED]),
    (AckRequest((ID, OTHER_ID)), [1, 10, [ID, OTHER_ID]]),
    (StateRequest(), [1, 11]),
    (StateAnswer(2, 9, 100, 3, 2**40), [1, 2, 9, 100, 3, 2**40]),
    (OpenPlaceRequest(ID), [1, 12, ID]),
    (PutRequest(ID, Step.PACKAGE, 1, 3, b"part"), [1, 13, ID, 4, 1, 3, b"part"]),
    (GetRequest(ID, Step.OPEN, 0, 30), [1, 14, ID, 0, 0, 30]),
    (NewerRequest(ALICE, b"c", 2, _SIGNATURE), [1, 15, "alice", 7, b"c", 2, _SIGNATURE]),
    (GetAnswer(3, b"part"), [1, 3, b"part"]),
    (GetAnswer(0, None), [1, 0, None]),
    (DoneAnswer(), [1]),
    (ErrorAnswer(RelayCode.STALE, 7), [1, 3, 7]),
    (TICKET, [1, "alice", TIME, ID, 1, TICKET.signature]),
]
