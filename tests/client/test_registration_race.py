"""A call that waits for a token while its user is registered again is made anew, not sent. [CLN-10]"""

import asyncio
from typing import Any

import pytest

from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_login import AuthenticateAnswer
from letterlock._wire.relay_mail import AckRequest
from letterlock.client import RelayUnavailable
from letterlock.client._connection import Connection
from letterlock.client._transport import Reply

ACK = AckRequest((bytes(16),))


class Counting:
    """A way to a relay that does whatever it is asked, and counts."""

    def __init__(self) -> None:
        self.posts = 0

    async def post(self, path: str, body: bytes, token: bytes | None, most: int, wait: int) -> Reply:
        self.posts += 1
        return Reply(200, DoneAnswer().encode())


async def waiting(*, registers: bool) -> Counting:
    """Let two calls wait for one login, which registers the user again or does not."""
    counting = Counting()
    way: Any = counting
    connection = Connection(way, lambda **_: None)
    logins = 0

    async def login() -> AuthenticateAnswer:
        nonlocal logins
        logins += 1
        await asyncio.sleep(0)
        if registers and logins == 1:
            connection.note_registration()
            raise RelayUnavailable("the relay had forgotten this user, and knows it again")
        return AuthenticateAnswer(bytes(64), 3600, 0, 1)

    connection.use(login)
    calls = [connection.call(ACK, DoneAnswer) for _ in range(2)]
    ended = await asyncio.gather(*calls, return_exceptions=True)
    refused = [isinstance(each, RelayUnavailable) for each in ended]
    assert refused == [registers, registers]
    await connection.call(ACK, DoneAnswer)
    return counting


@pytest.mark.parametrize("registers", [True, False])
def test_what_waited_is_made_anew(registers: bool) -> None:
    posts = asyncio.run(waiting(registers=registers)).posts
    assert posts == (1 if registers else 3)
