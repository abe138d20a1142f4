"""Deliberate breaks of the native module: each breaks one function, and the model must say what is wrong.

Not here: breaks of Python's code (test_deliberate_breaks.py, test_deliberate_breaks_braid.py).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from letterlock._primitives.native import NATIVE, Native
from letterlock._ratchet.braid_states import HeaderReceived, KeysUnsampled
from letterlock._ratchet.triple import Triple
from letterlock._records.session import decode_session, encode_session
from letterlock._session import in_order, late
from letterlock.errors import CorruptStore
from letterlock.stores._interface import Record
from support import model_stories as stories
from support import model_stories_braid as long_stories
from support.model_device import Device
from support.model_world import ADDRESSES, World
from support.pair import live

if NATIVE is None:
    pytest.skip("letterlock-fast is not installed, or switched off", allow_module_level=True)
FAST: Native = NATIVE

Story = Callable[[World, Device, Device], object]


@pytest.fixture
def world() -> Iterator[World]:
    world = World(seed=1)
    world.publish(world.devices[2], 2)
    yield world
    world.close()


class Broken:
    """The native module with another function in the place of one."""

    def __init__(self, name: str, instead: Callable[..., Any]) -> None:
        self.calls = 0
        self._name, self._instead = name, instead

    def __getattr__(self, name: str) -> Any:
        if name != self._name:
            return getattr(FAST, name)
        self.calls += 1
        return self._instead


def unsaved(record: bytes, text: bytes, entropy: bytes) -> Any:
    sent = FAST.send(record, text, entropy)
    return None if sent is None else (record, sent[1])


def with_one_nonce(record: bytes, text: bytes, entropy: bytes) -> Any:
    return FAST.send(record, text, entropy[:-8] + bytes(8))


def with_the_key_after(record: bytes, text: bytes, entropy: bytes) -> Any:
    """Return the message after the next one."""
    sent = FAST.send(record, text, entropy)
    return sent and FAST.send(sent[0], text, entropy[-8:])


def with_one_m(record: bytes, text: bytes, entropy: bytes) -> Any:
    return FAST.send(record, text, with_zeros(record, entropy, HeaderReceived, 32))


def with_one_seed(record: bytes, text: bytes, entropy: bytes) -> Any:
    return FAST.send(record, text, with_zeros(record, entropy, KeysUnsampled, 64))


def with_zeros(record: bytes, entropy: bytes, state: type, length: int) -> bytes:
    """Return the entropy of a message with zeros for what the braid draws, if it is in this state."""
    ratchet = live(decode_session(Record(record))).ratchet
    if isinstance(ratchet, Triple) and isinstance(ratchet.braid, state):
        return entropy[: -length - 8] + bytes(length) + entropy[-8:]
    return entropy


def unpassed(record: bytes, message: bytes) -> Any:
    received = FAST.receive(record, message)
    return None if received is None else (record, *received[1:])


def without_gaps(record: bytes, message: bytes) -> Any:
    received = FAST.receive(record, message)
    return None if received is None else (*received[:2], None)


def whatever_comes(record: bytes, message: bytes) -> Any:
    return FAST.receive(record, message) or (record, b"", None)


def late_whatever_comes(record: bytes, message: bytes, *keys: bytes) -> Any:
    return FAST.receive_late(record, message, *keys) or (None, b"")


def without_its_braid(record: bytes, message: bytes) -> Any:
    """Where a message ends an epoch, return the record with the braid that was before it."""
    received = FAST.receive(record, message)
    if received is None:
        return None
    before, after = (live(decode_session(Record(each))) for each in (record, received[0]))
    assert isinstance(before.ratchet, Triple)
    assert isinstance(after.ratchet, Triple)
    if before.ratchet.braid.epoch != after.ratchet.braid.epoch:
        after = replace(after, ratchet=replace(after.ratchet, braid=before.ratchet.braid))
    return encode_session(after).expose(), *received[1:]


@dataclass(frozen=True)
class Break:
    """`function` is replaced; when the story is played, the model fails with `says`."""

    function: str
    instead: Callable[..., Any]
    story: Story
    says: str


BREAKS: Final = {
    "state not saved": Break("send", unsaved, stories.write_twice, "a message key seals twice"),
    "constant nonce": Break(
        "send", with_one_nonce, stories.write_again_after_a_restore, "a key and nonce seal twice"
    ),
    "key after the next": Break("send", with_the_key_after, stories.write_twice, "that is not the next"),
    "one m for all": Break(
        "send", with_one_m, long_stories.both_send_keys, "an m of the braid serves for two"
    ),
    "one seed for all": Break(
        "send", with_one_seed, long_stories.epochs, "a seed of the braid serves for two"
    ),
    "chain not passed": Break("receive", unpassed, stories.discussed, "a chain stands before"),
    "late keys not kept": Break("receive", without_gaps, stories.late_in_a_discussion, "must be read"),
    "tag not checked": Break("receive", whatever_comes, stories.damaged, "reads what Python refuses"),
    "handshake not minded": Break(
        "receive", whatever_comes, stories.stripped, "what must be refused is read"
    ),
    "saved without its braid": Break(
        "receive", without_its_braid, long_stories.epochs, "a stored session cannot be read"
    ),
    "late tag not checked": Break(
        "receive_late", late_whatever_comes, stories.damaged_in_a_discussion, "reads what Python refuses"
    ),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_a_broken_native_module_is_noticed(
    monkeypatch: pytest.MonkeyPatch, world: World, broken: str
) -> None:
    case = BREAKS[broken]
    module = Broken(case.function, case.instead)
    for user in (in_order, late):
        monkeypatch.setattr(user, "NATIVE", module)
    with pytest.raises((AssertionError, pytest.fail.Exception, CorruptStore), match=case.says):
        case.story(world, world.device(ADDRESSES[0]), world.device(ADDRESSES[2]))
    assert module.calls > 0


STORIES: Final = {each.story.__name__: each.story for each in BREAKS.values()}


@pytest.mark.parametrize("story", STORIES)
def test_the_same_story_of_a_sound_native_module_is_not(world: World, story: str) -> None:
    STORIES[story](world, world.device(ADDRESSES[0]), world.device(ADDRESSES[2]))
