"""Claims: no bundle goes to two of them, a repeat gets the same one, and nobody uses up a device's stock."""

import hashlib
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from letterlock.errors import CorruptStore
from letterlock.relay._claims import (
    MAX_PAGES,
    MAX_RECORD,
    MAX_REPEATS,
    MAX_REQUESTERS,
    REQUESTER,
    TARGET,
    Choice,
    ClaimState,
    PageState,
    Repeat,
    Requester,
)
from letterlock.relay._errors import RateLimited
from letterlock.relay._store import Page, Published

NOW: Final = 1_800_000_000
HOUR: Final = 3600


def name(number: int) -> bytes:
    """Return an id of 16 bytes."""
    return hashlib.sha256(number.to_bytes(4, "big")).digest()[:16]


def page(number: int, bundles: int, signed: int = 1, digest: int | None = None) -> Page:
    encoded = tuple(b"%d/%d" % (number, index) for index in range(bundles))
    return Page(number, name(number if digest is None else digest) * 2, signed, b"last", encoded)


def published(*pages: Page, most: int = 200) -> ClaimState:
    state = ClaimState()
    for each in pages:
        state, result, _ = state.publish(each, most)
        assert result is Published.STORED
    return state


def again(state: ClaimState) -> ClaimState:
    """Return what a store reads after it wrote a state."""
    return ClaimState.decode(state.encode())


# --- what is published ------------------------------------------------------------------------------------


def test_bundles_are_given_in_order_page_by_page_and_then_the_last_resort() -> None:
    state, given = published(page(3, 2), page(9, 1)), []
    for each in range(4):
        state, choice = again(state).take(name(each), name(100 + each), NOW)
        given.append(choice)
    assert given == [Choice(3, 0), Choice(3, 1), Choice(9, 0), Choice(9, None)]


def test_a_device_that_published_nothing_has_no_bundle_and_no_requester_is_counted() -> None:
    assert ClaimState().take(name(1), name(2), NOW) == (ClaimState(), None)


def test_a_page_with_another_signed_prekey_replaces_all_others() -> None:
    """RLY-13: the private keys of the earlier ones may be gone soon."""
    state = published(page(3, 2), page(5, 2, signed=2))
    assert state.page_numbers == {5}
    assert state.take(name(1), name(2), NOW)[1] == Choice(5, 0)


def test_a_repeat_after_a_replacement_gets_a_bundle_of_the_new_page() -> None:
    state, first = published(page(3, 2)).take(name(1), name(2), NOW)
    state, _, _ = state.publish(page(5, 2, signed=2), 200)
    assert (first, state.take(name(1), name(2), NOW)[1]) == (Choice(3, 0), Choice(5, 0))


@pytest.mark.parametrize(
    ("upload", "result"),
    [
        (page(7, 2), Published.SAME),
        (page(7, 2, digest=8), Published.OLDER),
        (page(6, 2), Published.OLDER),
        (page(6, 2, signed=2), Published.OLDER),
        (page(8, 2, digest=7), Published.SAME),
    ],
)
def test_an_upload_changes_nothing_unless_it_is_new_and_its_number_the_greatest(
    upload: Page, result: Published
) -> None:
    """RLY-14: a device that lost the answer repeats it, and its keys must not be given out twice."""
    state = published(page(7, 2))
    assert state.publish(upload, 200) == (state, result, 0)


def test_bundles_beyond_the_most_are_left_out() -> None:
    state, _, kept = published(page(1, 150)).publish(page(2, 100), 200)
    assert (kept, state.stock) == (50, 200)
    state, _, kept = state.publish(page(3, 100), 200)
    assert (kept, state.stock, state.number) == (0, 200, 3)


def test_pages_beyond_the_most_keep_their_last_resort_only() -> None:
    state = published(*(page(each, 1) for each in range(1, MAX_PAGES + 5)))
    assert state.stock == MAX_PAGES
    assert len(state.pages) == MAX_PAGES + 1
    assert state.number == MAX_PAGES + 4
    assert state.take(name(1), name(2), NOW)[1] == Choice(1, 0)


# --- what claims cost -------------------------------------------------------------------------------------


def test_one_requester_gets_six_and_then_one_every_ten_minutes() -> None:
    """RLY-17"""
    state = published(page(1, 100))
    for each in range(6):
        state, _ = again(state).take(name(each), name(100), NOW)
    with pytest.raises(RateLimited) as limited:
        state.take(name(50), name(100), NOW)
    assert limited.value.seconds == REQUESTER.interval
    with pytest.raises(RateLimited) as limited:
        state.take(name(50), name(100), NOW + REQUESTER.interval - 1)
    assert limited.value.seconds == 1
    state, choice = state.take(name(50), name(100), NOW + REQUESTER.interval)
    assert choice == Choice(1, 6)
    with pytest.raises(RateLimited):
        state.take(name(51), name(100), NOW + REQUESTER.interval)
    assert state.take(name(51), name(101), NOW)[1] == Choice(1, 7)


def test_a_requester_who_is_told_to_wait_used_nothing() -> None:
    state = published(page(1, 100))
    for each in range(6):
        state, _ = state.take(name(each), name(100), NOW)
    before = state
    with pytest.raises(RateLimited):
        state.take(name(7), name(100), NOW)
    assert state == before


def test_strangers_in_any_number_use_up_sixty_bundles_an_hour() -> None:
    """RLY-18: the stock of a device is emptied by nobody. They get the last-resort bundle."""
    state, single = published(page(1, 200)), 0
    for each in range(500):
        state, choice = state.take(name(each), name(10_000 + each), NOW + each * 7)
        assert choice is not None
        single += choice.bundle is not None
        assert len(state.encode()) <= MAX_RECORD
    assert single <= TARGET.size + 500 * 7 // TARGET.interval
    assert state.stock == 200 - single


def test_more_requesters_than_are_counted_get_the_last_resort_bundle() -> None:
    full = replace(
        published(page(1, 200)),
        requesters=tuple(Requester(name(each)[:8], NOW + 600) for each in range(MAX_REQUESTERS)),
    )
    after, choice = full.take(name(1), name(9999), NOW)
    assert choice == Choice(1, None)
    assert after.requesters == full.requesters
    assert full.take(name(1), name(0), NOW)[1] == Choice(1, 0)
    assert full.take(name(1), name(9999), NOW + 600)[1] == Choice(1, 0)


# --- repeats ----------------------------------------------------------------------------------------------


def test_the_same_claim_gets_the_same_bundle_for_five_minutes_and_costs_nothing() -> None:
    """RLY-16: the answer may have been lost."""
    state, first = published(page(1, 3)).take(name(1), name(100), NOW)
    for later in (0, 1, 299, 300):
        assert again(state).take(name(1), name(100), NOW + later) == (state, first)
    assert state.take(name(1), name(100), NOW + 301)[1] == Choice(1, 1)


def test_a_claim_that_got_the_last_resort_bundle_is_not_remembered() -> None:
    """RLY-16: its repeat counts again, and gets what there is by then."""
    state, choice = published(page(1, 0)).take(name(1), name(100), NOW)
    assert (choice, state.repeats) == (Choice(1, None), ())
    state, _, _ = state.publish(page(2, 1), 200)
    state, choice = state.take(name(1), name(100), NOW)
    assert choice == Choice(2, 0)
    for _ in range(4):
        state, _ = state.take(name(2), name(100), NOW)
    with pytest.raises(RateLimited):
        state.take(name(2), name(100), NOW)
    assert state.take(name(1), name(100), NOW)[1] == Choice(2, 0)


def test_the_claim_of_another_requester_is_another_claim() -> None:
    state, first = published(page(1, 3)).take(name(1), name(100), NOW)
    assert state.take(name(1), name(101), NOW)[1] == Choice(1, 1)
    assert first == Choice(1, 0)


def test_a_used_page_stays_as_long_as_a_claim_may_be_repeated() -> None:
    state, _ = published(page(1, 1), page(2, 1)).take(name(1), name(100), NOW)
    assert state.page_numbers == {1, 2}
    state, choice = state.take(name(2), name(101), NOW + 301)
    assert choice == Choice(2, 0)
    assert state.page_numbers == {2}
    state, _ = state.take(name(3), name(102), NOW + 700)
    assert state.page_numbers == {2}  # the newest: its last-resort bundle is needed


# --- clocks -----------------------------------------------------------------------------------------------


def test_a_clock_that_was_ahead_locks_nobody_out() -> None:
    """RLY-34"""
    state = published(page(1, 100))
    for each in range(6):
        state, _ = state.take(name(each), name(100), NOW + 10**6)
    for each in range(6):
        state, choice = state.take(name(50 + each), name(100), NOW + each)
        assert choice == Choice(1, 6 + each)
    with pytest.raises(RateLimited) as limited:
        state.take(name(60), name(100), NOW + 6)
    state.take(name(60), name(100), NOW + 6 + limited.value.seconds)
    many = replace(
        state,
        full_at=NOW + 10**6,
        requesters=tuple(Requester(name(each)[:8], NOW + 10**6) for each in range(MAX_REQUESTERS)),
    )
    _, choice = many.take(name(61), name(9999), NOW)
    assert choice == Choice(1, 12)


# --- the record -------------------------------------------------------------------------------------------


LARGEST: Final = ClaimState(
    2**32 - 1,
    bytes(32),
    2**32 - 1,
    tuple(PageState(2**32 - 1 - each, 999, 1000) for each in range(MAX_PAGES + 1)),
    tuple(Repeat(name(each), 2**32 - 1, 999, 2**32 - 1) for each in range(MAX_REPEATS)),
    tuple(Requester(name(each)[:8], 2**32 - 1) for each in range(MAX_REQUESTERS)),
    2**32 - 1,
)


def test_the_largest_record_fits() -> None:
    assert len(LARGEST.encode()) <= MAX_RECORD
    assert again(LARGEST) == LARGEST


def test_a_damaged_record_is_refused_as_a_corrupt_store() -> None:
    state, _ = published(page(1, 2), page(2, 2)).take(name(1), name(2), NOW)
    record = state.encode()
    for at in range(len(record)):
        changed = record[:at] + bytes([record[at] ^ 0xFF]) + record[at + 1 :]
        try:
            assert ClaimState.decode(changed).encode() == changed
        except CorruptStore:
            continue
    for damaged in (b"", record[:-1], record + b"\0", bytes(MAX_RECORD + 1), b"\x80", b"\x81\x01"):
        with pytest.raises(CorruptStore, match="restore"):
            ClaimState.decode(damaged)


def test_a_record_whose_cursor_is_beyond_its_page_is_refused() -> None:
    """Such a page would count as stock below nothing, and hide the bundles of the others."""
    state = replace(published(page(1, 2)), pages=(PageState(1, 3, 2),))
    with pytest.raises(CorruptStore):
        again(state)


# --- any order of everything ------------------------------------------------------------------------------


class Claims(RuleBasedStateMachine):
    """Publishes, claims, repeats and waits at random, and remembers who was given what."""

    def __init__(self) -> None:
        super().__init__()
        self.state = ClaimState()
        self.now = NOW
        self.given: dict[tuple[int, int], bytes] = {}
        self.answers: dict[tuple[int, int], tuple[int, Choice]] = {}
        self.replaced = 0
        self.single: list[int] = []
        self.answered: dict[int, list[int]] = {}

    @rule(number=st.integers(1, 60), bundles=st.integers(0, 9), signed=st.integers(1, 2))
    def publish(self, number: int, bundles: int, signed: int) -> None:
        before = self.state
        self.state, result, kept = before.publish(page(number, bundles, signed), 20)
        assert (result is Published.STORED) == (number > before.number)
        if result is Published.STORED:
            self.replaced += signed != before.signed
            assert kept <= bundles
        else:
            assert self.state == before

    @rule(claim=st.integers(0, 200), requester=st.integers(0, 9))
    def claim(self, claim: int, requester: int) -> None:
        earlier = self.answers.get((claim, requester))
        choice = self.take(claim, requester, is_repeat=earlier is not None and self.is_repeat(earlier))
        if choice is None:
            return
        if choice.bundle is None:
            self.count(requester)
            return
        owner = self.given.setdefault((choice.page, choice.bundle), name(claim) + name(requester))
        assert owner == name(claim) + name(requester)
        if earlier is not None and self.is_repeat(earlier):
            assert choice == earlier[1]
            return
        self.single.append(self.now)
        self.count(requester)
        self.answers[claim, requester] = (self.now, choice)

    def take(self, claim: int, requester: int, *, is_repeat: bool) -> Choice | None:
        try:
            self.state, choice = self.state.take(name(claim), name(1000 + requester), self.now)
        except RateLimited as error:
            limited = error.seconds
        else:
            assert (choice is None) == (not self.state.number)
            return choice
        assert 1 <= limited <= REQUESTER.interval
        assert not is_repeat
        return None

    def is_repeat(self, earlier: tuple[int, Choice]) -> bool:
        return self.now - earlier[0] <= 300 and earlier[1].page in self.state.page_numbers

    def count(self, requester: int) -> None:
        self.answered.setdefault(requester, []).append(self.now)

    @rule(seconds=st.sampled_from([1, 60, 299, 301, 600, 4000]))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def store(self) -> None:
        self.state = again(self.state)

    @invariant()
    def bounds_hold(self) -> None:
        assert len(self.state.encode()) <= MAX_RECORD
        assert 0 <= self.state.stock <= 20
        hour = [each for each in self.single if each > self.now - HOUR]
        assert len(hour) <= TARGET.size + HOUR // TARGET.interval
        for times in self.answered.values():
            assert (
                sum(each > self.now - HOUR for each in times) <= REQUESTER.size + HOUR // REQUESTER.interval
            )


TestClaims = Claims.TestCase
TestClaims.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
