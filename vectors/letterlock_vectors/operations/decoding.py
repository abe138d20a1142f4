"""wire.decode: the fields of each of the five kinds of encoding.

Not here: addresses, padding and armor (texts.py), signatures (bundles.py).
"""

from collections.abc import Callable, Mapping
from typing import Final

from letterlock._primitives.curve25519 import OneTimePrekey, SignedPrekey
from letterlock._primitives.mlkem import MlKem1024PublicKey
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.envelope import Kind
from letterlock._wire.message import InitialMessage, RatchetMessage
from letterlock._wire.pq_header import PqHeader
from letterlock._wire.prekey import PublicPrekey
from letterlock._wire.publication import PrekeyPair, Publication
from letterlock.errors import UsageError
from letterlock_vectors.inputs import Input, Operation, Output

AnyPrekey = PublicPrekey[SignedPrekey] | PublicPrekey[OneTimePrekey] | PublicPrekey[MlKem1024PublicKey]


def decode(given: Input) -> Output:
    """Return the fields of `data`, which must be an encoding of the given `kind`."""
    reader = _READERS.get(given.text("kind"))
    if reader is None:
        raise UsageError("`kind` must be initial, ratchet, triple, bundle or publication")
    return reader(given.hex("data"))


def address_fields(address: Address) -> list[str | int]:
    """Return an address as `[name, device id]`."""
    return [address.name, address.device_id]


def _initial(data: bytes) -> Output:
    initial = InitialMessage.decode(data)
    header = initial.header
    return {
        "suite": int(header.suite),
        "identity": header.identity.data.hex(),
        "ephemeral": header.ephemeral.data.hex(),
        "signed_prekey_id": header.signed_prekey_id,
        "one_time_prekey_id": header.one_time_prekey_id,
        "kem": None
        if header.kem is None
        else {"prekey_id": header.kem.prekey_id, "ciphertext": header.kem.ciphertext.hex()},
        "handshake_id": initial.id.hex(),
        "message": _message_fields(initial.message),
    }


def _ratchet(data: bytes) -> Output:
    return _message_fields(RatchetMessage.decode_of(data, Kind.RATCHET))


def _triple(data: bytes) -> Output:
    return _message_fields(RatchetMessage.decode_of(data, Kind.TRIPLE))


def _bundle(data: bytes) -> Output:
    bundle = PrekeyBundle.decode(data)
    return _head(bundle) | {
        "one_time": None if bundle.one_time is None else _prekey_fields(bundle.one_time),
        "kem": None if bundle.kem is None else _prekey_fields(bundle.kem),
        "signature": bundle.signature.hex(),
    }


def _publication(data: bytes) -> Output:
    publication = Publication.decode(data)
    return _head(publication) | {
        "last_resort": _prekey_fields(publication.last_resort),
        "last_resort_signature": publication.last_resort_signature.hex(),
        "pairs": [_pair_fields(each) for each in publication.pairs],
    }


def _head(of: PrekeyBundle | Publication) -> Output:
    return {
        "address": address_fields(of.address),
        "identity": of.identity.data.hex(),
        "made_on": of.made_on,
        "signed": _prekey_fields(of.signed),
    }


def _pair_fields(pair: PrekeyPair) -> Output:
    return {
        "one_time": _prekey_fields(pair.one_time),
        "kem": _prekey_fields(pair.kem),
        "signature": pair.signature.hex(),
    }


def _message_fields(message: RatchetMessage) -> Output:
    fields = {
        "ratchet_key": message.header.ratchet_key.data.hex(),
        "previous_length": message.header.previous_length,
        "number": message.header.number,
        "header_bytes": message.header_bytes.hex(),
        "sealed": message.sealed.hex(),
    }
    return (
        fields if message.pq_header is None else fields | {"pq_header": pq_header_fields(message.pq_header)}
    )


def pq_header_fields(pq_header: PqHeader) -> Output:
    """Return the fields of a post-quantum header. The type is its number on the wire."""
    epoch, number, previous, type_, first, codewords = pq_header.fields()
    return {
        "epoch": epoch,
        "number": number,
        "previous": previous,
        "type": type_,
        "first": first,
        "codewords": None if codewords is None else codewords.hex(),
    }


def _prekey_fields(prekey: AnyPrekey) -> Output:
    return {
        "kind": int(prekey.kind),
        "id": prekey.id,
        "key": prekey.key.data.hex(),
    }


_READERS: Final[dict[str, Callable[[bytes], Output]]] = {
    "initial": _initial,
    "ratchet": _ratchet,
    "triple": _triple,
    "bundle": _bundle,
    "publication": _publication,
}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "wire.decode": decode,
}
