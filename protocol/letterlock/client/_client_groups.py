"""ClientGroups: the groups of a user of a relay, for asyncio.

Each change is tried at once, and made anew while others are faster. If the relay is away, it stays here and
is offered when the relay is back. What is sent is saved, and sealed when it goes.

Not here: the rules (groups/), the calls of the relay (_convener.py).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Final

from letterlock._primitives.secret import Uncopyable
from letterlock.client._client_documents import ClientDocuments
from letterlock.client._client_histories import ClientHistories
from letterlock.client._convener import Convener
from letterlock.client._errors import RelayRefused, RelayUnavailable
from letterlock.client._office import Office
from letterlock.errors import UsageError
from letterlock.groups import (
    ChangeOutcome,
    CollectionPhase,
    Group,
    GroupChange,
    GroupDelivery,
    GroupRole,
)

_MAILBOX: Final = 10.0
"""Seconds for which a refresh waits until the mailbox was read once."""


class ClientGroups(Uncopyable):
    """The groups of a client: `client.groups`. What arrives in them comes with `client.messages()`.

    A member is the name of a user. A name that is no contact yet is asked for first. A method that changes
    something returns whether the relay has the change in its log. False means that the change waits here: for
    the relay, or for keys or device lists that have to come first. Each raises what that of `Groups` raises,
    UnknownUser, RelayMisbehaves, and UsageError inside `transaction()`; also UsageError if somebody else was
    faster and nothing of the change is possible any more.
    """

    __slots__ = ("_convener", "_meet", "_office", "_queue", "histories")

    def __init__(
        self, office: Office, meet: Callable[..., Awaitable[None]], documents: ClientDocuments
    ) -> None:
        """Not for applications, which use `client.groups`."""
        self.histories: Final = ClientHistories(office, documents)
        """What newcomers are given of what was written before."""
        self._office = office
        self._queue = office.groups
        self._convener = Convener(office)
        self._meet = meet

    async def create(self, name: str, members: Iterable[str] = (), *, history: bool = False) -> bytes:
        """Make a group with this user as its admin, and return its id, 16 bytes.

        With `history`, members may give newcomers what was written before: see `histories`.
        """
        made: list[GroupChange] = []
        names = await self._known(members)

        def make() -> GroupChange:
            made.append(self._queue.groups.create(name, names, history=history))
            return made[-1]

        await self._change(make)
        return made[-1].group

    async def add(self, group: bytes, members: Iterable[str], role: GroupRole = GroupRole.MEMBER) -> bool:
        """Add members. They read what is sent from now on, and what somebody gives them of what was before.

        If somebody went when the epoch began, a new one is begun first.
        """
        names = await self._known(members)
        if (await self.get(group)).phase in {CollectionPhase.PARTED, CollectionPhase.SPENT}:
            await self.renew(group)
        return await self._change(partial(self._queue.groups.add, group, names, role), group)

    async def remove(self, group: bytes, members: Iterable[str]) -> bool:
        """Remove members, and begin a new epoch whose secret they do not get."""
        return await self._change(partial(self._queue.groups.remove, group, _names(members)), group)

    async def set_role(self, group: bytes, members: Iterable[str], role: GroupRole) -> bool:
        """Give members another role."""
        return await self._change(partial(self._queue.groups.set_role, group, _names(members), role), group)

    async def rename(self, group: bytes, name: str) -> bool:
        """Give a group another name."""
        return await self._change(partial(self._queue.groups.rename, group, name), group)

    async def renew(self, group: bytes) -> bool:
        """Begin a new epoch with the same members."""
        return await self._change(partial(self._queue.groups.renew, group), group)

    async def leave(self, group: bytes) -> bool:
        """Leave a group. Another member begins a new epoch before anything else is sent."""
        return await self._change(partial(self._queue.groups.leave, group), group)

    async def close(self, group: bytes) -> bool:
        """End a group for good."""
        return await self._change(partial(self._queue.groups.close, group), group)

    # --- texts ----------------------------------------------------------------------------------------

    async def send(self, group: bytes, body: bytes) -> bytes:
        """Send a text to a group; return an id of 16 bytes, by which `is_sent` tells whether it has gone.

        It is saved when this returns, and goes as soon as the relay is there, sealed for the members of that
        moment. In `transaction()` it is part of the commit. Raises UsageError for a group that is unknown;
        PlaintextTooLong beyond 640 KiB. A text that may not go, because this user lost the right to write, is
        given up, and the event GROUP_GIVEN_UP tells it.
        """
        if type(body) is not bytes or type(group) is not bytes:
            raise UsageError("send needs the id of a group and a body, both as bytes")
        id_ = await self._office.run(self._queue.outbox.post, group, body)
        self._office.group_wake.set()
        return id_

    async def is_sent(self, id_: bytes) -> bool:
        """Return whether the relay has taken a text, or it was given up."""
        return not await self._office.run(self._queue.rows.posts.has, id_)

    async def deliveries(self, id_: bytes) -> tuple[GroupDelivery, ...]:
        """Return to which members a text was delivered, by the id that `send` returned.

        Asked are those who were members when it was sealed and are members now, in the order of their ids.
        `is_delivered` says that a device of the member has read the text, and that the member itself said so;
        False says that nothing is known yet. In groups of up to 64 members each device tells it by itself,
        at once or some minutes later. In larger ones it is told by what the member writes. Raises UsageError
        for an id that is unknown, of a text that was given up, or of one older than 30 days.
        """
        return await self._office.run(self._queue.outbox.deliveries, id_)

    # --- looking --------------------------------------------------------------------------------------

    async def all(self) -> tuple[Group, ...]:
        """Return all groups on record, in the order of their ids."""
        return await self._office.run(self._queue.groups.all)

    async def get(self, group: bytes) -> Group:
        """Return a group. Raises UsageError for an id that is unknown."""
        return await self._office.run(self._queue.groups.get, group)

    async def refresh(self) -> None:
        """Take from the relay what others have sent and changed by now, and give it what waits here."""
        office = self._office
        office.require_outside()
        await self._convener.refresh()
        if not office.mailbox_read.is_set():  # secrets and chains lie there, too
            with suppress(TimeoutError):
                async with asyncio.timeout(_MAILBOX):
                    await office.mailbox_read.wait()
            await self._convener.refresh()

    # --- trouble --------------------------------------------------------------------------------------

    async def evidence(self, group: bytes) -> bytes | None:
        """Return evidence that the log was shown in two versions, or None."""
        return await self._office.run(self._queue.groups.evidence, group)

    async def keep(self, group: bytes) -> None:
        """Go on with the log on record, once the contradiction is explained."""
        await self._office.run(self._queue.groups.keep, group)
        self._office.note_group(group)

    async def forget(self, group: bytes) -> None:
        """Delete a group from the store. Leave it first, or this user stays a member."""
        await self._office.run(self._queue.forget, group)

    async def _known(self, members: Iterable[str]) -> tuple[str, ...]:
        """Return the names of members, each of which is a contact by now. Raises UnknownUser."""
        names = _names(members)
        await self._meet(*await self._office.run(self._queue.strangers_among, names))
        return names

    async def _change(self, make: Callable[[], GroupChange], group: bytes | None = None) -> bool:
        """Make a change of what the log is by now, and have it taken."""
        office, logs = self._office, self._convener.logs
        office.require_outside()
        if group is not None and office.connection.is_up is not False:
            with suppress(RelayUnavailable, RelayRefused):  # else it is made of the log on record
                await logs.read(group)
        change = await office.run(self._queue.changed, make)
        try:
            outcome = await logs.offer(change.group, change)
        except (RelayUnavailable, RelayRefused):
            return False
        finally:
            office.note_group(change.group)
            office.wake_all()
            office.wake_shelves()
        if outcome is ChangeOutcome.REFUSED:
            raise UsageError("somebody else was faster, and the change is not possible any more")
        return outcome is not ChangeOutcome.WAITING

    def __repr__(self) -> str:
        return "<ClientGroups>"


def convener_of(groups: ClientGroups) -> Convener:
    """Return the task that looks after groups."""
    return groups._convener  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def _names(members: Iterable[str]) -> tuple[str, ...]:
    if isinstance(members, str | bytes):
        raise UsageError("members are a list of names: put the one into a list")
    return tuple(members)
