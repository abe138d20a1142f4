"""json.*, index.token: JSON that everybody reads alike, sealed section by section, and blind indices.

json.open is given keys of sections, as grants hold them. A key that is of no section is passed over.

Not here: the grants of sections (grants.py).
"""

from collections.abc import Mapping
from typing import Final, cast

from letterlock._primitives.labels import JSON_SECTION
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire.grant_bundle import decode_bundle
from letterlock._wire.json_document import JsonDocument
from letterlock._wire.json_fields import encode_fields, fields_of
from letterlock._wire.json_scopes import Scopes
from letterlock._wire.json_text import decode_json, decode_scalar, encode_json
from letterlock.documents import NoGrant
from letterlock.documents._blind_index import BlindIndex
from letterlock.documents._item_session import ItemKey
from letterlock.documents._json_keys import JsonKey, commitment_of
from letterlock.documents._json_opening import OpenSection, open_section, read_sections, read_trailer
from letterlock.documents._json_sealing import divide
from letterlock_vectors.inputs import Input, Operation, Output, unhex
from letterlock_vectors.operations.known_lists import lists_of, shown_signer


def _canonical(given: Input) -> Output:
    return {"text": encode_json(decode_json(given.hex("text"))).decode()}


def _fields(given: Input) -> Output:
    scopes = Scopes.from_fields(given.items("scopes"))
    value = decode_json(given.hex("text"))
    return {"sections": [encode_fields(each) for each in divide(fields_of(value), scopes)]}


def _open(given: Input) -> Output:
    lists = lists_of(given)
    document = JsonDocument.decode(given.hex("document"))
    found = _sections(document, given)
    opened, named = read_sections(document, found, lists)
    scopes = read_trailer(document, found).statement.scopes
    return {
        "id": opened.id.hex(),
        "version": opened.version,
        "issued": opened.issued,
        "signer": shown_signer(opened.signed_by),
        "standing": opened.standing.value,
        "count": len(document.sections),
        "scopes": [[section, list(path)] for path, section in scopes.paths.items()],
        "open": [{"section": each.number, "name": name} for name, each in named.items()],
        "text": opened.text.decode(),
    }


def _sections(document: JsonDocument, given: Input) -> list[OpenSection]:
    """Return the sections that keys open. Raises NoGrant if there is none."""
    found: dict[int, OpenSection] = {}
    for each in given.items("keys"):
        key = JsonKey(unhex(each, "keys"))
        commitment = commitment_of(key, JSON_SECTION, document.id, document.version)
        for number, section in enumerate(document.sections):
            if section.commitment == commitment:
                found[number] = open_section(document, number, key)
    if not found:
        raise NoGrant("no key is of a section")
    return [found[number] for number in sorted(found)]


def _grants(given: Input) -> Output:
    document = JsonDocument.decode(given.hex("document"))
    return {"grants": [each.hex() for each in decode_bundle(document.grants)]}


def _token(given: Input) -> Output:
    index = BlindIndex(ItemKey(given.sized("key", KEY_BYTES)), given.text("name"), given.number("bits"))
    return {"token": index.token(cast("str", decode_scalar(given.text("value"))))}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "index.token": _token,
    "json.canonical": _canonical,
    "json.fields": _fields,
    "json.grants": _grants,
    "json.open": _open,
}
