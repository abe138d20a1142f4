"""HAND-10, HAND-12: prekey ids never come again, not even after the store was put back to an earlier copy."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from letterlock._device.account_record import AccountRecord
from letterlock._records.account import encode_account
from letterlock._wire.publication import Publication
from letterlock.errors import UsageError
from letterlock.limits import ID_JUMP, MAX_ID
from letterlock.stores import SqliteStore
from support.pair import STORE_KEY, Pair, entropy_of, sqlite_stores, unchanged
from support.prekey_tools import account_record


def ids_of(publication: Publication) -> list[int]:
    pairs = [each.id for pair in publication.pairs for each in (pair.one_time, pair.kem)]
    return [publication.signed.id, publication.last_resort.id, *pairs]


def begin_at(pair: Pair, next_id: int) -> None:
    """Let the next prekey of Bob's have this id, unless a jump comes first."""
    store = pair.bob.store
    record = account_record(store)
    with store.transaction():
        store.tables.account.save(
            encode_account(
                AccountRecord(record.party, next_id, record.signed_id, record.last_resort_id, record.rotated)
            )
        )


# --- in order -----------------------------------------------------------------------------------------


def test_ids_go_up_and_are_never_used_again(pair: Pair) -> None:  # HAND-10
    seen: list[int] = []
    for n in range(8):
        publication = pair.bob.account.publish(3, rotate=n % 2 == 1)
        fresh = [each for each in ids_of(publication) if each not in seen]
        assert len(fresh) == (8 if n % 2 == 1 or n == 0 else 6)
        assert not seen or min(fresh) > max(seen)
        seen += fresh
        if n == 4:
            pair.bob.reopen()
        pair.alice.initiate(next(publication.bundles()))
        pair.bob.read(pair.alice.write(b"uses two up"))
    assert len(set(seen)) == len(seen)
    assert all(0 < each <= MAX_ID for each in seen)


def test_the_ids_of_one_publication_have_no_gaps(pair: Pair) -> None:
    ids = ids_of(pair.bob.account.publish(7, rotate=True))
    assert sorted(ids) == list(range(min(ids), min(ids) + 16))


def test_the_first_id_is_random_and_low() -> None:
    starts = {Pair().bob.account.publish(0).signed.id for _ in range(12)}
    assert len(starts) == 12
    assert all(1 <= start <= 2**24 for start in starts)


def test_the_last_id_is_used_and_none_after_it(pair: Pair) -> None:
    store = pair.bob.store
    begin_at(pair, MAX_ID - 1)
    with unchanged(store), pytest.raises(UsageError, match="used up"):
        pair.bob.account.publish(2)
    bundle = pair.bob.account.bundle()
    assert bundle.one_time is not None
    assert bundle.kem is not None
    assert (bundle.one_time.id, bundle.kem.id) == (MAX_ID - 1, MAX_ID)
    pair.bob.reopen()
    for rotate in (False, True):
        with unchanged(store), pytest.raises(UsageError, match="used up"):
            pair.bob.account.publish(0 if rotate else 1, rotate=rotate)
    pair.alice.initiate(bundle)
    assert pair.bob.read(pair.alice.write(b"still works")) == b"still works"


# --- a state that goes back -----------------------------------------------------------------------------

COUNTS = pytest.mark.parametrize(
    ("one_time", "rotate"), [(5, False), (1, False), (0, True), (5, True)], ids=str
)


def assert_apart(one: Publication, two: Publication, *, rotate: bool) -> None:
    """Check that no id names two keys."""
    ids = [set(ids_of(each)[0 if rotate else 2 :]) for each in (one, two)]
    assert ids[0].isdisjoint(ids[1])
    assert len(ids[0]) == len(ids[1]) > 0


@COUNTS
def test_a_restored_store_gives_other_ids(tmp_path: Path, one_time: int, rotate: bool) -> None:
    pair = Pair(sqlite_stores(tmp_path), seed="restored")  # a seed, as two random jumps may be equal
    path = tmp_path / "bob.db"
    pair.bob.store.close()
    copy = path.read_bytes()
    publications = []
    for _ in range(2):
        path.write_bytes(copy)
        pair.bob.store = SqliteStore(path, key=STORE_KEY)
        pair.bob.reopen()
        publications.append(pair.bob.account.publish(one_time, rotate=rotate))
        pair.bob.store.close()
    assert_apart(*publications, rotate=rotate)


@COUNTS
def test_a_publication_that_was_taken_back_shares_no_id_with_the_next(
    any_pair: Pair, one_time: int, rotate: bool
) -> None:
    bob = any_pair.bob
    bob.entropy = entropy_of(f"taken back {one_time} {rotate}")
    bob.reopen()
    with pytest.raises(ZeroDivisionError), bob.account.transaction():
        lost = bob.account.publish(one_time, rotate=rotate)
        raise ZeroDivisionError
    assert_apart(lost, bob.account.publish(one_time, rotate=rotate), rotate=rotate)


def test_a_bundle_jumps_too(pair: Pair) -> None:
    one, two = (pair.bob.account.bundle() for _ in range(2))
    assert one.one_time is not None
    assert two.one_time is not None
    assert two.one_time.id - one.one_time.id != 2  # one chance in a million


def test_a_publication_without_new_prekeys_takes_no_id(pair: Pair) -> None:
    with unchanged(pair.bob.store):
        pair.bob.account.publish(0)


# --- how far it jumps -----------------------------------------------------------------------------------


def bytes_of(value: int) -> Callable[[int], bytes]:
    """Return random bytes whose first four, when four are asked for, are all `value`."""
    others = entropy_of("others")
    return lambda length: bytes([value]) * 4 if length == 4 else others(length)


@pytest.mark.parametrize(
    ("left", "least", "most"),
    [
        (MAX_ID, 0, 2**20),
        (2**31, 0, 2**19),
        (2**24, 0, 2**12),
        (ID_JUMP, 0, 1),
        (ID_JUMP - 1, 0, 0),
        (2, 0, 0),
    ],
)
def test_a_jump_is_at_most_a_fixed_part_of_the_ids_that_are_left(left: int, least: int, most: int) -> None:
    for value, jump in ((0x00, least), (0xFF, most)):
        pair = Pair()
        pair.bob.entropy = bytes_of(value)
        pair.bob.reopen()
        begin_at(pair, MAX_ID + 1 - left)
        bundle = pair.bob.account.bundle()
        assert bundle.one_time is not None
        assert abs(bundle.one_time.id - (MAX_ID + 1 - left) - jump) <= (1 if jump > 1 else 0)


def weekly(one_time: int) -> Iterator[int]:
    """Yield the ids that are left after each publication, where every jump is the longest."""
    left = MAX_ID
    while True:
        left -= left // ID_JUMP + 2 * one_time + 2
        yield left


def test_ids_last_for_a_life_of_weekly_publications() -> None:
    assert next(itertools.islice(weekly(1000), 52 * 80, None)) > 2**30


def test_ids_last_for_ten_bundles_a_day_and_ten_years() -> None:
    assert next(itertools.islice(weekly(1), 10 * 365 * 10, None)) > 0


def test_two_publications_after_one_copy_seldom_collide() -> None:
    """Two ranges of 2,002 ids that begin at independent random places below 2**20."""
    ids, places = 2 * 1000 + 2, (MAX_ID + 1) // ID_JUMP
    assert 2 * ids / places < 0.004
