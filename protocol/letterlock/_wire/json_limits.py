"""The limits of JSON documents, each with its reason. All are part of the protocol.

Not here: the limits of other documents (document_limits.py) and of everything else (limits.py).
"""

from typing import Final

MAX_JSON_TEXT: Final = 1024 * 1024
"""Bytes of the JSON that is sealed. A FHIR resource has a few KiB; what is larger is sealed as a file."""

MAX_JSON_DEPTH: Final = 32
"""Objects and arrays inside each other. FHIR needs about ten, and some programs stop at fewer than 100."""

MAX_JSON_FIELDS: Final = 10_000
"""Fields of a JSON document. A reader keeps about 500 bytes in memory for each."""

MAX_JSON_NAME: Final = 256
"""Bytes of UTF-8 in the name of an object's member. FHIR's longest has about 40."""

MAX_JSON_INTEGER: Final = 2**53 - 1
"""The greatest integer. Programs that compute with binary64 hold greater ones inexactly."""

MAX_JSON_DIGITS: Final = 15
"""Significant digits of a number with a fraction. Every decimal of so many digits survives binary64."""

MAX_JSON_NUMBER: Final = 24
"""Characters of a number. A much longer fraction would become zero in binary64."""

MAX_SECTIONS: Final = 64
"""Sections of a JSON document. Each costs a grant for each of its readers."""

MAX_SCOPES: Final = 256
"""Scopes of all sections of a document together."""

MAX_SECTION_NAME: Final = 64
"""Characters in the name of a section."""

MAX_SECTION_ITEMS: Final = 200_000
"""CBOR items of a section: 10,000 fields, with paths of 17 elements. Empty arrays take 64 bytes in memory."""

MAX_SECTIONS_BYTES: Final = 4 * 1024 * 1024
"""Bytes of all sections together, with their padding. Paths make the JSON up to a few times longer."""

MAX_SEALED_JSON: Final = 6 * 1024 * 1024
"""Bytes of a sealed JSON document: sections, trailer, and at most 1 MiB of grants beside them."""

MAX_JSON_TRAILER: Final = 64 * 1024
"""Bytes of the trailer: 6 KiB for a signature, and the scopes."""

MAX_INDEX_BITS: Final = 24
"""Bits of a token of a blind index. With more, hardly any two values of a field would share one."""
