"""Signatures about documents, with keys from labels: who signs, places in a tree, and device lists.

    signed_by(ALICE.at(1), message, context)      [user id, device id, version, hash, ML-DSA key, signature]
    signed_leaves(ALICE.at(1), [leaf, ...])       the place of each leaf, and one signature for all

Alice has devices 1 and 2, and revoked device 3 in version 3. Device 4 is of class limited, and device 5 came
in version 4.

Not here: documents (sealed_documents.py), grants, logs of collections.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from generators.support.encoding import Value, encode
from generators.support.owner import FULL, LIMITED, Owner, keys
from letterlock._primitives import merkle

AUTHOR: Final = b"letterlock-v1 document author"
LEAVES: Final = b"letterlock-v1 grant signature"
RECORD: Final = b"letterlock-v1 access record"


@dataclass(frozen=True)
class Signer:
    """A device in a version of its user's list. `version` and `list_hash` are those that it names."""

    device: int
    version: int
    list_hash: bytes
    user_id: bytes
    key: str
    """The name and number of the device whose keys sign."""

    def fields(self) -> list[Value]:
        """Return the signer as it stands in an encoding."""
        return [self.user_id, self.device, self.version, self.list_hash]

    def naming(self, **changes: object) -> "Signer":
        """Return a signer that names something else and signs with the same keys."""
        return replace(self, **changes)  # type: ignore[arg-type]


class Person(Owner):
    """An owner whose devices sign documents."""

    def at(self, device: int, version: int | None = None) -> Signer:
        """Return a device as a signer, in the newest version if none is said."""
        number = version or len(self.lists)
        list_hash = self.lists[number - 1].hash
        return Signer(device, number, list_hash, self.user_id, f"{self.name} {device}")

    @cached_property
    def snapshots(self) -> list[str]:
        """The snapshots of all versions, in hexadecimal, as an operation takes them."""
        return [each.snapshot.encode().hex() for each in self.lists]


def signed_by(
    signer: Signer, message: bytes, context: bytes, *, standing_for: bytes | None = None
) -> list[Value]:
    """Return who signed, and the signature of a message. `standing_for` is signed for the signer."""
    device = keys(signer.key)
    covered = (encode(signer.fields()) if standing_for is None else standing_for) + message
    return [*signer.fields(), device.signing.public.ml_dsa.data, device.signing.sign(covered, context)]


def signed_leaves(signer: Signer, leaves: list[bytes]) -> tuple[list[list[Value]], list[Value]]:
    """Return the place of each leaf, and one signature for all."""
    hashes = [merkle.leaf_hash(each) for each in leaves]
    paths = merkle.audit_paths(hashes)
    places: list[list[Value]] = [[at, len(leaves), list(path)] for at, path in enumerate(paths)]
    message = len(leaves).to_bytes(4, "big") + merkle.root(hashes)
    return places, signed_by(signer, message, LEAVES)


def _alice() -> Person:
    person = Person("alice of documents", [(1, FULL), (2, FULL)])
    person.next(add=[(3, FULL), (4, LIMITED)])
    person.next(revoke=(3,))
    person.next(add=[(5, FULL)])
    return person


ALICE: Final = _alice()
BOB: Final = Person("bob of documents")
MALLORY: Final = Person("mallory of documents")
