"""A user who lost every device, and two servers: what happens, and what a user is told."""

import pytest

from letterlock.recovery import WrongPassword
from support.recovery_town import Town, cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")


def test_a_password_opens_the_lock() -> None:
    town = Town()
    town.set_up()
    assert town.recover().key == town.key


def test_another_password_does_not() -> None:
    town = Town()
    town.set_up()
    with pytest.raises(WrongPassword) as caught:
        town.recover("correct house")
    assert caught.value.uses_left == 999
