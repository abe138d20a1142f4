"""The last tenth of a log is left to admins, in collections as in groups. DOC-114"""

from dataclasses import replace

import pytest

from letterlock._records.collection import CollectionPhase
from letterlock._records.collection_change import Wish
from letterlock._wire.collection_limits import MAX_COLLECTION_LOG, MAX_FREE_LOG
from letterlock._wire.collection_member import Role
from letterlock._wire.log_entry import Action, LogEntry
from letterlock._wire.log_opening import LogKind
from letterlock.documents._collection_errors import InvalidEntry
from letterlock.documents._log_rules import LEAST_ROLE, follow, least_role
from letterlock.documents._wishes import Rest, rest_of
from support.collection_logs import READER, WRITER, Log, digest, member, user


@pytest.fixture(params=list(LogKind))
def log(request: pytest.FixtureRequest) -> Log:
    """Return a log in which the next entry is the first that is left to admins."""
    made = Log(member("bob", WRITER), member("carol", READER), kind=request.param)
    at(made, MAX_FREE_LOG)
    return made


def at(log: Log, number: int) -> None:
    """Have a log so many entries long."""
    log.states.append(replace(log.state, number=number))


def refused(log: Log, entry: LogEntry) -> None:
    with pytest.raises(InvalidEntry):
        follow(log.state, entry)


def test_writers_renew_until_a_tenth_is_left(log: Log) -> None:
    at(log, MAX_FREE_LOG - 1)
    log.add("bob", Action.RENEW)
    for _ in range(2):
        refused(log, log.make("bob", Action.RENEW))
        log.add("alice", Action.RENEW)


@pytest.mark.parametrize("number", [MAX_FREE_LOG, MAX_FREE_LOG + 1, MAX_COLLECTION_LOG - 1])
def test_a_writer_does_not_renew_up_to_the_end(log: Log, number: int) -> None:
    at(log, number)
    refused(log, log.make("bob", Action.RENEW))


def test_a_writer_renews_where_somebody_left_and_not_again(log: Log) -> None:
    log.add("carol", Action.LEAVE)
    log.add("bob", Action.RENEW)
    refused(log, log.make("bob", Action.RENEW))


def test_a_reader_never_renews(log: Log) -> None:
    log.add("alice", Action.ADD, member("dora", WRITER))
    log.add("dora", Action.LEAVE)
    refused(log, log.make("carol", Action.RENEW))


def test_a_writer_does_not_renew_after_a_removal(log: Log) -> None:
    log.add("alice", Action.REMOVE, user("carol"))
    refused(log, log.make("bob", Action.RENEW))


def test_no_other_right_changes() -> None:
    for action in Action:
        for phase in CollectionPhase:
            if action is not Action.RENEW:
                assert least_role(action, MAX_COLLECTION_LOG, phase) is LEAST_ROLE[action]
    assert least_role(Action.RENEW, 1, None) is Role.WRITER


def test_a_wish_of_a_writer_is_refused_before_it_is_signed(log: Log) -> None:  # DOC-79
    wish = Wish(Action.RENEW, epoch=log.state.epoch)
    assert rest_of(wish, log.state, digest("bob")).refused is not None
    assert rest_of(wish, log.state, digest("alice")) == Rest()
    log.add("carol", Action.LEAVE)
    assert rest_of(wish, log.state, digest("bob")) == Rest()
