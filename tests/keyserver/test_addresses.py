"""How often one address may call, and which addresses are one."""

import pytest

from letterlock._keyserver._limits import AddressLimits, network_of
from letterlock._keyserver._rows import SealedRows
from letterlock._wire.identity_calls import Identify, Prove
from letterlock._wire.recovery_calls import ShowLocks
from letterlock._wire.recovery_frame import RECOVERY_CALL_OF_REQUEST
from letterlock._wire.relay_error import RelayCode
from letterlock.recovery import EvaluateLock
from letterlock.relay._reply import Refused
from support.keyserver_town import ADDRESS, DeskTown, refused

pytestmark = pytest.mark.usefixtures("cheap")


async def test_an_address_may_guess_so_often(rows: SealedRows) -> None:  # REC-24
    town = DeskTown((rows,), limits=AddressLimits(5))
    guesses = await town.guesses(7)
    for each in guesses[:5]:
        await town.ask(1, each)
    with refused(RelayCode.SLOW_DOWN, 10):
        await town.ask(1, guesses[5])
    town.address = "192.0.2.8"
    await town.ask(1, guesses[5])
    town.address = ADDRESS
    town.now += 10
    await town.ask(1, guesses[6])
    with refused(RelayCode.SLOW_DOWN, 10):
        await town.ask(1, guesses[6])


async def test_junk_counts_as_well(rows: SealedRows) -> None:  # REC-24
    town = DeskTown((rows,), limits=AddressLimits(3))
    call = RECOVERY_CALL_OF_REQUEST[EvaluateLock]
    statuses = [(await town.desks[0].handle(call, b"junk", ADDRESS)).status for _ in range(5)]
    assert statuses == [400, 400, 400, 429, 429]


async def test_each_kind_of_call_has_its_own_bound(rows: SealedRows) -> None:  # REC-24
    limits = AddressLimits(6)
    for call in RECOVERY_CALL_OF_REQUEST.values():
        limits.take(call, ADDRESS, 0)
    town = DeskTown((rows,), limits=limits)
    town.now = 0
    looks = 0
    while (await town.reply(1, ShowLocks(town.user_id))).status == 200:
        looks += 1
        assert looks < 24
    others = [call for call in RECOVERY_CALL_OF_REQUEST.values() if not call.has_lists]
    assert looks == 24 - len(others) + 4  # evaluate, identify, ask and take are no looks


def test_an_address_has_only_so_many_codes_sent() -> None:  # REC-24
    """One call may send a mail to anybody: a stranger has no thousand people told."""
    limits, call = AddressLimits(6), RECOVERY_CALL_OF_REQUEST[Identify]
    for _ in range(6):
        limits.take(call, ADDRESS, 0)
    with pytest.raises(Refused):
        limits.take(call, ADDRESS, 9)
    limits.take(call, ADDRESS, 10)
    limits.take(RECOVERY_CALL_OF_REQUEST[Prove], ADDRESS, 10)


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1%eth1", True),
        ("", "junk, or a socket's path", True),
    ],
)
def test_whoever_has_an_ipv6_address_has_its_network(one: str, other: str, are_same: bool) -> None:
    assert (network_of(one) == network_of(other)) is are_same
