"""Joining: both sides of a linking, from code to device.

Not here: the meeting place (_linking.py), what each message must prove (user/).
"""

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from letterlock._wire.device_snapshot import DeviceClass
from letterlock._wire.linking import LinkingCode
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_place import Step
from letterlock.client import _history as history
from letterlock.client._arrivals import Arrivals
from letterlock.client._connection import Connection
from letterlock.client._errors import HistoryRefused, RelayMisbehaves, RelayRefused, RelayUnavailable
from letterlock.client._http import RelayUrl
from letterlock.client._linking import (
    CompareDigits,
    MeetingPlace,
    ShowCode,
    ShowDigits,
    in_time,
    new_place,
    place_text,
    read_place,
)
from letterlock.client._office import Office
from letterlock.client._opening import World, linked
from letterlock.client._pace import Backoff
from letterlock.client._stores import StoreOpener
from letterlock.client._thread import StoreThread
from letterlock.errors import UsageError
from letterlock.stores import Store
from letterlock.user import Link, LinkingRefused, NewDevice

if TYPE_CHECKING:
    from letterlock.client._sender import Sender


async def join(
    opener: StoreOpener, url: RelayUrl, world: World, screens: tuple[ShowCode, ShowDigits]
) -> tuple[StoreThread, Arrivals]:
    """Link this device. Raises LinkingRefused, AccountExists, UsageError, RelayMisbehaves, and what follows.

    `screens` show the code and the digits.
    """
    place = new_place()
    begin = partial(_begun, place=place_text(place), clock=world)
    thread, new = await StoreThread.open(opener.open, begin)
    connection = Connection(world.transport(url), _nobody)
    try:
        meeting = MeetingPlace(connection, place, world.pace, openly=True)
        return thread, await in_time(_join(thread, new, meeting, (url.text, world, screens)))
    except BaseException:
        await opener.discard(thread, partial(_is_at, new, place_text(place)))
        raise
    finally:
        await connection.close()


def _begun(store: Store, place: str, clock: World) -> NewDevice:
    return NewDevice.begin(store, place, clock=clock.clock)


def _is_at(new: NewDevice, place: str) -> bool:
    """Return whether the linking of a store is still this one, and no other program's. [CLN-9]"""
    try:
        return new.code.place == place
    except UsageError:  # the store has a user by now
        return False


def _nobody(*, is_up: bool) -> None:
    del is_up


async def _join(
    thread: StoreThread,
    new: NewDevice,
    meeting: MeetingPlace,
    given: tuple[str, World, tuple[ShowCode, ShowDigits]],
) -> Arrivals:
    relay, world, (show, digits) = given
    await show(await thread.run(lambda: new.code))
    await meeting.opened()
    await meeting.put(Step.BUNDLE, await thread.run(lambda: new.bundle))
    answer = await thread.run(new.receive_offer, await meeting.get(Step.OFFER))
    await digits(await thread.run(lambda: new.digits))
    await meeting.put(Step.ANSWER, answer)
    package, signed = history.divided(await meeting.get(Step.PACKAGE))

    def save() -> tuple[Arrivals, bool]:
        arrivals = linked(new.receive_package(package), thread.store, relay, world.clock)
        return arrivals, history.keep(arrivals, package, signed)

    arrivals, is_whole = await thread.run(save)
    if not is_whole:
        raise HistoryRefused  # this device stays linked
    return arrivals


async def link(
    office: Office,
    sender: "Sender",
    code: LinkingCode,
    how: tuple[CompareDigits, DeviceClass, Iterable[bytes]],
) -> int:
    """Add the device that shows a code, and return its id. Raises what `User.link` raises."""
    office.require_outside()
    meeting = MeetingPlace(office.connection, read_place(code), office.pace, openly=False)
    return await in_time(_link(office, sender, code, (meeting, *how)))


async def _link(
    office: Office,
    sender: "Sender",
    code: LinkingCode,
    how: tuple[MeetingPlace, CompareDigits, DeviceClass, Iterable[bytes]],
) -> int:
    meeting, compare, device_class, items = how
    await meeting.open()
    bundle = await meeting.get(Step.BUNDLE)
    link = await office.run(office.queue.user.link, code, bundle, device_class)
    try:
        await meeting.put(Step.OFFER, await office.run(lambda: link.offer))
        await office.run(link.receive, await meeting.get(Step.ANSWER))
        _require(agree=await compare(await office.run(lambda: link.digits)))
    except BaseException:
        await asyncio.shield(office.run(link.forget))
        raise
    package, device_id = await office.run(_confirmed, office, link, items)
    await _uploaded(office, sender, device_id)  # the relay knows the device before the device calls it
    office.note_learned()
    await meeting.put(Step.PACKAGE, package)
    office.wake_all()
    return device_id


async def _uploaded(office: Office, sender: "Sender", device_id: int) -> None:
    """Upload our list until the relay has it. Raises LinkingRefused if another change came first."""
    backoff = Backoff(office.pace)
    while True:
        seconds = 0
        try:
            await office.connection.token()
            await sender.upload_lists()
        except RelayUnavailable as error:
            seconds = error.seconds
        except RelayRefused as refused:
            seconds = refused.number if refused.code is RelayCode.SLOW_DOWN else 0
        except RelayMisbehaves:
            pass
        if device_id not in {each.id for each in await office.run(office.queue.user.devices)}:
            raise LinkingRefused("another change of the device list came first: begin again")
        if not await office.run(office.queue.own_lists, office.relay_version or 0):
            return
        await backoff.wait(seconds)


def _require(*, agree: bool) -> None:
    if not agree:
        raise LinkingRefused("the digits differ: show a new code and begin again")


def _confirmed(office: Office, link: Link, items: Iterable[bytes]) -> tuple[bytes, int]:
    confirmed = link.confirm()
    office.queue.take(confirmed)
    return history.sealed(office, link.device_id, items, confirmed.package), link.device_id
