"""A mail server in a thread of its own, for tests whose own loop is busy or not there."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from email.message import EmailMessage
from threading import Thread
from typing import Any, Final, TypeVar

from support.mail_server import Post, mail_server

T = TypeVar("T")

_CODE: Final = re.compile(r"^    (\d{5} \d{5})\s*$", re.MULTILINE)


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
        return self.codes()[-1]

    def codes(self) -> list[bytes]:
        """Return the codes of all mails so far. Others are notices."""
        found = [_CODE.search(_body(mail)) for _, mail in self.post.taken]
        return [each[1].encode() for each in found if each is not None]

    def notices(self) -> int:
        """Return how many notices have come, of whatever kind."""
        return len(self.post.taken) - len(self.codes())

    def code_of(self, number: int, running: Future[bytes]) -> bytes:
        """Wait until so many codes have come and one more, and return it, unless the command ends before."""
        running.add_done_callback(lambda _: self.loop.call_soon_threadsafe(self.post.arrived.set))
        self.wait(lambda: len(self.codes()) > number or running.done())
        if running.done():
            raise AssertionError(running.result())
        return self.codes()[number]

    def wait(self, until: Callable[[], bool]) -> None:
        """Wait until the mails that have come are enough."""

        async def wait() -> None:
            while not until():
                self.post.arrived.clear()
                await self.post.arrived.wait()

        self.do(asyncio.wait_for(wait(), 60))

    def close(self) -> None:
        self.do(self.served.__aexit__(None, None, None))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(30)
        self.loop.close()


def _body(mail: EmailMessage) -> str:
    body = mail.get_body()
    assert body is not None
    return str(body.get_content())


@contextmanager
def mail_thread() -> Iterator[MailThread]:
    made = MailThread()
    try:
        yield made
    finally:
        made.close()
