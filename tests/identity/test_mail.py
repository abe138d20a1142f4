"""Codes by mail, over SMTP to a server in this process."""

import asyncio
from collections.abc import Callable, Coroutine
from email.message import EmailMessage
from typing import Any

import pytest

from letterlock._primitives.entropy import system_entropy
from letterlock.errors import MalformedMessage, UsageError
from letterlock.identity import MailCheck, MailPassword, MailSecurity, MailServer, MailText
from letterlock.identity._outbox import Mail, Outbox
from letterlock.recovery import CheckUnavailable, Gate, GateKey, Identify, Prove
from support.gate_memory import MemoryGates
from support.gate_town import ANNA, run
from support.mail_server import HOST, Post, certificate, mail_server
from support.pair import NOON

TEXT = MailText.of("Anna's notes")
SENDER = "codes@service.example"


def plain(port: int) -> MailServer:
    return MailServer(HOST, port, MailSecurity.NONE)


def check(port: int, **more: Any) -> MailCheck:
    more = {"outbox": Outbox(again=()), "clock": lambda: NOON, **more}
    return MailCheck(more.pop("server", plain(port)), SENDER, more.pop("text", TEXT), **more)


def served(play: Callable[[Post, int], Coroutine[Any, Any, None]], **settings: Any) -> Post:
    """Run a play with a mail server, and return the server's post."""

    async def whole() -> Post:
        post = Post()
        async with mail_server(post, **settings) as port:
            await play(post, port)
        return post

    return run(whole())


def test_a_code_arrives() -> None:
    async def play(post: Post, port: int) -> None:
        mails = check(port)
        await mails.deliver(ANNA, "0123456789")
        await mails.close()

    ((recipients, mail),) = served(play).taken
    assert recipients == [ANNA.decode()]
    assert (mail["To"], mail["From"], mail["Subject"]) == (ANNA.decode(), SENDER, "Your code")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@service.example>")
    assert "01234 56789" in text_of(mail)
    assert "Anna's notes" in text_of(mail)
    assert "0123" not in mail["Subject"]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body()
    assert body is not None
    return str(body.get_content())


def test_the_whole_way_from_an_address_to_a_pass() -> None:
    async def play(post: Post, port: int) -> None:
        mails = check(port)
        gate = Gate(2, GateKey(bytes(32)), MemoryGates(), {"mail": mails}, clock=lambda: NOON)
        answer = await gate.identify(Identify("mail", b"Anna@Example.org"))
        await asyncio.wait_for(post.arrived.wait(), 20)
        ((_, mail),) = post.taken
        code = next(line.strip() for line in text_of(mail).splitlines() if line.startswith("    "))
        assert answer.challenge is not None
        assert (await gate.prove(Prove(answer.challenge, b"1"))).tries_left == 2
        assert (await gate.prove(Prove(answer.challenge, code.encode()))).pass_ is not None
        await mails.close()

    served(play)


# --- the answer does not wait, and does not tell ----------------------------------------------------------


def test_an_address_without_a_mailbox_is_answered_like_one_with() -> None:  # REC-26
    async def play(post: Post, port: int) -> None:
        post.refused_names = {"nobody@example.org"}
        outbox = Outbox(again=(0.0, 0.0))
        mails = check(port, outbox=outbox)
        gate = Gate(2, GateKey(bytes(32)), MemoryGates(), {"mail": mails}, clock=lambda: NOON)
        answers = [await gate.identify(Identify("mail", each)) for each in (ANNA, b"nobody@example.org")]
        assert post.connections == 0  # nothing was sent before the answers
        assert {(len(each.encode()), each.not_before) for each in answers} == {(107, 0)}
        await mails.close()
        assert outbox.failed == 0
        assert post.connections == 2  # what the server refused for good is not sent again

    assert len(served(play).taken) == 1


def test_a_mail_that_was_refused_for_now_is_sent_again() -> None:
    async def play(post: Post, port: int) -> None:
        post.refusals = ["451 later"]
        outbox = Outbox(again=(0.0,))
        mails = check(port, outbox=outbox)
        await mails.deliver(ANNA, "1" * 10)
        await mails.close()
        assert (outbox.sent, outbox.failed) == (1, 0)

    assert len(served(play).taken) == 1


def test_a_server_that_is_gone_fails_no_answer() -> None:
    async def play() -> None:
        outbox = Outbox(again=())
        mails = check(9, outbox=outbox)
        await mails.deliver(ANNA, "1" * 10)
        await mails.close()
        assert (outbox.sent, outbox.failed) == (0, 1)

    run(play())


def test_a_log_line_has_no_address(caplog: pytest.LogCaptureFixture) -> None:  # REC-33
    async def play(post: Post, port: int) -> None:
        post.refusals = [f"451 {ANNA.decode()} later"] * 5
        mails = check(port)
        await mails.deliver(ANNA, "1234512345")
        await mails.close()

    served(play)
    assert "a mail could not be sent" in caplog.text
    for secret in ("anna", "12345"):
        assert secret not in caplog.text


# --- the outbox -------------------------------------------------------------------------------------------


def test_a_full_outbox_takes_nothing_from_anybody() -> None:
    async def play() -> None:
        release = asyncio.Event()

        async def slow() -> None:
            await release.wait()

        outbox = Outbox(waiting=2, again=())
        outbox.put(slow)
        outbox.put(slow)
        with pytest.raises(CheckUnavailable):
            outbox.put(slow)
        release.set()
        await outbox.close()
        assert outbox.sent == 2

    run(play())


def test_a_mail_that_never_ends_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from letterlock.identity import _outbox

    monkeypatch.setattr(_outbox, "SECONDS", 0.01)

    async def play() -> None:
        async def stuck() -> None:
            await asyncio.Event().wait()

        async def quick() -> None:
            pass

        outbox = Outbox(again=())
        for each in (*[stuck] * 8, quick):
            outbox.put(each)
        await outbox.close()
        assert (outbox.sent, outbox.failed) == (1, 8)

    run(play())


def test_addresses_that_fail_hold_up_no_other() -> None:
    """A stranger asks for codes to addresses that the mail server refuses for now. REC-26"""

    async def play() -> None:
        order, tried = list[str](), asyncio.Event()

        async def fails() -> None:
            order.append("fails")
            if order.count("fails") == 20:
                tried.set()
            raise OSError

        async def quick() -> None:
            order.append("quick")

        outbox = Outbox(waiting=30, again=(3600.0,))
        for _ in range(20):
            outbox.put(fails)
        await asyncio.wait_for(tried.wait(), 30)  # none of them waits in a sender's hands
        outbox.put(quick)
        while outbox.sent < 1:  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0)
        assert order == ["fails"] * 20 + ["quick"]
        for _ in range(10):
            outbox.put(fails)
        with pytest.raises(CheckUnavailable):
            outbox.put(quick)
        await outbox.close(0)

    run(play())


def test_what_is_sent_again_comes_after_what_is_new() -> None:
    async def play() -> None:
        order, opened = list[int](), asyncio.Event()

        def mail(name: int) -> Mail:
            async def send() -> None:
                order.append(name)
                await opened.wait()
                if order.count(name) == 1 and name < 4:
                    raise OSError

            return send

        outbox = Outbox(again=(0.0,))
        for name in range(20):
            outbox.put(mail(name))
        while len(order) < 4:  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0)
        opened.set()
        await outbox.close()
        assert order[:20] == [*range(20)]
        assert sorted(order[20:]) == [0, 1, 2, 3]
        assert (outbox.sent, outbox.failed) == (20, 0)

    run(play())


def test_closing_ends_what_does_not_end(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        async def stuck() -> None:
            await asyncio.Event().wait()

        before = asyncio.all_tasks()
        outbox = Outbox()
        outbox.put(stuck)
        await outbox.close(0.01)
        assert outbox.sent == 0
        assert asyncio.all_tasks() == before

    run(play())
    assert "1 mails were not sent" in caplog.text


# --- the way to the server --------------------------------------------------------------------------------


def test_starttls_and_a_password() -> None:
    server_context, client_context = certificate()
    post = Post()

    async def play() -> None:
        async with mail_server(
            post, tls_context=server_context, require_starttls=True, authenticator=post.login
        ) as port:
            server = MailServer(HOST, port, MailSecurity.STARTTLS, "codes", MailPassword(b"hunter2"))
            mails = check(port, server=server, tls=client_context)
            await mails.deliver(ANNA, "1" * 10)
            await mails.close()

    run(play())
    assert len(post.taken) == 1
    assert post.logins == [(b"codes", b"hunter2")]


def test_tls_from_the_first_byte() -> None:
    server_context, client_context = certificate()

    async def play(post: Post, port: int) -> None:
        mails = check(port, server=MailServer(HOST, port, MailSecurity.TLS), tls=client_context)
        await mails.deliver(ANNA, "1" * 10)
        await mails.close()

    assert len(served(play, implicit_tls=server_context).taken) == 1


@pytest.mark.parametrize("account", [(), ("codes", MailPassword(b"hunter2"))])
def test_a_server_without_starttls_gets_nothing(account: tuple[Any, ...]) -> None:
    """Somebody on the way who takes the offer of STARTTLS out reads no code and no password."""

    async def play(post: Post, port: int) -> None:
        outbox = Outbox(again=())
        mails = check(port, server=MailServer(HOST, port, MailSecurity.STARTTLS, *account), outbox=outbox)
        await mails.deliver(ANNA, "1" * 10)
        await mails.close()
        assert (outbox.sent, outbox.failed) == (0, 1)

    post = served(play)
    assert (post.taken, post.connections) == ([], 0)


def test_a_server_with_another_certificate_gets_nothing() -> None:
    server_context, _ = certificate()

    async def play(post: Post, port: int) -> None:
        outbox = Outbox(again=())
        mails = check(port, server=MailServer(HOST, port, MailSecurity.STARTTLS), outbox=outbox)
        await mails.deliver(ANNA, "1" * 10)
        await mails.close()
        assert (outbox.sent, outbox.failed) == (0, 1)

    assert served(play, tls_context=server_context).taken == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: MailServer("mail.example.org", 25, MailSecurity.NONE),
        lambda: MailServer(HOST, 25, MailSecurity.NONE, "codes", MailPassword(b"x")),
        lambda: MailServer("", 25),
        lambda: MailServer(HOST, 0),
        lambda: MailServer(HOST, 65536),
        lambda: MailServer(HOST, user="codes"),
        lambda: MailServer(HOST, password=MailPassword(b"x")),
        lambda: MailText("Your code {code}", "{code}"),
        lambda: MailText("Your code\nBcc: x@example.org", "{code}"),
        lambda: MailText("", "{code}"),
        lambda: MailText("x" * 121, "{code}"),
        lambda: MailText("Your code", "no code"),
        lambda: MailText("Your code", "{code} {code}"),
        lambda: MailText("Your code", "{code}" + "x" * 9000),
        lambda: MailCheck(plain(25), "no address", TEXT),
        lambda: MailCheck(plain(25), "Codes <codes@service.example>", TEXT),
    ],
)
def test_settings_that_would_not_do(make: Callable[[], object]) -> None:
    with pytest.raises(UsageError):
        make()


def test_a_claim_that_is_no_address_sends_nothing() -> None:  # REC-28
    async def play(post: Post, port: int) -> None:
        mails = check(port)
        gate = Gate(2, GateKey(bytes(32)), MemoryGates(), {"mail": mails}, entropy=system_entropy)
        for claim in (b"anna@example.org\r\nBcc: bert@example.org", b"anna@example.org,bert@example.org"):
            with pytest.raises(MalformedMessage):
                await gate.identify(Identify("mail", claim))
        await mails.close()

    assert served(play).connections == 0
