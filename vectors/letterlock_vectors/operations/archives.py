"""archive.read: the items of a history archive.

A frame has 65,553 bytes that nothing compresses, so a vector says how its archive is made: streams of frames
with their texts and tags, and the parts of these streams that are joined.

Not here: sealing with a header of our own, which is for vectors only.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from nacl import bindings

from letterlock._primitives.secret import KEY_BYTES
from letterlock._primitives.secretstream import HEADER_BYTES
from letterlock._wire.content_bodies import ARCHIVE_ID_BYTES, ArchiveKey, HistoryKey
from letterlock.errors import UsageError
from letterlock.user._archive import MARK, read_archive
from letterlock_vectors.inputs import Input, Operation, Output

_MOST: Final = 1 << 20


def _read(given: Input) -> Output:
    archive = joined(given)
    if hashlib.sha256(archive).hexdigest() != given.text("sha256"):
        raise UsageError("the archive that was made is not the recorded one")
    key = HistoryKey(given.sized("archive_id", ARCHIVE_ID_BYTES), ArchiveKey(given.sized("key", KEY_BYTES)))
    items = list(read_archive(key, [archive]))
    return {"items": [{"length": len(each), "sha256": hashlib.sha256(each).hexdigest()} for each in items]}


def joined(given: Input) -> bytes:
    """Return the archive of `streams` and `parts`."""
    streams = [_stream(each) for each in given.nested_list("streams")]
    parts = given.nested_list("parts")
    return b"".join(_part(each.with_default("data"), streams) for each in parts)


def _part(given: Input, streams: list[bytes]) -> bytes:
    if not given.is_null("data"):
        return given.hex("data")
    return streams[given.counter("stream")][given.counter("from") : given.counter("to")]


def _stream(given: Input) -> bytes:
    """Return mark, archive id, header and frames."""
    associated, header = (
        MARK + given.sized("archive_id", ARCHIVE_ID_BYTES),
        given.sized("header", HEADER_BYTES),
    )
    # Both directions begin with the same state; libsodium draws the header of the other one itself.
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, header, given.sized("key", KEY_BYTES))
    frames = [_frame(state, associated, each) for each in given.nested_list("frames")]
    return b"".join([associated, header, *frames])


def _frame(
    state: bindings.crypto_secretstream_xchacha20poly1305_state, associated: bytes, given: Input
) -> bytes:
    length = given.counter("length")
    if length > _MOST:
        raise UsageError(f"a frame has at most {_MOST} bytes here")
    text = given.hex("text").ljust(length, b"\0")
    tag = given.counter("tag")
    return bindings.crypto_secretstream_xchacha20poly1305_push(state, text, associated, tag)


OPERATIONS: Final[Mapping[str, Operation]] = {
    "archive.read": _read,
}
