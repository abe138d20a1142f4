"""Prekeys: what devices publish, and who gets which bundle.

Only devices that are logged in get bundles, and only for a device list that is the newest one. How many, and
that none is given out twice, is a matter of ClaimState.

Not here: ClaimState (_claims.py); the databases.
"""

from letterlock._wire.address import Address
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_login import account_key
from letterlock._wire.relay_prekeys import (
    ClaimAnswer,
    ClaimRequest,
    PublishAnswer,
    PublishRequest,
    StateAnswer,
    StateRequest,
)
from letterlock.relay._limits import MAX_STOCK
from letterlock.relay._means import NOT_THERE, Means
from letterlock.relay._reply import Refused
from letterlock.relay._session import Session
from letterlock.relay._store import Published
from letterlock.relay._verification import verify_upload


class Prekeys:
    """The calls `publish`, `claim` and `state`."""

    __slots__ = ("_means",)

    def __init__(self, means: Means) -> None:
        self._means = means

    async def publish(self, request: PublishRequest, session: Session, now: int) -> PublishAnswer:
        """Store a publication of the caller's own device. A repeat changes nothing. [RLY-12]"""
        means, account, device = self._means, session.account, session.device
        _, listed = await means.check_now(session, now)
        means.limits.publications.take((account, device), now)
        address = Address(session.name, device)
        page = await means.run(
            lambda: verify_upload(request.publication, request.number, address, listed),
        )
        published = await means.store.publish(account, listed, page, MAX_STOCK)
        if published is Published.UNLISTED:
            raise Refused(RelayCode.UNKNOWN)  # the list changed while the publication was verified
        stock = await means.store.stock(account, device)
        if published is Published.OLDER:
            raise Refused(RelayCode.CONFLICT, stock.number)  # RLY-14
        return PublishAnswer(stock.bundles)

    async def claim(self, request: ClaimRequest, session: Session, now: int) -> ClaimAnswer:
        """Return a bundle of each device that is named. [RLY-15]"""
        means, account = self._means, account_key(request.name)
        await means.check_now(session, now)
        means.limits.target(session.requester, account, now)
        head = await means.heads.newest(account, now)
        if head is None:
            raise Refused(RelayCode.UNKNOWN, NOT_THERE)
        if head.version != request.version or not head.hash.startswith(request.head):
            raise Refused(RelayCode.STALE, head.version)  # RLY-20
        if any(head.device(each) is None for each in request.devices):
            raise Refused(RelayCode.REFUSED)
        bundles = await means.store.claim(account, request.devices, request.id, session.requester, now)
        return ClaimAnswer(tuple(bundles))

    async def state(self, request: StateRequest, session: Session, now: int) -> StateAnswer:
        """Return what the relay has of the caller's own device. Nobody else is told. [RLY-19]"""
        del request
        stock = await self._means.store.stock(session.account, session.device)
        # After the read: the number may be that of another device by then. [RLY-8]
        head, _ = await self._means.check_now(session, now)
        return StateAnswer(head.version, stock.number, stock.bundles, stock.messages, stock.bytes)
