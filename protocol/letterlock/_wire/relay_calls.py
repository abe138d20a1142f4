"""The calls of a relay: one row for each.

    POST /v1/NAME       the body is the request, the body of the answer is the answer

Relay and client both read this table, and have no other list of calls.

Not here: what a relay does when it is called (relay/).
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.relay_group import (
    GroupSendAnswer,
    GroupSendRequest,
    GroupTextsAnswer,
    GroupTextsRequest,
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
from letterlock._wire.relay_mail import AckRequest, FetchAnswer, FetchRequest, SendRequest
from letterlock._wire.relay_newer import NewerRequest
from letterlock._wire.relay_place import GetAnswer, GetRequest, OpenPlaceRequest, PutRequest
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
    ShelfRequest,
    ShelveAnswer,
    ShelveRequest,
    UnshelveRequest,
)

CONTENT_TYPE: Final = "application/cbor"
"""The media type of every body."""

SOCKET_PATH: Final = "/v1/socket"
"""Where a WebSocket is opened. It has frames instead of calls (relay_mail.py)."""


class TokenUse(Enum):
    """Whether a call needs a token."""

    NEVER = "never"
    ALWAYS = "always"
    BY_STEP = "for some steps"
    """`Step.needs_token` tells for which."""


@dataclass(frozen=True, slots=True)
class Call:
    """One row: the name in the path, whether a token is needed, and what is asked and answered."""

    name: str
    token: TokenUse
    request: type[RelayBody]
    answer: type[RelayBody]

    @property
    def path(self) -> str:
        """The path of the URL, after the authority."""
        return f"/v1/{self.name}"

    @property
    def number(self) -> int:
        """The number in the request."""
        return self.request.NUMBER or 0

    @property
    def size(self) -> int:
        """How many bytes a request has at most."""
        return self.request.FORM.size

    @property
    def answer_size(self) -> int:
        """How many bytes an answer has at most."""
        return self.answer.FORM.size


CALLS: Final = (
    Call("challenge", TokenUse.NEVER, ChallengeRequest, ChallengeAnswer),
    Call("authenticate", TokenUse.NEVER, AuthenticateRequest, AuthenticateAnswer),
    Call("register", TokenUse.NEVER, RegisterRequest, DoneAnswer),
    Call("lists", TokenUse.ALWAYS, ListsRequest, ListsAnswer),
    Call("append", TokenUse.ALWAYS, AppendRequest, DoneAnswer),
    Call("publish", TokenUse.ALWAYS, PublishRequest, PublishAnswer),
    Call("claim", TokenUse.ALWAYS, ClaimRequest, ClaimAnswer),
    Call("send", TokenUse.ALWAYS, SendRequest, DoneAnswer),
    Call("fetch", TokenUse.ALWAYS, FetchRequest, FetchAnswer),
    Call("ack", TokenUse.ALWAYS, AckRequest, DoneAnswer),
    Call("state", TokenUse.ALWAYS, StateRequest, StateAnswer),
    Call("open-place", TokenUse.ALWAYS, OpenPlaceRequest, DoneAnswer),
    Call("put", TokenUse.BY_STEP, PutRequest, DoneAnswer),
    Call("get", TokenUse.NEVER, GetRequest, GetAnswer),
    Call("shelve", TokenUse.ALWAYS, ShelveRequest, ShelveAnswer),
    Call("shelf", TokenUse.ALWAYS, ShelfRequest, ShelfAnswer),
    Call("unshelve", TokenUse.ALWAYS, UnshelveRequest, DoneAnswer),
    Call("log", TokenUse.ALWAYS, LogRequest, LogAnswer),
    Call("log-append", TokenUse.ALWAYS, LogAppendRequest, LogAppendAnswer),
    Call("user", TokenUse.ALWAYS, UserRequest, ListsAnswer),
    Call("newer", TokenUse.NEVER, NewerRequest, ListsAnswer),
    Call("group-send", TokenUse.ALWAYS, GroupSendRequest, GroupSendAnswer),
    Call("group-texts", TokenUse.ALWAYS, GroupTextsRequest, GroupTextsAnswer),
)
"""In the order of their numbers, from 1."""

CALL_OF_PATH: Final = {each.path: each for each in CALLS}
CALL_OF_REQUEST: Final = {each.request: each for each in CALLS}

MAX_REQUEST: Final = max(each.size for each in CALLS)
"""Bytes of the longest request of all: a server reads no more of any body."""
