"""The only admin of a group lost every device: a member's client begins an epoch by itself. GRP-51"""

from pathlib import Path

import pytest

from letterlock.user import EventKind
from support.client_groups import in_group, texts
from support.client_recovery import KEY_SERVER, Servers, back, hardness
from support.client_town import Town, happens, play
from support.recovery_town import PASSWORD, cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")


def test_the_only_admin_comes_back_to_a_group_and_nobody_is_asked(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        alice, bob, carol = [await servers.client(each) for each in ("alice", "bob", "carol")]
        group = await alice.groups.create("practice", ["bob", "carol"])
        for each in (bob, carol):
            await in_group(each, group, "alice", "bob", "carol")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        await alice.close()
        async with await back(servers, revoke_others=True) as fresh:
            await happens(bob, EventKind.RECOVERED)
            await in_group(fresh, group, "alice", "bob", "carol")
            assert (await fresh.groups.get(group)).epoch == 2
            await fresh.groups.send(group, b"here again")
            for each in (bob, carol):
                assert await texts(each, 1) == [("alice", b"here again")]
            await bob.groups.send(group, b"welcome")
            assert await texts(fresh, 1) == [("bob", b"welcome")]
            assert await fresh.groups.rename(group, "the practice")

    play(tmp_path, story)
