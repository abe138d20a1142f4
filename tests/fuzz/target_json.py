"""Fuzzing JSON: texts, sealed documents, trailers, contents of sections, and the object that fields make.

Whoever reads a section can write another content, and an author can sign any, so all of it is a stranger's.
"""

from functools import partial
from itertools import chain
from typing import Any, Final

import cbor2

from fuzz.harness import MEGABYTE, Allowance, Budget, Finding, Target, attempt
from fuzz.tree import mutated
from letterlock._wire.json_assembly import assemble
from letterlock._wire.json_document import (
    JsonDocument,
    JsonStatement,
    JsonTrailer,
    SealedSection,
    decode_content,
    encode_content,
)
from letterlock._wire.json_fields import Field, fields_of, order
from letterlock._wire.json_scopes import Scopes
from letterlock._wire.json_text import decode_json, decode_scalar, encode_json, encode_scalar
from letterlock._wire.signed_by import SignedBy, Signer
from letterlock.documents._json_keys import pad, unpad
from letterlock.errors import MalformedMessage, PeerError
from support.fhir_samples import OBSERVATION, PATIENT, PRESCRIPTION

SCOPES: Final = Scopes({(): 0, ("name",): 1, ("telecom", 1): 1, ("a", 0, "b"): 2, ("a", 1): 0})
SIGNED_BY: Final = SignedBy(Signer(bytes(32), 1, 1, bytes(32)), bytes(1952), bytes(3373))
COUNTED: Final = Budget(
    Allowance(2 * MEGABYTE, 200), Allowance(30_000, 40), Allowance(30_000, 40), Allowance(32 * 1024, 8)
)
"""A field of six bytes is an array, a path, a name and a text, each of which is checked. A path is compared
with all its beginnings."""


def check(data: bytes) -> None:
    text = attempt(data, lambda: decode_json(data), MalformedMessage, COUNTED)
    if text.error is None:
        _check_value(text.accepted())
    scalar = attempt(data, lambda: decode_scalar(data.decode("latin-1")), MalformedMessage, COUNTED)
    if scalar.error is None and encode_scalar(scalar.value) != data.decode("latin-1"):
        raise Finding("a scalar has two texts")
    document = attempt(data, lambda: JsonDocument.decode(data), PeerError, COUNTED)
    if document.error is None and document.accepted().encode() != data:
        raise Finding("a json document encodes to other bytes")
    trailer = attempt(data, lambda: JsonTrailer.decode(data), PeerError, COUNTED)
    if trailer.error is None and trailer.accepted().encode() != data:
        raise Finding("a trailer encodes to other bytes")
    padded = attempt(data, lambda: unpad(data), MalformedMessage)
    if padded.error is None and pad(padded.accepted()) != data:
        raise Finding("a text has two paddings")
    content = attempt(data, lambda: decode_content(data), PeerError, COUNTED)
    if content.error is None:
        _check_content(data, *content.accepted())


def _check_value(value: dict[str, Any]) -> None:
    canonical = encode_json(value)
    if encode_json(decode_json(canonical)) != canonical or decode_json(canonical) != value:
        raise Finding("a value has two canonical texts")
    if assemble(fields_of(value), Scopes({(): 0}), ()) != value:
        raise Finding("the fields of an object make another one")


def _check_content(data: bytes, name: str, fields: list[Field]) -> None:
    if encode_content(name, fields) != data:
        raise Finding("a section encodes to other bytes")
    sections = [SCOPES.section_of(path) for path, _ in fields]
    for hidden in ({1, 2}, {0, 2}, {0, 1}, set[int]()):
        seen = [
            each for each, section in zip(fields, sections, strict=True) if section not in {None, *hidden}
        ]
        made = attempt(data, partial(assemble, seen, SCOPES, hidden), MalformedMessage, COUNTED)
        if made.error is None and len(fields_of(made.accepted())) != len(seen):
            raise Finding("an object has more fields than it is made of, or fewer")


def _trailer(scopes: Scopes) -> JsonTrailer:
    return JsonTrailer(JsonStatement(bytes(16), 1, 5, bytes(32), scopes), SIGNED_BY)


def seeds() -> dict[str, bytes]:
    section = SealedSection(bytes(32), bytes(1040))
    document = JsonDocument(bytes(16), 1, bytes(32), (section,), bytes(1040), b"\x80")
    patient = fields_of(PATIENT)
    holes: list[Field] = [(("a", 1), 1), (("telecom", 0), "x"), (("telecom", 2), "z")]
    deep: list[Field] = [(("a",) * 32, [])]
    whole = [each for each in chain(patient, holes[:1]) if SCOPES.section_of(each[0]) == 0]
    return {
        "text-observation": OBSERVATION,
        "text-patient": encode_json(PATIENT),
        "text-prescription": encode_json(PRESCRIPTION),
        "text-empty": b"{}",
        "text-numbers": b'{"a":[0,-1,1.50,-0.1,9007199254740991,123456789012.345]}',
        "text-escapes": b'{"a\\u0041":"\\ud83d\\ude00\\n\\"\\\\/\\/"}',
        "text-twice": b'{"dose":1,"dose":2}',
        "text-exponent": b'{"a":1e5}',
        "text-half-a-pair": b'{"a":"\\ud800"}',
        "text-proto": b'{"__proto__":{}}',
        "text-deep": b'{"a":' * 32 + b"[]" + b"}" * 32,
        "text-open-strings": b'{"' + b'\\"' * 200,
        "scalar-string": b'"abc\\n"',
        "scalar-decimal": b"-1.50",
        "scalar-zero": b"-0.0",
        "document": document.encode(),
        "trailer": _trailer(SCOPES).encode(),
        "trailer-one-scope": _trailer(Scopes({(): 0})).encode(),
        "padded": pad(b"text"),
        "content-patient": encode_content("patient", sorted(whole, key=lambda each: order(each[0]))),
        "content-holes": encode_content("holes", holes),
        "content-deep": encode_content("deep", deep),
        "content-empty": encode_content("empty", []),
        "content-order": cbor2.dumps(["order", [[["b"], "1"], [["a"], "1"]]]),
        "content-conflict": cbor2.dumps(["conflict", [[["x"], "1"], [["x", "y"], "1"]]]),
        "content-large-hole": cbor2.dumps(["hole", [[["x", 9999], "1"]]]),
        "content-empty-arrays": cbor2.dumps(["arrays", [[]] * 1000]),
    }


TARGET: Final = Target(check, mutated, seeds)
"""Each form, and what each rule of it refuses."""
