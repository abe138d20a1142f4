"""A meeting place: where a new device and an old one of the same user leave things for each other.

    open-place  [1, 12, place]                              ->  [1]
    put         [1, 13, place, step, part, parts, bytes]    ->  [1]
    get         [1, 14, place, step, part, wait]            ->  [1, parts, bytes / null]

    steps       1 bundle, 2 offer, 3 answer, 4 package (linking.py); in a get, step 0 asks whether it is open

A place is 16 random bytes that the new device chooses and shows in its linking code. Parts count from 0.

Not here: what is put there (linking.py); who may put what (relay/).
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock._wire.relay_body import Form, RelayBody
from letterlock._wire.relay_limits import (
    KIB,
    MAX_PLACE_PART,
    MAX_PLACE_PARTS,
    MAX_STRANGERS_PART,
    MAX_WAIT,
    RELAY_ID_BYTES,
    SMALL_BODY,
)


class Step(IntEnum):
    """What is put into a place, in the order of a linking."""

    OPEN = 0
    """Nothing is put there; a get of it tells whether the place is open."""
    BUNDLE = 1
    """The new device's bundle."""
    OFFER = 2
    """The old device's offer."""
    ANSWER = 3
    """The new device's answer."""
    PACKAGE = 4
    """The old device's package, in up to 33 parts."""

    @property
    def needs_token(self) -> bool:
        """Whether only a device of the account that opened the place may put it there. [RLY-26]"""
        return self in {Step.OFFER, Step.PACKAGE}

    @property
    def most_parts(self) -> int:
        """How many parts it has at most."""
        return MAX_PLACE_PARTS if self is Step.PACKAGE else 1

    @property
    def most_bytes(self) -> int:
        """How many bytes a part of it has at most."""
        return MAX_PLACE_PART if self is Step.PACKAGE else MAX_STRANGERS_PART


def _read_part(fields: Fields, least: Step) -> tuple[bytes, Step, int]:
    place = fields.blob("place", RELAY_ID_BYTES)
    step = Step(fields.uint_between("step", least, max(Step)))
    return place, step, fields.uint("part", step.most_parts - 1)


@dataclass(frozen=True, slots=True)
class OpenPlaceRequest(RelayBody):
    """Opens a place, 16 bytes, for ten minutes, for the account that asks."""

    FORM = Form("the opening of a place", 3, SMALL_BODY, 4)
    NUMBER = 12

    place: bytes = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.place]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(fields.blob("place", RELAY_ID_BYTES))


@dataclass(frozen=True, slots=True)
class PutRequest(RelayBody):
    """Puts one part of a step into a place, unless it is there. `part` is below `parts`.

    A part of the package has 1 byte to 512 KiB, and any other step has one part of 1 byte to 32 KiB.
    """

    FORM = Form("what is put into a place", 7, MAX_PLACE_PART + KIB, 8)
    NUMBER = 13

    place: bytes = field(repr=False)
    step: Step
    part: int
    parts: int
    data: bytes = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.place, int(self.step), self.part, self.parts, self.data]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        place, step, part = _read_part(fields, Step.BUNDLE)
        parts = fields.uint_between("parts", part + 1, step.most_parts)
        return cls(place, step, part, parts, fields.blob_between("bytes", 1, step.most_bytes))


@dataclass(frozen=True, slots=True)
class GetRequest(RelayBody):
    """Asks for a part of a step; if it is not there, waits for `wait` seconds, at most 60."""

    FORM = Form("a get from a place", 6, SMALL_BODY, 7)
    NUMBER = 14

    place: bytes = field(repr=False)
    step: Step
    part: int
    wait: int

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.place, int(self.step), self.part, self.wait]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(*_read_part(fields, Step.OPEN), fields.uint("wait", MAX_WAIT))


@dataclass(frozen=True, slots=True)
class GetAnswer(RelayBody):
    """How many parts the step has, and the one that was asked for; 0 and None if it is not there yet.

    For step 0 an open place answers with one part of no bytes.
    """

    FORM = Form("an answer with what is in a place", 3, MAX_PLACE_PART + KIB, 4)

    parts: int
    data: bytes | None = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.parts, self.data]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        parts = fields.uint("parts", MAX_PLACE_PARTS)
        if not parts:
            fields.null("bytes")
            return cls(0, None)
        return cls(parts, fields.blob_between("bytes", 0, MAX_PLACE_PART))
