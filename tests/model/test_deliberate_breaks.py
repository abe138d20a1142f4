"""Deliberate breaks: each test breaks the library in one place, and the model must say what is wrong.

Each break has one short story, where hypothesis would need several examples. So we notice when a check of
the model can no longer fail. Breaks of the native module are in test_deliberate_breaks_native.py.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from letterlock import account
from letterlock._device import known_peers
from letterlock._device.prekeys import PrekeyRing
from letterlock._handshake import agreement, transcript
from letterlock._handshake.transcript import Recipient
from letterlock._ratchet.keys import MessageKey
from letterlock._session import peer_sessions, sealing
from letterlock._session.lifecycle import Event
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.sealing import Decrypted
from letterlock._session.session import Live
from letterlock._wire.address import Address
from letterlock._wire.message import HandshakeHeader, RatchetMessage
from letterlock.errors import AuthenticationFailed
from letterlock.stores import Tables
from letterlock.stores._memory import MemoryStore
from letterlock.stores._memory_rows import MemoryCalls, MemoryRows
from support import model_stories as stories
from support.model_device import Device
from support.model_world import ADDRESSES, World
from support.native import without_native

Story = Callable[[World, Device, Device], object]


@pytest.fixture
def world() -> Iterator[World]:
    world = World(seed=1)
    world.publish(world.devices[2], 2)
    yield world
    world.close()


def foreign(*_: object, **__: object) -> bytes:
    raise KeyError("not an error of ours")


def unopened(session: Live, message: RatchetMessage, side: Any, kept: MessageKey | None = None) -> Decrypted:
    if kept is not None:
        raise AuthenticationFailed
    return sealing.decrypt(session, message, side)


def unsaved(state: Any, plaintext: bytes, *others: Any) -> Any:
    return replace(sealing.encrypt(state, plaintext, *others), session=state)


def with_one_nonce(*others: Any) -> bytes:
    key, associated_data, header_bytes, padded, _ = others
    return SEAL(key, associated_data, header_bytes, padded, bytes(8))


def trusting(tables: Tables, address: Address, _: object) -> bool:
    return known_peers.load_peer(tables, address) is None


def of_nobody(header: HandshakeHeader, _: Address, recipient: Recipient, user_ids: bytes | None) -> bytes:
    nobody = Address("nobody")
    return transcript.associated_data(header, nobody, replace(recipient, address=nobody), user_ids)


def kept(state: object, **_: object) -> object:
    return state


def in_any_session(sessions: PeerSessions, message: RatchetMessage, only: object = None) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(peer_sessions, "is_as_sent", yes)
        return DECRYPT(sessions, message)


def deferred(*_: object) -> Event:
    return Event.DEFERRED


def authenticated(*_: object) -> Event:
    return Event.AUTHENTICATED


def barred(*_: object) -> Event:
    return Event.BARRED


def nothing(*_: object) -> None:
    return None


def no(*_: object) -> bool:
    return False


def yes(*_: object, **__: object) -> bool:
    return True


SEAL: Final = sealing._seal
DECRYPT: Final = PeerSessions.decrypt
TABLES: Final = MemoryStore().tables
"""Their classes are those of every memory store."""


@dataclass(frozen=True)
class Break:
    """`name` of `where` is replaced; when the story is played, the model fails with `says`.

    `pure`: Python plays the story, because the native module would take the step that is broken.
    """

    where: object
    name: str
    instead: Callable[..., Any]
    story: Story
    says: str
    pure: bool = False


BREAKS: Final = {
    "state not saved": Break(
        peer_sessions, "encrypt", unsaved, stories.write_twice, "a message key seals twice", pure=True
    ),
    "constant nonce": Break(
        sealing,
        "_seal",
        with_one_nonce,
        stories.write_again_after_a_restore,
        "and nonce seal",
        pure=True,
    ),
    "prekey not deleted": Break(PrekeyRing, "use_up", nothing, stories.first_contact, "still there"),
    "no replay record": Break(
        PrekeyRing, "use_up", nothing, stories.replay_after_a_discard, "key opens twice"
    ),
    "repeats not routed": Break(
        PeerSessions, "find_handshake", nothing, stories.two_first_messages, "must be read"
    ),
    "late key kept": Break(
        MemoryCalls, "delete_kept", nothing, stories.late_message, "of a read message is kept"
    ),
    "late keys not kept": Break(PeerSessions, "_keep_skipped", nothing, stories.late_message, "must be read"),
    "late key lost": Break(peer_sessions, "decrypt", unopened, stories.damaged_late_message, "must be read"),
    "old chain forgotten": Break(
        type(TABLES.past_chains), "has", no, stories.repeated_later, "AuthenticationFailed"
    ),
    "names not bound": Break(agreement, "associated_data", of_nobody, stories.in_another_name, "is read"),
    "nothing undone": Break(MemoryRows, "undo", nothing, stories.taken_back, "changed a store"),
    "nothing discarded": Break(PeerSessions, "delete_all", nothing, stories.discarded, "appear or vanish"),
    "identity changed": Break(account, "check_identity", trusting, stories.impostor, "changed a store"),
    "every promotion deferred": Break(
        peer_sessions, "event_in_archive", deferred, stories.crossed, "not settled|does not bring back"
    ),
    "no promotion barred": Break(
        peer_sessions, "event_in_archive", authenticated, stories.held_back, "earlier session takes over"
    ),
    "a new beginning undone": Break(
        peer_sessions, "event_in_archive", authenticated, stories.unused, "undoes a new beginning"
    ),
    "no answer brings back": Break(
        peer_sessions, "event_in_archive", barred, stories.unread, "does not bring back"
    ),
    "weaker sessions take over": Break(
        peer_sessions, "is_weaker", no, stories.weaker, "a weaker session takes over"
    ),
    "no promotion made up for": Break(peer_sessions, "replace", kept, stories.insisting, "not settled"),
    "handshake not minded": Break(
        PeerSessions, "decrypt", in_any_session, stories.rewrapped_in_another_session, "is read"
    ),
    "handshake stripped": Break(peer_sessions, "is_as_sent", yes, stories.stripped, "is read"),
    "handshake added": Break(peer_sessions, "is_as_sent", yes, stories.wrapped, "is read"),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_a_broken_library_is_noticed(monkeypatch: pytest.MonkeyPatch, world: World, broken: str) -> None:
    case = BREAKS[broken]
    monkeypatch.setattr(case.where, case.name, case.instead)
    by_python = without_native() if case.pure else nullcontext()
    with by_python, pytest.raises((AssertionError, pytest.fail.Exception), match=case.says):
        case.story(world, world.device(ADDRESSES[0]), world.device(ADDRESSES[2]))


@pytest.mark.parametrize("broken", BREAKS)
def test_the_same_story_of_a_sound_library_is_not(world: World, broken: str) -> None:
    BREAKS[broken].story(world, world.device(ADDRESSES[0]), world.device(ADDRESSES[2]))


def test_an_error_that_is_not_ours_escapes_the_model(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    monkeypatch.setattr(PeerSessions, "decrypt", foreign)
    with pytest.raises(KeyError):
        stories.damaged_late_message(world, world.device(ADDRESSES[0]), world.device(ADDRESSES[2]))
