"""Making and changing a lock: who may, and what is left when it ends half-way."""

from dataclasses import replace

import pytest

from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.voprf import Blinding
from letterlock._wire.recovery_calls import BeginLock, ChangeSignature, FinishLock, SettleLock
from letterlock.errors import InvalidKey, LetterlockError, UsageError
from letterlock.limits import DAY
from letterlock.recovery import (
    EvaluateLock,
    Hardness,
    NewLock,
    RecoveryKey,
    RecoveryRefused,
    ServerAtFault,
    ShowLocks,
    WrongPassword,
    device_keys,
)
from letterlock.recovery._signing import signed_for
from letterlock.user import ListChain
from letterlock.user._drafts import next_snapshot
from letterlock.user._signatures import sign_snapshot
from support.pair import NOON
from support.recovery_town import PASSWORD, Town, chain_of, cheap, unknown_lock
from support.user_tools import Owner, document_key

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")

NEW = "battery staple"


def opens(town: Town, password: str) -> bool:
    try:
        return town.recover(password).key == town.key
    except WrongPassword:
        return False


def test_another_password_takes_the_place_of_the_first() -> None:
    town = Town()
    town.set_up()
    town.set_up(NEW)
    assert (opens(town, PASSWORD), opens(town, NEW)) == (False, True)
    assert all(len(town.record(server).held) == 1 for server in (1, 2))


def test_new_keys_after_a_success_heal_a_theft() -> None:  # REC-11
    """Whoever stole one server's seed before has nothing of the new lock."""
    town = Town()
    town.set_up()
    stolen = {town.record(server).held[0].seed.expose() for server in (1, 2)}
    town.recover()
    town.set_up()
    for server in (1, 2):
        stored = town.record(server).encode().expose()
        assert not any(seed in stored for seed in stolen)
    assert opens(town, PASSWORD)


@pytest.mark.parametrize("steps", range(7))
def test_a_change_that_ends_half_way_leaves_a_lock(steps: int) -> None:  # REC-11
    """Begin, settle and finish at each server are six steps: after any number of them one password opens."""
    town = Town()
    town.set_up()
    new = NewLock.begin(NEW, town.key, town.user_id, town.hardness, system_entropy)
    made = new.finish(*town.begin(new))
    for step in range(2, steps):
        at = step % 2
        if step < 4:
            town.servers[at].settle(made.settle[at], town.chain)
        else:
            town.servers[at].finish(made.finish[at], town.chain)
    settled = steps >= 4
    assert (opens(town, PASSWORD), opens(town, NEW)) == (not settled, settled)


@pytest.mark.parametrize("first", [0, 1])
def test_an_interrupted_change_can_be_ended_either_way(first: int) -> None:  # REC-11
    """The lock that both hold stays; `finish` deletes the one that only one server took."""
    town = Town()
    town.set_up()
    made = town.make(NEW)
    town.servers[first].settle(made.settle[first], town.chain)
    with pytest.raises(RecoveryRefused, match="still open"):
        another = town.make("a third")
        town.servers[first].settle(another.settle[first], town.chain)
    for server, call in zip(town.servers, town.keep_only(), strict=True):
        server.finish(call, town.chain)
    assert (opens(town, PASSWORD), opens(town, NEW)) == (True, False)
    town.set_up(NEW)
    assert opens(town, NEW)


def test_each_call_may_come_twice() -> None:
    town = Town()
    town.set_up()
    new = NewLock.begin(NEW, town.key, town.user_id, town.hardness, system_entropy)
    for server, request in zip(town.servers, new.requests, strict=True):
        assert server.begin(request, town.chain).public == server.begin(request, town.chain).public
    made = new.finish(*town.begin(new))
    for _ in range(2):
        for at in (0, 1):
            town.servers[at].settle(made.settle[at], town.chain)
    for _ in range(2):
        for at in (0, 1):
            town.servers[at].finish(made.finish[at], town.chain)
    assert opens(town, NEW)


def test_a_finish_that_comes_again_gives_no_use_back() -> None:
    town = Town()
    made = town.set_up()
    for _ in range(3):
        town.ask(town.attempt("wrong"))
    town.servers[0].finish(made.finish[0], town.chain)
    assert town.record(1).meter.uses_left == 997
    again = town.make(NEW)
    town.servers[0].settle(again.settle[0], town.chain)
    assert town.record(1).meter.uses_left == 997
    town.servers[0].finish(again.finish[0], town.chain)
    assert town.record(1).meter.uses_left == 1000


def test_a_first_lock_has_all_uses() -> None:
    """What strangers spent on the decoy before is not the user's."""
    town = Town()
    user_id = town.user_id
    decoy = town.servers[0].show(ShowLocks(user_id)).locks[0]
    for at in range(3):
        town.servers[0].evaluate(EvaluateLock(decoy.name, Blinding(bytes((at,))).blinded))
    assert town.record(1).meter.uses_left == 997
    town.set_up()
    assert town.record(1).meter.uses_left == 1000


def test_a_pending_lock_is_not_evaluated() -> None:
    """Otherwise a key that is not counted yet would answer any number of guesses."""
    town = Town()
    town.set_up()
    new = NewLock.begin(NEW, town.key, town.user_id, town.hardness, system_entropy)
    server = town.servers[0]
    server.begin(new.requests[0], town.chain)
    attempt = town.attempt()
    with pytest.raises(RecoveryRefused):
        server.evaluate(replace(attempt.requests[0], name=new.name))


def test_a_pending_lock_takes_one_input() -> None:
    """The recovery device signs the input, and a second one under the same id is refused."""
    town = Town()
    town.set_up()
    signing = device_keys(town.key).signing
    new = NewLock.begin(NEW, town.key, town.user_id, town.hardness, system_entropy)
    town.servers[0].begin(new.requests[0], town.chain)
    again = signed_for(1, replace(new.requests[0], blinded=new.requests[1].blinded), signing)
    with pytest.raises(RecoveryRefused, match="another input"):
        town.servers[0].begin(again, town.chain)


def test_an_input_that_is_no_element_begins_nothing() -> None:
    town = Town()
    signing = device_keys(town.key).signing
    begin = BeginLock(unknown_lock(town.user_id), bytes(32), ChangeSignature(b"", b""))
    with pytest.raises(InvalidKey):
        town.servers[0].begin(signed_for(1, begin, signing), town.chain)


# --- who may change a lock ------------------------------------------------------------------------------


def forged(town: Town, what: str) -> tuple[BeginLock, ListChain]:
    """Return the beginning of a lock for server 1 that it must refuse, and the chain that it knows."""
    new = NewLock.begin(NEW, town.key, town.user_id, town.hardness, system_entropy)
    begin, other = new.requests
    mallory = RecoveryKey(system_entropy(32))
    by_mallory = signed_for(1, begin, device_keys(mallory).signing)
    wrong: dict[str, BeginLock] = {
        "signed for the other server": other,
        "signed by another recovery key": by_mallory,
        "the key of the list, and another's signature": replace(
            begin, by=replace(begin.by, signature=by_mallory.by.signature)
        ),
        "of another input": replace(begin, blinded=other.blinded),
        "named for us, and signed by another user": by_mallory,
        "of another lock": replace(begin, name=unknown_lock(town.user_id)),
    }
    chains = {
        "named for us, and signed by another user": lambda: chain_of(mallory, "mallory"),
        "of another user": lambda: chain_of(mallory, "mallory"),
        "of a user without a recovery device": lambda: Owner("phone only").chain,
    }
    return wrong.get(what, begin), chains.get(what, lambda: town.chain)()


@pytest.mark.parametrize(
    "what",
    [
        "signed for the other server", "signed by another recovery key",
        "the key of the list, and another's signature", "of another input", "of another lock",
        "of another user", "named for us, and signed by another user", "of a user without a recovery device",
    ],
)  # fmt: skip
def test_a_change_that_the_recovery_device_did_not_sign(what: str) -> None:  # REC-10
    town = Town()
    town.set_up()
    begin, chain = forged(town, what)
    before = town.record(1).encode().expose()
    with pytest.raises(RecoveryRefused):
        town.servers[0].begin(begin, chain)
    assert town.record(1).encode().expose() == before
    assert opens(town, PASSWORD)


def revoked(town: Town) -> ListChain:
    """Return the chain after the recovery device revoked itself."""
    keys = device_keys(town.key)
    snapshot = next_snapshot(
        town.chain.newest, town.user_id, NOON + DAY, revoke=(9,), document_key=document_key("next")
    )
    return town.chain.extended([sign_snapshot(snapshot, 9, keys.signing)])


def test_a_recovery_device_that_was_revoked_changes_nothing() -> None:  # REC-10
    town = Town()
    town.set_up()
    made = town.make(NEW)
    chain = revoked(town)
    with pytest.raises(RecoveryRefused, match="no recovery device"):
        town.servers[0].settle(made.settle[0], chain)


def newer_list(town: Town) -> ListChain:
    """Return the user's chain with one version more."""
    chain = town.chain
    newer = next_snapshot(chain.newest, town.user_id, NOON + DAY, document_key=document_key("next"))
    return chain.extended([sign_snapshot(newer, 9, device_keys(town.key).signing)])


@pytest.mark.parametrize("last", ["begin", "finish"])
def test_every_change_raises_the_version_that_is_known(last: str) -> None:  # REC-10
    """Otherwise a recovery device that was revoked since could change the lock once more."""
    town = Town()
    town.set_up()
    old, newer = town.chain, newer_list(town)
    made = town.make(NEW)
    server = town.servers[0]
    if last == "finish":
        server.settle(made.settle[0], old)
        server.finish(made.finish[0], newer)
    else:
        town.chain = newer
        town.make("a third")
    with pytest.raises(RecoveryRefused, match="newer device list"):
        server.settle(made.settle[0], old)
    with pytest.raises(RecoveryRefused, match="newer device list"):
        server.finish(made.finish[0], old)


def test_a_finish_makes_no_lock_of_a_decoy() -> None:  # REC-10, REC-12
    """A first lock still takes its place, whatever list the call came with."""
    town = Town()
    decoy = town.servers[0].show(ShowLocks(town.user_id)).locks[0]
    for server, call in zip(town.servers, town.keep_only(decoy.name), strict=True):
        server.finish(call, town.chain)
    made = town.make()
    town.servers[0].settle(made.settle[0], town.chain)
    assert [each.lock for each in town.record(1).held] == [made.lock]


def test_an_older_list_is_refused_after_a_newer_one() -> None:  # REC-10
    """Whoever has a revoked recovery key cannot come back with the list from before."""
    town = Town()
    old, town.chain = town.chain, newer_list(town)
    town.set_up()
    made = town.make(NEW)
    with pytest.raises(RecoveryRefused, match="newer device list"):
        town.servers[0].settle(made.settle[0], old)
    with pytest.raises(RecoveryRefused, match="newer device list"):
        town.servers[0].finish(made.finish[0], old)


def test_a_lock_with_another_key_than_the_servers_is_refused() -> None:
    town = Town()
    town.set_up()
    made = town.make(NEW)
    swapped = replace(made.lock, public_keys=made.lock.public_keys[::-1])
    settle = signed_for(1, replace(made.settle[0], lock=swapped), device_keys(town.key).signing)
    with pytest.raises(RecoveryRefused, match="another key"):
        town.servers[0].settle(settle, town.chain)


def test_a_lock_in_force_is_not_settled_again_with_other_bytes() -> None:
    town = Town()
    made = town.set_up()
    changed = replace(made.lock, sealed=bytes(80))
    settle = signed_for(1, replace(made.settle[0], lock=changed), device_keys(town.key).signing)
    with pytest.raises(RecoveryRefused, match="in force"):
        town.servers[0].settle(settle, town.chain)
    assert opens(town, PASSWORD)


def test_a_lock_that_was_never_begun_is_refused() -> None:
    town, elsewhere = Town(), Town()
    town.set_up()
    elsewhere.key, elsewhere.chain = town.key, town.chain
    made = elsewhere.make(NEW)
    with pytest.raises(RecoveryRefused, match="begin it first"):
        town.servers[0].settle(made.settle[0], town.chain)
    with pytest.raises(RecoveryRefused, match="no such lock"):
        town.servers[0].finish(made.finish[0], town.chain)


@pytest.mark.parametrize("server", [1, 2])
def test_a_server_that_proves_another_key_stops_the_making(server: int) -> None:
    town = Town()
    new = NewLock.begin(PASSWORD, town.key, town.user_id, town.hardness, system_entropy)
    answers = town.begin(new)
    at = server - 1
    answers[at] = replace(answers[at], public=answers[1 - at].public)
    with pytest.raises(ServerAtFault) as caught:
        new.finish(*answers)
    assert caught.value.server == server


@pytest.mark.parametrize("wrong", ["", "x" * 4097])
def test_a_password_has_a_length(wrong: str) -> None:
    town = Town()
    with pytest.raises(UsageError):
        NewLock.begin(wrong, town.key, town.user_id, town.hardness, system_entropy)


def test_the_same_letters_typed_otherwise_are_one_password() -> None:
    town = Town()
    town.set_up("caf\u00e9 \u2161")
    assert opens(town, "cafe\u0301 II")


def test_calls_read_what_they_write() -> None:
    town = Town()
    made = town.set_up()
    for body in (*made.settle, *made.finish, *(each for pair in town.begun for each in pair), made.lock):
        assert type(body).decode(body.encode()) == body


@pytest.mark.parametrize("body", [SettleLock, FinishLock, BeginLock])
def test_random_bytes_are_refused(body: type[SettleLock | FinishLock | BeginLock]) -> None:
    for data in (b"", system_entropy(64), b"\x87" + system_entropy(64), bytes(9000)):
        with pytest.raises(LetterlockError):
            body.decode(data)


def test_hardness_has_limits(monkeypatch: pytest.MonkeyPatch) -> None:  # REC-4
    monkeypatch.undo()
    for passes, memory in ((2, 2**26), (3, 2**26 - 1), (17, 2**26), (3, 2**30 + 1)):
        with pytest.raises(UsageError):
            Hardness(passes, memory)
    assert Hardness() == Hardness(3, 2**26)
