"""Vectors of JSON: its canonical text, documents that are sealed section by section, and blind indices."""

from generators.families.json_documents import authors, fields, indices, lies, shapes, texts, whole
from generators.families.json_documents.notes import NOTES
from generators.support.family import Family


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "json-documents",
        "JSON as in RFC 8785, sealed with ChaCha20-Poly1305 under HMAC-SHA-512, composite signatures",
        [
            "json.canonical and json.fields are about texts alone; `text` is what stands in a file.",
            "json.open is given keys of sections. `lists` are snapshots of lists, which count as verified.",
        ],
        NOTES,
    )
    texts.add(family)
    fields.add(family)
    whole.add(family)
    lies.add(family)
    shapes.add(family)
    authors.add(family)
    indices.add(family)
    return family
