"""REC-15: server 1 evaluates only what server 2 has let through."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.voprf import Blinding
from letterlock._wire.recovery_limits import TICKET_SECONDS, TICKET_SLACK
from letterlock.errors import UsageError
from letterlock.recovery import (
    Attempt,
    EvaluateLock,
    LockEvaluated,
    LockName,
    LockStanding,
    LockTicketKey,
    LockWaits,
    Policy,
    RecoveryRefused,
    RecoveryServer,
    ShowLocks,
    WrongPassword,
    choose,
)
from letterlock.recovery._tickets import companion, issue
from support.recovery_town import DECOYS, PASSWORD, TICKETS, Town, cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")


@pytest.fixture
def town(cheap: None) -> Town:
    del cheap
    made = Town(tickets=True)
    made.set_up()
    return made


def test_a_password_opens_the_lock(town: Town) -> None:
    assert town.recover().key == town.key
    with pytest.raises(WrongPassword):
        town.recover("wrong")


def refused(town: Town, request: EvaluateLock) -> None:
    """Check that server 1 refuses a request, and counts no use."""
    before = town.record(1).meter
    with pytest.raises(RecoveryRefused, match="ask the key server first"):
        town.servers[0].evaluate(request)
    assert town.record(1).meter == before


def ticketed(town: Town) -> EvaluateLock:
    """Return a request to server 1 with a good ticket."""
    attempt = town.attempt()
    return attempt.first(town.evaluate(2, attempt.requests[1]))


def test_no_ticket(town: Town) -> None:
    refused(town, town.attempt().requests[0])


WRONG: dict[str, Callable[[Town, EvaluateLock], EvaluateLock]] = {
    "of zeros": lambda _, it: replace(it, ticket=bytes(68)),
    "for another input": lambda _, it: replace(it, blinded=Blinding(b"another").blinded),
    "for another lock": lambda _, it: replace(it, name=LockName(it.name.user_id, bytes(16))),
    "for another user": lambda _, it: replace(it, name=LockName(bytes(32), it.name.lock_id)),
    "with a later end": lambda town, it: replace(
        it, ticket=(town.now + TICKET_SECONDS + 1).to_bytes(4, "big") + (it.ticket or b"")[4:]
    ),
    "of a lifetime too long": lambda town, it: replace(
        it, ticket=signed(TICKETS, it, town.now + TICKET_SLACK + 1)
    ),
    "by another key": lambda town, it: replace(it, ticket=signed(LockTicketKey(bytes(32)), it, town.now)),
    "of another input of the same server": lambda town, it: replace(
        it, ticket=signed(TICKETS, replace(it, blinded=bytes(32)), town.now)
    ),
}


def signed(key: LockTicketKey, request: EvaluateLock, now: int) -> bytes:
    """Return a ticket that somebody signs for a request to server 1."""
    asked = EvaluateLock(request.name, bytes(32), companion=companion(request.blinded))
    return issue(key, asked, now) or b""


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_ticket(town: Town, what: str) -> None:
    request = ticketed(town)
    refused(town, WRONG[what](town, request))
    assert town.servers[0].evaluate(request).evaluation is not None


def test_a_ticket_ends(town: Town) -> None:
    request, start = ticketed(town), town.now
    for late, is_good in ((TICKET_SECONDS + TICKET_SLACK, True), (TICKET_SECONDS + TICKET_SLACK + 1, False)):
        town.now = start + late
        if is_good:
            assert town.servers[0].evaluate(request).evaluation is not None
        else:
            refused(town, request)


def test_clocks_may_differ_a_little(town: Town) -> None:
    request, start = ticketed(town), town.now
    town.now = start - TICKET_SLACK - 1
    refused(town, request)
    town.now = start - TICKET_SLACK
    assert town.servers[0].evaluate(request).evaluation is not None


def test_every_use_at_server_1_cost_one_at_server_2(town: Town) -> None:
    """The same request with another companion is another use, so no use buys two tickets."""
    request = town.attempt().requests[1]
    asked = [replace(request, companion=companion(bytes((at,)))) for at in range(3)]
    left = [town.evaluate(2, each).standing.uses_left for each in asked]
    assert left == [999, 998, 997]


def test_a_ticket_opens_no_second_input(town: Town) -> None:
    """A ticket that is used twice gives the same answer, which shows nothing new."""
    request = ticketed(town)
    first = town.servers[0].evaluate(request)
    again = town.servers[0].evaluate(request)
    assert (first.evaluation or b"")[:32] == (again.evaluation or b"")[:32]
    assert town.record(1).meter.uses_left == 999


def test_server_2_gives_no_ticket_without_a_use() -> None:
    town = Town(Policy(uses=1, pause=0), tickets=True)
    town.set_up()
    town.ask(town.attempt("wrong"))
    attempt = town.attempt("wrong again")
    answer = town.evaluate(2, attempt.requests[1])
    assert (answer.evaluation, answer.ticket) == (None, None)
    with pytest.raises(LockWaits) as caught:
        attempt.first(answer)
    assert caught.value.server == 2


def test_server_1_is_not_asked_when_server_2_waits(town: Town) -> None:
    attempt = town.attempt()
    with pytest.raises(LockWaits):
        attempt.first(LockEvaluated(None, None, LockStanding(0, town.now + 5, rests=True)))
    assert town.record(1).meter.uses_left == 1000


def test_a_request_without_a_companion_gets_no_ticket(town: Town) -> None:
    answer = town.evaluate(2, replace(town.attempt().requests[1], companion=None))
    assert answer.evaluation is not None
    assert answer.ticket is None


def test_unknown_users_get_tickets_too(monkeypatch: pytest.MonkeyPatch) -> None:  # REC-12
    monkeypatch.undo()
    town = Town(tickets=True)
    user_id = system_entropy(32)
    attempt = Attempt.begin(
        PASSWORD, choose(user_id, *(server.show(ShowLocks(user_id)) for server in town.servers))
    )
    with pytest.raises(WrongPassword):
        attempt.finish(*town.ask(attempt))


@pytest.mark.parametrize(("number", "tickets"), [(1, TICKETS), (2, TICKETS.public)])
def test_each_server_has_its_half_of_the_ticket_key(number: int, tickets: LockTicketKey) -> None:
    with pytest.raises(UsageError):
        RecoveryServer(number, Town().stores[0], DECOYS, tickets)


@pytest.mark.parametrize("number", [0, 3, -1])
def test_there_are_two_servers(number: int) -> None:
    with pytest.raises(UsageError):
        RecoveryServer(number, Town().stores[0], DECOYS, None)
