"""One body of each kind that relays and clients exchange, beside the array that it is encoded as."""

from typing import Any, Final

from letterlock import Address
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_group import (
    FollowFrame,
    GroupFrame,
    GroupSendAnswer,
    GroupSendRequest,
    GroupTextsAnswer,
    GroupTextsRequest,
    StoredText,
)
from letterlock._wire.relay_lists import (
    AppendRequest,
    ListsAnswer,
    ListsRequest,
    RegisterRequest,
    UserRequest,
)
from letterlock._wire.relay_log import LogAnswer, LogAppendAnswer, LogAppendRequest, LogRequest
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
from letterlock._wire.relay_shelf import (
    ShelfAnswer,
    ShelfFrame,
    ShelfName,
    ShelfRequest,
    ShelveAnswer,
    ShelveOutcome,
    ShelveRequest,
    UnshelveRequest,
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
_USER: Final = ShelfName.of_user(bytes(range(32)))
_TEAM: Final = ShelfName.of_collection(ID)
_HASH: Final = bytes(range(32, 64))

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
    (NewerRequest(ALICE, b"c", 2, _SIGNATURE), [1, 21, "alice", 7, b"c", 2, _SIGNATURE]),
    (GetAnswer(3, b"part"), [1, 3, b"part"]),
    (GetAnswer(0, None), [1, 0, None]),
    (
        ShelveRequest(((_USER, b"one"), (_TEAM, b"two"))),
        [1, 15, [[1, _USER.id, b"one"], [2, ID, b"two"]]],
    ),
    (
        ShelveAnswer((ShelveOutcome.STORED, ShelveOutcome.FULL, ShelveOutcome.UNKNOWN)),
        [1, [0, 2, 1]],
    ),
    (ShelfRequest(_USER, 7, 100), [1, 16, 1, _USER.id, 7, 100]),
    (ShelfRequest(_TEAM, 0, 1), [1, 16, 2, ID, 0, 1]),
    (ShelfAnswer(9, ((7, b"one"), (9, b"two"))), [1, 9, [[7, b"one"], [9, b"two"]]]),
    (UnshelveRequest(_USER, (_HASH, _USER.id)), [1, 17, 1, _USER.id, [_HASH, _USER.id]]),
    (ShelfFrame(9), [1, 16, 9]),
    (LogRequest(ID, 3), [1, 18, ID, 3]),
    (LogAnswer(5, (b"e4", b"e5")), [1, 5, [b"e4", b"e5"]]),
    (LogAppendRequest(b"e6"), [1, 19, b"e6"]),
    (LogAppendAnswer(is_taken=True, newest=6, entries=()), [1, 1, 6, []]),
    (LogAppendAnswer(is_taken=False, newest=6, entries=(b"e6",)), [1, 0, 6, [b"e6"]]),
    (UserRequest(_HASH, 3), [1, 20, _HASH, 3]),
    (DoneAnswer(), [1]),
    (ErrorAnswer(RelayCode.STALE, 7), [1, 3, 7]),
    (TICKET, [1, "alice", TIME, ID, 1, TICKET.signature]),
    (GroupSendRequest(b"text"), [1, 22, b"text"]),
    (GroupTextsRequest(ID, 3, 50, 60), [1, 23, ID, 3, 50, 60]),
    (GroupSendAnswer(7), [1, 7]),
    (
        GroupTextsAnswer(9, (StoredText(7, TIME, b"one"), StoredText(9, TIME, b"two"))),
        [1, 9, [[7, TIME, b"one"], [9, TIME, b"two"]]],
    ),
    (FollowFrame((ID, OTHER_ID)), [1, 24, [ID, OTHER_ID]]),
    (GroupFrame(ID, 9), [1, 24, ID, 9]),
]
