"""REC-35: what one server holds and sees opens nothing. The attack runs, with each server as the attacker.

It has the server's record, opened, all that travelled to and from it, and the answers of the other server to
whoever asked and watched. The test of the test gives it the other half as well, or halves that are none.
"""

import pytest

from letterlock.recovery import _halves
from support.half_attack import find_recovery_key
from support.second_lock_town import SecondTown


def lived() -> SecondTown:
    """Return a town in which everything has happened that a server can see."""
    town = SecondTown()
    town.set_up()
    stopped = town.asking()
    town.ask_both(stopped)
    town.stop(1)
    town.stop(2)
    town.pass_hours(24 * 7)
    town.set_up()
    asking = town.asking()
    waits = town.ask_both(asking)
    town.pass_hours(24)
    assert town.recover(asking, waits) == town.key
    return town


def view(town: SecondTown, server: int) -> list[bytes]:
    """Return what one server has. The call that lays the other half is between the client and the other."""
    lays = {each for at, each in town.seen if at != server and each[2:4] == b"\x18\x29"}
    assert len(lays) == 2
    return [town.record(server).encode().expose(), *(each for _, each in town.seen if each not in lays)]


@pytest.mark.parametrize("server", [1, 2])
def test_one_server_finds_nothing(server: int) -> None:
    town = lived()
    assert find_recovery_key(view(town, server), town.chain) is None


@pytest.mark.parametrize("server", [1, 2])
def test_both_halves_give_the_key(server: int) -> None:
    """The claim ends here, and the attack sees it."""
    town = lived()
    other = town.record(3 - server).encode().expose()
    assert find_recovery_key([*view(town, server), other], town.chain) == town.key.expose()


def test_a_half_that_is_no_half_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the key itself were the second half, server 2 alone would have it."""
    monkeypatch.setattr(_halves, "_xor", lambda key, _: key)
    town = SecondTown()
    town.set_up()
    assert find_recovery_key(view_of_laid(town, 2), town.chain) == town.key.expose()
    assert find_recovery_key(view_of_laid(town, 1), town.chain) is None


def view_of_laid(town: SecondTown, server: int) -> list[bytes]:
    return [town.record(server).encode().expose()]
