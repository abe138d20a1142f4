"""No frame of a raised error holds a plaintext: error reporters send local variables of every frame away."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

import letterlock
from letterlock._ratchet import triple
from letterlock._session import peer_sessions, sealing
from letterlock.errors import (
    AuthenticationFailed,
    LetterlockError,
    MalformedMessage,
    PeerError,
    StoreError,
)
from support.pair import Pair

pytestmark = pytest.mark.pure

PACKAGE = str(Path(letterlock.__file__).parent)
LENGTHS = pytest.mark.parametrize("length", [30, 5000], ids=["short", "long"])


def text_of(length: int) -> bytes:
    return (b"the lab results are in; " * (length // 24 + 1))[:length]


def frames(error: BaseException | None) -> Iterator[FrameType]:
    """Yield the package's frames of an error and of those behind it."""
    while error is not None:
        step = error.__traceback__
        while step is not None:
            if step.tb_frame.f_code.co_filename.startswith(PACKAGE):
                yield step.tb_frame
            step = step.tb_next
        error = error.__cause__ or error.__context__


def holds(value: object, text: bytes, depth: int = 5) -> bool:
    """Return whether a value, or what it refers to, has a piece of the text."""
    if isinstance(value, bytes | bytearray | memoryview):
        return text[:24] in bytes(value)
    if depth == 0:
        return False
    if isinstance(value, dict):
        return any(holds(each, text, depth - 1) for each in value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return any(holds(each, text, depth - 1) for each in value)
    if not type(value).__module__.startswith("letterlock."):
        return False
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    inside = [getattr(value, name, None) for name in slots] + list(getattr(value, "__dict__", {}).values())
    return any(holds(each, text, depth - 1) for each in inside)


def shown(error: BaseException, text: bytes) -> list[str]:
    return [
        f"{frame.f_code.co_qualname}: {name}"
        for frame in frames(error)
        for name, value in frame.f_locals.items()
        if holds(value, text)
    ]


def refusal(call: Callable[[], object], kind: type[LetterlockError], text: bytes) -> list[str]:
    with pytest.raises(kind) as caught:
        call()
    assert any(frames(caught.value))
    return shown(caught.value, text)


def pad_wrongly(plaintext: bytes) -> bytes:
    return plaintext + b"\x80" + bytes(7)


@LENGTHS
def test_a_wrong_padding(any_pair: Pair, monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    text = text_of(length)
    any_pair.converse()
    monkeypatch.setattr(sealing, "pad", pad_wrongly)
    letter = any_pair.alice.write(text)
    assert refusal(lambda: any_pair.bob.read(letter), MalformedMessage, text) == []


@LENGTHS
def test_a_wrong_padding_in_a_first_message(pair: Pair, monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    text = text_of(length)
    pair.alice.initiate()
    monkeypatch.setattr(sealing, "pad", pad_wrongly)
    letter = pair.alice.write(text)
    assert refusal(lambda: pair.bob.read(letter), MalformedMessage, text) == []


@LENGTHS
def test_a_wrong_padding_taken_off_alone(length: int) -> None:
    text = text_of(length)
    assert refusal(lambda: sealing.unpad(pad_wrongly(text)), MalformedMessage, text) == []


@LENGTHS
@pytest.mark.parametrize("error", [AuthenticationFailed(), StoreError("disk")])
def test_an_error_after_the_tag_has_verified(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, error: LetterlockError, length: int
) -> None:
    def refuse(*_: object) -> object:
        raise error

    text = text_of(length)
    pair.converse()
    letter = pair.alice.write(text)
    monkeypatch.setattr(triple, "commit", refuse)
    assert refusal(lambda: pair.bob.read(letter), type(error), text) == []


def test_the_walk_sees_what_it_is_for(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(*_: object) -> bytes:
        padded = text_of(30)
        raise MalformedMessage(f"{len(padded)} bytes")

    pair.converse()
    letter = pair.alice.write(text_of(30))
    monkeypatch.setattr(peer_sessions, "decrypt", careless)
    careless.__code__ = careless.__code__.replace(co_filename=PACKAGE + "/planted.py")
    with pytest.raises(PeerError) as caught:
        pair.bob.read(letter)
    assert shown(caught.value, text_of(30)) == [f"{careless.__qualname__}: padded"]
