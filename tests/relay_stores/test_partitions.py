"""A NATS node that is cut off from the others: its clients go on with another one, and nothing is lost.

`LETTERLOCK_KILLS` is how often a node is cut off; the ordinary run does it once.
"""

import asyncio
import os
from collections.abc import Iterator
from typing import Final

import pytest

from letterlock.relay import Mail, RelayStore, open_store
from letterlock.relay._jetstream import connection
from letterlock.relay._jetstream.store import JetStreamRelayStore
from support.relay_partition import DividedNats
from support.relay_rows import NOW, Person, is_last_resort, letter, page, sent, until_settled, waiting

TIMES: Final = max(1, int(os.environ.get("LETTERLOCK_KILLS", "1")) // 20)

pytestmark = pytest.mark.slow


@pytest.fixture
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DividedNats]:
    made = DividedNats(tmp_path_factory.mktemp("nats"))
    yield made
    made.stop()


def node_of(servers: DividedNats, store: RelayStore) -> int:
    """Return which node a store is connected to."""
    assert isinstance(store, JetStreamRelayStore)
    return servers.ports.index(store._shared.nats.client.connected_url.port)


class Caller:
    """Sends and claims until it is answered, and remembers what it was told."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.sent: list[Mail] = []
        self.claimed: list[bytes | None] = []

    async def call(self, store: RelayStore) -> None:
        """Send one message, and claim one bundle."""
        mail, claim, requester = letter(1), os.urandom(16), os.urandom(16)
        await until_settled(lambda: sent(store, self.person, mail))
        self.sent.append(mail)
        self.claimed += await until_settled(lambda: store.claim(self.person.key, [1], claim, requester, NOW))

    async def require(self, store: RelayStore) -> None:
        """Require that everything is there once, and that no bundle went out twice."""
        assert await waiting(store, self.person) == self.sent
        assert len(set(self.claimed)) == len(self.claimed)
        assert not any(map(is_last_resort, self.claimed))
        assert await store.check() == []


async def test_a_relay_leaves_a_node_that_is_cut_off(
    servers: DividedNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node may have been leader and still believe it. Its clients would wait as long as it is alone."""
    monkeypatch.setattr(connection, "DOUBT_SECONDS", 2.0)
    url = await asyncio.to_thread(servers.fresh)
    stores = [await open_store(url).open() for _ in range(2)]
    person = await Person.registered(stores[0])
    await stores[0].publish(person.key, person.listed(1), page(1, 60), 100)
    caller = Caller(person)
    for turn in range(min(TIMES, 10)):
        node = node_of(servers, stores[turn % 2])
        servers.isolate(node)
        for store in stores:  # the other one is with the same node, or with one that has no leader for now
            await caller.call(store)
            assert node_of(servers, store) != node
        servers.join(node)
        for store in stores:
            await caller.call(store)
    await caller.require(stores[0])
    for store in stores:
        await store.close()
