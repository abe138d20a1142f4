"""What encoded bytes show without any key: for debugging, and to see what a server sees.

Not here: turning text from an e-mail into these bytes (armor.py).
"""

from collections.abc import Mapping
from typing import TypeAlias

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.mlkem import MlKem1024PublicKey
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.day import date_of
from letterlock._wire.envelope import Kind, peek_kind
from letterlock._wire.message import HandshakeHeader, InitialMessage, RatchetMessage
from letterlock._wire.pq_header import BARE, PqHeader
from letterlock._wire.prekey import PrekeyKey, PublicPrekey
from letterlock._wire.publication import Publication
from letterlock.limits import CODEWORD_BYTES

Shown: TypeAlias = "Mapping[str, Shown] | str | int | None"


@dataclass(frozen=True, slots=True)
class Inspection:
    """The visible fields, by name; keys as hexadecimal. `str()` gives lines, `json()` one object."""

    kind: str
    size: int
    fields: Mapping[str, Shown]

    def json(self) -> str:
        """Return a JSON object with `kind`, `size` in bytes, and the fields."""
        import json  # noqa: PLC0415 - nothing else needs it

        return json.dumps({"kind": self.kind, "size": self.size, **self.fields}, indent=2, ensure_ascii=False)

    def __str__(self) -> str:
        return "\n".join([f"{self.kind}, {self.size} bytes", *_lines(self.fields, "  ")])


def inspect(data: bytes) -> Inspection:
    """Return what a message, bundle or publication shows without any key.

    Raises MalformedMessage, UnsupportedVersion, InvalidKey; signatures and tags are not checked.
    """
    kind = peek_kind(data)
    if kind in {Kind.RATCHET, Kind.TRIPLE}:
        return Inspection("message", len(data), _message(RatchetMessage.decode(data)))
    if kind is Kind.INITIAL:
        initial = InitialMessage.decode(data)
        shown = {**_handshake(initial.header), "message": _message(initial.message)}
        return Inspection("first message", len(data), shown)
    if kind is Kind.BUNDLE:
        return Inspection("prekey bundle", len(data), _bundle(PrekeyBundle.decode(data)))
    return Inspection("publication", len(data), _publication(Publication.decode(data)))


def _message(message: RatchetMessage) -> dict[str, Shown]:
    header, pq_header = message.header, message.pq_header
    return {
        "ratchet_key": header.ratchet_key.data.hex(),
        "number": header.number,
        "previous_chain_length": header.previous_length,
        **({} if pq_header is None else {"healing": _healing(pq_header)}),
        "sealed_bytes": len(message.sealed),
    }


def _healing(pq_header: PqHeader) -> dict[str, Shown]:
    shown: dict[str, Shown] = {
        "epoch": pq_header.epoch,
        "number": pq_header.number,
        "previous_chain_length": pq_header.previous,
        "type": pq_header.type.name.lower(),
    }
    if pq_header.type in BARE:
        return shown
    return {**shown, "first_index": pq_header.first, "codewords": len(pq_header.codewords) // CODEWORD_BYTES}


def _handshake(header: HandshakeHeader) -> dict[str, Shown]:
    return {
        "suite": header.suite.name,
        "identity_key": header.identity.data.hex(),
        "ephemeral_key": header.ephemeral.data.hex(),
        "signed_prekey_id": header.signed_prekey_id,
        "one_time_prekey_id": header.one_time_prekey_id,
        "kem_prekey_id": None if header.kem is None else header.kem.prekey_id,
        "kem_ciphertext_bytes": None if header.kem is None else len(header.kem.ciphertext),
    }


def _bundle(bundle: PrekeyBundle) -> dict[str, Shown]:
    return {
        "name": bundle.address.name,
        "device_id": bundle.address.device_id,
        "identity_key": bundle.identity.data.hex(),
        "made_on": date_of(bundle.made_on),
        "signed_prekey": _prekey(bundle.signed),
        "one_time_prekey": None if bundle.one_time is None else _prekey(bundle.one_time),
        "kem_prekey": None if bundle.kem is None else _prekey(bundle.kem),
    }


def _publication(publication: Publication) -> dict[str, Shown]:
    return {
        "name": publication.address.name,
        "device_id": publication.address.device_id,
        "identity_key": publication.identity.data.hex(),
        "made_on": date_of(publication.made_on),
        "signed_prekey": _prekey(publication.signed),
        "last_resort_prekey": _prekey(publication.last_resort),
        "one_time_pairs": len(publication.pairs),
    }


def _prekey(prekey: PublicPrekey[PrekeyKey]) -> dict[str, Shown]:
    shown: dict[str, Shown] = {"kind": prekey.kind.name.lower(), "id": prekey.id}
    if isinstance(prekey.key, MlKem1024PublicKey):
        # Its size says more to a reader than its 3,136 digits.
        return {**shown, "key_bytes": len(prekey.key.data)}
    return {**shown, "key": prekey.key.data.hex()}


def _lines(fields: Mapping[str, Shown], indent: str) -> list[str]:
    lines: list[str] = []
    for name, value in fields.items():
        label = f"{indent}{name.replace('_', ' ')}:"
        if isinstance(value, Mapping):
            lines += [label, *_lines(value, indent + "  ")]
        else:
            lines.append(f"{label} {'none' if value is None else value}")
    return lines
