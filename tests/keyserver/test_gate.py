"""Where a check of identity has its place at a desk, and where its rows lie."""

import asyncio
from dataclasses import replace
from typing import Any, Final

import pytest

from letterlock._keyserver._gate import KeptGates
from letterlock._keyserver._rows import RowKind, SealedRows
from letterlock._wire.identity_calls import Challenged, Identify, Prove, Proven
from letterlock._wire.recovery_find import FindUser
from letterlock._wire.relay_error import RelayCode
from letterlock.errors import StoreError
from letterlock.recovery import (
    CheckUnavailable,
    EvaluateLock,
    GateRow,
    GateRows,
    IdentityRefused,
    bind_identity,
)
from letterlock.stores import Record
from support.gate_town import ANNA, GateTown
from support.keyserver_town import Answered, DeskTown, refused, with_lists
from support.pair import NOON
from support.user_tools import keys

pytestmark = pytest.mark.usefixtures("cheap")

PASS: Final = b"a good pass"


class OnePass:
    """A gate with one pass for one user. It is asked of everybody."""

    def __init__(self, user_id: bytes = b"") -> None:
        self.user_id = user_id
        self.asked: list[tuple[bytes, bytes | None]] = []
        self.error: Exception | None = None

    async def require(self, pass_: bytes | None, user_id: bytes) -> None:
        self.asked.append((user_id, pass_))
        if self.error is not None:
            raise self.error
        if (user_id, pass_) != (self.user_id, PASS):
            raise IdentityRefused("prove who you are")

    async def identify(self, request: Identify) -> Challenged:
        raise AssertionError(request)

    async def prove(self, request: Prove) -> Proven:
        raise AssertionError(request)

    async def bind(self, *_: object) -> None:
        raise AssertionError


async def gated(rows: SealedRows, second: SealedRows, **beside: Any) -> tuple[DeskTown, OnePass]:
    town = DeskTown((rows, second))
    await town.set_up()
    gate = OnePass(town.user_id)
    town.desks[1] = town.desk(2, gate=gate, **beside)
    return town, gate


async def uses_left(town: DeskTown) -> int:
    record = await town.record(2)
    assert record is not None
    return record.meter.uses_left


async def test_without_a_pass_there_is_no_guess(rows: SealedRows, second: SealedRows) -> None:  # REC-31
    town, gate = await gated(rows, second)
    (guess,) = await town.guesses(1)
    for given in (None, b"another pass", PASS[:-1]):
        town.pass_ = given
        with refused(RelayCode.UNKNOWN):
            await town.ask(2, guess)
    assert await uses_left(town) == 1000
    assert gate.asked == [(town.user_id, None), (town.user_id, b"another pass"), (town.user_id, PASS[:-1])]


async def test_a_pass_is_for_one_user(rows: SealedRows, second: SealedRows) -> None:  # REC-31
    town, gate = await gated(rows, second)
    town.pass_ = PASS
    (guess,) = await town.guesses(1)
    name = guess.name
    with refused(RelayCode.UNKNOWN):
        await town.ask(2, EvaluateLock(type(name)(b"s" * 32, name.lock_id), guess.blinded))
    assert gate.asked == [(b"s" * 32, PASS)]  # it is asked of users that do not exist as well


async def test_with_a_pass_the_lock_opens(rows: SealedRows, second: SealedRows) -> None:
    town, gate = await gated(rows, second)
    town.pass_ = PASS
    assert (await town.recover()).key == town.key
    assert gate.asked == [(town.user_id, PASS)]  # to look at a lock, or to tell of a success, needs none


@pytest.mark.parametrize("error", [StoreError("its database is gone"), CheckUnavailable("it sleeps")])
async def test_a_gate_that_fails_gives_no_guess(
    rows: SealedRows, second: SealedRows, error: Exception
) -> None:
    town, gate = await gated(rows, second)
    town.pass_, gate.error = PASS, error
    (guess,) = await town.guesses(1)
    with refused(RelayCode.UNAVAILABLE, 5):
        await town.ask(2, guess)
    assert await uses_left(town) == 1000


async def test_what_happens_is_told_without_who_it_was(
    rows: SealedRows, second: SealedRows
) -> None:  # REC-23
    told: list[tuple[str, int]] = []
    town, _ = await gated(rows, second, audit=lambda what, number: told.append((what, number)))
    (guess,) = await town.guesses(1)
    with refused(RelayCode.UNKNOWN):
        await town.ask(2, guess)
    town.pass_ = PASS
    await town.ask(2, guess)
    assert told == [("no identity", 0), ("use", 999)]


async def test_without_a_gate_its_calls_are_unknown(rows: SealedRows) -> None:
    town = DeskTown((rows,))
    for request in (Identify("mail", b"anna@example.org"), Prove(b"c", b"p")):
        with refused(RelayCode.UNKNOWN):
            await town.ask(1, request)


# --- the gate itself --------------------------------------------------------------------------------------


async def test_a_code_by_mail_lets_its_owner_guess(rows: SealedRows, second: SealedRows) -> None:
    """The calls of a gate in frames: identify, prove, bind, and then an evaluation with the pass."""
    gates = GateTown((KeptGates(rows), KeptGates(second)))
    town = DeskTown((rows, second), gate=None)
    town.now = gates.now
    await town.set_up()
    town.desks[1] = town.desk(2, gate=gates.gates[1])

    async def proven() -> Proven:
        gates.now += 61
        town.now = gates.now
        asked = await town.ask(2, Identify("mail", ANNA))
        await asyncio.sleep(0)
        answer: Proven = await town.ask(2, Prove(asked.challenge, gates.code(2)))
        return answer

    (guess,) = await town.guesses(1)
    first = await proven()
    assert (first.user_id, first.pass_ is None) == (None, False)
    town.pass_ = first.pass_
    with refused(RelayCode.UNKNOWN):
        await town.ask(2, guess)
    assert first.pass_ is not None
    signing = keys("alice phone").signing
    bind = bind_identity(2, town.user_id, first.pass_, 1, signing)
    for wrong in (bind_identity(1, town.user_id, first.pass_, 1, signing), replace(bind, device_id=9)):
        with pytest.raises(Answered, match=r"UNKNOWN|REFUSED"):
            await town.ask(2, wrong)
    with refused(RelayCode.MALFORMED):
        await town.ask(2, bind, with_lists(bind))
    await town.ask(2, bind)
    with refused(RelayCode.UNKNOWN):
        await town.ask(2, Prove(b"made up", b"0" * 10))
    second_time = await proven()
    assert second_time.user_id == town.user_id
    town.pass_ = second_time.pass_
    assert (await town.ask(2, guess)).evaluation is not None
    (record,) = await town.rows[1].load((RowKind.LISTS, town.user_id))
    assert record is not None


def row(text: bytes, until: int | None = None) -> GateRow:
    return GateRow(Record(text), until)


KEYS: Final = [bytes([each]) * 32 for each in range(4)]


async def test_rows_of_a_gate_change_together(rows: SealedRows) -> None:  # REC-27
    gates = KeptGates(rows)
    every = row(b"1"), row(b"2", NOON), None, row(bytes(256))
    assert await gates.change(KEYS, lambda before: (every, before)) == (None,) * 4
    assert await gates.load(KEYS) == every
    assert await gates.load(KEYS[1:2]) == every[1:2]

    def step(_: GateRows) -> tuple[GateRows, None]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await gates.change(KEYS, step)
    await gates.change(KEYS[:2], lambda before: ((None, before[1]), None))
    assert await gates.load(KEYS) == (None, *every[1:])
    assert [await gates.expire(each) for each in (NOON - 1, NOON, NOON)] == [0, 1, 0]
    assert await gates.load(KEYS) == (None, None, None, every[3])


async def test_changes_of_a_gate_wait_for_each_other(rows: SealedRows) -> None:  # REC-27
    gates = KeptGates(rows)

    def longer(before: GateRows) -> tuple[GateRows, int]:
        after = tuple(row((b"" if each is None else each.record.expose()) + b"x") for each in before)
        return after, len(after[0].record.expose())

    orders = KEYS[:2], KEYS[1::-1]
    lengths = await asyncio.gather(*(gates.change(orders[at % 2], longer) for at in range(20)))
    assert sorted(lengths) == list(range(1, 21))


async def test_an_identity_is_not_to_be_found_in_the_database(rows: SealedRows, second: SealedRows) -> None:
    gates = GateTown((KeptGates(rows), KeptGates(second)))
    bound = await gates.bound()
    assert bound is not None
    proven = await gates.proven()
    await gates.gates[1].require(proven.pass_, gates.chain().user_id)
    with pytest.raises(IdentityRefused):
        await gates.gates[1].require(proven.pass_, b"s" * 32)


# --- names ------------------------------------------------------------------------------------------------


class Names:
    """A directory with one name."""

    def __init__(self, **names: bytes) -> None:
        self.names = names

    async def find(self, name: str) -> bytes | None:
        return self.names.get(name)

    async def newest(self, *_: object) -> None:
        raise AssertionError

    async def lists(self, *_: object) -> tuple[int, list[bytes]]:
        raise AssertionError


async def test_a_name_is_found_or_made_up(rows: SealedRows) -> None:  # REC-12
    town = DeskTown((rows,), directory=Names(alice=b"a" * 32))
    found = [(await town.ask(1, FindUser(each))).user_id for each in ("alice", "bob", "bob", "carol")]
    assert found[0] == b"a" * 32
    assert found[1] == found[2]
    assert len({*found}) == 3
    town.desks[0] = town.desk(1)
    with refused(RelayCode.UNKNOWN):
        await town.ask(1, FindUser("alice"))
