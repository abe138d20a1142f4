"""Mailboxes: one for each device, from which a message goes when the device acknowledges it.

    message id      first 16 bytes of SHA-256(sender's account || sender's device || id of the send ||
                    recipient's device)                                                             [RLY-21]

The id is the same when a send is repeated, so the repeat changes nothing; nobody else can make the same one,
and it shows nothing of the order or the number of messages.

Not here: waking who waits (the store); pushing into sockets (the server).
"""

import asyncio
import hashlib
import struct
from typing import Final

from letterlock._wire.address import Address
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_limits import MAX_FETCHED_BYTES, RELAY_ID_BYTES
from letterlock._wire.relay_login import account_key
from letterlock._wire.relay_mail import AckRequest, Delivery, FetchAnswer, FetchRequest, SendRequest
from letterlock.limits import HEAD_BYTES
from letterlock.relay._means import NOT_THERE, Means
from letterlock.relay._reply import Refused
from letterlock.relay._session import Session
from letterlock.relay._store import Deliver, Delivered, Mail
from letterlock.relay._waiting import read_until

_DEVICE: Final = struct.Struct(">I")


class Mailboxes:
    """The calls `send`, `fetch` and `ack`."""

    __slots__ = ("_draining", "_means")

    def __init__(self, means: Means, draining: asyncio.Event) -> None:
        self._means = means
        self._draining = draining

    async def send(self, request: SendRequest, session: Session, now: int) -> DoneAnswer:
        """Store all messages of a send, or none. A repeat changes nothing. [RLY-20]"""
        means, account = self._means, account_key(request.name)
        await means.check(session, now)
        if account != session.account:
            means.limits.target(session.requester, account, now)
        means.limits.sends.take(session.requester + account, now)
        delivered = await means.store.deliver(account, self._deliver(request, session, now))
        if delivered.unknown:
            raise Refused(RelayCode.UNKNOWN, NOT_THERE)
        if delivered.full is not None:
            raise Refused(RelayCode.FULL, delivered.full)  # RLY-22
        if delivered.head is not None:
            raise _wrong_list(request, delivered)
        return DoneAnswer()

    def _deliver(self, request: SendRequest, session: Session, now: int) -> Deliver:
        settings, sender = self._means.settings, (session.name, session.device)
        mail = tuple(
            Mail(device, message_id(session, request.id, device), now, sender, message)
            for device, message in request.messages
        )
        limits = settings.mailbox_messages, settings.mailbox_bytes
        return Deliver(request.version, request.head, mail, *limits)

    async def fetch(self, request: FetchRequest, session: Session, now: int) -> FetchAnswer:
        """Return the oldest messages of the caller's own device, or wait for one. [RLY-23]"""
        means, skip = self._means, frozenset(request.skip)
        clock = asyncio.get_running_loop().time
        begun = clock()
        async with means.reads:
            stock, mail = await asyncio.gather(
                means.store.stock(session.account, session.device),
                self._read(request.most, session, skip),
            )
            # After each read: the mailbox may be that of another device by then. [RLY-8]
            await means.check_now(session, now)
        if not mail and request.wait:
            mail = await self._wait(request, session, skip, now - begun)
        return FetchAnswer(stock.bundles, tuple(map(_delivery, mail)))

    async def _wait(
        self, request: FetchRequest, session: Session, skip: frozenset[bytes], epoch: float
    ) -> list[Mail]:
        """Return messages as soon as there are any; none after the time is up, or when the relay drains.

        `epoch` is the time at which the clock of the event loop began.
        """
        means, clock = self._means, asyncio.get_running_loop().time

        async def read() -> list[Mail]:
            async with means.reads:
                mail = await self._read(request.most, session, skip)
                if mail:
                    await means.check_now(session, int(epoch + clock()))
                return mail

        watched = means.store.watch(session.account, session.device)
        return await read_until(watched, read, bool, request.wait, self._draining)

    async def _read(self, most: int, session: Session, skip: frozenset[bytes]) -> list[Mail]:
        return await self._means.store.fetch(session.account, session.device, most, MAX_FETCHED_BYTES, skip)

    async def acknowledge(self, request: AckRequest, session: Session, now: int) -> DoneAnswer:
        """Delete messages of the caller's own device. Ids that are not there are no error. [RLY-24]"""
        listed = await self._means.check(session, now)
        if not await self._means.store.acknowledge(session.account, listed, request.ids):
            raise Refused(RelayCode.UNKNOWN)  # the list changed meanwhile
        return DoneAnswer()


def message_id(session: Session, send: bytes, device: int) -> bytes:
    """Return the 16 bytes that name one message of a send. [RLY-21]"""
    sender = session.account + _DEVICE.pack(session.device)
    return hashlib.sha256(sender + send + _DEVICE.pack(device)).digest()[:RELAY_ID_BYTES]


def _wrong_list(request: SendRequest, delivered: Delivered) -> Refused:
    """Return why a send does not fit the newest list: it is for another one, or names a device without."""
    head = delivered.head
    if head is None or (head.version, head.hash[:HEAD_BYTES]) == (request.version, request.head):
        return Refused(RelayCode.REFUSED)
    return Refused(RelayCode.STALE, head.version)


def _delivery(mail: Mail) -> Delivery:
    return Delivery(mail.id, mail.time, Address(*mail.sender), mail.message)
