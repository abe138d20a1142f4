"""Connection: the calls of a relay, with a token that is renewed when it must be.

    answer                  decoded, or RelayMisbehaves
    error                   RelayRefused with its code; SLOW_DOWN and UNAVAILABLE as RelayUnavailable
    nothing, or no body     RelayUnavailable
    UNKNOWN, number 0       about the token: the call is made again with a new one, unless it was new
    a refused login         NotAdmitted, or RelayUnavailable if there were too many

What a relay says of a token is not about what the call names. So RelayRefused never stands for that. [CLN-11]

Not here: what is done with the answers (_sender.py, _fetcher.py, _receiver.py), HTTP (_http.py).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from time import monotonic
from typing import Final, Protocol, TypeVar

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.relay_body import RelayBody
from letterlock._wire.relay_calls import CALL_OF_REQUEST
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_limits import MAX_FETCH_ANSWER, SMALL_BODY
from letterlock._wire.relay_login import AuthenticateAnswer
from letterlock.client._errors import NotAdmitted, RelayMisbehaves, RelayRefused, RelayUnavailable
from letterlock.client._transport import MAX_SECONDS, Reply, Socket, Transport
from letterlock.errors import PeerError

A = TypeVar("A", bound=RelayBody)

OK: Final = 200
_SERVER_FAULT: Final = 500
_SLOW_DOWN: Final = 429
_TOO_SLOW: Final = 408
"""What is answered to a request that came too slowly, as after this machine was asleep."""
_FOR_NOW: Final = frozenset({_SLOW_DOWN, _TOO_SLOW})
_OF_TOKEN: Final = 0
"""The number with UNKNOWN that says that the token is not good."""
_FRESH: Final = 60.0
"""Seconds for which a token is not doubted."""
_EARLY: Final = 60.0
"""Seconds before its end at which a token is renewed."""
_FRAME: Final = MAX_FETCH_ANSWER + SMALL_BODY

Login = Callable[[], Awaitable[AuthenticateAnswer]]


class _TokenRefused(Exception):
    """The relay does not take the token. It never leaves this module."""


class Changed(Protocol):
    """Is told whether the relay answers, each time that this changes."""

    def __call__(self, *, is_up: bool) -> None:
        """Note the change."""
        ...


class Connection(Uncopyable):
    """Calls to one relay, for one device."""

    __slots__ = (
        "_changed",
        "_ends",
        "_lock",
        "_login",
        "_registered",
        "_since",
        "_token",
        "_transport",
        "is_up",
    )

    def __init__(self, transport: Transport, changed: Changed) -> None:
        self._transport = transport
        self._changed = changed
        self._login: Login | None = None
        self._lock = asyncio.Lock()
        self._token: bytes | None = None
        self._since = self._ends = 0.0
        self._registered = 0
        self.is_up: bool | None = None
        """Whether the last call was answered; None before the first one."""

    def use(self, login: Login) -> None:
        """Set how a token is got."""
        self._login = login

    async def call(self, request: RelayBody, answer: type[A], wait: int = 0) -> A:
        """Make a call with a token. Raises RelayUnavailable, RelayMisbehaves, RelayRefused."""
        registered = self._registered
        token = await self._token_since(registered)
        is_fresh = monotonic() < self._since + _FRESH
        with suppress(_TokenRefused):
            return await self._call(request, answer, token, wait)
        self.forget_token(token)
        if not is_fresh:
            token = await self._token_since(registered)
            with suppress(_TokenRefused):
                return await self._call(request, answer, token, wait)
            self.forget_token(token)
        # As it happens when the relay's clock jumps. Not again at once: it may go on like that.
        raise RelayUnavailable("the relay does not take a token of its own")

    async def call_openly(self, request: RelayBody, answer: type[A], wait: int = 0) -> A:
        """Make a call without a token. Raises the same."""
        return await self._call(request, answer, None, wait)

    async def call_with(self, request: RelayBody, answer: type[A], token: bytes) -> A:
        """Make a call with the token of another device of the user. Raises the same."""
        try:
            return await self._call(request, answer, token, 0)
        except _TokenRefused:
            raise RelayUnavailable("the relay does not take a token of its own") from None

    @property
    def transport(self) -> Transport:
        """The way to the relay, for calls of recovery."""
        return self._transport

    async def token(self) -> bytes:
        """Return a token that has not ended, as far as can be known. Raises what a call raises."""
        async with self._lock:
            if self._token is None or monotonic() > self._ends:
                if self._login is None:
                    raise RelayUnavailable("nobody has logged in")
                answer = await _logged_in(self._login)
                self._since = monotonic()
                self._ends = self._since + max(answer.seconds - _EARLY, answer.seconds / 2)
                self._token = answer.token
            return self._token

    def note_registration(self) -> None:
        """Have all calls that wait for a token made anew: they are about another database.        [CLN-10]"""
        self._registered += 1

    async def _token_since(self, registered: int) -> bytes:
        token = await self.token()
        if self._registered != registered:
            raise RelayUnavailable("the relay had forgotten this user, and knows it again")
        return token

    def forget_token(self, token: bytes | None) -> None:
        """Get a new token for the next call, unless that has happened since."""
        if token is None or self._token == token:
            self._token = None

    def socket(self, token: bytes) -> AbstractAsyncContextManager[Socket]:
        """Open a socket. Raises RelayUnavailable."""
        return self._transport.socket(token, _FRAME)

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    async def _call(self, request: RelayBody, answer: type[A], token: bytes | None, wait: int) -> A:
        call = CALL_OF_REQUEST[type(request)]
        try:
            most = max(call.answer_size, SMALL_BODY)
            reply = await self._transport.post(call.path, request.encode(), token, most, wait)
        except RelayUnavailable:
            self._note(is_up=False)
            raise
        self._note(is_up=_answers(reply))
        try:
            return decoded(call.name, reply, answer)
        except RelayRefused as refused:
            if token is not None and (refused.code, refused.number) == (RelayCode.UNKNOWN, _OF_TOKEN):
                raise _TokenRefused from None
            raise

    def _note(self, *, is_up: bool) -> None:
        if is_up is not self.is_up:
            self.is_up = is_up
            self._changed(is_up=is_up)


async def _logged_in(login: Login) -> AuthenticateAnswer:
    """Log in. Raises NotAdmitted, RelayUnavailable, RelayMisbehaves."""
    try:
        return await login()
    except RelayRefused as refused:
        match refused.code:
            case RelayCode.UNKNOWN:
                raise NotAdmitted("the relay does not know this device") from None
            case RelayCode.SLOW_DOWN:
                raise RelayUnavailable("too many logins", refused.number) from None
            case _:
                raise RelayMisbehaves(f"refuses a login with {refused.code.name}") from None


def _answers(reply: Reply) -> bool:
    """Return whether the relay itself answered, and not something in front of it that could not reach it."""
    error = _code(reply)
    if error is not None:
        return error.code is not RelayCode.UNAVAILABLE
    return reply.status not in _FOR_NOW and reply.status < _SERVER_FAULT


def _code(reply: Reply) -> ErrorAnswer | None:
    """Return the error that an answer holds, or None."""
    try:
        error = ErrorAnswer.decode(reply.body)
    except PeerError:
        return None
    return error if error.code.status == reply.status else None


def decoded(call: str, reply: Reply, answer: type[A]) -> A:
    """Return the answer to a call of this name. Raises RelayUnavailable, RelayMisbehaves, RelayRefused."""
    if reply.status == OK:
        try:
            return answer.decode(reply.body)
        except PeerError:
            raise RelayMisbehaves(f"does not answer {call} as the specification says") from None
    error = _code(reply)
    if error is None:
        if reply.status in _FOR_NOW or reply.status >= _SERVER_FAULT:
            raise RelayUnavailable(f"status {reply.status}", min(reply.retry_after, MAX_SECONDS))
        raise RelayMisbehaves(f"answers {call} with status {reply.status} and no reason")
    if error.code is RelayCode.UNAVAILABLE:
        raise RelayUnavailable("the relay cannot answer now", _seconds(error, reply))
    raise RelayRefused(
        error.code, _seconds(error, reply) if error.code is RelayCode.SLOW_DOWN else error.number
    )


def _seconds(error: ErrorAnswer, reply: Reply) -> int:
    """Return for how long a relay asks to wait, an hour at most. [CLN-8]"""
    return min(max(error.number, reply.retry_after), MAX_SECONDS)
