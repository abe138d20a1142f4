"""Strangers with as many addresses as they like: a database stays bounded, and users are served.

REC-56, REC-57. No test here has a bound for addresses: each call stands for one of an address of its own.
"""

import pytest

from letterlock._keyserver import _strangers
from letterlock._keyserver._gate import KeptGates
from letterlock._keyserver._lists import SeenList
from letterlock._keyserver._rows import RowKind, SealedRows
from letterlock._keyserver._strangers import Strangers
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.voprf import Blinding
from letterlock._wire import recovery_lock
from letterlock._wire.recovery_limits import UNBOUND_SECONDS
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.second_lock_calls import SecondLockShown, WatchSecondLock
from letterlock.limits import DAY, HOUR
from letterlock.recovery import (
    BeginLock,
    EvaluateLock,
    Hardness,
    NewLock,
    RecoveryKey,
    ShowLocks,
    bind_identity,
    lay_halves,
)
from letterlock.recovery._signing import UNSIGNED, signed_for
from support.gate_town import ANNA, BERT, GateTown
from support.keyserver_boxes import put
from support.keyserver_town import TEN, Answered, DeskTown, refused
from support.recovery_town import FLOORS, PASSWORD
from support.user_tools import keys

pytestmark = pytest.mark.usefixtures("cheap")

PHONE = keys("alice phone").signing
NOTHING = SecondLockShown(0, (), None, 0)


class Street:
    """Two servers without a directory, and as many users as a test makes. `most` bounds strangers."""

    def __init__(self, rows: SealedRows, second: SealedRows, most: int, *, checks: bool = True) -> None:
        self.rows = (rows, second)
        self.audits = list[str]()
        self.gates = GateTown((KeptGates(rows), KeptGates(second)))
        self.host = DeskTown(self.rows, TEN)
        for at in (1, 2):
            gate = self.gates.gates[at - 1] if checks else None
            self.host.desks[at - 1] = self.host.desk(
                at, gate=gate, strangers=Strangers(most), audit=lambda what, _: self.audits.append(what)
            )

    def user(self) -> DeskTown:
        """Return somebody whom no server knows, with a device."""
        town = DeskTown(self.rows, TEN)
        town.desks = self.host.desks
        return town

    async def proven(self, claim: bytes) -> list[bytes]:
        passes = [(await self.gates.proven(claim, at)).pass_ or b"" for at in (1, 2)]
        self.host.now = self.gates.now
        return passes

    async def bind(self, town: DeskTown, claim: bytes) -> None:
        for at, pass_ in enumerate(await self.proven(claim), 1):
            await town.ask(at, bind_identity(at, town.user_id, pass_, 1, PHONE))

    def pass_time(self, seconds: int) -> None:
        self.gates.now += seconds
        self.host.now = self.gates.now

    async def count(self) -> int:
        """Return how many rows server 1 has of users and guesses."""
        kinds = set(RowKind) - {RowKind.CHECK, RowKind.HOURS, RowKind.GATE}
        return sum([len(await self.rows[0].sealed_page(each, b"", 10_000)) for each in kinds])

    async def expire(self) -> None:
        for each in self.rows:
            await each.expire(self.host.now, 10_000)


async def come(street: Street, count: int) -> tuple[list[DeskTown], int]:
    """Have made-up users make a lock each; return those who could, and how many could not."""
    came, kept_out = list[DeskTown](), 0
    for _ in range(count):
        town = street.user()
        try:
            await town.set_up()
        except Answered as answered:
            kept_out += (answered.code, answered.number > 0) == (RelayCode.SLOW_DOWN, True)
        else:
            came.append(town)
    assert len(came) + kept_out == count
    return came, kept_out


async def test_made_up_users_fill_no_disk(rows: SealedRows, second: SealedRows) -> None:
    """REC-56. Who is known here, or shows a pass, does not notice them."""
    street = Street(rows, second, 3)
    known = street.user()
    await street.bind(known, ANNA)
    await known.set_up()
    came, kept_out = await come(street, 8)
    assert (len(came), kept_out) == (3, 5)
    full = await street.count()
    assert full == 2 * (1 + 3)  # a row of lists and one of locks for each
    assert street.audits.count("newcomer refused") == 5
    assert (await come(street, 4))[1] == 4
    assert await street.count() == full
    await known.set_up("another password")
    known.follow()
    await known.set_up("a third password")
    new = street.user()
    await street.bind(new, BERT)
    await new.set_up()
    assert await street.count() == full + 2


async def test_who_never_shows_an_identity_is_forgotten(rows: SealedRows, second: SealedRows) -> None:
    """REC-57. Whoever binds one stays, with the lock that was there before."""
    street = Street(rows, second, 5)
    (stays, *others), _ = await come(street, 3)
    await street.bind(stays, ANNA)
    street.pass_time(UNBOUND_SECONDS - DAY)
    await street.expire()
    assert await street.count() == 2 * 3
    street.pass_time(2 * DAY)
    await street.expire()
    assert await street.count() == 2
    assert [await stays.record(at) is not None for at in (1, 2)] == [True, True]
    assert [await each.record(1) for each in others] == [None, None]
    (again, _) = others
    await again.set_up()
    await street.bind(again, BERT)
    assert await again.record(1) is not None
    street.pass_time(1000 * DAY)
    await stays.set_up("another password")
    await street.expire()
    assert await street.count() == 2 * 2


async def test_time_does_not_run_for_a_user_who_comes_back(rows: SealedRows, second: SealedRows) -> None:
    """REC-57. Each change of the lock begins the month anew."""
    street = Street(rows, second, 5)
    (user,), _ = await come(street, 1)
    street.pass_time(UNBOUND_SECONDS - DAY)
    await user.set_up("another password")
    street.pass_time(2 * DAY)
    await street.expire()
    assert await user.record(1) is not None
    assert await street.count() == 2


async def test_only_who_is_known_by_an_identity_has_a_box_or_a_half(
    rows: SealedRows, second: SealedRows
) -> None:
    """REC-57. Boxes are large, and a half that nobody may ask for would be a second lock in name only."""
    street = Street(rows, second, 100)
    user = street.user()
    await user.set_up()
    before = await street.count()
    laid = lay_halves(user.key, user.user_id, DAY, (NOTHING, NOTHING), bytes)
    for request in (put(user, 1), laid.lay[0]):
        with refused(RelayCode.REFUSED):
            await user.ask(1, request)
    assert await street.count() == before
    await street.bind(user, ANNA)
    await user.ask(1, put(user, 1))
    await user.ask(1, laid.lay[0])
    assert await street.count() == before + 3


async def test_looking_keeps_nothing(rows: SealedRows, second: SealedRows) -> None:
    """REC-56. Whoever watches a second lock that is not there leaves no row, and takes no place."""
    street = Street(rows, second, 1)
    for _ in range(4):
        user = street.user()
        call = signed_for(1, WatchSecondLock(user.user_id, UNSIGNED), PHONE)
        assert await user.ask(1, call) == NOTHING
    assert await street.count() == 0
    assert (await come(street, 1))[1] == 0


async def test_one_mailbox_brings_a_few_users(rows: SealedRows, second: SealedRows) -> None:
    """REC-56. It gives each its identity in turn, so that none of them would have one in the end."""
    street = Street(rows, second, 1)
    for _ in range(_strangers._USERS_OF_ONE):
        user = street.user()
        passes = await street.proven(ANNA)
        user.pass_ = passes[0]
        await user.ask(1, put_lock(user))
    user = street.user()
    user.pass_ = (await street.proven(ANNA))[0]
    with pytest.raises(Answered, match="SLOW_DOWN"):
        await user.ask(1, put_lock(user))
    user.pass_ = (await street.proven(BERT))[0]
    await user.ask(1, put_lock(user))


async def test_a_pass_of_nobody_is_none(rows: SealedRows, second: SealedRows) -> None:
    """REC-56. Bytes in the place of a pass, or one of the other server, take a place among the strangers."""
    street = Street(rows, second, 1)
    theirs = (await street.proven(ANNA))[1]
    for at, wrong in enumerate((b"made up", theirs, b"x" * 100)):
        user = street.user()
        user.pass_ = wrong
        if at == 0:
            await user.ask(1, put_lock(user))
        else:
            with pytest.raises(Answered, match="SLOW_DOWN"):
                await user.ask(1, put_lock(user))


def put_lock(user: DeskTown) -> BeginLock:
    """Return the first call of a lock at server 1."""
    hardness = Hardness(*(vars(recovery_lock)[each] for each in FLOORS))
    return NewLock.begin(PASSWORD, user.key, user.user_id, hardness, system_entropy).requests[0]


async def guess(street: Street, user_id: bytes, at: int) -> int:
    """Guess at a user as a stranger does, and return how many uses are left."""
    (lock, *_) = (await street.host.ask(1, ShowLocks(user_id))).locks
    answer = await street.host.ask(1, EvaluateLock(lock.name, Blinding(bytes((at,))).blinded))
    return answer.standing.uses_left  # type: ignore[no-any-return]


async def test_guesses_at_made_up_users_are_forgotten_sooner_when_they_are_many(
    rows: SealedRows, second: SealedRows
) -> None:
    """REC-56, REC-12. A server without checks answers for each as for a user, and stays bounded."""
    street = Street(rows, second, 4, checks=False)
    user = street.user()
    await user.set_up()
    made_up = [bytes((at,)) * 32 for at in range(20)]
    for user_id in (user.user_id, *made_up):
        assert [await guess(street, user_id, at) for at in range(3)] == [9, 8, 7]
    assert len(await rows.sealed_page(RowKind.LOCKS, b"", 100)) == 21
    street.pass_time(HOUR + 1)
    await street.expire()
    assert len(await rows.sealed_page(RowKind.LOCKS, b"", 100)) <= 1 + 4
    assert await guess(street, user.user_id, 9) == 6
    assert await guess(street, made_up[0], 9) == 6


async def test_boxes_take_the_places_of_users(rows: SealedRows, second: SealedRows) -> None:
    """REC-56. At a server that checks nobody, anybody can have one kept: a few large ones, and no more."""
    street = Street(rows, second, 10, checks=False)
    one, other = street.user(), street.user()
    await one.ask(1, put(one, 1, box=bytes(3 * 64 * 1024)))
    await one.ask(1, put(one, 2, box=bytes(3 * 64 * 1024)))
    before = await street.count()
    with pytest.raises(Answered, match="SLOW_DOWN"):
        await other.ask(1, put(other, 1, box=bytes(4 * 64 * 1024)))
    assert await street.count() == before


async def test_a_server_with_a_directory_has_no_such_bound(rows: SealedRows, second: SealedRows) -> None:
    """It knows who is a user. [REC-49]"""
    street = Street(rows, second, 1)
    users = [street.user() for _ in range(4)]

    class Directory:
        async def newest(self, user_id: bytes) -> SeenList | None:
            (chain,) = [each.chain for each in users if each.user_id == user_id]
            return SeenList(chain.version, chain.newest.hash)

    for at in (1, 2):
        street.host.desks[at - 1] = street.host.desk(
            at, gate=street.gates.gates[at - 1], strangers=Strangers(1), directory=Directory()
        )
    for each in users:
        await each.set_up()
        await each.ask(1, put(each, 1))
    street.pass_time(2 * UNBOUND_SECONDS)
    await street.expire()
    assert await street.count() == 4 * len(users)


async def test_a_call_that_nobody_signed_writes_no_row(rows: SealedRows, second: SealedRows) -> None:
    """REC-56. All changes of second locks need the row with the count of time: strangers do not hold it."""
    street = Street(rows, second, 100)
    user = street.user()
    await street.bind(user, ANNA)
    forged = lay_halves(RecoveryKey(bytes(32)), user.user_id, DAY, (NOTHING, NOTHING), bytes).lay[0]
    seen = set[bytes]()
    for _ in range(8):
        street.pass_time(1)
        with refused(RelayCode.REFUSED):
            await user.ask(1, forged)
        (count,) = await rows.load((RowKind.HOURS, b""))
        seen.add(b"" if count is None else count.expose())
    assert len(seen) == 1
