"""Fuzzing the erasure code: any codewords of any indices, in any order, repeated or contradicting each other.

An input is [needed, first index, codewords, first index, codewords, ...], each pair as in a message. Any N
codewords with different indices determine one text. So encoding that text must give them back, and their
order must not matter.
"""

import random
from typing import Any, Final

import cbor2

from fuzz.harness import ITEMS, Finding, Target, attempt
from fuzz.tree import mutated
from letterlock._ratchet.erasure import Codeword, Collected, codeword
from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock._wire.pq_header import PqType
from letterlock.errors import PeerError
from letterlock.limits import CODEWORD_BYTES, MAX_CODEWORD_INDEX, MAX_CODEWORDS
from support.pair import entropy_of
from support.wire_samples import pq_header_of

MOST_NEEDED: Final = 36
MOST_PIECES: Final = 12
FEW: Final = 5
TEXT: Final = entropy_of("a text in codewords")(MOST_NEEDED * CODEWORD_BYTES)


def check(data: bytes) -> None:
    read = attempt(data, lambda: _read(data), PeerError, ITEMS)
    if read.error is not None:
        return
    needed, pieces = read.accepted()
    collected = Collected(needed * CODEWORD_BYTES)
    first: dict[int, bytes] = {}
    for piece in pieces:
        collected = collected.add(piece)
        for each in piece:
            if len(first) < needed:
                first.setdefault(each.index, each.data)
    if {each.index: each.data for each in collected.codewords} != first:
        raise Finding("other codewords are kept than the first of each index")
    if collected.is_complete is not (len(first) == needed):
        raise Finding("a text is said to be complete that is not")
    if collected.is_complete:
        _check_text(data, collected)
    else:
        _check_incomplete(collected)


def _read(data: bytes) -> tuple[int, list[list[Codeword]]]:
    items = cbor.decode(data)
    count = len(items) if isinstance(items, list) else 0
    fields = Fields(items, min(count | 1, 2 * MOST_PIECES + 1), "input")
    needed = fields.uint("needed", MOST_NEEDED)
    if needed == 0:
        raise fields.wrong("needed", "1 or more")
    return needed, [_piece(fields.any(), fields.any()) for _ in range(count // 2)]


def _piece(first: object, codewords: object) -> list[Codeword]:
    pq_header = pq_header_of([1, 1, 0, int(PqType.EK), first, codewords])
    starts = range(0, len(pq_header.codewords), CODEWORD_BYTES)
    return [
        Codeword(pq_header.first + n, pq_header.codewords[at : at + CODEWORD_BYTES])
        for n, at in enumerate(starts)
    ]


def _check_text(data: bytes, collected: Collected) -> None:
    text = attempt(data, collected.text, PeerError).accepted()
    if len(text) != collected.length:
        raise Finding("a text of another length")
    for each in collected.codewords[-FEW:]:
        if codeword(text, each.index) != each:
            raise Finding("a codeword does not come back from its text")
    if Collected(collected.length, collected.codewords[::-1]).text() != text:
        raise Finding("in another order it is another text")
    # Each of these is a curve of its own: all of a long text would take longer than everything else here.
    beyond = [codeword(text, MAX_CODEWORD_INDEX - n) for n in range(min(collected.needed, FEW))]
    if Collected(collected.length).add([*beyond, *collected.codewords]).text() != text:
        raise Finding("other codewords of a text give another text")


def _check_incomplete(collected: Collected) -> None:
    try:
        collected.text()
    except ValueError:
        return
    raise Finding("a text came of too few codewords")


def _mutate(data: bytes, rng: random.Random, room: int) -> bytes:
    if rng.random() < 0.4:
        return mutated(data, rng, room)
    needed = rng.choice((1, 2, 3, 5, 30, MOST_NEEDED))
    tree: list[Any] = [needed]
    for _ in range(rng.choice((1, 2, 4, MOST_PIECES))):
        count = rng.choice((1, 1, 2, 5, 20, needed, MAX_CODEWORDS))
        first = rng.choice(
            (
                0,
                1,
                needed,
                rng.randrange(70),
                rng.randrange(MAX_CODEWORD_INDEX),
                MAX_CODEWORD_INDEX + 1 - count,
            )
        )
        tree += [first, _of(needed, first, count) if rng.random() < 0.7 else rng.randbytes(count * 32)]
    return cbor2.dumps(tree)[:room]


def _of(needed: int, first: int, count: int) -> bytes:
    text = TEXT[: needed * CODEWORD_BYTES]
    return b"".join(
        codeword(text, min(index, MAX_CODEWORD_INDEX)).data for index in range(first, first + count)
    )


def seeds() -> dict[str, bytes]:
    found: dict[str, list[Any]] = {
        "as-it-stands": [3, 0, _of(3, 0, 3)],
        "beyond": [3, 3, _of(3, 3, 3)],
        "the-last-ones": [5, MAX_CODEWORD_INDEX - 4, _of(5, MAX_CODEWORD_INDEX - 4, 5)],
        "backwards": [3, 2, _of(3, 2, 1), 1, _of(3, 1, 1), 0, _of(3, 0, 1)],
        "repeated": [3, 0, _of(3, 0, 2), 0, _of(3, 0, 2), 7, _of(3, 7, 1)],
        "contradicting": [3, 0, _of(3, 0, 2), 0, bytes(64), 1, bytes(64)],
        "of-no-text": [5, 9, bytes(range(160))],
        "too-few": [MOST_NEEDED, 0, _of(MOST_NEEDED, 0, 35)],
        "too-many": [2, 0, _of(2, 0, MAX_CODEWORDS)],
        "longest": [MOST_NEEDED, 100, _of(MOST_NEEDED, 100, MOST_NEEDED)],
        "of-one": [1, 40_000, _of(1, 40_000, 1)],
        "nothing": [1],
        "of-none": [0, 0, bytes(32)],
        "half-a-codeword": [1, 0, bytes(48)],
        "index-too-large": [1, MAX_CODEWORD_INDEX + 1, bytes(32)],
        "index-runs-over": [2, MAX_CODEWORD_INDEX, bytes(64)],
    }
    return {name: cbor2.dumps(tree) for name, tree in found.items()}


TARGET: Final = Target(check, _mutate, seeds)
