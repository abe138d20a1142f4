"""Deliberate breaks of the triple ratchet: the hybrid KDF, sparse chains, the braid.

The second half of test_deliberate_breaks.py; the stories are in support/model_stories_braid.py.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from letterlock._primitives import kdf, labels
from letterlock._primitives.mlkem import KemSeed
from letterlock._primitives.mlkem_split import EncapsulationRandomness
from letterlock._ratchet import braid, sparse
from letterlock._ratchet.keys import MessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.ratchet import nothing_kept
from letterlock._ratchet.sparse import SparseReceived
from letterlock._ratchet.triple import Triple
from letterlock._records.session import decode_session, encode_session
from letterlock._session import peer_sessions
from letterlock._session.kept_keys import KeptKeys
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.sealing import Decrypted, decrypt
from letterlock._session.session import Ended, Live, Session
from letterlock._wire.message import RatchetMessage
from letterlock.errors import CorruptStore, PeerError
from letterlock.stores import SessionRow, SkippedKey
from letterlock.stores._interface import Record
from letterlock.stores._memory import MemoryStore
from support import model_stories as stories
from support import model_stories_braid as long_stories
from support.model_device import Device
from support.model_world import ADDRESSES, World
from support.native import without_native
from support.pair import live

TABLES: Final = MemoryStore().tables
"""Their classes are those of every memory store."""

Story = Callable[[World, Device, Device], object]


@pytest.fixture
def world() -> Iterator[World]:
    world = World(seed=1)
    world.publish(world.devices[2], 2)
    yield world
    world.close()


def no_keys(*_: object) -> list[SkippedKey]:
    return []


def of_the_double_alone(salt: bytes, ikm: bytes, info: bytes, length: int) -> bytes:
    return kdf.hkdf_sha256(bytes(32) if info == labels.PQ_HYBRID else salt, ikm, info, length)


def of_the_sparse_alone(salt: bytes, ikm: bytes, info: bytes, length: int) -> bytes:
    return kdf.hkdf_sha256(salt, bytes(32) if info == labels.PQ_HYBRID else ikm, info, length)


def early(
    state: Live, message: RatchetMessage, find: Any = nothing_kept, kept: MessageKey | None = None
) -> Decrypted:
    """Advance the braid of a session by a message that does not open in it."""
    try:
        return decrypt(state, message, find, kept)
    except PeerError:
        ratchet, pq_header, keys = state.ratchet, message.pq_header, find.__self__
        assert isinstance(ratchet, Triple)
        assert pq_header is not None
        assert isinstance(keys, KeptKeys)
        received = braid.receive(LETTERLOCK, ratchet.braid, pq_header)
        after = encode_session(replace(state, ratchet=replace(ratchet, braid=received.state)))
        sessions, associated_data = keys._tables.sessions, state.origin.associated_data
        for row in sessions.load(keys._address, 50):
            if decode_session(Record(row.record.expose())).origin.associated_data == associated_data:
                sessions.save(replace(row, record=after))
        raise


def without_the_tail(received: SparseReceived, _: object) -> tuple[sparse.SparseGap, ...]:
    return () if received.gap is None else (received.gap,)


def initiator_only(profile: Any, state: sparse.Sparse, number: int, secret: Any) -> sparse.Sparse:
    return ADD_EPOCH(profile, state, number, secret) if state.is_initiator else state


def one_direction(profile: Any, state: sparse.Sparse, number: int, secret: Any) -> sparse.Sparse:
    """Both sides take the initiator's chain for theirs."""
    added = ADD_EPOCH(profile, replace(state, is_initiator=True), number, secret)
    return replace(added, is_initiator=state.is_initiator)


def without_its_braid(sessions: PeerSessions, row: SessionRow, session: Session) -> None:
    """Save the session after the next message with its braid unchanged."""
    before = {stored.id: live(stored.session).ratchet for stored in sessions.all()}.get(row.id)
    if isinstance(before, Triple) and not isinstance(session, Ended) and isinstance(session.ratchet, Triple):
        session = replace(session, ratchet=replace(session.ratchet, braid=before.braid))
    SAVE_NEXT(sessions, row, session)


def without_moving(profile: Any, state: sparse.Sparse, epoch: int) -> Any:
    _, place, key = SPARSE_SEND(profile, state, epoch)
    return state, place, key


def without_passing(profile: Any, state: sparse.Sparse, place: sparse.SparsePlace) -> SparseReceived:
    return replace(SPARSE_RECEIVE(profile, state, place), state=state)


def one_m(*_: object) -> EncapsulationRandomness:
    return EncapsulationRandomness(bytes(32))


def one_seed(_: object) -> KemSeed:
    return KemSeed(bytes(64))


def unbound(_: object, header: bytes) -> None:
    return None


SAVE_NEXT: Final = PeerSessions._save_next
ADD_EPOCH: Final = sparse.add_epoch
SPARSE_SEND: Final = sparse.send
SPARSE_RECEIVE: Final = sparse.receive


@dataclass(frozen=True)
class Break:
    """See test_deliberate_breaks.py."""

    where: object
    name: str
    instead: Callable[..., Any]
    story: Story
    says: str
    pure: bool = False


BREAKS: Final = {
    "sparse half ignored": Break(
        sparse, "hkdf_sha256", of_the_double_alone, stories.first_contact, "sparse half makes no"
    ),
    "double half ignored": Break(
        sparse, "hkdf_sha256", of_the_sparse_alone, stories.first_contact, "double half makes no"
    ),
    "sparse key kept": Break(
        KeptKeys, "found", no_keys, stories.late_message, "sparse key of a read message"
    ),
    "sparse chain not advanced": Break(
        sparse, "send", without_moving, stories.write_twice, "sparse key seals twice",
        pure=True,
    ),
    "sparse chain not passed": Break(
        sparse, "receive", without_passing, stories.first_contact, "a chain stands before"
    ),
    "braid before the tag": Break(
        peer_sessions, "decrypt", early, long_stories.late_in_another_session, "ends its session"
    ),
    "last chain not sealed": Break(
        SparseReceived, "gaps", without_the_tail, long_stories.late_in_an_epoch_before, "must be read",
        pure=True,
    ),
    "epoch added on one side": Break(
        sparse, "add_epoch", initiator_only, long_stories.epochs, "a stored session cannot be read",
        pure=True,
    ),
    "directions swapped": Break(
        sparse, "add_epoch", one_direction, long_stories.epochs, "must be read, not AuthenticationFailed",
        pure=True,
    ),
    "saved without its braid": Break(
        PeerSessions, "_save_next", without_its_braid, long_stories.epochs, "a stored session cannot be read",
        pure=True,
    ),
    "one m for all": Break(
        EncapsulationRandomness, "generate", one_m, long_stories.both_send_keys, "an m of the braid serves",
        pure=True,
    ),
    "one seed for all": Break(
        braid, "KemSeed", one_seed, long_stories.epochs, "a seed of the braid serves",
        pure=True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("broken", BREAKS)
def test_a_broken_triple_ratchet_is_noticed(
    monkeypatch: pytest.MonkeyPatch, world: World, broken: str
) -> None:
    case = BREAKS[broken]
    monkeypatch.setattr(case.where, case.name, case.instead)
    by_python = without_native() if case.pure else nullcontext()
    with by_python, pytest.raises((AssertionError, pytest.fail.Exception, CorruptStore), match=case.says):
        case.story(world, world.device(ADDRESSES[0]), world.device(ADDRESSES[2]))


STORIES: Final = {each.story.__name__: each.story for each in BREAKS.values()} | {
    "put back": long_stories.put_back_in_an_epoch
}


@pytest.mark.parametrize("story", STORIES)
def test_the_same_story_of_a_sound_triple_ratchet_is_not(world: World, story: str) -> None:
    STORIES[story](world, world.device(ADDRESSES[0]), world.device(ADDRESSES[2]))
