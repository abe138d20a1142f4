"""One signature for all that one call makes: grants, and entries of logs.

    root         that of the RFC 6962 tree over all leaves, in their order
    signature    Composite(the device's key, signer || size in 4 bytes || root,
                     "letterlock-v1 grant signature")                                               [DOC-32]

A leaf begins with the label of its kind, so that a grant is never taken for an entry.

Not here: what a leaf is; who may sign what.
"""

from collections.abc import Sequence

from letterlock._primitives import merkle
from letterlock._primitives.labels import GRANT_SIGNATURE
from letterlock._wire.place import Place
from letterlock._wire.signed_by import SignedBy
from letterlock.documents._signing import KnownLists, Standing, sign, verify
from letterlock.user._desk import Desk


def sign_leaves(desk: Desk, leaves: Sequence[bytes]) -> tuple[tuple[Place, ...], SignedBy]:
    """Return the place of each leaf, and this device's signature of the root over all. Raises as `sign`."""
    hashes = [merkle.leaf_hash(each) for each in leaves]
    paths = merkle.audit_paths(hashes)
    places = tuple(Place(at, len(hashes), tuple(path)) for at, path in enumerate(paths))
    return places, sign(desk, GRANT_SIGNATURE, _message(len(hashes), merkle.root(hashes)))


def verify_leaf(lists: KnownLists, leaf: bytes, place: Place, signed_by: SignedBy) -> Standing:
    """Check the signature of a leaf, and return how its device stands today. [DOC-32]

    Raises MalformedMessage for a path of another length, and as `verify` does.
    """
    return verify(lists, GRANT_SIGNATURE, signed_message(leaf, place), signed_by)


def signed_message(leaf: bytes, place: Place) -> bytes:
    """Return what the signer of a leaf signed. Raises MalformedMessage for a path of another length."""
    root = merkle.root_from_path(merkle.leaf_hash(leaf), place.index, place.size, place.path)
    return _message(place.size, root)


def _message(size: int, root: bytes) -> bytes:
    # Without the size, many places would have two encodings: a path often fits trees of several sizes.
    return size.to_bytes(4, "big") + root
