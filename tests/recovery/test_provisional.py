"""Provisional identities: shared with an address, claimed at sign-up, ended and withdrawn; lying servers.

PRV-1 to PRV-8.
"""

from dataclasses import replace
from typing import Any

import pytest

from letterlock import MemoryStore
from letterlock._primitives.ed25519 import Ed25519KeyPair
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.xwing import XWingSeed
from letterlock._records.provisional import HeldIdentity, PersonRecord, decode_person
from letterlock._wire import cbor
from letterlock._wire.grant import Grant
from letterlock.documents import (
    Documents,
    NoGrant,
    ProvisionalKeys,
)
from letterlock.documents._key_finding import open_by_secret
from letterlock.errors import CorruptStore, MalformedMessage, UsageError
from letterlock.limits import DAY
from letterlock.recovery import (
    AskingKey,
    ClaimIdentities,
    Claiming,
    IdentityMade,
    NewIdentity,
    OwnerSecret,
    ProvisionalServer,
    RecoveryRefused,
    SeedsReleased,
    ServerAtFault,
    StoredRows,
    WithdrawIdentity,
    claim_grants,
)
from letterlock.stores import Record
from support.gate_town import GateTown, run
from support.granting import KEY, key_of
from support.half_attack import find_granted_key
from support.provisional_town import DORA, EVE, OWNER, ProvisionalTown


@pytest.fixture
def town() -> ProvisionalTown:
    return ProvisionalTown()


def test_a_person_reads_after_signing_up(town: ProvisionalTown) -> None:
    """Granted to an address, claimed by whoever passed both checks, and then the user's own."""
    grant = town.grant(town.identity())
    bob = town.people.bob.first
    seeds = town.seeds()
    shared, opened = claim_grants(Documents(bob), [grant], seeds)
    assert key_of(bob) == KEY
    assert [each.granter for made in shared for each in made.grants] == ["bob"]
    assert [each.id for each in opened] == [seeds[0].id]
    town.claimed(opened)
    assert town.seeds() == ()
    assert key_of(bob) == KEY  # the seeds are gone, and are not needed


def test_a_granter_learns_who_the_person_is(town: ProvisionalTown) -> None:  # PRV-7
    new = town.identity()
    town.grant(new)
    town.claimed(town.seeds())
    again = NewIdentity.again(DORA, new.request.id, new.request.end, OWNER)
    assert again.finish(*town.made(again)) == town.people.bob.first.user_id


def test_several_granters_and_identities(town: ProvisionalTown) -> None:
    """Nothing in two grants shows that they are for one person. [PRV-1]"""
    one, other = town.identity(), town.identity()
    grants = [town.grant(one), town.grant(other)]
    assert one.request.id != other.request.id
    assert one.request.owner != other.request.owner
    assert DORA.encode() not in b"".join(grants)
    assert {each.id for each in town.seeds()} == {one.request.id, other.request.id}


def test_asking_again_gives_the_same_keys(town: ProvisionalTown) -> None:  # PRV-3
    new = town.identity()
    assert town.keys(new) == town.keys(new)
    assert town.keys(new) != town.keys(town.identity())


def test_a_seed_is_only_for_the_key_that_asked(town: ProvisionalTown) -> None:  # PRV-5
    town.grant(town.identity())
    released = town.released(town.claiming())
    with pytest.raises(ServerAtFault) as caught:
        town.claiming().finish(*released)
    assert caught.value.server == 1


def test_another_address_opens_nothing(town: ProvisionalTown) -> None:
    grant = town.grant(town.identity())
    assert town.seeds(EVE) == ()
    town.keys(town.identity(EVE))
    seeds = town.seeds(EVE)
    assert open_by_secret(Grant.decode(grant), seeds[0]) is None
    assert claim_grants(Documents(town.people.bob.first), [grant], seeds) == ((), ())


@pytest.mark.parametrize("wrong", ["", "x" * 321, "\ud800", 7, None])
def test_what_is_no_address(wrong: object) -> None:  # PRV-2
    with pytest.raises(UsageError, match="1 to 320 bytes"):
        NewIdentity.begin(wrong, 1, OWNER, system_entropy)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="name of a check"):
        NewIdentity.begin(DORA, 1, OWNER, system_entropy, kind="no kind")


def test_a_person_is_whom_the_gate_has_proven() -> None:  # PRV-2, PRV-5
    """A real gate: what a granter writes, and what a code has proven, lead to the same row at each server."""
    town, gates = ProvisionalTown(), GateTown()
    new, claiming = town.identity(), town.claiming()
    written = "Dora@Example.org"
    made, released = list[IdentityMade](), list[SeedsReleased]()
    for server in (1, 2):
        gate = gates.gates[server - 1]
        made.append(town.servers[server].make(gate.claimed("mail", written.encode()), new.request))
        proven = gate.proven(run(gates.proven(DORA.encode(), server)).pass_)
        released.append(town.servers[server].release(proven.tag, claiming.request))
    one, other = (gate.claimed("mail", DORA.encode()) for gate in gates.gates)
    assert one != other
    keys = new.finish(made[0], made[1])
    (seeds,) = claiming.finish(released[0], released[1])
    assert isinstance(keys, ProvisionalKeys)
    assert [each.public.data for each in seeds.pairs] == [keys.first, keys.second]


# --- ends, and withdrawals ------------------------------------------------------------------------------


def test_an_identity_ends(town: ProvisionalTown) -> None:  # PRV-5
    new = town.identity(days=30)
    town.grant(new)
    town.now = new.request.end
    assert len(town.seeds()) == 1
    town.now += 1
    assert town.seeds() == ()
    assert all(not each.seeds for each in town.released(town.claiming()))


def test_an_end_is_within_a_year(town: ProvisionalTown) -> None:
    for days in (0, -1, 367):
        with pytest.raises(RecoveryRefused, match="choose another end"):
            town.made(town.identity(days=days))
    town.keys(town.identity(days=366))


def test_a_clock_that_is_set_ahead_destroys_no_seed(town: ProvisionalTown) -> None:  # PRV-3
    new = town.identity(days=30)
    grant = town.grant(new)
    town.now += 3650 * DAY
    for _ in range(3):
        town.keys(town.identity())
        assert new.request.id not in {each.id for each in town.seeds()}
    town.now -= 3650 * DAY
    found = next(each for each in town.seeds() if each.id == new.request.id)
    assert open_by_secret(Grant.decode(grant), found) == KEY


def test_what_has_ended_is_deleted_when_its_time_was_counted(town: ProvisionalTown) -> None:  # PRV-3
    new = town.identity(days=1)
    town.keys(new)
    for _ in range(25):
        town.now += 3600
        town.keys(town.identity(EVE))
    town.keys(town.identity())
    assert [town.record(server).find(new.request.id) for server in (1, 2)] == [None, None]


def test_what_has_ended_is_deleted_though_nobody_asks_again(town: ProvisionalTown) -> None:  # PRV-3
    """Whoever copies a server's store later finds no seed of a grant that has ended."""
    short, long = town.identity(days=1), town.identity(days=2)
    for each in (short, long, town.identity(EVE, days=1)):
        town.keys(each)
    for hours in range(1, 50):
        town.now += 3600
        left = [made.request.id for made, end in ((short, 24), (long, 48)) if hours <= end]
        for server in (1, 2):
            town.servers[server].expire()
            assert [held.id for held in town.record(server).identities] == left
            assert len(town.record(server, EVE).identities) == (hours <= 24)


def test_a_clock_ahead_expires_nothing(town: ProvisionalTown) -> None:  # PRV-3
    new = town.identity(days=2)
    town.keys(new)
    for step in (3650 * DAY, 0, -3650 * DAY, 3650 * DAY):
        town.now += step
        town.servers[1].expire()
        assert town.record(1).find(new.request.id) is not None


@pytest.mark.parametrize("server", [1, 2])
def test_a_withdrawal_at_one_server_is_enough(town: ProvisionalTown, server: int) -> None:  # PRV-6
    """The other one may keep its seed: nobody gets both."""
    new = town.identity()
    grant = town.grant(new)
    kept = town.record(3 - server).identities[0].seed
    assert kept is not None
    town.withdraw(new, server)
    assert town.seeds() == ()
    known = [kept.expose(), town.record(server).encode().expose(), *(each for _, each in town.seen)]
    seen = [cbor.encode([known[0]]), *known[1:]]
    assert find_granted_key(seen, Grant.decode(grant), KEY.expose()) is None
    town.withdraw(new)  # again changes nothing


@pytest.mark.parametrize(
    "what", ["another owner", "another identity", "for the other server", "no signature"]
)
def test_only_the_owner_withdraws(town: ProvisionalTown, what: str) -> None:  # PRV-6
    new, other = town.identity(), town.identity()
    town.grant(new)
    town.keys(other)
    stranger = NewIdentity.again(DORA, new.request.id, new.request.end, OwnerSecret(bytes(32)))
    right = new.withdraw()
    wrong = {
        "another owner": stranger.withdraw()[0],
        "another identity": replace(other.withdraw()[0], id=new.request.id),
        "for the other server": right[1],
        "no signature": replace(right[0], signature=bytes(64)),
    }[what]
    with pytest.raises(RecoveryRefused, match="did not sign"):
        town.withdraw_at(1, wrong)
    assert len(town.seeds()) == 2


def test_a_withdrawal_of_a_grant_closes_it_too(town: ProvisionalTown) -> None:
    grant = town.grant(town.identity())
    alice = Documents(town.people.alice.first)
    notes = alice.withdraw([Grant.decode(grant).hash])
    bob = Documents(town.people.bob.first)
    bob.take([grant, *notes])
    assert claim_grants(bob, [grant], town.seeds()) == ((), ())
    with pytest.raises(NoGrant):
        key_of(town.people.bob.first)


# --- claims ---------------------------------------------------------------------------------------------


def test_nobody_claims_after_somebody_else(town: ProvisionalTown) -> None:  # PRV-7
    new = town.identity()
    town.grant(new)
    seeds = town.seeds()
    town.claimed(seeds)
    with pytest.raises(RecoveryRefused, match="another user"):
        town.claimed(seeds, bytes(32))
    town.claimed(seeds)  # the same user again changes nothing
    assert all(each.user_id == town.people.bob.first.user_id for each in town.record(1).identities)


def test_a_claim_deletes_the_seeds(town: ProvisionalTown) -> None:  # PRV-7
    town.grant(town.identity())
    held = [town.record(server).identities[0].seed for server in (1, 2)]
    town.claimed(town.seeds())
    for server, seed in enumerate(held, 1):
        assert seed is not None
        assert seed.expose() not in town.record(server).encode().expose()


@pytest.mark.parametrize("server", [1, 2])
def test_one_server_does_not_choose_who_the_person_is(town: ProvisionalTown, server: int) -> None:  # PRV-8
    new = town.identity()
    made = list(town.made(new))
    lie = IdentityMade(None, bytes(32))
    made[server - 1] = lie
    with pytest.raises(RecoveryRefused, match="only one server"):
        new.finish(*made)
    town.claimed(town.seeds())
    made = list(town.made(new))
    made[server - 1] = lie
    with pytest.raises(ServerAtFault, match="different users"):
        new.finish(*made)


# --- encodings ------------------------------------------------------------------------------------------


def test_every_body_is_read_as_it_was_written(town: ProvisionalTown) -> None:
    new, claiming = town.identity(), town.claiming()
    made = town.made(new)
    released = town.released(claiming)
    claim = claiming.claim(bytes(32), claiming.finish(*released))
    bodies: list[Any] = [
        new.request, made[0], IdentityMade(None, bytes(32)), claiming.request, released[0], claim,
        new.withdraw()[0],
    ]  # fmt: skip
    for body in bodies:
        data = body.encode()
        assert type(body).decode(data).encode() == data
        for wrong in (data[:-1], data + b"\0", b"\x81" + data[1:], b""):
            with pytest.raises(MalformedMessage):
                type(body).decode(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        IdentityMade(None, None), ClaimIdentities(bytes(32), (bytes(32), bytes(32))),
        ClaimIdentities(bytes(32), (bytes(31),)), SeedsReleased(((bytes(32), bytes(1167)),)),
        SeedsReleased(((bytes(32), bytes(1168)), (bytes(32), bytes(1168)))),
        WithdrawIdentity("mail", b"x", bytes(31), bytes(64)),
        WithdrawIdentity("M", b"x", bytes(32), bytes(64)),
        WithdrawIdentity("mail", b"", bytes(32), bytes(64)),
    ],
)  # fmt: skip
def test_bodies_that_are_none(wrong: Any) -> None:
    with pytest.raises(MalformedMessage):
        type(wrong).decode(wrong.encode())


def test_a_record_is_read_as_it_was_written() -> None:
    owner = Ed25519KeyPair.generate(system_entropy).public
    held = HeldIdentity(bytes(32), owner, 1, 2, XWingSeed(bytes(32)))
    claimed = replace(held, seed=None, user_id=bytes(32))
    record = PersonRecord((held, claimed))
    assert decode_person(record.encode()).encode() == record.encode()
    for wrong in (b"", b"\x82\x01\x81\x80", b"\x82\x02\x80"):
        with pytest.raises(CorruptStore):
            decode_person(Record(wrong))


@pytest.mark.parametrize("number", [0, 3])
def test_there_are_two_servers(number: int) -> None:
    with pytest.raises(UsageError, match="number 1"):
        ProvisionalServer(number, StoredRows(MemoryStore()))


def test_what_is_no_id() -> None:
    for wrong in (b"x", bytes(33), "x" * 32, None):
        with pytest.raises(UsageError, match="32 bytes"):
            NewIdentity.again(DORA, wrong, 1, OWNER)  # type: ignore[arg-type]


def test_nothing_shows_a_seed(town: ProvisionalTown) -> None:
    town.grant(town.identity())
    seed = town.record(1).identities[0].seed
    assert seed is not None
    claiming = Claiming.begin(AskingKey(seed.expose()))
    for shown in (town.record(1), town.servers, claiming, town.identity(), town.seeds()):
        assert seed.expose().hex() not in repr(shown)
        assert repr(seed.expose()) not in repr(shown)
