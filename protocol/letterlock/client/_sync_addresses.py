"""SyncAddresses: the calls of `ClientAddresses` for programs without asyncio.

Not here: what the calls do (_client_addresses.py).
"""

from collections.abc import Iterable
from functools import partial

from letterlock._primitives.secret import Uncopyable
from letterlock.client._address_values import (
    NO_CHECKS,
    AddressShared,
    Claimed,
    PersonAddress,
    ServerChecks,
    SharedAddress,
)
from letterlock.client._client_documents import ClientDocuments
from letterlock.client._sync_json import Do
from letterlock.documents import Conditions


class SyncAddresses(Uncopyable):
    """People without an account, by calls that wait: each does what that of `ClientAddresses` does."""

    __slots__ = ("_do", "_documents")

    def __init__(self, documents: ClientDocuments, do: Do) -> None:
        """Not for applications, which use `client.documents.addresses`."""
        self._documents = documents
        self._do = do

    def share(
        self,
        document: bytes,
        address: PersonAddress,
        *,
        conditions: Conditions | None = None,
        version: int | None = None,
        checks: ServerChecks = NO_CHECKS,
    ) -> AddressShared:
        """Share a document with whoever has an address."""
        share = partial(self._documents.addresses.share, conditions=conditions, version=version)
        return self._do(partial(share, document, address, checks=checks))

    def share_section(
        self,
        data: bytes,
        section: str,
        address: PersonAddress,
        *,
        conditions: Conditions | None = None,
        checks: ServerChecks = NO_CHECKS,
    ) -> AddressShared:
        """Share a section of a sealed JSON document with whoever has an address."""
        share = partial(self._documents.addresses.share_section, conditions=conditions, checks=checks)
        return self._do(partial(share, data, section, address))

    def invitations(self, document: bytes) -> tuple[tuple[PersonAddress, bytes], ...]:
        """Return the invitations of a document that were not claimed, to send them again."""
        return self._do(partial(self._documents.addresses.invitations, document))

    def all(self) -> tuple[SharedAddress, ...]:
        """Return what this device has shared with addresses, as far as it knows."""
        return self._do(self._documents.addresses.all)

    def refresh(self, *, checks: ServerChecks = NO_CHECKS) -> tuple[SharedAddress, ...]:
        """Ask both servers who has claimed what, and grant it to these users."""
        return self._do(partial(self._documents.addresses.refresh, checks=checks))

    def withdraw(
        self,
        address: PersonAddress,
        *,
        document: bytes | None = None,
        reason: str = "",
        checks: ServerChecks = NO_CHECKS,
    ) -> tuple[bytes, ...]:
        """Take back what was shared with an address; return who had claimed something before."""
        withdraw = partial(self._documents.addresses.withdraw, document=document, reason=reason)
        return self._do(partial(withdraw, address, checks=checks))

    def claim(self, invitations: Iterable[bytes] = (), *, checks: ServerChecks) -> Claimed:
        """Make this user's own what was shared with the address that the answers prove."""
        return self._do(partial(self._documents.addresses.claim, invitations, checks=checks))

    def __repr__(self) -> str:
        return "<SyncAddresses>"
