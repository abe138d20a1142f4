"""History for another device: the archive travels as a file, its key inside the session. USR-44, USR-49."""

import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from letterlock import Address, UsageError
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.content import Content, ContentKind
from letterlock._wire.content_bodies import ArchiveKey, HistoryKey
from letterlock.errors import AuthenticationFailed, LetterlockError, MalformedMessage
from letterlock.limits import HEAD_BYTES, KEPT_LIFETIME, MAX_PLAINTEXT
from letterlock.stores import EntryKind
from letterlock.user import Archive, DeviceClass, Incoming, NeedKind, Outcome, User
from letterlock.user._archive import FRAME_BYTES
from support.pair import flipped
from support.user_devices import World, own_record, world

ITEMS = [b"first", b"", bytes(70_000), b"last"]


def begun(items: list[bytes] = ITEMS) -> tuple[World, User, Archive]:
    """Return a world in which the first device of two made an archive, and its key was delivered."""
    made = world(alices=2)
    archive = made.alice.first.archive(2, items)
    made.servers.carry(made.alice.first, archive.outgoing)
    made.servers.meet(made.alice.first, archive.needs)
    return made, made.alice.devices[2], archive


def kept(user: User, kind: EntryKind) -> int:
    with user.transaction():
        return user._desk.book.store.tables.entries.count(kind)


def test_a_device_reads_what_another_one_archived_for_it() -> None:
    _, new, archive = begun()
    data = b"".join(archive)
    assert list(new.read_archive([data])) == ITEMS
    assert list(new.read_archive(data[at : at + 1] for at in range(len(data)))) == ITEMS  # and again


def test_without_a_session_the_key_waits_for_one() -> None:
    made = world(alices=2)
    archive = made.alice.first.archive(2, ITEMS)
    assert archive.outgoing == ()
    assert [(each.kind, each.device) for each in archive.needs] == [(NeedKind.BUNDLE, 2)]
    data = b"".join(archive)
    with pytest.raises(UsageError, match="no key of the archive"):
        list(made.alice.devices[2].read_archive([data]))
    made.servers.meet(made.alice.first, archive.needs)
    assert list(made.alice.devices[2].read_archive([data])) == ITEMS
    (incoming,) = made.servers.read[Address("alice", 2)]
    assert (incoming.outcome, incoming.kind, incoming.body) == (Outcome.READ, ContentKind.HISTORY_KEY, None)


def test_with_a_session_the_key_goes_at_once() -> None:
    made, new, _ = begun()
    archive = made.alice.first.archive(2, [b"more"])
    (message,) = archive.outgoing
    assert archive.needs == ()
    data = b"".join(archive)
    new.receive(made.alice.first.address, message.message)
    assert list(new.read_archive([data])) == [b"more"]


def test_a_lost_key_is_sent_again_until_it_is_acknowledged() -> None:
    made, _, _ = begun()
    before = kept(made.alice.first, EntryKind.SENT)
    archive = made.alice.first.archive(2, ITEMS)
    assert kept(made.alice.first, EntryKind.SENT) == before + 1
    assert archive.outgoing != ()


def test_items_are_asked_for_one_by_one_and_memory_is_bounded() -> None:
    made, new, _ = begun()
    count = 200

    def items() -> Iterator[bytes]:
        for _ in range(count):
            yield bytes(100_000)

    archive = made.alice.first.archive(2, items())
    new.receive(made.alice.first.address, archive.outgoing[0].message)
    tracemalloc.start()
    try:
        total = sum(len(each) for each in new.read_archive(iter(archive)))
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert total == count * 100_000


# --- refused ----------------------------------------------------------------------------------------------


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "only the start": lambda data: data[:70],
    "without its last frame": lambda data: data[:-FRAME_BYTES],
    "without its last byte": lambda data: data[:-1],
    "one byte more": lambda data: data + b"\0",
    "one bit of a frame": lambda data: flipped(data, 5000),
    "one bit of the stream's header": lambda data: flipped(data, 50),
    "frames that changed places": lambda data: (
        data[:70] + data[70 + FRAME_BYTES : 70 + 2 * FRAME_BYTES] + data[70 : 70 + FRAME_BYTES]
    ),
    "another mark": lambda data: b"L" + data[1:],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_archive_that_is_not_whole_is_refused(change: Callable[[bytes], bytes]) -> None:
    _, new, archive = begun()
    with pytest.raises((MalformedMessage, AuthenticationFailed)):
        list(new.read_archive([change(b"".join(archive))]))


def test_an_archive_under_another_archives_id_is_refused() -> None:
    made, new, first = begun()
    second = made.alice.first.archive(2, [b"other"])
    new.receive(made.alice.first.address, second.outgoing[0].message)
    one, other = b"".join(first), b"".join(second)
    with pytest.raises(AuthenticationFailed):
        list(new.read_archive([one[:30] + second.id + one[46:]]))
    with pytest.raises(AuthenticationFailed):
        list(new.read_archive([one[:70] + other[70:]]))


def test_an_archive_for_another_device_or_user_is_refused() -> None:
    made, _, archive = begun()
    data = b"".join(archive)
    third = made.alice.add()
    for user in (third, made.bob.first, made.alice.first):
        with pytest.raises(UsageError, match="no key of the archive"):
            list(user.read_archive([data]))


@pytest.mark.parametrize("pieces", [["text"], [None], [bytearray(100)]])
def test_pieces_that_are_no_bytes_are_misuse(pieces: list[object]) -> None:
    _, new, _ = begun()
    with pytest.raises(UsageError, match="must be bytes"):
        list(new.read_archive(pieces))  # type: ignore[arg-type]


@pytest.mark.parametrize("device_id", [0, 1, 3, 99, True, "2", None])
def test_an_archive_is_for_another_device_of_this_user(device_id: object) -> None:
    made, _, _ = begun()
    before = kept(made.alice.first, EntryKind.SENT)
    with pytest.raises(UsageError):
        made.alice.first.archive(device_id, ITEMS)  # type: ignore[arg-type]
    assert kept(made.alice.first, EntryKind.SENT) == before


@pytest.mark.parametrize("item", ["text", None, bytearray(3), bytes(MAX_PLAINTEXT + 1)])
def test_an_item_that_is_no_item_ends_the_archive(item: object) -> None:
    _, new, archive = begun([b"right", item])  # type: ignore[list-item]
    pieces: list[bytes] = []
    with pytest.raises(UsageError):
        pieces.extend(archive)
    with pytest.raises(LetterlockError):
        list(new.read_archive(pieces))


def test_a_revoked_device_is_given_no_archive_and_makes_none() -> None:
    made, new, _ = begun()
    made.alice.revoke(2)
    with pytest.raises(UsageError, match="another device of this user"):
        made.alice.first.archive(2, ITEMS)
    new.learn("alice", made.alice.lists)
    with pytest.raises(UsageError, match="revoked"):
        new.archive(1, ITEMS)


# --- keys -------------------------------------------------------------------------------------------------


def key_message(made: World, sender: User, target: User) -> Incoming:
    head = own_record(sender).pin.hash[:HEAD_BYTES]
    body = HistoryKey(b"i" * 16, ArchiveKey(bytes(32))).encode()
    content = Content(ContentKind.HISTORY_KEY, system_entropy(16), made.clock.now, head, head, body)
    message = sender.account.encrypt(target.address, content.encode())
    return target.receive(sender.address, message)


def test_a_key_of_a_contact_or_of_a_limited_device_is_refused() -> None:
    """Section B2, "acceptance of keys from the wrong channel or an unasked device"."""
    made = world()
    kiosk = made.alice.add(device_class=DeviceClass.LIMITED)
    made.servers.send(kiosk, "alice", b"hello")
    made.servers.send(made.bob.first, "alice", b"hello")
    for sender in (kiosk, made.bob.first):
        incoming = key_message(made, sender, made.alice.first)
        assert incoming.outcome is Outcome.REFUSED
        assert isinstance(incoming.error, MalformedMessage)
    assert kept(made.alice.first, EntryKind.HISTORY) == 0
    with pytest.raises(UsageError, match="class limited"):
        kiosk.archive(1, ITEMS)


def test_a_key_is_kept_for_thirty_days() -> None:
    """A thief of the store at day 31 finds nothing of day 0."""
    made, new, archive = begun()
    data = b"".join(archive)
    made.clock.now += KEPT_LIFETIME - 1
    new.upkeep(made.clock.now)
    assert list(new.read_archive([data])) == ITEMS
    made.clock.now += 1
    new.upkeep(made.clock.now)
    assert kept(new, EntryKind.HISTORY) == 0
    with pytest.raises(UsageError, match="no key of the archive"):
        list(new.read_archive([data]))


def test_printing_an_archive_shows_nothing_of_it() -> None:
    _, _, archive = begun()
    for hidden in ("generator", "ArchiveKey", "pieces"):
        assert hidden not in repr(archive)
