"""The subject of a grant: what the key that it holds opens, and the commitment that the key must match.

    subject     [kind, id, number, commitment]
    document    [1, id, version, header tag of the body]
    collection  [2, id, epoch, commitment of the epoch key]
    session     [3, id, 0, commitment of the session key]
    section     [4, id of a JSON document, version, commitment of the section's key]

Not here: how a key is compared with its commitment (documents/).
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock._wire.grant_limits import SUBJECT_ID_BYTES
from letterlock.limits import MAX_COUNTER

COMMITMENT_BYTES: Final = 32
MAX_KIND: Final = 255


class SubjectKind(IntEnum):
    """What a grant is about. A grant of another kind is kept and opens nothing. [DOC-34]"""

    DOCUMENT = 1
    """One version of a document."""
    COLLECTION = 2
    """One epoch of a collection."""
    SESSION = 3
    """Many small items, sealed under keys that follow from one."""
    SECTION = 4
    """One section of one version of a JSON document."""


SUBJECT_KINDS: Final = {int(each): each for each in SubjectKind}
"""The kinds that this release knows, by their numbers."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a grant opens: `id` has 16 bytes, `commitment` 32.

    `number` is the version of a document, also of a JSON document, or the epoch of a collection.
    """

    kind: int
    id: bytes
    number: int
    commitment: bytes = field(repr=False)

    def fields(self) -> cbor.Value:
        """Return the subject as it stands inside an encoding."""
        return [int(self.kind), self.id, self.number, self.commitment]

    @classmethod
    def from_fields(cls, value: object) -> "Subject":
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 4, "a subject")
        return cls(
            fields.uint_between("kind", 1, MAX_KIND),
            fields.blob("id", SUBJECT_ID_BYTES),
            fields.uint("number", MAX_COUNTER),
            fields.blob("commitment", COMMITMENT_BYTES),
        )
