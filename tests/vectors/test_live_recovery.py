"""A live user and both servers, as another implementation asks for them."""

from typing import Any

import pytest

from letterlock._primitives.entropy import system_entropy
from letterlock._wire.recovery_calls import LocksShown, ShowLocks
from letterlock._wire.second_lock_calls import SecondLockShown
from letterlock.errors import MalformedMessage, UsageError
from letterlock.recovery import (
    Asking,
    AskingKey,
    Attempt,
    BoxRefused,
    EvaluateLock,
    Hardness,
    LockName,
    NewLock,
    RecoveryKey,
    RecoveryRefused,
    WrongPassword,
    choose,
    lay_halves,
)
from letterlock.user import InvalidDeviceList
from letterlock_vectors.library import Library

PASSWORD = "correct horse"


class Home:
    """Alice, who has set a password."""

    def __init__(self) -> None:
        self.ask = Library().run
        self.user_id = bytes.fromhex(self.ask("user.create", {"party": "alice", "name": "alice"})["user_id"])
        self.made = self.ask("recovery.set_up", {"party": "alice", "password": PASSWORD})
        self.lists = self.ask("user.lists", {"party": "alice"})["lists"]

    def call(self, server: int, body: bytes, **lists: Any) -> bytes:
        found = self.ask("recovery.call", {"server": server, "body": body.hex(), **lists})["body"]
        return bytes.fromhex(found)

    def recover(self, **changes: Any) -> Any:
        given = {"party": "again", "password": PASSWORD, "lists": self.lists, "box": self.made["box"]}
        return self.ask("recovery.recover", given | changes)


@pytest.fixture(scope="module")
def home() -> Home:
    return Home()


def test_a_user_comes_back(home: Home) -> None:
    back = home.recover()
    assert (back["name"], back["id"]) == ("alice", 3)
    assert home.ask("user.contacts", {"party": "again"}) == {"contacts": []}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"password": "another"}, WrongPassword),
        ({"box": "00" * 2000}, BoxRefused),
        ({"box": ""}, MalformedMessage),
        ({"lists": ["00"]}, MalformedMessage),
    ],
)
def test_who_does_not_come_back(home: Home, changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        home.recover(**changes)


def test_calls_are_those_of_the_servers(home: Home) -> None:
    first, second = (LocksShown.decode(home.call(each, ShowLocks(home.user_id).encode())) for each in (1, 2))
    attempt = Attempt.begin(PASSWORD, choose(home.user_id, first, second))
    with pytest.raises(RecoveryRefused):  # REC-15: no ticket
        home.call(1, attempt.requests[0].encode())
    unknown = EvaluateLock(LockName(home.user_id, system_entropy(16)), attempt.requests[1].blinded)
    with pytest.raises(RecoveryRefused):
        home.call(2, unknown.encode())


@pytest.mark.parametrize(
    "given",
    [{"server": 3, "body": "00"}, {"server": 1, "body": ""}, {"server": 1, "body": "820118"},
     {"server": 2, "body": "830118ff00"}, {"server": 1, "body": "8101"}],
)  # fmt: skip
def test_what_is_no_call(home: Home, given: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        home.ask("recovery.call", given)


def test_a_change_needs_whole_lists(home: Home) -> None:
    """They are verified by the server, from the user id on."""
    new = NewLock.begin(PASSWORD, RecoveryKey(system_entropy(32)), home.user_id, Hardness(), system_entropy)
    body = new.requests[0].encode()
    with pytest.raises(UsageError):
        home.call(1, body)
    with pytest.raises(InvalidDeviceList):
        home.call(1, body, lists=home.lists[1:])
    with pytest.raises(RecoveryRefused):  # another recovery key
        home.call(1, body, lists=home.lists)


# --- second locks -----------------------------------------------------------------------------------------


def asking(home: Home) -> Asking:
    return Asking.begin(home.user_id, AskingKey(system_entropy(32)))


def test_without_a_second_lock_nobody_waits(home: Home) -> None:
    with pytest.raises(RecoveryRefused):
        home.call(1, asking(home).request.encode())


def test_a_second_lock_is_for_whoever_signs(home: Home) -> None:
    key = RecoveryKey(system_entropy(32))  # not that of the user
    nothing = SecondLockShown(0, (), None, 0)
    laid = lay_halves(key, home.user_id, 86_400, (nothing, nothing), system_entropy)
    with pytest.raises(RecoveryRefused):  # REC-36
        home.call(1, laid.lay[0].encode(), lists=home.lists)
    with pytest.raises(UsageError):
        home.call(1, laid.lay[0].encode())


@pytest.mark.parametrize("hours", [0, 1001, -1, "1", None])
def test_hours_that_do_not_pass(home: Home, hours: object) -> None:
    with pytest.raises(UsageError):
        home.ask("recovery.pass_hours", {"hours": hours})
