"""Device lists that an operation is given: snapshots, which count as verified.

    "lists": [[snapshot, ...], ...]         for each user, all versions from the first

Not here: verifying device lists (users.py).
"""

from typing import cast

from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import Snapshot
from letterlock._wire.signed_by import SignedBy
from letterlock.documents._signing import ListsGiven
from letterlock.errors import UsageError
from letterlock.user import ListChain
from letterlock_vectors.inputs import Input, Output, unhex


def chains_of(given: Input) -> list[ListChain]:
    """Return the chains of `lists`."""
    return [_chain(each) for each in given.items("lists")]


def lists_of(given: Input) -> ListsGiven:
    """Return `lists` as lists on record."""
    return ListsGiven(chains_of(given))


def shown_signer(signed_by: SignedBy) -> Output:
    """Return who signed, as a JSON object."""
    signer = signed_by.signer
    return {
        "user_id": signer.user_id.hex(),
        "device_id": signer.device_id,
        "version": signer.list_version,
        "hash": signer.list_hash.hex(),
    }


def _chain(value: object) -> ListChain:
    if not isinstance(value, list) or not value:
        raise UsageError("`lists` has the snapshots of each user, from version 1")
    snapshots = [Snapshot.decode(unhex(each, "lists")) for each in cast("list[object]", value)]
    return ListChain(tuple(DeviceList(each, (), 1, b"", b"") for each in snapshots))
