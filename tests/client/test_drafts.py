"""What is sent to a name that is no contact yet waits until the relay answers rightly."""

from pathlib import Path

import pytest

from letterlock._wire.relay_error import RelayCode
from letterlock.client._transport import Reply
from support.client_town import Town, bodies, play, refusal


@pytest.mark.parametrize("reply", [Reply(200, b"<html>"), Reply(404, b""), refusal(RelayCode.MALFORMED)])
def test_what_is_sent_to_a_new_name_is_kept_while_the_relay_misbehaves(tmp_path: Path, reply: Reply) -> None:
    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        town.rules.append(lambda asked: reply if asked.name == "lists" else None)
        id_ = await alice.send("bob", b"hello")
        assert await alice.delivery(id_) is not None
        town.rules.clear()
        assert await bodies(bob, 1) == [b"hello"]

    play(tmp_path, story)
