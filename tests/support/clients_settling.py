"""The end of a play of the model of clients: the relay is honest, and everything that waits arrives.

    each text was given once to the application of every device for which it was meant
    nothing was given that nobody wrote, or under another sender, or to a device for which it was not meant
    every contact is that of the truth, and who had taken other lists was told of the contradiction
    no session is with a key that no list of the name has
    the relay can read nothing
    no task of a client failed

Not here: what happened before (clients_play.py).
"""

import asyncio
from typing import Final

from letterlock import Address
from letterlock.client import Client, Person, RelayMisbehaves, RelayUnavailable
from letterlock.errors import LetterlockError
from letterlock.limits import DAY, HOUR
from support.clients_lies import misses_its_list, reads_nothing
from support.clients_phones import Phone, pass_time, wake
from support.clients_play import Play, Text

PAUSES: Final = (0, 61, HOUR, HOUR, *(DAY,) * 16)
"""How long the world waits after each round, as in the model of users."""
_STILL: Final = 5
"""So many looks in a row must find nothing under way."""
_LOOK: Final = 0.04
_LOOKS: Final = 400
_IN_PASSING: Final = {"fetch", "challenge", "authenticate", "register"}
"""Calls that a phone makes without an end, one that was revoked too."""


async def settle(play: Play, pauses: tuple[int, ...] = PAUSES) -> None:
    """Let everybody be honest until all texts have arrived, and check what must hold."""
    play.liar.rate = 0.0
    play.liar.always.clear()
    play.country.is_down = False
    play.country.dead.clear()
    await play.starts()
    astray = await _astray(play)
    for pause in pauses:
        pass_time(play.phones, play.country, pause)
        await _rest(play)
        missing = await _missing(play)
        if not missing and not await _off_truth(play):
            break
        play.note("after", pause, "seconds:", len(missing), "texts are missing")
    problems = [*await _missing(play), *await _off_truth(play), *await _check(play)]
    for phone, name in astray:
        if phone.client is not None and name not in phone.conflicts():
            problems.append(f"{phone} was not told that the lists of {name} contradict each other")
    assert not problems, "\n".join(problems)


async def _rest(play: Play) -> None:
    """Wait until nothing is under way, and do what people do meanwhile."""
    still, before = 0, -1
    for _ in range(_LOOKS):
        busy = False
        assert not (ended := [each.label for each in play.phones if each.has_ended]), f"ended: {ended}"
        for phone in play.phones:
            if phone.client is not None and phone in play.listed(phone.name):  # others cannot log in
                wake(phone)
                busy |= await play.decide_all(phone, phone.client)
                busy |= bool(await phone.client.run(_due, phone.client))
        await _revoke_ghosts(play)
        calls = sum(count for name, count in play.country.calls.items() if name not in _IN_PASSING)
        busy |= calls != before or play.country.busy.total() > 0
        before, still = calls, 0 if busy else still + 1
        if still >= _STILL:
            return
        await asyncio.sleep(_LOOK)


def _due(client: Client) -> int:
    """Return how much a client could do now."""
    office = client._office
    return len(office.queue.posts.ready(1)) + office.arrivals.count()


async def _revoke_ghosts(play: Play) -> None:
    """Let people revoke a device that was listed, and that no phone has become."""
    for name, chain in play.liar.truth.items():
        there = {each.address.device_id for each in play.phones if each.name == name}
        for device in chain[-1].snapshot.devices:
            older = [each for each in play.listed(name) if each.address.device_id < device.id]
            if device.id not in there and older and (name, device.id) not in play.ghosts:
                play.ghosts.add((name, device.id))
                await play.revoke(older[0], device.id)


# --- what must hold -----------------------------------------------------------------------------------------


async def _honest(play: Play) -> list[Phone]:
    """Return the phones that the true list has, and that have it."""
    found = []
    for name, chain in play.liar.truth.items():
        for phone in play.listed(name):
            assert phone.client is not None
            own = await phone.client.run(phone.client._office.queue.head, name)
            if own is not None and own[1] == chain[-1].hash[:8]:
                found.append(phone)
    return found


async def _missing(play: Play) -> list[str]:
    """Return which texts have not arrived where they must."""
    honest = {each.address: each for each in await _honest(play)}
    given = {address: await phone.texts() for address, phone in honest.items()}
    found = []
    for body, text in play.texts.items():
        if text.sender in honest and not play.has_replaced(text.sender, text.to):
            found += [
                f"{address} lacks {body.decode()} of {text.sender} to {text.to}"
                for address in text.due & honest.keys()
                if not given[address][_row(text, address, body)]
            ]
    return found


def _row(text: Text, reader: Address, body: bytes) -> tuple[str, int, str | None, bytes]:
    copy = reader.name == text.sender.name != text.to
    return text.sender.name, text.sender.device_id, text.to if copy else None, body


async def _astray(play: Play) -> list[tuple[Phone, str]]:
    """Return who has lists on record that contradict the truth."""
    found = []
    for phone in play.phones:
        assert phone.client is not None
        for person in await _known(play, phone.client):
            pin = await phone.client.run(phone.client._office.queue._pin, person.name)
            if pin is not None and pin.hash not in {each.hash for each in play.liar.truth[person.name]}:
                found.append((phone, person.name))
    return found


async def _known(play: Play, client: Client) -> list[Person]:
    """Return the contacts that there are in truth. A relay may make up others."""
    return [each for each in await client.contacts() if each.name in play.liar.truth]


async def _off_truth(play: Play) -> list[str]:
    """Ask everybody for everybody's lists, and return whose are not the true ones."""
    found = []
    for phone in await _honest(play):
        assert phone.client is not None
        for person in await _known(play, phone.client):
            try:
                await phone.client.meet(person.name)
            except (RelayUnavailable, RelayMisbehaves, LetterlockError) as error:
                play.note(phone, "asks for", person.name, "and gets", repr(error))
            head = await phone.client.run(phone.client._office.queue.head, person.name)
            if head is None or head[1] != play.liar.truth[person.name][-1].hash[:8]:
                found.append(f"{phone} has other lists of {person.name} than the true ones")
    return found


async def _check(play: Play) -> list[str]:
    found = [*play.country.errors, *(fault for phone in play.phones for fault in phone.faults)]
    for phone in play.phones:
        assert phone.client is not None
        if phone.is_out and phone in play.listed(phone.name):
            found.append(f"{phone} believes that it was revoked, and it was not")
        for row, times in (await phone.texts()).items():
            found += _judge(play, phone.address, row, times)
        found += [
            f"{phone} has a session with a stranger under {address}"
            for address, identity in await phone.client.run(_peers, phone.client)
            if identity not in _identities(play, address)
        ]
    addresses = {each.label: each.address for each in play.phones}
    owners = play.liar.owners
    wrong = [misses_its_list(play.liar, label, owners[label], each) for label, each in play.liar.sent]
    return [*found, *filter(None, wrong), *reads_nothing(play.liar, addresses)]


def _judge(play: Play, reader: Address, row: tuple[str, int, str | None, bytes], times: int) -> list[str]:
    """Return what is wrong with a text that an application was given."""
    body = row[3]
    text = play.texts.get(body) or play.maybe.get(body)
    if text is None:
        return [] if body == b"hello" else [f"{reader} is given {body.decode()}, which nobody wrote"]
    if times != 1:
        return [f"{reader} is given {body.decode()} {times} times"]
    if row != _row(text, reader, body):
        return [f"{reader} is given {body.decode()} as {row[:3]}, and it is of {text.sender} to {text.to}"]
    if reader.name not in {text.to, text.sender.name}:
        return [f"{reader} is given {body.decode()}, which was not meant for it"]
    return []


def _peers(client: Client) -> list[tuple[Address, bytes]]:
    account = client._office.queue.user.account
    return [(each.address, each.identity.data) for each in account.peers() if account.session(each.address)]


def _identities(play: Play, address: Address) -> set[bytes]:
    """Return the identity keys that lists of a name ever had for a device."""
    chains = [*play.liar.truth.values()] if address.name == "nobody" else [play.liar.truth[address.name]]
    chains += [each.chain for name, each in play.liar.twins.items() if name == address.name]
    devices = [each for chain in chains for list_ in chain for each in list_.snapshot.devices]
    return {each.identity.data for each in devices if each.id == address.device_id}
