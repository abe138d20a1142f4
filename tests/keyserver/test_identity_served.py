"""A key server as a process, with two checks of identity: a code by a mail server, and tickets."""

import asyncio
from pathlib import Path

from letterlock._keyserver._keys import ServerKeys
from letterlock._wire.relay_error import RelayCode
from letterlock.recovery import Challenged, Identify, LockEvaluated, Prove, Proven, bind_identity
from letterlock.relay import TicketKey
from support.keyserver_served import FREE, key_file, town_of
from support.keyserver_town import DeskTown, refused
from support.mail_server import HOST, Post, mail_server
from support.recovery_town import DECOYS
from support.relay_server import Server, served
from support.user_tools import keys

APPLICATION = TicketKey(bytes(range(32)))
ADDRESS = b"anna@example.org"


async def proven_by_ticket(town: DeskTown) -> Proven:
    challenged: Challenged = await town.ask(1, Identify("ticket"))
    assert challenged.challenge is not None
    ticket = APPLICATION.sign_identity("patient 4711", server=2, challenge=challenged.challenge)
    answer: Proven = await town.ask(1, Prove(challenged.challenge, ticket))
    return answer


async def bound(town: DeskTown, proven: Proven) -> None:
    assert proven.pass_ is not None
    signing = keys("alice phone").signing
    await town.ask(1, bind_identity(2, town.user_id, proven.pass_, 1, signing))


async def code_from(post: Post) -> bytes:
    """Wait for a mail, and return the code in it, as it is written there."""
    await asyncio.wait_for(post.arrived.wait(), 30)
    body = post.taken[-1][1].get_body()
    assert body is not None
    lines = str(body.get_content()).splitlines()
    return next(line.strip() for line in lines if line.startswith("    ")).encode()


def test_a_user_passes_the_checks_of_a_key_server(tmp_path: Path) -> None:
    post = Post()

    async def play(server: Server) -> None:
        town = town_of(server)
        (guess,) = await town.guesses(1)  # at a decoy: its uses are counted like any other's
        challenged: Challenged = await town.ask(1, Identify("mail", b"Anna@Example.org"))
        assert challenged.challenge is not None
        wrong: Proven = await town.ask(1, Prove(challenged.challenge, b"1"))
        assert (wrong.pass_, wrong.tries_left) == (None, 2)
        by_mail: Proven = await town.ask(1, Prove(challenged.challenge, await code_from(post)))
        await bound(town, by_mail)
        await bound(town, await proven_by_ticket(town))
        for given in (None, by_mail.pass_):  # the mail's pass is from before the binding
            town.pass_ = given
            with refused(RelayCode.UNKNOWN):
                await town.ask(1, guess)
        town.pass_ = (await proven_by_ticket(town)).pass_
        answer: LockEvaluated = await town.ask(1, guess)
        assert answer.evaluation is not None
        assert ADDRESS.decode() not in server.written()

    async def whole() -> None:
        async with mail_server(post) as port:
            mail = f"mail:smtp+plain://{HOST}:{port}?from=codes@keys.example&service=Keys"
            checks = f"{mail} ticket:{APPLICATION.public_hex}"
            key_flags = ("--keys", key_file(tmp_path, ServerKeys.generate(DECOYS)))
            flags = (*key_flags, *FREE[2:], "--identity", checks)
            with served(tmp_path, *flags, kind="keyserver") as server:
                await play(server)

    asyncio.run(asyncio.wait_for(whole(), 120))
