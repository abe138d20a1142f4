"""Grants that travel with a sealed document: an array of grants, each a byte string.              [DOC-50]

Not here: one grant (grant.py); where they stand in a document (documents/_grants.py).
"""

from collections.abc import Iterable
from typing import cast

from letterlock._wire import cbor
from letterlock._wire.document_limits import MAX_DOCUMENT_GRANTS
from letterlock._wire.grant_limits import MAX_GRANT, MAX_GRANTS_AT_ONCE
from letterlock.errors import MalformedMessage


def encode_bundle(grants: Iterable[bytes]) -> bytes:
    """Return grants as one encoding, without the last ones if they would exceed 1 MiB."""
    fitting: list[cbor.Value] = []
    size = 3
    for each in grants:
        size += len(each) + 3
        if size > MAX_DOCUMENT_GRANTS or len(fitting) >= MAX_GRANTS_AT_ONCE:
            break
        fitting.append(each)
    return cbor.encode(fitting) if fitting else b""


def decode_bundle(data: bytes) -> list[bytes]:
    """Read what `encode_bundle` gives. Raises MalformedMessage."""
    if not data:
        return []
    items = cbor.decode(data, 1) if len(data) <= MAX_DOCUMENT_GRANTS else None
    if type(items) is not list:
        raise MalformedMessage("the grants beside a document are not an array")
    grants = cast("list[object]", items)
    if len(grants) > MAX_GRANTS_AT_ONCE:
        raise MalformedMessage(f"{len(grants)} grants beside a document; at most {MAX_GRANTS_AT_ONCE}")
    found = [each for each in grants if type(each) is bytes and len(each) <= MAX_GRANT]
    if len(found) != len(grants):
        raise MalformedMessage("a grant beside a document is no byte string of a grant's length")
    return found
