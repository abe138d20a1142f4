"""A history archive: the items of an application, sealed as one stream for another device of the same user.

    archive   = mark || archive id || header || frame ...
    frame     = secretstream(key, 65,536 bytes of the text, mark || archive id), 65,553 bytes        [USR-44]
    text      = (length of the item in 4 bytes || item) ... || ff ff ff ff || zeros to a whole frame

All frames have one length, so an archive shows how long it is to 64 KiB, and nothing else. The key travels
as content of kind HISTORY_KEY, over the session with the device.

Not here: what the items are, and who gets the key.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from letterlock._primitives.secretstream import FRAME_OVERHEAD, HEADER_BYTES, FrameOpener, FrameSealer
from letterlock._wire.content_bodies import ARCHIVE_ID_BYTES, HistoryKey
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import MAX_PLAINTEXT

MARK: Final = b"letterlock-v1 history archive\n"
FRAME_TEXT: Final = 64 * 1024
FRAME_BYTES: Final = FRAME_TEXT + FRAME_OVERHEAD
START_BYTES: Final = len(MARK) + ARCHIVE_ID_BYTES + HEADER_BYTES

_LENGTH: Final = 4
_END: Final = b"\xff" * _LENGTH


def seal_archive(key: HistoryKey, items: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the archive in pieces, to be joined in their order. Memory holds one item and one frame.

    An item has 0 to 16,777,216 bytes. Raises UsageError for another one.
    """
    associated = MARK + key.archive_id
    sealer, header = FrameSealer.begin(key.key.expose(), associated)
    yield associated + header
    pending = bytearray()
    for item in items:
        pending += _item(item)
        while len(pending) > FRAME_TEXT:
            yield sealer.seal(_taken(pending, FRAME_TEXT), last=False)
    pending += _END
    while pending:
        text = _taken(pending, FRAME_TEXT).ljust(FRAME_TEXT, b"\0")
        yield sealer.seal(text, last=not pending)


def read_archive(key: HistoryKey, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the items of an archive whose bytes come in pieces of any size.

    Each item is authentic when it is yielded, and the ones before it are complete. That the archive is
    complete is known when the iterator ends: import the items in one transaction, so that an error undoes
    them. Raises MalformedMessage for what is no archive, is another one, or is cut short, and
    AuthenticationFailed for a wrong key and a changed archive. [USR-44]
    """
    text = bytearray()
    ended = False
    for frame in _frames(key, pieces):
        text += frame
        while (item := _next_item(text)) is not None:
            yield item
        if ended or (text.startswith(_END) and any(text[_LENGTH:])):
            raise MalformedMessage("the archive goes on after its end: discard it")
        ended = text.startswith(_END)
    if not ended:
        raise MalformedMessage("the archive ends inside an item: discard it")


def archive_id(start: bytes) -> bytes:
    """Return the archive id, 16 bytes, from the first 46 bytes of an archive. Raises MalformedMessage."""
    if type(start) is not bytes or not start.startswith(MARK) or len(start) < len(MARK) + ARCHIVE_ID_BYTES:
        raise MalformedMessage("not a history archive of letterlock")
    return start[len(MARK) : len(MARK) + ARCHIVE_ID_BYTES]


def _item(item: bytes) -> bytes:
    if type(item) is not bytes:
        raise UsageError(f"an item of an archive must be bytes, not {type(item).__name__}")
    if len(item) > MAX_PLAINTEXT:
        raise UsageError(f"an item of {len(item)} bytes; at most {MAX_PLAINTEXT}: divide it")
    return len(item).to_bytes(_LENGTH, "big") + item


def _taken(pending: bytearray, most: int) -> bytes:
    taken = bytes(pending[:most])
    del pending[:most]
    return taken


def _next_item(text: bytearray) -> bytes | None:
    """Take the next item off the text, or return None if it is not there whole."""
    if len(text) < _LENGTH or text.startswith(_END):
        return None
    length = int.from_bytes(text[:_LENGTH], "big")
    if length > MAX_PLAINTEXT:
        raise MalformedMessage(f"an item of an archive has at most {MAX_PLAINTEXT} bytes: discard it")
    if len(text) < _LENGTH + length:
        return None
    return _taken(text, _LENGTH + length)[_LENGTH:]


def _frames(key: HistoryKey, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the texts of all frames, and raise unless the last one is the last of the stream."""
    opener: FrameOpener | None = None
    finished = False
    for block in _blocks(pieces):
        if opener is None:
            if archive_id(block) != key.archive_id:
                raise MalformedMessage("the archive is another one than the key's: look for its own key")
            opener = FrameOpener.begin(key.key.expose(), MARK + key.archive_id, block[-HEADER_BYTES:])
            continue
        if finished:
            raise MalformedMessage("bytes follow the last frame of the archive: discard it")
        text, finished = opener.open(block)
        yield text
    if not finished:
        raise MalformedMessage("the archive is cut short: get it again")


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the start, then frames, from pieces of any size."""
    buffered, wanted = bytearray(), START_BYTES
    for piece in pieces:
        if type(piece) is not bytes:
            raise UsageError(f"a piece of an archive must be bytes, not {type(piece).__name__}")
        view, at = memoryview(piece), 0
        while at < len(view):
            step = min(wanted - len(buffered), len(view) - at)
            buffered += view[at : at + step]
            at += step
            if len(buffered) == wanted:
                yield _taken(buffered, wanted)
                wanted = FRAME_BYTES
    if buffered or wanted == START_BYTES:
        raise MalformedMessage("the archive is cut short: get it again")
