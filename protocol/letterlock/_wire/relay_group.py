"""Texts of groups at a relay: stored once, numbered in each group, and read by every device of the members.

    group-send      [1, 22, text]                           ->  [1, number]
    group-texts     [1, 23, group id, after, most, wait]    ->  [1, newest, [[number, time, text] ...]]

    follow frame    [1, 24, [group id ...]]         client to relay, on a socket: the groups to tell of
    group frame     [1, 24, group id, newest]       relay to client: the newest number of a group's texts

    key             first 8 bytes of the key of the group's log || first 8 bytes of SHA-256(label || group id)

The texts of one group are numbered from 1, in the order in which they were stored. Databases keep the texts
beside the log, because they take a text after the newest entry only. [RLY-46]

Not here: what a text holds (group_text.py); who may send and read (relay/).
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

from letterlock._primitives.labels import RELAY_TEXTS_OF_GROUP
from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock._wire.group_limits import GROUP_ID_BYTES
from letterlock._wire.relay_body import Form, RelayBody, read_ids
from letterlock._wire.relay_limits import (
    KIB,
    MAX_FETCHED,
    MAX_FETCHED_BYTES,
    MAX_FOLLOWED,
    MAX_RELAYED_MESSAGE,
    MAX_WAIT,
    SMALL_BODY,
)
from letterlock._wire.relay_shelf import ShelfName
from letterlock.limits import MAX_COUNTER

_FRAME: Final = 8 * KIB
"""Bytes in which 256 group ids fit, at 17 bytes each."""

_HALF: Final = 8


def log_key(group: bytes) -> bytes:
    """Return the 16 bytes that stand for a group's log in a relay's database: as for a collection's."""
    return ShelfName.of_collection(group).key


def texts_key(group: bytes) -> bytes:
    """Return the 16 bytes that stand for a group's texts in a relay's database."""
    return log_key(group)[:_HALF] + hashlib.sha256(RELAY_TEXTS_OF_GROUP + group).digest()[:_HALF]


@dataclass(frozen=True, slots=True)
class GroupSendRequest(RelayBody):
    """Sends an encoded text of the calling device to its group: 1 to 786,432 bytes."""

    FORM = Form("a text for a group", 3, MAX_RELAYED_MESSAGE + KIB, 4)
    NUMBER = 22

    text: bytes = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.text]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(fields.blob_between("text", 1, MAX_RELAYED_MESSAGE))


@dataclass(frozen=True, slots=True)
class GroupSendAnswer(RelayBody):
    """The number of the text in its group, since now or since earlier."""

    FORM = Form("an answer about a text", 2, SMALL_BODY, 3)

    number: int

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.number]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(fields.uint_between("number", 1, MAX_COUNTER))


@dataclass(frozen=True, slots=True)
class GroupTextsRequest(RelayBody):
    """Asks for the texts of a group after a number, at most `most`, 1 to 100.

    With none there, the relay waits for one, for up to `wait` seconds.
    """

    FORM = Form("a request for texts of a group", 6, SMALL_BODY, 7)
    NUMBER = 23

    group: bytes = field(repr=False)
    after: int
    most: int
    wait: int

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.group, self.after, self.most, self.wait]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        group, after = fields.blob("group id", GROUP_ID_BYTES), fields.uint("number", MAX_COUNTER)
        return cls(group, after, fields.uint_between("most", 1, MAX_FETCHED), fields.uint("wait", MAX_WAIT))


class StoredText(NamedTuple):
    """A text with its number in the group, and when the relay stored it, in seconds since 1970."""

    number: int
    time: int
    text: bytes


@dataclass(frozen=True, slots=True)
class GroupTextsAnswer(RelayBody):
    """Texts in the order of their numbers, and the number that was given last, 0 for none.

    Numbers are missing where texts have expired. With texts in it, an answer may be continued; with none,
    there is nothing more.
    """

    FORM = Form(
        "an answer with texts of a group",
        3,
        MAX_FETCHED_BYTES + MAX_RELAYED_MESSAGE + 4 * KIB,
        4 + 4 * MAX_FETCHED,
    )

    newest: int
    texts: tuple[StoredText, ...] = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.newest, [list[cbor.Value](each) for each in self.texts]]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        newest = fields.uint("newest number", MAX_COUNTER)
        texts = tuple(map(_read_text, fields.array("texts", MAX_FETCHED)))
        numbers = [each.number for each in texts]
        if numbers != sorted(set(numbers)) or max(numbers, default=0) > newest:
            raise fields.wrong("texts", "an array of texts in the order of their numbers")
        return cls(newest, texts)


def _read_text(item: object) -> StoredText:
    fields = Fields(item, 3, "a text of a group")
    number, time = fields.uint_between("number", 1, MAX_COUNTER), fields.uint("time", MAX_COUNTER)
    return StoredText(number, time, fields.blob_between("text", 1, MAX_RELAYED_MESSAGE))


@dataclass(frozen=True, slots=True)
class FollowFrame(RelayBody):
    """What a client sends into a socket: the groups of which it wants to be told from now on, up to 256.

    Those of an earlier frame count no more. Groups that the relay does not have, or of which the user is no
    member, are passed over.
    """

    FORM = Form("a frame that follows groups", 3, _FRAME, 4 + MAX_FOLLOWED)
    NUMBER = 24

    groups: tuple[bytes, ...] = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [list[cbor.Value](self.groups)]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(read_ids(fields, "groups", MAX_FOLLOWED))


@dataclass(frozen=True, slots=True)
class GroupFrame(RelayBody):
    """What a relay pushes into a socket: the newest number of a group that is followed.

    It comes once the group is followed, and whenever a text was stored.
    """

    FORM = Form("a frame about a group", 4, SMALL_BODY, 5)
    NUMBER = 24

    group: bytes = field(repr=False)
    newest: int

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.group, self.newest]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(fields.blob("group id", GROUP_ID_BYTES), fields.uint("newest number", MAX_COUNTER))
