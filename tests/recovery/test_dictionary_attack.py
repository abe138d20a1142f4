"""REC-1, REC-2: one server cannot test a guess. The attack runs, and each server is the attacker in turn.

It runs on all that the server stores (its file's records, opened), and on every body that travelled between
the client and both servers: a lock that is made, two failures, a success, and a change of the lock. The test
of the test leaves the other server's output out of the keys, and then the same attack finds the password.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import cbor2
import pytest

from letterlock._primitives import voprf
from letterlock._primitives.passphrase import PassphraseKey
from letterlock._primitives.voprf import OprfOutput
from letterlock._wire.recovery_lock import LockName
from letterlock.recovery import WrongPassword, _keys, _password
from letterlock.recovery._keys import Outputs
from support.recovery_attack import View, attack
from support.recovery_town import PASSWORD, Town, cheap

__all__ = ["cheap"]
pytestmark = [pytest.mark.usefixtures("cheap"), pytest.mark.slow]

WORDS = ["password", "123456", "wrong once", "wrong twice", PASSWORD, "correct house"]


def lived() -> Town:
    """Return a town in which everything has happened that a server can see."""
    town = Town()
    town.set_up()
    for wrong in ("wrong once", "wrong twice"):
        with pytest.raises(WrongPassword):
            town.recover(wrong)
    town.recover()
    town.attempt()
    return town


def views(town: Town, server: int) -> View:
    """Return what one server has: its own record, and what travelled to and from both."""
    record = town.record(server)
    return View(
        server,
        tuple(each.seed for each in record.held),
        record.held[-1].lock,
        tuple(each.login for each in record.held),
        tuple(body for _, body in town.seen),
    )


@pytest.mark.parametrize("server", [1, 2])
def test_one_server_finds_nothing(server: int) -> None:
    town = lived()
    assert attack(views(town, server), WORDS) == []


def test_both_servers_together_find_the_password() -> None:
    """The claim ends here, and the attack sees it: the other output is what it lacked."""
    town = lived()
    view = views(town, 1)
    other = town.record(2).held[-1]
    stretched = _password.stretch(PASSWORD, other.lock.name, other.lock.hardness)
    blinding = _password.blind_for_both(stretched, other.lock.name)[1]
    output = blinding.finish(voprf.evaluate(other.seed, blinding.blinded), voprf.public_key(other.seed))
    leaked = (*view.seen, cbor2.dumps(output.expose()))
    assert attack(replace(view, seen=leaked), WORDS) == [PASSWORD]


def without(server: int) -> Callable[[bytes, Outputs], bytes]:
    """Return how keys would be made if one output were left out."""
    whole = _keys.combine

    class Nothing(OprfOutput):
        LENGTH = 0
        __slots__ = ()

    def combine(header: bytes, outputs: Outputs) -> bytes:
        nothing = Nothing(b"")
        first, second = outputs
        return whole(header, (nothing, second) if server == 1 else (first, nothing))

    return combine


@pytest.mark.parametrize("server", [1, 2])
def test_the_attack_finds_it_if_the_other_output_is_left_out(
    server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_keys, "combine", without(3 - server))
    assert attack(views(lived(), server), WORDS) == [PASSWORD]


def test_the_attack_finds_a_function_of_the_password_alone() -> None:  # REC-1
    """The fault of the deployed protocol: each server is sent a hash, and tests guesses against it."""
    view = views(lived(), 2)
    sent = cbor2.dumps([1, 99, hashlib.blake2b(PASSWORD.encode(), digest_size=32).digest()])
    assert attack(replace(view, seen=(*view.seen, sent)), WORDS) == [PASSWORD]


def test_what_a_server_sees_is_as_likely_for_every_password() -> None:
    """A blinded input is a uniform element: the same password gives others, and no two repeat."""
    town = Town()
    town.set_up()
    blinded = [each.blinded for _ in range(20) for each in town.attempt().requests]
    assert len(set(blinded)) == 40


def test_an_input_is_bound_to_user_lock_and_server() -> None:  # REC-3
    key = PassphraseKey(bytes(32))
    names = [LockName(bytes(32), bytes(16)), LockName(b"\1" * 32, bytes(16)), LockName(bytes(32), b"\1" * 16)]
    inputs = {_password.server_input(server, key, name) for server in (1, 2) for name in names}
    assert len(inputs) == 6
