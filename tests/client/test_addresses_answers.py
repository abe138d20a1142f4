"""A server has done what it was asked, and its answer is lost: everything goes on, and nothing is done twice.

PRV-3, PRV-6, PRV-7, PRV-10, PRV-11.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from letterlock._wire.relay_body import RelayBody
from letterlock.client import Client, RelayUnavailable
from letterlock.documents import NoGrant
from letterlock.recovery import IdentityRefused
from letterlock.stores import EntryKind
from support.client_addresses import DORA, AddressTown, tell
from support.client_documents import CONTENT, kept, reads, sealed, waiting
from support.client_recovery import Change, RecoveryAsked

T = TypeVar("T")

SERVERS = pytest.mark.parametrize("server", [1, 2])


def lose_answers(name: str, server: int) -> Change:
    """Return a change that loses the answers of a server to a call."""

    def change(asked: RecoveryAsked, given: RelayBody) -> RelayBody:
        if asked.server == server and type(asked.request).__name__ == name:
            raise RelayUnavailable("the answer is lost")
        return given

    return change


async def in_the_end(town: AddressTown, work: Callable[[], Awaitable[T]]) -> T:
    """Do something, and once more, with all answers, if it fails."""
    try:
        return await work()
    except (RelayUnavailable, IdentityRefused):
        assert town.changes
        town.changes.clear()
        town.wait()
        return await work()


@SERVERS
@pytest.mark.parametrize("name", ["MakeIdentity", "ReleaseSeeds", "ClaimIdentities"])
def test_what_is_shared_is_claimed_once(tmp_path: Path, name: str, server: int) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        document, dora = await sealed(alice, town.blobs), await town.client("dora")
        town.changes.append(lose_answers(name, server))
        share, claim = alice.documents.addresses.share, dora.documents.addresses.claim
        made = await in_the_end(town, lambda: share(document, DORA, checks=town.checks()))
        invitation = made.invitation
        assert invitation is not None
        await in_the_end(town, lambda: claim([invitation], checks=town.doras))
        assert not town.changes  # an answer was lost
        assert await reads(dora, document, town.blobs) == CONTENT
        assert sum(each.granter == "dora" for each in await dora.documents.grants(document)) == 1
        assert (await kept(dora, EntryKind.CLAIMED), await waiting(dora)) == ([0], 0)
        await alice.meet("dora")
        (found,) = await alice.documents.addresses.refresh()
        assert found.user_id == dora.user_id
        given = [each for each in await alice.documents.grants(document) if each.granter == "alice"]
        assert sum(each.reader == "dora" for each in given) == 1

    tell(tmp_path, story)


@SERVERS
@pytest.mark.parametrize("name", ["Identify", "Prove"])
def test_a_check_of_which_the_answer_is_lost_is_passed_anew(tmp_path: Path, name: str, server: int) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora = await town.client("dora")
        town.changes.append(lose_answers(name, server))
        claim = dora.documents.addresses.claim
        await in_the_end(town, lambda: claim([invitation], checks=town.doras))
        assert await reads(dora, document, town.blobs) == CONTENT

    tell(tmp_path, story)


@SERVERS
def test_what_is_withdrawn_is_gone(tmp_path: Path, server: int) -> None:  # PRV-6
    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        town.changes.append(lose_answers("WithdrawIdentity", server))
        addresses = alice.documents.addresses
        with pytest.raises(RelayUnavailable):
            await addresses.withdraw(DORA)
        (found,) = await addresses.all()
        assert found.is_withdrawn
        town.changes.clear()
        await addresses.withdraw(DORA)
        assert await addresses.all() == ()
        dora = await town.client("dora")
        with pytest.raises(NoGrant):
            await dora.documents.addresses.claim([invitation], checks=town.doras)

    tell(tmp_path, story)


def test_a_claim_that_is_withdrawn_meanwhile(tmp_path: Path) -> None:  # PRV-6, PRV-7
    """Between the seeds and the last word. The person has it, and no server has anything of it."""

    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora = await town.client("dora")
        town.rules.append(_lost_claim)
        with pytest.raises(RelayUnavailable):
            await dora.documents.addresses.claim([invitation], checks=town.doras)
        town.rules.clear()
        await alice.documents.addresses.withdraw(DORA)
        town.wait()
        claimed = await dora.documents.addresses.claim(checks=town.doras)
        assert (claimed.unopened, claimed.disputed, await kept(dora, EntryKind.CLAIMED)) == (0, 0, [0])
        assert await reads(dora, document, town.blobs) == CONTENT
        town.wait()
        eve = await town.client("eve")
        with pytest.raises(NoGrant):
            await eve.documents.addresses.claim([invitation], checks=town.doras)

    tell(tmp_path, story)


def _lost_claim(asked: RecoveryAsked) -> None:
    if type(asked.request).__name__ == "ClaimIdentities":
        raise RelayUnavailable("lost")
