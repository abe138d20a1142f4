"""What tests of groups wait for, over a town.

founded     a group whose people knew nobody but the one who made it
texts       the next texts of a client, with their senders
"""

import asyncio

from letterlock.client import Client
from support.client_town import Town


async def texts(client: Client, count: int) -> list[tuple[str, bytes]]:
    """Return the senders and bodies of the next messages, which are of groups."""
    found: list[tuple[str, bytes]] = []
    messages = client.messages()
    async for message in messages:
        assert message.group is not None
        found.append((message.sender, message.body))
        if len(found) == count:
            await message.done()
            break
    await messages.aclose()
    return found


async def nothing_more(client: Client) -> None:
    """Require that nothing else arrived, after everything there is was taken."""
    await client.groups.refresh()
    async for message in client.messages(wait=0):
        raise AssertionError(message.body)


async def in_group(client: Client, group: bytes, *names: str) -> None:
    """Wait until these people are the members of a group, and known by their names.

    Nobody is told of a new entry before a text, or an hour: so the client is asked to look.
    """
    wanted = set(names)
    while True:
        known = {each.id: each for each in await client.groups.all()}
        if group in known:
            own = {client.name} if known[group].role is not None else set[str]()
            if {each.name for each in known[group].members if each.name} | own == wanted:
                return
        await client.groups.refresh()
        await asyncio.sleep(0.01)


async def founded(town: Town, *names: str) -> tuple[bytes, list[Client]]:
    """Return a group of these people; the first of them made it, and the others knew nobody."""
    people = [await town.client(each) for each in names]
    group = await people[0].groups.create("team", names[1:])
    for each in people:
        await in_group(each, group, *names)
    return group, people


async def all_read(group: bytes, people: list[Client], body: bytes) -> None:
    """Have the first of some people say something that the others read."""
    await people[0].groups.send(group, body)
    for each in people[1:]:
        assert await texts(each, 1) == [(people[0].name, body)]
