"""Provisional identities: servers and strangers that lie, and what one server alone can open.

PRV-3 to PRV-5.
"""

from dataclasses import replace

import pytest

from letterlock._primitives import hpke
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.grant import Grant
from letterlock.documents import (
    Conditions,
    Documents,
    ProvisionalSeeds,
    UnknownAuthor,
)
from letterlock.documents._key_finding import open_by_secret
from letterlock.recovery import (
    NewIdentity,
    OwnerSecret,
    RecoveryRefused,
    SeedsReleased,
    ServerAtFault,
    claim_grants,
)
from support.granting import KEY, begin, key_of, met
from support.half_attack import find_granted_key
from support.provisional_town import DORA, EVE, OWNER, ProvisionalTown


@pytest.fixture
def town() -> ProvisionalTown:
    return ProvisionalTown()


# --- servers and strangers that lie ---------------------------------------------------------------------


def test_a_server_that_gives_the_other_ones_key_is_seen(town: ProvisionalTown) -> None:  # PRV-4
    new = town.identity()
    first, _ = town.made(new)
    with pytest.raises(ServerAtFault, match="same key"):
        new.finish(first, first)


def test_an_id_is_nobody_elses(town: ProvisionalTown) -> None:  # PRV-3
    """Server 1 hears of an id first. Under another owner or end it is not given the key at server 2."""
    new = town.identity()
    thief = NewIdentity.again(DORA, new.request.id, new.request.end, OwnerSecret(bytes(32)))
    town.made_at(2, thief.request)
    with pytest.raises(RecoveryRefused, match="choose another id"):
        town.made(new)
    later = NewIdentity.again(DORA, new.request.id, new.request.end + 1, OWNER)
    with pytest.raises(RecoveryRefused, match="choose another id"):
        town.made_at(1, later.request)


def test_an_id_under_another_person_leads_nowhere(town: ProvisionalTown) -> None:
    """Server 1 asks server 2 for the same id under an address of its own: it gets another seed."""
    new = town.identity()
    town.made_at(2, replace(new.request, address=EVE.encode()))
    grant = town.grant(new)
    assert town.seeds(EVE) == ()  # server 1 has nothing under the other address
    eves = town.record(2, EVE).identities[0].seed
    mine = town.record(1).identities[0].seed
    assert eves is not None
    assert mine is not None
    guess = ProvisionalSeeds(new.request.id, mine.expose(), eves.expose())
    assert open_by_secret(Grant.decode(grant), guess) is None


@pytest.mark.parametrize("server", [1, 2])
def test_a_wrong_seed_opens_nothing_and_harms_no_other(town: ProvisionalTown, server: int) -> None:
    grants = [town.grant(town.identity()), town.grant(town.identity())]
    claiming = town.claiming()
    released = list(town.released(claiming))
    (id_, _), other = released[server - 1].seeds
    info = SeedsReleased.info(server, id_)
    forged = hpke.seal(claiming.request.key, info, system_entropy(32))
    released[server - 1] = SeedsReleased(((id_, forged), other))
    shared, opened = claim_grants(Documents(town.people.bob.first), grants, claiming.finish(*released))
    assert [each.id for each in opened] == [other[0]]
    assert len(shared) == 1


def strangers(town: ProvisionalTown, new: NewIdentity) -> bytes:
    """Return a grant to the same identity by somebody whom the person does not know."""
    conditions = Conditions(valid_until=new.request.end)
    return begin(met().alice.first, [town.keys(new)], conditions=conditions).wire[1]


def test_what_others_write_to_an_identity_hinders_no_grant(town: ProvisionalTown) -> None:
    """The id stands in each grant, so whoever sees one can write another, or spoil a copy."""
    new = town.identity()
    grant = town.grant(new)
    spoilt = grant[:-1] + bytes([grant[-1] ^ 1])
    bob, seeds = town.people.bob.first, town.seeds()
    for others in ([b"no grant"], [spoilt], [b"", spoilt, spoilt[:-1]]):
        shared, done = claim_grants(Documents(bob), [*others, grant], seeds)
        assert ([len(each.grants) for each in shared], done) == ([1], seeds)
    assert key_of(bob) == KEY


def test_seeds_are_not_done_while_an_author_is_not_known(town: ProvisionalTown) -> None:
    """The servers would delete them, and nobody could claim that grant when the author is known."""
    new = town.identity()
    grant, strange = town.grant(new), strangers(town, new)
    bob, seeds = town.people.bob.first, town.seeds()
    with pytest.raises(UnknownAuthor):
        claim_grants(Documents(bob), [strange], seeds)
    shared, done = claim_grants(Documents(bob), [strange, grant], seeds)
    assert (len(shared), done) == (1, ())
    assert key_of(bob) == KEY


@pytest.mark.parametrize("server", [1, 2])
def test_a_server_that_withholds_only_denies(town: ProvisionalTown, server: int) -> None:
    town.grant(town.identity())
    claiming = town.claiming()
    released = list(town.released(claiming))
    released[server - 1] = SeedsReleased(())
    assert claiming.finish(*released) == ()


def test_a_seed_of_the_other_server_is_no_seed(town: ProvisionalTown) -> None:  # PRV-5
    town.grant(town.identity())
    claiming = town.claiming()
    first, second = town.released(claiming)
    with pytest.raises(ServerAtFault):
        claiming.finish(second, first)


def test_a_person_has_a_bound(town: ProvisionalTown) -> None:
    for _ in range(32):
        town.made_at(1, town.identity().request)
    with pytest.raises(RecoveryRefused, match="as many identities"):
        town.made_at(1, town.identity().request)
    assert len(town.released_at(1, town.claiming()).seeds) == 32
    town.made_at(1, town.identity(EVE).request)


# --- one server alone -----------------------------------------------------------------------------------


def view(town: ProvisionalTown, server: int) -> list[bytes]:
    """Return what one server holds, every body to and from both servers, and the grants."""
    return [town.record(server).encode().expose(), *(each for _, each in town.seen)]


@pytest.mark.parametrize("server", [1, 2])
def test_a_dump_and_all_traffic_open_nothing(town: ProvisionalTown, server: int) -> None:  # PRV-1
    grant = Grant.decode(town.grant(town.identity()))
    town.seeds()
    assert find_granted_key(view(town, server), grant, KEY.expose()) is None


@pytest.mark.parametrize("server", [1, 2])
def test_both_dumps_open_it(town: ProvisionalTown, server: int) -> None:
    """The test of the test: with the other seed the same attack finds the key."""
    grant = Grant.decode(town.grant(town.identity()))
    both = [*view(town, server), town.record(3 - server).encode().expose()]
    assert find_granted_key(both, grant, KEY.expose()) == KEY.expose()


def test_a_grant_with_the_whole_key_for_one_server_is_found(
    town: ProvisionalTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    from letterlock.documents import _granted_key

    monkeypatch.setattr(_granted_key, "_xor", lambda _, key: key)
    grant = Grant.decode(town.grant(town.identity()))
    assert find_granted_key(view(town, 2), grant, KEY.expose()) == KEY.expose()
    assert find_granted_key(view(town, 1), grant, KEY.expose()) is None
