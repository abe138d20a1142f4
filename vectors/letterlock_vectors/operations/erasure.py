"""erasure.*: codewords of a text, and the text that they bring back.

Not here: which codewords a message carries (braid.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._ratchet.erasure import Codeword, Collected, codeword
from letterlock.errors import UsageError
from letterlock.limits import CODEWORD_BYTES, MAX_CODEWORD_INDEX
from letterlock_vectors.inputs import Input, Operation, Output, unhex

_MOST_PIECES: Final = 64
"""The longest text that is sent so has 36."""


def _codewords(given: Input) -> Output:
    text, first, count = given.hex("text"), given.number("first"), given.number("count")
    _share(len(text))
    if not (1 <= count <= MAX_CODEWORD_INDEX + 1 and 0 <= first <= MAX_CODEWORD_INDEX + 1 - count):
        raise UsageError("an index is 0 to 65,535")
    return {"codewords": b"".join(codeword(text, first + each).data for each in range(count)).hex()}


def _text(given: Input) -> Output:
    length = given.number("length")
    _share(length)
    codewords = [_codeword(each) for each in given.items("codewords")]
    return {"text": Collected(length).add(codewords).text().hex()}


def _codeword(value: object) -> Codeword:
    match value:
        case [int(index), str(data)] if 0 <= index <= MAX_CODEWORD_INDEX and len(data) == 2 * CODEWORD_BYTES:
            return Codeword(index, unhex(data, "codewords"))
        case _:
            raise UsageError("a codeword is an index, 0 to 65,535, and 32 bytes")


def _share(length: int) -> None:
    if not 0 < length <= _MOST_PIECES * CODEWORD_BYTES or length % CODEWORD_BYTES:
        raise UsageError("a text has a multiple of 32 bytes, up to 2,048")


OPERATIONS: Final[Mapping[str, Operation]] = {
    "erasure.codewords": _codewords,
    "erasure.text": _text,
}
