"""Boxes at a server: the newest one, put by a listed device, and given to nobody else than the user."""

from dataclasses import replace
from typing import Any

import pytest

from letterlock._keyserver._boxes import KeptBox
from letterlock._keyserver._desk import Desk
from letterlock._keyserver._lists import SeenList
from letterlock._keyserver._rows import RowKind, SealedRows
from letterlock._primitives.composite import CompositeSeed, DeviceSigningKeyPair
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.labels import RECOVERY_CARD
from letterlock._wire.device_list import DeviceList
from letterlock._wire.recovery_calls import ChangeSignature
from letterlock._wire.recovery_frame import RecoveryFrame
from letterlock._wire.recovery_kept import BoxKept
from letterlock._wire.relay_error import RelayCode
from letterlock.limits import DAY
from letterlock.recovery import BeginLock, Hardness, NewLock, RecoveryKey, device_keys
from letterlock.recovery._enrolment import make_card
from support.keyserver_boxes import by_recovery, get, given, put
from support.keyserver_town import DeskTown, refused, with_lists
from support.pair import NOON
from support.recovery_town import PASSWORD
from support.user_tools import keys

TABLET = keys("alice tablet")


async def test_the_newest_box_is_given_to_devices_and_to_the_recovery_key(rows: SealedRows) -> None:
    town = DeskTown((rows,))
    assert await given(town, get(town)) == BoxKept(0, None, None, 0, ())
    for number, box in enumerate((b"first", b"second"), 1):
        await town.ask(1, put(town, number, box))
        for request in (get(town), by_recovery(town)):
            kept = await given(town, request)
            assert (kept.number, kept.box) == (number, box)
            assert kept.card is not None
            assert kept.card.receiving == device_keys(town.key).receiving.public


async def test_a_put_that_comes_again_changes_nothing(rows: SealedRows) -> None:  # REC-21
    town = DeskTown((rows,))
    first = put(town, 1)
    for _ in range(2):
        await town.ask(1, first)
    await town.ask(1, put(town, 2, b"second"))
    with refused(RelayCode.CONFLICT, 2):
        await town.ask(1, first)
    assert (await given(town, get(town))).box == b"second"


@pytest.mark.parametrize("number", [1, 3, 2**32 - 1])
async def test_numbers_go_up_one_by_one(rows: SealedRows, number: int) -> None:  # REC-21
    """A device that is revoked later could otherwise put the greatest number of all."""
    town = DeskTown((rows,))
    await town.ask(1, put(town, 1))
    with refused(RelayCode.CONFLICT, 1):
        await town.ask(1, put(town, number, b"another"))
    assert (await given(town, get(town))).box == b"box"


async def test_what_no_listed_device_signed_is_refused(rows: SealedRows) -> None:  # REC-21
    town = DeskTown((rows,))
    await town.ask(1, put(town, 1))
    stranger = keys("mallory phone").signing
    wrong = [
        put(town, 2, by=stranger),
        put(town, 2, device=7),
        put(town, 2, device=9),
        put(town, 2, server=2),
        replace(put(town, 2), box=b"another"),
        replace(put(town, 3), number=2),
    ]
    for each in wrong:
        with refused(RelayCode.UNKNOWN):
            await town.ask(1, each)
    assert (await given(town, get(town))).number == 1


async def test_a_card_of_another_key_is_refused(rows: SealedRows) -> None:  # REC-13
    town = DeskTown((rows,))
    other = device_keys(RecoveryKey(bytes(32)))
    forged = make_card(other, town.user_id)
    renamed = replace(make_card(device_keys(town.key), town.user_id), user_id=bytes(32))
    signature = device_keys(town.key).signing.sign(renamed.signed(), RECOVERY_CARD)
    renamed = replace(renamed, by=ChangeSignature(renamed.by.ml_dsa, signature))
    for card in (forged, renamed):
        with refused(RelayCode.REFUSED):
            await town.ask(1, put(town, 1, card=card))
    assert await town.rows[0].load((RowKind.BOX, town.user_id)) == [None]


async def test_a_device_that_was_revoked_puts_and_gets_nothing(rows: SealedRows) -> None:  # REC-21, REC-22
    town = DeskTown((rows,))
    await town.ask(1, put(town, 1))
    before = town.lists
    town.follow(revoke=(1,))
    recovery = device_keys(town.key).signing
    await town.ask(1, put(town, 2, b"second", device=9, by=recovery))
    for request in (put(town, 3), get(town)):
        with refused(RelayCode.UNKNOWN):
            await town.ask(1, request)
        with refused(RelayCode.STALE, 2):
            await town.ask(1, request, with_lists(request, *before))
    assert (await given(town, by_recovery(town))).box == b"second"


async def test_a_limited_device_puts_and_gets_nothing(rows: SealedRows) -> None:  # REC-21, REC-22
    town = DeskTown((rows,))
    town.add_tablet(TABLET)
    for request in (put(town, 1, device=2, by=TABLET.signing), get(town, 2, by=TABLET.signing)):
        with refused(RelayCode.UNKNOWN):
            await town.ask(1, request)
    await town.ask(1, put(town, 1))


async def test_a_stranger_is_told_the_same_of_every_user(rows: SealedRows) -> None:  # REC-22
    """Neither the right key of somebody else, nor a wrong one, tells whether there is a box."""
    town = DeskTown((rows,))
    mallory = device_keys(RecoveryKey(bytes(32))).signing
    replies = []
    for _ in range(2):
        requests = get(town, None, by=mallory), by_recovery(town, server=2), get(town, None)
        replies += [await town.reply(1, each, RecoveryFrame.of(each)) for each in requests]
        await town.reply(1, put(town, 1))
    assert len({each.body for each in replies}) == 1
    assert {each.status for each in replies} == {401}


async def test_both_halves_of_the_recovery_devices_key_have_to_sign(rows: SealedRows) -> None:  # REC-22
    """Whoever breaks Ed25519 alone brings an ML-DSA key of their own."""
    town = DeskTown((rows,))
    await town.ask(1, put(town, 1))
    ours, other = device_keys(town.key).signing, device_keys(RecoveryKey(bytes(32))).signing
    for mixed in (_mixed(other, ours), _mixed(ours, other)):
        with refused(RelayCode.UNKNOWN):
            await given(town, get(town, None, by=mixed))
    assert (await given(town, get(town, None, by=_mixed(ours, ours)))).number == 1


def _mixed(ml_dsa: DeviceSigningKeyPair, ed25519: DeviceSigningKeyPair) -> DeviceSigningKeyPair:
    seed = ml_dsa.seed.expose()[:32] + ed25519.seed.expose()[32:]
    return DeviceSigningKeyPair(CompositeSeed(seed))


async def test_a_request_serves_for_a_day(rows: SealedRows) -> None:  # REC-22
    town = DeskTown((rows,))
    await town.ask(1, put(town, 1))
    for ago in (-DAY, 0, DAY):
        assert (await given(town, by_recovery(town, time=NOON - ago))).number == 1
    for ago in (-DAY - 1, DAY + 1, NOON):
        for request in (get(town, time=NOON - ago), by_recovery(town, time=NOON - ago)):
            with refused(RelayCode.UNKNOWN):
                await given(town, request)


async def test_a_request_of_a_device_needs_lists(rows: SealedRows) -> None:  # REC-19
    town = DeskTown((rows,))
    for request in (get(town), put(town, 1)):
        with refused(RelayCode.MALFORMED):
            await town.ask(1, request, with_lists(request))


class Shelf:
    """A directory of one user's lists."""

    def __init__(self, user_id: bytes, lists: tuple[bytes, ...]) -> None:
        self.user_id, self.all = user_id, lists

    async def lists(self, user_id: bytes, after: int) -> tuple[int, list[bytes]]:
        return (len(self.all), [*self.all[after:][:1]]) if user_id == self.user_id else (0, [])

    async def newest(self, user_id: bytes) -> SeenList | None:
        if user_id != self.user_id:
            return None
        newest = DeviceList.decode(self.all[-1])
        return SeenList(newest.snapshot.version, newest.hash)

    async def find(self, _: str) -> bytes | None:
        return None


async def test_the_device_lists_of_a_directory_come_with_the_box(rows: SealedRows) -> None:
    town = DeskTown((rows,))
    town.follow()
    town.desks[0] = town.desk(1, directory=Shelf(town.user_id, town.lists))
    await town.ask(1, put(town, 1))
    first = await given(town, by_recovery(town))
    assert (first.box, first.newest, first.lists) == (b"box", 2, town.lists[:1])
    then = await given(town, by_recovery(town, after=1))
    assert (then.number, then.card, then.box, then.newest, then.lists) == (1, None, None, 2, town.lists[1:])
    with refused(RelayCode.UNKNOWN):
        await given(town, by_recovery(town, after=1, server=2))


@pytest.mark.usefixtures("cheap")
async def test_a_directory_knows_newer_lists_than_the_rows(  # REC-10, REC-19
    rows: SealedRows, second: SealedRows
) -> None:
    """A recovery device that was revoked is refused, even if nobody has shown the newest list here."""
    town = DeskTown((rows, second))
    made = await town.make()
    await town.ask(1, made.settle[0])
    before, older = town.chain, town.lists
    town.follow(revoke=(9,))
    town.desks[0] = town.desk(1, directory=Shelf(town.user_id, town.lists))
    for request in (made.finish[0], put(town, 1), get(town)):
        with refused(RelayCode.STALE, 2):
            await town.ask(1, request, with_lists(request, *older))
    town.chain = before
    town.follow(5)
    fork = town.lists
    for request in (made.finish[0], put(town, 1), get(town)):
        with refused(RelayCode.CONFLICT, 2):
            await town.ask(1, request, with_lists(request, *fork))
    town.desks[0] = town.desk(1, directory=Shelf(town.user_id, older))
    await town.ask(1, made.finish[0])  # a list that the directory does not show yet is a list


async def test_a_box_of_another_recovery_device_takes_its_place(rows: SealedRows) -> None:
    town = DeskTown((rows,))
    await town.ask(1, put(town, 1))
    before = by_recovery(town)
    town.replace_recovery_device()
    await town.ask(1, put(town, 2, b"second"))
    with refused(RelayCode.UNKNOWN):
        await given(town, before)
    assert (await given(town, by_recovery(town))).box == b"second"


@pytest.mark.usefixtures("cheap")
async def test_a_user_whom_the_directory_does_not_know_keeps_nothing_here(  # REC-49
    rows: SealedRows, second: SealedRows
) -> None:
    town = DeskTown((rows, second))
    made = await town.make()
    town.desks[0] = town.desk(1, directory=Shelf(bytes(32), ()))
    for call in (made.settle[0], put(town, 1), get(town), (await begun(town))):
        with refused(RelayCode.REFUSED):
            await town.ask(1, call)
    assert await rows.load((RowKind.BOX, town.user_id), (RowKind.BOX_CONTENTS, town.user_id)) == [None, None]
    town.desks[0] = town.desk(1, directory=Shelf(town.user_id, town.lists))
    await town.ask(1, put(town, 1))


async def test_a_stranger_does_not_learn_that_a_user_is_unknown(rows: SealedRows) -> None:  # REC-49
    """The signature is checked first."""
    town = DeskTown((rows,))
    stranger = keys("mallory phone").signing
    for shelf in (Shelf(bytes(32), ()), Shelf(town.user_id, town.lists)):
        town.desks[0] = town.desk(1, directory=shelf)
        for call in (put(town, 1, by=stranger), get(town, by=stranger)):
            with refused(RelayCode.UNKNOWN):
                await town.ask(1, call)


async def test_nobody_reads_the_contents_before_the_caller_is_known(rows: SealedRows) -> None:  # REC-22
    """Whether there is a box, and its size, cost a stranger's call nothing: the same rows are opened."""
    town, read = DeskTown((rows,)), list[tuple[int, int]]()
    plain, cipher = rows._cipher.open, rows._cipher

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(cipher, name)

        def open(self, sealed: bytes, table: bytes, kind: int, tag: bytes) -> Any:
            read.append((kind, len(sealed)))
            return plain(sealed, table, kind, tag)

    rows._cipher = Counting()  # type: ignore[assignment]
    request = by_recovery(town)
    stranger = replace(request, by=get(town, None).by)
    works = list[list[tuple[int, int]]]()
    for size in (0, 1, 100_000):
        if size:
            await town.ask(1, put(town, 1 if size == 1 else 2, bytes(size)))
        read.clear()
        with refused(RelayCode.UNKNOWN):
            await given(town, stranger)
        works.append([each for each in read if each[0] in {RowKind.BOX, RowKind.BOX_CONTENTS}])
    assert works[0] == works[1] == works[2]
    assert len(works[0]) == 1
    assert (await given(town, request)).box == bytes(100_000)


async def begun(town: DeskTown) -> BeginLock:
    """Return a call that begins a lock at server 1."""
    new = NewLock.begin(PASSWORD, town.key, town.user_id, Hardness(1, 8192), system_entropy)
    return new.requests[0]


async def test_a_box_that_comes_between_two_reads_is_given_to_nobody(
    rows: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REC-22: whoever may get the box of before was looked at, and not whoever may get the new one."""
    town, contents = DeskTown((rows,)), Desk._contents
    await town.ask(1, put(town, 1))

    async def meanwhile(desk: Desk, user_id: bytes, kept: KeptBox) -> bytes:
        monkeypatch.setattr(Desk, "_contents", contents)
        await town.ask(1, put(town, 2))
        return await contents(desk, user_id, kept)

    monkeypatch.setattr(Desk, "_contents", meanwhile)
    with refused(RelayCode.UNAVAILABLE):
        await town.ask(1, by_recovery(town))
    assert (await town.ask(1, by_recovery(town))).number == 2
