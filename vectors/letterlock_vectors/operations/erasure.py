"""erasure.*: the codewords of a text, and the text that codewords restore.

Not here: which codewords a message carries (braid.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._ratchet.erasure import Codeword, Collected, codeword
from letterlock.errors import UsageError
from letterlock.limits import CODEWORD_BYTES, MAX_CODEWORD_INDEX
from letterlock_vectors.inputs import Input, Operation, Output, unhex

_MAX_TEXT_CODEWORDS: Final = 64
"""The longest text that the protocol sends has 36 codewords."""


def _codewords(given: Input) -> Output:
    text, first, count = given.hex("text"), given.number("first"), given.number("count")
    _check_length(len(text))
    if not (1 <= count <= MAX_CODEWORD_INDEX + 1 and 0 <= first <= MAX_CODEWORD_INDEX + 1 - count):
        raise UsageError("an index is 0 to 65,535")
    return {"codewords": b"".join(codeword(text, first + each).data for each in range(count)).hex()}


def _text(given: Input) -> Output:
    length = given.number("length")
    _check_length(length)
    codewords = [_codeword(each) for each in given.items("codewords")]
    return {"text": Collected(length).add(codewords).text().hex()}


def _codeword(value: object) -> Codeword:
    match value:
        case [int(index), str(data)] if 0 <= index <= MAX_CODEWORD_INDEX and len(data) == 2 * CODEWORD_BYTES:
            return Codeword(index, unhex(data, "codewords"))
        case _:
            raise UsageError("a codeword is an index, 0 to 65,535, and 32 bytes")


def _check_length(length: int) -> None:
    if not 0 < length <= _MAX_TEXT_CODEWORDS * CODEWORD_BYTES or length % CODEWORD_BYTES:
        raise UsageError("a text has a multiple of 32 bytes, up to 2,048")


OPERATIONS: Final[Mapping[str, Operation]] = {
    "erasure.codewords": _codewords,
    "erasure.text": _text,
}
