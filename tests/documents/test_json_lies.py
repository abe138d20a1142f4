"""What storage can try with a JSON document: each is refused, and nothing is given out. DOC-104, DOC-110.

It has the bytes, and no key. Not here: readers and authors, which have keys (test_json_reader_lies.py,
test_json_author_lies.py).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from letterlock._wire.json_document import JsonDocument
from letterlock.documents import (
    NoGrant,
)
from letterlock.errors import MalformedMessage, PeerError
from support.json_case import PRACTICE, VALUE, Case, refused
from support.pair import flipped


def test_what_is_there(case: Case) -> None:
    assert case.reads(case.data) == PRACTICE
    assert case.reads(case.data, "alice") == VALUE
    assert set(case.bob.keys) == {0, 1}
    assert set(case.alice.keys) == {0, 1, 2}


def test_every_byte_counts(case: Case) -> None:
    """A changed byte is refused wherever it is, but in the grants, which are passed over."""
    whole = case.document
    bare = replace(whole, grants=b"").encode()
    places = [*range(120), *range(120, len(bare), 61), *range(len(bare) - 40, len(bare))]
    for place in places:
        changed = bare[:place] + bytes([bare[place] ^ 1]) + bare[place + 1 :]
        with pytest.raises((PeerError, NoGrant)):
            case.reads(changed)


def test_every_length_counts(case: Case) -> None:
    bare = replace(case.document, grants=b"").encode()
    for length in (*range(60), *range(60, len(bare), 97), len(bare) - 1):
        with pytest.raises(MalformedMessage):
            case.reads(bare[:length])
    refused(case, bare + b"\0", MalformedMessage)


SECTIONS_OF: Final[dict[str, Callable[[Any, Any, Any], list[Any]]]] = {
    "one dropped": lambda mine, _, __: mine[:2],
    "the first dropped": lambda mine, _, __: mine[1:],
    "all but one dropped": lambda mine, _, __: mine[:1],
    "two swapped": lambda mine, _, __: [mine[1], mine[0], mine[2]],
    "the hidden one first": lambda mine, _, __: [mine[2], mine[0], mine[1]],
    "one of the next version": lambda mine, after, _: [mine[0], mine[1], after[2]],
    "one of the next version, that Bob reads": lambda mine, after, _: [mine[0], after[1], mine[2]],
    "one of another document": lambda mine, _, other: [mine[0], mine[1], other[2]],
    "one of another document, that Bob reads": lambda mine, _, other: [other[0], mine[1], mine[2]],
    "one added": lambda mine, _, other: [*mine, other[0]],
    "one added of the next version": lambda mine, after, _: [*mine, after[2]],
    "texts swapped": lambda mine, _, __: [
        replace(mine[0], sealed=mine[1].sealed),
        replace(mine[1], sealed=mine[0].sealed),
        mine[2],
    ],
    "the hidden text swapped": lambda mine, _, other: [
        mine[0],
        mine[1],
        replace(mine[2], sealed=other[2].sealed),
    ],
    "the hidden commitment swapped": lambda mine, _, other: [
        mine[0],
        mine[1],
        replace(mine[2], commitment=other[2].commitment),
    ],
    "zeros behind a text": lambda mine, _, __: [
        replace(mine[0], sealed=mine[0].sealed + b"\0"),
        *mine[1:],
    ],
    "a byte of the hidden text": lambda mine, _, __: [
        *mine[:2],
        replace(mine[2], sealed=flipped(mine[2].sealed, 500)),
    ],
}


@pytest.mark.parametrize("name", SECTIONS_OF)
def test_sections_are_neither_dropped_nor_added_nor_swapped(case: Case, name: str) -> None:
    """DOC-110: Bob notices it in sections that he cannot open, too."""
    known = [list(JsonDocument.decode(each).sections) for each in (case.data, case.next, case.other)]
    changed = replace(case.document, sections=tuple(SECTIONS_OF[name](*known)))
    refused(case, changed.encode())


def test_a_section_twice(case: Case) -> None:
    """DOC-108"""
    first = case.document.sections[0]
    for sections in ((first, first), (*case.document.sections, first)):
        refused(case, replace(case.document, sections=sections).encode(), MalformedMessage)
    refused(case, replace(case.document, sections=()).encode(), MalformedMessage)


def test_the_head_and_the_trailer_belong_to_the_sections(case: Case) -> None:
    after, other = JsonDocument.decode(case.next), JsonDocument.decode(case.other)
    mine = case.document
    for document in (
        replace(mine, trailer=after.trailer),
        replace(mine, trailer=after.trailer, commitment=after.commitment),
        replace(mine, trailer=other.trailer, commitment=other.commitment),
        replace(mine, commitment=after.commitment),
        replace(mine, trailer=mine.sections[0].sealed),
    ):
        refused(case, document.encode())
    for document in (
        replace(mine, version=2),
        replace(mine, version=3),
        replace(mine, id=other.id),
        replace(after, version=1),
    ):
        refused(case, document.encode(), NoGrant)
