"""What crosses from one server to another one, and what is refused late. PRV-6 PRV-9."""

from dataclasses import replace
from pathlib import Path
from typing import Never

import pytest

from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._wire.parcel import Introduction, ItemKind, ParcelItem, decode_contents, encode_contents
from letterlock._wire.provisional_calls import MakeIdentity, WithdrawIdentity
from letterlock._wire.relay_error import RelayCode
from letterlock.client import Client, ServerUnavailable
from letterlock.client._address_rows import InvitedState
from letterlock.client._transport import Reply
from letterlock.documents import ProvisionalKeys
from letterlock.errors import MalformedMessage, UsageError
from support.client_addresses import DORA, AddressTown, tell
from support.client_recovery import RecoveryAsked, refused


def test_a_pass_is_shown_to_no_other_key_server(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        await town.shared(alice)
        desk, checks = alice.documents.addresses._desk, town.checks()
        async with desk.asking(checks) as asking:
            assert asking._calls.passes.keys() == {1, 2}
        async with desk.asking(replace(checks, key_server="https://other.example")) as asking:
            assert asking._calls.passes == {}

    tell(tmp_path, story)


def test_an_invitation_names_one_granter(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        items, asked = decode_contents(invitation), town.asked
        other = ParcelItem(ItemKind.INTRODUCTION, Introduction(bytes(32), "mallory").encode())
        dora = await town.client("dora")
        for wrong in (items[1:], (*items, other), (*items, items[0])):
            with pytest.raises(MalformedMessage, match="one granter"):
                await dora.documents.addresses.claim([encode_contents(wrong)], checks=town.doras)
        assert town.asked == asked

    tell(tmp_path, story)


def opened() -> Never:
    raise AssertionError("nothing is opened for nobody")


@pytest.mark.parametrize("state", [InvitedState.WITHDRAWN, InvitedState.HALF])
def test_nothing_is_granted_to_an_identity_that_was_withdrawn_meanwhile(
    tmp_path: Path, state: InvitedState
) -> None:
    """PRV-6, PRV-8: another program with this store was faster than the answers of the servers."""

    async def story(town: AddressTown, alice: Client) -> None:
        await town.shared(alice)
        book, run = alice.documents.addresses._book, alice._office.run
        ((id_, row),) = await run(book.rows)
        await run(book._rows.save_invited, id_, replace(row, state=state))
        keys = ProvisionalKeys(id_, *(XWingKeyPair(XWingSeed(bytes([at]) * 32)).public.data for at in (1, 2)))
        with pytest.raises(UsageError, match="meanwhile"):
            await run(book.granted, id_, keys, opened, "")

    tell(tmp_path, story)


def test_a_key_server_that_is_away_hides_no_other_one(tmp_path: Path) -> None:  # PRV-6
    async def story(town: AddressTown, alice: Client) -> None:
        document, _ = await town.shared(alice)
        own = town.checks()
        other, none = replace(own, key_server="https://other.example"), replace(own, key_server=None)
        town.wait()
        await alice.documents.addresses.share(document, DORA, checks=other)
        (first, _), (second, row) = await alice._office.run(alice.documents.addresses._book.rows)
        assert row.key_server == other.key_server

        def away(asked: RecoveryAsked) -> Reply | None:
            is_it = isinstance(asked.request, WithdrawIdentity | MakeIdentity) and asked.request.id == first
            return refused(RelayCode.UNAVAILABLE) if is_it and asked.server == 2 else None

        town.rules.append(away)
        with pytest.raises(ServerUnavailable):
            await alice.documents.addresses.withdraw(DORA, checks=none)
        assert [each.id for each in await alice.documents.addresses.all()] == [first]
        assert second != first
        with pytest.raises(ServerUnavailable):
            await alice.documents.addresses.refresh(checks=none)
        town.rules.clear()
        assert await alice.documents.addresses.refresh(checks=none) == ()

    tell(tmp_path, story)


def test_what_is_at_two_key_servers_is_withdrawn_at_both(tmp_path: Path) -> None:  # PRV-6
    async def story(town: AddressTown, alice: Client) -> None:
        document, _ = await town.shared(alice)
        other = replace(town.checks(), key_server="https://other.example")
        town.wait()
        await alice.documents.addresses.share(document, DORA, checks=other)
        assert len(await alice.documents.addresses.all()) == 2
        assert await alice.documents.addresses.withdraw(DORA) == ()
        assert (await alice.documents.addresses.all(), town.count("withdraw")) == ((), 4)

    tell(tmp_path, story)
