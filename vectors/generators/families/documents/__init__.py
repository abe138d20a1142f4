"""Vectors of sealed documents: bodies, metadata, trailers, and the two ways of reading."""

from generators.families.documents import authors, bodies, ends, fronts, whole
from generators.families.documents.notes import NOTES
from generators.support.family import Family


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "documents",
        "sealed documents: FLOE with AES-256-GCM, RFC 6962 trees, composite signatures",
        [
            "A vector says how its document is made: `bodies`, and `parts` of them and of other bytes,",
            "joined. `sha256` is that of the document. vectors/README.md says how a body is made.",
            "`lists` are the snapshots of device lists, all versions of each user, which count as verified.",
        ],
        NOTES,
    )
    whole.add(family)
    bodies.add(family)
    fronts.add(family)
    ends.add(family)
    authors.add(family)
    return family
