"""What a relay checks before it stores what a client gives it: device lists and publications.

Clients check all of it again: a relay is trusted with nothing. It checks so that nobody can fill it with what
no client accepts, or name a device that its owner did not list.

Verifying costs milliseconds, so these are plain functions that a server runs in a thread.

Not here: who may give it what (_registry.py, _prekeys.py).
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from letterlock._handshake.bundle_signature import verify_publication
from letterlock._wire.address import Address
from letterlock._wire.device_list import DeviceList
from letterlock._wire.publication import Publication
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_limits import MAX_UPLOAD_PAIRS
from letterlock.errors import PeerError
from letterlock.relay._reply import Refused
from letterlock.relay._store import Head, ListedKey, Page
from letterlock.user._chain import ListChain
from letterlock.user._rules import check_successor
from letterlock.user._signatures import verify_signatures

T = TypeVar("T")


class Run(Protocol):
    """Runs work that takes milliseconds: at once, or in a thread. [RLY-30]"""

    async def __call__(self, work: Callable[[], T], /) -> T:
        """Return what `work` returns, or raise what it raises."""
        ...


async def run_at_once(work: Callable[[], T], /) -> T:
    """Run work in the task that asks for it."""
    return work()


def verify_chain(lists: Sequence[bytes]) -> Head:
    """Return the head of a whole chain. Raises Refused, REFUSED, if it breaks any rule. [RLY-11]"""
    try:
        chain = ListChain.verify([DeviceList.decode(each) for each in lists])
    except PeerError:
        raise Refused(RelayCode.REFUSED) from None
    return head_of(chain.newest, chain.user_id)


def verify_successor(before: bytes, head: Head, encoded: bytes) -> Head:
    """Return the head that a list makes of the one before it. Raises Refused, REFUSED. [RLY-11]

    `before` is the list that the store has, and `head` is its head.
    """
    older = DeviceList.decode(before)
    try:
        newer = DeviceList.decode(encoded)
        verify_signatures(newer, check_successor(older, head.user_id, newer))
    except PeerError:
        raise Refused(RelayCode.REFUSED) from None
    return head_of(newer, head.user_id)


def head_of(newest: DeviceList, user_id: bytes) -> Head:
    """Return what a relay needs of a device list."""
    devices = tuple(
        ListedKey(each.id, each.ed25519, each.identity.data, int(each.device_class), each.added)
        for each in newest.snapshot.devices
    )
    return Head(newest.snapshot.version, newest.hash, user_id, devices)


def verify_upload(encoded: bytes, number: int, address: Address, listed: ListedKey) -> Page:
    """Return the page that a publication makes. Raises Refused, REFUSED. [RLY-12]

    It must be of the device that uploads it, under the identity key that the device list has, and every
    bundle in it must be signed.
    """
    try:
        publication = Publication.decode(encoded)
        own = publication.address == address and publication.identity.data == listed.identity
        if not own or len(publication.pairs) > MAX_UPLOAD_PAIRS:
            raise Refused(RelayCode.REFUSED)
        verify_publication(publication)
    except PeerError:
        raise Refused(RelayCode.REFUSED) from None
    bundles = tuple(each.encode() for each in publication.bundles())
    digest = hashlib.sha256(encoded).digest()
    return Page(number, digest, publication.signed.id, publication.last_resort_bundle().encode(), bundles)
