"""A real relay in a process of its own, real connections, and processes that are killed at any point."""

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from letterlock import SqliteStore
from letterlock.client import (
    AlreadyDone,
    NameTaken,
    RelayEventKind,
    RelayUnavailable,
    SyncClient,
    SyncMessage,
)
from letterlock.errors import AccountExists, NoAccount, StoreError, UsageError
from letterlock.groups import GroupRole
from letterlock.user import EventKind, LinkingCode
from support import client_programs
from support.client_programs import KEY
from support.forks import Forked
from support.ports import free_port
from support.relay_process import RelayProcess, kill, program

PROGRAM = Path(client_programs.__file__)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    with RelayProcess(tmp_path_factory.mktemp("relay")) as running:
        yield running


def create(relay: RelayProcess, folder: Path, name: str) -> SyncClient:
    return SyncClient.create(folder / f"{name}.db", key=KEY, name=name, relay=relay.url)


def bodies(client: SyncClient, count: int) -> list[bytes]:
    found: list[bytes] = []
    for message in client.messages(wait=30):
        found.append(message.body)
        message.done()
        if len(found) == count:
            break
    return found


def test_two_people_without_asyncio(relay: RelayProcess, tmp_path: Path) -> None:
    with create(relay, tmp_path, "anna") as anna, create(relay, tmp_path, "ben") as ben:
        assert (anna.name, str(anna.address), anna.is_online) == ("anna", "anna.1", True)
        assert anna.meet("ben").user_id == ben.user_id
        id_ = anna.send("ben", b"hello")
        assert bodies(ben, 1) == [b"hello"]
        delivery = anna.delivery(id_)
        assert delivery is None or delivery.name == "ben"
        ben.send("anna", b"good day")
        assert bodies(anna, 1) == [b"good day"]
        number = ben.safety_number("anna")
        anna.verify("ben", number.digits)
        assert [each.state.value for each in anna.contacts()] == ["verified"]
        assert anna.contact("ben").devices == ben.devices()
        assert anna.evidence("ben") is None
        for call in (ben.keep, ben.replace):
            with pytest.raises(UsageError):
                call("anna")
        kinds = {each.kind for each in ben.events(wait=1)}
        assert kinds >= {EventKind.NEW_CONTACT, RelayEventKind.UP}


def test_a_group_without_asyncio(relay: RelayProcess, tmp_path: Path) -> None:
    with create(relay, tmp_path, "gail") as gail, create(relay, tmp_path, "hugo") as hugo:
        group = gail.groups.create("team", ["hugo"])
        id_ = gail.groups.send(group, b"one")
        assert bodies(hugo, 1) == [b"one"]
        assert gail.groups.is_sent(id_)
        assert [each.name for each in hugo.groups.all()] == ["team"]
        hugo.groups.send(group, b"two")
        assert bodies(gail, 1) == [b"two"]
        assert gail.groups.set_role(group, ["hugo"], GroupRole.READER)
        hugo.groups.refresh()
        hugo.groups.send(group, b"three")
        assert RelayEventKind.GROUP_GIVEN_UP in {each.kind for each in hugo.events(wait=5)}
        with pytest.raises(UsageError):
            hugo.groups.rename(group, "mine")
        assert gail.groups.rename(group, "other")
        assert gail.groups.remove(group, ["hugo"])
        hugo.groups.refresh()
        assert hugo.groups.get(group).role is None
        assert gail.groups.close(group)
        assert gail.groups.evidence(group) is None
        gail.groups.forget(group)
        assert gail.groups.all() == ()


def test_a_second_device_without_asyncio(relay: RelayProcess, tmp_path: Path) -> None:
    shown: list[LinkingCode] = []
    digits: list[str] = []
    told = threading.Event()

    def show(code: LinkingCode) -> None:
        shown.append(code)
        told.set()

    def compare(number: str) -> bool:
        return [number] == digits

    joined: list[SyncClient] = []

    def join() -> None:
        joined.append(
            SyncClient.join(tmp_path / "two.db", key=KEY, relay=relay.url, show=show, digits=digits.append)
        )

    with create(relay, tmp_path, "carl") as one, create(relay, tmp_path, "dora") as dora:
        thread = threading.Thread(target=join)
        thread.start()
        assert told.wait(30)
        assert one.link(LinkingCode.from_text(shown[0].text()), compare) == 2
        thread.join()
        with joined[0] as two:
            assert str(two.address) == "carl.2"
            dora.send("carl", b"to both")
            assert bodies(one, 1) == bodies(two, 1) == [b"to both"]
            one.revoke(2)
            assert [each.id for each in one.devices()] == [1]


def test_stores_that_cannot_be_opened(relay: RelayProcess, tmp_path: Path) -> None:
    create(relay, tmp_path, "emil").close()
    with pytest.raises(AccountExists):
        create(relay, tmp_path, "emil")
    with pytest.raises(NameTaken):
        SyncClient.create(tmp_path / "other.db", key=KEY, name="emil", relay=relay.url)
    assert not list(tmp_path.glob("other.db*"))
    with pytest.raises(UsageError, match="no such store"):
        SyncClient.open(tmp_path / "missing.db", key=KEY)
    SqliteStore(tmp_path / "empty.db", key=KEY).close()
    with pytest.raises(NoAccount):
        SyncClient.open(tmp_path / "empty.db", key=KEY)
    with pytest.raises(UsageError):
        SyncClient.open(tmp_path / "emil.db")
    with pytest.raises(RelayUnavailable):
        SyncClient.create(tmp_path / "late.db", key=KEY, name="late", relay=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(UsageError, match="cut short"):
        SyncClient.open(tmp_path / "late.db", key=KEY)
    client = SyncClient.open(tmp_path / "emil.db", key=KEY)
    client.close()
    client.close()
    with pytest.raises(StoreError):
        client.devices()


def test_a_transaction_is_whole_or_nothing(relay: RelayProcess, tmp_path: Path) -> None:
    with create(relay, tmp_path, "fred") as fred, create(relay, tmp_path, "gina") as gina:
        gina.run(lambda: gina.store.connection.execute("CREATE TABLE texts (body BLOB)"))
        fred.send("gina", b"kept")

        def keep(message: SyncMessage) -> None:
            gina.run(lambda: gina.store.connection.execute("INSERT INTO texts VALUES (?)", [message.body]))

        seen = 0
        for message in gina.messages(wait=30):
            seen += 1
            try:
                with gina.transaction():
                    keep(message)
                    message.done()
                    gina.send("fred", b"seen")
                    assert seen == 2  # the first time undoes it all
            except AssertionError:
                continue  # undone, so the message is given again
            with pytest.raises(AlreadyDone), gina.transaction():
                keep(message)
                message.done()
            break
        assert seen == 2
        assert gina.run(lambda: gina.store.connection.execute("SELECT body FROM texts").fetchall()) == [
            (b"kept",)
        ]
        assert bodies(fred, 1) == [b"seen"]


def test_a_relay_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    relay = RelayProcess(tmp_path).start()
    with create(relay, tmp_path, "hans") as hans, create(relay, tmp_path, "ida") as ida:
        for number in range(12):
            hans.send("ida", b"%d" % number)
            if number == 4:
                relay.kill()
            if number == 8:
                relay.start()
        assert bodies(ida, 12) == [b"%d" % each for each in range(12)]
    relay.kill()


def test_programs_that_are_killed_lose_nothing_and_save_nothing_twice(
    relay: RelayProcess, tmp_path: Path
) -> None:
    """CLN-1, CLN-2: 24 numbers, with the writer and the reader killed at random."""
    chance, count = random.Random(14), 24
    create(relay, tmp_path, "writer").close()
    bob = create(relay, tmp_path, "bob")
    bob.close()
    for _ in range(3):
        writer, reader = running(tmp_path, count)
        threading.Event().wait(chance.random())
        kill(writer)
        threading.Event().wait(chance.random() / 2)
        kill(reader)
    writer, reader = running(tmp_path, count)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "done\n"
    while len(numbers(tmp_path)) < count:
        assert reader.poll() is None
        threading.Event().wait(0.1)
    kill(writer)
    kill(reader)
    assert numbers(tmp_path) == list(range(count))


def test_two_programs_share_a_store_and_one_of_them_is_killed(relay: RelayProcess, tmp_path: Path) -> None:
    """CLN-9: both read for one person; one is killed, and another one opens the store at once."""
    count = 12
    create(relay, tmp_path, "author").close()
    bob = SyncClient.create(tmp_path / "shared.db", key=KEY, name="ben-shared", relay=relay.url)
    bob.close()
    readers = [reading(tmp_path), reading(tmp_path)]
    with SyncClient.open(tmp_path / "author.db", key=KEY) as author:
        for number in range(count):
            author.send("ben-shared", b"%d" % number)
            if number in {4, 8}:
                kill(readers.pop(0))
                readers.append(reading(tmp_path))
        author.flush(60)
    while len(numbers(tmp_path, "shared.db")) < count:
        assert all(each.poll() is None for each in readers)
        threading.Event().wait(0.1)
    for each in readers:
        kill(each)
    assert numbers(tmp_path, "shared.db") == list(range(count))


def reading(folder: Path) -> Forked:
    """Start a program that reads from the shared store, and return it when it is ready."""
    started = program(PROGRAM, "read", str(folder / "shared.db"))
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


def running(folder: Path, count: int) -> list[Forked]:
    """Start both programs, and return them when they are ready."""
    started = [
        program(PROGRAM, "write", str(folder / "writer.db"), str(count)),
        program(PROGRAM, "read", str(folder / "bob.db")),
    ]
    for each in started:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    return started


def numbers(folder: Path, name: str = "bob.db") -> list[int]:
    with SqliteStore(folder / name, key=KEY) as store, store.transaction():
        rows = store.connection.execute("SELECT number FROM numbers").fetchall()
    return sorted(number for (number,) in rows)
