"""The content of a history: what is asked of the source, and how much at once. GRP-54"""

import pytest

from letterlock._wire.group_history import MAX_ITEM, HistoryHead, ToldText, framed, read_history
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER, MAX_PLAINTEXT

HEAD = HistoryHead(bytes(16), 1, bytes(32))
TOLD = ToldText(bytes(32), 7, b"hello")


class Source:
    """Gives bytes, and notes how many were asked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked: list[int] = []

    def __call__(self, length: int) -> bytes:
        self.asked.append(length)
        found, self.data = self.data[:length], self.data[length:]
        return found


def test_one_item_at_a_time() -> None:
    items = [HEAD.encode(), TOLD.encode(), TOLD.encode()]
    source = Source(b"".join(map(framed, items)))
    head, texts = read_history(source)
    assert head == HEAD
    assert source.asked == [4, len(items[0])]
    assert next(texts) == TOLD
    assert source.asked[2:] == [4, len(items[1])]
    assert list(texts) == [TOLD]
    assert source.asked[-1] == 4


@pytest.mark.parametrize("length", [0, MAX_ITEM + 1, 2**31, 2**32 - 1])
def test_a_length_is_judged_before_anything_is_read(length: int) -> None:
    source = Source(length.to_bytes(4, "big") + bytes(100))
    with pytest.raises(MalformedMessage):
        read_history(source)
    assert source.asked == [4]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_half_a_length_is_none(length: int) -> None:
    source = Source(framed(HEAD.encode()) + b"\0\0\1"[-length:])
    _, texts = read_history(source)
    with pytest.raises(MalformedMessage):
        next(texts)
    assert source.asked[-1] == 4


def test_the_longest_text_fits() -> None:
    longest = ToldText(bytes(32), MAX_COUNTER, bytes(MAX_PLAINTEXT))
    item = longest.encode()
    assert len(item) <= MAX_ITEM
    _, texts = read_history(Source(framed(HEAD.encode()) + framed(item)))
    assert next(texts) == longest


def test_a_longer_text_is_refused() -> None:
    item = ToldText(bytes(32), 0, bytes(MAX_PLAINTEXT + 1)).encode()
    _, texts = read_history(Source(framed(HEAD.encode()) + framed(item)))
    with pytest.raises(MalformedMessage):
        next(texts)
