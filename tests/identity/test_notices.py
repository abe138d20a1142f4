"""Notices of a second lock by mail, over SMTP to a server in this process: when one is on its way. REC-42."""

import asyncio
from collections.abc import Callable, Coroutine
from email.message import EmailMessage
from typing import Any

import pytest

from letterlock.errors import UsageError
from letterlock.identity import MailCheck, MailPassword, MailSecurity, MailServer, MailText, NoticeText
from letterlock.recovery import CheckUnavailable, ReachesUsers, SecondLockEvent
from support.gate_town import ANNA, run
from support.mail_server import HOST, Post, certificate, mail_server
from support.pair import NOON

TEXT = MailText.of("Anna's notes")
SENDER = "codes@service.example"
ASKED, GIVEN, STOPPED = SecondLockEvent


def check(port: int, text: MailText = TEXT) -> MailCheck:
    return MailCheck(MailServer(HOST, port, MailSecurity.NONE), SENDER, text, clock=lambda: NOON)


def served(play: Callable[[Post, MailCheck], Coroutine[Any, Any, None]], text: MailText = TEXT) -> Post:
    async def whole() -> Post:
        post = Post()
        async with mail_server(post) as port:
            await play(post, check(port, text))
        return post

    return run(whole())


def body_of(mail: EmailMessage) -> str:
    body = mail.get_body()
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize(
    ("event", "words"),
    [(ASKED, "way back into your account"), (GIVEN, "has given out its half"), (STOPPED, "has stopped it")],
)
def test_a_notice_is_taken_and_plain(event: SecondLockEvent, words: str) -> None:
    async def play(_: Post, mails: MailCheck) -> None:
        assert isinstance(mails, ReachesUsers)
        await mails.notify(ANNA, event)

    ((recipients, mail),) = served(play).taken
    assert recipients == [ANNA.decode()]
    assert (mail["To"], mail["From"]) == (ANNA.decode(), SENDER)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert words in " ".join(body_of(mail).split())
    assert "Anna's notes" in body_of(mail)
    assert len(body_of(mail)) < 600


def test_an_operator_says_it_otherwise() -> None:
    notices = NoticeText("Ihr Konto", "Jemand fragt für Sie.", "Gegeben.", "Beendet.")
    text = MailText("Ihr Code", "{code}", notices)

    async def play(_: Post, mails: MailCheck) -> None:
        await mails.notify(ANNA, ASKED)

    ((_, mail),) = served(play, text).taken
    assert (mail["Subject"], body_of(mail).strip()) == ("Ihr Konto", "Jemand fragt für Sie.")


@pytest.mark.parametrize("answer", ["451 later", "550 no such mailbox", "552 mailbox full"])
def test_what_the_mail_server_refuses_is_not_on_its_way(answer: str) -> None:
    async def play(post: Post, mails: MailCheck) -> None:
        for refusals in (post.refusals, post.data_refusals):
            refusals.append(answer)
            with pytest.raises(CheckUnavailable) as caught:
                await mails.notify(ANNA, ASKED)
            assert "anna" not in str(caught.value)

    assert served(play).taken == []


def test_a_mail_server_that_is_gone_took_nothing() -> None:
    async def play() -> None:
        with pytest.raises(CheckUnavailable):
            await check(9).notify(ANNA, ASKED)

    run(play())


def test_a_mail_server_that_takes_it_and_hangs_up_may_have_taken_it() -> None:
    """Nobody knows, so it is neither `surely not sent` nor on its way."""

    async def play(post: Post, mails: MailCheck) -> None:
        post.hangs_up = True
        with pytest.raises(Exception) as caught:
            await mails.notify(ANNA, ASKED)
        assert not isinstance(caught.value, CheckUnavailable)

    assert len(served(play).taken) == 1


def test_a_mail_server_that_hangs_up_after_its_answer_has_taken_it() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.test\r\n")
        for answer in (b"250 ok", b"250 ok", b"250 ok", b"354 go on"):
            await reader.readline()
            writer.write(answer + b"\r\n")
        await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"250 taken\r\n")
        await writer.drain()
        writer.transport.abort()

    async def play() -> None:
        server = await asyncio.start_server(talk, HOST, 0)
        port = server.sockets[0].getsockname()[1]
        await check(port).notify(ANNA, ASKED)
        server.close()

    run(play())


def test_a_server_without_a_good_certificate_gets_no_notice() -> None:
    server_context, _ = certificate()

    async def play() -> None:
        post = Post()
        async with mail_server(post, tls_context=server_context, require_starttls=True) as port:
            server = MailServer(HOST, port, MailSecurity.STARTTLS, "codes", MailPassword(b"hunter2"))
            with pytest.raises(CheckUnavailable):
                await MailCheck(server, SENDER, TEXT).notify(ANNA, ASKED)
        assert (post.taken, post.logins) == ([], [])

    run(play())


@pytest.mark.parametrize(
    "changes", [{"subject": "two\nlines"}, {"subject": ""}, {"asked": " "}, {"given": "x" * 9000}]
)
def test_a_text_that_is_none(changes: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        NoticeText(**changes)
