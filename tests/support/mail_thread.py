"""A mail server in a thread of its own, for tests whose own loop is busy or not there."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from threading import Thread
from typing import Any, TypeVar

from support.mail_server import Post, mail_server

T = TypeVar("T")


class MailThread:
    """A mail server in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.post = Post()
        self.served = mail_server(self.post)
        self.port = self.do(self.served.__aenter__())

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def code(self) -> bytes:
        """Wait for a mail, and return the code in it."""
        self.do(asyncio.wait_for(self.post.arrived.wait(), 60))
        return _code(self.post.taken[-1][1])

    def code_of(self, number: int) -> bytes:
        """Wait until so many mails have come and one more, and return the code in that one."""

        async def wait() -> None:
            while len(self.post.taken) <= number:
                self.post.arrived.clear()
                await self.post.arrived.wait()

        self.do(asyncio.wait_for(wait(), 60))
        return _code(self.post.taken[number][1])

    def close(self) -> None:
        self.do(self.served.__aexit__(None, None, None))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(30)
        self.loop.close()


def _code(mail: EmailMessage) -> bytes:
    body = mail.get_body()
    assert body is not None
    lines = str(body.get_content()).splitlines()
    return next(line.strip() for line in lines if line.startswith("    ")).encode()


@contextmanager
def mail_thread() -> Iterator[MailThread]:
    made = MailThread()
    try:
        yield made
    finally:
        made.close()
