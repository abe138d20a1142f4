"""The name of a group, sealed under the secret of an epoch. [GRP-12]"""

import pytest

from letterlock._groups._epoch import name_key
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.group_bodies import EpochSecret
from letterlock._wire.log_opening import SEALED_NAME_BYTES
from letterlock.documents._sealed_name import check_name, open_under_key, seal_under_key
from letterlock.errors import UsageError

OLD, NEW = EpochSecret(b"1" * 32), EpochSecret(b"2" * 32)


@pytest.mark.parametrize("name", ["", "team", "n" * 255, "Gruppe \N{EM DASH} 7"])
def test_members_read_the_name(name: str) -> None:
    sealed = seal_under_key(name_key(NEW), 2, name, system_entropy).sealed
    assert len(sealed) == SEALED_NAME_BYTES
    assert open_under_key(name_key(NEW), 2, sealed) == name


def test_who_has_the_secret_before_does_not_learn_the_next_name() -> None:  # GRP-12
    sealed = seal_under_key(name_key(NEW), 2, "next", system_entropy).sealed
    assert open_under_key(name_key(OLD), 2, sealed) is None
    assert open_under_key(name_key(OLD), 1, sealed) is None
    assert open_under_key(NEW.expose(), 2, sealed) is None  # the secret itself seals nothing


def test_a_name_is_that_of_one_epoch() -> None:
    sealed = seal_under_key(name_key(NEW), 2, "name", system_entropy).sealed
    assert open_under_key(name_key(NEW), 3, sealed) is None


@pytest.mark.parametrize("at", [0, 11, 12, 100, SEALED_NAME_BYTES - 1])
def test_a_changed_byte_is_noticed(at: int) -> None:
    sealed = bytearray(seal_under_key(name_key(NEW), 2, "name", system_entropy).sealed)
    sealed[at] ^= 1
    assert open_under_key(name_key(NEW), 2, bytes(sealed)) is None


@pytest.mark.parametrize("wrong", ["n" * 256, "\ud800", b"name", None])
def test_what_is_no_name(wrong: str) -> None:
    with pytest.raises(UsageError):
        check_name(wrong, "group")
