"""Several clients of one store: in one process, in several, and one that is killed."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from letterlock._wire.relay_error import RelayCode
from letterlock.client import AlreadyDone, Client, Message, TicketRefused
from letterlock.client._admission import Admission
from letterlock.client._office import Office
from letterlock.client._transport import Reply
from letterlock.user import LinkingCode
from support.client_programs import KEY
from support.client_town import RELAY, Asked, Town, bodies, play, refusal, until

TABLE = "CREATE TABLE IF NOT EXISTS texts (body BLOB)"


async def same_file(town: Town, path: Path, label: str) -> Client:
    """Return one more client of a store, entered."""
    opened = await town.kind(label).open(path, key=KEY)
    return await town.stack.enter_async_context(opened)


async def saves(client: Client) -> None:
    """Be an application that saves each text in its own transaction."""
    async for message in client.messages():
        try:
            async with client.transaction():
                await client.run(_save, client, message)
                await message.done()
        except AlreadyDone:  # the other one had it: nothing was saved here
            continue


def _save(client: Client, message: Message) -> None:
    client.store.connection.execute("INSERT INTO texts VALUES (?)", (message.body,))


def test_two_clients_of_one_store_save_each_text_once(tmp_path: Path) -> None:
    """CLN-9"""

    async def story(town: Town) -> None:
        alice = await town.client("alice")
        path = tmp_path / "bob.db"
        made = await town.kind("bob").create(path, key=KEY, name="bob", relay=RELAY)
        bobs = [await town.stack.enter_async_context(made), await same_file(town, path, "again")]
        await bobs[0].run(lambda: bobs[0].store.connection.execute(TABLE))
        readers = [asyncio.create_task(saves(each)) for each in bobs]
        sent = [b"%d" % number for number in range(30)]
        for text in sent:
            await alice.send("bob", text)
            if int(text) % 5 == 0:
                await bobs[int(text) % 2].send("alice", b"answer " + text)

        def saved() -> Counter[bytes]:
            rows = bobs[0].store.connection.execute("SELECT body FROM texts").fetchall()
            return Counter(body for (body,) in rows)

        while (await bobs[0].run(saved)).total() < len(sent):  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.02)
        answers = await bodies(alice, 6)
        assert sorted(answers) == sorted(b"answer %d" % each for each in range(0, 30, 5))
        for reader in readers:
            assert not reader.done()
            reader.cancel()
        await asyncio.wait(readers)
        assert await bobs[0].run(saved) == Counter(sent)

    play(tmp_path, story)


def test_a_registration_that_fails_deletes_no_store_of_another_one(tmp_path: Path) -> None:
    """CLN-9: two programs register at once, and one of them has a bad ticket."""
    path = tmp_path / "alice.db"

    async def story(town: Town) -> None:
        goes_on, good = asyncio.Event(), town.kind("good")

        class Late(town.kind("bad")):  # type: ignore[misc]
            __slots__ = ()

            def __init__(self, office: Office) -> None:
                super().__init__(office)
                office.admission = LateAdmission(office)

        class LateAdmission(Admission):
            __slots__ = ()

            async def register(self, ticket: bytes | None) -> None:
                await goes_on.wait()
                await super().register(ticket)

        def rule(asked: Asked) -> Reply | None:
            is_bad = asked.name == "register" and asked.client == "bad"
            return refusal(RelayCode.TICKET) if is_bad else None

        town.rules.append(rule)
        first = asyncio.create_task(Late.create(path, key=KEY, name="alice", relay=RELAY))
        await until(path.exists)
        await (await good.create(path, key=KEY, name="alice", relay=RELAY)).close()
        goes_on.set()
        with pytest.raises(TicketRefused):
            await first
        async with await good.open(path, key=KEY) as alice:
            assert alice.name == "alice"

    play(tmp_path, story)


def test_a_linking_that_is_given_up_deletes_no_store_of_another_one(tmp_path: Path) -> None:
    """CLN-9: somebody calls `join` twice, and ends the first call when the second has succeeded."""
    path = tmp_path / "tablet.db"

    async def story(town: Town) -> None:
        alice, kind = await town.client("alice"), town.kind("tablet")
        shown: list[LinkingCode] = []
        digits: list[str] = []

        async def show(code: LinkingCode) -> None:
            shown.append(code)

        async def tell(number: str) -> None:
            digits.append(number)

        async def compare(number: str) -> bool:
            return digits == [number]

        def join() -> asyncio.Task[Client]:
            return asyncio.create_task(kind.join(path, key=KEY, relay=RELAY, show=show, digits=tell))

        first = join()
        await until(lambda: len(shown) == 1)
        second = join()
        await until(lambda: len(shown) == 2)
        await alice.link(shown[1], compare)
        await (await second).close()
        first.cancel()
        await asyncio.wait([first])
        async with await kind.open(path, key=KEY) as tablet:
            assert str(tablet.address) == "alice.2"

    play(tmp_path, story)
