"""A stream of sealed frames: libsodium's secretstream, XChaCha20-Poly1305 with a chain of keys.

    header       24 random bytes
    frame        17 bytes more than its text
    last frame   carries the tag FINAL, so that a stream that was cut short is noticed

A frame opens only after all frames before it, so none can be left out, repeated or moved.

Not here: what the frames hold (user/_archive.py).
"""

from typing import Final, Self

from nacl import bindings
from nacl.exceptions import RuntimeError as SodiumError

from letterlock._primitives.secret import Immutable, Uncopyable
from letterlock.errors import AuthenticationFailed, MalformedMessage

HEADER_BYTES: Final = 24
FRAME_OVERHEAD: Final = 17

_MESSAGE: Final = bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
_FINAL: Final = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL
_State = bindings.crypto_secretstream_xchacha20poly1305_state


class _Stream(Immutable, Uncopyable):
    """The keys of a stream, which change with each frame, and the data that every frame is bound to."""

    __slots__ = ("_associated", "_state")

    _state: _State
    _associated: bytes

    def __init__(self, state: _State, associated: bytes) -> None:
        object.__setattr__(self, "_state", state)
        object.__setattr__(self, "_associated", associated)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: hidden>"


class FrameSealer(_Stream):
    """Seals the frames of one stream."""

    __slots__ = ()

    @classmethod
    def begin(cls, key: bytes, associated: bytes) -> tuple[Self, bytes]:
        """Return a sealer and its header. `key` has 32 bytes; libsodium draws the header."""
        state = _State()
        header = bindings.crypto_secretstream_xchacha20poly1305_init_push(state, key)
        return cls(state, associated), header

    def seal(self, text: bytes, *, last: bool) -> bytes:
        """Return the next frame."""
        kind = _FINAL if last else _MESSAGE
        return bindings.crypto_secretstream_xchacha20poly1305_push(self._state, text, self._associated, kind)


class FrameOpener(_Stream):
    """Opens the frames of one stream, in their order."""

    __slots__ = ()

    @classmethod
    def begin(cls, key: bytes, associated: bytes, header: bytes) -> Self:
        """Return an opener. `key` has 32 bytes, `header` 24."""
        state = _State()
        bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, header, key)
        return cls(state, associated)

    def open(self, frame: bytes) -> tuple[bytes, bool]:
        """Return the text of the next frame, of at least 17 bytes, and whether it is the last one.

        Raises AuthenticationFailed, and MalformedMessage for a tag that FrameSealer never gives; the opener
        then opens nothing more of this stream.
        """
        found = self._opened(frame)
        if found is None:
            raise AuthenticationFailed
        text, kind = found
        if kind not in (_MESSAGE, _FINAL):
            raise MalformedMessage("a frame has a tag that no frame of ours has: discard the stream")
        return text, kind == _FINAL

    def _opened(self, frame: bytes) -> tuple[bytes, int] | None:
        try:
            return bindings.crypto_secretstream_xchacha20poly1305_pull(self._state, frame, self._associated)
        except SodiumError:
            return None
