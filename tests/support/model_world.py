"""The world of the model: two users with two devices each, their messages, and who may read what.

    World      everything a test can make happen; each step checks the result
    Verdict    whether a parcel must be read, must be refused, or may be either

A parcel must be read if its message is whole, comes from the claimed sender, is new to the device, and
belongs to a session that the device holds or can begin with its prekeys. A `forked` session is an exception:
one of its two stores was restored from an older copy, so the two ratchets may not fit any more
(spec/limitations.md). What cannot be read there is refused in one of three ways (FORKED). Everything else
must be refused, and a refusal changes nothing. What is read is what that device wrote, and is read once.

Not here: keys and prekeys used twice (model_ledger.py), how two devices agree on a session again
(model_settling.py).
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import pytest

from letterlock import hazmat
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.suite import Suite
from letterlock.errors import (
    AuthenticationFailed,
    BraidFailed,
    DuplicateMessage,
    InvalidSignature,
    NoSession,
    PeerError,
    StaleBundle,
    TrustError,
    UntrustedIdentity,
    UsageError,
)
from letterlock.limits import DAY, MAX_BUNDLE_AGE
from letterlock.stores._memory import MemoryStore
from support.model_device import Device, Home
from support.model_ledger import Ledger
from support.model_messages import Message, Need, Parcel, needs_of, whole
from support.model_server import PrekeyServer, Stock
from support.pair import BOTH_SUITES, Clock, entropy_of, snapshot, unchanged

ADDRESSES: Final = (Address("alice", 1), Address("alice", 2), Address("bob", 1), Address("bob", 2))
LINKS: Final = ((0, 2), (0, 3), (1, 2), (1, 3))
"""Who writes to whom, as places in ADDRESSES."""

MAX_SESSIONS: Final = 28
"""Sessions that two devices may begin before they settle; more would push some out of an archive."""


FORKED: Final = (AuthenticationFailed, BraidFailed, DuplicateMessage)
"""How a message may be refused if one side of its session was restored."""


class Verdict(Enum):
    """What must happen to a parcel."""

    READ = auto()
    REFUSED = auto()
    DUPLICATE = auto()
    """Refused as DuplicateMessage."""
    EITHER = auto()


class Undo(Exception):
    """Raised inside a transaction to undo it."""


@dataclass(frozen=True)
class Handshake:
    """Where a session comes from."""

    initiator: Address
    needs: tuple[Need, ...]
    suite: Suite = Suite.PQXDH


class World:
    """Four devices, a prekey server, and every message that was ever written."""

    def __init__(self, *, on_disk: bool = False, seed: object = 0) -> None:
        self.ledger = Ledger()
        self.clock = Clock()
        self.home = Home(on_disk)
        self.server = PrekeyServer()
        self.seed = seed
        self.devices = [self._device(address) for address in ADDRESSES]
        for device in self.devices:
            device.others = [each for each in self.devices if each is not device]
            self.publish(device, 0)
        self.messages: list[Message] = []
        self.on_the_way: list[Message] = []
        self.handshakes: dict[bytes, Handshake] = {}
        self.forked: set[bytes] = set()
        self.begun: dict[frozenset[Address], int] = {}
        self.impostors = 0

    def _device(self, address: Address) -> Device:
        entropy = entropy_of(f"{self.seed} {address}")
        return Device(address, self.home, self.clock, entropy, self.ledger)

    def close(self) -> None:
        for device in self.devices:
            device.store.close()
        self.home.close()
        self.ledger.close()

    def device(self, address: Address) -> Device:
        return self.devices[ADDRESSES.index(address)]

    def peers(self, device: Device) -> list[Device]:
        """The devices of the other user."""
        return [each for each in self.devices if each.address.name != device.address.name]

    # prekeys and sessions

    def publish(self, device: Device, one_time: int, *, rotate: bool = False) -> None:
        self.server.upload(device.publish(one_time, rotate=rotate).encode())

    def may_begin(self, one: Device, other: Device) -> bool:
        return self.begun.get(frozenset({one.address, other.address}), 0) < MAX_SESSIONS

    def begin(
        self,
        device: Device,
        peer: Device,
        bundle: PrekeyBundle | None = None,
        *,
        suite: Suite = Suite.PQXDH,
        discard: bool = False,
    ) -> None:
        """Initiate a session, with a bundle from the server unless one is given."""
        bundle = bundle or self.fresh_bundle(peer)
        refusal = self._refusal(bundle)
        if refusal is not None:
            with unchanged(device.store), pytest.raises(refusal), device.acts():
                device.account.initiate(peer.address, bundle, suite=suite, discard_earlier=discard)
            return
        active = None if discard else device.active(peer.address)
        is_weaker = active is not None and suite < self.handshakes[active].suite
        once = {need.key for need in needs_of(bundle, suite) if need.key in peer.timeline.one_time}
        if is_weaker or once & device.timeline.handed:
            with unchanged(device.store), pytest.raises(UsageError), device.acts():
                device.account.initiate(peer.address, bundle, suite=suite, discard_earlier=discard)
            return
        device.timeline.handed |= once
        with device.acts():
            device.account.initiate(peer.address, bundle, suite=suite, discard_earlier=discard)
        link = frozenset({device.address, peer.address})
        self.begun[link] = self.begun.get(link, 0) + 1
        held = device.timeline.held.setdefault(peer.address, set())
        if discard:
            held.clear()
        session = device.active(peer.address)
        assert session is not None
        assert session not in self.handshakes, "two handshakes give one session"
        self.handshakes[session] = Handshake(device.address, needs_of(bundle, suite), suite)
        device.timeline.holds(peer.address, session)
        device.timeline.unanswered[peer.address] = session

    def fresh_bundle(self, peer: Device, stock: Stock = Stock.WHOLE) -> PrekeyBundle:
        """Fetch a bundle that is not too old: its owner publishes first if need be, as `StaleBundle` says."""
        if self._refusal(self.server.hand_out(peer.address, Stock.LAST_RESORT)) is not None:
            self.publish(peer, 1)
        return self.server.hand_out(peer.address, stock)

    def _refusal(self, bundle: PrekeyBundle) -> type[PeerError] | None:
        """Return how a bundle must be refused that a server made up, or that is too old. HAND-1, HAND-15"""
        if bundle.encode() not in self.server.signed:
            return InvalidSignature
        age = self.clock.now - bundle.made_on * DAY
        return None if -DAY <= age <= MAX_BUNDLE_AGE else StaleBundle

    def heal(self, device: Device) -> None:
        """Do what spec/limitations.md asks after a restore: begin new sessions and publish prekeys."""
        self.publish(device, 2, rotate=True)
        for peer in self.peers(device):
            self.begin(device, peer, discard=True)
        device.stale = False

    # messages

    def write(self, device: Device, peer: Device, filler: bytes = b"") -> Message | None:
        """Write a message and send it. Without a session, expect NoSession and return None."""
        number = len(self.messages)
        text = f"{number} from {device.address} to {peer.address} ".encode() + filler
        if not device.held(peer.address):
            with unchanged(device.store), pytest.raises(NoSession), device.acts():
                device.account.encrypt(peer.address, text)
            return None
        with device.acts():
            wire = device.account.encrypt(peer.address, text)
        return self._sent(device, peer, text, wire)

    def _sent(self, device: Device, peer: Device, text: bytes, wire: bytes) -> Message:
        session = device.active(peer.address)
        assert session is not None
        message = Message(len(self.messages), device.address, peer.address, session, text, wire)
        pq_header = message.ratchet_message.pq_header
        if pq_header is not None:
            device.timeline.wrote(session, pq_header.epoch, pq_header.number)
        self.messages.append(message)
        self.on_the_way.append(message)
        return message

    def verdict(self, device: Device, claimed: Address, parcel: Parcel) -> Verdict:
        """Return what must happen to a parcel that claims to come from `claimed`."""
        message, timeline = parcel.message, device.timeline
        if message is None or claimed != message.sender or device.address != message.receiver:
            return Verdict.REFUSED
        sound = message.session in device.held(claimed) and message.session not in self.forked
        if message.number in timeline.read:
            return Verdict.DUPLICATE if sound else Verdict.REFUSED
        if not parcel.as_sent:
            return Verdict.REFUSED
        if message.session in device.held(claimed):
            return Verdict.READ if sound else Verdict.EITHER
        if not parcel.begins or message.session in timeline.accepted:
            return Verdict.REFUSED
        needs = self.handshakes[message.session].needs
        return Verdict.READ if all(self._has(device, need) for need in needs) else Verdict.REFUSED

    def _has(self, device: Device, need: Need) -> bool:
        prekey = device.timeline.prekeys.get((need.kind, need.id))
        return prekey is not None and prekey.key == need.key and prekey.usable(self.clock.now)

    def deliver(self, device: Device, parcel: Parcel, claimed: Address | None = None) -> bool:
        """Let a device read a parcel; return whether it could. Only PeerError and TrustError may refuse."""
        if claimed is None:
            assert parcel.message is not None
            claimed = parcel.message.sender
        verdict = self.verdict(device, claimed, parcel)
        active = device.active(claimed) if device.held(claimed) else None
        late = parcel.message is not None and self.is_late(parcel.message)
        # A parcel that must be read changes the store; only the others need a copy.
        before = None if verdict is Verdict.READ else snapshot(device.store)
        error: PeerError | TrustError | None = None
        text = b""
        try:
            with device.acts():
                text = device.account.decrypt(claimed, parcel.wire)
        except (PeerError, TrustError) as refusal:
            error = refusal
        if error is not None:
            assert verdict is not Verdict.READ, f"{parcel.message} must be read, not {error!r}"
            assert verdict is not Verdict.DUPLICATE or isinstance(error, DuplicateMessage), repr(error)
            assert verdict is not Verdict.EITHER or isinstance(error, FORKED), repr(error)
            assert verdict is Verdict.EITHER or not isinstance(error, BraidFailed), repr(error)
            assert snapshot(device.store) == before, "a refused message changes the store"
            return False
        assert verdict in {Verdict.READ, Verdict.EITHER}, "what must be refused is read"
        assert parcel.message is not None
        assert text == parcel.message.text
        assert verdict is Verdict.EITHER or not device.has_ended(claimed), "an honest text ends its session"
        self._check_place(device, parcel.message, active, late=late)
        self._has_read(device, parcel.message)
        return True

    def receive(self, message: Message) -> bool:
        """Deliver a message unchanged to its receiver."""
        return self.deliver(self.device(message.receiver), whole(message))

    def is_late(self, message: Message) -> bool:
        """Whether its receiver keeps the key of this message."""
        return self.device(message.receiver).keeps_key_of(message.sender, message.ratchet_message)

    def _has_read(self, device: Device, message: Message) -> None:
        timeline = device.timeline
        held = timeline.held.setdefault(message.sender, set())
        begun = timeline.unanswered.get(message.sender)
        if message.session not in held or message.session == begun:
            timeline.unanswered.pop(message.sender, None)
        if message.session not in held:
            timeline.holds(message.sender, message.session)
            timeline.accepted.add(message.session)
            for need in self.handshakes[message.session].needs:
                if need.key in timeline.one_time:
                    del timeline.prekeys[need.kind, need.id]
                    timeline.used.add((need.kind, need.id))
        timeline.read.add(message.number)
        device.may_have_retired()
        assert not self.is_late(message), "the key of a read message is kept"
        ratchet_message = message.ratchet_message
        sparse_kept = device.keeps_sparse_key_of(message.sender, message.session, ratchet_message)
        assert not sparse_kept, "the sparse key of a read message is kept"
        passed = device.has_passed(message.sender, message.session, ratchet_message)
        assert passed or message.session in self.forked, "a chain stands before a read message"

    def _check_place(self, device: Device, message: Message, before: bytes | None, *, late: bool) -> None:
        """Check which session is active after a message was read; `before` it was another, or none."""
        peer, session, timeline = message.sender, message.session, device.timeline
        after = device.active(peer)
        assert after in {before, session}, "a session becomes active that nobody used"
        if before is None or before == session:
            return
        suites = self.handshakes[session].suite, self.handshakes[before].suite
        assert after == before or suites[0] >= suites[1], "a weaker session takes over"
        if session not in timeline.held.get(peer, ()):
            assert after == session or suites[0] < suites[1], "a new session does not become active"
        elif late:
            assert after == before, "a late message moves a session"
        elif suites[0] == suites[1]:
            self._check_order(device, session, before, moved=after == session)

    def _check_order(self, device: Device, session: bytes, before: bytes, *, moved: bool) -> None:
        """Check whether a message in a session of the archive had to bring it back, in place of `before`."""
        timeline, writer = device.timeline, device.address
        initiators = {self.handshakes[each].initiator for each in (session, before)}
        if timeline.births[session] > timeline.births[before]:
            assert moved or len(initiators) > 1, "a later session does not take over"
        elif before in timeline.unanswered.values():
            used = any(each.session == before and each.sender == writer for each in self.messages)
            assert used or not moved, "a message undoes a new beginning"
            assert moved or not used or before in self.forked, "an answer does not bring back its session"
        else:
            assert not moved or len(initiators) > 1, "an earlier session takes over"

    # stores

    def restore(self, device: Device, at: int) -> None:
        """Restore a store from a copy. Its sessions use again what they have used since."""
        # The first message of a session that was accepted since the copy, and discarded, can begin it again.
        self.forked |= device.timeline.accepted
        for peer in self.peers(device):
            self.forked |= device.held(peer.address)
        device.restore(at)
        for peer in self.peers(device):
            self.forked |= device.held(peer.address)

    def take_back(self, device: Device, peer: Device, message: Message | None) -> None:
        """Fail a transaction: the reading, publishing, beginning and writing in it must be undone."""
        bundle = self.fresh_bundle(peer, Stock.LAST_RESORT)
        with unchanged(device.store), pytest.raises(Undo), self.ledger.calls(), device.account.transaction():
            if message is not None:
                assert device.account.decrypt(message.sender, message.wire) == message.text
            device.account.publish(1)
            if device.held(peer.address):
                device.account.encrypt(peer.address, b"never sent")
            device.account.initiate(peer.address, bundle)
            device.account.encrypt(peer.address, b"never sent either")
            raise Undo

    def answer_at_once(self, message: Message) -> None:
        """One transaction: read a message, be refused to read it again, and answer."""
        device, peer = self.device(message.receiver), self.device(message.sender)
        active = device.active(peer.address) if device.held(peer.address) else None
        late = self.is_late(message)
        with device.acts(), device.account.transaction():
            assert device.account.decrypt(message.sender, message.wire) == message.text
            with unchanged(device.store), pytest.raises(PeerError):
                device.account.decrypt(message.sender, message.wire)
            text = f"{len(self.messages)} answers {message.number}".encode()
            wire = device.account.encrypt(peer.address, text)
        self._check_place(device, message, active, late=late)
        self._has_read(device, message)
        self._sent(device, peer, text, wire)

    # somebody else

    def impostor(self, victim: Device, claimed: Address) -> None:
        """An impostor with another identity key uses the address of a peer that the victim knows."""
        self.impostors += 1
        entropy = entropy_of(f"{self.seed} impostor {self.impostors}")
        bundle = self.fresh_bundle(victim, Stock.LAST_RESORT)
        with self.ledger.calls(), MemoryStore() as store:
            mallory = hazmat.create_account(store, claimed, entropy, suites=BOTH_SUITES, clock=self.clock)
            mallory.initiate(victim.address, bundle)
            wire = mallory.encrypt(victim.address, b"it is me")
            with unchanged(victim.store), pytest.raises(UntrustedIdentity):
                victim.account.decrypt(claimed, wire)
            with unchanged(victim.store), pytest.raises(UntrustedIdentity):
                victim.account.initiate(claimed, mallory.bundle())

    def epochs(self) -> int:
        """Return the latest epoch of any session's braid; epochs count from 1."""
        return max(
            (header.epoch for each in self.messages if (header := each.ratchet_message.pq_header)), default=0
        )

    def check(self, *, every: bool = False) -> None:
        """Check the stores of the devices that have acted since the last time, or `every` store."""
        for device in self.devices:
            if device.has_acted or every:
                device.check()
