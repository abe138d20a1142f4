"""An access record: JSON that people can read, with everything that a check of its signatures needs.

    {"record": {...}, "signed_by": base64 of the encoding}
    record      format, subject, made, signer, signatures, grants, notes
    grant       what the terms say, the encoded terms, SHA-256 of the sealed key, place, number of a signature
    note        the encoded terms, place, number of a signature
    signed      the record as JSON with sorted keys, without spaces, in ASCII                        [DOC-48]

The sealed keys are not in it, so it opens nothing. What a grant says in words is made from its terms, and
compared with them when it is read.

Not here: signing and verifying (documents/_access_record.py).
"""

import binascii
import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from letterlock._primitives.labels import ACCESS_RECORD
from letterlock._wire import cbor
from letterlock._wire.grant import Grant, GrantTerms
from letterlock._wire.grant_limits import MAX_ACCESS_RECORD, MAX_GRANT_TERMS
from letterlock._wire.grant_note import GrantNote, NoteTerms
from letterlock._wire.grant_recipient import recipient_fields
from letterlock._wire.place import Place
from letterlock._wire.signed_by import SignedBy
from letterlock.errors import MalformedMessage

_MAX_SIGNED_BY: Final = 8192


@dataclass(frozen=True, slots=True)
class RecordedGrant:
    """A grant without its sealed key: `sealed_hash` is the key's SHA-256, 32 bytes."""

    terms: bytes = field(repr=False)
    sealed_hash: bytes = field(repr=False)
    place: Place = field(repr=False)
    signed_by: SignedBy = field(repr=False)

    @classmethod
    def of(cls, grant: Grant) -> "RecordedGrant":
        """Return a grant as a record shows it."""
        sealed_hash = hashlib.sha256(grant.sealed).digest()
        return cls(grant.encoded_terms, sealed_hash, grant.place, grant.signed_by)


@dataclass(frozen=True, slots=True)
class RecordedNote:
    """A note as a record shows it."""

    terms: bytes = field(repr=False)
    place: Place = field(repr=False)
    signed_by: SignedBy = field(repr=False)

    @classmethod
    def of(cls, note: GrantNote) -> "RecordedNote":
        """Return a note as a record shows it."""
        return cls(note.encoded_terms, note.place, note.signed_by)


@dataclass(frozen=True, slots=True)
class AccessRecordText:
    """What an access record says. `made` is in seconds since 1970 (UTC)."""

    kind: int
    id: bytes
    made: int
    grants: tuple[RecordedGrant, ...]
    notes: tuple[RecordedNote, ...]

    def signed_bytes(self) -> bytes:
        """Return the bytes that are signed. [DOC-48]"""
        return _canonical(self._json())

    def encode(self, signed_by: SignedBy) -> bytes:
        """Return the record as indented JSON, in ASCII."""
        whole = {"record": self._json(), "signed_by": _text(cbor.encode(signed_by.fields()))}
        return json.dumps(whole, indent=1).encode()

    @classmethod
    def decode(cls, data: bytes) -> tuple["AccessRecordText", SignedBy]:
        """Read what `encode` gives. Raises MalformedMessage."""
        if type(data) is not bytes or len(data) > MAX_ACCESS_RECORD:
            raise MalformedMessage(f"an access record is bytes, at most {MAX_ACCESS_RECORD}")
        whole = _object(_parsed(data), "record", "signed_by")
        made = _read(whole["record"])
        # Words beside the terms could say something else than the terms do. DOC-48
        if made.signed_bytes() != _canonical(whole["record"]):
            raise MalformedMessage("an access record says other things than its grants: do not believe it")
        return made, _signed_by(whole["signed_by"])

    def _json(self) -> dict[str, Any]:
        signers = [each.signed_by for each in self.grants] + [each.signed_by for each in self.notes]
        signatures = list(dict.fromkeys(signers))
        number = {each: at for at, each in enumerate(signatures)}
        return {
            "format": ACCESS_RECORD.decode(),
            "subject": {"kind": self.kind, "id": self.id.hex()},
            "made": self.made,
            "signatures": [_text(cbor.encode(each.fields())) for each in signatures],
            "grants": [_grant_json(each, number[each.signed_by]) for each in self.grants],
            "notes": [_note_json(each, number[each.signed_by]) for each in self.notes],
        }


# --- writing ----------------------------------------------------------------------------------------------


def _grant_json(each: RecordedGrant, signature: int) -> dict[str, Any]:
    terms = GrantTerms.decode(each.terms)
    kind, data = cast("list[Any]", recipient_fields(terms.recipient))
    words = {
        "version": terms.subject.number,
        "commitment": terms.subject.commitment.hex(),
        "recipient": {"kind": kind, "data": data.hex()},
        "granter": {"user": terms.signer.user_id.hex(), "device": terms.signer.device_id},
        "issued": terms.issued,
        "purpose": terms.purpose,
        "valid_until": terms.valid_until,
    }
    proof = {"terms": _text(each.terms), "sealed_sha256": each.sealed_hash.hex(), "signature": signature}
    return words | proof | {"place": _place_json(each.place)}


def _note_json(each: RecordedNote, signature: int) -> dict[str, Any]:
    terms = NoteTerms.decode(each.terms)
    words = {
        "action": terms.action.name.lower(),
        "author": {"user": terms.signer.user_id.hex(), "device": terms.signer.device_id},
        "issued": terms.issued,
        "reason": terms.reason,
    }
    return words | {"terms": _text(each.terms), "signature": signature, "place": _place_json(each.place)}


def _place_json(place: Place) -> list[Any]:
    return [place.index, place.size, [each.hex() for each in place.path]]


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _text(data: bytes) -> str:
    return b64encode(data).decode()


# --- reading ----------------------------------------------------------------------------------------------


def _parsed(data: bytes) -> object:
    try:
        text = data.decode("ascii")
        return json.loads(
            text, object_pairs_hook=_without_repeats, parse_float=_refused, parse_constant=_refused
        )
    except (ValueError, RecursionError):
        raise MalformedMessage("an access record is not the JSON that it should be: discard it") from None


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _refused(_: str) -> object:
    raise ValueError("a number that is no integer")


def _read(value: object) -> AccessRecordText:
    record = _object(value, "format", "subject", "made", "signatures", "grants", "notes")
    subject = _object(record["subject"], "kind", "id")
    signatures = [_signed_by(each) for each in _list(record["signatures"])]
    grants = [_recorded_grant(each, signatures) for each in _list(record["grants"])]
    notes = [_recorded_note(each, signatures) for each in _list(record["notes"])]
    kind, made = _int(subject["kind"]), _int(record["made"])
    return AccessRecordText(kind, _hex(subject["id"]), made, tuple(grants), tuple(notes))


def _recorded_grant(value: object, signatures: Sequence[SignedBy]) -> RecordedGrant:
    words = ("version", "commitment", "recipient", "granter", "issued", "purpose", "valid_until")
    found = _object(value, *words, "terms", "sealed_sha256", "signature", "place")
    sealed_hash = _hex(found["sealed_sha256"])
    if len(sealed_hash) != hashlib.sha256().digest_size:
        raise MalformedMessage("a hash of an access record is not of 32 bytes")
    by = _chosen(found["signature"], signatures)
    return RecordedGrant(_bytes(found["terms"], MAX_GRANT_TERMS), sealed_hash, _place(found["place"]), by)


def _recorded_note(value: object, signatures: Sequence[SignedBy]) -> RecordedNote:
    found = _object(value, "action", "author", "issued", "reason", "terms", "signature", "place")
    by = _chosen(found["signature"], signatures)
    return RecordedNote(_bytes(found["terms"], 4 * MAX_GRANT_TERMS), _place(found["place"]), by)


def _chosen(value: object, signatures: Sequence[SignedBy]) -> SignedBy:
    at = _int(value)
    if not 0 <= at < len(signatures):
        raise MalformedMessage("an access record names a signature that it does not have")
    return signatures[at]


def _place(value: object) -> Place:
    items = _list(value)
    if len(items) != 3:
        raise MalformedMessage("a place of an access record does not have three elements")
    return Place.from_fields([items[0], items[1], [_hex(each) for each in _list(items[2])]])


def _signed_by(value: object) -> SignedBy:
    return SignedBy.from_fields(cbor.decode(_bytes(value, _MAX_SIGNED_BY)))


def _object(value: object, *names: str) -> dict[str, Any]:
    if type(value) is not dict or set(found := cast("dict[str, Any]", value)) != set(names):
        raise MalformedMessage("an object of an access record has other members than it should")
    return found


def _list(value: object) -> list[Any]:
    if type(value) is not list:
        raise MalformedMessage("an access record has no array where one should be")
    return [*value]  # pyright: ignore[reportUnknownVariableType]


def _int(value: object) -> int:
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise MalformedMessage("an access record has no unsigned integer where one should be")
    return value


def _hex(value: object) -> bytes:
    found = _try(lambda: bytes.fromhex(value) if type(value) is str else None)
    if found is None or found.hex() != value:
        raise MalformedMessage("an access record has no hexadecimal bytes where they should be")
    return found


def _bytes(value: object, most: int) -> bytes:
    found = _try(lambda: b64decode(value, validate=True) if type(value) is str else None)
    if found is None or len(found) > most or _text(found) != value:
        raise MalformedMessage("an access record has no base64 where it should be")
    return found


def _try(read: Callable[[], bytes | None]) -> bytes | None:
    try:
        return read()
    except (ValueError, binascii.Error):
        return None
