"""Servers that lie, one at a time: what a client notices, whom it blames, and what it never believes."""

from dataclasses import replace

import cbor2
import pytest

from letterlock._primitives import voprf
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.voprf import OprfSeed
from letterlock._wire import recovery_lock
from letterlock._wire.recovery_limits import MAX_MEMORY, MAX_PASSES
from letterlock.errors import LetterlockError, MalformedMessage
from letterlock.recovery import (
    Attempt,
    Lock,
    LockEvaluated,
    LockName,
    LocksShown,
    LockStanding,
    LockWaits,
    Policy,
    RecoveryRefused,
    ServerAtFault,
    ShowLocks,
    WrongPassword,
    choose,
)
from support.recovery_town import PASSWORD, Town, cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")


@pytest.fixture
def town(cheap: None) -> Town:
    del cheap
    made = Town()
    made.set_up()
    return made


def shown(town: Town) -> tuple[LocksShown, LocksShown]:
    first, second = (server.show(ShowLocks(town.user_id)) for server in town.servers)
    return first, second


def swapped(
    answers: tuple[LockEvaluated, LockEvaluated], server: int, wrong: LockEvaluated
) -> list[LockEvaluated]:
    """Return the answers with another one of this server's."""
    return [wrong if at == server else each for at, each in enumerate(answers, 1)]


# --- evaluations ------------------------------------------------------------------------------------------


def evaluated(town: Town, server: int, what: str) -> tuple[Attempt, list[LockEvaluated]]:
    """Return an attempt with the right password, and answers of which one is a lie."""
    attempt = town.attempt()
    answers = town.ask(attempt)
    right = answers[server - 1]
    blinded = attempt.requests[server - 1].blinded
    other = voprf.evaluate(town.record(3 - server).held[0].seed, blinded)
    lies = {
        "another key": voprf.evaluate(OprfSeed(system_entropy(32)), blinded),
        "the other server's key": other,
        "another input": town.ask(town.attempt())[server - 1].evaluation,
        "the other's element, and its own proof": other[:32] + (right.evaluation or b"")[32:],
        "junk": bytes(96),
    }
    return attempt, swapped(answers, server, replace(right, evaluation=lies[what]))


@pytest.mark.parametrize("server", [1, 2])
@pytest.mark.parametrize(
    "what",
    [
        "another key",
        "the other server's key",
        "another input",
        "the other's element, and its own proof",
        "junk",
    ],
)
def test_a_wrong_evaluation_is_that_servers_fault(town: Town, server: int, what: str) -> None:  # REC-7
    attempt, answers = evaluated(town, server, what)
    with pytest.raises(ServerAtFault) as caught:
        attempt.finish(*answers)
    assert caught.value.server == server
    assert town.recover().key == town.key  # the right password is right


@pytest.mark.parametrize("server", [1, 2])
def test_a_wrong_password_is_never_blamed_on_a_server(town: Town, server: int) -> None:  # REC-7
    attempt = town.attempt("wrong")
    answers = town.ask(attempt)
    with pytest.raises(WrongPassword):
        attempt.finish(*answers)
    wrong = replace(answers[server - 1], evaluation=bytes(96))
    with pytest.raises(ServerAtFault):
        attempt.finish(*swapped(answers, server, wrong))


@pytest.mark.parametrize("server", [1, 2])
def test_a_server_that_gives_nothing_is_named(town: Town, server: int) -> None:
    attempt = town.attempt()
    refused = LockEvaluated(None, None, LockStanding(0, 2_000_000_000, rests=True))
    with pytest.raises(LockWaits) as caught:
        attempt.finish(*swapped(town.ask(attempt), server, refused))
    assert (caught.value.server, caught.value.uses_left, caught.value.not_before) == (
        server,
        0,
        2_000_000_000,
    )


def test_the_stricter_standing_is_told() -> None:
    town = Town(Policy(pause=30, uses_a_day=1000))
    town.set_up()
    attempt = town.attempt("wrong")
    first, second = town.ask(attempt)
    stricter = replace(second, standing=LockStanding(2, town.now + 5000))
    with pytest.raises(WrongPassword) as caught:
        attempt.finish(first, stricter)
    assert (caught.value.uses_left, caught.value.not_before) == (2, town.now + 5000)


# --- locks --------------------------------------------------------------------------------------------------


def changed(lock: Lock, what: str) -> Lock:
    """Return another lock under the same id."""
    own = voprf.public_key(OprfSeed(system_entropy(32)))
    return {
        "a public key": replace(lock, public_keys=(own, lock.public_keys[1])),
        "both keys exchanged": replace(lock, public_keys=lock.public_keys[::-1]),
        "another hardness": replace(lock, hardness=recovery_lock.Hardness(2, 8192)),
        "another sealed key": replace(lock, sealed=bytes(80)),
        "another user": replace(lock, name=LockName(bytes(32), lock.name.lock_id)),
    }[what]


CHANGES = ["a public key", "both keys exchanged", "another hardness", "another sealed key", "another user"]


@pytest.mark.parametrize("server", [1, 2])
@pytest.mark.parametrize("what", CHANGES)
def test_locks_that_differ_are_refused_before_a_use(town: Town, server: int, what: str) -> None:  # REC-6
    both = list(shown(town))
    lie = changed(both[0].locks[0], what)
    both[server - 1] = replace(both[server - 1], locks=(lie,))
    with pytest.raises(ServerAtFault) as caught:
        choose(town.user_id, *both)
    assert caught.value.server == 0
    assert town.record(1).meter.uses_left == 1000


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_lock_does_not_open_even_if_both_show_it(town: Town, what: str) -> None:  # REC-5
    """Both servers together deny, but they change nothing of what a user gets back."""
    lock = town.attempt().lock
    attempt = Attempt.begin(PASSWORD, changed(lock, what))
    named = [replace(each, name=lock.name) for each in attempt.requests]
    answers = [server.evaluate(each) for server, each in zip(town.servers, named, strict=True)]
    with pytest.raises((WrongPassword, ServerAtFault)):
        attempt.finish(*answers)


def test_a_lock_of_another_user_is_refused(town: Town) -> None:
    """A server that leads a user to the lock of an account of its own is noticed."""
    first, second = shown(town)
    with pytest.raises(ServerAtFault):
        choose(bytes(32), first, second)


def test_no_lock_in_common(town: Town) -> None:
    first, second = shown(town)
    for pair in ((replace(first, locks=()), second), (first, replace(second, locks=()))):
        with pytest.raises(ServerAtFault, match="no lock in common"):
            choose(town.user_id, *pair)


def test_the_newest_common_lock_counts(town: Town) -> None:  # REC-6
    made = town.make("battery staple")
    for at, server in enumerate(town.servers):
        server.settle(made.settle[at], town.chain)
    first, second = shown(town)
    assert len(first.locks) == 2
    assert choose(town.user_id, first, second) == made.lock
    hidden = replace(second, locks=second.locks[:1])
    assert choose(town.user_id, first, hidden) == first.locks[0]


@pytest.mark.parametrize("liar", [1, 2])
def test_locks_in_another_order_bring_no_old_password_back(town: Town, liar: int) -> None:  # REC-6
    """Both hold the old lock and the new one. The newest is none of one server's choosing."""
    new = town.make("battery staple")
    for server, call in zip(town.servers, new.settle, strict=True):
        server.settle(call, town.chain)
    answers = list(shown(town))
    assert choose(town.user_id, *answers) == new.lock
    lie = answers[liar - 1]
    answers[liar - 1] = replace(lie, locks=lie.locks[::-1])
    with pytest.raises(ServerAtFault, match="another order") as caught:
        choose(town.user_id, *answers)
    assert caught.value.server == 0


@pytest.mark.parametrize("liar", [1, 2])
def test_an_older_lock_under_two_faces_is_refused(town: Town, liar: int) -> None:  # REC-6
    """Every lock that both show is compared, and a server that shows one twice is at fault as well."""
    new = town.make("battery staple")
    for server, call in zip(town.servers, new.settle, strict=True):
        server.settle(call, town.chain)
    old = shown(town)[0].locks[0]
    for wrong in ((changed(old, "a public key"), new.lock), (old, new.lock, old), (new.lock, new.lock)):
        answers = list(shown(town))
        answers[liar - 1] = replace(answers[liar - 1], locks=wrong)
        with pytest.raises(ServerAtFault):
            choose(town.user_id, *answers)


def with_hardness(lock: Lock, passes: int, memory: int) -> bytes:
    items = cbor2.loads(lock.encode())
    items[3:5] = passes, memory
    return cbor2.dumps(items)


def test_a_cheap_or_endless_hardness_is_refused_before_any_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # REC-4
    monkeypatch.undo()
    lock = Town().servers[0].show(ShowLocks(bytes(32))).locks[0]
    assert Lock.decode(with_hardness(lock, 3, 2**26)) == lock
    assert Lock.decode(with_hardness(lock, MAX_PASSES, MAX_MEMORY)).hardness.passes == MAX_PASSES
    for passes, memory in ((2, 2**26), (0, 2**26), (3, 2**26 - 1), (3, 8192), (17, 2**26), (3, 2**30 + 1)):
        with pytest.raises(MalformedMessage):
            Lock.decode(with_hardness(lock, passes, memory))


def test_a_commitment_is_bound_to_the_key(town: Town) -> None:  # REC-5
    """Neither the commitment nor the sealed key can be exchanged with that of another password."""
    lock = town.attempt().lock
    other = Town()
    theirs = other.make("wrong").lock
    for sealed in (
        theirs.sealed,
        lock.sealed[:32] + theirs.sealed[32:],
        theirs.sealed[:32] + lock.sealed[32:],
        lock.sealed[:-1] + bytes((lock.sealed[-1] ^ 1,)),
    ):
        attempt = Attempt.begin(PASSWORD, replace(lock, sealed=sealed))
        with pytest.raises(WrongPassword):
            attempt.finish(*town.ask(attempt))


# --- successes ----------------------------------------------------------------------------------------------


def test_a_success_gives_all_uses_back_once(town: Town) -> None:  # REC-8
    attempt = town.attempt()
    opened = attempt.finish(*town.ask(attempt))
    server = town.servers[0]
    assert town.record(1).meter.uses_left == 999
    assert server.succeed(opened.successes[0]).standing.uses_left == 1000
    with pytest.raises(RecoveryRefused, match="told before"):
        server.succeed(opened.successes[0])
    for _ in range(3):
        town.ask(town.attempt("wrong"))
    with pytest.raises(RecoveryRefused):
        server.succeed(opened.successes[0])
    assert town.record(1).meter.uses_left == 997


def test_a_success_for_the_other_server_gives_nothing_back(town: Town) -> None:  # REC-8
    """A server that sees a success of its own cannot use it to go on guessing at the other one."""
    attempt = town.attempt()
    opened = attempt.finish(*town.ask(attempt))
    first, second = opened.successes
    for server, wrong in ((1, second), (2, first)):
        nonce = town.record(server).meter.nonce or b""
        for told in (wrong, replace(wrong, nonce=nonce)):
            with pytest.raises(RecoveryRefused):
                town.servers[server - 1].succeed(told)
    assert town.record(1).held[0].login != town.record(2).held[0].login


def test_a_success_of_an_earlier_evaluation_is_refused(town: Town) -> None:  # REC-8
    attempt = town.attempt()
    opened = attempt.finish(*town.ask(attempt))
    town.ask(town.attempt("wrong"))
    with pytest.raises(RecoveryRefused, match="earlier evaluation"):
        town.servers[0].succeed(opened.successes[0])


def test_a_success_without_the_password_is_refused(town: Town) -> None:  # REC-8
    attempt = town.attempt("wrong")
    answers = town.ask(attempt)
    nonce = answers[0].nonce or b""
    opened = town.attempt()
    told = opened.finish(*town.ask(opened)).successes[0]
    forged = replace(told, nonce=nonce)
    with pytest.raises(RecoveryRefused):
        town.servers[0].succeed(forged)


# --- what is no request -----------------------------------------------------------------------------------


def test_a_lock_that_is_not_held_costs_no_use(town: Town) -> None:
    attempt = town.attempt()
    for name in (LockName(town.user_id, bytes(16)), LockName(bytes(32), attempt.lock.name.lock_id)):
        with pytest.raises(RecoveryRefused):
            town.servers[0].evaluate(replace(attempt.requests[0], name=name))
    assert town.record(1).meter.uses_left == 1000


def test_what_is_no_element_costs_no_use(town: Town) -> None:
    attempt = town.attempt()
    for wrong in (bytes(32), b"\xff" * 32):
        with pytest.raises(LetterlockError):
            town.servers[0].evaluate(replace(attempt.requests[0], blinded=wrong))
    assert town.record(1).meter.uses_left == 1000


@pytest.mark.parametrize("body", [Lock, LocksShown, LockEvaluated])
def test_junk_from_a_server_is_refused(body: type[Lock | LocksShown | LockEvaluated]) -> None:
    for data in (b"", b"\x80", b"\x81\x02", b"\x84\x01\xf6\xf6\x80", system_entropy(100), bytes(2000)):
        with pytest.raises(LetterlockError):
            body.decode(data)


def test_an_evaluation_without_a_nonce_is_refused() -> None:
    for items in ([1, bytes(96), None, [1, 0, 0], None], [1, None, bytes(32), [1, 0, 0], None]):
        with pytest.raises(MalformedMessage):
            LockEvaluated.decode(cbor2.dumps(items))
