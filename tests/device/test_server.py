"""HAND-16: what a server hands out after a rotation, and what it cannot do with the bundles that it holds."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.suite import Suite
from letterlock.account import Account
from letterlock.errors import InvalidSignature, StaleBundle, UnknownPrekey
from letterlock.limits import DAY, MAX_BUNDLE_AGE, PREKEY_GRACE, PREKEY_ROTATION
from letterlock.stores import MemoryStore
from support.model_server import PrekeyServer
from support.pair import BOB, BOTH_SUITES, Pair, unchanged


def stranger(pair: Pair, number: int) -> Account:
    address = type(BOB)(f"stranger {number}", 1)
    return Account.create(MemoryStore(), address, clock=pair.clock, suites=BOTH_SUITES)


def stock(server: PrekeyServer) -> Iterator[PrekeyBundle]:
    """Fetch bundles until only the last resort is left."""
    while (bundle := server.hand_out(BOB)).one_time is not None:
        yield bundle
    yield bundle


def published(pair: Pair, server: PrekeyServer, count: int) -> None:
    server.upload(pair.bob.account.publish(count).encode())


def test_publications_of_one_signed_prekey_add_up(any_pair: Pair) -> None:
    server = PrekeyServer()
    for count in (2, 0, 3):
        published(any_pair, server, count)
    found = list(stock(server))
    assert len(found) == 6
    assert len({bundle.signed.id for bundle in found}) == 1
    assert len({bundle.one_time for bundle in found}) == 6


def test_after_a_rotation_only_the_new_bundles_are_handed_out(any_pair: Pair) -> None:
    server = PrekeyServer()
    published(any_pair, server, 5)
    old = server.hand_out(BOB)
    any_pair.clock.now += PREKEY_ROTATION
    published(any_pair, server, 2)
    found = list(stock(server))
    assert [bundle.one_time is None for bundle in found] == [False, False, True]
    assert old.signed not in {bundle.signed for bundle in found}


@pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
@pytest.mark.parametrize("rotate", [False, True])
def test_a_message_to_any_bundle_that_was_handed_out_has_thirty_days(suite: Suite, rotate: bool) -> None:
    """Whatever the server hands out at a time, the account reads its first message 30 days later."""
    pair, server = Pair(suites=BOTH_SUITES), PrekeyServer()
    published(pair, server, 3)
    letters = []
    for week in range(6):
        for number in range(2):
            writer = stranger(pair, 2 * week + number)
            writer.initiate(BOB, server.hand_out(BOB), suite=suite)
            letters.append((pair.clock.now, writer, writer.encrypt(BOB, b"hello")))
        pair.clock.now += PREKEY_ROTATION
        server.upload(pair.bob.account.publish(1, rotate=rotate).encode())
        while letters and letters[0][0] + PREKEY_GRACE <= pair.clock.now + PREKEY_ROTATION:
            written, writer, letter = letters.pop(0)
            assert pair.clock.now - written < PREKEY_GRACE
            assert pair.bob.account.decrypt(writer.address, letter) == b"hello"


def test_a_server_that_keeps_old_bundles_makes_first_messages_fail(pair: Pair) -> None:
    """The reason of the rule: the bundle is young enough to be accepted, and its prekeys are gone."""
    old = pair.bob.account.publish(1)
    pair.clock.now += PREKEY_ROTATION
    pair.bob.account.publish(1)
    pair.clock.now += PREKEY_GRACE
    pair.bob.reopen()
    pair.alice.initiate(next(old.bundles()))
    message = pair.alice.write(b"lost")
    with unchanged(pair.bob.store), pytest.raises(UnknownPrekey):
        pair.bob.read(message)
    pair.clock.now += MAX_BUNDLE_AGE
    with pytest.raises(StaleBundle):
        stranger(pair, 1).initiate(BOB, old.last_resort_bundle())


def lies(old: PrekeyBundle, new: PrekeyBundle, last: PrekeyBundle) -> dict[str, PrekeyBundle]:
    """What a lying server can put together from three bundles that are all signed."""
    return {
        "an old pair under the new signed prekey": replace(old, signed=new.signed),
        "the same with the new day": replace(old, signed=new.signed, made_on=new.made_on),
        "an old pair and the new signature": replace(new, one_time=old.one_time, kem=old.kem),
        "the one-time prekey dropped": replace(new, one_time=None),
        "the KEM prekey dropped": replace(new, kem=None),
        "the last resort in place of the one-time KEM prekey": replace(new, kem=last.kem),
        "the last resort in place of the pair": replace(new, one_time=None, kem=last.kem),
        "a one-time prekey beside the last resort": replace(last, one_time=new.one_time),
        "an old bundle with today's date": replace(old, made_on=new.made_on),
        "a new bundle that stays new": replace(new, made_on=new.made_on + 1),
    }


@pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
@pytest.mark.parametrize("which", range(10))
def test_a_lying_server_is_found_out(suite: Suite, which: int) -> None:
    """HAND-2: every mixture is a bad signature, and neither another error nor a session of less."""
    pair, server = Pair(suites=BOTH_SUITES), PrekeyServer()
    published(pair, server, 2)
    old = server.hand_out(BOB)
    pair.clock.now += PREKEY_ROTATION
    published(pair, server, 1)
    new, last = stock(server)
    found = lies(old, new, last)
    assert len(found) == 10
    bundle = list(found.values())[which]
    with unchanged(pair.alice.store), pytest.raises(InvalidSignature):
        pair.alice.account.initiate(BOB, PrekeyBundle.decode(bundle.encode()), suite=suite)
    pair.alice.initiate(new, suite)
    assert pair.bob.read(pair.alice.write(b"x")) == b"x"


def test_after_an_upgrade_a_rotation_replaces_what_a_server_has(pair: Pair) -> None:
    server = PrekeyServer()
    published(pair, server, 2)
    before = server.hand_out(BOB)
    server.upload(pair.bob.account.publish(1, rotate=True).encode())
    assert before.signed not in {each.signed for each in stock(server)}
    assert before.made_on * DAY <= pair.clock.now
