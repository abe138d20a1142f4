"""`letterlock relay serve` over each kind of database, with several workers, and over one after the other."""

import time
from collections.abc import Iterator

import pytest

from support.fault_city import City
from support.relay_databases import DATABASES, Database

pytestmark = pytest.mark.slow

ORDER = ["sqlite", "postgresql", "nats"]


@pytest.fixture
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Database]]:
    """A server of each kind, all at once."""
    running = dict[str, Database]()
    try:
        for name in ORDER:
            running[name] = DATABASES[name](tmp_path_factory.mktemp(name))
        yield running
    finally:
        for each in running.values():
            each.stop()


def test_a_conversation_goes_on_over_three_databases(databases: dict[str, Database]) -> None:
    """Each database is empty when the relay begins over it. Two workers share it.

    The relay stops when everybody has seen everything, but people go on writing: their clients keep that,
    register and publish once more, and send it.
    """
    with City(databases[ORDER[0]].fresh(), workers=2) as city:
        city.begin_relay()
        city.settle("anna", "ben")
        city.settle("carl")
        seen = 0
        for name in ORDER[1:]:
            city.wait_until_seen(seen + 6)
            city.be_quiet()
            city.wait_until_all_is_seen()
            city.end_relay()
            city.speak()
            time.sleep(0.5)
            seen = city.seen
            city.store = databases[name].fresh()
            city.begin_relay()
        city.wait_until_seen(seen + 6)
        city.settle("dora")  # whose first messages need bundles that were published anew
        before = len(city.claims()[0])
        city.wait_until_heard("dora")
        city.be_quiet()
        city.require()
        assert len(city.claims()[0]) > before
