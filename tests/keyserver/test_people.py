"""Provisional identities at desks, with real gates, on each kind of database.

PRV-2, PRV-3, PRV-5, PRV-6, PRV-7.
"""

from typing import Any, Final

import pytest

from letterlock._keyserver import _strangers
from letterlock._keyserver._rows import RowKind, SealedRows
from letterlock._keyserver._strangers import Strangers
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.relay_error import RelayCode
from letterlock.documents import ProvisionalKeys
from letterlock.limits import DAY
from letterlock.recovery import AskingKey, Claiming, NewIdentity, OwnerSecret
from support.gate_town import ANNA, BERT, GateTown
from support.keyserver_town import Answered, DeskTown, refused
from support.pair import NOON

pytestmark = pytest.mark.usefixtures("cheap")

DORA: Final = "dora@example.org"
OWNER: Final = OwnerSecret(bytes(32))


class Desks(DeskTown):
    """Both servers with gates. `passes` proves an identity at each."""

    def __init__(self, rows: tuple[SealedRows, SealedRows], **beside: Any) -> None:
        super().__init__(rows)
        self.gates = GateTown()
        self.desks = [self.desk(at, gate=self.gates.gates[at - 1], **beside) for at in (1, 2)]

    async def passes(self, claim: bytes) -> list[bytes]:
        proven = [await self.gates.proven(claim, server) for server in (1, 2)]
        return [each.pass_ or b"" for each in proven]

    async def both(self, request: Any, passes: list[bytes]) -> list[Any]:
        answers = []
        for server, self.pass_ in enumerate(passes, 1):
            answers.append(await self.ask(server, request))
        return answers


def identity(after: int = DAY) -> NewIdentity:
    return NewIdentity.begin(DORA, NOON + after, OWNER, system_entropy)


async def test_made_released_and_claimed(rows: SealedRows, second: SealedRows) -> None:
    town, new = Desks((rows, second)), identity()
    keys = new.finish(*await town.both(new.request, await town.passes(ANNA)))
    assert isinstance(keys, ProvisionalKeys)
    claiming = Claiming.begin(AskingKey(system_entropy(32)))
    passes = await town.passes(b"Dora@Example.org")
    seeds = claiming.finish(*await town.both(claiming.request, passes))
    assert [each.public.data for each in seeds[0].pairs] == [keys.first, keys.second]
    await town.both(claiming.claim(bytes(32), seeds), passes)
    assert claiming.finish(*await town.both(claiming.request, passes)) == ()
    assert new.finish(*await town.both(new.request, passes)) == bytes(32)


async def test_a_pass_of_somebody_else_releases_nothing(rows: SealedRows, second: SealedRows) -> None:
    """PRV-5. Anna's pass is good, and hers is another person. That of the other server is none."""
    town, new = Desks((rows, second)), identity()
    annas = await town.passes(ANNA)
    await town.both(new.request, annas)
    claiming = Claiming.begin(AskingKey(system_entropy(32)))
    released = await town.both(claiming.request, annas)
    assert claiming.finish(*released) == ()
    doras = await town.passes(DORA.encode())
    for wrong in (None, b"x" * 100, doras[1]):
        town.pass_ = wrong
        for request in (claiming.request, claiming.claim(bytes(32), ()), identity().request):
            with refused(RelayCode.UNKNOWN):
                await town.ask(1, request)
    town.pass_ = annas[0]
    await town.ask(1, claiming.claim(bytes(32), await seeds_of(town, doras)))
    assert len(await seeds_of(town, doras)) == 1  # Anna's claim is of her own identities


async def seeds_of(town: Desks, passes: list[bytes]) -> Any:
    claiming, before = Claiming.begin(AskingKey(system_entropy(32))), town.pass_
    seeds = claiming.finish(*await town.both(claiming.request, passes))
    town.pass_ = before
    return seeds


async def test_a_withdrawal_needs_no_pass(rows: SealedRows, second: SealedRows) -> None:  # PRV-6
    town, new = Desks((rows, second)), identity()
    await town.both(new.request, await town.passes(ANNA))
    town.pass_ = None
    with refused(RelayCode.REFUSED):
        await town.ask(1, new.withdraw()[1])
    await town.ask(1, new.withdraw()[0])
    assert await seeds_of(town, await town.passes(DORA.encode())) == ()


async def test_what_has_ended_is_deleted_some_weeks_later(rows: SealedRows, second: SealedRows) -> None:
    """PRV-3: a clock that is ahead for a while destroys nothing."""
    town, new, later = Desks((rows, second)), identity(), identity(2 * DAY)
    passes = await town.passes(ANNA)
    await town.both(new.request, passes)
    await town.both(later.request, passes)
    person = (RowKind.PEOPLE, town.gates.gates[0].claimed("mail", DORA.encode()))
    assert await rows.expire(NOON + 32 * DAY - 1, 10) >= 0
    assert await rows.load(person) != [None]
    assert await rows.expire(NOON + 32 * DAY, 10) == 1
    assert await rows.load(person) == [None]


async def test_a_desk_without_a_gate_has_no_identities(rows: SealedRows) -> None:
    town, new = DeskTown((rows,)), identity()
    claiming = Claiming.begin(AskingKey(system_entropy(32)))
    for request in (new.request, claiming.request, new.withdraw()[0]):
        with pytest.raises(Answered):
            await town.ask(1, request)
    assert await rows.load((RowKind.HOURS, b"")) == [None]


async def test_an_address_that_is_none(rows: SealedRows, second: SealedRows) -> None:
    town = Desks((rows, second))
    town.pass_ = (await town.passes(ANNA))[0]
    new = NewIdentity.begin("no address", NOON + DAY, OWNER, system_entropy)
    with refused(RelayCode.MALFORMED):
        await town.ask(1, new.request)
    other = NewIdentity.begin(DORA, NOON + DAY, OWNER, system_entropy, kind="phone")
    with pytest.raises(Answered):
        await town.ask(1, other.request)


async def test_its_granter_is_told_again_without_a_pass(rows: SealedRows, second: SealedRows) -> None:
    """PRV-14. The same keys, and later who has claimed it."""
    town, new = Desks((rows, second)), identity()
    made = await town.both(new.request, await town.passes(ANNA))
    nobody: list[Any] = [None, b"x" * 100]
    assert await town.both(new.request, nobody) == made
    claiming, passes = Claiming.begin(AskingKey(system_entropy(32))), await town.passes(DORA.encode())
    await town.both(
        claiming.claim(bytes(32), claiming.finish(*await town.both(claiming.request, passes))), passes
    )
    assert new.finish(*await town.both(new.request, nobody)) == bytes(32)


@pytest.mark.parametrize(
    "what", ["nothing there", "another owner", "another end", "another address", "withdrawn"]
)
async def test_nobody_else_is_told_without_a_pass(rows: SealedRows, second: SealedRows, what: str) -> None:
    """PRV-14. The refusal is that of a missing pass, whatever is there, and no place is filled."""
    town, new = Desks((rows, second)), identity()
    if what != "nothing there":
        await town.both(new.request, await town.passes(ANNA))
    if what == "withdrawn":
        for server, each in enumerate(new.withdraw(), 1):
            await town.ask(server, each)
    other = OwnerSecret(bytes([1]) * 32)
    asked = {
        "another owner": NewIdentity.again(DORA, new.request.id, NOON + DAY, other),
        "another end": NewIdentity.again(DORA, new.request.id, NOON + DAY + 1, OWNER),
        "another address": NewIdentity.again("eve@example.org", new.request.id, NOON + DAY, OWNER),
    }.get(what, new)
    before = await rows.load((RowKind.PEOPLE, town.gates.gates[0].claimed("mail", DORA.encode())))
    town.pass_ = None
    for server in (1, 2):
        with refused(RelayCode.UNKNOWN):
            await town.ask(server, asked.request)
    assert await rows.load((RowKind.PEOPLE, town.gates.gates[0].claimed("mail", DORA.encode()))) == before


async def test_one_mailbox_fills_no_disk_with_people(
    rows: SealedRows, second: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REC-56. Whoever has a pass makes no rows without end for addresses that are made up."""
    monkeypatch.setattr(_strangers, "_PEOPLE_OF_ONE", 3)
    town = Desks((rows, second), strangers=Strangers())
    passes, others = await town.passes(ANNA), await town.passes(BERT)
    for at in range(3):
        await town.both(made_up(at), passes)
    for at in range(3, 6):
        with pytest.raises(Answered, match="SLOW_DOWN"):
            await town.both(made_up(at), passes)
    await town.both(made_up(6), others)
    assert len(await rows.sealed_page(RowKind.PEOPLE, b"", 100)) == 4


def made_up(at: int) -> Any:
    return NewIdentity.begin(f"nobody{at}@example.org", NOON + DAY, OWNER, system_entropy).request
