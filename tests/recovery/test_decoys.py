"""What a server shows of a user without a lock: as plausible as a lock, and the same each time.

REC-12. Not here: lies (test_lies.py).
"""

from dataclasses import replace

import pytest

from letterlock._wire import recovery_lock
from letterlock.recovery import (
    Attempt,
    DecoyKey,
    LockOpened,
    Policy,
    RecoveryRecord,
    RecoveryRefused,
    ShowLocks,
    WrongPassword,
    _plans,
    choose,
)
from letterlock.recovery._decoys import decoy
from support.recovery_town import PASSWORD, Town, cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")


@pytest.fixture
def town(cheap: None) -> Town:
    del cheap
    made = Town()
    made.set_up()
    return made


def test_an_unknown_user_gets_plausible_answers(monkeypatch: pytest.MonkeyPatch) -> None:  # REC-12
    """The calls of a guess at nobody's lock look like those of a wrong guess at somebody's."""
    monkeypatch.undo()
    town = Town(Policy())
    user_id = bytes(32)
    both = [server.show(ShowLocks(user_id)) for server in town.servers]
    assert both == [server.show(ShowLocks(user_id)) for server in town.servers]
    lock = choose(user_id, *both)
    assert lock.hardness == recovery_lock.Hardness()
    attempt = Attempt.begin(PASSWORD, lock)
    answers = [server.evaluate(each) for server, each in zip(town.servers, attempt.requests, strict=True)]
    with pytest.raises(WrongPassword) as caught:
        attempt.finish(*answers)
    assert (caught.value.uses_left, caught.value.not_before) == (9, town.now + 30)
    assert [server.show(ShowLocks(user_id)).standing.uses_left for server in town.servers] == [9, 9]
    assert [server.show(ShowLocks(user_id)).locks for server in town.servers] == [(lock,), (lock,)]
    again = town.servers[0].evaluate(replace(attempt.requests[0], blinded=attempt.requests[1].blinded))
    assert again.evaluation is None


def test_a_decoy_is_made_for_every_user(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:  # REC-12
    """Otherwise the time of an answer tells who has a lock: a decoy takes two keys of the servers."""
    attempt, made = town.attempt(), list[bytes]()

    def counted(key: DecoyKey, user_id: bytes, server: int, policy: Policy) -> RecoveryRecord:
        made.append(user_id)
        return decoy(key, user_id, server, policy)

    monkeypatch.setattr(_plans, "decoy", counted)
    for user_id in (town.user_id, bytes(32)):
        lock = town.servers[0].show(ShowLocks(user_id)).locks[0]
        request = replace(attempt.requests[0], name=lock.name)
        town.servers[0].evaluate(request)
        success = LockOpened(lock.name, bytes(32), bytes(64))
        with pytest.raises(RecoveryRefused):
            town.servers[0].succeed(success)
    assert made == [town.user_id] * 3 + [bytes(32)] * 3


def test_a_decoy_is_each_users_own() -> None:  # REC-12
    town = Town()
    ids = {town.servers[0].show(ShowLocks(bytes((each,)) * 32)).locks[0].name.lock_id for each in range(8)}
    assert len(ids) == 8


def test_a_first_lock_takes_the_place_of_a_decoy() -> None:  # REC-12
    town = Town()
    decoy = town.servers[0].show(ShowLocks(town.user_id)).locks[0]
    town.ask(Attempt.begin(PASSWORD, decoy))
    made = town.make()
    town.servers[0].settle(made.settle[0], town.chain)
    assert len(town.record(1).held) == 1
    town.set_up()
    assert town.record(1).find(decoy.name.lock_id) is None
    assert town.recover().key == town.key


def test_a_decoy_and_a_lock_have_one_length(town: Town) -> None:  # REC-12
    real = town.attempt().lock
    decoy = town.servers[0].show(ShowLocks(bytes(32))).locks[0]
    assert len(decoy.encode()) - len(real.encode()) in {0, 2}  # the cheap hardness of tests is shorter
