"""ClaimState: which bundles of a device were given out, as a record of at most 4 KiB.

    publish     a page with a greater number follows; one with another signed prekey replaces all   [RLY-13]
    take        the next bundle of the oldest page, or the last-resort bundle                       [RLY-15]

A store reads the record, changes it by one of these, and writes it, all in one atomic step. It holds the
bundles themselves under the number of their page. A cursor in each page only grows and numbers never come
back, so no bundle is given to two claims. [RLY-15]

Three things bound what claims cost a device:

    requester   six claims by one device, and one more every ten minutes; then it is told to wait   [RLY-17]
    target      60 single-use bundles, and one more every minute; then the last-resort bundle       [RLY-18]
    repeat      the same claim within five minutes gets the same single-use bundle, at no cost      [RLY-16]

A claim that got the last-resort bundle is not remembered: strangers could fill the record with such claims,
and nothing would be left for those who get a single-use bundle. Its repeat is another claim.

Not here: whether the requester may claim at all (_prekeys.py); where the record is stored (stores).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, Self

from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock.errors import CorruptStore, MalformedMessage
from letterlock.limits import MAX_COUNTER, MAX_ID
from letterlock.relay._buckets import Bucket
from letterlock.relay._errors import RateLimited
from letterlock.relay._store import Page, Published

FORMAT: Final = 1
MAX_RECORD: Final = 4096
"""Bytes of the longest record. A store writes it with each claim."""

MAX_PAGES: Final = 32
"""Pages that have bundles. A device that uploads more often than its bundles are claimed keeps its earlier
ones."""

MAX_PAGE_BUNDLES: Final = 1000
"""The most bundles of one page. A page that is stored has far fewer."""

REPEAT_SECONDS: Final = 5 * 60
"""Seconds for which the same claim gets the same bundle: longer than a client keeps trying before it asks its
user."""

MAX_REPEATS: Final = 64
"""Claims that are remembered for a repeat. In five minutes a device gives out 65 single-use bundles at most;
beyond 64 it gives the last-resort bundle, which needs no memory."""

MAX_REQUESTERS: Final = 64
"""Requesters that are counted. One more gets the last-resort bundle: strangers who come in numbers get
nothing that is used up."""


REQUESTER: Final = Bucket(6, 10 * 60)
"""Claims of one device's bundles by another device: a session needs one, and repair a few."""
TARGET: Final = Bucket(60, 60)
"""Single-use bundles of one device. Whoever claims more does so to use them up."""

_REQUESTER_BYTES: Final = 8
_KEY_BYTES: Final = 16
_DIGEST_BYTES: Final = 32
_WHAT: Final = "a record of claims"


class PageState(NamedTuple):
    """A page: its number, how many of its bundles were given out, and how many it has."""

    number: int
    given: int
    bundles: int


class Repeat(NamedTuple):
    """A claim that was answered at `time`, named by a hash of its id and its requester."""

    key: bytes
    page: int
    bundle: int
    time: int


class Requester(NamedTuple):
    """A device that claimed, named by 8 bytes, and when its bucket is full again."""

    name: bytes
    full_at: int


class Choice(NamedTuple):
    """What a claim gets: a bundle of a page, counted from 0, or with None the last-resort bundle of it."""

    page: int
    bundle: int | None


@dataclass(frozen=True, slots=True)
class ClaimState:
    """The pages of one device, and who was given what lately. Before the first page it is the default.

    `number`, `digest` and `signed` are those of the newest page, as in `Page`. `pages` are the oldest first,
    and the newest is among them. A store may delete pages that are not. `full_at` is when the target's bucket
    is full again.
    """

    number: int = 0
    digest: bytes = bytes(_DIGEST_BYTES)
    signed: int = 0
    pages: tuple[PageState, ...] = ()
    repeats: tuple[Repeat, ...] = ()
    requesters: tuple[Requester, ...] = ()
    full_at: int = 0

    @property
    def stock(self) -> int:
        """How many single-use bundles are left."""
        return sum(each.bundles - each.given for each in self.pages)

    @property
    def page_numbers(self) -> frozenset[int]:
        """The numbers of the pages whose bundles are still needed."""
        return frozenset(each.number for each in self.pages)

    def publish(self, page: Page, most: int) -> tuple["ClaimState", Published, int]:
        """Return the state after an upload, what became of it, and how many of its bundles to store.

        Those are the first ones of the page. The state is the same unless the page is STORED. [RLY-13]
        """
        if self.number and page.digest == self.digest:
            # Also under a greater number: a device that lost the answer must not give its keys out twice.
            return self, Published.SAME, 0
        if page.number <= self.number:
            return self, Published.OLDER, 0
        kept = self if page.signed == self.signed else replace(self, pages=(), repeats=())
        pages = _needed(kept, page.number)
        room = max(0, most - kept.stock) if len(pages) < MAX_PAGES else 0
        count = min(len(page.bundles), room, MAX_PAGE_BUNDLES)
        pages = (*pages, PageState(page.number, 0, count))
        after = replace(kept, number=page.number, digest=page.digest, signed=page.signed, pages=pages)
        return after, Published.STORED, count

    def take(self, claim: bytes, requester: bytes, now: int) -> tuple["ClaimState", Choice | None]:
        """Return the state after a claim, and what the claim gets; None if the device published nothing.

        `claim` and `requester` have 16 bytes. Raises RateLimited, and then nothing has changed.
        """
        current = _current(self, now)
        key = hashlib.sha256(claim + requester).digest()[:_KEY_BYTES]
        for each in current.repeats:
            if each.key == key:  # RLY-16
                return self, Choice(each.page, each.bundle)
        if not self.number:
            return self, None
        counted, is_counted = _count(current, requester[:_REQUESTER_BYTES], now)
        after, choice = _next(counted, key, now) if is_counted else (counted, None)
        pages = _needed(after, self.number)
        return replace(after, pages=pages), choice or Choice(self.number, None)

    # --- as a record --------------------------------------------------------------------------------------

    def encode(self) -> bytes:
        """Return the record, at most 4 KiB."""
        rows: list[Sequence[Sequence[Any]]] = [self.pages, self.repeats, self.requesters]
        lists: list[cbor.Value] = [[list(row) for row in part] for part in rows]
        return cbor.encode([FORMAT, self.number, self.digest, self.signed, *lists, self.full_at])

    @classmethod
    def decode(cls, record: bytes) -> Self:
        """Read what `encode` gives. Raises CorruptStore."""
        try:
            return cls._read(record)
        except MalformedMessage as error:
            raise CorruptStore(f"{_WHAT} is damaged: restore the relay's database from a backup") from error

    @classmethod
    def _read(cls, record: bytes) -> Self:
        if len(record) > MAX_RECORD:
            raise MalformedMessage(f"{len(record)} bytes; {_WHAT} has at most {MAX_RECORD}")
        fields = Fields(cbor.decode(record), 8, _WHAT)
        fields.constant("format", FORMAT)
        return cls(
            fields.uint("number", MAX_COUNTER),
            fields.blob("digest", _DIGEST_BYTES),
            fields.uint("signed prekey", MAX_ID),
            tuple(map(_read_page, fields.array("pages", MAX_PAGES + 1))),
            tuple(map(_read_repeat, fields.array("claims", MAX_REPEATS))),
            tuple(map(_read_requester, fields.array("requesters", MAX_REQUESTERS))),
            fields.uint("time", MAX_COUNTER),
        )


# --- one claim --------------------------------------------------------------------------------------------


def _current(state: ClaimState, now: int) -> ClaimState:
    """Return the state without what has ended, and as if no clock had ever been far ahead."""
    settled = (Requester(each.name, REQUESTER.settled(each.full_at, now)) for each in state.requesters)
    requesters = (each for each in settled if each.full_at > now)
    repeats = (each for each in state.repeats if abs(now - each.time) <= REPEAT_SECONDS)
    full_at = TARGET.settled(state.full_at, now)
    return replace(state, repeats=tuple(repeats), requesters=tuple(requesters), full_at=full_at)


def _count(state: ClaimState, name: bytes, now: int) -> tuple[ClaimState, bool]:
    """Return the state with one claim more by a requester, and whether there was room to count it."""
    before = next((each.full_at for each in state.requesters if each.name == name), now)
    full_at = REQUESTER.take(before, now)
    if full_at is None:
        raise RateLimited(REQUESTER.seconds(before, now))  # RLY-17
    others = tuple(each for each in state.requesters if each.name != name)
    if len(others) >= MAX_REQUESTERS:
        return state, False
    return replace(state, requesters=(*others, Requester(name, full_at))), True


def _next(state: ClaimState, key: bytes, now: int) -> tuple[ClaimState, Choice | None]:
    """Return the state without the next single-use bundle, and which it is; None if none may be given."""
    full_at = TARGET.take(state.full_at, now)
    if full_at is None or len(state.repeats) >= MAX_REPEATS:  # RLY-18
        return state, None
    for at, page in enumerate(state.pages):
        if page.given < page.bundles:
            pages = (*state.pages[:at], page._replace(given=page.given + 1), *state.pages[at + 1 :])
            repeats = (*state.repeats, Repeat(key, page.number, page.given, now))
            after = replace(state, pages=pages, repeats=repeats, full_at=full_at)
            return after, Choice(page.number, page.given)
    return state, None


def _needed(state: ClaimState, newest: int) -> tuple[PageState, ...]:
    """Return the pages that have bundles, are the newest, or are needed to repeat an answer."""
    repeated = {each.page for each in state.repeats}
    return tuple(
        each
        for each in state.pages
        if each.given < each.bundles or each.number == newest or each.number in repeated
    )


# --- the rows of the record -------------------------------------------------------------------------------


def _read_page(value: object) -> PageState:
    fields = Fields(value, 3, "a page")
    number, given = fields.uint("number", MAX_COUNTER), fields.uint("given", MAX_PAGE_BUNDLES)
    return PageState(number, given, fields.uint_between("bundles", given, MAX_PAGE_BUNDLES))


def _read_repeat(value: object) -> Repeat:
    fields = Fields(value, 4, "a claim")
    key, page = fields.blob("key", _KEY_BYTES), fields.uint("page", MAX_COUNTER)
    return Repeat(key, page, fields.uint("bundle", MAX_PAGE_BUNDLES), fields.uint("time", MAX_COUNTER))


def _read_requester(value: object) -> Requester:
    fields = Fields(value, 2, "a requester")
    return Requester(fields.blob("name", _REQUESTER_BYTES), fields.uint("time", MAX_COUNTER))
